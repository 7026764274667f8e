//! Rates: differences of counters between the present and a moment that is a second old or more.
//!
//! Nothing samples by itself: the samples are those of earlier requests. Without one, rates are over the whole life.

use headwater_runtime::OperatorSnapshot;
use headwater_types::ids::{JobId, SubtaskId};
use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

/// Least time that a rate is over, milliseconds.
const SPAN_MS_MIN: i64 = 1000;
/// Jobs whose samples are kept.
const JOBS_MAX: usize = 128;

/// How a subtask spends a second.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(crate) struct Rate {
    pub(crate) busy_ms: f64,
    pub(crate) idle_ms: f64,
    pub(crate) backpressured_ms: f64,
    pub(crate) rows_in: f64,
    pub(crate) rows_out: f64,
}

/// Counters of a subtask at one moment.
#[derive(Debug, Clone, Copy, Default)]
struct Sums {
    busy_ms: u64,
    idle_ms: u64,
    backpressured_ms: u64,
    rows_in: u64,
    rows_out: u64,
}

#[derive(Debug, Clone, Default)]
struct Sample {
    at_ms: i64,
    subtasks: BTreeMap<SubtaskId, Sums>,
}

/// The last two samples of every job.
#[derive(Default)]
pub(crate) struct Rates {
    jobs: Mutex<BTreeMap<JobId, (Sample, Sample)>>,
}

impl Rates {
    /// The present rates of a job's subtasks, from their present counters.
    pub(crate) fn of(&self, job: JobId, now_ms: i64, operators: &[OperatorSnapshot]) -> BTreeMap<SubtaskId, Rate> {
        let now = sample(now_ms, operators);
        let mut jobs = self.jobs.lock().unwrap_or_else(PoisonError::into_inner);
        if jobs.len() >= JOBS_MAX && !jobs.contains_key(&job) {
            jobs.pop_first();
        }
        let (old, new) = jobs.entry(job).or_default();
        if now_ms - new.at_ms >= SPAN_MS_MIN {
            *old = std::mem::replace(new, now.clone());
        }
        let before = old.clone();
        drop(jobs);
        let rate = |(subtask, sums): (&SubtaskId, &Sums)| {
            let earlier = before.subtasks.get(subtask);
            (*subtask, rate(earlier, sums, now_ms - before.at_ms))
        };
        now.subtasks.iter().map(rate).collect()
    }
}

fn sample(at_ms: i64, operators: &[OperatorSnapshot]) -> Sample {
    let mut subtasks: BTreeMap<SubtaskId, Sums> = BTreeMap::new();
    for operator in operators {
        let sums = subtasks.entry(operator.subtask).or_default();
        if operator.position == 0 {
            sums.rows_in = operator.rows_in;
        }
        sums.rows_out = operator.rows_out;
        if let Some(task) = &operator.task {
            sums.busy_ms = task.busy_ms;
            sums.idle_ms = task.idle_ms;
            sums.backpressured_ms = task.backpressured_ms;
        }
    }
    Sample { at_ms, subtasks }
}

/// Without an earlier sample, or when the subtask was started again since, the whole life counts.
fn rate(earlier: Option<&Sums>, now: &Sums, span_ms: i64) -> Rate {
    let is_younger = |earlier: &&Sums| earlier.busy_ms <= now.busy_ms && earlier.rows_in <= now.rows_in;
    let (from, span_ms) = match earlier.filter(is_younger) {
        Some(earlier) if span_ms > 0 => (*earlier, span_ms as u64),
        _ => (Sums::default(), now.busy_ms + now.idle_ms + now.backpressured_ms),
    };
    let per_second = |now: u64, from: u64| now.saturating_sub(from) as f64 * 1000.0 / span_ms.max(1) as f64;
    Rate {
        busy_ms: per_second(now.busy_ms, from.busy_ms).min(1000.0),
        idle_ms: per_second(now.idle_ms, from.idle_ms).min(1000.0),
        backpressured_ms: per_second(now.backpressured_ms, from.backpressured_ms).min(1000.0),
        rows_in: per_second(now.rows_in, from.rows_in),
        rows_out: per_second(now.rows_out, from.rows_out),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rates_are_differences_over_time() {
        let earlier = Sums { busy_ms: 100, rows_in: 10, ..Sums::default() };
        let now = Sums { busy_ms: 600, idle_ms: 2000, rows_in: 30, ..Sums::default() };
        let rate = rate(Some(&earlier), &now, 2000);
        assert_eq!((rate.busy_ms, rate.idle_ms, rate.rows_in), (250.0, 1000.0, 10.0));
    }

    #[test]
    fn a_subtask_that_was_started_again_is_measured_from_its_start() {
        let earlier = Sums { busy_ms: 900, ..Sums::default() };
        let now = Sums { busy_ms: 50, idle_ms: 50, ..Sums::default() };
        assert_eq!(rate(Some(&earlier), &now, 1000).busy_ms, 500.0);
    }
}
