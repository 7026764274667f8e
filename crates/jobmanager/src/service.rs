//! The service: one thread that handles requests and reports.

mod core;
mod ended;
mod leaving;
mod overview;
mod recover;
mod rescale;
mod submit;

pub use core::Core;

use crate::archive::Archive;
use crate::ha::{JobRecord, Records};
use crate::job::{Request, RequestKind, Stored};
use crate::locate::Origin;
use crate::overview::{JobDetails, JobSummary, ListedJob};
use crate::rescale::{Requirements, Rescale};
use crate::sinks::Sinks;
use crate::state::{JobResult, JobState, JobStatus};
use crate::task_managers::{SessionId, TaskManagerInfo, TaskManagerStatus};
use headwater_checkpoint::{Kind, Manifest, Statistics};
use headwater_connector_api::Registry;
use headwater_env::{Env, StorageProvider};
use headwater_plan::JobGraph;
use headwater_runtime::OperatorSnapshot;
use headwater_taskmanager::{FromTaskManager, Inspected, Inspection, JobManagerGateway, TaskManagerGateway};
use headwater_types::config::Configuration;
use headwater_types::ids::{JobId, SubtaskId};
use headwater_types::{Error, Result};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, TryRecvError, sync_channel};
use std::thread::JoinHandle;
use submit::Submission;

/// How to build a JobManager.
#[derive(Clone)]
pub struct Options {
    /// Clock and randomness.
    pub env: Env,
    /// Makes enumerators and committers.
    pub registry: Registry,
    /// Defaults under the configuration of every job.
    pub config: Configuration,
    /// Opens checkpoint storage.
    pub storage: Arc<dyn StorageProvider>,
    /// Where jobs are kept that outlive the JobManager; `None` where they end with it.
    pub records: Option<Records>,
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
    /// Number of the last session.
    sessions: Arc<AtomicU64>,
}

/// Follows one job.
#[derive(Clone)]
pub struct JobHandle {
    job: JobId,
    name: String,
    manager: Handle,
}

/// An answer that may not be there yet.
pub struct Pending<T>(Receiver<T>);

impl<T> Pending<T> {
    /// The answer, once; `None` while it is not there, an error when it will never be.
    ///
    /// # Errors
    /// When the JobManager has ended or forgotten the job.
    pub fn take(&self) -> Result<Option<T>> {
        match self.0.try_recv() {
            Ok(answer) => Ok(Some(answer)),
            Err(TryRecvError::Empty) => Ok(None),
            Err(TryRecvError::Disconnected) => Err(gone()),
        }
    }
}

/// Everything that arrives at the service.
pub(crate) enum Inbound {
    Register {
        session: SessionId,
        info: TaskManagerInfo,
        gateway: Arc<dyn TaskManagerGateway>,
    },
    TaskManagerLost {
        session: SessionId,
        reason: String,
    },
    TaskManagerLeaves {
        session: SessionId,
    },
    TaskManagers {
        reply: SyncSender<Vec<TaskManagerStatus>>,
    },
    Inspect {
        task_manager: String,
        what: Inspection,
        reply: SyncSender<Inspected>,
    },
    /// A question to a part of a running task.
    Coordinate {
        job: JobId,
        subtask: SubtaskId,
        target: String,
        request: Vec<u8>,
        reply: SyncSender<Inspected>,
    },
    Submit {
        plan: Vec<u8>,
        reply: SyncSender<Result<JobId>>,
    },
    Cancel(JobId),
    Stop(JobId),
    Wait {
        job: JobId,
        reply: SyncSender<JobResult>,
    },
    Metrics {
        job: JobId,
        reply: SyncSender<Vec<OperatorSnapshot>>,
    },
    Status {
        job: JobId,
        reply: SyncSender<JobStatus>,
    },
    Jobs {
        reply: SyncSender<Vec<JobSummary>>,
    },
    List {
        reply: SyncSender<Vec<ListedJob>>,
    },
    Details {
        job: JobId,
        reply: SyncSender<Option<JobDetails>>,
    },
    Report(FromTaskManager),
    Checkpoint {
        job: JobId,
        request: Request,
    },
    Statistics {
        job: JobId,
        reply: SyncSender<Statistics>,
    },
    Requirements {
        job: JobId,
        reply: SyncSender<Option<Requirements>>,
    },
    SetRequirements {
        job: JobId,
        asked: Requirements,
        reply: SyncSender<Result<()>>,
    },
    Rescales {
        job: JobId,
        reply: SyncSender<Vec<Rescale>>,
    },
    /// The jobs of an earlier JobManager.
    Recovered {
        outcome: Result<(Vec<JobRecord>, Vec<JobId>)>,
    },
    /// A job that ended under an earlier JobManager, and its encoded plan; `None` behind the last one.
    Remembered {
        ended: Option<(JobId, Box<Archive>, Vec<u8>)>,
    },
    Accepted {
        submission: Box<Submission>,
        outcome: Result<()>,
    },
    /// Another JobManager leads.
    Deposed(Error),
    Located {
        submission: Box<Submission>,
        outcome: Result<Origin>,
    },
    Adopted {
        job: JobId,
        outcome: Result<Box<Manifest>>,
    },
    Stored {
        job: JobId,
        checkpoint: u64,
        kind: Kind,
        request: Option<Request>,
        outcome: Result<(Box<Manifest>, String)>,
    },
    Committed {
        job: JobId,
        checkpoint: u64,
        sinks: Sinks,
        outcome: Result<()>,
    },
    Finished {
        job: JobId,
        sinks: Sinks,
        outcome: Result<()>,
    },
    Aborted {
        job: JobId,
    },
    Shutdown,
}

impl Options {
    /// Starts a JobManager.
    pub fn start(self) -> Result<JobManager> {
        let mut core = Core::new(self);
        core.recover();
        let handle = core.handle();
        let thread = std::thread::Builder::new()
            .name("jobmanager".to_owned())
            .stack_size(headwater_plan::codec::PLAN_STACK_BYTES)
            .spawn(move || core.run())
            .map_err(|e| Error::retryable("no-thread", "the JobManager could not be started").with_source(e))?;
        Ok(JobManager { handle, thread: Some(thread) })
    }
}

impl JobManager {
    /// A handle to submit jobs by.
    pub fn handle(&self) -> Handle {
        self.handle.clone()
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

    /// Submits a job; what becomes of it is told later.
    ///
    /// # Errors
    /// When the job cannot be encoded, or the JobManager has ended.
    pub fn request_submit(&self, graph: &JobGraph) -> Result<Pending<Result<JobId>>> {
        let plan = headwater_plan::encode(graph)?;
        self.request(|reply| Inbound::Submit { plan, reply })
    }

    /// Follows a job that was submitted.
    pub fn job(&self, job: JobId, name: &str) -> JobHandle {
        JobHandle { job, name: name.to_owned(), manager: self.clone() }
    }

    /// Where TaskManagers report.
    pub fn gateway(&self) -> Arc<dyn JobManagerGateway> {
        Arc::new(Gateway { inbox: self.inbox.clone() })
    }

    /// Adds a TaskManager. One of the same id that is there already is taken for lost.
    ///
    /// # Errors
    /// When the JobManager has ended.
    pub fn register(&self, info: TaskManagerInfo, gateway: Arc<dyn TaskManagerGateway>) -> Result<SessionId> {
        let session = SessionId(self.sessions.fetch_add(1, Ordering::Relaxed) + 1);
        self.send(Inbound::Register { session, info, gateway })?;
        Ok(session)
    }

    /// Tells that a TaskManager is gone, and with it the tasks that ran there.
    ///
    /// # Errors
    /// When the JobManager has ended.
    pub fn task_manager_lost(&self, session: SessionId, reason: &str) -> Result<()> {
        self.send(Inbound::TaskManagerLost { session, reason: reason.to_owned() })
    }

    /// Tells that a TaskManager is about to end: its tasks are to go on elsewhere, from a checkpoint that is taken now
    /// where that is possible. Its gateway is dropped when it may go.
    ///
    /// # Errors
    /// When the JobManager has ended.
    pub fn task_manager_leaves(&self, session: SessionId) -> Result<()> {
        self.send(Inbound::TaskManagerLeaves { session })
    }

    /// Takes a report of a TaskManager.
    ///
    /// # Errors
    /// When the JobManager has ended.
    pub fn report(&self, message: FromTaskManager) -> Result<()> {
        self.send(Inbound::Report(message))
    }

    /// The registered TaskManagers.
    ///
    /// # Errors
    /// When the JobManager has ended.
    pub fn task_managers(&self) -> Result<Vec<TaskManagerStatus>> {
        self.ask(|reply| Inbound::TaskManagers { reply })
    }

    /// A handle on another inbox.
    pub(crate) fn of(inbox: SyncSender<Inbound>) -> Self {
        Self { inbox, sessions: Arc::default() }
    }

    pub(crate) fn send(&self, message: Inbound) -> Result<()> {
        self.inbox.send(message).map_err(|_| gone())
    }

    fn ask<T>(&self, message: impl FnOnce(SyncSender<T>) -> Inbound) -> Result<T> {
        self.request(message)?.0.recv().map_err(|_| gone())
    }

    pub(crate) fn request<T>(&self, message: impl FnOnce(SyncSender<T>) -> Inbound) -> Result<Pending<T>> {
        let (reply, answer) = sync_channel(1);
        self.send(message(reply))?;
        Ok(Pending(answer))
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

    /// Asks how the job ends, without waiting.
    ///
    /// # Errors
    /// When the JobManager has ended.
    pub fn request_result(&self) -> Result<Pending<JobResult>> {
        self.manager.request(|reply| Inbound::Wait { job: self.job, reply })
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

    /// Takes a checkpoint now and waits for it.
    ///
    /// # Errors
    /// When it fails, with the reason, or the job does not run.
    pub fn trigger_checkpoint(&self) -> Result<Stored> {
        self.checkpoint(RequestKind::Checkpoint)
    }

    /// Takes a savepoint into a new directory below `directory`, or below the configured one, and waits for it; the
    /// job goes on.
    ///
    /// # Errors
    /// When it fails, with the reason, or the job does not run.
    pub fn trigger_savepoint(&self, directory: Option<&str>) -> Result<String> {
        let directory = directory.map(str::to_owned);
        Ok(self.checkpoint(RequestKind::Savepoint { directory })?.path)
    }

    /// Takes a savepoint and ends the job behind it; waits for the savepoint, not for the end. With `drain` all
    /// sources end first and all windows fire: for jobs that will not go on.
    ///
    /// # Errors
    /// When the savepoint fails, with the reason; the job then goes on.
    pub fn stop_with_savepoint(&self, directory: Option<&str>, drain: bool) -> Result<String> {
        let directory = directory.map(str::to_owned);
        Ok(self.checkpoint(RequestKind::Stop { directory, drain })?.path)
    }

    /// Asks for a checkpoint without waiting for it.
    ///
    /// # Errors
    /// When the JobManager has ended.
    pub fn request_checkpoint(&self, kind: RequestKind) -> Result<Pending<Result<Stored>>> {
        self.manager.request(|reply| Inbound::Checkpoint { job: self.job, request: Request { kind, reply } })
    }

    fn checkpoint(&self, kind: RequestKind) -> Result<Stored> {
        self.request_checkpoint(kind)?.0.recv().map_err(|_| gone())?
    }

    /// Counters and history of the job's checkpoints.
    pub fn checkpoints(&self) -> Result<Statistics> {
        self.manager.ask(|reply| Inbound::Statistics { job: self.job, reply })
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
