//! Which parallelism a job gets: a pure function of its graph, what it was asked to have, and the slots there are.
//!
//! Subtask `i` of every vertex shares a slot, so a job with `n` slots runs every vertex at up to `n`. Some vertices are
//! bound: the ends of a forward edge have one parallelism, and a vertex that gathers all rows has one subtask.

use headwater_plan::{JobGraph, Partitioning};
use headwater_types::config::{Configuration, Key};
use headwater_types::ids::VertexId;
use headwater_types::{Error, Result};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

const SCHEDULER: Key = Key { name: "jobmanager.scheduler", default: "default" };
const MODE: Key = Key { name: "scheduler-mode", default: "" };
/// How long slots must be the same before a job is adapted to them.
const STABILIZATION: Key =
    Key { name: "jobmanager.adaptive-scheduler.executing.resource-stabilization-timeout", default: "1 s" };
/// How long a job that has too few slots waits for more before it makes do.
const SUBMISSION: Key =
    Key { name: "jobmanager.adaptive-scheduler.submission.resource-stabilization-timeout", default: "1 s" };
/// Least time between two changes that nobody asked for.
const COOLDOWN: Key = Key { name: "jobmanager.adaptive-scheduler.executing.cooldown-after-rescaling", default: "30 s" };
const HISTORY: Key = Key { name: "web.adaptive-scheduler.rescale-history.size", default: "5" };

/// The parallelism that a vertex may have: least and most.
pub type Bounds = (u32, u32);
/// The bounds of all vertices of a job.
pub type Requirements = BTreeMap<VertexId, Bounds>;

/// Who decides about the parallelism of a job.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mode {
    /// Its plan: it waits for its slots.
    Planned,
    /// Its plan, but it makes do with fewer slots.
    Adaptive,
    /// The slots: it uses all there are.
    Reactive,
}

/// How a job is adapted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Policy {
    pub(crate) mode: Mode,
    pub(crate) stabilization_ms: i64,
    pub(crate) submission_ms: i64,
    pub(crate) cooldown_ms: i64,
    pub(crate) history: usize,
}

impl Policy {
    /// What a configuration says.
    ///
    /// # Errors
    /// When a value makes no sense, naming its key.
    pub(crate) fn from_config(config: &Configuration) -> Result<Self> {
        let lower = |key: Key| config.text(key).trim().to_ascii_lowercase();
        let mode = match (lower(SCHEDULER).as_str(), lower(MODE).as_str()) {
            (_, "reactive") => Mode::Reactive,
            ("adaptive", "") => Mode::Adaptive,
            ("default" | "defaultscheduler" | "adaptivebatch", "") => Mode::Planned,
            (scheduler, mode) => {
                let message = format!(
                    "'{}' is '{scheduler}' and '{}' is '{mode}': expected default or adaptive, and reactive or nothing",
                    SCHEDULER.name, MODE.name
                );
                return Err(Error::user("bad-option", message));
            }
        };
        let millis = |key: Key| Ok::<_, Error>(i64::try_from(config.duration(key)?.as_millis()).unwrap_or(i64::MAX));
        Ok(Self {
            mode,
            stabilization_ms: millis(STABILIZATION)?,
            submission_ms: millis(SUBMISSION)?,
            cooldown_ms: millis(COOLDOWN)?,
            history: usize::try_from(config.integer(HISTORY)?).unwrap_or(0),
        })
    }
}

/// The bounds of every vertex: as they were asked for, else as the mode gives them.
pub(crate) fn bounds(graph: &JobGraph, planned: &[u32], asked: Option<&Requirements>, mode: Mode) -> Vec<Bounds> {
    let fixed = fixed(graph, planned);
    let one = |((vertex, planned), is_fixed): ((&headwater_plan::Vertex, &u32), bool)| {
        let gathers = gathers(graph, vertex.id);
        match (asked.and_then(|asked| asked.get(&vertex.id)), mode) {
            _ if gathers => (1, 1),
            (Some(bounds), _) => *bounds,
            (None, Mode::Planned) => (*planned, *planned),
            (None, Mode::Reactive) if !is_fixed => (1, graph.max_parallelism),
            (None, _) => (1, *planned),
        }
    };
    graph.vertices.iter().zip(planned).zip(fixed).map(one).collect()
}

/// The vertices that keep their one subtask. Of a job that is parallel, what is not has a reason.
pub(crate) fn fixed(graph: &JobGraph, planned: &[u32]) -> Vec<bool> {
    let widest = planned.iter().copied().max().unwrap_or(1);
    let fixed =
        |(vertex, planned): (&headwater_plan::Vertex, &u32)| gathers(graph, vertex.id) || (*planned == 1 && widest > 1);
    graph.vertices.iter().zip(planned).map(fixed).collect()
}

/// The parallelism of every vertex with so many slots; `None` when they are too few.
pub(crate) fn fit(graph: &JobGraph, bounds: &[Bounds], slots: u32) -> Option<Vec<u32>> {
    let mut fitted = vec![1; bounds.len()];
    for group in groups(graph) {
        let lower = group.iter().map(|vertex| bounds[*vertex].0).max().unwrap_or(1);
        let upper = group.iter().map(|vertex| bounds[*vertex].1).min().unwrap_or(1).max(lower);
        let parallelism = upper.min(slots).min(graph.max_parallelism);
        if parallelism < lower {
            return None;
        }
        group.into_iter().for_each(|vertex| fitted[vertex] = parallelism);
    }
    Some(fitted)
}

/// The slots that a job needs at least.
pub(crate) fn slots_min(bounds: &[Bounds]) -> u32 {
    bounds.iter().map(|(lower, _)| *lower).max().unwrap_or(1)
}

/// Refuses bounds that make no sense for a job.
pub(crate) fn check(graph: &JobGraph, asked: &Requirements) -> Result<()> {
    for (vertex, (lower, upper)) in asked {
        let known = graph.vertices.get(vertex.0 as usize);
        let name = known.map_or("that there is not", |vertex| vertex.name.as_str());
        if known.is_none() || *lower == 0 || lower > upper || *upper > graph.max_parallelism {
            let message = format!(
                "the bounds {lower} to {upper} of vertex {} ({name}) are none: expected 1 <= lower <= upper <= {}",
                vertex.0, graph.max_parallelism
            );
            return Err(Error::user("bad-resource-requirements", message));
        }
    }
    Ok(())
}

/// Whether one subtask of a vertex gets all rows of an input.
fn gathers(graph: &JobGraph, vertex: VertexId) -> bool {
    graph.edges.iter().any(|edge| edge.target == vertex && edge.partitioning == Partitioning::Global)
}

/// Vertices that have one parallelism, because forward edges join them.
pub(crate) fn groups(graph: &JobGraph) -> Vec<Vec<usize>> {
    let mut group_of: Vec<usize> = (0..graph.vertices.len()).collect();
    for edge in graph.edges.iter().filter(|edge| edge.partitioning == Partitioning::Forward) {
        let at = |vertex: VertexId| group_of.get(vertex.0 as usize).copied();
        if let (Some(a), Some(b)) = (at(edge.source), at(edge.target)) {
            let (from, to) = (a.max(b), a.min(b));
            group_of.iter_mut().filter(|group| **group == from).for_each(|group| *group = to);
        }
    }
    let mut groups: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
    group_of.into_iter().enumerate().for_each(|(vertex, group)| groups.entry(group).or_default().push(vertex));
    groups.into_values().collect()
}

/// Why the parallelism of a job changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum RescaleCause {
    /// Somebody gave it other bounds.
    Requirements,
    /// There are other slots.
    Slots,
}

/// A change of the parallelism of a job.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rescale {
    /// Tells it from others of the job; rises.
    pub number: u64,
    /// Why.
    pub cause: RescaleCause,
    /// The bounds of each vertex at that time.
    pub bounds: Vec<Bounds>,
    /// The parallelism of each vertex before.
    pub before: Vec<u32>,
    /// The parallelism of each vertex after it.
    pub after: Vec<u32>,
    /// When it began, milliseconds since the epoch.
    pub started_ms: i64,
    /// When all tasks ran again; `None` while they do not.
    pub ended_ms: Option<i64>,
    /// Why it was given up, if it was.
    pub failure: Option<String>,
}

#[cfg(test)]
mod tests;
