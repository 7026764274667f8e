//! Events of a run, made of the job's lineage and of what is known of the run at one moment.
//!
//! Every event is self-sufficient: job type, inputs, outputs, engine, cumulative counts and column lineage are in each of
//! them, START or RUNNING or last. A consumer that has lost the ones before, or only ever asks for the last hour, still
//! sees the job.

mod dataset;
#[cfg(test)]
pub(crate) mod tests;

use crate::job::{DatasetId, JobLineage};
use crate::model::{
    Checkpoints, EmissionPattern, ErrorMessage, EventType, Facets, FlinkJob, InputProgress, JobRef, JobTags, JobType,
    JobVersion, OutputProgress, Owner, Ownership, Parent, PartitionPosition, ProcessingEngine, Restore, RunEvent,
    RunHealth, RunRef, RunTags, Sql, StreamProgress, Tag,
};
use chrono::{DateTime, SecondsFormat};
use std::collections::{BTreeMap, BTreeSet};
use uuid::Uuid;

/// `producer` of every event and facet.
pub const PRODUCER: &str =
    concat!("https://github.com/headwater-io/headwater/tree/v", env!("CARGO_PKG_VERSION"), "/crates/lineage");

/// Namespace of jobs for which none was set, as in OpenLineage's Flink integration.
pub const DEFAULT_NAMESPACE: &str = "flink-jobs";

/// Integration that jobs are said to be of: consumers that know Flink's jobs know these.
pub const DEFAULT_INTEGRATION: &str = "FLINK";

/// Version of the Flink that Headwater speaks, with its own behind it, in a form that version parsers take.
pub const ENGINE_VERSION: &str = concat!("2.3.0+headwater.", env!("CARGO_PKG_VERSION"));

/// Dialect of the SQL facet.
const DIALECT: &str = "flink";

/// How jobs are told: what a user configures.
#[derive(Debug, Clone, PartialEq)]
pub struct Producer {
    /// Namespace of the job.
    pub namespace: String,
    /// Name of the job instead of its own.
    pub job_name: Option<String>,
    /// `jobType.integration`.
    pub integration: String,
    /// Who answers for the job.
    pub owners: Vec<Owner>,
    /// Tags of the job.
    pub job_tags: Vec<Tag>,
    /// Tags of its runs.
    pub run_tags: Vec<Tag>,
    /// Facets that are left out, by name.
    pub disabled_facets: BTreeSet<String>,
    /// Longest time between two events of a running job, seconds.
    pub interval_s: u64,
}

impl Default for Producer {
    fn default() -> Self {
        Self {
            namespace: DEFAULT_NAMESPACE.to_owned(),
            job_name: None,
            integration: DEFAULT_INTEGRATION.to_owned(),
            owners: vec![],
            job_tags: vec![],
            run_tags: vec![],
            disabled_facets: BTreeSet::new(),
            interval_s: 60,
        }
    }
}

/// A run of a job.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Run {
    /// Its id, see [`run_id`].
    pub id: String,
    /// The job, 32 hexadecimal digits.
    pub job_id: String,
    /// What started it.
    pub parent: Option<Parent>,
    /// What it goes on from.
    pub restore: Option<Restore>,
}

/// Rows and bytes since the run began.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Traffic {
    /// Rows.
    pub rows: u64,
    /// Bytes.
    pub bytes: u64,
    /// Event time that has been passed, milliseconds since the epoch.
    pub watermark_ms: Option<i64>,
}

/// What is known of a run at one moment.
#[derive(Debug, Clone, PartialEq)]
pub struct Observation {
    /// When, milliseconds since the epoch.
    pub at_ms: i64,
    /// What happened.
    pub event_type: EventType,
    /// How the run fares.
    pub health: RunHealth,
    /// Its checkpoints, if it takes any.
    pub checkpoints: Option<Checkpoints>,
    /// Number and time of the latest completed checkpoint.
    pub committed: Option<(u64, i64)>,
    /// Traffic by table path.
    pub inputs: BTreeMap<String, Traffic>,
    /// Traffic by table path.
    pub outputs: BTreeMap<String, Traffic>,
    /// Next records by table path, as of the latest completed checkpoint.
    pub positions: BTreeMap<String, Vec<PartitionPosition>>,
    /// Datasets that patterns have found, by table path.
    pub found: BTreeMap<String, Vec<DatasetId>>,
    /// Why it failed.
    pub error: Option<ErrorMessage>,
}

impl Observation {
    /// Nothing is known but that it happened.
    pub fn new(event_type: EventType, at_ms: i64) -> Self {
        Self {
            at_ms,
            event_type,
            health: RunHealth::default(),
            checkpoints: None,
            committed: None,
            inputs: BTreeMap::new(),
            outputs: BTreeMap::new(),
            positions: BTreeMap::new(),
            found: BTreeMap::new(),
            error: None,
        }
    }
}

/// The id of a job's run: a UUID of version 7, the same wherever it is asked for. `job` is a random number, whose lower
/// bits follow the time.
pub fn run_id(job: u128, started_ms: i64) -> String {
    let mut random = [0; 10];
    random.copy_from_slice(&job.to_be_bytes()[6..]);
    uuid::Builder::from_unix_timestamp_millis(started_ms.max(0).unsigned_abs(), &random).into_uuid().to_string()
}

/// Whether a text is a UUID, as the ids of runs must be.
pub fn is_uuid(text: &str) -> bool {
    Uuid::parse_str(text).is_ok()
}

/// A moment as events write it.
pub fn timestamp(ms: i64) -> String {
    DateTime::from_timestamp_millis(ms).unwrap_or_default().to_rfc3339_opts(SecondsFormat::Millis, true)
}

/// The event of a moment.
pub fn run_event(producer: &Producer, lineage: &JobLineage, run: &Run, seen: &Observation) -> RunEvent {
    let (inputs, outputs) = dataset::datasets(lineage, seen);
    let mut event = RunEvent {
        event_time: timestamp(seen.at_ms),
        producer: PRODUCER.to_owned(),
        schema_url: RunEvent::schema(),
        event_type: Some(seen.event_type),
        run: RunRef { run_id: run.id.clone(), facets: run_facets(producer, lineage, run, seen) },
        job: JobRef {
            namespace: producer.namespace.clone(),
            name: producer.job_name.clone().unwrap_or_else(|| lineage.name.clone()),
            facets: job_facets(producer, lineage, seen),
        },
        inputs,
        outputs,
    };
    leave_out(&mut event, &producer.disabled_facets);
    event
}

fn leave_out(event: &mut RunEvent, disabled: &BTreeSet<String>) {
    let datasets = event.inputs.iter_mut().chain(&mut event.outputs);
    let of_datasets = datasets.flat_map(|d| [&mut d.facets, &mut d.input_facets, &mut d.output_facets]);
    for facets in of_datasets.chain([&mut event.run.facets, &mut event.job.facets]) {
        facets.remove_all(disabled.iter().map(String::as_str));
    }
}

fn run_facets(producer: &Producer, lineage: &JobLineage, run: &Run, seen: &Observation) -> Facets {
    let mut facets = Facets::new();
    facets.set(
        PRODUCER,
        &ProcessingEngine {
            version: ENGINE_VERSION.to_owned(),
            name: Some("flink".to_owned()),
            openlineage_adapter_version: Some(env!("CARGO_PKG_VERSION").to_owned()),
        },
    );
    facets.set(PRODUCER, &FlinkJob { job_id: run.job_id.clone() });
    facets.set_some(PRODUCER, run.parent.clone());
    facets.set_some(PRODUCER, run.restore.clone());
    facets.set_some(PRODUCER, seen.checkpoints.clone());
    facets.set_some(PRODUCER, seen.error.clone());
    facets.set(PRODUCER, &seen.health);
    facets.set(PRODUCER, &progress(lineage, seen));
    let tags = producer.run_tags.clone();
    facets.set_some(PRODUCER, (!tags.is_empty()).then_some(RunTags { tags }));
    facets
}

fn job_facets(producer: &Producer, lineage: &JobLineage, seen: &Observation) -> Facets {
    let (processing, pattern) = match lineage.streaming {
        true => ("STREAMING", ("PERIODIC", Some(producer.interval_s.max(1)))),
        false => ("BATCH", ("EVENT_BASED", None)),
    };
    let mut facets = Facets::new();
    facets.set(
        PRODUCER,
        &JobType {
            processing_type: processing.to_owned(),
            integration: producer.integration.clone(),
            job_type: Some("JOB".to_owned()),
            emission_pattern: Some(EmissionPattern {
                event_trigger: pattern.0.to_owned(),
                event_content_mode: "COMPLETE_SNAPSHOT".to_owned(),
                window_duration: pattern.1,
            }),
        },
    );
    let owners = producer.owners.clone();
    facets.set_some(PRODUCER, (!owners.is_empty()).then_some(Ownership { owners }));
    let tags = producer.job_tags.clone();
    facets.set_some(PRODUCER, (!tags.is_empty()).then_some(JobTags { tags }));
    let sql = lineage.sql.clone().map(|query| Sql { query, dialect: Some(DIALECT.to_owned()) });
    facets.set_some(PRODUCER, sql);
    facets.set(PRODUCER, &JobVersion { version: lineage.version() });
    if !lineage.outputs.is_empty() {
        facets.set(PRODUCER, &dataset::explicit_lineage(lineage, seen));
    }
    facets
}

fn progress(lineage: &JobLineage, seen: &Observation) -> StreamProgress {
    let mut progress = StreamProgress {
        checkpoint: seen.committed.map(|(checkpoint, _)| checkpoint),
        completed_at: seen.committed.map(|(_, at_ms)| timestamp(at_ms)),
        ..StreamProgress::default()
    };
    for input in &lineage.inputs {
        let path = input.dataset.path();
        let watermark = seen.inputs.get(&path).and_then(|traffic| traffic.watermark_ms).map(timestamp);
        for DatasetId { namespace, name } in dataset::ids(&input.dataset, seen) {
            let partitions = seen.positions.get(&path).map(|all| positions_of(all, name, input.dataset.ids.len() == 1));
            progress.inputs.push(InputProgress {
                namespace: namespace.clone(),
                name: name.clone(),
                watermark: watermark.clone(),
                partitions: partitions.unwrap_or_default(),
            });
        }
    }
    for output in &lineage.outputs {
        let watermark = seen.outputs.get(&output.dataset.path()).and_then(|t| t.watermark_ms).map(timestamp);
        for DatasetId { namespace, name } in dataset::ids(&output.dataset, seen) {
            progress.outputs.push(OutputProgress {
                namespace: namespace.clone(),
                name: name.clone(),
                watermark: watermark.clone(),
                committed_checkpoint: progress.checkpoint,
            });
        }
    }
    progress
}

/// The partitions of one dataset of a table; their names begin with its name where there are several.
fn positions_of(all: &[PartitionPosition], dataset: &str, is_only: bool) -> Vec<PartitionPosition> {
    let belongs = |position: &&PartitionPosition| {
        is_only || position.partition.strip_prefix(dataset).is_some_and(|rest| rest.starts_with('-'))
    };
    all.iter().filter(belongs).cloned().collect()
}
