//! The service: one thread that handles messages; the tasks run on lanes.

use crate::messages::{FromTaskManager, JobManagerGateway, TaskError, ToTaskManager};
use crate::tasks::{JobTasks, Reporter};
use headwater_connector_api::Registry;
use headwater_env::Env;
use headwater_runtime::{Deployment, Lanes, OperatorFactory, RuntimeOptions, Scheduler};
use headwater_types::ids::{JobId, SubtaskId};
use headwater_types::{Error, Result};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::thread::JoinHandle;

/// Messages that may wait for the TaskManager.
const INBOX_MESSAGES: usize = 1024;

/// How to build a TaskManager.
#[derive(Clone)]
pub struct Options {
    /// Number of lanes; 0 means one per available core. Lanes start when there are tasks for them.
    pub lanes: usize,
    /// Clock and randomness.
    pub env: Env,
    /// Makes sources and sinks.
    pub registry: Registry,
    /// Makes operators.
    pub operator_factory: Arc<dyn OperatorFactory>,
}

/// A running TaskManager. Dropping it ends its tasks and threads.
pub struct TaskManager {
    handle: Handle,
    thread: Option<JoinHandle<()>>,
}

/// Sends messages to a TaskManager.
#[derive(Clone)]
pub struct Handle {
    inbox: SyncSender<Inbound>,
}

enum Inbound {
    Message(ToTaskManager),
    Shutdown,
}

impl Options {
    /// Starts a TaskManager that reports to `gateway`.
    pub fn start(self, gateway: Arc<dyn JobManagerGateway>) -> Result<TaskManager> {
        let (inbox, messages) = sync_channel(INBOX_MESSAGES);
        let scheduler = Scheduler::new(self.env.clone());
        let lanes = Lanes::new(scheduler, self.lanes);
        let worker = Worker { options: self, gateway, lanes, jobs: BTreeMap::new() };
        let thread = std::thread::Builder::new()
            .name("taskmanager".to_owned())
            .stack_size(headwater_plan::codec::PLAN_STACK_BYTES)
            .spawn(move || worker.run(&messages))
            .map_err(|e| Error::retryable("no-thread", "the TaskManager could not be started").with_source(e))?;
        Ok(TaskManager { handle: Handle { inbox }, thread: Some(thread) })
    }
}

impl TaskManager {
    /// A handle to send messages by.
    pub fn handle(&self) -> Handle {
        self.handle.clone()
    }
}

impl Drop for TaskManager {
    fn drop(&mut self) {
        let _ = self.handle.inbox.send(Inbound::Shutdown);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

impl Handle {
    /// Sends a message without waiting.
    ///
    /// # Errors
    /// When the TaskManager is gone or does not keep up.
    pub fn send(&self, message: ToTaskManager) -> Result<()> {
        self.inbox.try_send(Inbound::Message(message)).map_err(|error| match error {
            TrySendError::Full(_) => Error::retryable("taskmanager-busy", "the TaskManager does not keep up"),
            TrySendError::Disconnected(_) => Error::retryable("taskmanager-gone", "the TaskManager has ended"),
        })
    }
}

/// The state of the service's thread.
struct Worker {
    options: Options,
    gateway: Arc<dyn JobManagerGateway>,
    lanes: Lanes,
    jobs: BTreeMap<JobId, JobTasks>,
}

impl Worker {
    fn run(mut self, messages: &Receiver<Inbound>) {
        while let Ok(Inbound::Message(message)) = messages.recv() {
            self.handle(message);
        }
        self.jobs.values().for_each(JobTasks::cancel);
    }

    fn handle(&mut self, message: ToTaskManager) {
        match message {
            ToTaskManager::Deploy { job, attempt, plan, subtasks } => {
                if let Err(error) = self.deploy(job, attempt, &plan, &subtasks) {
                    self.gateway.send(FromTaskManager::DeployFailed { job, error: TaskError::from(&error) });
                }
            }
            ToTaskManager::Cancel { job } => self.with_job(job, JobTasks::cancel),
            ToTaskManager::Stop { job } => self.with_job(job, JobTasks::stop),
            ToTaskManager::AssignSplit { job, subtask, answer } => {
                self.with_job(job, |tasks| tasks.assign(subtask, answer));
            }
            ToTaskManager::ReportMetrics { job, request } => {
                let metrics = self.jobs.get(&job).map(JobTasks::metrics).unwrap_or_default();
                self.gateway.send(FromTaskManager::Metrics { job, request, metrics });
            }
            ToTaskManager::Release { job } => drop(self.jobs.remove(&job)),
        }
    }

    fn deploy(&mut self, job: JobId, attempt: u32, plan: &[u8], subtasks: &[SubtaskId]) -> Result<()> {
        let graph = headwater_plan::decode(plan)?;
        if Deployment::subtasks(&graph) != subtasks {
            return Err(Error::unsupported("a job cannot be spread over several TaskManagers yet"));
        }
        let deployment = Deployment {
            options: RuntimeOptions::from_config(&graph.config)?,
            graph: Arc::new(graph),
            execution: format!("{job}-{attempt}"),
            env: self.options.env.clone(),
            registry: self.options.registry.clone(),
            factory: self.options.operator_factory.clone(),
            events: Arc::new(Reporter { job, gateway: self.gateway.clone() }),
        };
        let running = self.jobs.values().map(JobTasks::running).sum();
        self.jobs.insert(job, JobTasks::deploy(&deployment, &self.lanes, running)?);
        Ok(())
    }

    /// Messages about a job that is not here crossed with its end.
    fn with_job(&self, job: JobId, f: impl FnOnce(&JobTasks)) {
        if let Some(tasks) = self.jobs.get(&job) {
            f(tasks);
        }
    }
}
