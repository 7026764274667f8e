//! The messages between JobManager and TaskManager.
//!
//! For every subtask a TaskManager sends, in this order:
//!
//! ```text
//! subtask := Running? ( SplitRequest | Committables | CheckpointAck | CheckpointDeclined | AwaitsCheckpoint )* Finished
//! ```
//!
//! and answers every `Deploy` with the reports of its subtasks, or with one `DeployFailed`. Reports carry the attempt
//! of the deployment, so that those of an earlier one, which may still be under way, are told apart.
//!
//! A `TriggerCheckpoint` is answered by one `CheckpointAck` or `CheckpointDeclined` of every subtask, unless it has
//! finished. Acknowledgements name bytes that are in storage.
//!
//! Any message about checkpoints may get lost. `Finished` says up to which checkpoint the subtask took part, so that a
//! lost acknowledgement is not taken for an end before the barrier. An `AbortCheckpoint` of a savepoint that stops the
//! job is repeated until `CheckpointAborted` answers it, and its `CompleteCheckpoint` until the tasks have ended, because
//! they stand still behind it.

mod error;

pub use error::TaskError;

use crate::inspect::{Inspected, Inspection};
use headwater_checkpoint::assemble::SubtaskPart;
use headwater_checkpoint::compact::Merge;
use headwater_checkpoint::coordinator::AckStatistics;
use headwater_checkpoint::{Run, SubtaskRestore};
use headwater_connector_api::{Split, SplitAssignment};
use headwater_exchange::Barrier;
use headwater_runtime::OperatorSnapshot;
use headwater_types::ids::{JobId, SubtaskId};
use headwater_types::{Error, ErrorKind, Result};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::sync::mpsc::SyncSender;

/// What a JobManager tells a TaskManager.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum ToTaskManager {
    /// Run these subtasks of a plan.
    Deploy {
        /// The job.
        job: JobId,
        /// How often parts of the job were started before.
        attempt: u32,
        /// The encoded job graph.
        plan: Vec<u8>,
        /// The subtasks to run here.
        subtasks: Vec<SubtaskId>,
        /// Where the other subtasks of their regions run: the exchange addresses of other TaskManagers.
        peers: Vec<(SubtaskId, String)>,
        /// Where checkpoints go.
        checkpoints: CheckpointTarget,
        /// What the subtasks start with; `None` starts them anew.
        restore: Option<Restore>,
    },
    /// End these subtasks now, without output.
    Cancel {
        /// The job.
        job: JobId,
        /// The subtasks.
        subtasks: Vec<SubtaskId>,
    },
    /// End the job's sources as if their input had ended.
    Stop {
        /// The job.
        job: JobId,
    },
    /// The answer to a [`FromTaskManager::SplitRequest`].
    AssignSplit {
        /// The job.
        job: JobId,
        /// Who asked.
        subtask: SubtaskId,
        /// The answer.
        answer: SplitAnswer,
    },
    /// Take part in a checkpoint.
    TriggerCheckpoint {
        /// The job.
        job: JobId,
        /// The barrier to send.
        barrier: Barrier,
    },
    /// The checkpoint will not complete. Answered by [`FromTaskManager::CheckpointAborted`].
    AbortCheckpoint {
        /// The job.
        job: JobId,
        /// Its number.
        checkpoint: u64,
        /// Returned with the answer.
        session: u64,
    },
    /// The checkpoint is complete.
    CompleteCheckpoint {
        /// The job.
        job: JobId,
        /// Its number.
        checkpoint: u64,
    },
    /// A checkpoint is complete: of the local copies of state up to it, these are needed. May get lost: the next one
    /// says it again.
    KeepCopies {
        /// The job.
        job: JobId,
        /// Number of the checkpoint.
        checkpoint: u64,
        /// The files, relative to the job's directory.
        needed: BTreeSet<String>,
    },
    /// These are the jobs there are: of others, nothing need be kept.
    Retain {
        /// The jobs.
        jobs: BTreeSet<JobId>,
    },
    /// Merge runs of a table.
    MergeRuns {
        /// The job.
        job: JobId,
        /// Returned with the answer.
        request: u64,
        /// What to merge.
        merge: Merge,
        /// The file to write.
        file: String,
    },
    /// Send the present counters of the job's operators.
    ReportMetrics {
        /// The job.
        job: JobId,
        /// Returned with the report.
        request: u64,
        /// Returned with the report.
        session: u64,
    },
    /// The job is over: forget it.
    Release {
        /// The job.
        job: JobId,
    },
}

/// Where the checkpoints of a job go.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CheckpointTarget {
    /// URI of the job's own directory.
    pub uri: String,
    /// Opaque values up to this size are sent with the acknowledgement; larger ones go to storage.
    pub inline_bytes: u64,
}

/// The checkpoint that subtasks start from.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Restore {
    /// Its number.
    pub checkpoint: u64,
    /// URI that the places of its state are relative to.
    pub uri: String,
    /// What each subtask starts with.
    pub subtasks: Vec<(SubtaskId, SubtaskRestore)>,
    /// What to do when its files turn out to be damaged; for error messages.
    pub advice: String,
}

/// What a TaskManager tells its JobManager.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum FromTaskManager {
    /// The subtasks could not be deployed; none of them runs.
    DeployFailed {
        /// The job.
        job: JobId,
        /// The attempt.
        attempt: u32,
        /// The subtasks.
        subtasks: Vec<SubtaskId>,
        /// Why.
        error: TaskError,
    },
    /// A subtask built its operators and runs.
    Running {
        /// The job.
        job: JobId,
        /// The attempt.
        attempt: u32,
        /// The subtask.
        subtask: SubtaskId,
    },
    /// A source subtask has no split left.
    SplitRequest {
        /// The job.
        job: JobId,
        /// The attempt.
        attempt: u32,
        /// Who asks.
        subtask: SubtaskId,
    },
    /// A sink subtask staged these for the committer.
    Committables {
        /// The job.
        job: JobId,
        /// The attempt.
        attempt: u32,
        /// The sink subtask.
        subtask: SubtaskId,
        /// What was staged, encoded by the connector.
        committables: Vec<Vec<u8>>,
    },
    /// The part of a subtask in a checkpoint is in storage.
    CheckpointAck {
        /// The job.
        job: JobId,
        /// The attempt.
        attempt: u32,
        /// The subtask.
        subtask: SubtaskId,
        /// Number of the checkpoint.
        checkpoint: u64,
        /// The part.
        part: Box<SubtaskPart>,
        /// How it went.
        statistics: AckStatistics,
    },
    /// A subtask will not hand over its part.
    CheckpointDeclined {
        /// The job.
        job: JobId,
        /// The attempt.
        attempt: u32,
        /// The subtask.
        subtask: SubtaskId,
        /// Number of the checkpoint.
        checkpoint: u64,
        /// Why.
        reason: TaskError,
    },
    /// A subtask has processed all of its input and ends when a checkpoint that is triggered from now on completes.
    AwaitsCheckpoint {
        /// The job.
        job: JobId,
        /// The attempt.
        attempt: u32,
        /// The subtask.
        subtask: SubtaskId,
    },
    /// The tasks here have been told that a checkpoint will not complete.
    CheckpointAborted {
        /// The job.
        job: JobId,
        /// Its number.
        checkpoint: u64,
        /// That of the message.
        session: u64,
    },
    /// Runs were merged, or could not be.
    Merged {
        /// The job.
        job: JobId,
        /// The number of the request.
        request: u64,
        /// The merged run.
        outcome: Result<Run, TaskError>,
    },
    /// A subtask ended. Its last message.
    Finished {
        /// The job.
        job: JobId,
        /// The attempt.
        attempt: u32,
        /// The subtask.
        subtask: SubtaskId,
        /// How it ended.
        outcome: Outcome,
        /// The last checkpoint that it took part in or declined; 0 when there was none.
        last_checkpoint: u64,
        /// The final counters of its operators.
        metrics: Vec<OperatorSnapshot>,
    },
    /// The present counters of the job's operators.
    Metrics {
        /// The job.
        job: JobId,
        /// The number of the request.
        request: u64,
        /// That of the message.
        session: u64,
        /// The counters of all subtasks that run here.
        metrics: Vec<OperatorSnapshot>,
    },
}

/// How a subtask ended.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Outcome {
    /// It processed all of its input.
    Finished,
    /// It was told to.
    Cancelled,
    /// It failed.
    Failed(TaskError),
}

impl From<Result<()>> for Outcome {
    fn from(result: Result<()>) -> Self {
        match result {
            Ok(()) => Self::Finished,
            Err(error) if error.kind() == ErrorKind::Cancelled => Self::Cancelled,
            Err(error) => Self::Failed(TaskError::from(&error)),
        }
    }
}

/// The answer to a split request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum SplitAnswer {
    /// Read this.
    Split(Vec<u8>),
    /// Ask again after this many milliseconds.
    Wait(u64),
    /// There will never be more.
    NoMoreSplits,
}

impl From<SplitAssignment> for SplitAnswer {
    fn from(assignment: SplitAssignment) -> Self {
        match assignment {
            SplitAssignment::Split(Split(bytes)) => Self::Split(bytes),
            SplitAssignment::Wait(wait_ms) => Self::Wait(wait_ms),
            SplitAssignment::NoMoreSplits => Self::NoMoreSplits,
        }
    }
}

impl From<SplitAnswer> for SplitAssignment {
    fn from(answer: SplitAnswer) -> Self {
        match answer {
            SplitAnswer::Split(bytes) => Self::Split(Split(bytes)),
            SplitAnswer::Wait(wait_ms) => Self::Wait(wait_ms),
            SplitAnswer::NoMoreSplits => Self::NoMoreSplits,
        }
    }
}

/// The way to a JobManager.
pub trait JobManagerGateway: Send + Sync {
    /// Sends a message. May wait for a moment, must not fail: a JobManager that is gone ends its tasks anyway.
    fn send(&self, message: FromTaskManager);
}

/// The way to a TaskManager.
pub trait TaskManagerGateway: Send + Sync {
    /// Sends a message without waiting.
    ///
    /// # Errors
    /// When the TaskManager is gone or does not keep up.
    fn send(&self, message: ToTaskManager) -> Result<()>;

    /// Looks into the process, without waiting. The answer comes by `reply`; never, when the TaskManager goes.
    ///
    /// # Errors
    /// When the TaskManager is gone, does not keep up, or is no process.
    fn inspect(&self, what: Inspection, reply: SyncSender<Inspected>) -> Result<()> {
        let _ = (what, reply);
        Err(Error::unsupported("this TaskManager cannot be looked into"))
    }
}

#[cfg(test)]
mod tests;
