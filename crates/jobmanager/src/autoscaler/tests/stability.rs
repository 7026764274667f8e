//! Under a constant load the parallelism comes to rest.

use super::model::graph;
use super::{Limits, Model, Shape, limits};
use crate::autoscaler::{Sample, Scaler};
use headwater_plan::JobGraph;
use proptest::prelude::*;

const HOUR_MS: i64 = 3_600_000;
const STEP_MS: i64 = 10_000;

/// A job under the scaler, whose wishes are met at once.
struct Scaled {
    model: Model,
    graph: JobGraph,
    scaler: Scaler,
    /// When it changed, and to which parallelism.
    changes: Vec<(i64, [u32; 3])>,
}

impl Scaled {
    fn new(model: Model, limits: Limits) -> Self {
        let mut graph = graph(2);
        set(&mut graph, model.parallelism());
        Self { model, graph, scaler: Scaler::new(limits), changes: vec![] }
    }

    fn run(&mut self, from_ms: i64, to_ms: i64, noise: &[f64]) {
        for (step, now_ms) in (from_ms..to_ms).step_by(STEP_MS as usize).enumerate() {
            self.model.pass(now_ms, noise[step % noise.len()]);
            if self.scaler.next_ms() > now_ms {
                continue;
            }
            self.scaler.rest(now_ms);
            let sample = Sample::of(&self.graph, now_ms, &self.model.counters()).unwrap();
            let shape = Shape::of(&self.graph, &[2; 3]);
            if let Some(asked) = self.scaler.observe(&shape, 0, sample, None) {
                let bounds: Vec<u32> = asked.values().map(|(_, upper)| *upper).collect();
                let parallelism = [bounds[0], bounds[1], bounds[2]];
                self.model.deploy(parallelism);
                set(&mut self.graph, parallelism);
                self.changes.push((now_ms, parallelism));
            }
        }
    }
}

fn set(graph: &mut JobGraph, parallelism: [u32; 3]) {
    graph.vertices.iter_mut().zip(parallelism).for_each(|(vertex, to)| vertex.parallelism = to);
}

/// How often a vertex that grew shrinks, or the other way round.
fn reversals(start: [u32; 3], changes: &[(i64, [u32; 3])]) -> usize {
    let reversals_of = |vertex: usize| {
        let all: Vec<u32> = std::iter::once(start[vertex]).chain(changes.iter().map(|(_, to)| to[vertex])).collect();
        let mut directions: Vec<bool> = all.windows(2).filter(|w| w[0] != w[1]).map(|w| w[1] > w[0]).collect();
        directions.dedup();
        directions.len().saturating_sub(1)
    };
    (0..3).map(reversals_of).max().unwrap_or(0)
}

#[test]
fn a_job_follows_its_load_up_and_down() {
    let mut job = Scaled::new(Model::new(20.0, [80.0, 30.0, 60.0], [1, 1, 1], true), limits(&[]));
    job.run(0, 2 * HOUR_MS, &[1.0]);
    assert_eq!(job.changes, []);
    job.model.rate = 100.0;
    job.run(2 * HOUR_MS, 12 * HOUR_MS, &[1.0]);
    let changes = job.changes.len();
    assert!(job.model.utilization().iter().all(|share| (0.35..0.95).contains(share)), "{:?}", job.changes);
    job.run(12 * HOUR_MS, 20 * HOUR_MS, &[1.0]);
    assert_eq!(job.changes.len(), changes, "it rests: {:?}", job.changes);
    job.model.rate = 20.0;
    job.run(20 * HOUR_MS, 21 * HOUR_MS, &[1.0]);
    assert_eq!(job.changes.len(), changes, "it does not shrink within the hour: {:?}", job.changes);
    job.run(21 * HOUR_MS, 30 * HOUR_MS, &[1.0]);
    assert_eq!(job.model.parallelism(), [1, 1, 1], "{:?}", job.changes);
}

#[test]
fn a_short_lull_shrinks_nothing() {
    let mut job = Scaled::new(Model::new(100.0, [300.0, 50.0, 300.0], [1, 3, 1], false), limits(&[]));
    for hour in 0..6 {
        job.model.rate = 10.0;
        job.run(hour * HOUR_MS, hour * HOUR_MS + HOUR_MS / 2, &[1.0]);
        job.model.rate = 100.0;
        job.run(hour * HOUR_MS + HOUR_MS / 2, (hour + 1) * HOUR_MS, &[1.0]);
    }
    assert_eq!(job.changes, []);
}

#[test]
fn what_was_declared_and_waits_for_slots_is_not_declared_again() {
    let graph = graph(2);
    let mut model = Model::new(100.0, [80.0, 30.0, 60.0], [2, 2, 2], false);
    let mut scaler = Scaler::new(limits(&[]));
    let (mut declared, mut times) = (None, 0);
    for now_ms in (0..2 * HOUR_MS).step_by(STEP_MS as usize) {
        model.pass(now_ms, 1.0);
        let sample = Sample::of(&graph, now_ms, &model.counters()).unwrap();
        let asked = scaler.observe(&Shape::of(&graph, &[2; 3]), 0, sample, declared.as_ref());
        times += usize::from(asked.is_some());
        declared = asked.or(declared);
    }
    assert_eq!(times, 1, "{declared:?}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn a_constant_load_leads_to_rest(
        rate in 1.0..500.0f64,
        capacity in prop::array::uniform3(5.0..500.0f64),
        start in prop::array::uniform3(1..12u32),
        has_time in any::<bool>(),
        noise in prop::collection::vec(0.95..1.05f64, 1..40),
    ) {
        let mut job = Scaled::new(Model::new(rate, capacity, start, has_time), limits(&[]));
        job.run(0, 40 * HOUR_MS, &noise);
        let settled = job.changes.len();
        prop_assert!(reversals(start, &job.changes) <= 1, "from {start:?}: {:?}", job.changes);
        job.run(40 * HOUR_MS, 60 * HOUR_MS, &noise);
        prop_assert_eq!(job.changes.len(), settled, "it never rests: {:?}", &job.changes);
        for (vertex, utilization) in job.model.utilization().into_iter().enumerate() {
            let parallelism = job.model.parallelism()[vertex];
            prop_assert!(utilization < 1.0 || parallelism == 128, "{vertex} is too small: {:?}", job.changes);
            // One subtask less would be too few, or it is within the limits.
            let fitting = (utilization * f64::from(parallelism) / 0.7 * 0.94).ceil() as u32;
            prop_assert!(utilization > 0.35 || parallelism <= fitting + 1, "{vertex} is too large: {:?}", job.changes);
        }
    }
}
