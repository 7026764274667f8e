//! A client's side.
//!
//! Of several JobManagers a client follows the one that leads: when the connection breaks, it looks for the leader and
//! asks again what has not been answered. What would do something twice, such as submitting a job, is not asked again.

use crate::leader::{Leader, LeaderAddress, look};
use crate::wire::{Downward, Upward, decode, encode};
use headwater_jobmanager::{Answers, ClientRequest, Handle};
use headwater_transport::Identity;
use headwater_transport::messages::{MessageReader, MessageWriter, dial};
use headwater_types::{Error, ErrorKind, Result};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// Between attempts to reach a leader.
const AGAIN: Duration = Duration::from_millis(100);
/// Attempts at first: a minute.
const ATTEMPTS: u32 = 600;
/// Attempts of somebody who waits for a job, which goes on meanwhile: five minutes.
const ATTEMPTS_AGAIN: u32 = 3_000;
/// How often a JobManager may send a client elsewhere in a row.
const REDIRECTS_MAX: u32 = 4;

/// A handle on the JobManager at `address`, host and port. What is asked after the connection broke is answered with
/// an error.
///
/// # Errors
/// When it cannot be reached.
pub async fn connect(address: &str, identity: &Identity) -> Result<Handle> {
    connect_to(Arc::new(address.to_owned()), identity).await
}

/// A handle on whichever JobManager leads.
///
/// # Errors
/// When none can be reached.
pub async fn connect_to(leader: Arc<dyn Leader>, identity: &Identity) -> Result<Handle> {
    let mut client =
        Client { leader, identity: identity.clone(), redirected: None, redirects: 0, link: Arc::default() };
    let mut reader = client.open_patiently(ATTEMPTS).await?;
    let asker = Asker(client.link.clone());
    let (handle, answers) = Handle::forwarding(move |number, request| asker.0.ask(number, request))?;
    tokio::spawn(async move {
        loop {
            if let Err(error) = client.receive(&mut reader, &answers).await {
                tracing::warn!(error = error.message(), "the connection to the JobManager ended");
            }
            let again = client.link.lost(&answers);
            match again && client.may_reconnect() {
                true => match client.open_patiently(ATTEMPTS_AGAIN).await {
                    Ok(opened) => reader = opened,
                    Err(error) => {
                        tracing::error!(error = error.message(), "no JobManager was reached again; its jobs may go on");
                        break;
                    }
                },
                false => break,
            }
        }
        answers.end();
    });
    Ok(handle)
}

/// A connection that is opened again when it breaks.
struct Client {
    leader: Arc<dyn Leader>,
    identity: Identity,
    redirected: Option<String>,
    redirects: u32,
    link: Arc<Link>,
}

impl Client {
    /// With one fixed JobManager, its jobs are gone when it is.
    fn may_reconnect(&self) -> bool {
        self.leader.interval().is_some() || self.redirected.is_some()
    }

    /// Connects, waiting for a leader where there may be one soon.
    async fn open_patiently(&mut self, attempts: u32) -> Result<MessageReader> {
        for _ in 1..attempts {
            match self.open().await {
                Err(error) if error.kind() != ErrorKind::User && self.leader.interval().is_some() => {
                    tracing::debug!(error = error.message(), "no JobManager can be reached yet");
                    tokio::time::sleep(AGAIN).await;
                }
                opened => return opened,
            }
        }
        self.open().await
    }

    async fn open(&mut self) -> Result<MessageReader> {
        let found = match self.redirected.take() {
            Some(address) => Some(LeaderAddress { address, generation: 0 }),
            None => look(&self.leader).await?,
        };
        let found = found.ok_or_else(|| Error::retryable("no-jobmanager", "no JobManager leads at the moment"))?;
        let (reader, writer) = dial(&found.address, &self.identity).await?;
        self.link.opened(writer);
        Ok(reader)
    }

    async fn receive(&mut self, reader: &mut MessageReader, answers: &Answers) -> Result<()> {
        while let Some(bytes) = reader.next().await? {
            match decode(&bytes)? {
                Downward::Answer { number, answer } => {
                    self.redirects = 0;
                    self.link.answered(number);
                    answers.answer(number, answer);
                }
                Downward::Elsewhere(address) => {
                    self.redirects += 1;
                    self.redirected = address.filter(|_| self.redirects <= REDIRECTS_MAX);
                    self.link.turned_away();
                    return Err(Error::retryable("not-leading", "the JobManager does not lead"));
                }
                _ => return Err(Error::internal("the JobManager takes this client for a TaskManager")),
            }
        }
        Ok(())
    }
}

/// The handle's end of a link: with it the connection ends.
struct Asker(Arc<Link>);

impl Drop for Asker {
    fn drop(&mut self) {
        let mut state = self.0.lock();
        state.over = true;
        state.writer = None;
    }
}

/// What has been asked, and on which connection.
#[derive(Default)]
struct Link(Mutex<State>);

#[derive(Default)]
struct State {
    writer: Option<MessageWriter>,
    /// Requests without an answer.
    open: BTreeMap<u64, ClientRequest>,
    /// The JobManager did nothing of what it was asked for.
    untouched: bool,
    /// Nobody will ask any more.
    over: bool,
}

impl Link {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Asks now, or when there is a connection again.
    fn ask(&self, number: u64, request: ClientRequest) -> Result<()> {
        let mut state = self.lock();
        let bytes = encode(&Upward::Ask { number, request: request.clone() })?;
        if let Some(writer) = &state.writer {
            // One that breaks at this moment is noticed by its reader.
            let _ = writer.send(bytes);
        }
        state.open.insert(number, request);
        Ok(())
    }

    fn answered(&self, number: u64) {
        self.lock().open.remove(&number);
    }

    fn turned_away(&self) {
        self.lock().untouched = true;
    }

    fn opened(&self, writer: MessageWriter) {
        let mut state = self.lock();
        state.untouched = false;
        for (number, request) in &state.open {
            if let Ok(bytes) = encode(&Upward::Ask { number: *number, request: request.clone() }) {
                let _ = writer.send(bytes);
            }
        }
        state.writer = Some(writer).filter(|_| !state.over);
    }

    /// The connection is gone: what must not be asked again will not be answered. Whether anybody may still ask.
    fn lost(&self, answers: &Answers) -> bool {
        let mut state = self.lock();
        state.writer = None;
        if !state.untouched {
            for (number, _) in state.open.extract_if(.., |_, request| !request.may_repeat()) {
                answers.give_up(number);
            }
        }
        !state.over
    }
}
