//! Facets that OpenLineage does not have: those of its Flink integration, and ours.
//!
//! Their schemas are shipped in `crates/lineage/schemas`. Consumers that do not know a facet ignore it.

use super::facet::{Facet, or_default};
use serde::{Deserialize, Serialize};

/// Names a facet and its schema in this repository.
macro_rules! own_facets {
    ($($facet:ty => $name:literal, $file:literal;)*) => {$(
        impl Facet for $facet {
            const NAME: &'static str = $name;
            const SCHEMA_URL: &'static str = concat!(
                "https://raw.githubusercontent.com/headwater-io/headwater/v", env!("CARGO_PKG_VERSION"),
                "/crates/lineage/schemas/", $file, ".json#/$defs/", $file
            );
        }
    )*};
}

own_facets! {
    FlinkJob => "flink_job", "FlinkJobRunFacet";
    Checkpoints => "checkpoints", "CheckpointsRunFacet";
    RunHealth => "headwater_health", "HealthRunFacet";
    Restore => "headwater_restore", "RestoreRunFacet";
    StreamProgress => "headwater_streamProgress", "StreamProgressRunFacet";
    JobVersion => "headwater_jobVersion", "JobVersionJobFacet";
}

/// The id of a job where Flink's REST API shows it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct FlinkJob {
    /// 32 hexadecimal digits.
    #[serde(default, deserialize_with = "or_default")]
    pub job_id: String,
}

/// Numbers of checkpoints.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Checkpoints {
    /// Completed ones.
    pub completed: u64,
    /// Failed ones.
    pub failed: u64,
    /// Under way.
    #[serde(rename = "in-progress")]
    pub in_progress: u64,
    /// Those that the job was restored from.
    pub restored: u64,
    /// Triggered ones.
    pub total: u64,
    /// The latest that completed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub latest: Option<Checkpoint>,
}

/// One completed checkpoint.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Checkpoint {
    /// Its number.
    pub id: u64,
    /// When it was triggered.
    pub triggered_at: String,
    /// Milliseconds it took.
    pub duration_ms: i64,
    /// Bytes of all state.
    pub state_bytes: u64,
    /// Whether it is a savepoint.
    pub savepoint: bool,
    /// Where it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
}

/// How the run fares: what a status word hides.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RunHealth {
    /// State of the job, in Flink's words.
    pub state: String,
    /// How often parts of it were restarted.
    pub restarts: u32,
    /// Why, the last time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub restart_cause: Option<String>,
    /// The operator that failed first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failed_operator: Option<String>,
    /// Rows dropped because they were late.
    pub late_rows_dropped: u64,
    /// Records that could not be decoded and did not fail the job.
    pub bad_records: u64,
    /// Events about this and other runs that were given up because nobody took them.
    pub events_dropped: u64,
}

/// What the run goes on from.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Restore {
    /// The run that took the checkpoint, when it is known here.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub run_id: Option<String>,
    /// The job that took it: `flink_job.jobId` of that run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub job_id: Option<String>,
    /// Name of that job.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub job_name: Option<String>,
    /// Version of that job, when it is known here.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub job_version: Option<String>,
    /// Number of the checkpoint.
    pub checkpoint: u64,
    /// Where it is.
    pub path: String,
    /// Whether it is a savepoint.
    pub savepoint: bool,
}

/// How far a run is, as of its latest completed checkpoint.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct StreamProgress {
    /// The checkpoint, if one has completed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub checkpoint: Option<u64>,
    /// When it completed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub completed_at: Option<String>,
    /// By input.
    #[serde(default, deserialize_with = "or_default")]
    pub inputs: Vec<InputProgress>,
    /// By output.
    #[serde(default, deserialize_with = "or_default")]
    pub outputs: Vec<OutputProgress>,
}

/// How far an input was read.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct InputProgress {
    /// Namespace of the dataset.
    pub namespace: String,
    /// Its name.
    pub name: String,
    /// All rows up to this event time have been read, as far as the watermark promises.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub watermark: Option<String>,
    /// The next record of each partition.
    #[serde(default, skip_serializing_if = "Vec::is_empty", deserialize_with = "or_default")]
    pub partitions: Vec<PartitionPosition>,
}

/// The next record to read of a partition.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PartitionPosition {
    /// The partition, as its system names it.
    pub partition: String,
    /// The position, as its system counts.
    pub offset: i64,
}

/// How far an output was written.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct OutputProgress {
    /// Namespace of the dataset.
    pub namespace: String,
    /// Its name.
    pub name: String,
    /// The output is complete up to this event time, as far as the watermark promises.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub watermark: Option<String>,
    /// The checkpoint whose rows are committed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub committed_checkpoint: Option<u64>,
}

/// Which version of a job this is.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct JobVersion {
    /// A hash of the job's lineage and statements: the same for the same job.
    pub version: String,
}
