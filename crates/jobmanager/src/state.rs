//! What a client learns of a job.

use headwater_runtime::OperatorSnapshot;
use headwater_types::ids::{JobId, SubtaskId, VertexId};
use headwater_types::{Error, Result};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fmt;

/// State of a job, with Flink's names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum JobState {
    /// Accepted, not deployed yet.
    Created,
    /// Its tasks are deployed.
    Running,
    /// A task failed; its region is being started again from the last checkpoint.
    Restarting,
    /// A task failed; the others are being cancelled.
    Failing,
    /// It failed; final.
    Failed,
    /// It is being cancelled.
    Cancelling,
    /// It was cancelled; final.
    Canceled,
    /// All input was processed and everything committed; final.
    Finished,
}

impl JobState {
    /// Whether nothing follows.
    pub fn is_final(self) -> bool {
        matches!(self, Self::Failed | Self::Canceled | Self::Finished)
    }

    /// Whether it runs, or will again.
    pub fn is_active(self) -> bool {
        matches!(self, Self::Running | Self::Restarting)
    }
}

impl fmt::Display for JobState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Created => "CREATED",
            Self::Running => "RUNNING",
            Self::Restarting => "RESTARTING",
            Self::Failing => "FAILING",
            Self::Failed => "FAILED",
            Self::Cancelling => "CANCELLING",
            Self::Canceled => "CANCELED",
            Self::Finished => "FINISHED",
        })
    }
}

/// State of a subtask, with Flink's names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum TaskState {
    /// Not deployed yet.
    Created,
    /// Sent to a TaskManager.
    Deploying,
    /// It runs.
    Running,
    /// It processed all of its input; final.
    Finished,
    /// It was cancelled; final.
    Canceled,
    /// It failed; final.
    Failed,
}

impl TaskState {
    /// Whether nothing follows.
    pub fn is_final(self) -> bool {
        matches!(self, Self::Finished | Self::Canceled | Self::Failed)
    }
}

/// A job at one moment.
#[derive(Debug, Clone)]
pub struct JobStatus {
    /// The job.
    pub job: JobId,
    /// Its display name.
    pub name: String,
    /// Its state.
    pub state: JobState,
    /// The states of its subtasks.
    pub tasks: BTreeMap<SubtaskId, TaskState>,
    /// How often parts of it were restarted.
    pub restarts: u32,
    /// Why it was restarted last.
    pub restart_cause: Option<Error>,
    /// How long the last restart waits or waited, milliseconds.
    pub restart_delay_ms: i64,
    /// What the job waits for, such as slots.
    pub waits_for: Option<String>,
}

/// How a job ended.
#[derive(Debug, Clone)]
pub struct JobResult {
    /// The job.
    pub job: JobId,
    /// Its display name.
    pub name: String,
    /// Its final state.
    pub state: JobState,
    /// The root cause when it failed: the first failure.
    pub error: Option<Error>,
    /// The final counters of every operator instance.
    pub operators: Vec<OperatorSnapshot>,
}

impl JobResult {
    /// The counters of each operator, summed over its subtasks, in plan order.
    pub fn totals(&self) -> Vec<OperatorTotals> {
        totals(&self.operators)
    }

    /// The result as a `Result`: an error unless the job finished.
    pub fn into_result(self) -> Result<Self> {
        match (self.state, self.error) {
            (JobState::Finished, _) => Ok(Self { error: None, ..self }),
            (_, Some(error)) => Err(error),
            (JobState::Canceled, None) => Err(Error::cancelled()),
            (state, None) => Err(Error::internal(format!("the job '{}' ended {state} without a cause", self.name))),
        }
    }
}

/// The counters of an operator over all of its subtasks.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OperatorTotals {
    /// Its vertex.
    pub vertex: VertexId,
    /// Position in the chain of its vertex.
    pub position: u32,
    /// Stable name within the job.
    pub uid: String,
    /// Display name.
    pub name: String,
    /// Rows received.
    pub rows_in: u64,
    /// Rows emitted.
    pub rows_out: u64,
    /// Rows dropped as late.
    pub late_rows_dropped: u64,
    /// Records that could not be decoded and did not fail the job.
    pub bad_records: u64,
    /// Bytes read from or written to the outside world.
    pub bytes: u64,
    /// The lowest watermark of its subtasks, milliseconds.
    pub watermark: i64,
}

/// Sums the counters of operator instances per operator.
pub fn totals(snapshots: &[OperatorSnapshot]) -> Vec<OperatorTotals> {
    let mut totals: BTreeMap<(VertexId, u32), OperatorTotals> = BTreeMap::new();
    for snapshot in snapshots {
        let key = (snapshot.subtask.vertex, snapshot.position);
        let total = totals.entry(key).or_insert_with(|| OperatorTotals {
            vertex: snapshot.subtask.vertex,
            position: snapshot.position,
            uid: snapshot.uid.clone(),
            name: snapshot.name.clone(),
            rows_in: 0,
            rows_out: 0,
            late_rows_dropped: 0,
            bad_records: 0,
            bytes: 0,
            watermark: i64::MAX,
        });
        total.rows_in += snapshot.rows_in;
        total.rows_out += snapshot.rows_out;
        total.late_rows_dropped += snapshot.late_rows_dropped;
        total.bad_records += snapshot.bad_records;
        total.bytes += snapshot.bytes;
        total.watermark = total.watermark.min(snapshot.watermark);
    }
    totals.into_values().collect()
}
