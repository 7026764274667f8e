//! What is known of a run, in the words of lineage.

use headwater_checkpoint::{CheckpointStatistics, Statistics};
use headwater_jobmanager::{Failure, JobDetails, JobState, JobSummary, OperatorTotals, totals};
use headwater_lineage::event::timestamp;
use headwater_lineage::model::{Checkpoint, Checkpoints, ErrorMessage, EventType, RunHealth};
use headwater_lineage::{Observation, Traffic};
use headwater_plan::{JobGraph, OperatorSpec};
use headwater_runtime::OperatorSnapshot;
use headwater_types::Error;
use std::collections::BTreeMap;

/// Longest error message, in characters.
const MESSAGE_MAX: usize = 4_000;

/// Answers of the JobManager about a job.
pub(super) struct Asked<'a> {
    /// Its failures and states.
    pub details: Option<JobDetails>,
    /// Its counters.
    pub operators: Vec<OperatorSnapshot>,
    /// Its checkpoints.
    pub statistics: &'a Statistics,
}

/// The observation of a moment.
pub(super) fn observe(event_type: EventType, at_ms: i64, summary: &JobSummary, asked: &Asked<'_>) -> Observation {
    let totals = totals(&asked.operators);
    let (inputs, outputs) = traffic(&summary.graph, &totals);
    let latest = latest(asked.statistics);
    Observation {
        health: health(summary, asked, &totals),
        checkpoints: Some(checkpoints(asked.statistics)),
        committed: latest.map(|c| (c.checkpoint, c.triggered_ms + c.duration_ms)),
        inputs,
        outputs,
        error: (event_type == EventType::Fail).then(|| error(summary, asked)),
        ..Observation::new(event_type, at_ms)
    }
}

/// The latest completed checkpoint or savepoint.
pub(super) fn latest(statistics: &Statistics) -> Option<&CheckpointStatistics> {
    let all = statistics.latest_completed.iter().chain(&statistics.latest_savepoint);
    all.max_by_key(|checkpoint| checkpoint.checkpoint)
}

fn checkpoints(statistics: &Statistics) -> Checkpoints {
    let counts = statistics.counts;
    Checkpoints {
        completed: counts.completed,
        failed: counts.failed,
        in_progress: counts.in_progress,
        restored: counts.restored,
        total: counts.total,
        latest: latest(statistics).map(|latest| Checkpoint {
            id: latest.checkpoint,
            triggered_at: timestamp(latest.triggered_ms),
            duration_ms: latest.duration_ms,
            state_bytes: latest.state_bytes,
            savepoint: latest.savepoint,
            path: latest.path.clone(),
        }),
    }
}

fn health(summary: &JobSummary, asked: &Asked<'_>, totals: &[OperatorTotals]) -> RunHealth {
    let failures = asked.details.iter().flat_map(|details| &details.failures);
    let last = failures.clone().next();
    let first = failures.last();
    RunHealth {
        state: summary.state.to_string(),
        // Every failure but one that ended the job restarted it.
        restarts: restarts(summary, asked.details.as_ref()),
        restart_cause: last.map(|failure| cut(failure.error.message())),
        failed_operator: first.and_then(|failure| operator(&summary.graph, failure)),
        late_rows_dropped: totals.iter().map(|operator| operator.late_rows_dropped).sum(),
        bad_records: totals.iter().map(|operator| operator.bad_records).sum(),
        events_dropped: 0,
    }
}

fn restarts(summary: &JobSummary, details: Option<&JobDetails>) -> u32 {
    let failures = details.map_or(0, |details| details.failures.len());
    let ended_it = usize::from(matches!(summary.state, JobState::Failed | JobState::Failing));
    u32::try_from(failures.saturating_sub(ended_it)).unwrap_or(u32::MAX)
}

/// The operators of the subtask that failed.
fn operator(graph: &JobGraph, failure: &Failure) -> Option<String> {
    let vertex = failure.subtask?.vertex;
    graph.vertices.iter().find(|candidate| candidate.id == vertex).map(|vertex| vertex.name.clone())
}

/// Why the job failed, and where first.
fn error(summary: &JobSummary, asked: &Asked<'_>) -> ErrorMessage {
    let failure = asked.details.as_ref().and_then(|details| details.failures.front());
    let root = asked.details.as_ref().and_then(|details| details.root_cause.clone());
    let cause = root.or_else(|| failure.map(|failure| failure.error.clone()));
    let cause = cause.unwrap_or_else(|| Error::internal("the job failed without a cause"));
    let mut trace = vec![format!("{}: {}", cause.code(), cause.message())];
    if let Some(failure) = failure
        && let Some(name) = operator(&summary.graph, failure)
    {
        let subtask = failure.subtask.map(|subtask| subtask.index).unwrap_or_default();
        trace.push(format!("at the operator '{name}', subtask {subtask}"));
    }
    let mut source = std::error::Error::source(&cause);
    while let Some(inner) = source {
        trace.push(format!("caused by: {inner}"));
        source = inner.source();
    }
    ErrorMessage {
        message: cut(cause.message()),
        programming_language: "RUST".to_owned(),
        stack_trace: Some(cut(&trace.join("\n"))),
    }
}

fn cut(text: &str) -> String {
    match text.char_indices().nth(MESSAGE_MAX) {
        None => text.to_owned(),
        Some((end, _)) => format!("{}...", &text[..end]),
    }
}

type ByTable = BTreeMap<String, Traffic>;

/// What sources have read and sinks have written, by table.
fn traffic(graph: &JobGraph, totals: &[OperatorTotals]) -> (ByTable, ByTable) {
    let (mut inputs, mut outputs) = (ByTable::new(), ByTable::new());
    for vertex in &graph.vertices {
        let in_vertex = || totals.iter().filter(|total| total.vertex == vertex.id);
        for (position, node) in vertex.chain.iter().enumerate() {
            let Some(total) = in_vertex().find(|total| total.position as usize == position) else { continue };
            // A watermark may be made behind the source and shown before the sink, in the same chain.
            let watermark = in_vertex().filter_map(|total| known(total.watermark)).max();
            match &node.spec {
                OperatorSpec::Source(source) => {
                    add(inputs.entry(source.table.path.join(".")).or_default(), total.rows_out, total.bytes, watermark);
                }
                OperatorSpec::Sink(sink) => {
                    add(outputs.entry(sink.table.path.join(".")).or_default(), total.rows_in, total.bytes, watermark);
                }
                _ => {}
            }
        }
    }
    (inputs, outputs)
}

/// A watermark that is a time: neither that of the beginning nor that of the end.
fn known(watermark: i64) -> Option<i64> {
    let is_time = watermark > headwater_types::MIN_WATERMARK && watermark < i64::MAX;
    is_time.then_some(watermark)
}

fn add(traffic: &mut Traffic, rows: u64, bytes: u64, watermark: Option<i64>) {
    let earliest = traffic.watermark_ms.into_iter().chain(watermark).min();
    *traffic = Traffic { rows: traffic.rows + rows, bytes: traffic.bytes + bytes, watermark_ms: earliest };
}
