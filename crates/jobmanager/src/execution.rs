//! The state machine of a job: a pure function from reports to actions.
//!
//! ```text
//!             ┌──────────restart────── Restarting <──a task failed, and may again──┐
//!             v                                                                    │
//! Created ─deploy─> Running ──all finished──> committing ──committed──> Finished   │
//!                    │  │ └─────────────────────────┴──────failed──────────────────┤
//!                    │  └─task failed──────────────────────────────────────────────┘
//!                    │          └── may not ──> Failing ──all ended──> Failed
//!                    └────cancel──────────────> Cancelling ─all ended> Canceled
//! ```
//!
//! A region of the graph restarts as a whole: its tasks are cancelled, it waits until they have ended and the
//! strategy's pause is over, and is deployed again under a new attempt. Reports of earlier attempts are ignored.
//! The first failure of a job that fails is the root cause; later ones are usually its consequence.

mod region;
mod reshape;

use crate::restart::RestartStrategy;
use crate::state::{JobState, TaskState};
use headwater_taskmanager::{Outcome, TaskError};
use headwater_types::ids::SubtaskId;
use headwater_types::{Error, ErrorKind};
use region::{Phase, Region};
use std::collections::BTreeMap;

/// What the service must do next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Action {
    /// Cancel these tasks.
    CancelTasks(Vec<SubtaskId>),
    /// End the sources.
    StopSources,
    /// A region has begun to restart: forget what its tasks reported and did not complete.
    Restarting(Vec<SubtaskId>),
    /// Deploy these tasks again under this attempt.
    Redeploy {
        /// The tasks of a region.
        subtasks: Vec<SubtaskId>,
        /// The attempt.
        attempt: u32,
    },
    /// Commit what the sinks staged, and report back by [`Execution::committed`].
    Commit,
    /// Remove what the sinks staged.
    Abort,
    /// The job has reached its final state.
    Complete,
}

/// The execution of one job.
#[derive(Debug, Clone)]
pub struct Execution {
    state: JobState,
    tasks: BTreeMap<SubtaskId, TaskState>,
    regions: Vec<Region>,
    strategy: RestartStrategy,
    failure: Option<TaskError>,
    /// Why the job restarted last.
    restart_cause: Option<TaskError>,
    /// The strategy's last pause.
    restart_delay_ms: i64,
    restarts: u32,
    attempt: u32,
    committing: bool,
}

impl Execution {
    /// A job with these regions that is not deployed; `attempt` is the number of its first deployment.
    pub fn new(regions: Vec<Vec<SubtaskId>>, strategy: RestartStrategy, attempt: u32) -> Self {
        let tasks = regions.iter().flatten().map(|subtask| (*subtask, TaskState::Created)).collect();
        Self {
            state: JobState::Created,
            tasks,
            regions: regions.into_iter().map(|subtasks| Region::new(subtasks, attempt)).collect(),
            strategy,
            failure: None,
            restart_cause: None,
            restart_delay_ms: 0,
            restarts: 0,
            attempt,
            committing: false,
        }
    }

    /// State of the job.
    pub fn state(&self) -> JobState {
        self.state
    }

    /// States of the subtasks.
    pub fn tasks(&self) -> &BTreeMap<SubtaskId, TaskState> {
        &self.tasks
    }

    /// The root cause of a failure.
    pub fn failure(&self) -> Option<&TaskError> {
        self.failure.as_ref()
    }

    /// Why the job restarted last.
    pub fn restart_cause(&self) -> Option<&TaskError> {
        self.restart_cause.as_ref()
    }

    /// How long the last restart waits or waited, milliseconds.
    pub fn restart_delay_ms(&self) -> i64 {
        self.restart_delay_ms
    }

    /// How often regions were restarted.
    pub fn restarts(&self) -> u32 {
        self.restarts
    }

    /// Number of the last deployment.
    pub fn attempt(&self) -> u32 {
        self.attempt
    }

    /// Whether a report of this attempt is about the present life of a subtask.
    pub fn is_current(&self, subtask: SubtaskId, attempt: u32) -> bool {
        self.regions.iter().any(|region| region.attempt == attempt && region.holds(subtask))
    }

    /// Whether tasks of an attempt may still run.
    pub fn is_running(&self, attempt: u32) -> bool {
        let alive = |subtask: &SubtaskId| self.tasks.get(subtask).is_some_and(|task| !task.is_final());
        self.regions.iter().any(|region| region.attempt == attempt && region.subtasks.iter().any(alive))
    }

    /// The tasks were sent to a TaskManager.
    pub fn deployed(&mut self) {
        self.state = JobState::Running;
        self.tasks.values_mut().for_each(|task| *task = TaskState::Deploying);
    }

    /// Tasks of an attempt could not be deployed: none of them runs, others of their regions may. A plan that cannot be
    /// run is not tried again.
    pub fn deploy_failed(
        &mut self,
        attempt: u32,
        subtasks: &[SubtaskId],
        error: TaskError,
        now_ms: i64,
        random: u64,
    ) -> Vec<Action> {
        let is_hit = |region: &Region| region.attempt == attempt && subtasks.iter().any(|task| region.holds(*task));
        let failed: Vec<usize> = (0..self.regions.len()).filter(|index| is_hit(&self.regions[*index])).collect();
        if failed.is_empty() {
            return vec![];
        }
        for subtask in subtasks {
            if let Some(task) = self.tasks.get_mut(subtask).filter(|task| !task.is_final()) {
                *task = TaskState::Canceled;
            }
        }
        let ran = |index: &&usize| self.regions[**index].phase == Phase::Running;
        let running: Vec<usize> = failed.iter().filter(ran).copied().collect();
        let mut actions = match self.state.is_active() {
            true if error.kind() != ErrorKind::Retryable => self.fail(error),
            // Others of the region failed before.
            true if running.is_empty() => vec![],
            true => self.restart_or_fail(&running, error, now_ms, random),
            false => vec![],
        };
        actions.extend(self.when_ended(now_ms));
        actions
    }

    /// A task runs.
    pub fn task_running(&mut self, subtask: SubtaskId) {
        if let Some(task) = self.tasks.get_mut(&subtask).filter(|task| !task.is_final()) {
            *task = TaskState::Running;
        }
    }

    /// A task ended.
    pub fn task_ended(&mut self, subtask: SubtaskId, outcome: Outcome, now_ms: i64, random: u64) -> Vec<Action> {
        let Some(task) = self.tasks.get_mut(&subtask).filter(|task| !task.is_final()) else { return vec![] };
        *task = match &outcome {
            Outcome::Finished => TaskState::Finished,
            Outcome::Cancelled => TaskState::Canceled,
            Outcome::Failed(_) => TaskState::Failed,
        };
        let index = self.regions.iter().position(|region| region.holds(subtask)).unwrap_or(0);
        // Failures of a region that is being cancelled are consequences of its first one.
        let counts = self.state.is_active() && self.regions[index].phase == Phase::Running;
        let mut actions = match failure(outcome).filter(|_| counts) {
            Some(error) => self.restart_or_fail(&[index], error, now_ms, random),
            None => vec![],
        };
        actions.extend(self.when_ended(now_ms));
        actions
    }

    /// The whole job cannot go on as it is: it restarts if it may, else it fails.
    pub fn fail_job(&mut self, error: TaskError, now_ms: i64, random: u64) -> Vec<Action> {
        if !self.state.is_active() {
            return vec![];
        }
        self.committing = false;
        let all: Vec<usize> = (0..self.regions.len()).collect();
        let mut actions = self.restart_or_fail(&all, error, now_ms, random);
        actions.extend(self.when_ended(now_ms));
        actions
    }

    /// The job must not go on, whatever the restart strategy says.
    pub fn fail_for_good(&mut self, error: TaskError, now_ms: i64) -> Vec<Action> {
        if !self.state.is_active() {
            return vec![];
        }
        self.committing = false;
        let mut actions = self.fail(error);
        actions.extend(self.when_ended(now_ms));
        actions
    }

    /// Somebody wants the job to end now. Too late once it commits.
    pub fn cancel(&mut self, now_ms: i64) -> Vec<Action> {
        if self.committing || !(self.state == JobState::Created || self.state.is_active()) {
            return vec![];
        }
        self.state = JobState::Cancelling;
        let mut actions = vec![self.cancel_tasks(|_| true)];
        actions.extend(self.when_ended(now_ms));
        actions
    }

    /// Somebody wants the sources to end and the job to finish.
    pub fn stop(&mut self) -> Vec<Action> {
        match self.state {
            JobState::Running => vec![Action::StopSources],
            _ => vec![],
        }
    }

    /// What the sinks staged at the end was committed, or could not be.
    pub fn committed(&mut self, outcome: Result<(), TaskError>) -> Vec<Action> {
        self.committing = false;
        match outcome {
            Ok(()) => {
                self.state = JobState::Finished;
                vec![Action::Complete]
            }
            Err(error) => {
                self.fail(error);
                self.state = JobState::Failed;
                vec![Action::Abort, Action::Complete]
            }
        }
    }

    /// Time has passed: the regions whose pause is over are to be deployed again.
    pub fn tick(&mut self, now_ms: i64) -> Vec<Action> {
        let mut actions = vec![];
        if self.state != JobState::Restarting {
            return actions;
        }
        for region in &mut self.regions {
            if !matches!(region.phase, Phase::Waiting { until_ms } if until_ms <= now_ms) {
                continue;
            }
            self.attempt += 1;
            region.attempt = self.attempt;
            region.phase = Phase::Running;
            for subtask in &region.subtasks {
                self.tasks.insert(*subtask, TaskState::Deploying);
            }
            actions.push(Action::Redeploy { subtasks: region.subtasks.clone(), attempt: self.attempt });
        }
        if self.regions.iter().all(|region| region.phase == Phase::Running) {
            self.state = JobState::Running;
        }
        actions
    }

    /// When [`Execution::tick`] has something to do next.
    pub fn wake_ms(&self) -> Option<i64> {
        let until = |region: &Region| match region.phase {
            Phase::Waiting { until_ms } => Some(until_ms),
            _ => None,
        };
        self.regions.iter().filter_map(until).min()
    }

    fn restart_or_fail(&mut self, regions: &[usize], error: TaskError, now_ms: i64, random: u64) -> Vec<Action> {
        match self.pause_after(&error, now_ms, random) {
            None => self.fail(error),
            Some(pause_ms) => {
                self.restart_cause = Some(error);
                self.restart_delay_ms = pause_ms;
                let until_ms = now_ms.saturating_add(pause_ms);
                regions.iter().flat_map(|index| self.restart(*index, until_ms)).collect()
            }
        }
    }

    /// The strategy's pause. What would only fail again is not tried again.
    fn pause_after(&mut self, error: &TaskError, now_ms: i64, random: u64) -> Option<i64> {
        match error.kind() {
            ErrorKind::Unsupported | ErrorKind::Corruption | ErrorKind::Fenced => None,
            _ if matches!(error.code(), "state-incompatible" | "channel-state-mismatch") => None,
            _ => self.strategy.failed(now_ms, random),
        }
    }

    fn restart(&mut self, index: usize, until_ms: i64) -> Vec<Action> {
        let region = &mut self.regions[index];
        if region.phase != Phase::Running {
            return vec![];
        }
        self.state = JobState::Restarting;
        self.restarts += 1;
        region.phase = Phase::Cancelling { until_ms };
        let subtasks = region.subtasks.clone();
        let cancel = self.cancel_tasks(|subtask| subtasks.contains(&subtask));
        vec![Action::Restarting(subtasks), cancel]
    }

    fn fail(&mut self, error: TaskError) -> Vec<Action> {
        self.state = JobState::Failing;
        self.failure.get_or_insert(error);
        vec![self.cancel_tasks(|_| true)]
    }

    fn cancel_tasks(&self, which: impl Fn(SubtaskId) -> bool) -> Action {
        let alive = self.tasks.iter().filter(|(subtask, task)| which(**subtask) && !task.is_final());
        Action::CancelTasks(alive.map(|(subtask, _)| *subtask).collect())
    }

    fn when_ended(&mut self, now_ms: i64) -> Vec<Action> {
        for region in &mut self.regions {
            let ended = region.subtasks.iter().all(|subtask| self.tasks[subtask].is_final());
            if let (Phase::Cancelling { until_ms }, true) = (region.phase, ended) {
                region.phase = Phase::Waiting { until_ms: until_ms.max(now_ms) };
            }
        }
        if !self.tasks.values().all(|task| task.is_final()) {
            return vec![];
        }
        match self.state {
            JobState::Running if !self.committing => {
                self.committing = true;
                vec![Action::Commit]
            }
            JobState::Failing => {
                self.state = JobState::Failed;
                vec![Action::Abort, Action::Complete]
            }
            JobState::Cancelling => {
                self.state = JobState::Canceled;
                vec![Action::Abort, Action::Complete]
            }
            _ => vec![],
        }
    }
}

/// Why a task ended that was not told to. One whose TaskManager ends is cancelled by it, and must run elsewhere.
fn failure(outcome: Outcome) -> Option<TaskError> {
    match outcome {
        Outcome::Finished => None,
        Outcome::Cancelled => {
            let message = "the task was cancelled by its TaskManager, which is ending";
            Some(TaskError::from(&Error::retryable("taskmanager-ending", message)))
        }
        Outcome::Failed(error) => Some(error),
    }
}

#[cfg(test)]
mod tests;
