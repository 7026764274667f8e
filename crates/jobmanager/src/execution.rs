//! The state machine of a job: a pure function from reports to actions.
//!
//! ```text
//! Created ─deploy─> Running ──all finished──> committing ──committed──> Finished
//!                    │  │                         └─────failed────────> Failed
//!                    │  └─task failed─> Failing ──all ended───────────> Failed
//!                    └────cancel──────> Cancelling ──all ended────────> Canceled
//! ```
//!
//! The first failure is the root cause; later ones are usually its consequence. Nothing is committed unless
//! every task finished; whatever is staged when a job fails or is cancelled is aborted.

use crate::state::{JobState, TaskState};
use headwater_taskmanager::{Outcome, TaskError};
use headwater_types::ids::SubtaskId;
use std::collections::BTreeMap;

/// What the service must do next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// Cancel the tasks that run.
    CancelTasks,
    /// End the sources.
    StopSources,
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
    failure: Option<TaskError>,
    committing: bool,
}

impl Execution {
    /// A job with these subtasks that is not deployed.
    pub fn new(subtasks: &[SubtaskId]) -> Self {
        let tasks = subtasks.iter().map(|subtask| (*subtask, TaskState::Created)).collect();
        Self { state: JobState::Created, tasks, failure: None, committing: false }
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

    /// The tasks were sent to a TaskManager.
    pub fn deployed(&mut self) {
        self.state = JobState::Running;
        self.tasks.values_mut().for_each(|task| *task = TaskState::Deploying);
    }

    /// The tasks could not be deployed: none of them runs.
    pub fn deploy_failed(&mut self, error: TaskError) -> Vec<Action> {
        self.tasks.values_mut().for_each(|task| *task = TaskState::Canceled);
        self.fail(error);
        self.when_all_ended()
    }

    /// A task runs.
    pub fn task_running(&mut self, subtask: SubtaskId) {
        if let Some(task) = self.tasks.get_mut(&subtask).filter(|task| !task.is_final()) {
            *task = TaskState::Running;
        }
    }

    /// A task ended.
    pub fn task_ended(&mut self, subtask: SubtaskId, outcome: Outcome) -> Vec<Action> {
        let Some(task) = self.tasks.get_mut(&subtask).filter(|task| !task.is_final()) else { return vec![] };
        let mut actions = vec![];
        match outcome {
            Outcome::Finished => *task = TaskState::Finished,
            Outcome::Cancelled => *task = TaskState::Canceled,
            Outcome::Failed(error) => {
                *task = TaskState::Failed;
                if self.state == JobState::Running {
                    self.fail(error);
                    actions.push(Action::CancelTasks);
                }
            }
        }
        actions.extend(self.when_all_ended());
        actions
    }

    /// The service itself could not go on with the job.
    pub fn fail_job(&mut self, error: TaskError) -> Vec<Action> {
        if self.state != JobState::Running {
            return vec![];
        }
        self.fail(error);
        let mut actions = vec![Action::CancelTasks];
        actions.extend(self.when_all_ended());
        actions
    }

    /// Somebody wants the job to end now. Too late once it commits.
    pub fn cancel(&mut self) -> Vec<Action> {
        if self.committing || !matches!(self.state, JobState::Created | JobState::Running) {
            return vec![];
        }
        self.state = JobState::Cancelling;
        let mut actions = vec![Action::CancelTasks];
        actions.extend(self.when_all_ended());
        actions
    }

    /// Somebody wants the sources to end and the job to finish.
    pub fn stop(&mut self) -> Vec<Action> {
        match self.state {
            JobState::Running => vec![Action::StopSources],
            _ => vec![],
        }
    }

    /// What the sinks staged was committed, or could not be.
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

    fn fail(&mut self, error: TaskError) {
        self.state = JobState::Failing;
        self.failure.get_or_insert(error);
    }

    fn when_all_ended(&mut self) -> Vec<Action> {
        if !self.tasks.values().all(|task| task.is_final()) {
            return vec![];
        }
        match self.state {
            JobState::Running => {
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

#[cfg(test)]
mod tests;
