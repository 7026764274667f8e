//! Documents about changes of the parallelism.

use super::checkpoint::Stats;
use serde::Serialize;
use std::collections::BTreeMap;

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
    /// That completed.
    pub completed: Option<RescaleDetails>,
    /// That failed.
    pub failed: Option<RescaleDetails>,
    /// Always none: what changes nothing is not begun.
    pub ignored: Option<RescaleDetails>,
}

/// A rescale.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct RescaleDetails {
    /// Its id.
    pub rescale_uuid: String,
    /// The same: requirements have no ids of their own.
    pub resource_requirements_uuid: String,
    /// Its number among those of the job.
    pub rescale_attempt_id: u64,
    /// The vertices by id.
    pub vertices: BTreeMap<String, VertexRescale>,
    /// The slots by group, of which there is one.
    pub slots: BTreeMap<String, SlotsRescale>,
    /// Always empty.
    pub scheduler_states: Vec<super::Empty>,
    /// When it began.
    pub start_timestamp_in_millis: i64,
    /// When all tasks ran again; none while they do not.
    pub end_timestamp_in_millis: Option<i64>,
    /// `COMPLETED` or `FAILED`; none while it goes on.
    pub terminal_state: Option<&'static str>,
    /// `UPDATE_REQUIREMENT` or `NEW_RESOURCE_AVAILABLE`.
    pub trigger_cause: &'static str,
    /// `SUCCEEDED` or `EXCEPTION_OCCURRED`; none while it goes on.
    pub terminated_reason: Option<&'static str>,
}

/// What became of a vertex.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct VertexRescale {
    /// Its id.
    pub job_vertex_id: String,
    /// Its name.
    pub job_vertex_name: String,
    /// The group of its slots.
    pub slot_sharing_group_id: String,
    /// Its name.
    pub slot_sharing_group_name: &'static str,
    /// The most that is used.
    pub desired_parallelism: u32,
    /// The least that is enough.
    pub sufficient_parallelism: u32,
    /// Before.
    pub pre_rescale_parallelism: u32,
    /// After.
    pub post_rescale_parallelism: u32,
}

/// What became of a group of slots.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct SlotsRescale {
    /// Its id.
    pub slot_sharing_group_id: String,
    /// Its name.
    pub slot_sharing_group_name: &'static str,
    /// Always empty: slots have no profiles.
    pub request_resource_profile: super::task_manager::Resource,
    /// The most that are used.
    pub desired_slots: u32,
    /// The least that are enough.
    pub minimal_required_slots: u32,
    /// Before.
    pub pre_rescale_slots: u32,
    /// After.
    pub post_rescale_slots: u32,
    /// Always empty: slots have no profiles.
    pub acquired_resource_profile: super::task_manager::Resource,
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
