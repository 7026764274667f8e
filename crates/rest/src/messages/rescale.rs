//! Documents about changes of the parallelism.

use super::checkpoint::Stats;
use serde::Serialize;

/// `/jobs/:jobid/rescales/config`.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct RescaleConfig {
    /// Rescales that are remembered.
    pub rescale_history_max: i64,
    /// `REACTIVE`, or none.
    pub scheduler_execution_mode: Option<&'static str>,
    /// How long a new job waits for slots.
    pub submission_resource_wait_timeout_in_millis: i64,
    /// How long it waits for better ones.
    pub submission_resource_stabilization_timeout_in_millis: i64,
    /// After how long idle slots are given back.
    pub slot_idle_timeout_in_millis: i64,
    /// Least time between two rescales.
    pub executing_cooldown_timeout_in_millis: i64,
    /// How long a job that runs waits for better slots.
    pub executing_resource_stabilization_timeout_in_millis: i64,
    /// How long a rescale waits for a checkpoint.
    pub maximum_delay_for_triggering_rescale_in_millis: i64,
    /// Failed checkpoints after which it waits no longer.
    pub rescale_on_failed_checkpoint_count: i64,
}

/// `/jobs/:jobid/rescales/overview`.
#[derive(Debug, Clone, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct RescaleOverview {
    /// Numbers of rescales.
    pub rescales_counts: RescaleCounts,
    /// The latest ones.
    pub latest: LatestRescales,
}

/// Numbers of rescales.
#[derive(Debug, Clone, Copy, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct RescaleCounts {
    /// That changed nothing.
    pub ignored: u64,
    /// Under way.
    pub in_progress: u64,
    /// Completed.
    pub completed: u64,
    /// Failed.
    pub failed: u64,
}

/// The latest rescales.
#[derive(Debug, Clone, Default, Serialize)]
pub struct LatestRescales {
    /// None yet.
    pub completed: Option<()>,
    /// None yet.
    pub failed: Option<()>,
    /// None yet.
    pub ignored: Option<()>,
}

/// `/jobs/:jobid/rescales/summary`.
#[derive(Debug, Clone, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct RescaleSummary {
    /// Numbers of rescales.
    pub rescales_counts: RescaleCounts,
    /// Milliseconds of all.
    pub rescales_duration_stats_in_millis: Stats,
    /// Of those that completed.
    pub completed_rescales_duration_stats_in_millis: Stats,
    /// Of those that changed nothing.
    pub ignored_rescales_duration_stats_in_millis: Stats,
    /// Of those that failed.
    pub failed_rescales_duration_stats_in_millis: Stats,
}
