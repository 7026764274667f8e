//! When a decision is made, and which of them are carried out.

use super::decide::{Shape, decide};
use super::limits::Limits;
use super::load::{Sample, between};
use crate::rescale::Requirements;
use headwater_types::Result;
use headwater_types::config::Configuration;
use headwater_types::ids::VertexId;
use std::collections::VecDeque;

/// Samples of a window.
const SAMPLES: i64 = 10;
/// Bounds of the time between two samples.
const SAMPLE_MS: (i64, i64) = (50, 30_000);

/// Watches one job.
#[derive(Debug)]
pub(crate) struct Scaler {
    limits: Limits,
    /// At least over the window once they are complete; of one life of the job's tasks.
    samples: VecDeque<Sample>,
    /// What tells the lives of the job's tasks apart.
    life: Option<Life>,
    /// When its tasks began to run.
    running_since_ms: i64,
    /// Since when vertices could shrink, and the widest parallelism they should have had since then.
    shrinking: Option<(i64, Vec<u32>)>,
    next_ms: i64,
}

/// How often the tasks were restarted, and their parallelism.
type Life = (u32, Vec<u32>);

impl Scaler {
    /// A watcher of a job with this configuration; `None` where it is off.
    ///
    /// # Errors
    /// When a value makes no sense, naming its key.
    pub(crate) fn from_config(config: &Configuration) -> Result<Option<Self>> {
        Ok(Limits::from_config(config)?.map(Self::new))
    }

    pub(super) fn new(limits: Limits) -> Self {
        Self { limits, samples: VecDeque::new(), life: None, running_since_ms: 0, shrinking: None, next_ms: 0 }
    }

    /// When the next sample is due.
    pub(crate) fn next_ms(&self) -> i64 {
        self.next_ms
    }

    /// A sample is being taken, or was when there was nothing to see: the next one is due later.
    pub(crate) fn rest(&mut self, now_ms: i64) {
        self.next_ms = now_ms.saturating_add((self.limits.window_ms / SAMPLES).clamp(SAMPLE_MS.0, SAMPLE_MS.1));
    }

    /// The job does not run as a whole: what was seen of it says nothing about what comes.
    pub(crate) fn interrupted(&mut self) {
        self.life = None;
        self.samples.clear();
        self.shrinking = None;
    }

    /// Takes a sample; the bounds to declare, if other than those `declared` before.
    pub(crate) fn observe(
        &mut self,
        shape: &Shape,
        restarts: u32,
        sample: Sample,
        declared: Option<&Requirements>,
    ) -> Option<Requirements> {
        let now_ms = sample.at_ms();
        let life = (restarts, shape.parallelism.clone());
        if self.life.as_ref() != Some(&life) {
            self.interrupted();
            (self.life, self.running_since_ms) = (Some(life), now_ms);
        }
        self.samples.push_back(sample);
        self.forget_before(now_ms.saturating_sub(self.limits.window_ms));
        let (first, last) = (self.samples.front()?, self.samples.back()?);
        let is_full = now_ms.saturating_sub(first.at_ms()) >= self.limits.window_ms;
        let is_stable = now_ms.saturating_sub(self.running_since_ms) >= self.limits.stabilization_ms;
        if !is_full || !is_stable {
            return None;
        }
        let Some(loads) = between(first, last, self.limits.aggregator) else {
            // Counters that began anew: tasks were started again meanwhile.
            self.interrupted();
            return None;
        };
        let wanted = decide(shape, &loads, &self.limits);
        let wanted = self.held_back(now_ms, &shape.parallelism, wanted);
        requirements(&wanted, &shape.parallelism, declared)
    }

    /// Keeps one sample that is as old as the window.
    fn forget_before(&mut self, from_ms: i64) {
        while self.samples.get(1).is_some_and(|second| second.at_ms() <= from_ms) {
            self.samples.pop_front();
        }
    }

    /// Lets vertices shrink only when they could for a while, and then as little as they should have meanwhile.
    fn held_back(&mut self, now_ms: i64, present: &[u32], mut wanted: Vec<u32>) -> Vec<u32> {
        if wanted.iter().zip(present).all(|(wanted, present)| wanted >= present) {
            self.shrinking = None;
            return wanted;
        }
        let (since_ms, widest) = self.shrinking.get_or_insert_with(|| (now_ms, wanted.clone()));
        widest.iter_mut().zip(&wanted).for_each(|(widest, wanted)| *widest = (*widest).max(*wanted));
        let is_due = now_ms.saturating_sub(*since_ms) >= self.limits.scale_down_interval_ms;
        for ((wanted, present), widest) in wanted.iter_mut().zip(present).zip(widest.iter()) {
            if *wanted < *present {
                *wanted = if is_due { (*widest).min(*present) } else { *present };
            }
        }
        wanted
    }
}

/// Bounds that let each vertex have what it should; `None` when nothing is to change, or all that is waits for slots
/// since bounds were declared before.
fn requirements(wanted: &[u32], present: &[u32], declared: Option<&Requirements>) -> Option<Requirements> {
    let may_have = |vertex: usize| declared?.get(&VertexId(vertex as u32)).map(|(_, upper)| *upper);
    let waits = |vertex: usize| may_have(vertex).is_some_and(|upper| upper > present[vertex]);
    let changes = |vertex: &usize| wanted[*vertex] != present[*vertex];
    if (0..wanted.len()).filter(changes).all(|vertex| wanted[vertex] > present[vertex] && waits(vertex)) {
        return None;
    }
    let bounds = |(vertex, upper): (usize, &u32)| (VertexId(vertex as u32), (1, *upper));
    Some(wanted.iter().enumerate().map(bounds).collect())
}
