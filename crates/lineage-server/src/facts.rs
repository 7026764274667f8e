//! What one event says, in the terms of the catalog and independent of its producer.
//!
//! Facts are plain values without database ids. [`crate::extract`] makes them; [`crate::store`] merges them so that
//! their order, repetition and grouping do not matter.

use uuid::Uuid;

/// Where jobs or datasets live: a kind of system and its addresses, the first of which is its name.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Place {
    /// URL scheme, such as `kafka`.
    pub kind: String,
    /// `host[:port]`, or a path; never empty.
    pub hosts: Vec<String>,
}

impl Place {
    /// The addresses as URLs.
    pub fn urls(&self) -> impl Iterator<Item = String> + '_ {
        self.hosts.iter().map(|host| format!("{}://{host}", self.kind))
    }
}

/// A job or a dataset.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Name {
    /// Where it lives.
    pub place: Place,
    /// Its name there.
    pub name: String,
}

/// States of runs and operations; the greater one wins a merge.
pub mod status {
    /// Nothing is known.
    pub const UNKNOWN: i64 = -1;
    /// It began.
    pub const STARTED: i64 = 0;
    /// It ended well.
    pub const SUCCEEDED: i64 = 1;
    /// It failed.
    pub const FAILED: i64 = 2;
    /// It was stopped.
    pub const KILLED: i64 = 3;
}

/// A fact about a job.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Job {
    /// Who.
    pub name: Name,
    /// Its type, such as `FLINK_JOB`.
    pub kind: Option<String>,
    /// The job it belongs to.
    pub parent: Option<Name>,
    /// Tags and their values; empty says nothing.
    pub tags: Vec<(String, String)>,
    /// What it is for.
    pub description: Option<String>,
}

/// A fact about a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Run {
    /// Who.
    pub id: Uuid,
    /// Of which job.
    pub job: Name,
    /// The run that started it.
    pub parent: Option<Uuid>,
    /// A state of [`status`].
    pub status: i64,
    /// When it began, if this event says so.
    pub started_at: Option<i64>,
    /// When it ended, if this event says so.
    pub ended_at: Option<i64>,
    /// Further details.
    pub details: RunDetails,
    /// False when another event only mentions it.
    pub heard: bool,
    /// True for what a job or dataset event declares: it holds until further notice.
    pub declared: bool,
}

/// Details of a run that any of its events may carry.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RunDetails {
    /// Id in the producer's own terms.
    pub external_id: Option<String>,
    /// Number of the attempt.
    pub attempt: Option<String>,
    /// Log after the run.
    pub persistent_log_url: Option<String>,
    /// Log during the run.
    pub running_log_url: Option<String>,
    /// Who started it.
    pub user: Option<String>,
    /// `MANUAL` or `AUTOMATIC`.
    pub start_reason: Option<String>,
    /// Why it ended, such as the message of its failure.
    pub end_reason: Option<String>,
    /// When it should have started.
    pub expected_start_at: Option<i64>,
    /// When it should have ended.
    pub expected_end_at: Option<i64>,
    /// The run whose state it continues.
    pub restored_from: Option<Uuid>,
}

/// A fact about an operation: a step of a run that reads and writes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Operation {
    /// Who.
    pub id: Uuid,
    /// Of which run.
    pub run: Uuid,
    /// Its name.
    pub name: String,
    /// `BATCH`, `STREAMING` or another processing type.
    pub kind: String,
    /// A state of [`status`].
    pub status: i64,
    /// Place among its siblings.
    pub position: Option<i64>,
    /// Group of siblings.
    pub group: Option<String>,
    /// What it does.
    pub description: Option<String>,
    /// Its SQL text.
    pub sql: Option<String>,
    /// When it began, if this event says so.
    pub started_at: Option<i64>,
    /// When it ended, if this event says so.
    pub ended_at: Option<i64>,
}

/// How far a stream has come on an edge.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Progress {
    /// Event time up to which the data is complete, microseconds since the epoch.
    pub watermark: Option<i64>,
    /// Positions, as the producer has them (JSON).
    pub positions: Option<String>,
}

/// An operation reads or writes a dataset.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Edge {
    /// Which dataset.
    pub dataset: Name,
    /// Whether it is written.
    pub output: bool,
    /// Mask of [`crate::names::OUTPUT_TYPES`].
    pub types: i64,
    /// Rows so far.
    pub rows: Option<i64>,
    /// Bytes so far.
    pub bytes: Option<i64>,
    /// Files so far.
    pub files: Option<i64>,
    /// Schema as canonical JSON: a list of fields.
    pub schema: Option<String>,
    /// How far it has come.
    pub progress: Option<Progress>,
}

/// Columns of one dataset come from columns of another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Columns {
    /// Where from.
    pub source: Name,
    /// Where to.
    pub target: Name,
    /// Which, sorted, without repetitions.
    pub relations: Vec<Relation>,
}

/// One column of a target comes from one of a source.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Relation {
    /// Column of the source.
    pub source: String,
    /// Column of the target; empty when all of it is affected.
    pub target: String,
    /// Mask of [`crate::names::RELATION_TYPES`].
    pub types: i64,
    /// The expression, as the producer tells it; empty when it does not.
    pub expression: String,
}

/// A fact about a dataset.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dataset {
    /// Who.
    pub name: Name,
    /// Tags: column or empty, name, value.
    pub tags: Vec<(String, String, String)>,
    /// What it holds.
    pub description: Option<String>,
}

/// Two names of the same data.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Symlink {
    /// One name.
    pub from: Name,
    /// The other.
    pub to: Name,
    /// What the other is: `METASTORE` for a table, `WAREHOUSE` for a location.
    pub role: String,
}

/// One job waits for another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dependency {
    /// The first.
    pub from: Name,
    /// The one that waits.
    pub to: Name,
    /// How.
    pub kind: String,
}

/// Everything one event says.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Facts {
    /// When: microseconds since the epoch.
    pub at: i64,
    /// The run of the event.
    pub run: Option<Uuid>,
    /// Jobs.
    pub jobs: Vec<Job>,
    /// Runs.
    pub runs: Vec<Run>,
    /// The operation; without one there are no edges and columns.
    pub operation: Option<Operation>,
    /// Inputs and outputs of the operation.
    pub edges: Vec<Edge>,
    /// Column lineage of the operation.
    pub columns: Vec<Columns>,
    /// Which inputs feed which outputs, when the producer says so; without, each input feeds each output.
    pub flows: Vec<(Name, Name)>,
    /// Datasets.
    pub datasets: Vec<Dataset>,
    /// Symlinks.
    pub symlinks: Vec<Symlink>,
    /// Dependencies of jobs.
    pub dependencies: Vec<Dependency>,
}

impl Facts {
    /// Every dataset that is named.
    pub fn dataset_names(&self) -> impl Iterator<Item = &Name> {
        let symlinks = self.symlinks.iter().flat_map(|s| [&s.from, &s.to]);
        let columns = self.columns.iter().flat_map(|c| [&c.source, &c.target]);
        let flows = self.flows.iter().flat_map(|(from, to)| [from, to]);
        let edges = self.edges.iter().map(|e| &e.dataset);
        edges.chain(self.datasets.iter().map(|d| &d.name)).chain(symlinks).chain(columns).chain(flows)
    }

    /// Every job that is named.
    pub fn job_names(&self) -> impl Iterator<Item = &Name> {
        let jobs = self.jobs.iter().flat_map(|j| std::iter::once(&j.name).chain(&j.parent));
        let dependencies = self.dependencies.iter().flat_map(|d| [&d.from, &d.to]);
        jobs.chain(self.runs.iter().map(|r| &r.job)).chain(dependencies)
    }

    /// Every place that is named.
    pub fn places(&self) -> impl Iterator<Item = &Place> {
        self.dataset_names().chain(self.job_names()).map(|name| &name.place)
    }
}
