//! From counters to what each vertex did over the window.

use super::limits::Aggregator;
use headwater_plan::{JobGraph, OperatorSpec};
use headwater_runtime::OperatorSnapshot;
use headwater_types::ids::SubtaskId;
use std::collections::BTreeMap;

/// The counters of a job at one moment: totals since its tasks were deployed.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Sample {
    at_ms: i64,
    vertices: Vec<Totals>,
}

/// The totals of a vertex.
#[derive(Debug, Clone, Default, PartialEq)]
struct Totals {
    is_source: bool,
    /// Rows that its head received; of a source, those it read.
    rows_in: u64,
    /// Rows that its last operator emitted.
    rows_out: u64,
    /// Busy and idle time of each subtask, milliseconds.
    times: BTreeMap<SubtaskId, (u64, u64)>,
    /// The lowest watermark of its subtasks; `None` where it has none yet.
    watermark: Option<i64>,
}

/// What a vertex did over the window.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Load {
    pub(super) is_source: bool,
    /// Rows a second that it received; of a source, that it read.
    pub(super) rows_in: f64,
    /// Rows a second that it emitted.
    pub(super) rows_out: f64,
    /// The share of the time it worked, 0 to 1.
    pub(super) busy: f64,
    /// The share of the time it waited for input; of the subtask that waited least.
    pub(super) idle: f64,
    /// Of a source: how far it is behind, where that is known.
    pub(super) lag: Option<Lag>,
}

/// How far a source is behind the clock in event time.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Lag {
    pub(super) behind_ms: f64,
    /// Milliseconds of event time that it reads in one: below 1 it falls back further.
    pub(super) speed: f64,
}

impl Sample {
    /// The counters of a job's operators; `None` when some are missing, as while tasks start.
    pub(crate) fn of(graph: &JobGraph, at_ms: i64, operators: &[OperatorSnapshot]) -> Option<Self> {
        let mut vertices: Vec<Totals> = vec![Totals::default(); graph.vertices.len()];
        for operator in operators {
            let at = operator.subtask.vertex.0 as usize;
            let (vertex, totals) = (graph.vertices.get(at)?, vertices.get_mut(at)?);
            totals.add(vertex, operator);
        }
        let complete =
            |(vertex, totals): (&headwater_plan::Vertex, &Totals)| totals.times.len() == vertex.parallelism as usize;
        graph.vertices.iter().zip(&vertices).all(complete).then_some(Self { at_ms, vertices })
    }

    pub(super) fn at_ms(&self) -> i64 {
        self.at_ms
    }
}

impl Totals {
    fn add(&mut self, vertex: &headwater_plan::Vertex, operator: &OperatorSnapshot) {
        let is_head = operator.position == 0;
        let is_source = vertex.chain.first().is_some_and(|head| matches!(head.spec, OperatorSpec::Source(_)));
        self.is_source = is_source;
        if is_head {
            self.rows_in += if is_source { operator.rows_out } else { operator.rows_in };
        }
        if operator.position as usize + 1 == vertex.chain.len() {
            self.rows_out += operator.rows_out;
        }
        if let Some(task) = &operator.task {
            self.times.insert(operator.subtask, (task.busy_ms, task.idle_ms));
        }
        if is_head && is_source && operator.watermark > i64::MIN && operator.watermark < i64::MAX {
            self.watermark = Some(self.watermark.map_or(operator.watermark, |lowest| lowest.min(operator.watermark)));
        }
    }
}

/// What the vertices did between two samples; `None` when those are not of the same tasks.
pub(super) fn between(first: &Sample, last: &Sample, aggregator: Aggregator) -> Option<Vec<Load>> {
    let elapsed_ms = (last.at_ms > first.at_ms).then(|| (last.at_ms - first.at_ms) as f64)?;
    if first.vertices.len() != last.vertices.len() {
        return None;
    }
    let pairs = first.vertices.iter().zip(&last.vertices);
    pairs.map(|(before, after)| load(before, after, elapsed_ms, last.at_ms, aggregator)).collect()
}

fn load(before: &Totals, after: &Totals, elapsed_ms: f64, now_ms: i64, aggregator: Aggregator) -> Option<Load> {
    let rate = |before: u64, after: u64| Some(after.checked_sub(before)? as f64 / elapsed_ms * 1e3);
    let mut busy = vec![];
    let mut idle = 1.0f64;
    for (subtask, (busy_ms, idle_ms)) in &after.times {
        let (busy_before, idle_before) = before.times.get(subtask)?;
        let share = |before: u64, after: u64| Some((after.checked_sub(before)? as f64 / elapsed_ms).min(1.0));
        busy.push(share(*busy_before, *busy_ms)?);
        idle = idle.min(share(*idle_before, *idle_ms)?);
    }
    let lag = before.watermark.zip(after.watermark).map(|(earlier, later)| Lag {
        behind_ms: (now_ms.saturating_sub(later)).max(0) as f64,
        speed: later.saturating_sub(earlier) as f64 / elapsed_ms,
    });
    Some(Load {
        is_source: after.is_source,
        rows_in: rate(before.rows_in, after.rows_in)?,
        rows_out: rate(before.rows_out, after.rows_out)?,
        busy: aggregate(&busy, aggregator),
        idle,
        lag,
    })
}

fn aggregate(shares: &[f64], aggregator: Aggregator) -> f64 {
    match aggregator {
        Aggregator::Min => shares.iter().copied().fold(1.0, f64::min),
        Aggregator::Max => shares.iter().copied().fold(0.0, f64::max),
        Aggregator::Average => shares.iter().sum::<f64>() / shares.len().max(1) as f64,
    }
}
