//! What has ended since the last look, as spans.

use crate::Cluster;
use crate::cluster::{Attempt, CheckpointStatistics, CheckpointStatus, JobDetails, JobState, TaskState};
use headwater_types::Result;
use headwater_types::ids::JobId;
use std::collections::{BTreeMap, BTreeSet};
use xxhash_rust::xxh3::xxh3_64;

/// Something that took time.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Span {
    /// The trace: the job's id.
    pub(super) trace: u128,
    /// Unique within the trace.
    pub(super) id: u64,
    /// The span it is part of.
    pub(super) parent: Option<u64>,
    /// What it is: Flink's name.
    pub(super) name: String,
    /// When it began, milliseconds since the epoch.
    pub(super) start_ms: i64,
    /// When it ended.
    pub(super) end_ms: i64,
    /// Why it failed.
    pub(super) error: Option<String>,
    /// What is known of it.
    pub(super) attributes: Vec<(&'static str, Attribute)>,
}

/// The value of an attribute.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Attribute {
    Text(String),
    Number(i64),
}

/// What was made spans of already. Of jobs and checkpoints that the cluster has forgotten nothing is kept.
#[derive(Default)]
pub(super) struct Reported {
    jobs: BTreeMap<JobId, Job>,
}

#[derive(Default)]
struct Job {
    checkpoints: BTreeSet<u64>,
    /// Attempts that have started.
    starts: usize,
}

impl Reported {
    /// What has ended since the last look.
    pub(super) fn look(&mut self, cluster: &dyn Cluster) -> Result<Vec<Span>> {
        let known: BTreeSet<JobId> = cluster.jobs()?.iter().map(|job| job.job).collect();
        self.jobs.retain(|job, _| known.contains(job));
        let mut spans = vec![];
        for id in known {
            let Some(details) = cluster.details(id)? else { continue };
            let history = cluster.checkpoints(id)?.history;
            let job = self.jobs.entry(id).or_default();
            spans.extend(job.started(&details));
            spans.extend(job.ended(&details, history.iter()));
        }
        Ok(spans)
    }
}

impl Job {
    /// The checkpoints that have ended.
    fn ended<'a>(
        &mut self,
        details: &JobDetails,
        history: impl Iterator<Item = &'a CheckpointStatistics>,
    ) -> Vec<Span> {
        let ended: Vec<_> = history.filter(|one| one.status != CheckpointStatus::InProgress).collect();
        let oldest = ended.iter().map(|one| one.checkpoint).min().unwrap_or(0);
        self.checkpoints.retain(|checkpoint| *checkpoint >= oldest);
        let new = ended.into_iter().filter(|one| self.checkpoints.insert(one.checkpoint));
        new.map(|one| checkpoint(details, one)).collect()
    }

    /// The last start of the job, when all of its tasks run for the first time since.
    fn started(&mut self, details: &JobDetails) -> Vec<Span> {
        let begins = |(state, _): &&(JobState, i64)| matches!(state, JobState::Created | JobState::Restarting);
        let starts = details.states.iter().filter(begins).count();
        let Some((_, start_ms)) = details.states.iter().rfind(begins) else { return vec![] };
        if starts <= self.starts {
            return vec![];
        }
        let running: Option<Vec<i64>> = details.subtasks.values().map(|attempts| ran_at(attempts.back()?)).collect();
        let Some(end_ms) = running.and_then(|running| running.into_iter().max()) else { return vec![] };
        self.starts = starts;
        initialisation(details, starts, *start_ms, end_ms.max(*start_ms))
    }
}

/// When an attempt began to run.
fn ran_at(attempt: &Attempt) -> Option<i64> {
    attempt.states.iter().find(|(state, _)| *state == TaskState::Running).map(|(_, at_ms)| *at_ms)
}

fn span(details: &JobDetails, name: &str, number: u64, (start_ms, end_ms): (i64, i64)) -> Span {
    let trace = details.summary.job.0;
    let id = xxh3_64(format!("{trace:032x}/{name}/{number}/{start_ms}").as_bytes()).max(1);
    let attributes = vec![
        ("jobId", Attribute::Text(details.summary.job.to_string())),
        ("jobName", Attribute::Text(details.summary.graph.name.clone())),
    ];
    Span { trace: trace.max(1), id, parent: None, name: name.to_owned(), start_ms, end_ms, error: None, attributes }
}

fn checkpoint(details: &JobDetails, one: &CheckpointStatistics) -> Span {
    let end_ms = one.triggered_ms.saturating_add(one.duration_ms.max(0));
    let mut span = span(details, "Checkpoint", one.checkpoint, (one.triggered_ms, end_ms));
    let number = |value: u64| Attribute::Number(i64::try_from(value).unwrap_or(i64::MAX));
    let status = if one.status == CheckpointStatus::Completed { "COMPLETED" } else { "FAILED" };
    let kind = if one.savepoint { "Savepoint" } else { "Checkpoint" };
    span.attributes.extend([
        ("checkpointId", number(one.checkpoint)),
        ("checkpointStatus", Attribute::Text(status.to_owned())),
        ("checkpointType", Attribute::Text(kind.to_owned())),
        ("checkpointedSize", number(one.checkpointed_bytes)),
        ("fullSize", number(one.state_bytes)),
        ("persistedData", number(one.overtaken_bytes)),
        ("maxAlignmentDurationMs", number(one.alignment_ms_max)),
        ("subtasks", number(u64::from(one.subtasks))),
    ]);
    if one.status == CheckpointStatus::Failed {
        span.error = Some(one.failure.clone().unwrap_or_else(|| "unknown".to_owned()));
    }
    span
}

/// The start of a job, with one span for each vertex: from the deployment of its first subtask until its last one ran.
fn initialisation(details: &JobDetails, starts: usize, start_ms: i64, end_ms: i64) -> Vec<Span> {
    let mut whole = span(details, "JobInitialization", starts as u64, (start_ms, end_ms));
    whole.attributes.extend([
        ("attempt", Attribute::Number(starts as i64)),
        ("subtasks", Attribute::Number(details.subtasks.len() as i64)),
    ]);
    let parent = whole.id;
    let mut spans = vec![whole];
    for vertex in &details.summary.graph.vertices {
        let of = details.subtasks.iter().filter(|(subtask, _)| subtask.vertex == vertex.id);
        let attempts: Vec<&Attempt> = of.filter_map(|(_, attempts)| attempts.back()).collect();
        let deployed = attempts.iter().flat_map(|attempt| &attempt.states);
        let deployed = deployed.filter(|(state, _)| *state == TaskState::Deploying).map(|(_, at_ms)| *at_ms).min();
        let (Some(from), Some(to)) = (deployed, attempts.iter().filter_map(|attempt| ran_at(attempt)).max()) else {
            continue;
        };
        let mut part = span(details, "VertexInitialization", u64::from(vertex.id.0), (from, to.max(from)));
        part.parent = Some(parent);
        part.attributes.push(("vertex", Attribute::Text(vertex.name.clone())));
        spans.push(part);
    }
    spans
}
