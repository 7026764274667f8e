//! Documents about checkpoints.

use serde::Serialize;
use std::collections::BTreeMap;

/// `/jobs/:jobid/checkpoints`.
#[derive(Debug, Clone, Serialize)]
pub struct Checkpoints {
    /// Numbers of checkpoints.
    pub counts: Counts,
    /// Spread over those that are remembered.
    pub summary: Summary,
    /// The latest ones.
    pub latest: Latest,
    /// Those that are remembered, newest first.
    pub history: Vec<Checkpoint>,
}

/// Numbers of checkpoints.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct Counts {
    /// From which the job started.
    pub restored: u64,
    /// All.
    pub total: u64,
    /// Under way.
    pub in_progress: u64,
    /// Completed.
    pub completed: u64,
    /// Failed.
    pub failed: u64,
}

/// Spread over completed checkpoints.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct Summary {
    /// Bytes written.
    pub checkpointed_size: Stats,
    /// Bytes of state.
    pub state_size: Stats,
    /// Milliseconds.
    pub end_to_end_duration: Stats,
    /// Always 0, as in Flink.
    pub alignment_buffered: Stats,
    /// Always 0: not measured.
    pub processed_data: Stats,
    /// Bytes of rows that barriers overtook.
    pub persisted_data: Stats,
}

/// Spread of a number.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize)]
pub struct Stats {
    /// The least.
    pub min: i64,
    /// The most.
    pub max: i64,
    /// The mean.
    pub avg: i64,
    /// Median.
    pub p50: f64,
    /// 90th percentile.
    pub p90: f64,
    /// 95th percentile.
    pub p95: f64,
    /// 99th percentile.
    pub p99: f64,
    /// 99.9th percentile.
    pub p999: f64,
}

/// The latest checkpoints.
#[derive(Debug, Clone, Serialize)]
pub struct Latest {
    /// The latest that completed.
    pub completed: Option<Checkpoint>,
    /// The latest savepoint.
    pub savepoint: Option<Checkpoint>,
    /// The latest that failed.
    pub failed: Option<Checkpoint>,
    /// The one that the job started from last.
    pub restored: Option<Restored>,
}

/// What a job started from.
#[derive(Debug, Clone, Serialize)]
pub struct Restored {
    /// Its number.
    pub id: u64,
    /// When.
    pub restore_timestamp: i64,
    /// Whether it is a savepoint.
    pub is_savepoint: bool,
    /// Where it is.
    pub external_path: String,
}

/// A checkpoint.
#[derive(Debug, Clone, Serialize)]
pub struct Checkpoint {
    /// `completed`, `failed` or `in_progress`: which further fields follow.
    #[serde(rename = "className")]
    pub class_name: &'static str,
    /// Its number.
    pub id: u64,
    /// How it stands.
    pub status: &'static str,
    /// Whether it is a savepoint.
    pub is_savepoint: bool,
    /// Format of a savepoint.
    #[serde(rename = "savepointFormat")]
    pub savepoint_format: Option<&'static str>,
    /// When it was triggered.
    pub trigger_timestamp: i64,
    /// When the latest subtask reported; -1 before.
    pub latest_ack_timestamp: i64,
    /// Bytes written.
    pub checkpointed_size: u64,
    /// Bytes of state.
    pub state_size: u64,
    /// Milliseconds.
    pub end_to_end_duration: i64,
    /// Always 0, as in Flink.
    pub alignment_buffered: u64,
    /// Always 0: not measured.
    pub processed_data: u64,
    /// Bytes of rows that barriers overtook.
    pub persisted_data: u64,
    /// Subtasks that take part.
    pub num_subtasks: u32,
    /// Subtasks that have reported.
    pub num_acknowledged_subtasks: u32,
    /// `CHECKPOINT`, `UNALIGNED_CHECKPOINT`, `SAVEPOINT` or `SYNC_SAVEPOINT`.
    pub checkpoint_type: &'static str,
    /// By id of the vertex.
    pub tasks: BTreeMap<String, VertexCheckpoint>,
    /// What there is besides, by status.
    #[serde(flatten)]
    pub ending: Ending,
}

/// What there is besides, by status.
#[derive(Debug, Clone, Serialize)]
#[serde(untagged)]
pub enum Ending {
    /// It is complete.
    Completed {
        /// Where it is.
        external_path: String,
        /// Whether its files were removed.
        discarded: bool,
    },
    /// It failed.
    Failed {
        /// When.
        failure_timestamp: i64,
        /// Why.
        failure_message: Option<String>,
    },
    /// It is under way.
    InProgress {},
}

/// The part of a vertex.
#[derive(Debug, Clone, Serialize)]
pub struct VertexCheckpoint {
    /// Number of the checkpoint.
    pub id: u64,
    /// How it stands.
    pub status: &'static str,
    /// When the latest subtask reported; -1 before.
    pub latest_ack_timestamp: i64,
    /// Bytes written.
    pub checkpointed_size: u64,
    /// Bytes of state.
    pub state_size: u64,
    /// Milliseconds.
    pub end_to_end_duration: i64,
    /// Always 0, as in Flink.
    pub alignment_buffered: u64,
    /// Always 0: not measured.
    pub processed_data: u64,
    /// Bytes of rows that barriers overtook.
    pub persisted_data: u64,
    /// Subtasks that take part.
    pub num_subtasks: u32,
    /// Subtasks that have reported.
    pub num_acknowledged_subtasks: u32,
}

/// `/jobs/:jobid/checkpoints/details/:checkpointid/subtasks/:vertexid`.
#[derive(Debug, Clone, Serialize)]
pub struct VertexCheckpointDetails {
    /// The part of the vertex.
    #[serde(flatten)]
    pub vertex: VertexCheckpoint,
    /// Spread over its subtasks.
    pub summary: SubtasksSummary,
    /// Its subtasks.
    pub subtasks: Vec<SubtaskCheckpoint>,
}

/// Spread over subtasks.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct SubtasksSummary {
    /// Bytes written.
    pub checkpointed_size: Stats,
    /// Bytes of state.
    pub state_size: Stats,
    /// Milliseconds.
    pub end_to_end_duration: Stats,
    /// Milliseconds of the phases.
    pub checkpoint_duration: PhaseStats,
    /// Alignment.
    pub alignment: AlignmentStats,
    /// Milliseconds from the trigger to the barrier.
    pub start_delay: Stats,
}

/// Milliseconds of the phases.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct PhaseStats {
    /// Handing over state.
    pub sync: Stats,
    /// Writing it.
    #[serde(rename = "async")]
    pub background: Stats,
}

/// Alignment of subtasks.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct AlignmentStats {
    /// Always 0, as in Flink.
    pub buffered: Stats,
    /// Always 0: not measured.
    pub processed: Stats,
    /// Bytes of rows that barriers overtook.
    pub persisted: Stats,
    /// Milliseconds.
    pub duration: Stats,
}

/// The part of a subtask.
#[derive(Debug, Clone, Serialize)]
#[serde(tag = "className", rename_all = "snake_case")]
pub enum SubtaskCheckpoint {
    /// It has reported.
    Completed {
        /// Its index.
        index: u32,
        /// `completed`.
        status: &'static str,
        /// When.
        ack_timestamp: i64,
        /// Milliseconds.
        end_to_end_duration: i64,
        /// Bytes written.
        checkpointed_size: u64,
        /// Bytes of state.
        state_size: u64,
        /// Milliseconds of the phases.
        checkpoint: Phases,
        /// Its alignment.
        alignment: Alignment,
        /// Milliseconds from the trigger to the barrier.
        start_delay: i64,
        /// Whether the barrier overtook rows.
        unaligned_checkpoint: bool,
        /// Always false.
        aborted: bool,
    },
    /// It has not.
    Pending {
        /// Its index.
        index: u32,
        /// `pending_or_failed`.
        status: &'static str,
    },
}

/// Milliseconds of the phases.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct Phases {
    /// Handing over state.
    pub sync: i64,
    /// Writing it.
    #[serde(rename = "async")]
    pub background: i64,
}

/// Alignment of a subtask.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct Alignment {
    /// Always 0, as in Flink.
    pub buffered: u64,
    /// Always 0: not measured.
    pub processed: u64,
    /// Bytes of rows that the barrier overtook.
    pub persisted: u64,
    /// Milliseconds.
    pub duration: u64,
}

/// `/jobs/:jobid/checkpoints/config`.
#[derive(Debug, Clone, Serialize)]
pub struct CheckpointConfig {
    /// `exactly_once` or `at_least_once`.
    pub mode: &'static str,
    /// Milliseconds between checkpoints; the largest number there is when they are not periodic.
    pub interval: i64,
    /// Milliseconds until one expires.
    pub timeout: i64,
    /// Milliseconds between two of them.
    pub min_pause: i64,
    /// How many at once.
    pub max_concurrent: u64,
    /// Whether they outlive the job.
    pub externalization: Externalization,
    /// The state engine.
    pub state_backend: String,
    /// Where they go.
    pub checkpoint_storage: String,
    /// Whether barriers may overtake rows.
    pub unaligned_checkpoints: bool,
    /// Failures in a row that the job survives.
    pub tolerable_failed_checkpoints: i64,
    /// Milliseconds until barriers overtake rows.
    pub aligned_checkpoint_timeout: u64,
    /// Whether they go on when some tasks have finished.
    pub checkpoints_after_tasks_finish: bool,
    /// Always false: state is always written as changes.
    pub state_changelog_enabled: bool,
    /// Always 0.
    pub changelog_periodic_materialization_interval: i64,
    /// Always empty.
    pub changelog_storage: String,
}

/// Whether checkpoints outlive the job.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct Externalization {
    /// They are kept when the job fails.
    pub enabled: bool,
    /// They are not kept when it is cancelled.
    pub delete_on_cancellation: bool,
}
