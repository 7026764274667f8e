//! The queue in front of a transport, and the worker behind it.

mod breaker;
mod queue;
mod spool;
#[cfg(test)]
mod tests;
mod worker;

use crate::transport::{self, Transport};
use headwater_env::Env;
use headwater_lineage::model::{Event, EventType, Parent, RunEvent};
use headwater_types::{Error, Result};
use queue::Queue;
use serde_json::Value;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, sync_channel};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;
use worker::Worker;

/// An event on its way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// Key of a record: events of one key stay in order.
    pub key: String,
    /// The event as JSON.
    pub json: Vec<u8>,
    /// Whether the next event says the same again, so that this one may be lost.
    pub periodic: bool,
    /// Unique in this process.
    pub number: u64,
}

static NUMBERS: AtomicU64 = AtomicU64::new(1);

impl Message {
    /// The message of a run event.
    pub fn run(event: &RunEvent) -> Self {
        let json = serde_json::to_vec(&Event::Run(Box::new(event.clone()))).unwrap_or_default();
        let periodic = event.event_type == Some(EventType::Running);
        Self { key: key(event), json, periodic, number: NUMBERS.fetch_add(1, Ordering::Relaxed) }
    }
}

/// The key that other OpenLineage clients use: of the root job, else of the parent, else of the job itself.
fn key(event: &RunEvent) -> String {
    let parent = event.run.facets.get::<Parent>();
    let (namespace, name) = match &parent {
        Some(Parent { root: Some(root), .. }) => (&root.job.namespace, &root.job.name),
        Some(parent) => (&parent.job.namespace, &parent.job.name),
        None => (&event.job.namespace, &event.job.name),
    };
    format!("run:{namespace}/{name}")
}

/// Bounds of a client.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// Bytes that may wait in memory.
    pub queue_bytes: usize,
    /// Where events wait for an endpoint that does not take them; without it they are given up.
    pub spool: Option<PathBuf>,
    /// Bytes that may wait there.
    pub spool_bytes: u64,
    /// How often an event is tried before the breaker counts a failure.
    pub attempts: u32,
    /// Pause before the second attempt; doubled for each one after it.
    pub pause: Duration,
    /// Failures in a row that open the breaker.
    pub failures: u32,
    /// How long it stays open at first, and at most.
    pub open: (Duration, Duration),
    /// Longest time one event may take.
    pub send_timeout: Duration,
    /// Longest time the end of the process waits for events.
    pub close_timeout: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            queue_bytes: 16 << 20,
            spool: None,
            spool_bytes: 64 << 20,
            attempts: 3,
            pause: Duration::from_millis(200),
            failures: 3,
            open: (Duration::from_secs(1), Duration::from_secs(60)),
            send_timeout: Duration::from_secs(10),
            close_timeout: Duration::from_secs(3),
        }
    }
}

/// What became of events, since the client was started.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counters {
    /// Given to the client.
    pub emitted: u64,
    /// Taken by the transport.
    pub sent: u64,
    /// Attempts that failed.
    pub failed_attempts: u64,
    /// Put into files.
    pub spooled: u64,
    /// Given up because there was no room.
    pub dropped: u64,
    /// Refused for good by the transport.
    pub refused: u64,
    /// How often the breaker opened.
    pub breaker_opened: u64,
}

/// Sends events. Dropping it waits a moment for those on their way; what is left goes to the spool.
pub struct Client {
    queue: Arc<Queue>,
    ended: Mutex<Receiver<()>>,
    close_timeout: Duration,
}

impl Client {
    /// A client of the transport that a configuration describes.
    ///
    /// # Errors
    /// When the configuration is wrong, or no thread can be started.
    pub fn start(transport: &Value, limits: Limits, env: &Env) -> Result<Self> {
        Self::with(transport::build(transport, env)?, limits, env)
    }

    /// A client of this transport.
    ///
    /// # Errors
    /// When no thread can be started.
    pub fn with(transport: Box<dyn Transport>, limits: Limits, env: &Env) -> Result<Self> {
        let queue = Arc::new(Queue::new(limits.queue_bytes));
        let (sender, ended) = sync_channel(1);
        let close_timeout = limits.close_timeout;
        let worker = Worker::new(transport, limits, queue.clone(), env.clone());
        std::thread::Builder::new()
            .name("lineage".to_owned())
            .spawn(move || {
                worker.run();
                let _ = sender.send(());
            })
            .map_err(|e| Error::retryable("no-thread", "the lineage client could not be started").with_source(e))?;
        Ok(Self { queue, ended: Mutex::new(ended), close_timeout })
    }

    /// Takes an event. Never waits.
    pub fn emit(&self, event: &RunEvent) {
        self.queue.push(Message::run(event));
    }

    /// What became of events so far.
    pub fn counters(&self) -> Counters {
        self.queue.counters()
    }
}

impl Drop for Client {
    fn drop(&mut self) {
        self.queue.close();
        // A worker that hangs in a request is left behind: the process ends, and nobody waits for lineage.
        let ended = self.ended.get_mut().unwrap_or_else(PoisonError::into_inner);
        let _ = ended.recv_timeout(self.close_timeout + Duration::from_millis(500));
    }
}
