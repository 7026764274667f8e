//! The messages between JobManager and TaskManager.
//!
//! For every subtask a TaskManager sends, in this order:
//!
//! ```text
//! subtask := Running? ( SplitRequest | Committables )* Finished
//! ```
//!
//! and answers every `Deploy` with the reports of its subtasks, or with one `DeployFailed`.

use headwater_connector_api::{Split, SplitAssignment};
use headwater_runtime::OperatorSnapshot;
use headwater_types::ids::{JobId, SubtaskId};
use headwater_types::{Error, ErrorKind, Result};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};

/// What a JobManager tells a TaskManager.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum ToTaskManager {
    /// Run these subtasks of a plan.
    Deploy {
        /// The job.
        job: JobId,
        /// How often the job was started before.
        attempt: u32,
        /// The encoded job graph.
        plan: Vec<u8>,
        /// The subtasks to run here.
        subtasks: Vec<SubtaskId>,
    },
    /// End the job's subtasks now, without output.
    Cancel {
        /// The job.
        job: JobId,
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
    /// Send the present counters of the job's operators.
    ReportMetrics {
        /// The job.
        job: JobId,
        /// Returned with the report.
        request: u64,
    },
    /// The job is over: forget it.
    Release {
        /// The job.
        job: JobId,
    },
}

/// What a TaskManager tells its JobManager.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum FromTaskManager {
    /// The subtasks could not be deployed; none of them runs.
    DeployFailed {
        /// The job.
        job: JobId,
        /// Why.
        error: TaskError,
    },
    /// A subtask built its operators and runs.
    Running {
        /// The job.
        job: JobId,
        /// The subtask.
        subtask: SubtaskId,
    },
    /// A source subtask has no split left.
    SplitRequest {
        /// The job.
        job: JobId,
        /// Who asks.
        subtask: SubtaskId,
    },
    /// A sink subtask staged these for the committer.
    Committables {
        /// The job.
        job: JobId,
        /// The sink subtask.
        subtask: SubtaskId,
        /// What was staged, encoded by the connector.
        committables: Vec<Vec<u8>>,
    },
    /// A subtask ended. Its last message.
    Finished {
        /// The job.
        job: JobId,
        /// The subtask.
        subtask: SubtaskId,
        /// How it ended.
        outcome: Outcome,
        /// The final counters of its operators.
        metrics: Vec<OperatorSnapshot>,
    },
    /// The present counters of the job's operators.
    Metrics {
        /// The job.
        job: JobId,
        /// The number of the request.
        request: u64,
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

/// An error that travels. Underlying causes become part of the message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TaskError {
    kind: Kind,
    code: String,
    message: String,
}

/// [`ErrorKind`] as it travels.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
enum Kind {
    Retryable,
    User,
    Corruption,
    Fenced,
    Cancelled,
    Unsupported,
    Internal,
}

/// Both names of each kind, for both directions.
const KINDS: [(Kind, ErrorKind); 7] = [
    (Kind::Retryable, ErrorKind::Retryable),
    (Kind::User, ErrorKind::User),
    (Kind::Corruption, ErrorKind::Corruption),
    (Kind::Fenced, ErrorKind::Fenced),
    (Kind::Cancelled, ErrorKind::Cancelled),
    (Kind::Unsupported, ErrorKind::Unsupported),
    (Kind::Internal, ErrorKind::Internal),
];

impl From<&Error> for TaskError {
    fn from(error: &Error) -> Self {
        let mut message = error.message().to_owned();
        let mut cause = std::error::Error::source(error);
        while let Some(source) = cause {
            let text = source.to_string();
            // Messages for people often end with their cause already.
            if !message.contains(&text) {
                message.push_str(": ");
                message.push_str(&text);
            }
            cause = source.source();
        }
        let kind = KINDS.iter().find(|(_, kind)| *kind == error.kind()).map_or(Kind::Internal, |(kind, _)| *kind);
        Self { kind, code: error.code().to_owned(), message }
    }
}

impl From<TaskError> for Error {
    fn from(error: TaskError) -> Self {
        let kind = KINDS.iter().find(|(kind, _)| *kind == error.kind).map_or(ErrorKind::Internal, |(_, kind)| *kind);
        Error::new(kind, intern(&error.code), error.message)
    }
}

/// Codes that arrived from elsewhere. Codes are constants of the code base, so there are few; a sender that
/// makes them up gets a common one.
fn intern(code: &str) -> &'static str {
    const CODES_MAX: usize = 1024;
    static CODES: Mutex<BTreeSet<&'static str>> = Mutex::new(BTreeSet::new());
    let mut codes = CODES.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(known) = codes.get(code) {
        return known;
    }
    if codes.len() >= CODES_MAX {
        return "task-failed";
    }
    let leaked: &'static str = Box::leak(code.to_owned().into_boxed_str());
    codes.insert(leaked);
    leaked
}

/// The way to a JobManager.
pub trait JobManagerGateway: Send + Sync {
    /// Sends a message. May wait for a moment, must not fail: a JobManager that is gone ends its tasks anyway.
    fn send(&self, message: FromTaskManager);
}

#[cfg(test)]
mod tests;
