//! Vertices and subtasks.

use super::states::{self, Span};
use super::stats::spread;
use crate::cluster::{Attempt, JobDetails, OperatorSnapshot, Place, TaskManagerInfo};
use crate::messages::vertex as messages;
use crate::messages::vertex::IoMetrics;
use crate::metrics::{self, Rate};
use headwater_plan::{OperatorSpec, Vertex};
use headwater_types::ids::SubtaskId;
use std::collections::BTreeMap;

/// The counters of a job's subtasks.
#[derive(Default)]
pub(crate) struct Counters {
    operators: BTreeMap<SubtaskId, Vec<OperatorSnapshot>>,
    rates: BTreeMap<SubtaskId, Rate>,
}

/// Where subtasks run.
pub(crate) struct Places {
    known: BTreeMap<SubtaskId, Place>,
    other: Place,
}

impl Places {
    /// Those that are known; others are at the first TaskManager.
    pub(crate) fn new(known: BTreeMap<SubtaskId, Place>, managers: &[TaskManagerInfo]) -> Self {
        let first = managers.first();
        let other = Place {
            task_manager: first.map_or("(unassigned)".to_owned(), |manager| manager.id.clone()),
            endpoint: first.map_or("(unassigned)".to_owned(), |manager| manager.endpoint.clone()),
        };
        Self { known, other }
    }

    /// Where a subtask runs.
    pub(crate) fn of(&self, subtask: SubtaskId) -> &Place {
        self.known.get(&subtask).unwrap_or(&self.other)
    }
}

impl Counters {
    pub(crate) fn new(operators: Vec<OperatorSnapshot>, rates: BTreeMap<SubtaskId, Rate>) -> Self {
        let mut by_subtask: BTreeMap<_, Vec<_>> = BTreeMap::new();
        for operator in operators {
            by_subtask.entry(operator.subtask).or_default().push(operator);
        }
        by_subtask.values_mut().for_each(|operators| operators.sort_by_key(|operator| operator.position));
        Self { operators: by_subtask, rates }
    }

    /// What Flink shows beside a subtask.
    pub(crate) fn io(&self, vertex: &Vertex, subtask: SubtaskId) -> IoMetrics {
        let operators = self.operators.get(&subtask).map_or(&[][..], Vec::as_slice);
        let (Some(head), Some(tail)) = (operators.first(), operators.last()) else { return IoMetrics::default() };
        let task = head.task.unwrap_or_default();
        let bytes = |is: fn(&OperatorSpec) -> bool| -> u64 {
            let of = vertex.chain.iter().zip(operators).filter(|(node, _)| is(&node.spec));
            of.map(|(_, operator)| operator.bytes).sum()
        };
        IoMetrics {
            read_bytes: bytes(|spec| matches!(spec, OperatorSpec::Source(_))),
            read_bytes_complete: true,
            write_bytes: bytes(|spec| matches!(spec, OperatorSpec::Sink(_))),
            write_bytes_complete: true,
            read_records: head.rows_in,
            read_records_complete: true,
            write_records: tail.rows_out,
            write_records_complete: true,
            accumulated_backpressured_time: task.backpressured_ms,
            accumulated_idle_time: task.idle_ms,
            accumulated_busy_time: task.busy_ms as f64,
        }
    }

    /// The metrics of a subtask.
    pub(crate) fn metrics(&self, vertex: &Vertex, subtask: SubtaskId) -> Vec<metrics::Value> {
        metrics::subtask(vertex, &self.operators(subtask), self.rate(subtask))
    }

    /// The counters of a subtask's operators, in chain order.
    pub(crate) fn operators(&self, subtask: SubtaskId) -> Vec<&OperatorSnapshot> {
        self.operators.get(&subtask).into_iter().flatten().collect()
    }

    /// How a subtask spends its time.
    pub(crate) fn rate(&self, subtask: SubtaskId) -> Rate {
        self.rates.get(&subtask).copied().unwrap_or_default()
    }

    /// The watermark that a subtask has received; none before the first.
    pub(crate) fn watermark(&self, subtask: SubtaskId) -> Option<i64> {
        let head = self.operators.get(&subtask)?.first()?;
        Some(head.watermark).filter(|watermark| *watermark != headwater_types::MIN_WATERMARK)
    }
}

/// The sum of counters.
pub(crate) fn sum(metrics: impl Iterator<Item = IoMetrics>) -> IoMetrics {
    let mut sum: Option<IoMetrics> = None;
    for one in metrics {
        let Some(sum) = &mut sum else {
            sum = Some(one);
            continue;
        };
        sum.read_bytes += one.read_bytes;
        sum.read_bytes_complete &= one.read_bytes_complete;
        sum.write_bytes += one.write_bytes;
        sum.write_bytes_complete &= one.write_bytes_complete;
        sum.read_records += one.read_records;
        sum.read_records_complete &= one.read_records_complete;
        sum.write_records += one.write_records;
        sum.write_records_complete &= one.write_records_complete;
        sum.accumulated_backpressured_time += one.accumulated_backpressured_time;
        sum.accumulated_idle_time += one.accumulated_idle_time;
        sum.accumulated_busy_time += one.accumulated_busy_time;
    }
    sum.unwrap_or_default()
}

/// The subtasks of a vertex with their present attempts.
pub(crate) fn attempts<'a>(job: &'a JobDetails, vertex: &Vertex) -> impl Iterator<Item = (SubtaskId, &'a Attempt)> {
    let id = vertex.id;
    let of = job.subtasks.iter().filter(move |(subtask, _)| subtask.vertex == id);
    of.filter_map(|(subtask, attempts)| attempts.back().map(|attempt| (*subtask, attempt)))
}

/// A subtask in one of its attempts.
pub(crate) fn subtask(
    vertex: &Vertex,
    subtask: SubtaskId,
    attempt: &Attempt,
    counters: &Counters,
    places: &Places,
    now_ms: i64,
) -> messages::SubtaskDetails {
    let (span, place) = (Span::of(attempt, now_ms), places.of(subtask));
    messages::SubtaskDetails {
        subtask: subtask.index,
        status: states::task(attempt.state()),
        attempt: attempt.number,
        endpoint: place.endpoint.clone(),
        start_time: span.start_ms,
        end_time: span.end_ms,
        duration: span.duration_ms,
        metrics: counters.io(vertex, subtask),
        taskmanager_id: place.task_manager.clone(),
        status_duration: states::task_durations(attempt, now_ms),
        start_time_older: span.start_ms,
    }
}

/// The spread over subtasks.
pub(crate) fn aggregated(subtasks: &[&messages::SubtaskDetails]) -> messages::Aggregated {
    type Field = (&'static str, fn(&IoMetrics) -> i64);
    const FIELDS: [Field; 7] = [
        ("read-bytes", |io| io.read_bytes as i64),
        ("write-bytes", |io| io.write_bytes as i64),
        ("read-records", |io| io.read_records as i64),
        ("write-records", |io| io.write_records as i64),
        ("accumulated-backpressured-time", |io| io.accumulated_backpressured_time as i64),
        ("accumulated-idle-time", |io| io.accumulated_idle_time as i64),
        ("accumulated-busy-time", |io| io.accumulated_busy_time as i64),
    ];
    let of = |(name, field): Field| (name, spread(subtasks.iter().map(|subtask| field(&subtask.metrics))));
    let states = subtasks.first().into_iter().flat_map(|subtask| subtask.status_duration.keys().copied());
    let in_state = |state: &'static str| {
        (state, spread(subtasks.iter().filter_map(|subtask| subtask.status_duration.get(state).copied())))
    };
    messages::Aggregated {
        metrics: FIELDS.into_iter().map(of).collect(),
        status_duration: states.map(in_state).collect(),
    }
}

/// The subtasks of a vertex by TaskManager.
pub(crate) fn by_task_manager(subtasks: &[messages::SubtaskDetails], now_ms: i64) -> Vec<messages::VertexTaskManager> {
    let mut managers: BTreeMap<&str, Vec<&messages::SubtaskDetails>> = BTreeMap::new();
    for subtask in subtasks {
        managers.entry(&subtask.taskmanager_id).or_default().push(subtask);
    }
    let one = |(id, subtasks): (&str, Vec<&messages::SubtaskDetails>)| {
        let status_counts = states::counts(subtasks.iter().map(|subtask| subtask.status));
        let span = |subtask: &&messages::SubtaskDetails| Span {
            start_ms: subtask.start_time,
            end_ms: subtask.end_time,
            duration_ms: subtask.duration,
        };
        let span = Span::over(&subtasks.iter().map(span).collect::<Vec<_>>(), now_ms);
        messages::VertexTaskManager {
            endpoint: subtasks[0].endpoint.clone(),
            status: states::of_vertex(&status_counts),
            start_time: span.start_ms,
            end_time: span.end_ms,
            duration: span.duration_ms,
            metrics: sum(subtasks.iter().map(|subtask| subtask.metrics)),
            status_counts,
            taskmanager_id: id.to_owned(),
            aggregated: aggregated(&subtasks),
        }
    };
    managers.into_iter().map(one).collect()
}

/// How the subtasks of a vertex spend their time.
pub(crate) fn back_pressure(
    subtasks: impl Iterator<Item = SubtaskId>,
    counters: &Counters,
    now_ms: i64,
) -> messages::BackPressure {
    let of = |subtask: SubtaskId| {
        let rate = counters.rate(subtask);
        let level = level(rate.backpressured_ms / 1000.0);
        messages::SubtaskBackPressure {
            subtask: subtask.index,
            backpressure_level: level,
            ratio: rate.backpressured_ms / 1000.0,
            idle_ratio: rate.idle_ms / 1000.0,
            busy_ratio: rate.busy_ms / 1000.0,
            backpressure_level_older: level,
        }
    };
    let subtasks: Vec<_> = subtasks.map(of).collect();
    let worst = level(subtasks.iter().map(|subtask| subtask.ratio).fold(0.0, f64::max));
    messages::BackPressure {
        status: "ok",
        backpressure_level: worst,
        end_timestamp: now_ms,
        subtasks,
        backpressure_level_older: worst,
    }
}

/// Flink's levels.
fn level(ratio: f64) -> &'static str {
    match ratio {
        ratio if ratio <= 0.10 => "ok",
        ratio if ratio <= 0.5 => "low",
        _ => "high",
    }
}
