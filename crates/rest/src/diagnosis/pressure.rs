//! Back-pressure: operators that wait for room, and the one at the end of the chain that they wait for.

use super::{Facts, Finding, Flow, Severity};
use crate::metrics::Rate;
use headwater_types::ids::{SubtaskId, VertexId};

/// Milliseconds a second without room for output from which on a subtask is held up.
const HELD_UP_MS: f64 = 500.0;
/// How much busier than the others on average the busiest subtask is where keys are skewed.
const SKEW: f64 = 3.0;

pub(super) fn findings(facts: &Facts<'_>, flow: &Flow<'_>) -> Vec<Finding> {
    let graph = &facts.details.summary.graph;
    let is_held_up = |vertex: VertexId| worst(facts, flow, vertex, |rate| rate.backpressured_ms).1 > HELD_UP_MS;
    let is_blocker = |vertex: VertexId| {
        let mut senders = graph.edges.iter().filter(|edge| edge.target == vertex);
        !is_held_up(vertex) && senders.any(|edge| is_held_up(edge.source))
    };
    let blockers = graph.vertices.iter().map(|vertex| vertex.id).filter(|vertex| is_blocker(*vertex));
    blockers.map(|vertex| blocked_by(facts, flow, vertex, &is_held_up)).collect()
}

/// The chain of those that are held up, from the source to what holds them up.
fn blocked_by(facts: &Facts<'_>, flow: &Flow<'_>, vertex: VertexId, is_held_up: &dyn Fn(VertexId) -> bool) -> Finding {
    let graph = &facts.details.summary.graph;
    let mut chain = vec![];
    let mut at = vertex;
    while let Some(edge) = graph.edges.iter().find(|edge| edge.target == at && is_held_up(edge.source)) {
        at = edge.source;
        let (_, ms) = worst(facts, flow, at, |rate| rate.backpressured_ms);
        chain.push(format!("{} ({:.0} %)", facts.name(at), ms / 10.0));
    }
    chain.reverse();
    let (busiest, busy_ms) = worst(facts, flow, vertex, |rate| rate.busy_ms);
    let message = format!(
        "{} holds up those before it: it is busy {:.0} % of the time, and they wait for it: {}.",
        facts.name(vertex),
        busy_ms / 10.0,
        chain.join(" -> ")
    );
    let finding = Finding::new("back-pressure", Severity::Warning, message, advice(facts, flow, vertex, busy_ms));
    match busiest {
        Some(subtask) => finding.subtask(facts, subtask),
        None => finding.at(facts, vertex),
    }
}

fn advice(facts: &Facts<'_>, flow: &Flow<'_>, vertex: VertexId, busy_ms: f64) -> String {
    let (sum, count) = flow.subtasks(vertex).fold((0.0, 0), |(sum, count), subtask| {
        (sum + facts.rates.get(&subtask).map_or(0.0, |rate| rate.busy_ms), count + 1)
    });
    let others = (sum - busy_ms) / f64::from(count - 1).max(1.0);
    if count > 1 && busy_ms > SKEW * others {
        return format!(
            "One subtask does most of the work ({:.0} % busy, the others {:.0} % on average): its keys come up more often than \
             others. Aggregate in two phases ('table.optimizer.agg-phase-strategy'), or split those keys.",
            busy_ms / 10.0,
            others / 10.0
        );
    }
    match busy_ms > HELD_UP_MS {
        true => "It needs more processors: raise the parallelism, or look at what it does with a profiler.".to_owned(),
        false => {
            "It is not busy itself: it waits for what it writes to, or looks up in. Look at that system.".to_owned()
        }
    }
}

/// The subtask of a vertex with the largest value.
fn worst(facts: &Facts<'_>, flow: &Flow<'_>, vertex: VertexId, of: fn(&Rate) -> f64) -> (Option<SubtaskId>, f64) {
    let rates = flow.subtasks(vertex).filter_map(|subtask| Some((subtask, of(facts.rates.get(&subtask)?))));
    rates.fold((None, 0.0), |worst, (subtask, value)| match value > worst.1 {
        true => (Some(subtask), value),
        false => worst,
    })
}
