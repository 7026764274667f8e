//! A job that has ended, as the cluster remembers it: what people may still ask of it, from any JobManager that leads.
//!
//! An [`Archive`] is what is written; an [`EndedJob`] is what answers. The plan is not part of the archive: it is in the
//! records already. Subtasks' parts in checkpoints and the places of tasks are forgotten: they grow with the job and
//! help nobody once its processes are gone.

use crate::overview::{Attempt, Failure, JobDetails, JobSummary, Place};
use crate::rescale::Rescale;
use crate::state::{JobResult, JobState, JobStatus, TaskState};
use headwater_checkpoint::Statistics;
use headwater_plan::JobGraph;
use headwater_runtime::OperatorSnapshot;
use headwater_taskmanager::TaskError;
use headwater_types::Error;
use headwater_types::ids::{JobId, SubtaskId};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

/// What is written of a job that has ended.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Archive {
    state: JobState,
    started_ms: i64,
    ended_ms: i64,
    states: VecDeque<(JobState, i64)>,
    subtasks: Vec<(SubtaskId, VecDeque<Attempt>)>,
    failures: Vec<ArchivedFailure>,
    failures_truncated: bool,
    root_cause: Option<TaskError>,
    restarts: u32,
    restart_cause: Option<TaskError>,
    statistics: Statistics,
    rescales: Vec<Rescale>,
    operators: Vec<OperatorSnapshot>,
}

/// [`Failure`] as it is written.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct ArchivedFailure {
    at_ms: i64,
    error: TaskError,
    subtask: Option<SubtaskId>,
    #[serde(default)]
    place: Option<Place>,
}

/// A job that has ended under an earlier JobManager, or is about to.
#[derive(Debug, Clone)]
pub(crate) struct EndedJob {
    pub(crate) details: JobDetails,
    pub(crate) status: JobStatus,
    pub(crate) statistics: Statistics,
    pub(crate) rescales: Vec<Rescale>,
    pub(crate) result: JobResult,
}

impl EndedJob {
    /// What is to be written.
    pub(crate) fn archive(&self) -> Archive {
        let (details, status) = (&self.details, &self.status);
        let failure = |failure: &Failure| ArchivedFailure {
            at_ms: failure.at_ms,
            error: TaskError::from(&failure.error),
            subtask: failure.subtask,
            place: failure.place.clone(),
        };
        Archive {
            state: details.summary.state,
            started_ms: details.summary.started_ms,
            ended_ms: details.summary.changed_ms,
            states: details.states.clone(),
            subtasks: details.subtasks.iter().map(|(subtask, attempts)| (*subtask, attempts.clone())).collect(),
            failures: details.failures.iter().map(failure).collect(),
            failures_truncated: details.failures_truncated,
            root_cause: details.root_cause.as_ref().map(TaskError::from),
            restarts: status.restarts,
            restart_cause: status.restart_cause.as_ref().map(TaskError::from),
            statistics: self.statistics.clone(),
            rescales: self.rescales.clone(),
            operators: self.result.operators.clone(),
        }
    }

    /// When the job ended.
    pub(crate) fn ended_ms(&self) -> i64 {
        self.details.summary.changed_ms
    }
}

impl Archive {
    /// The job as it answers.
    pub(crate) fn open(self, job: JobId, graph: JobGraph) -> EndedJob {
        let (name, graph) = (graph.name.clone(), Arc::new(graph));
        let present = |(subtask, attempts): &(SubtaskId, VecDeque<Attempt>)| Some((*subtask, attempts.back()?.state()));
        let tasks: BTreeMap<SubtaskId, TaskState> = self.subtasks.iter().filter_map(present).collect();
        let error = self.root_cause.map(Error::from);
        let status = JobStatus {
            job,
            name: name.clone(),
            state: self.state,
            tasks: tasks.clone(),
            restarts: self.restarts,
            restart_cause: self.restart_cause.map(Error::from),
            restart_delay_ms: 0,
            waits_for: None,
        };
        let summary = JobSummary {
            job,
            graph,
            state: self.state,
            started_ms: self.started_ms,
            ended_ms: Some(self.ended_ms),
            changed_ms: self.ended_ms,
            tasks: tasks.into_values().collect(),
        };
        let failure = |f: ArchivedFailure| {
            let ArchivedFailure { at_ms, error, subtask, place } = f;
            Failure { at_ms, error: Error::from(error), subtask, place }
        };
        let details = JobDetails {
            summary,
            states: self.states,
            subtasks: self.subtasks.into_iter().collect(),
            failures: self.failures.into_iter().map(failure).collect(),
            failures_truncated: self.failures_truncated,
            root_cause: error.clone(),
            parts: BTreeMap::new(),
            places: BTreeMap::new(),
        };
        let result = JobResult { job, name, state: self.state, error, operators: self.operators };
        EndedJob { details, status, statistics: self.statistics, rescales: self.rescales, result }
    }
}
