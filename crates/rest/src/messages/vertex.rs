//! Documents about vertices and subtasks.

use serde::Serialize;
use std::collections::BTreeMap;

/// Counters of a subtask, or of several.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct IoMetrics {
    /// Bytes read from the outside world.
    pub read_bytes: u64,
    /// Whether all subtasks have reported.
    pub read_bytes_complete: bool,
    /// Bytes written to the outside world.
    pub write_bytes: u64,
    /// Whether all subtasks have reported.
    pub write_bytes_complete: bool,
    /// Rows read.
    pub read_records: u64,
    /// Whether all subtasks have reported.
    pub read_records_complete: bool,
    /// Rows written.
    pub write_records: u64,
    /// Whether all subtasks have reported.
    pub write_records_complete: bool,
    /// Milliseconds without room for output.
    pub accumulated_backpressured_time: u64,
    /// Milliseconds without input.
    pub accumulated_idle_time: u64,
    /// Milliseconds at work.
    pub accumulated_busy_time: f64,
}

/// `/jobs/:jobid/vertices/:vertexid`.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct VertexDetails {
    /// Its id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// Number of subtasks.
    pub parallelism: u32,
    /// Number of key groups.
    pub max_parallelism: i64,
    /// The present time.
    pub now: i64,
    /// Its subtasks.
    pub subtasks: Vec<SubtaskDetails>,
    /// Their spread.
    pub aggregated: Aggregated,
}

/// A subtask.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct SubtaskDetails {
    /// Its index.
    pub subtask: u32,
    /// Its state.
    pub status: &'static str,
    /// Number of its attempt.
    pub attempt: u32,
    /// Where it runs.
    pub endpoint: String,
    /// When it was deployed; -1 before.
    pub start_time: i64,
    /// When it ended; -1 before.
    pub end_time: i64,
    /// How long it took so far; -1 before it starts.
    pub duration: i64,
    /// Its counters.
    pub metrics: IoMetrics,
    /// Where it runs.
    pub taskmanager_id: String,
    /// How long it was in which state; -1 when it never was.
    pub status_duration: BTreeMap<&'static str, i64>,
    /// As `start-time`, under its older name.
    #[serde(rename = "start_time")]
    pub start_time_older: i64,
}

/// The spread of numbers over subtasks.
#[derive(Debug, Clone, Default, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Aggregated {
    /// By name of the counter, then by measure.
    pub metrics: Spread,
    /// By state, then by measure.
    pub status_duration: Spread,
}

/// Measures by name.
pub type Spread = BTreeMap<&'static str, BTreeMap<&'static str, i64>>;

/// `/jobs/:jobid/vertices/:vertexid/taskmanagers`.
#[derive(Debug, Clone, Serialize)]
pub struct VertexTaskManagers {
    /// Id of the vertex.
    pub id: String,
    /// Its name.
    pub name: String,
    /// The present time.
    pub now: i64,
    /// The TaskManagers with subtasks of it.
    pub taskmanagers: Vec<VertexTaskManager>,
}

/// The subtasks of a vertex at a TaskManager.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct VertexTaskManager {
    /// Its host.
    pub endpoint: String,
    /// State of the subtasks.
    pub status: &'static str,
    /// When the first was deployed; -1 before.
    pub start_time: i64,
    /// When the last one ended; -1 before.
    pub end_time: i64,
    /// How long they took so far; -1 before they start.
    pub duration: i64,
    /// Their counters.
    pub metrics: IoMetrics,
    /// How many are in which state.
    pub status_counts: BTreeMap<&'static str, u64>,
    /// Its id.
    pub taskmanager_id: String,
    /// Their spread.
    pub aggregated: Aggregated,
}

/// `/jobs/:jobid/vertices/:vertexid/subtasktimes`.
#[derive(Debug, Clone, Serialize)]
pub struct SubtaskTimes {
    /// Id of the vertex.
    pub id: String,
    /// Its name.
    pub name: String,
    /// The present time.
    pub now: i64,
    /// Its subtasks.
    pub subtasks: Vec<SubtaskTime>,
}

/// The times of a subtask.
#[derive(Debug, Clone, Serialize)]
pub struct SubtaskTime {
    /// Its index.
    pub subtask: u32,
    /// Where it runs.
    pub endpoint: String,
    /// How long it took so far.
    pub duration: i64,
    /// When it came into which state; 0 when it never did.
    pub timestamps: BTreeMap<&'static str, i64>,
}

/// `/jobs/:jobid/vertices/:vertexid/backpressure`.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct BackPressure {
    /// Always `ok`: it is always measured.
    pub status: &'static str,
    /// Of the subtask that waits most.
    pub backpressure_level: &'static str,
    /// When it was measured.
    #[serde(rename = "end-timestamp")]
    pub end_timestamp: i64,
    /// The subtasks.
    pub subtasks: Vec<SubtaskBackPressure>,
    /// As `backpressureLevel`, under its older name.
    #[serde(rename = "backpressure-level")]
    pub backpressure_level_older: &'static str,
}

/// How a subtask spends its time. The number of its attempt and others beside it are left out, as in Flink where there is
/// one attempt at a time.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct SubtaskBackPressure {
    /// Its index.
    pub subtask: u32,
    /// `ok`, `low` or `high`.
    pub backpressure_level: &'static str,
    /// Share of its time without room for output.
    pub ratio: f64,
    /// Share of its time without input.
    pub idle_ratio: f64,
    /// Share of its time at work.
    pub busy_ratio: f64,
    /// As `backpressureLevel`, under its older name.
    #[serde(rename = "backpressure-level")]
    pub backpressure_level_older: &'static str,
}

/// `/jobs/:jobid/vertices/:vertexid/flamegraph`.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct FlameGraph {
    /// When its samples ended, or why there are none.
    pub end_timestamp: i64,
}

/// `/jobs/:jobid/vertices/:vertexid/accumulators`.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct VertexAccumulators {
    /// Id of the vertex.
    pub id: String,
    /// Always empty.
    pub user_accumulators: Vec<String>,
}

/// `/jobs/:jobid/vertices/:vertexid/subtasks/accumulators`.
#[derive(Debug, Clone, Serialize)]
pub struct SubtasksAccumulators {
    /// Id of the vertex.
    pub id: String,
    /// Number of subtasks.
    pub parallelism: u32,
    /// The subtasks.
    pub subtasks: Vec<SubtaskAccumulators>,
}

/// Accumulators of a subtask.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct SubtaskAccumulators {
    /// Its index.
    pub subtask: u32,
    /// Number of its attempt.
    pub attempt: u32,
    /// Where it runs.
    pub endpoint: String,
    /// Always empty.
    pub user_accumulators: Vec<String>,
}

/// Accumulators of an attempt.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct AttemptAccumulators {
    /// Index of the subtask.
    pub subtask: u32,
    /// Number of the attempt.
    pub attempt: u32,
    /// The attempt, by vertex, subtask and number.
    pub id: String,
    /// Always empty.
    pub user_accumulators: Vec<String>,
}
