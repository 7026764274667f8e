//! The side of consumers: connections from the processes of their producers.

use crate::dialer::READ_BYTES;
use crate::element::ElementDecoder;
use crate::frame::{self, Frame, Kind, MAX_PAYLOAD_BYTES, bad};
use crate::handshake::Identity;
use crate::inlet::Inlet;
use crate::strangers::Strangers;
use crate::stream::{self, Open, ReadHalf, is_probe};
use crate::{ChannelEnd, ChannelEvents, ChannelId, lock, writer};
use headwater_exchange::{Element, LocalSender, Waker};
use headwater_types::ids::JobId;
use headwater_types::{Error, Result};
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, Weak};
use std::time::Duration;
use tokio::io::BufReader;
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::Handle;
use tokio::sync::mpsc::{UnboundedSender, unbounded_channel};

/// A consumer's window: one and a half of what its gate holds, so that the producer goes on when half is taken.
const WINDOW: (usize, usize) = (3, 2);
/// Channels of a connection that a peer may open.
const CHANNELS_MAX: usize = 1 << 16;
/// Attempts remembered as over, whose late channels are refused.
const RELEASED_MAX: usize = 256;

/// Where producers find their consumers.
pub(crate) struct Endpoints {
    events: Arc<dyn ChannelEvents>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// Consumers without a producer.
    gates: BTreeMap<ChannelId, LocalSender>,
    /// Producers without a consumer.
    callers: BTreeMap<ChannelId, (Weak<Connection>, u32)>,
    /// Channels that are joined.
    joined: BTreeMap<ChannelId, (Weak<Connection>, u32)>,
    released: Vec<(JobId, u32)>,
    closed: bool,
}

impl Endpoints {
    pub(crate) fn new(events: Arc<dyn ChannelEvents>) -> Self {
        Self { events, state: Mutex::default() }
    }

    /// A consumer waits for a producer.
    pub(crate) fn expect(&self, channel: ChannelId, gate: LocalSender) {
        let caller = {
            let mut state = lock(&self.state);
            state.released.retain(|attempt| *attempt != (channel.job, channel.attempt));
            match state.callers.remove(&channel).and_then(|(caller, number)| Some((caller.upgrade()?, number))) {
                Some((connection, number)) => {
                    state.joined.insert(channel, (Arc::downgrade(&connection), number));
                    Some((connection, number))
                }
                None => {
                    state.gates.insert(channel, gate);
                    return;
                }
            }
        };
        if let Some((connection, number)) = caller {
            connection.connect(number, gate);
        }
    }

    /// Forgets the consumers of an attempt.
    pub(crate) fn release(&self, job: JobId, attempt: u32) {
        let of_attempt = |channel: &ChannelId| channel.job == job && channel.attempt == attempt;
        let over = {
            let mut state = lock(&self.state);
            state.gates.retain(|channel, _| !of_attempt(channel));
            if state.released.len() == RELEASED_MAX {
                state.released.remove(0);
            }
            state.released.push((job, attempt));
            let state = &mut *state;
            [&mut state.callers, &mut state.joined]
                .into_iter()
                .flat_map(|map| map.extract_if(.., |channel, _| of_attempt(channel)))
                .map(|(_, caller)| caller)
                .collect::<Vec<_>>()
        };
        for (connection, number) in over.iter().filter_map(|(caller, number)| Some((caller.upgrade()?, number))) {
            connection.refuse(*number, "the attempt is over");
        }
    }

    pub(crate) fn close(&self) {
        let mut state = lock(&self.state);
        state.closed = true;
        state.gates.clear();
    }

    /// A producer opened a channel: the gate, if its consumer is there.
    fn open(&self, channel: ChannelId, connection: &Arc<Connection>, number: u32) -> Result<Option<LocalSender>> {
        let mut state = lock(&self.state);
        if state.closed || state.released.contains(&(channel.job, channel.attempt)) {
            return Err(Error::retryable("attempt-over", "the attempt is over"));
        }
        if state.joined.contains_key(&channel) || state.callers.contains_key(&channel) {
            return Err(Error::internal(format!("the channel of {channel} has a producer")));
        }
        let caller = (Arc::downgrade(connection), number);
        let gate = state.gates.remove(&channel);
        let joined = gate.is_some();
        let map = if joined { &mut state.joined } else { &mut state.callers };
        map.insert(channel, caller);
        Ok(gate)
    }

    fn forget(&self, channel: &ChannelId) {
        let mut state = lock(&self.state);
        state.callers.remove(channel);
        state.joined.remove(channel);
    }
}

/// Listens on an address.
pub(crate) fn bind(address: SocketAddr, runtime: &Handle) -> Result<TcpListener> {
    let _inside = runtime.enter();
    let listener = std::net::TcpListener::bind(address).map_err(|e| cannot_listen(address, e))?;
    listener.set_nonblocking(true).map_err(|e| cannot_listen(address, e))?;
    TcpListener::from_std(listener).map_err(|e| cannot_listen(address, e))
}

pub(crate) fn cannot_listen(address: SocketAddr, e: std::io::Error) -> Error {
    let message = format!("the exchange cannot listen on {address}: {e}");
    Error::user("cannot-listen", message).with_source(e)
}

/// Takes connections for ever.
pub(crate) async fn accept(listener: TcpListener, identity: Identity, endpoints: Arc<Endpoints>) {
    let strangers = Arc::new(Strangers::default());
    loop {
        match listener.accept().await {
            Ok((stream, from)) => {
                let (identity, endpoints, strangers) = (identity.clone(), endpoints.clone(), strangers.clone());
                tokio::spawn(async move {
                    match serve(stream, &identity, endpoints, &strangers).await {
                        Err(error) if is_probe(&error) => tracing::debug!(%from, "somebody looked who listens"),
                        Err(error) => {
                            tracing::warn!(%from, error = error.message(), "an exchange connection ended");
                        }
                        Ok(()) => {}
                    }
                });
            }
            // Out of file descriptors, say: those who called will call again.
            Err(error) => {
                tracing::warn!(%error, "an exchange connection could not be taken");
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
        }
    }
}

async fn serve(stream: TcpStream, identity: &Identity, endpoints: Arc<Endpoints>, strangers: &Strangers) -> Result<()> {
    let Open { peer, input, mut output } = strangers.admit(stream::answer(stream, identity)).await?;
    let (queue, frames) = unbounded_channel();
    let connection = Arc::new(Connection { queue, endpoints, inlets: Mutex::default() });
    let _joined = Joined(connection.clone());
    let ended = tokio::select! {
        read = receive(&connection, BufReader::with_capacity(READ_BYTES, input), identity.liveness.timeout) => read,
        written = writer::write(&mut output, frames, identity.liveness) => written,
    };
    let error = match &ended {
        Ok(()) => Error::retryable("connection-closed", format!("'{peer}' ended the connection")),
        Err(error) => Error::retryable("connection-broken", format!("exchange with '{peer}': {}", error.message())),
    };
    connection.break_off(&error);
    ended
}

async fn receive(connection: &Arc<Connection>, mut input: BufReader<ReadHalf>, silence_max: Duration) -> Result<()> {
    // What the channels' columns are; of no concern to lanes, which lock the inlets.
    let mut decoders = BTreeMap::new();
    loop {
        let next = tokio::time::timeout(silence_max, frame::read(&mut input, MAX_PAYLOAD_BYTES)).await;
        let next = next.map_err(|_| Error::retryable("connection-silent", "the peer fell silent"))?;
        let Some(frame) = next? else { return Ok(()) };
        connection.handle(frame, &mut decoders)?;
    }
}

/// A connection that is read. However that ends, nobody waits for more.
struct Joined(Arc<Connection>);

impl Drop for Joined {
    fn drop(&mut self) {
        // Nothing is left to tell unless the reader gave up without a word.
        self.0.break_off(&Error::retryable("connection-broken", "what the peer sent could not be read"));
    }
}

type Decoders = BTreeMap<u32, ElementDecoder>;

/// A connection that rows arrive on.
struct Connection {
    queue: UnboundedSender<Frame>,
    endpoints: Arc<Endpoints>,
    inlets: Mutex<BTreeMap<u32, (ChannelId, Inlet)>>,
}

impl Connection {
    fn handle(self: &Arc<Self>, frame: Frame, decoders: &mut Decoders) -> Result<()> {
        let number = frame.header.channel;
        match frame.header.kind {
            Kind::Open => {
                // Also those that were refused are kept, for what their producer has sent before it hears of that.
                if decoders.len() == CHANNELS_MAX {
                    return Err(bad("it opens one channel too many"));
                }
                decoders.insert(number, ElementDecoder::default());
                self.open(number, &frame)
            }
            Kind::Batch | Kind::Control => self.element(number, frame, decoders),
            Kind::Abandon => {
                decoders.remove(&number);
                self.abandon(number);
                Ok(())
            }
            Kind::Beat => Ok(()),
            other => Err(bad(format!("a producer sends no {other:?} frames"))),
        }
    }

    fn open(self: &Arc<Self>, number: u32, frame: &Frame) -> Result<()> {
        let id: ChannelId = postcard::from_bytes(&frame.payload[0]).map_err(|e| bad("its channel").with_source(e))?;
        {
            let mut inlets = lock(&self.inlets);
            if inlets.len() == CHANNELS_MAX || inlets.contains_key(&number) {
                return Err(bad(format!("channel {number} is open, or one too many")));
            }
            inlets.insert(number, (id, Inlet::new()));
        }
        match self.endpoints.open(id, self, number) {
            Ok(Some(gate)) => self.connect(number, gate),
            Ok(None) => {}
            Err(error) => self.refuse(number, error.message()),
        }
        Ok(())
    }

    /// Joins a channel to its consumer.
    fn connect(self: &Arc<Self>, number: u32, gate: LocalSender) {
        let window = gate.capacity_bytes().saturating_mul(WINDOW.0) / WINDOW.1;
        let window = u32::try_from(window).unwrap_or(u32::MAX);
        let connection = Arc::downgrade(self);
        let taken: Waker = Arc::new(move || {
            if let Some(connection) = connection.upgrade() {
                connection.grant(number);
            }
        });
        if let Some((_, inlet)) = lock(&self.inlets).get_mut(&number) {
            inlet.connect(gate, taken);
        }
        self.send(Frame::empty(Kind::Opened, number, window));
        self.grant(number);
    }

    /// An element of a channel; of one that was refused meanwhile it is dropped.
    fn element(&self, number: u32, frame: Frame, decoders: &mut Decoders) -> Result<()> {
        let decoder = decoders.get_mut(&number).ok_or_else(|| bad(format!("channel {number} was never opened")))?;
        let cost = frame.header.cost;
        let element = decoder.decode(frame)?;
        if matches!(element, Element::End) {
            decoders.remove(&number);
        }
        if let Some((id, inlet)) = lock(&self.inlets).get_mut(&number) {
            inlet.receive(element, cost).map_err(|error| error.context(format_args!("the channel of {id}")))?;
        }
        self.grant(number);
        Ok(())
    }

    /// Tells a producer what its consumer has taken.
    fn grant(&self, number: u32) {
        let (cost, closed, over) = {
            let mut inlets = lock(&self.inlets);
            let Some((id, inlet)) = inlets.get_mut(&number) else { return };
            let (id, cost, closed) = (*id, inlet.take_credit(), inlet.is_closed());
            let over = (closed || inlet.is_over()).then_some(id);
            if over.is_some() {
                inlets.remove(&number);
            }
            (cost, closed, over)
        };
        if cost > 0 {
            self.send(Frame::empty(Kind::Credit, number, cost));
        }
        if closed {
            self.send(Frame::empty(Kind::Closed, number, 0));
        }
        if let Some(id) = over {
            self.endpoints.forget(&id);
        }
    }

    /// The producer is gone without an end.
    fn abandon(&self, number: u32) {
        let removed = lock(&self.inlets).remove(&number);
        if let Some((id, inlet)) = removed {
            let error = Error::retryable("producer-gone", "the producer ended before its channel did");
            self.lose(&id, &inlet, &error);
        }
    }

    fn refuse(&self, number: u32, why: &str) {
        lock(&self.inlets).remove(&number);
        self.send(Frame::of_bytes(Kind::Refused, number, why.as_bytes().to_vec()));
    }

    fn break_off(&self, error: &Error) {
        for (id, inlet) in std::mem::take(&mut *lock(&self.inlets)).into_values() {
            self.lose(&id, &inlet, error);
        }
    }

    fn lose(&self, id: &ChannelId, inlet: &Inlet, error: &Error) {
        self.endpoints.forget(id);
        if inlet.is_connected() && !inlet.is_closed() {
            self.endpoints.events.broken(*id, ChannelEnd::Consumer, error);
        }
    }

    fn send(&self, frame: Frame) {
        let _ = self.queue.send(frame);
    }
}
