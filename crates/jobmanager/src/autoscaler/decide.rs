//! From demands to a parallelism.

use super::demand::demands;
use super::limits::Limits;
use super::load::Load;
use crate::rescale::{fixed, groups};
use headwater_plan::JobGraph;

/// What rounding may add to a quotient.
const ROUNDING: f64 = 1e-6;

/// What of a job's graph matters here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Shape {
    /// From vertex to vertex.
    pub(super) edges: Vec<(usize, usize)>,
    /// Vertices that have one parallelism.
    pub(super) groups: Vec<Vec<usize>>,
    /// Vertices that keep one subtask.
    pub(super) single: Vec<bool>,
    /// The parallelism of each vertex.
    pub(super) parallelism: Vec<u32>,
    pub(super) max_parallelism: u32,
}

impl Shape {
    /// `planned` is the parallelism of its plan.
    pub(crate) fn of(graph: &JobGraph, planned: &[u32]) -> Self {
        let edges = graph.edges.iter().map(|edge| (edge.source.0 as usize, edge.target.0 as usize)).collect();
        Self {
            edges,
            groups: groups(graph),
            single: fixed(graph, planned),
            parallelism: graph.vertices.iter().map(|vertex| vertex.parallelism).collect(),
            max_parallelism: graph.max_parallelism,
        }
    }
}

/// The parallelism that each vertex should have.
pub(super) fn decide(shape: &Shape, loads: &[Load], limits: &Limits) -> Vec<u32> {
    let demands = demands(loads, &shape.edges, limits.catch_up_ms);
    let utilizations: Vec<f64> =
        loads.iter().zip(&demands).map(|(load, demand)| load.utilization_at(*demand)).collect();
    let is_behind = loads.iter().any(Load::is_behind);
    let mut wanted = shape.parallelism.clone();
    for group in &shape.groups {
        if group.iter().any(|vertex| shape.single[*vertex]) {
            continue;
        }
        let busiest = |of: &dyn Fn(usize) -> f64| group.iter().map(|vertex| of(*vertex)).fold(0.0, f64::max);
        let (utilization, busy) = (busiest(&|vertex| utilizations[vertex]), busiest(&|vertex| loads[vertex].busy));
        let present = group.iter().map(|vertex| shape.parallelism[*vertex]).max().unwrap_or(1);
        let parallelism = within(present, utilization, is_behind || busy > limits.max, limits, shape.max_parallelism);
        group.iter().for_each(|vertex| wanted[*vertex] = parallelism);
    }
    wanted
}

/// The parallelism of a group that has this one and this utilization.
fn within(present: u32, utilization: f64, is_needed: bool, limits: &Limits, max_parallelism: u32) -> u32 {
    let (least, most) = (limits.parallelism_min.min(max_parallelism), limits.parallelism_max.min(max_parallelism));
    let fitting = (f64::from(present) * utilization / limits.target - ROUNDING).ceil();
    let at_most = (f64::from(present) * (1.0 + limits.scale_up_factor)).ceil();
    let at_least = (f64::from(present) * (1.0 - limits.scale_down_factor) - ROUNDING).ceil();
    let wanted = match () {
        () if utilization > limits.max => fitting.min(at_most).max(f64::from(present)),
        () if utilization < limits.min && !is_needed => fitting.max(at_least).min(f64::from(present)),
        () => f64::from(present),
    };
    // Saturates, and is within the bounds of a job then.
    (wanted as u32).clamp(least, most)
}
