//! Channels to and from other TaskManagers, and what becomes of tasks whose channels break.
//!
//! A channel is named by job, attempt, edge and the indices of its ends; here it finds the task that it belongs to. A
//! channel that breaks fails its task with a retryable error: the region restarts from its checkpoint.

use headwater_plan::JobGraph;
use headwater_runtime::{Channel, ChannelSender, LocalSender, Network, TaskHandle};
use headwater_transport::{ChannelEnd, ChannelEvents, ChannelId, Identity, Transport};
use headwater_types::ids::{JobId, SubtaskId};
use headwater_types::{Error, Result};
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// The exchange of a TaskManager with others.
pub struct Exchange {
    transport: Transport,
    attempts: Arc<Attempts>,
}

/// The attempts with channels to other processes.
#[derive(Default)]
struct Attempts(Mutex<BTreeMap<(JobId, u32), Attempt>>);

struct Attempt {
    graph: Arc<JobGraph>,
    tasks: BTreeMap<SubtaskId, TaskHandle>,
    /// Failures of tasks that are being deployed.
    early: Vec<(SubtaskId, Error)>,
}

impl Exchange {
    /// Listens on `address` (port 0 takes any) with the I/O threads of `runtime`.
    ///
    /// # Errors
    /// When the address cannot be listened on.
    pub fn start(address: SocketAddr, identity: Identity, runtime: tokio::runtime::Handle) -> Result<Arc<Self>> {
        let attempts = Arc::new(Attempts::default());
        let transport = Transport::start(address, identity, attempts.clone(), runtime)?;
        Ok(Arc::new(Self { transport, attempts }))
    }

    /// Where other TaskManagers dial.
    pub fn address(&self) -> SocketAddr {
        self.transport.address()
    }

    /// The channels of an attempt whose other subtasks run at these addresses.
    pub(crate) fn attempt(
        self: Arc<Self>,
        job: JobId,
        attempt: u32,
        graph: Arc<JobGraph>,
        peers: Vec<(SubtaskId, String)>,
    ) -> Arc<Wires> {
        if !peers.is_empty() {
            let new = Attempt { graph, tasks: BTreeMap::new(), early: vec![] };
            self.attempts.lock().insert((job, attempt), new);
        }
        Arc::new(Wires { exchange: self, job, attempt, peers: peers.into_iter().collect() })
    }

    /// Lets the channels of an attempt go.
    pub(crate) fn release(&self, job: JobId, attempt: u32) {
        if self.attempts.lock().remove(&(job, attempt)).is_some() {
            self.transport.release(job, attempt);
        }
    }
}

/// The channels of an attempt.
pub(crate) struct Wires {
    exchange: Arc<Exchange>,
    job: JobId,
    attempt: u32,
    peers: BTreeMap<SubtaskId, String>,
}

impl Wires {
    /// The tasks are deployed: from now on they hear of channels that break.
    pub(crate) fn attach(&self, handles: &[TaskHandle]) {
        let mut attempts = self.exchange.attempts.lock();
        let Some(attempt) = attempts.get_mut(&(self.job, self.attempt)) else { return };
        attempt.tasks.extend(handles.iter().map(|handle| (handle.subtask(), handle.clone())));
        for (subtask, error) in std::mem::take(&mut attempt.early) {
            if let Some(task) = attempt.tasks.get(&subtask) {
                task.fail(error);
            }
        }
    }

    fn id(&self, channel: Channel) -> ChannelId {
        let (producer, consumer) = (channel.producer.index, channel.consumer.index);
        ChannelId { job: self.job, attempt: self.attempt, edge: channel.edge, producer, consumer }
    }
}

impl Network for Wires {
    fn receive(&self, channel: Channel, gate: LocalSender) {
        self.exchange.transport.receive(self.id(channel), gate);
    }

    fn sender(&self, channel: Channel) -> Result<Box<dyn ChannelSender>> {
        let address = self.peers.get(&channel.consumer).ok_or_else(|| {
            Error::internal(format!("nobody said where {} of job {} runs", channel.consumer, self.job))
        })?;
        Ok(Box::new(self.exchange.transport.sender(address, self.id(channel))))
    }
}

impl Attempts {
    fn lock(&self) -> MutexGuard<'_, BTreeMap<(JobId, u32), Attempt>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl ChannelEvents for Attempts {
    fn broken(&self, channel: ChannelId, end: ChannelEnd, error: &Error) {
        let mut attempts = self.lock();
        let Some(attempt) = attempts.get_mut(&(channel.job, channel.attempt)) else { return };
        let Some(edge) = attempt.graph.edges.get(channel.edge as usize) else { return };
        let subtask = match end {
            ChannelEnd::Producer => SubtaskId { vertex: edge.source, index: channel.producer },
            ChannelEnd::Consumer => SubtaskId { vertex: edge.target, index: channel.consumer },
        };
        let error = Error::retryable("channel-broken", error.message().to_owned());
        match attempt.tasks.get(&subtask) {
            Some(task) => task.fail(error),
            None if attempt.tasks.is_empty() => attempt.early.push((subtask, error)),
            None => {}
        }
    }
}
