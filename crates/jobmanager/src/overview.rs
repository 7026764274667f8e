//! What somebody who looks at a job from outside sees: its states and those of its subtasks with their times,
//! its attempts, its failures, and the subtasks' parts in the latest checkpoints.
//!
//! [`History`] only watches: it compares the execution before and after every message, so that nothing else has to
//! remember to tell it. Everything in it has a bound.

use crate::execution::Execution;
use crate::state::{JobState, TaskState};
use crate::task_managers::{SessionId, TaskManagerInfo};
use headwater_checkpoint::coordinator::AckStatistics;
use headwater_plan::JobGraph;
use headwater_taskmanager::FromTaskManager;
use headwater_types::Error;
use headwater_types::ids::{JobId, SubtaskId};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

/// Attempts of a subtask that are remembered.
const ATTEMPTS_MAX: usize = 8;
/// Failures that are remembered, as Flink's `web.exception-history-size`.
const FAILURES_MAX: usize = 16;
/// Changes of the job's state that are remembered.
const JOB_STATES_MAX: usize = 64;
/// Checkpoints whose subtasks' parts are remembered.
const CHECKPOINTS_MAX: usize = 32;

/// A job in a list.
#[derive(Debug, Clone)]
pub struct JobSummary {
    /// The job.
    pub job: JobId,
    /// Its plan.
    pub graph: Arc<JobGraph>,
    /// Its state.
    pub state: JobState,
    /// When it was submitted, milliseconds since the epoch.
    pub started_ms: i64,
    /// When it ended.
    pub ended_ms: Option<i64>,
    /// When its state changed last.
    pub changed_ms: i64,
    /// The states of its subtasks.
    pub tasks: Vec<TaskState>,
}

/// A job as a client lists it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ListedJob {
    /// The job.
    pub job: JobId,
    /// Its name.
    pub name: String,
    /// Its state.
    pub state: JobState,
    /// When it was submitted, milliseconds since the epoch.
    pub started_ms: i64,
}

impl From<&JobSummary> for ListedJob {
    fn from(job: &JobSummary) -> Self {
        Self { job: job.job, name: job.graph.name.clone(), state: job.state, started_ms: job.started_ms }
    }
}

/// All that is known of a job.
#[derive(Debug, Clone)]
pub struct JobDetails {
    /// The job in short.
    pub summary: JobSummary,
    /// Its states with the times they began, oldest first.
    pub states: VecDeque<(JobState, i64)>,
    /// Its subtasks.
    pub subtasks: BTreeMap<SubtaskId, VecDeque<Attempt>>,
    /// Its failures, newest first.
    pub failures: VecDeque<Failure>,
    /// Whether older failures were forgotten.
    pub failures_truncated: bool,
    /// Why it failed for good.
    pub root_cause: Option<Error>,
    /// The parts of subtasks in the latest checkpoints.
    pub parts: BTreeMap<u64, BTreeMap<SubtaskId, Part>>,
    /// The TaskManagers of the subtasks that run.
    pub places: BTreeMap<SubtaskId, SessionId>,
}

/// One life of a subtask. A subtask has at least one; the last is the present one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attempt {
    /// 0 for the first.
    pub number: u32,
    /// Its states with the times they began, oldest first; at least one.
    pub states: Vec<(TaskState, i64)>,
}

impl Attempt {
    /// Its present or last state.
    pub fn state(&self) -> TaskState {
        self.states.last().map_or(TaskState::Created, |(state, _)| *state)
    }
}

/// A failure that restarted or ended the job.
#[derive(Debug, Clone)]
pub struct Failure {
    /// When, milliseconds since the epoch.
    pub at_ms: i64,
    /// Why.
    pub error: Error,
    /// The subtask that failed, when it was one.
    pub subtask: Option<SubtaskId>,
    /// Where it ran.
    pub place: Option<Place>,
}

/// Where a subtask runs, or ran: the process may be gone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Place {
    /// The name of the TaskManager.
    pub task_manager: String,
    /// How its host is named.
    pub endpoint: String,
}

impl From<&TaskManagerInfo> for Place {
    fn from(info: &TaskManagerInfo) -> Self {
        let endpoint = info.exchange.clone().unwrap_or_else(|| info.host.clone());
        Self { task_manager: info.id.clone(), endpoint }
    }
}

/// The part of a subtask in a checkpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Part {
    /// When it was reported, milliseconds since the epoch.
    pub acknowledged_ms: i64,
    /// How it went.
    pub statistics: AckStatistics,
}

/// What was seen of a job.
#[derive(Debug, Clone, Default)]
pub(crate) struct History {
    states: VecDeque<(JobState, i64)>,
    subtasks: BTreeMap<SubtaskId, VecDeque<Attempt>>,
    failures: VecDeque<Failure>,
    failures_truncated: bool,
    /// Where subtasks were deployed last.
    places: BTreeMap<SubtaskId, Arc<Place>>,
    parts: BTreeMap<u64, BTreeMap<SubtaskId, Part>>,
    restarts: u32,
    has_failed: bool,
}

impl History {
    /// A message about the job arrives.
    pub(crate) fn report(&mut self, message: &FromTaskManager, now_ms: i64) {
        if let FromTaskManager::CheckpointAck { subtask, checkpoint, statistics, .. } = message {
            let part = Part { acknowledged_ms: now_ms, statistics: *statistics };
            self.parts.entry(*checkpoint).or_default().insert(*subtask, part);
            while self.parts.len() > CHECKPOINTS_MAX {
                self.parts.pop_first();
            }
        }
    }

    /// Subtasks were sent to where they will run.
    pub(crate) fn deployed(&mut self, subtasks: &[SubtaskId], place: Place) {
        let place = Arc::new(place);
        self.places.extend(subtasks.iter().map(|subtask| (*subtask, place.clone())));
    }

    /// The job has these subtasks, and no others any more.
    pub(crate) fn forget_others(&mut self, subtasks: &[SubtaskId]) {
        self.subtasks.retain(|subtask, _| subtasks.contains(subtask));
        self.places.retain(|subtask, _| subtasks.contains(subtask));
    }

    /// The history of a job that was submitted at this time.
    pub(crate) fn since(submitted_ms: i64) -> Self {
        Self { states: VecDeque::from([(JobState::Created, submitted_ms)]), ..Self::default() }
    }

    /// The job is in this state; whether that is news.
    fn enter(&mut self, state: JobState, now_ms: i64) -> bool {
        if self.states.back().is_some_and(|(last, _)| *last == state) {
            return false;
        }
        self.states.push_back((state, now_ms));
        if self.states.len() > JOB_STATES_MAX {
            // The first one tells when the job was created.
            self.states.remove(1);
        }
        true
    }

    /// The history of a job that ends in this state now.
    pub(crate) fn ending(&self, execution: &Execution, state: JobState, now_ms: i64) -> Self {
        let mut ending = self.clone();
        ending.observe(execution, now_ms);
        ending.enter(state, now_ms);
        ending
    }

    /// Takes over what has changed; the state that the job has entered, if it has.
    pub(crate) fn observe(&mut self, execution: &Execution, now_ms: i64) -> Option<JobState> {
        let entered = self.enter(execution.state(), now_ms);
        let failed = self.observe_tasks(execution, now_ms);
        if execution.restarts() > self.restarts {
            self.restarts = execution.restarts();
            self.failed(execution.restart_cause().cloned().map(Error::from), failed, now_ms);
        }
        if !self.has_failed && execution.failure().is_some() {
            self.has_failed = true;
            self.failed(execution.failure().cloned().map(Error::from), failed, now_ms);
        }
        entered.then(|| execution.state())
    }

    /// Takes over the states of subtasks; one that has just failed, if any.
    fn observe_tasks(&mut self, execution: &Execution, now_ms: i64) -> Option<SubtaskId> {
        let mut failed = None;
        for (subtask, state) in execution.tasks() {
            let attempts = self.subtasks.entry(*subtask).or_default();
            if attempts.back().is_some_and(|attempt| attempt.state() == *state) {
                continue;
            }
            changed(attempts, *state, now_ms);
            if *state == TaskState::Failed {
                failed.get_or_insert(*subtask);
            }
        }
        failed
    }

    fn failed(&mut self, error: Option<Error>, subtask: Option<SubtaskId>, at_ms: i64) {
        let error = error.unwrap_or_else(|| Error::internal("the job failed without a cause"));
        let place = subtask.and_then(|subtask| self.places.get(&subtask)).map(|place| place.as_ref().clone());
        self.failures.push_front(Failure { at_ms, error, subtask, place });
        if self.failures.len() > FAILURES_MAX {
            self.failures.truncate(FAILURES_MAX);
            self.failures_truncated = true;
        }
    }

    /// The job in short.
    pub(crate) fn summary(&self, job: JobId, graph: &Arc<JobGraph>, execution: &Execution) -> JobSummary {
        let (state, changed_ms) = self.states.back().copied().unwrap_or((execution.state(), 0));
        JobSummary {
            job,
            graph: graph.clone(),
            state,
            started_ms: self.states.front().map_or(0, |(_, at_ms)| *at_ms),
            ended_ms: state.is_final().then_some(changed_ms),
            changed_ms,
            tasks: execution.tasks().values().copied().collect(),
        }
    }

    /// All that is known.
    pub(crate) fn details(&self, summary: JobSummary, execution: &Execution) -> JobDetails {
        JobDetails {
            summary,
            states: self.states.clone(),
            subtasks: self.subtasks.clone(),
            failures: self.failures.clone(),
            failures_truncated: self.failures_truncated,
            root_cause: execution.failure().cloned().map(Error::from),
            parts: self.parts.clone(),
            places: BTreeMap::new(),
        }
    }
}

/// A subtask is in another state: being deployed again is another life.
fn changed(attempts: &mut VecDeque<Attempt>, state: TaskState, now_ms: i64) {
    let begins = match attempts.back() {
        None => Some(0),
        Some(last) => (last.state().is_final() && !state.is_final()).then_some(last.number + 1),
    };
    if let Some(number) = begins {
        attempts.push_back(Attempt { number, states: vec![(state, now_ms)] });
        if attempts.len() > ATTEMPTS_MAX {
            attempts.pop_front();
        }
    } else if let Some(last) = attempts.back_mut() {
        last.states.push((state, now_ms));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_subtask_that_is_deployed_again_begins_another_attempt() {
        let mut attempts = VecDeque::new();
        let states = [TaskState::Created, TaskState::Deploying, TaskState::Running, TaskState::Failed];
        for (at_ms, state) in states.into_iter().chain([TaskState::Deploying, TaskState::Running]).enumerate() {
            changed(&mut attempts, state, at_ms as i64);
        }
        let numbers: Vec<_> = attempts.iter().map(|attempt| (attempt.number, attempt.states.len())).collect();
        assert_eq!(numbers, [(0, 4), (1, 2)]);
        assert_eq!(attempts[1].state(), TaskState::Running);
    }
}
