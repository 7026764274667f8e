//! The tasks of one job on this TaskManager.

use crate::checkpoint::{Report, Uploads};
use crate::exchange::Wires;
use crate::messages::{FromTaskManager, Outcome, SplitAnswer, TaskError};
use headwater_connector_api::Committable;
use headwater_runtime::{Barrier, Deployment, Lanes, OperatorSnapshot, SubtaskSnapshot, TaskEvents, TaskHandle};
use headwater_types::ids::SubtaskId;
use headwater_types::{Error, Result};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// The deployed subtasks of a job. Those of different regions may be of different attempts.
#[derive(Default)]
pub(crate) struct JobTasks {
    tasks: BTreeMap<SubtaskId, Deployed>,
}

struct Deployed {
    handle: TaskHandle,
    uploads: Arc<Uploads>,
}

impl JobTasks {
    /// Deploys subtasks in the place of earlier ones. `running` is the number of other jobs' tasks on the lanes.
    pub(crate) fn deploy(
        &mut self,
        deployment: &Deployment,
        uploads: &Arc<Uploads>,
        lanes: &Lanes,
        running: usize,
        wires: Option<&Wires>,
    ) -> Result<()> {
        lanes.ensure(running + self.running() + deployment.subtasks.len())?;
        let handles = deployment.deploy(lanes.scheduler())?;
        if let Some(wires) = wires {
            wires.attach(&handles);
        }
        for handle in handles {
            self.tasks.insert(handle.subtask(), Deployed { handle, uploads: uploads.clone() });
        }
        Ok(())
    }

    pub(crate) fn cancel(&self, subtasks: &[SubtaskId]) {
        subtasks.iter().filter_map(|subtask| self.tasks.get(subtask)).for_each(|task| task.handle.cancel());
    }

    pub(crate) fn cancel_all(&self) {
        self.tasks.values().for_each(|task| task.handle.cancel());
    }

    pub(crate) fn stop(&self) {
        self.tasks.values().for_each(|task| task.handle.stop());
    }

    pub(crate) fn assign(&self, subtask: SubtaskId, answer: SplitAnswer) {
        if let Some(task) = self.tasks.get(&subtask) {
            task.handle.assign(answer.into());
        }
    }

    pub(crate) fn trigger(&self, barrier: Barrier) {
        self.tasks.values().for_each(|task| task.handle.trigger(barrier));
    }

    pub(crate) fn abort_checkpoint(&self, checkpoint: u64) {
        self.tasks.values().for_each(|task| task.handle.abort(checkpoint));
        self.uploads().for_each(|uploads| uploads.abort(checkpoint));
    }

    pub(crate) fn complete_checkpoint(&self, checkpoint: u64) {
        self.tasks.values().for_each(|task| task.handle.complete(checkpoint));
        self.uploads().for_each(|uploads| uploads.complete(checkpoint));
    }

    pub(crate) fn metrics(&self) -> Vec<OperatorSnapshot> {
        self.tasks.values().flat_map(|task| task.handle.metrics()).collect()
    }

    pub(crate) fn running(&self) -> usize {
        self.tasks.values().filter(|task| !task.handle.is_over()).count()
    }

    /// The attempts of these subtasks.
    pub(crate) fn attempts_of(&self, subtasks: &[SubtaskId]) -> Vec<u32> {
        let tasks = subtasks.iter().filter_map(|subtask| self.tasks.get(subtask));
        let attempts: BTreeSet<u32> = tasks.map(|task| task.uploads.attempt()).collect();
        attempts.into_iter().collect()
    }

    /// All attempts.
    pub(crate) fn attempts(&self) -> Vec<u32> {
        self.uploads().map(Uploads::attempt).collect()
    }

    /// The uploads of each attempt.
    fn uploads(&self) -> impl Iterator<Item = &Uploads> {
        let by_attempt: BTreeMap<u32, &Uploads> =
            self.tasks.values().map(|task| (task.uploads.attempt(), task.uploads.as_ref())).collect();
        by_attempt.into_values()
    }
}

/// Turns what subtasks report into messages.
pub(crate) struct Reporter {
    pub(crate) uploads: Arc<Uploads>,
}

impl Reporter {
    fn send(&self, subtask: SubtaskId, message: FromTaskManager) {
        self.uploads.report(subtask, Report::Message(Box::new(message)));
    }
}

impl TaskEvents for Reporter {
    fn running(&self, subtask: SubtaskId) {
        let (job, attempt) = (self.uploads.job(), self.uploads.attempt());
        self.send(subtask, FromTaskManager::Running { job, attempt, subtask });
    }

    fn request_split(&self, subtask: SubtaskId) {
        let (job, attempt) = (self.uploads.job(), self.uploads.attempt());
        self.send(subtask, FromTaskManager::SplitRequest { job, attempt, subtask });
    }

    fn committables(&self, subtask: SubtaskId, committables: Vec<Committable>) {
        let (job, attempt) = (self.uploads.job(), self.uploads.attempt());
        let committables = committables.into_iter().map(|Committable(bytes)| bytes).collect();
        self.send(subtask, FromTaskManager::Committables { job, attempt, subtask, committables });
    }

    fn snapshot(&self, subtask: SubtaskId, snapshot: SubtaskSnapshot) {
        self.uploads.took_part(subtask, snapshot.barrier.checkpoint);
        self.uploads.report(subtask, Report::Snapshot(Box::new(snapshot)));
    }

    fn declined(&self, subtask: SubtaskId, checkpoint: u64, reason: Error) {
        let (job, attempt, reason) = (self.uploads.job(), self.uploads.attempt(), TaskError::from(&reason));
        self.uploads.took_part(subtask, checkpoint);
        self.send(subtask, FromTaskManager::CheckpointDeclined { job, attempt, subtask, checkpoint, reason });
    }

    fn ended_awaiting_checkpoint(&self, subtask: SubtaskId) {
        let (job, attempt) = (self.uploads.job(), self.uploads.attempt());
        self.send(subtask, FromTaskManager::AwaitsCheckpoint { job, attempt, subtask });
    }

    fn finished(&self, subtask: SubtaskId, outcome: Result<()>, metrics: Vec<OperatorSnapshot>) {
        let (job, attempt, outcome) = (self.uploads.job(), self.uploads.attempt(), Outcome::from(outcome));
        let last_checkpoint = self.uploads.last_checkpoint(subtask);
        self.send(subtask, FromTaskManager::Finished { job, attempt, subtask, outcome, last_checkpoint, metrics });
    }
}
