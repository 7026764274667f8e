//! The documents of the API, with Flink's field names and types.

pub mod checkpoint;
pub mod cluster;
pub mod job;
pub mod metric;
pub mod rescale;
pub mod task_manager;
pub mod vertex;

use serde::{Deserialize, Serialize};

/// `{}`.
#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize)]
pub struct Empty {}

/// Names an operation that was begun.
#[derive(Debug, Clone, Serialize)]
pub struct Triggered {
    /// Its id, to ask for its outcome.
    #[serde(rename = "request-id")]
    pub request_id: String,
}

/// How an operation stands.
#[derive(Debug, Clone, Serialize)]
pub struct OperationStatus<T> {
    /// Whether it has ended.
    pub status: QueueStatus,
    /// Its result, when it has ended.
    pub operation: Option<T>,
}

/// Whether an operation has ended.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct QueueStatus {
    /// `IN_PROGRESS` or `COMPLETED`.
    pub id: &'static str,
}

/// The result of an operation: its place, its number, or why it failed.
#[derive(Debug, Clone, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct OperationResult {
    /// Where a savepoint is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub location: Option<String>,
    /// Number of a checkpoint.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub checkpoint_id: Option<u64>,
    /// Why it failed.
    #[serde(rename = "failure-cause", skip_serializing_if = "Option::is_none")]
    pub failure_cause: Option<FailureCause>,
}

/// Why something failed.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct FailureCause {
    /// The kind of failure.
    pub class: String,
    /// The message.
    pub stack_trace: String,
}

impl QueueStatus {
    /// It goes on, or has ended.
    pub fn of(has_ended: bool) -> Self {
        Self { id: if has_ended { "COMPLETED" } else { "IN_PROGRESS" } }
    }
}
