//! Clients in other processes: what they may ask a JobManager, as values that travel.
//!
//! [`Handle::forwarding`] makes a handle whose requests somebody carries to a JobManager elsewhere, where
//! [`Handle::serve`] answers them. So whoever works with a [`Handle`] need not know where the JobManager is. A
//! connection that breaks answers nothing more: those who wait see that the JobManager is gone.

use crate::job::{Request, RequestKind, Stored};
use crate::overview::ListedJob;
use crate::rescale::{Requirements, Rescale};
use crate::service::{Handle, Inbound, Pending};
use crate::state::{JobResult, JobState, JobStatus, TaskState};
use crate::task_managers::TaskManagerStatus;
use headwater_checkpoint::Statistics;
use headwater_runtime::OperatorSnapshot;
use headwater_taskmanager::{Inspected, TaskError};
use headwater_types::ids::{JobId, SubtaskId};
use headwater_types::{Error, Result};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::sync::mpsc::{Receiver, SyncSender};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// What a client asks for.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub enum ClientRequest {
    /// Run an encoded job graph.
    Submit(Vec<u8>),
    /// End a job now.
    Cancel(JobId),
    /// End the sources of a job.
    Stop(JobId),
    /// How does a job end?
    Wait(JobId),
    /// The counters of a job.
    Metrics(JobId),
    /// The state of a job.
    Status(JobId),
    /// Take a checkpoint of a job.
    Checkpoint(JobId, RequestKind),
    /// The checkpoints of a job.
    Statistics(JobId),
    /// The registered TaskManagers.
    TaskManagers,
    /// The bounds of a job's parallelism.
    Requirements(JobId),
    /// Give a job other bounds.
    SetRequirements(JobId, Requirements),
    /// The changes of a job's parallelism.
    Rescales(JobId),
    /// Ask a part of a running task, by its name.
    Coordinate(JobId, SubtaskId, String, Vec<u8>),
    /// The jobs of the cluster.
    List,
}

impl ClientRequest {
    /// Whether asking twice does the same as asking once.
    pub fn may_repeat(&self) -> bool {
        !matches!(self, Self::Submit(_) | Self::Checkpoint(..))
    }
}

/// What a client is answered.
#[derive(Debug, Serialize, Deserialize)]
pub enum ClientAnswer {
    /// To [`ClientRequest::Submit`].
    Submitted(Result<JobId, TaskError>),
    /// To [`ClientRequest::Wait`].
    Ended(Box<Ended>),
    /// To [`ClientRequest::Metrics`].
    Metrics(Vec<OperatorSnapshot>),
    /// To [`ClientRequest::Status`].
    Status(Box<Status>),
    /// To [`ClientRequest::Checkpoint`].
    Stored(Result<Stored, TaskError>),
    /// To [`ClientRequest::Statistics`].
    Statistics(Box<Statistics>),
    /// To [`ClientRequest::TaskManagers`].
    TaskManagers(Vec<TaskManagerStatus>),
    /// To [`ClientRequest::Requirements`].
    Requirements(Option<Requirements>),
    /// To [`ClientRequest::SetRequirements`].
    Accepted(Result<(), TaskError>),
    /// To [`ClientRequest::Rescales`].
    Rescales(Vec<Rescale>),
    /// To [`ClientRequest::Coordinate`].
    Coordinated(Inspected),
    /// There will be no answer: the job is unknown.
    Gone,
    /// To [`ClientRequest::List`].
    Listed(Vec<ListedJob>),
}

/// [`JobResult`] as it travels.
#[derive(Debug, Serialize, Deserialize)]
pub struct Ended {
    job: JobId,
    name: String,
    state: JobState,
    error: Option<TaskError>,
    operators: Vec<OperatorSnapshot>,
}

/// [`JobStatus`] as it travels.
#[derive(Debug, Serialize, Deserialize)]
pub struct Status {
    job: JobId,
    name: String,
    state: JobState,
    tasks: BTreeMap<SubtaskId, TaskState>,
    restarts: u32,
    restart_cause: Option<TaskError>,
    restart_delay_ms: i64,
    waits_for: Option<String>,
}

/// An answer that may not be there yet.
pub struct PendingAnswer(Box<dyn FnMut() -> Option<ClientAnswer> + Send>);

impl PendingAnswer {
    fn new<T: Send + 'static>(pending: Pending<T>, answer: fn(T) -> ClientAnswer) -> Self {
        Self(Box::new(move || match pending.take() {
            Ok(value) => value.map(answer),
            Err(_) => Some(ClientAnswer::Gone),
        }))
    }

    /// The answer, once; `None` while it is not there.
    pub fn take(&mut self) -> Option<ClientAnswer> {
        self.0()
    }
}

/// Who waits for which answer.
pub struct Answers(Mutex<Option<BTreeMap<u64, Waiting>>>);

enum Waiting {
    Submitted(SyncSender<Result<JobId>>),
    Ended(SyncSender<JobResult>),
    Metrics(SyncSender<Vec<OperatorSnapshot>>),
    Status(SyncSender<JobStatus>),
    Stored(SyncSender<Result<Stored>>),
    Statistics(SyncSender<Statistics>),
    TaskManagers(SyncSender<Vec<TaskManagerStatus>>),
    Requirements(SyncSender<Option<Requirements>>),
    Accepted(SyncSender<Result<()>>),
    Rescales(SyncSender<Vec<Rescale>>),
    Coordinated(SyncSender<Inspected>),
    Listed(SyncSender<Vec<ListedJob>>),
}

/// Requests that may wait to be carried.
const FORWARDED_MAX: usize = 64;

impl Handle {
    /// A handle whose requests are numbered and carried elsewhere by `carry`; the answers come back through what it is
    /// returned with. Ends with the last clone of the handle.
    ///
    /// # Errors
    /// When no thread can be started.
    pub fn forwarding(
        carry: impl Fn(u64, ClientRequest) -> Result<()> + Send + 'static,
    ) -> Result<(Self, Arc<Answers>)> {
        let (inbox, messages) = std::sync::mpsc::sync_channel(FORWARDED_MAX);
        let answers = Arc::new(Answers(Mutex::new(Some(BTreeMap::new()))));
        let waiting = answers.clone();
        std::thread::Builder::new()
            .name("jobmanager-client".to_owned())
            .spawn(move || forward(&messages, &waiting, carry))
            .map_err(|e| Error::retryable("no-thread", "the client's thread could not be started").with_source(e))?;
        Ok((Self::of(inbox), answers))
    }

    /// Does what a client asks for; the answer, if there will be one.
    ///
    /// # Errors
    /// When the JobManager has ended.
    pub fn serve(&self, request: ClientRequest) -> Result<Option<PendingAnswer>> {
        Ok(Some(match request {
            ClientRequest::Cancel(job) => return self.send(Inbound::Cancel(job)).map(|()| None),
            ClientRequest::Stop(job) => return self.send(Inbound::Stop(job)).map(|()| None),
            ClientRequest::Submit(plan) => {
                let pending = self.request(|reply| Inbound::Submit { plan, reply })?;
                PendingAnswer::new(pending, |job| ClientAnswer::Submitted(travelling(job)))
            }
            ClientRequest::Wait(job) => {
                let pending = self.request(|reply| Inbound::Wait { job, reply })?;
                PendingAnswer::new(pending, |result| ClientAnswer::Ended(Box::new(result.into())))
            }
            ClientRequest::Metrics(job) => {
                PendingAnswer::new(self.request(|reply| Inbound::Metrics { job, reply })?, ClientAnswer::Metrics)
            }
            ClientRequest::Status(job) => {
                let pending = self.request(|reply| Inbound::Status { job, reply })?;
                PendingAnswer::new(pending, |status| ClientAnswer::Status(Box::new(status.into())))
            }
            ClientRequest::Checkpoint(job, kind) => {
                let pending = self.request(|reply| Inbound::Checkpoint { job, request: Request { kind, reply } })?;
                PendingAnswer::new(pending, |stored| ClientAnswer::Stored(travelling(stored)))
            }
            ClientRequest::Statistics(job) => {
                let pending = self.request(|reply| Inbound::Statistics { job, reply })?;
                PendingAnswer::new(pending, |statistics| ClientAnswer::Statistics(Box::new(statistics)))
            }
            ClientRequest::Requirements(job) => {
                let pending = self.request(|reply| Inbound::Requirements { job, reply })?;
                PendingAnswer::new(pending, ClientAnswer::Requirements)
            }
            ClientRequest::SetRequirements(job, asked) => {
                let pending = self.request(|reply| Inbound::SetRequirements { job, asked, reply })?;
                PendingAnswer::new(pending, |accepted| ClientAnswer::Accepted(travelling(accepted)))
            }
            ClientRequest::Rescales(job) => {
                PendingAnswer::new(self.request(|reply| Inbound::Rescales { job, reply })?, ClientAnswer::Rescales)
            }
            ClientRequest::Coordinate(job, subtask, target, request) => {
                let asked = |reply| Inbound::Coordinate { job, subtask, target, request, reply };
                PendingAnswer::new(self.request(asked)?, ClientAnswer::Coordinated)
            }
            ClientRequest::List => {
                PendingAnswer::new(self.request(|reply| Inbound::List { reply })?, ClientAnswer::Listed)
            }
            ClientRequest::TaskManagers => {
                PendingAnswer::new(self.request(|reply| Inbound::TaskManagers { reply })?, ClientAnswer::TaskManagers)
            }
        }))
    }
}

/// Carries requests until nobody can make any.
fn forward(messages: &Receiver<Inbound>, answers: &Answers, carry: impl Fn(u64, ClientRequest) -> Result<()>) {
    let mut number = 0;
    while let Ok(message) = messages.recv() {
        // What clients do not ask for is not answered, which whoever asked sees.
        let Some((request, waiting)) = split(message) else { continue };
        number += 1;
        if let Some(waiting) = waiting {
            answers.expect(number, waiting);
        }
        if carry(number, request).is_err() {
            drop(answers.take(number));
        }
    }
}

/// What is asked, and who waits for the answer.
fn split(message: Inbound) -> Option<(ClientRequest, Option<Waiting>)> {
    Some(match message {
        Inbound::Submit { plan, reply } => (ClientRequest::Submit(plan), Some(Waiting::Submitted(reply))),
        Inbound::Cancel(job) => (ClientRequest::Cancel(job), None),
        Inbound::Stop(job) => (ClientRequest::Stop(job), None),
        Inbound::Wait { job, reply } => (ClientRequest::Wait(job), Some(Waiting::Ended(reply))),
        Inbound::Metrics { job, reply } => (ClientRequest::Metrics(job), Some(Waiting::Metrics(reply))),
        Inbound::Status { job, reply } => (ClientRequest::Status(job), Some(Waiting::Status(reply))),
        Inbound::Checkpoint { job, request: Request { kind, reply } } => {
            (ClientRequest::Checkpoint(job, kind), Some(Waiting::Stored(reply)))
        }
        Inbound::Statistics { job, reply } => (ClientRequest::Statistics(job), Some(Waiting::Statistics(reply))),
        Inbound::TaskManagers { reply } => (ClientRequest::TaskManagers, Some(Waiting::TaskManagers(reply))),
        Inbound::Requirements { job, reply } => (ClientRequest::Requirements(job), Some(Waiting::Requirements(reply))),
        Inbound::SetRequirements { job, asked, reply } => {
            (ClientRequest::SetRequirements(job, asked), Some(Waiting::Accepted(reply)))
        }
        Inbound::Rescales { job, reply } => (ClientRequest::Rescales(job), Some(Waiting::Rescales(reply))),
        Inbound::Coordinate { job, subtask, target, request, reply } => {
            (ClientRequest::Coordinate(job, subtask, target, request), Some(Waiting::Coordinated(reply)))
        }
        Inbound::List { reply } => (ClientRequest::List, Some(Waiting::Listed(reply))),
        _ => return None,
    })
}

impl Answers {
    /// An answer has arrived. One that does not fit its request is dropped, which whoever waits sees.
    pub fn answer(&self, number: u64, answer: ClientAnswer) {
        let Some(waiting) = self.take(number) else { return };
        match (waiting, answer) {
            (Waiting::Submitted(reply), ClientAnswer::Submitted(job)) => drop(reply.try_send(job.map_err(Error::from))),
            (Waiting::Ended(reply), ClientAnswer::Ended(result)) => drop(reply.try_send((*result).into())),
            (Waiting::Metrics(reply), ClientAnswer::Metrics(metrics)) => drop(reply.try_send(metrics)),
            (Waiting::Status(reply), ClientAnswer::Status(status)) => drop(reply.try_send((*status).into())),
            (Waiting::Stored(reply), ClientAnswer::Stored(stored)) => drop(reply.try_send(stored.map_err(Error::from))),
            (Waiting::Statistics(reply), ClientAnswer::Statistics(statistics)) => drop(reply.try_send(*statistics)),
            (Waiting::TaskManagers(reply), ClientAnswer::TaskManagers(all)) => drop(reply.try_send(all)),
            (Waiting::Requirements(reply), ClientAnswer::Requirements(asked)) => drop(reply.try_send(asked)),
            (Waiting::Accepted(reply), ClientAnswer::Accepted(done)) => drop(reply.try_send(done.map_err(Error::from))),
            (Waiting::Rescales(reply), ClientAnswer::Rescales(rescales)) => drop(reply.try_send(rescales)),
            (Waiting::Coordinated(reply), ClientAnswer::Coordinated(answer)) => drop(reply.try_send(answer)),
            (Waiting::Listed(reply), ClientAnswer::Listed(jobs)) => drop(reply.try_send(jobs)),
            _ => {}
        }
    }

    /// There will be no answer to a request.
    pub fn give_up(&self, number: u64) {
        drop(self.take(number));
    }

    /// There will be no more answers.
    pub fn end(&self) {
        *self.lock() = None;
    }

    /// Somebody waits; in vain when there are no more answers.
    fn expect(&self, number: u64, waiting: Waiting) {
        if let Some(all) = self.lock().as_mut() {
            all.insert(number, waiting);
        }
    }

    fn take(&self, number: u64) -> Option<Waiting> {
        self.lock().as_mut()?.remove(&number)
    }

    fn lock(&self) -> MutexGuard<'_, Option<BTreeMap<u64, Waiting>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn travelling<T>(outcome: Result<T>) -> Result<T, TaskError> {
    outcome.map_err(|error| TaskError::from(&error))
}

impl From<JobResult> for Ended {
    fn from(result: JobResult) -> Self {
        let JobResult { job, name, state, error, operators } = result;
        Self { job, name, state, error: error.as_ref().map(TaskError::from), operators }
    }
}

impl From<Ended> for JobResult {
    fn from(ended: Ended) -> Self {
        let Ended { job, name, state, error, operators } = ended;
        Self { job, name, state, error: error.map(Error::from), operators }
    }
}

impl From<JobStatus> for Status {
    fn from(status: JobStatus) -> Self {
        let JobStatus { job, name, state, tasks, restarts, restart_cause, restart_delay_ms, waits_for } = status;
        let restart_cause = restart_cause.as_ref().map(TaskError::from);
        Self { job, name, state, tasks, restarts, restart_cause, restart_delay_ms, waits_for }
    }
}

impl From<Status> for JobStatus {
    fn from(status: Status) -> Self {
        let Status { job, name, state, tasks, restarts, restart_cause, restart_delay_ms, waits_for } = status;
        let restart_cause = restart_cause.map(Error::from);
        Self { job, name, state, tasks, restarts, restart_cause, restart_delay_ms, waits_for }
    }
}
