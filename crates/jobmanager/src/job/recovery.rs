//! Starting from a checkpoint: a new job from its origin, a failed region from the last one that completed.

use super::commits::Commit;
use super::{Job, checkpoints::Checkpoints};
use crate::guard::guarded;
use crate::service::Inbound;
use crate::store::Store;
use headwater_checkpoint::restore::plan;
use headwater_checkpoint::{Manifest, RestorePlan};
use headwater_taskmanager::{CheckpointTarget, Outcome, Restore, TaskError, ToTaskManager};
use headwater_types::ids::{SubtaskId, VertexId};
use headwater_types::{Error, Result};
use std::collections::BTreeSet;
use std::sync::Arc;

/// A checkpoint and where its files are.
#[derive(Clone)]
pub(super) struct Point {
    pub(super) manifest: Arc<Manifest>,
    pub(super) store: Store,
    pub(super) advice: String,
}

impl Checkpoints {
    /// Where a region starts from: the last completed checkpoint, else the job's origin, else nothing.
    pub(super) fn point(&self) -> Option<Point> {
        if let Some(manifest) = &self.latest {
            let advice = "the checkpoint was taken by this very job: look for what damaged its files".to_owned();
            return Some(Point { manifest: manifest.clone(), store: self.store.clone(), advice });
        }
        self.origin.clone()
    }
}

impl Job {
    /// Deploys the whole job for the first time, when what its origin staged is committed.
    pub(super) fn begin(&mut self, subtasks: Vec<SubtaskId>) {
        let now_ms = self.env.now_ms();
        self.checkpoints.coordinator.start_clock(now_ms);
        self.redeploys.push((subtasks, self.execution.attempt()));
        if let Some(point) = self.checkpoints.point() {
            let path = self.checkpoints.origin_path.clone();
            self.checkpoints.coordinator.restored(point.manifest.checkpoint, path);
            if self.checkpoints.origin.is_some() {
                self.adopt(&point);
            }
            self.commit_point(&point);
        }
    }

    /// Makes the runs of the origin the job's own, in the background; until then there are no checkpoints.
    fn adopt(&mut self, point: &Point) {
        self.checkpoints.coordinator.hold(true);
        self.checkpoints.adopting = true;
        let (job, inbox, own) = (self.id, self.inbox.clone(), self.checkpoints.store.clone());
        let point = point.clone();
        self.env.spawn_blocking("adopt", move || {
            let outcome = guarded(|| own.adopt(point.manifest.as_ref().clone(), &point.store));
            let _ = inbox.send(Inbound::Adopted { job, outcome: outcome.map(Box::new) });
        });
    }

    /// A thread has copied the origin's runs, or could not.
    pub(crate) fn adopted(&mut self, outcome: Result<Box<Manifest>>) {
        self.checkpoints.adopting = false;
        match outcome {
            Ok(manifest) => {
                self.checkpoints.adopted(*manifest);
                self.checkpoints.coordinator.hold(false);
            }
            Err(error) => {
                let error = error.context("copying the files of the checkpoint that the job starts from");
                tracing::warn!(job = %self.id, %error, "no checkpoint can be taken yet");
                self.retry_adoption(&error);
            }
        }
        self.pump();
    }

    /// Storage that is away for a while only delays the first checkpoint; damaged files end the job.
    fn retry_adoption(&mut self, error: &Error) {
        if error.kind() == headwater_types::ErrorKind::Corruption {
            let actions = self.execution.fail_for_good(TaskError::from(error), self.env.now_ms());
            self.act(actions);
            return;
        }
        self.checkpoints.readopt_ms = Some(self.env.now_ms().saturating_add(READOPT_MS));
    }

    /// Tries again to copy the origin's runs.
    pub(super) fn readopt(&mut self) {
        if self.checkpoints.readopt_ms.is_some_and(|at| at <= self.env.now_ms()) {
            self.checkpoints.readopt_ms = None;
            if let Some(origin) = self.checkpoints.origin.clone() {
                self.adopt(&origin);
            }
        }
    }

    /// A region ends and will start again: what it did since the last checkpoint does not count.
    pub(super) fn restarting(&mut self, subtasks: &[SubtaskId]) {
        let cause = self.execution.restart_cause().map(|cause| cause.message().to_owned()).unwrap_or_default();
        tracing::warn!(job = %self.id, cause, "restarting {} subtasks", subtasks.len());
        let actions = self.checkpoints.coordinator.restart(subtasks.iter().copied(), self.env.now_ms());
        self.act_on_checkpoints(actions);
        self.commits.unstage(subtasks);
        self.commits.clear();
        self.checkpoints.deferred.retain(|subtask| !subtasks.contains(subtask));
        self.finishing = false;
        if let Some(point) = self.checkpoints.point() {
            self.commit_point(&point);
        }
        self.withdraw(subtasks);
    }

    /// Commits what a checkpoint holds, unless that has been done.
    pub(super) fn commit_point(&mut self, point: &Point) {
        let staged = self.plan_of(point).committables;
        self.commits.push(Commit { checkpoint: point.manifest.checkpoint, staged, store: point.store.clone() });
    }

    fn plan_of(&self, point: &Point) -> RestorePlan {
        plan(&point.manifest, &self.checkpoints.vertices, self.graph.max_parallelism)
    }

    /// Deploys the regions that wait for it, once nothing is being stored or committed.
    pub(super) fn redeploy_ready(&mut self) {
        if !self.execution.state().is_active() {
            return self.drop_redeploys();
        }
        if self.redeploys.is_empty() || self.checkpoints.is_storing() || !self.commits.is_idle() {
            return;
        }
        // A deployment that fails may withdraw others that wait, and adds none.
        let mut waiting = 0;
        while waiting < self.redeploys.len() {
            let subtasks = self.redeploys[waiting].0.clone();
            if !self.find_slots(&subtasks) {
                waiting += 1;
                continue;
            }
            let (subtasks, attempt) = self.redeploys.remove(waiting);
            self.redeploy_now(subtasks, attempt);
            if !self.execution.state().is_active() {
                return self.drop_redeploys();
            }
        }
        if waiting == 0 {
            self.has_slots();
        }
    }

    fn redeploy_now(&mut self, subtasks: Vec<SubtaskId>, attempt: u32) {
        // Tasks may have finished after the restart began; that was their life before.
        let actions = self.checkpoints.coordinator.restart(subtasks.iter().copied(), self.env.now_ms());
        self.act_on_checkpoints(actions);
        let failed = match self.redeploy(&subtasks, attempt) {
            Ok(failed) => failed,
            Err(error) => vec![(subtasks, error)],
        };
        for (subtasks, error) in failed {
            let actions = self.deploy_failed(attempt, &subtasks, TaskError::from(&error));
            self.act(actions);
        }
    }

    /// The job ends: no region that waits will be deployed.
    fn drop_redeploys(&mut self) {
        self.has_slots();
        let waiting = std::mem::take(&mut self.redeploys);
        waiting.into_iter().for_each(|(subtasks, _)| self.withdrawn(subtasks));
    }

    /// A region restarts again before it was deployed. Others that were to be deployed with it still will be.
    fn withdraw(&mut self, restarting: &[SubtaskId]) {
        let mut withdrawn = vec![];
        for (subtasks, _) in &mut self.redeploys {
            withdrawn.extend(subtasks.extract_if(.., |subtask| restarting.contains(subtask)));
        }
        self.redeploys.retain(|(subtasks, _)| !subtasks.is_empty());
        self.withdrawn(withdrawn);
    }

    /// No TaskManager knows the tasks of a region that was not deployed, so nobody else will report their end.
    fn withdrawn(&mut self, subtasks: Vec<SubtaskId>) {
        for subtask in subtasks {
            let actions = self.execution.task_ended(subtask, Outcome::Cancelled, self.env.now_ms(), 0);
            self.act(actions);
        }
    }

    /// Deploys a region; the parts of it that could not be sent, and why.
    fn redeploy(&mut self, subtasks: &[SubtaskId], attempt: u32) -> Result<Vec<(Vec<SubtaskId>, Error)>> {
        let point = self.checkpoints.point();
        let plan = point.as_ref().map(|point| self.plan_of(point));
        if attempt > 0 || plan.is_some() {
            self.reset_splits(subtasks, point.as_ref(), plan.as_ref())?;
        }
        if attempt > 0 {
            self.checkpoints.rewind();
            if let Some(point) = &point {
                let path = crate::locate::path_of(&point.store.uri, point.manifest.checkpoint);
                self.checkpoints.coordinator.restored(point.manifest.checkpoint, path);
            }
        }
        if let Some(point) = &point {
            self.checkpoints.pin(attempt, point);
        }
        let inline_bytes = self.checkpoints.coordinator.settings().inline_bytes;
        let checkpoints = CheckpointTarget { uri: self.checkpoints.store.uri.clone(), inline_bytes };
        let (job, encoded) = (self.id, self.plan.clone());
        let from = point.zip(plan);
        Ok(self.deploy(subtasks, |subtasks, peers| {
            let restore = from.as_ref().map(|(point, plan)| Restore {
                checkpoint: plan.checkpoint,
                uri: point.store.uri.clone(),
                subtasks: subtasks.iter().filter_map(|id| Some((*id, plan.subtasks.get(id)?.clone()))).collect(),
                advice: point.advice.clone(),
            });
            let (plan, checkpoints) = (encoded.clone(), checkpoints.clone());
            ToTaskManager::Deploy { job, attempt, plan, subtasks, peers, checkpoints, restore }
        }))
    }

    /// Puts the enumerators of a region's sources back.
    fn reset_splits(
        &mut self,
        subtasks: &[SubtaskId],
        point: Option<&Point>,
        plan: Option<&RestorePlan>,
    ) -> Result<()> {
        let vertices: BTreeSet<VertexId> = subtasks.iter().map(|subtask| subtask.vertex).collect();
        for vertex in self.splits.vertices().into_iter().filter(|vertex| vertices.contains(vertex)) {
            let stored = plan.and_then(|plan| plan.enumerators.get(&vertex));
            let state = match (point, stored) {
                (Some(point), Some(blob)) => point.store.read_blobs(std::slice::from_ref(blob))?.pop(),
                _ => None,
            };
            guarded(|| self.splits.reset(vertex, &self.env, state.as_deref()))?;
        }
        Ok(())
    }
}

/// Milliseconds until copying the origin's runs is tried again.
const READOPT_MS: i64 = 5_000;
