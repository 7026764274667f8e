//! What happened to the checkpoints of a job: counters and a bounded history.

use serde::{Deserialize, Serialize};
use std::collections::VecDeque;

/// How a checkpoint stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum CheckpointStatus {
    /// Under way.
    InProgress,
    /// Its manifest is written.
    Completed,
    /// It was given up.
    Failed,
}

/// One checkpoint.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CheckpointStatistics {
    /// Its number.
    pub checkpoint: u64,
    /// How it stands.
    pub status: CheckpointStatus,
    /// Whether it is a savepoint.
    pub savepoint: bool,
    /// When it was triggered, milliseconds since the epoch.
    pub triggered_ms: i64,
    /// When the latest subtask reported, if one did.
    pub latest_ack_ms: Option<i64>,
    /// Milliseconds from the trigger until it ended; so far, while it is under way.
    pub duration_ms: i64,
    /// Bytes written for it.
    pub checkpointed_bytes: u64,
    /// Bytes of all state it names; 0 until it is complete.
    pub state_bytes: u64,
    /// Longest alignment of a subtask, milliseconds.
    pub alignment_ms_max: u64,
    /// Longest time a subtask spent handing over its state, microseconds.
    pub sync_us_max: u64,
    /// Bytes of rows that barriers overtook.
    pub overtaken_bytes: u64,
    /// Subtasks that take part.
    pub subtasks: u32,
    /// Subtasks that have reported.
    pub acknowledged: u32,
    /// Why it failed.
    pub failure: Option<String>,
    /// Where it is.
    pub path: Option<String>,
}

/// Numbers of checkpoints.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counts {
    /// Checkpoints that the job was restored from.
    pub restored: u64,
    /// Triggered ones.
    pub total: u64,
    /// Under way.
    pub in_progress: u64,
    /// Completed ones.
    pub completed: u64,
    /// Failed ones.
    pub failed: u64,
}

/// The checkpoints of a job.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Statistics {
    /// Numbers.
    pub counts: Counts,
    /// The latest checkpoints, newest first; those under way are at the front.
    pub history: VecDeque<CheckpointStatistics>,
    /// The latest completed checkpoint that is no savepoint.
    pub latest_completed: Option<CheckpointStatistics>,
    /// The latest savepoint.
    pub latest_savepoint: Option<CheckpointStatistics>,
    /// The latest failure.
    pub latest_failed: Option<CheckpointStatistics>,
    /// Number and path of the checkpoint that the job was restored from last.
    pub restored: Option<(u64, String)>,
}

impl Statistics {
    /// The job starts from a checkpoint.
    pub fn restored(&mut self, checkpoint: u64, path: String) {
        self.counts.restored += 1;
        self.restored = Some((checkpoint, path));
    }

    /// A checkpoint ended.
    pub(crate) fn ended(&mut self, checkpoint: CheckpointStatistics, keep: usize) {
        let latest = match checkpoint.status {
            CheckpointStatus::Completed if checkpoint.savepoint => &mut self.latest_savepoint,
            CheckpointStatus::Completed => &mut self.latest_completed,
            _ => &mut self.latest_failed,
        };
        *latest = Some(checkpoint.clone());
        match checkpoint.status {
            CheckpointStatus::Completed => self.counts.completed += 1,
            _ => self.counts.failed += 1,
        }
        self.history.push_front(checkpoint);
        self.history.truncate(keep);
    }
}
