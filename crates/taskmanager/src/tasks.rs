//! The tasks of one job on this TaskManager.

use crate::messages::{FromTaskManager, JobManagerGateway, Outcome, SplitAnswer};
use headwater_connector_api::Committable;
use headwater_runtime::{Deployment, Lanes, OperatorSnapshot, TaskEvents, TaskHandle};
use headwater_types::Result;
use headwater_types::ids::{JobId, SubtaskId};
use std::sync::Arc;

/// The deployed subtasks of a job.
pub(crate) struct JobTasks {
    handles: Vec<TaskHandle>,
}

impl JobTasks {
    /// Deploys the subtasks of a job. `running` is the number of other tasks on the lanes.
    pub(crate) fn deploy(deployment: &Deployment, lanes: &Lanes, running: usize) -> Result<Self> {
        lanes.ensure(running + Deployment::subtasks(&deployment.graph).len())?;
        Ok(Self { handles: deployment.deploy(lanes.scheduler())? })
    }

    pub(crate) fn cancel(&self) {
        self.handles.iter().for_each(TaskHandle::cancel);
    }

    pub(crate) fn stop(&self) {
        self.handles.iter().for_each(TaskHandle::stop);
    }

    pub(crate) fn assign(&self, subtask: SubtaskId, answer: SplitAnswer) {
        if let Some(handle) = self.handles.iter().find(|handle| handle.subtask() == subtask) {
            handle.assign(answer.into());
        }
    }

    pub(crate) fn metrics(&self) -> Vec<OperatorSnapshot> {
        self.handles.iter().flat_map(TaskHandle::metrics).collect()
    }

    pub(crate) fn running(&self) -> usize {
        self.handles.iter().filter(|handle| !handle.is_over()).count()
    }
}

/// Turns what subtasks report into messages.
pub(crate) struct Reporter {
    pub(crate) job: JobId,
    pub(crate) gateway: Arc<dyn JobManagerGateway>,
}

impl TaskEvents for Reporter {
    fn running(&self, subtask: SubtaskId) {
        self.gateway.send(FromTaskManager::Running { job: self.job, subtask });
    }

    fn request_split(&self, subtask: SubtaskId) {
        self.gateway.send(FromTaskManager::SplitRequest { job: self.job, subtask });
    }

    fn committables(&self, subtask: SubtaskId, committables: Vec<Committable>) {
        let committables = committables.into_iter().map(|Committable(bytes)| bytes).collect();
        self.gateway.send(FromTaskManager::Committables { job: self.job, subtask, committables });
    }

    fn finished(&self, subtask: SubtaskId, outcome: Result<()>, metrics: Vec<OperatorSnapshot>) {
        let outcome = Outcome::from(outcome);
        self.gateway.send(FromTaskManager::Finished { job: self.job, subtask, outcome, metrics });
    }
}
