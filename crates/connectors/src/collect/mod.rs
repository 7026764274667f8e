//! `collect`: a sink that hands its batches to a receiver in the same process, for the rows of a SELECT; or keeps them
//! for one in another process ([`remote`]).
//!
//! The channel is bounded: a writer whose receiver lags says that it is not ready, and the receiver wakes it when
//! there is room again. The legal order of items is `(writer batches)* end` once for every subtask, after which
//! the receiver sees the end of all. A subtask that runs anew takes back what it wrote before, as far as nobody has it;
//! where somebody has, and a row must not come twice, that ends the channel.
//!
//! Channels are found by the option `collect-id`, because a plan can carry no handle.

pub mod remote;
#[cfg(test)]
mod tests;

use crate::simple::table_identity;
use headwater_connector_api::{
    ChangelogMode, Committable, Committer, Connector, DatasetIdentity, OptionSpec, Options, Sink, SinkWriter, Source,
    WriterContext,
};
use headwater_data::ChangeBatch;
use headwater_plan::{SinkSpec, SourceSpec, TableSpec};
use headwater_types::{Error, Result};
use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};
use std::sync::{Arc, Condvar, LazyLock, Mutex, MutexGuard};
use std::time::Duration;

/// Bytes of batches a channel holds before writers wait.
pub const CHANNEL_BYTES_MAX: usize = 4 << 20;

/// Option: after how many milliseconds without a question the client of a query on a cluster elsewhere is gone. Where it
/// is not set, the receiver is in the same process.
pub const FETCH_TIMEOUT_MS: &str = "fetch-timeout-ms";

const OPTIONS: &[OptionSpec] = &[
    OptionSpec::required("collect-id", "Name of the channel that takes the rows."),
    OptionSpec::optional(FETCH_TIMEOUT_MS, "The rows are fetched by another process, which may be silent for so long."),
];

/// The open channels of this process.
static CHANNELS: LazyLock<Mutex<HashMap<String, Arc<Channel>>>> = LazyLock::new(Mutex::default);

#[derive(Default)]
struct State {
    /// Batches, with the subtask that wrote them where it may have to take them back.
    queue: VecDeque<(Option<u32>, ChangeBatch)>,
    bytes: usize,
    /// Subtasks that ended, and how many there will be, once a writer said so.
    ended: BTreeSet<u32>,
    expected: Option<u32>,
    closed: bool,
    /// Whether no row may come twice, when a query without checkpoints runs anew from its beginning.
    once: bool,
    /// Subtasks of which rows were received.
    received: BTreeSet<u32>,
    /// Why there will be no more rows.
    failure: Option<Error>,
    /// By subtask, those that wait for room.
    wakers: BTreeMap<u32, Arc<dyn Fn() + Send + Sync>>,
}

impl State {
    fn is_complete(&self) -> bool {
        self.closed || self.expected.is_some_and(|n| self.ended.len() >= n as usize)
    }

    fn push(&mut self, from: Option<u32>, batch: ChangeBatch) {
        self.bytes += batch.bytes();
        self.queue.push_back((from, batch));
    }

    /// A subtask begins, for the first time or anew.
    fn begin(&mut self, subtask: u32) {
        self.ended.remove(&subtask);
        if !self.once {
            return;
        }
        if self.received.contains(&subtask) {
            self.failure = Some(remote::rows_would_repeat());
            self.closed = true;
        }
        self.queue.retain(|(from, _)| *from != Some(subtask));
        self.bytes = self.queue.iter().map(|(_, batch)| batch.bytes()).sum();
    }
}

#[derive(Default)]
struct Channel {
    state: Mutex<State>,
    changed: Condvar,
}

impl Channel {
    fn lock(&self) -> MutexGuard<'_, State> {
        // A holder that panicked left a queue behind that is still whole.
        self.state.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

fn channels() -> MutexGuard<'static, HashMap<String, Arc<Channel>>> {
    CHANNELS.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}

/// What a receiver gets.
#[derive(Debug)]
pub enum Received {
    /// Rows.
    Batch(ChangeBatch),
    /// Nothing within the time given.
    Timeout,
    /// All writers ended, or the channel was closed.
    End,
}

/// A sending end of a channel for those who are not sinks. Many may send; whoever says that all have ended does it once.
pub struct Sender {
    channel: Arc<Channel>,
}

impl Sender {
    /// Whether nobody receives any more.
    pub fn is_closed(&self) -> bool {
        self.channel.lock().closed
    }

    /// Waits up to `timeout` until there is room, or nobody receives; whether there is room.
    pub fn wait_for_room(&self, timeout: Duration) -> bool {
        let full = |state: &mut State| !state.closed && state.bytes >= CHANNEL_BYTES_MAX;
        let waited = self.channel.changed.wait_timeout_while(self.channel.lock(), timeout, full);
        let (state, _) = waited.unwrap_or_else(std::sync::PoisonError::into_inner);
        !state.closed && state.bytes < CHANNEL_BYTES_MAX
    }

    /// Waits up to `timeout`, or until nobody receives.
    pub fn pause(&self, timeout: Duration) {
        drop(self.channel.changed.wait_timeout_while(self.channel.lock(), timeout, |state| !state.closed));
    }

    /// Hands over a batch, whether or not there is room.
    pub fn send(&self, batch: ChangeBatch) {
        let mut state = self.channel.lock();
        if !state.closed {
            state.push(None, batch);
        }
        drop(state);
        self.channel.changed.notify_all();
    }

    /// No more batches follow.
    pub fn end(&self) {
        self.channel.lock().expected = Some(0);
        self.channel.changed.notify_all();
    }
}

/// The receiving end of a channel; dropping it makes the writers fail cleanly.
pub struct Receiver {
    id: String,
    channel: Arc<Channel>,
}

impl Receiver {
    /// Opens the channel of this name.
    pub fn open(id: impl Into<String>) -> Self {
        let id = id.into();
        let channel = Arc::new(Channel::default());
        channels().insert(id.clone(), channel.clone());
        Self { id, channel }
    }

    /// Opens the channel of this name for a query of which no row may come twice, though it runs from its beginning again
    /// when it fails.
    pub fn open_once(id: impl Into<String>) -> Self {
        let receiver = Self::open(id);
        receiver.channel.lock().once = true;
        receiver
    }

    /// Why there will be no more rows, where that is not the end of the query.
    pub fn failure(&self) -> Option<Error> {
        self.channel.lock().failure.clone()
    }

    /// Another way into the channel, besides the sinks that find it by its name.
    pub fn sender(&self) -> Sender {
        Sender { channel: self.channel.clone() }
    }

    /// The value of the option `collect-id` that leads here.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// Waits up to `timeout` for rows.
    pub fn receive(&self, timeout: Duration) -> Received {
        let waiting = |state: &mut State| state.queue.is_empty() && !state.is_complete();
        let waited = self.channel.changed.wait_timeout_while(self.channel.lock(), timeout, waiting);
        let (mut state, _) = waited.unwrap_or_else(std::sync::PoisonError::into_inner);
        let Some((from, batch)) = state.queue.pop_front() else {
            return if state.is_complete() { Received::End } else { Received::Timeout };
        };
        state.received.extend(from);
        state.bytes = state.bytes.saturating_sub(batch.bytes());
        let wakers = std::mem::take(&mut state.wakers);
        drop(state);
        self.channel.changed.notify_all();
        wakers.values().for_each(|wake| wake());
        Received::Batch(batch)
    }

    /// Ends the channel from outside, for a job that failed: what is queued can still be received.
    pub fn close(&self) {
        self.channel.lock().closed = true;
        self.channel.changed.notify_all();
    }
}

impl Drop for Receiver {
    fn drop(&mut self) {
        channels().remove(&self.id);
        let mut state = self.channel.lock();
        state.closed = true;
        let wakers = std::mem::take(&mut state.wakers);
        drop(state);
        self.channel.changed.notify_all();
        wakers.values().for_each(|wake| wake());
    }
}

/// The connector.
pub struct Collect;

impl Connector for Collect {
    fn name(&self) -> &'static str {
        "collect"
    }

    fn options(&self, _table: &TableSpec) -> Vec<OptionSpec> {
        OPTIONS.to_vec()
    }

    fn dataset(&self, table: &TableSpec) -> Result<DatasetIdentity> {
        Ok(table_identity("collect", table))
    }

    fn sink_mode(&self, _table: &TableSpec) -> Result<ChangelogMode> {
        Ok(ChangelogMode::Retract)
    }

    fn source(&self, _scan: &SourceSpec) -> Result<Option<Box<dyn Source>>> {
        Ok(None)
    }

    fn sink(&self, write: &SinkSpec) -> Result<Option<Box<dyn Sink>>> {
        let options = Options(&write.table.options);
        options.validate("collect", OPTIONS, &[])?;
        let patience_ms = options.integer(FETCH_TIMEOUT_MS)?;
        Ok(Some(Box::new(CollectSink { id: options.require("collect-id")?.to_string(), patience_ms })))
    }
}

struct CollectSink {
    id: String,
    /// Where its rows are fetched by another process, how long that one may be silent.
    patience_ms: Option<i64>,
}

impl Sink for CollectSink {
    fn writer(&self, context: WriterContext) -> Result<Box<dyn SinkWriter>> {
        if let Some(patience_ms) = self.patience_ms {
            return Ok(Box::new(remote::RemoteWriter::new(&self.id, patience_ms, context)?));
        }
        let channel = channels().get(&self.id).cloned().ok_or_else(receiver_gone)?;
        {
            let mut state = channel.lock();
            state.expected = Some(context.parallelism);
            state.begin(context.subtask);
        }
        Ok(Box::new(CollectWriter { channel, subtask: context.subtask, waker: context.waker, ended: false }))
    }

    fn committer(&self) -> Result<Option<Box<dyn Committer>>> {
        Ok(None)
    }
}

fn receiver_gone() -> Error {
    Error::new(headwater_types::ErrorKind::Cancelled, "receiver-gone", "nobody reads the rows any more")
}

struct CollectWriter {
    channel: Arc<Channel>,
    subtask: u32,
    waker: Arc<dyn Fn() + Send + Sync>,
    ended: bool,
}

impl SinkWriter for CollectWriter {
    fn is_ready(&mut self) -> bool {
        let mut state = self.channel.lock();
        let ready = state.closed || state.bytes < CHANNEL_BYTES_MAX;
        if !ready {
            state.wakers.insert(self.subtask, self.waker.clone());
        }
        ready
    }

    fn write(&mut self, batch: ChangeBatch) -> Result<()> {
        let mut state = self.channel.lock();
        if state.closed {
            return Err(receiver_gone());
        }
        state.push(Some(self.subtask), batch);
        drop(state);
        self.channel.changed.notify_all();
        Ok(())
    }

    fn take_committables(&mut self, _checkpoint: u64, end: bool) -> Result<Vec<Committable>> {
        if end && !self.ended {
            self.ended = true;
            self.channel.lock().ended.insert(self.subtask);
            self.channel.changed.notify_all();
        }
        Ok(vec![])
    }
}
