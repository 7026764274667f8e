//! Documents about jobs.

use super::vertex::IoMetrics;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// `/jobs`.
#[derive(Debug, Clone, Serialize)]
pub struct JobIds {
    /// The jobs.
    pub jobs: Vec<JobIdStatus>,
}

/// A job and its state.
#[derive(Debug, Clone, Serialize)]
pub struct JobIdStatus {
    /// Its id.
    pub id: String,
    /// Its state.
    pub status: String,
}

/// `/jobs/:jobid/status`.
#[derive(Debug, Clone, Serialize)]
pub struct JobStatus {
    /// Its state.
    pub status: String,
}

/// `/jobs/overview`.
#[derive(Debug, Clone, Serialize)]
pub struct JobsOverview {
    /// The jobs.
    pub jobs: Vec<JobRow>,
}

/// A job in a list.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct JobRow {
    /// Its id.
    pub jid: String,
    /// Its name.
    pub name: String,
    /// `BATCH` or `STREAMING`.
    #[serde(rename = "jobType")]
    pub job_type: &'static str,
    /// How it is scheduled.
    #[serde(rename = "schedulerType")]
    pub scheduler_type: &'static str,
    /// When it was submitted.
    pub start_time: i64,
    /// When it ended; -1 while it runs.
    pub end_time: i64,
    /// How long it took so far.
    pub duration: i64,
    /// Its state.
    pub state: String,
    /// When its state changed last.
    pub last_modification: i64,
    /// How many subtasks are in which state, with their `total`.
    pub tasks: BTreeMap<String, u64>,
    /// Operators without a vertex.
    pub pending_operators: u64,
}

/// `/jobs/:jobid`.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct JobDetails {
    /// Its id.
    pub jid: String,
    /// Id of its application.
    pub application_id: String,
    /// Its name.
    pub name: String,
    /// Always false, as in Flink since 1.9: every job is stopped with a savepoint.
    #[serde(rename = "isStoppable")]
    pub is_stoppable: bool,
    /// Its state.
    pub state: String,
    /// `BATCH` or `STREAMING`.
    pub job_type: &'static str,
    /// How it is scheduled.
    #[serde(rename = "schedulerType")]
    pub scheduler_type: &'static str,
    /// When it was submitted.
    pub start_time: i64,
    /// When it ended; -1 while it runs.
    pub end_time: i64,
    /// How long it took so far.
    pub duration: i64,
    /// Number of key groups.
    #[serde(rename = "maxParallelism")]
    pub max_parallelism: i64,
    /// The present time.
    pub now: i64,
    /// When it came into which state; 0 when it never did.
    pub timestamps: BTreeMap<&'static str, i64>,
    /// Its vertices.
    pub vertices: Vec<VertexRow>,
    /// How many vertices are in which state.
    pub status_counts: BTreeMap<&'static str, u64>,
    /// Its plan. There is no `stream-graph`, as in Flink of jobs whose plan does not grow while they run.
    pub plan: Plan,
    /// Operators without a vertex.
    pub pending_operators: u64,
}

/// A vertex of a job.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct VertexRow {
    /// Its id.
    pub id: String,
    /// The group of slots it shares.
    #[serde(rename = "slotSharingGroupId")]
    pub slot_sharing_group_id: String,
    /// Its name.
    pub name: String,
    /// Number of key groups.
    #[serde(rename = "maxParallelism")]
    pub max_parallelism: i64,
    /// Number of subtasks.
    pub parallelism: u32,
    /// Its state.
    pub status: &'static str,
    /// When its first subtask was deployed; -1 before.
    pub start_time: i64,
    /// When its last subtask ended; -1 before.
    pub end_time: i64,
    /// How long it took so far; -1 before it starts.
    pub duration: i64,
    /// How many subtasks are in which state.
    pub tasks: BTreeMap<&'static str, u64>,
    /// Its counters.
    pub metrics: IoMetrics,
}

/// `/jobs/:jobid/plan`.
#[derive(Debug, Clone, Serialize)]
pub struct PlanBody {
    /// The plan.
    pub plan: Plan,
}

/// The vertices of a job and how they are connected.
#[derive(Debug, Clone, Serialize)]
pub struct Plan {
    /// Id of the job.
    pub jid: String,
    /// Name of the job.
    pub name: String,
    /// `BATCH` or `STREAMING`.
    #[serde(rename = "type")]
    pub kind: &'static str,
    /// The vertices.
    pub nodes: Vec<PlanNode>,
}

/// A vertex of a plan.
#[derive(Debug, Clone, Serialize)]
pub struct PlanNode {
    /// Its id.
    pub id: String,
    /// Always empty.
    pub operator: &'static str,
    /// Number of subtasks.
    pub parallelism: u32,
    /// Always empty.
    pub operator_strategy: &'static str,
    /// Names of its operators.
    pub description: String,
    /// Always empty.
    pub optimizer_properties: super::Empty,
    /// Where its rows come from.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub inputs: Vec<PlanInput>,
}

/// An edge of a plan.
#[derive(Debug, Clone, Serialize)]
pub struct PlanInput {
    /// The vertex that produces.
    pub id: String,
    /// Position among the inputs.
    pub num: u32,
    /// `pipelined_bounded`.
    pub exchange: &'static str,
    /// How rows find their subtask.
    pub ship_strategy: &'static str,
}

/// `/jobs/:jobid/config`.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct JobConfig {
    /// Its id.
    pub jid: String,
    /// Its name.
    pub name: String,
    /// How it runs.
    pub execution_config: ExecutionConfig,
}

/// How a job runs.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct ExecutionConfig {
    /// What happens when it fails.
    pub restart_strategy: String,
    /// Its parallelism.
    pub job_parallelism: i64,
    /// Rows are never copied between operators.
    pub object_reuse_mode: bool,
    /// Its configuration, without secrets.
    pub user_config: BTreeMap<String, String>,
}

/// `/jobs/:jobid/exceptions`.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Exceptions {
    /// Its failures.
    pub exception_history: ExceptionHistory,
}

/// Failures of a job, newest first.
#[derive(Debug, Clone, Serialize)]
pub struct ExceptionHistory {
    /// The failures.
    pub entries: Vec<ExceptionEntry>,
    /// Whether there were more.
    pub truncated: bool,
}

/// A failure of a job.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ExceptionEntry {
    /// The kind of failure.
    pub exception_name: String,
    /// The message.
    pub stacktrace: String,
    /// When.
    pub timestamp: i64,
    /// Labels for filters.
    pub failure_labels: BTreeMap<String, String>,
    /// The subtask that failed; none when it was the job as a whole.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub task_name: Option<String>,
    /// Where it ran.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub endpoint: Option<String>,
    /// Where it ran.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub task_manager_id: Option<String>,
    /// Always empty: later failures are consequences of the first.
    pub concurrent_exceptions: Vec<ExceptionEntry>,
}

/// `/jobs/:jobid/execution-result`.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct ExecutionResult {
    /// Whether the job has ended.
    pub status: super::QueueStatus,
    /// How; nothing before its end.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub job_execution_result: Option<JobResult>,
}

/// How a job ended.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct JobResult {
    /// Its id.
    pub id: String,
    /// `SUCCEEDED`, `FAILED` or `CANCELED`.
    pub application_status: &'static str,
    /// Always empty.
    pub accumulator_results: BTreeMap<String, String>,
    /// How long it took, milliseconds.
    pub net_runtime: i64,
    /// Why it failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub failure_cause: Option<super::FailureCause>,
}

/// `/jobs/:jobid/accumulators`.
#[derive(Debug, Clone, Default, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Accumulators {
    /// Always empty.
    pub job_accumulators: Vec<String>,
    /// Always empty.
    pub user_task_accumulators: Vec<String>,
    /// Always empty.
    pub serialized_user_task_accumulators: BTreeMap<String, String>,
}

/// `POST /jobs`.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Submitted {
    /// Where the job is.
    pub job_url: String,
}

/// Asks for a script to be planned or run.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ScriptRequest {
    /// None: a script has no class.
    pub entry_class: Option<String>,
    /// None: a script has no arguments.
    pub program_args_list: Option<Vec<String>>,
    /// Subtasks of operators that set none.
    pub parallelism: Option<u32>,
    /// Whether state may be left that nothing of the job takes.
    pub allow_non_restored_state: Option<bool>,
    /// What the job starts from.
    pub savepoint_path: Option<String>,
    /// What becomes of the savepoint.
    pub claim_mode: Option<String>,
    /// The older name of the claim mode.
    pub restore_mode: Option<String>,
    /// Values over those of the cluster.
    pub flink_configuration: Option<BTreeMap<String, String>>,
}

/// Asks for a savepoint.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct SavepointRequest {
    /// Below which directory.
    pub target_directory: Option<String>,
    /// Whether the job ends with it.
    pub cancel_job: Option<bool>,
    /// Only one format is written; any name of Flink's is taken.
    #[serde(rename = "formatType")]
    pub format_type: Option<SavepointFormat>,
    /// Id of the operation.
    #[serde(rename = "triggerId")]
    pub trigger_id: Option<String>,
}

/// Flink's savepoint formats.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum SavepointFormat {
    /// The same for all state engines.
    Canonical,
    /// That of the state engine.
    Native,
}

/// Asks for a savepoint and the end of the job.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct StopRequest {
    /// Below which directory.
    pub target_directory: Option<String>,
    /// Whether sources end first and all windows fire.
    pub drain: Option<bool>,
    /// Only one format is written; any name of Flink's is taken.
    pub format_type: Option<SavepointFormat>,
    /// Id of the operation.
    pub trigger_id: Option<String>,
}

/// Asks for a checkpoint.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CheckpointRequest {
    /// All checkpoints are incremental in effect; any name of Flink's is taken.
    pub checkpoint_type: Option<CheckpointType>,
    /// Id of the operation.
    pub trigger_id: Option<String>,
}

/// Flink's checkpoint types.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum CheckpointType {
    /// As configured.
    Configured,
    /// Complete.
    Full,
    /// What has changed.
    Incremental,
}

/// Asks for the removal of a savepoint.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct DisposalRequest {
    /// Where it is.
    pub savepoint_path: Option<String>,
}

/// A client says that it is still there.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct HeartbeatRequest {
    /// Until when it counts as there.
    pub expired_timestamp: Option<i64>,
}

/// Bounds of the parallelism of vertices, by their ids. Flink's message is this map itself (`JsonAnyGetter`), which its
/// generated description does not show: there the map is a field, as which it is taken, too.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(from = "AnyRequirements")]
pub struct ResourceRequirements(pub BTreeMap<String, VertexRequirements>);

/// Both forms.
#[derive(Deserialize)]
struct AnyRequirements {
    #[serde(rename = "jobVertexResourceRequirements")]
    field: Option<BTreeMap<String, VertexRequirements>>,
    #[serde(flatten)]
    own: BTreeMap<String, VertexRequirements>,
}

impl From<AnyRequirements> for ResourceRequirements {
    fn from(any: AnyRequirements) -> Self {
        Self(any.field.unwrap_or(any.own))
    }
}

/// Bounds of a vertex.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub struct VertexRequirements {
    /// Of its parallelism.
    pub parallelism: ParallelismBounds,
}

/// Bounds of the parallelism.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ParallelismBounds {
    /// The least that is enough.
    pub lower_bound: u32,
    /// The most that is used.
    pub upper_bound: u32,
}
