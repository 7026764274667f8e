//! The side of producers: connections to the processes of their consumers.

use crate::credit::Credit;
use crate::element::ElementEncoder;
use crate::frame::{self, Frame, Kind, bad};
use crate::handshake::Identity;
use crate::sender::RemoteSender;
use crate::stream::{self, Open, ReadHalf};
use crate::{ChannelEnd, ChannelEvents, ChannelId, lock, writer};
use headwater_exchange::Grammar;
use headwater_types::{Error, Result};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::io::BufReader;
use tokio::runtime::Handle;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::task::JoinHandle;

/// Largest frame that a consumer sends.
const ANSWER_BYTES_MAX: usize = 64 << 10;
/// Bytes read from the system at a time.
pub(crate) const READ_BYTES: usize = 64 << 10;

/// The connections of a process, by address.
pub(crate) struct Dialers {
    identity: Identity,
    events: Arc<dyn ChannelEvents>,
    runtime: Handle,
    open: Mutex<BTreeMap<String, Carried>>,
}

/// A connection and the task that carries its frames.
type Carried = (Arc<Dialer>, JoinHandle<()>);

/// A connection that rows leave on.
pub(crate) struct Dialer {
    address: String,
    queue: UnboundedSender<Frame>,
    state: Mutex<State>,
    events: Arc<dyn ChannelEvents>,
}

#[derive(Default)]
struct State {
    channels: BTreeMap<u32, Outlet>,
    last: u32,
    /// Why the connection is of no use any more.
    broken: Option<Error>,
}

/// A channel of a connection.
struct Outlet {
    id: ChannelId,
    credit: Arc<Credit>,
}

impl Dialers {
    pub(crate) fn new(identity: Identity, events: Arc<dyn ChannelEvents>, runtime: Handle) -> Self {
        Self { identity, events, runtime, open: Mutex::default() }
    }

    /// Opens a channel.
    pub(crate) fn sender(&self, address: &str, channel: ChannelId) -> RemoteSender {
        let dialer = self.dialer(address);
        let (number, credit) = dialer.open(channel);
        let (encoder, grammar) = (ElementEncoder::new(self.identity.compression), Grammar::new());
        RemoteSender { number, dialer, credit, encoder, grammar, ended: false }
    }

    pub(crate) fn close(&self) {
        for (dialer, carrying) in std::mem::take(&mut *lock(&self.open)).into_values() {
            carrying.abort();
            dialer.break_off(&Error::new(headwater_types::ErrorKind::Cancelled, "transport-closed", "it was closed"));
        }
    }

    /// The connection to an address; a new one when there is none that works.
    fn dialer(&self, address: &str) -> Arc<Dialer> {
        let mut open = lock(&self.open);
        if let Some((dialer, _)) = open.get(address).filter(|(dialer, _)| !dialer.is_broken()) {
            return dialer.clone();
        }
        let (queue, frames) = unbounded_channel();
        let (address, events) = (address.to_owned(), self.events.clone());
        let dialer = Arc::new(Dialer { address: address.clone(), queue, state: Mutex::default(), events });
        let carrying = self.runtime.spawn(run(dialer.clone(), frames, self.identity.clone()));
        open.insert(address, (dialer.clone(), carrying));
        dialer
    }
}

/// Dials, and carries frames until the connection breaks.
async fn run(dialer: Arc<Dialer>, frames: UnboundedReceiver<Frame>, identity: Identity) {
    let error = match carry(&dialer, frames, &identity).await {
        Ok(()) => Error::retryable("connection-closed", "the peer ended the connection"),
        Err(error) => error,
    };
    dialer.break_off(&error.context(format_args!("exchange with '{}'", dialer.address)));
}

async fn carry(dialer: &Dialer, frames: UnboundedReceiver<Frame>, identity: &Identity) -> Result<()> {
    let Open { input, mut output, .. } = stream::dial(&dialer.address, identity).await?;
    // Whoever ends first ends the connection.
    tokio::select! {
        read = answers(dialer, BufReader::with_capacity(READ_BYTES, input), identity.liveness.timeout) => read,
        written = writer::write(&mut output, frames, identity.liveness) => written,
    }
}

async fn answers(dialer: &Dialer, mut input: BufReader<ReadHalf>, silence_max: Duration) -> Result<()> {
    loop {
        let next = tokio::time::timeout(silence_max, frame::read(&mut input, ANSWER_BYTES_MAX)).await;
        let next = next.map_err(|_| Error::retryable("connection-silent", "the peer fell silent"))?;
        let Some(frame) = next? else { return Ok(()) };
        dialer.answer(&frame)?;
    }
}

impl Dialer {
    /// Queues a frame. On a broken connection it goes nowhere: the channels know.
    pub(crate) fn send(&self, frame: Frame) {
        let _ = self.queue.send(frame);
    }

    /// A channel cannot go on.
    pub(crate) fn fail(&self, number: u32, error: &Error) {
        let outlet = lock(&self.state).channels.remove(&number);
        self.send(Frame::empty(Kind::Abandon, number, 0));
        if let Some(outlet) = outlet {
            outlet.credit.close();
            self.events.broken(outlet.id, ChannelEnd::Producer, error);
        }
    }

    /// The sender of a channel is gone. If it had not ended, the consumer must not wait for more.
    pub(crate) fn forget(&self, number: u32, ended: bool) {
        if lock(&self.state).channels.remove(&number).is_some() && !ended {
            self.send(Frame::empty(Kind::Abandon, number, 0));
        }
    }

    fn open(&self, id: ChannelId) -> (u32, Arc<Credit>) {
        let credit = Arc::new(Credit::default());
        let (number, broken) = {
            let mut state = lock(&self.state);
            state.last += 1;
            let number = state.last;
            state.channels.insert(number, Outlet { id, credit: credit.clone() });
            (number, state.broken.as_ref().map(copy))
        };
        match (broken, postcard::to_stdvec(&id)) {
            (None, Ok(name)) => self.send(Frame::of_bytes(Kind::Open, number, name)),
            (Some(error), _) => self.fail(number, &error),
            (None, Err(e)) => self.fail(number, &Error::internal("a channel cannot be named").with_source(e)),
        }
        (number, credit)
    }

    fn is_broken(&self) -> bool {
        lock(&self.state).broken.is_some()
    }

    /// A consumer says something.
    fn answer(&self, frame: &Frame) -> Result<()> {
        let (number, cost) = (frame.header.channel, frame.header.cost as usize);
        let credit = lock(&self.state).channels.get(&number).map(|outlet| outlet.credit.clone());
        match (frame.header.kind, credit) {
            (Kind::Beat, _) => {}
            (Kind::Opened, Some(credit)) => credit.opened(cost),
            (Kind::Credit, Some(credit)) => credit.granted(cost),
            (Kind::Closed, Some(credit)) => credit.close(),
            (Kind::Refused, Some(_)) => {
                let why = String::from_utf8_lossy(&frame.payload[0]).into_owned();
                self.fail(number, &Error::retryable("channel-refused", format!("'{}': {why}", self.address)));
            }
            // Crossed with the end of the channel.
            (Kind::Opened | Kind::Credit | Kind::Closed | Kind::Refused, None) => {}
            (other, _) => return Err(bad(format!("a consumer sends no {other:?} frames"))),
        }
        Ok(())
    }

    /// The connection is of no use any more.
    fn break_off(&self, error: &Error) {
        let channels = {
            let mut state = lock(&self.state);
            state.broken.get_or_insert_with(|| copy(error));
            std::mem::take(&mut state.channels)
        };
        for outlet in channels.into_values() {
            outlet.credit.close();
            self.events.broken(outlet.id, ChannelEnd::Producer, error);
        }
    }
}

/// Errors hold their sources and cannot be cloned; what they say can.
fn copy(error: &Error) -> Error {
    Error::new(error.kind(), error.code(), error.message().to_owned())
}
