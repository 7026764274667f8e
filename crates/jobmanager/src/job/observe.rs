//! The job as others see it, now and when it has ended.

use super::Job;
use crate::archive::EndedJob;
use crate::overview::{JobDetails, JobSummary};
use crate::state::{JobResult, JobState, JobStatus};
use headwater_checkpoint::Statistics;
use headwater_types::Error;

impl Job {
    /// The job at this moment.
    pub(crate) fn status(&self) -> JobStatus {
        JobStatus {
            job: self.id,
            name: self.graph.name.clone(),
            state: self.state(),
            tasks: self.execution.tasks().clone(),
            restarts: self.execution.restarts(),
            restart_cause: self.execution.restart_cause().cloned().map(Error::from),
            restart_delay_ms: self.execution.restart_delay_ms(),
            waits_for: self.placement.waits_for(),
        }
    }

    /// Takes over into its history what has changed.
    pub(crate) fn observe(&mut self) {
        let Some(state) = self.history.observe(&self.execution, self.env.now_ms()) else { return };
        match (state, self.execution.failure()) {
            (JobState::Failing, Some(failure)) => {
                let cause = failure.message();
                tracing::error!(job = %self.id, name = self.graph.name, ?state, cause, "the job fails and is not restarted");
            }
            _ => tracing::info!(job = %self.id, name = self.graph.name, ?state, "the state of a job has changed"),
        }
    }

    /// The job in a list.
    pub(crate) fn summary(&self) -> JobSummary {
        self.history.summary(self.id, &self.graph, &self.execution)
    }

    /// All that is known of the job.
    pub(crate) fn details(&self) -> JobDetails {
        let tasks = self.execution.tasks().keys();
        let places = tasks.filter_map(|subtask| Some((*subtask, self.placement.of(*subtask)?))).collect();
        JobDetails { places, ..self.history.details(self.summary(), &self.execution) }
    }

    /// The job as the cluster will remember it, when it ends in this state now.
    pub(super) fn ending(&self, state: JobState) -> EndedJob {
        let history = self.history.ending(&self.execution, state, self.env.now_ms());
        let summary = history.summary(self.id, &self.graph, &self.execution);
        EndedJob {
            details: history.details(summary, &self.execution),
            status: JobStatus { state, restart_delay_ms: 0, waits_for: None, ..self.status() },
            statistics: self.statistics(),
            rescales: self.rescales(),
            result: JobResult { state, ..self.result() },
        }
    }

    /// The state that people see: a job that waits for slots does not run.
    fn state(&self) -> JobState {
        match (self.execution.state(), self.waits_for_slots()) {
            (JobState::Running, true) if self.execution.restarts() == 0 => JobState::Created,
            (JobState::Running, true) => JobState::Restarting,
            (state, _) => state,
        }
    }

    /// The job's checkpoints.
    pub(crate) fn statistics(&self) -> Statistics {
        self.checkpoints.coordinator.statistics(self.env.now_ms())
    }
}
