//! One job on the JobManager: its execution, its connectors, who waits for it.

use crate::execution::{Action, Execution};
use crate::guard::guarded;
use crate::service::Inbound;
use crate::sinks::Sinks;
use crate::splits::Splits;
use crate::state::{JobResult, JobStatus};
use headwater_runtime::OperatorSnapshot;
use headwater_taskmanager::{FromTaskManager, Handle as TaskManager, SplitAnswer, TaskError, ToTaskManager};
use headwater_types::ids::{JobId, SubtaskId};
use headwater_types::{Error, Result};
use std::collections::BTreeMap;
use std::sync::mpsc::SyncSender;

/// Replies to whoever waits.
type Reply<T> = SyncSender<T>;

/// A job.
pub(crate) struct Job {
    id: JobId,
    name: String,
    execution: Execution,
    splits: Splits,
    /// Away while a thread commits or aborts.
    sinks: Option<Sinks>,
    task_manager: TaskManager,
    inbox: SyncSender<Inbound>,
    /// Counters of the tasks that have ended.
    ended: BTreeMap<SubtaskId, Vec<OperatorSnapshot>>,
    /// Waiting for the end.
    waiters: Vec<Reply<JobResult>>,
    /// Waiting for counters, by request number.
    metrics_requests: BTreeMap<u64, Reply<Vec<OperatorSnapshot>>>,
    next_request: u64,
    /// Whether the result may be told: the state is final and the sinks are cleaned up.
    complete: bool,
}

/// The parts a new job is made of.
pub(crate) struct NewJob {
    pub(crate) id: JobId,
    pub(crate) name: String,
    pub(crate) subtasks: Vec<SubtaskId>,
    pub(crate) splits: Splits,
    pub(crate) sinks: Sinks,
    pub(crate) task_manager: TaskManager,
    pub(crate) inbox: SyncSender<Inbound>,
}

impl Job {
    /// Deploys a new job.
    pub(crate) fn deploy(new: NewJob, plan: Vec<u8>) -> Self {
        let mut job = Self {
            id: new.id,
            name: new.name,
            execution: Execution::new(&new.subtasks),
            splits: new.splits,
            sinks: Some(new.sinks),
            task_manager: new.task_manager,
            inbox: new.inbox,
            ended: BTreeMap::new(),
            waiters: vec![],
            metrics_requests: BTreeMap::new(),
            next_request: 0,
            complete: false,
        };
        job.execution.deployed();
        let deploy = ToTaskManager::Deploy { job: job.id, attempt: 0, plan, subtasks: new.subtasks };
        if let Err(error) = job.task_manager.send(deploy) {
            let actions = job.execution.deploy_failed(TaskError::from(&error));
            job.act(actions);
        }
        job
    }

    /// Whether the job has ended and its result is known.
    pub(crate) fn is_complete(&self) -> bool {
        self.complete
    }

    /// The job at this moment.
    pub(crate) fn status(&self) -> JobStatus {
        JobStatus {
            job: self.id,
            name: self.name.clone(),
            state: self.execution.state(),
            tasks: self.execution.tasks().clone(),
        }
    }

    /// Takes a report of the TaskManager.
    pub(crate) fn report(&mut self, message: FromTaskManager) {
        let actions = match message {
            FromTaskManager::DeployFailed { error, .. } => self.execution.deploy_failed(error),
            FromTaskManager::Running { subtask, .. } => {
                self.execution.task_running(subtask);
                vec![]
            }
            FromTaskManager::SplitRequest { subtask, .. } => self.assign_split(subtask),
            FromTaskManager::Committables { subtask, committables, .. } => self.stage(subtask, committables),
            FromTaskManager::Finished { subtask, outcome, metrics, .. } => {
                self.ended.insert(subtask, metrics);
                self.execution.task_ended(subtask, outcome)
            }
            FromTaskManager::Metrics { request, metrics, .. } => {
                self.reply_metrics(request, metrics);
                vec![]
            }
        };
        self.act(actions);
    }

    /// A thread has committed.
    pub(crate) fn committed(&mut self, sinks: Sinks, outcome: Result<()>) {
        self.sinks = Some(sinks);
        let actions = self.execution.committed(outcome.map_err(|error| TaskError::from(&error)));
        self.act(actions);
    }

    /// A thread has removed what was staged.
    pub(crate) fn aborted(&mut self) {
        self.complete();
    }

    /// Ends the job without output.
    pub(crate) fn cancel(&mut self) {
        let actions = self.execution.cancel();
        self.act(actions);
    }

    /// Ends the sources of the job.
    pub(crate) fn stop(&mut self) {
        let actions = self.execution.stop();
        self.act(actions);
    }

    /// Replies when the job has ended.
    pub(crate) fn wait(&mut self, reply: Reply<JobResult>) {
        if self.complete {
            let _ = reply.try_send(self.result());
        } else {
            self.waiters.push(reply);
        }
    }

    /// Replies with the counters: the final ones, or those the TaskManager reports.
    pub(crate) fn metrics(&mut self, reply: Reply<Vec<OperatorSnapshot>>) {
        let request = self.next_request;
        self.next_request += 1;
        let report = ToTaskManager::ReportMetrics { job: self.id, request };
        if self.complete || self.task_manager.send(report).is_err() {
            let _ = reply.try_send(self.ended.values().flatten().cloned().collect());
        } else {
            self.metrics_requests.insert(request, reply);
        }
    }

    fn result(&self) -> JobResult {
        JobResult {
            job: self.id,
            name: self.name.clone(),
            state: self.execution.state(),
            error: self.execution.failure().cloned().map(Error::from),
            operators: self.ended.values().flatten().cloned().collect(),
        }
    }

    fn reply_metrics(&mut self, request: u64, metrics: Vec<OperatorSnapshot>) {
        if let Some(reply) = self.metrics_requests.remove(&request) {
            let _ = reply.try_send(metrics);
        }
    }

    fn assign_split(&mut self, subtask: SubtaskId) -> Vec<Action> {
        match guarded(|| self.splits.next(subtask)).and_then(|answer| self.send_split(subtask, answer)) {
            Ok(()) => vec![],
            Err(error) => self.execution.fail_job(TaskError::from(&error)),
        }
    }

    fn send_split(&self, subtask: SubtaskId, answer: SplitAnswer) -> Result<()> {
        self.task_manager.send(ToTaskManager::AssignSplit { job: self.id, subtask, answer })
    }

    fn stage(&mut self, subtask: SubtaskId, committables: Vec<Vec<u8>>) -> Vec<Action> {
        let staged = self.sinks.as_mut().map_or(Ok(()), |sinks| sinks.stage(subtask, committables));
        staged.map_or_else(|error| self.execution.fail_job(TaskError::from(&error)), |()| vec![])
    }

    fn act(&mut self, actions: Vec<Action>) {
        let mut aborting = false;
        for action in actions {
            match action {
                Action::CancelTasks => self.tell(ToTaskManager::Cancel { job: self.id }),
                Action::StopSources => self.tell(ToTaskManager::Stop { job: self.id }),
                Action::Commit => self.commit(),
                Action::Abort => aborting = self.abort(),
                // Told when the sinks are cleaned up.
                Action::Complete if aborting => {}
                Action::Complete => self.complete(),
            }
        }
    }

    /// A TaskManager that cannot be reached has no tasks either.
    fn tell(&self, message: ToTaskManager) {
        let _ = self.task_manager.send(message);
    }

    fn commit(&mut self) {
        let mut sinks = match self.sinks.take() {
            Some(sinks) if !sinks.is_empty() => sinks,
            none => return self.committed(none.unwrap_or_default(), Ok(())),
        };
        let (job, inbox) = (self.id, self.inbox.clone());
        let spawned = spawn("commit", move || {
            let outcome = guarded(|| sinks.commit());
            let _ = inbox.send(Inbound::Committed { job, sinks, outcome });
        });
        if let Err(error) = spawned {
            self.committed(Sinks::default(), Err(error));
        }
    }

    /// Starts removing what was staged; whether there is something to wait for.
    fn abort(&mut self) -> bool {
        let Some(mut sinks) = self.sinks.take().filter(|sinks| !sinks.is_empty()) else { return false };
        let (job, inbox) = (self.id, self.inbox.clone());
        let spawned = spawn("abort", move || {
            // Litter that cannot be removed does not change how the job ended.
            let _ = guarded(|| sinks.abort());
            let _ = inbox.send(Inbound::Aborted { job });
        });
        spawned.is_ok()
    }

    fn complete(&mut self) {
        self.complete = true;
        self.tell(ToTaskManager::Release { job: self.id });
        let result = self.result();
        for waiter in self.waiters.drain(..) {
            let _ = waiter.try_send(result.clone());
        }
        for (_, reply) in std::mem::take(&mut self.metrics_requests) {
            let _ = reply.try_send(result.operators.clone());
        }
    }
}

/// Runs what may take long on a thread of its own.
fn spawn(name: &str, work: impl FnOnce() + Send + 'static) -> Result<()> {
    let spawned = std::thread::Builder::new().name(name.to_owned()).spawn(work);
    spawned.map(drop).map_err(|e| Error::retryable("no-thread", "a thread could not be started").with_source(e))
}
