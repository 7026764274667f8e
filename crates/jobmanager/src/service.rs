//! The service: one thread that handles requests and reports.

use crate::guard::guarded;
use crate::job::{Job, NewJob};
use crate::limits;
use crate::sinks::Sinks;
use crate::splits::Splits;
use crate::state::{JobResult, JobState, JobStatus};
use headwater_connector_api::Registry;
use headwater_env::Env;
use headwater_plan::JobGraph;
use headwater_runtime::{Deployment, OperatorSnapshot};
use headwater_taskmanager::{FromTaskManager, Handle as TaskManager, JobManagerGateway};
use headwater_types::config::Configuration;
use headwater_types::ids::JobId;
use headwater_types::{Error, Result};
use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::JoinHandle;

/// Messages that may wait for the JobManager. It never waits for others, so senders wait for a moment only.
const INBOX_MESSAGES: usize = 512;
/// Ended jobs whose results are kept.
const HISTORY_JOBS: usize = 64;

/// How to build a JobManager.
#[derive(Clone)]
pub struct Options {
    /// Clock and randomness.
    pub env: Env,
    /// Makes enumerators and committers.
    pub registry: Registry,
    /// Defaults under the configuration of every job.
    pub config: Configuration,
}

/// A running JobManager. Dropping it ends its thread, not its jobs' tasks.
pub struct JobManager {
    handle: Handle,
    thread: Option<JoinHandle<()>>,
}

/// Submits and finds jobs.
#[derive(Clone)]
pub struct Handle {
    inbox: SyncSender<Inbound>,
}

/// Follows one job.
#[derive(Clone)]
pub struct JobHandle {
    job: JobId,
    name: String,
    manager: Handle,
}

/// Everything that arrives at the service.
pub(crate) enum Inbound {
    Register(TaskManager),
    Submit { plan: Vec<u8>, reply: SyncSender<Result<JobId>> },
    Cancel(JobId),
    Stop(JobId),
    Wait { job: JobId, reply: SyncSender<JobResult> },
    Metrics { job: JobId, reply: SyncSender<Vec<OperatorSnapshot>> },
    Status { job: JobId, reply: SyncSender<JobStatus> },
    Report(FromTaskManager),
    Committed { job: JobId, sinks: Sinks, outcome: Result<()> },
    Aborted { job: JobId },
    Shutdown,
}

impl Options {
    /// Starts a JobManager.
    pub fn start(self) -> Result<JobManager> {
        let (inbox, messages) = sync_channel(INBOX_MESSAGES);
        let worker = Worker {
            options: self,
            inbox: inbox.clone(),
            task_manager: None,
            jobs: BTreeMap::new(),
            history: VecDeque::new(),
        };
        let thread = std::thread::Builder::new()
            .name("jobmanager".to_owned())
            .stack_size(headwater_plan::codec::PLAN_STACK_BYTES)
            .spawn(move || worker.run(&messages))
            .map_err(|e| Error::retryable("no-thread", "the JobManager could not be started").with_source(e))?;
        Ok(JobManager { handle: Handle { inbox }, thread: Some(thread) })
    }
}

impl JobManager {
    /// A handle to submit jobs by.
    pub fn handle(&self) -> Handle {
        self.handle.clone()
    }

    /// Where TaskManagers report.
    pub fn gateway(&self) -> Arc<dyn JobManagerGateway> {
        Arc::new(Gateway { inbox: self.handle.inbox.clone() })
    }

    /// Adds the TaskManager that runs the jobs.
    pub fn register(&self, task_manager: TaskManager) -> Result<()> {
        self.handle.send(Inbound::Register(task_manager))
    }
}

impl Drop for JobManager {
    fn drop(&mut self) {
        let _ = self.handle.inbox.send(Inbound::Shutdown);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

struct Gateway {
    inbox: SyncSender<Inbound>,
}

impl JobManagerGateway for Gateway {
    fn send(&self, message: FromTaskManager) {
        // A JobManager that has ended needs no reports.
        let _ = self.inbox.send(Inbound::Report(message));
    }
}

impl Handle {
    /// Submits a job and returns when it is deployed.
    ///
    /// # Errors
    /// When a source or sink of the job cannot be set up.
    pub fn submit(&self, graph: &JobGraph) -> Result<JobHandle> {
        let plan = headwater_plan::encode(graph)?;
        let job = self.ask(|reply| Inbound::Submit { plan, reply })??;
        Ok(JobHandle { job, name: graph.name.clone(), manager: self.clone() })
    }

    fn send(&self, message: Inbound) -> Result<()> {
        self.inbox.send(message).map_err(|_| gone())
    }

    fn ask<T>(&self, message: impl FnOnce(SyncSender<T>) -> Inbound) -> Result<T> {
        let (reply, answer) = sync_channel(1);
        self.send(message(reply))?;
        answer.recv().map_err(|_| gone())
    }
}

fn gone() -> Error {
    Error::new(
        headwater_types::ErrorKind::Cancelled,
        "jobmanager-gone",
        "the JobManager has ended or forgotten the job",
    )
}

impl JobHandle {
    /// The job.
    pub fn id(&self) -> JobId {
        self.job
    }

    /// Display name of the job.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Waits for the end of the job.
    pub fn wait(&self) -> JobResult {
        self.manager.ask(|reply| Inbound::Wait { job: self.job, reply }).unwrap_or_else(|error| JobResult {
            job: self.job,
            name: self.name.clone(),
            state: JobState::Failed,
            error: Some(error),
            operators: vec![],
        })
    }

    /// Ends the job now, without output. Returns at once; [`JobHandle::wait`] waits for the end.
    pub fn cancel(&self) {
        let _ = self.manager.send(Inbound::Cancel(self.job));
    }

    /// Ends the job's sources and lets it finish: what was read is processed, and sinks commit. Returns at once.
    pub fn stop(&self) {
        let _ = self.manager.send(Inbound::Stop(self.job));
    }

    /// The present counters of all operator instances.
    pub fn metrics(&self) -> Result<Vec<OperatorSnapshot>> {
        self.manager.ask(|reply| Inbound::Metrics { job: self.job, reply })
    }

    /// The present state of the job and its subtasks.
    pub fn status(&self) -> Result<JobStatus> {
        self.manager.ask(|reply| Inbound::Status { job: self.job, reply })
    }
}

/// The state of the service's thread.
struct Worker {
    options: Options,
    inbox: SyncSender<Inbound>,
    task_manager: Option<TaskManager>,
    jobs: BTreeMap<JobId, Job>,
    /// Ended jobs, oldest first.
    history: VecDeque<JobId>,
}

impl Worker {
    fn run(mut self, messages: &Receiver<Inbound>) {
        while let Ok(message) = messages.recv() {
            if matches!(message, Inbound::Shutdown) {
                return;
            }
            self.handle(message);
        }
    }

    fn handle(&mut self, message: Inbound) {
        match message {
            Inbound::Register(task_manager) => self.task_manager = Some(task_manager),
            Inbound::Submit { plan, reply } => {
                let _ = reply.try_send(self.submit(&plan));
            }
            Inbound::Cancel(job) => self.with_job(job, Job::cancel),
            Inbound::Stop(job) => self.with_job(job, Job::stop),
            Inbound::Wait { job, reply } => self.with_job(job, |job| job.wait(reply)),
            Inbound::Metrics { job, reply } => self.with_job(job, |job| job.metrics(reply)),
            Inbound::Status { job, reply } => self.with_job(job, |job| {
                let _ = reply.try_send(job.status());
            }),
            Inbound::Report(message) => self.with_job(job_of(&message), |job| job.report(message)),
            Inbound::Committed { job, sinks, outcome } => self.with_job(job, |job| job.committed(sinks, outcome)),
            Inbound::Aborted { job } => self.with_job(job, Job::aborted),
            Inbound::Shutdown => {}
        }
    }

    fn submit(&mut self, plan: &[u8]) -> Result<JobId> {
        let mut graph = headwater_plan::decode(plan)?;
        limits::check(&graph)?;
        let task_manager = self.task_manager.clone();
        let task_manager =
            task_manager.ok_or_else(|| Error::retryable("no-taskmanager", "there is no TaskManager to run the job"))?;
        let mut config = self.options.config.clone();
        config.merge(&graph.config);
        graph.config = config;
        let (registry, env) = (&self.options.registry, &self.options.env);
        let id = JobId(u128::from(env.random_u64()) << 64 | u128::from(env.random_u64()));
        let new = NewJob {
            id,
            name: graph.name.clone(),
            subtasks: Deployment::subtasks(&graph),
            splits: guarded(|| Splits::new(&graph, registry, env))?,
            sinks: guarded(|| Sinks::new(&graph, registry))?,
            task_manager,
            inbox: self.inbox.clone(),
        };
        let plan = headwater_plan::encode(&graph)?;
        self.jobs.insert(id, Job::deploy(new, plan));
        self.remember(id);
        Ok(id)
    }

    /// Calls `f` for a job that exists; a reply to one that was forgotten is dropped, which its asker sees.
    fn with_job(&mut self, id: JobId, f: impl FnOnce(&mut Job)) {
        let Some(job) = self.jobs.get_mut(&id) else { return };
        let before = job.is_complete();
        f(job);
        if !before {
            self.remember(id);
        }
    }

    /// Adds a job that has just ended to the history, and forgets the oldest one beyond its bound.
    fn remember(&mut self, id: JobId) {
        if !self.jobs.get(&id).is_some_and(Job::is_complete) {
            return;
        }
        self.history.push_back(id);
        if self.history.len() > HISTORY_JOBS
            && let Some(oldest) = self.history.pop_front()
        {
            self.jobs.remove(&oldest);
        }
    }
}

fn job_of(message: &FromTaskManager) -> JobId {
    match message {
        FromTaskManager::DeployFailed { job, .. }
        | FromTaskManager::Running { job, .. }
        | FromTaskManager::SplitRequest { job, .. }
        | FromTaskManager::Committables { job, .. }
        | FromTaskManager::Finished { job, .. }
        | FromTaskManager::Metrics { job, .. } => *job,
    }
}
