//! Changing the parallelism of a job: by a checkpoint, the end of its tasks, and their start at another parallelism.
//!
//! ```text
//! idle ── bounds or slots changed ──> checkpointing ── complete, or cannot be ──> going down ── all ended ──> idle
//! ```
//!
//! A checkpoint that fails delays nothing: then the job goes on from an earlier one. What the new parallelism cannot be
//! restored at, such as rows on their way over a broadcast edge, leaves it as it was.

use super::checkpoints::{Request, RequestKind, Stored};
use super::{Job, vertices};
use crate::regions::regions;
use crate::rescale::{Bounds, Mode, Policy, Requirements, Rescale, RescaleCause, bounds, check, fit, slots_min};
use crate::state::{JobState, TaskState};
use headwater_types::ids::SubtaskId;
use headwater_types::{Error, Result};
use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, TryRecvError, sync_channel};

/// Pause between looks at a job that is not ready to change.
const LOOK_MS: i64 = 20;

/// How the parallelism of a job changes.
pub(super) struct Rescaling {
    policy: Policy,
    /// The parallelism of its plan.
    planned: Vec<u32>,
    asked: Option<Requirements>,
    /// When to look whether it should change, and why.
    due: Option<(i64, RescaleCause)>,
    phase: Phase,
    /// When it changed last.
    changed_ms: Option<i64>,
    history: VecDeque<Rescale>,
    next_number: u64,
}

enum Phase {
    Idle,
    /// To this parallelism, when the checkpoint is complete.
    Checkpointing(Vec<u32>, Receiver<Result<Stored>>),
    /// To this parallelism, when all tasks have ended.
    GoingDown(Vec<u32>),
}

impl Rescaling {
    pub(super) fn new(policy: Policy, planned: Vec<u32>) -> Self {
        let (history, phase) = (VecDeque::new(), Phase::Idle);
        Self { policy, planned, asked: None, due: None, phase, changed_ms: None, history, next_number: 1 }
    }

    /// When there is something to do.
    pub(super) fn wake_ms(&self) -> Option<i64> {
        self.due.map(|(due_ms, _)| due_ms)
    }

    /// The tasks end, to start again in another shape.
    pub(super) fn goes_down(&self) -> bool {
        matches!(self.phase, Phase::GoingDown(_))
    }

    /// A change is under way.
    pub(super) fn is_changing(&self) -> bool {
        !matches!(self.phase, Phase::Idle) || self.history.front().is_some_and(|last| last.ended_ms.is_none())
    }

    /// The parallelism of the plan.
    pub(super) fn planned(&self) -> &[u32] {
        &self.planned
    }

    /// The parallelism of the job depends on its slots.
    fn follows_slots(&self) -> bool {
        self.policy.mode != Mode::Planned || self.asked.is_some()
    }

    fn look_at(&mut self, at_ms: i64, cause: RescaleCause) {
        let (due_ms, cause) = match self.due {
            Some((due_ms, RescaleCause::Requirements)) => (due_ms.min(at_ms), RescaleCause::Requirements),
            Some((due_ms, RescaleCause::Slots)) => (due_ms.min(at_ms), cause),
            None => (at_ms, cause),
        };
        self.due = Some((due_ms, cause));
    }

    fn began(&mut self, rescale: Rescale) {
        self.next_number += 1;
        self.history.push_front(rescale);
        self.history.truncate(self.policy.history);
    }

    fn ended(&mut self, now_ms: i64, failure: Option<String>) {
        if let Some(last) = self.history.front_mut().filter(|last| last.ended_ms.is_none()) {
            last.ended_ms = Some(now_ms);
            last.failure = failure;
        }
    }
}

impl Job {
    /// The bounds that the job was given.
    pub(crate) fn requirements(&self) -> Option<Requirements> {
        self.rescaling.asked.clone()
    }

    /// The changes of its parallelism, newest first.
    pub(crate) fn rescales(&self) -> Vec<Rescale> {
        self.rescaling.history.iter().cloned().collect()
    }

    /// Gives the job other bounds.
    pub(crate) fn set_requirements(&mut self, asked: Requirements) -> Result<()> {
        if self.complete || !self.execution.state().is_active() {
            return Err(Error::user("job-not-running", "the job is not running"));
        }
        check(&self.graph, &asked)?;
        self.rescaling.asked = Some(asked);
        self.rescaling.look_at(self.env.now_ms(), RescaleCause::Requirements);
        self.pump();
        Ok(())
    }

    /// There are other slots than before.
    pub(crate) fn slots_changed(&mut self) {
        if self.complete || !self.rescaling.follows_slots() {
            return;
        }
        let (now_ms, policy) = (self.env.now_ms(), self.rescaling.policy);
        let rested_ms = self.rescaling.changed_ms.map_or(now_ms, |at_ms| at_ms.saturating_add(policy.cooldown_ms));
        self.rescaling.look_at(rested_ms.max(now_ms.saturating_add(policy.stabilization_ms)), RescaleCause::Slots);
    }

    /// There are too few slots: the job makes do with those there are, if it may and no more come.
    pub(super) fn slots_missing(&mut self) {
        if self.rescaling.follows_slots() && matches!(self.rescaling.phase, Phase::Idle) {
            let at_ms = self.env.now_ms().saturating_add(self.rescaling.policy.submission_ms);
            if self.rescaling.due.is_none() {
                self.rescaling.look_at(at_ms, RescaleCause::Slots);
            }
        }
    }

    /// Does what is next.
    pub(super) fn rescale_next(&mut self, now_ms: i64) {
        if !self.execution.state().is_active() || self.finishing || self.checkpoints.stopped_with.is_some() {
            self.rescaling.due = None;
            self.rescaling.phase = Phase::Idle;
            return;
        }
        match std::mem::replace(&mut self.rescaling.phase, Phase::Idle) {
            Phase::Idle => {
                self.note_end(now_ms);
                if let Some((_, cause)) = self.rescaling.due.take_if(|(due_ms, _)| *due_ms <= now_ms) {
                    self.consider(cause, now_ms);
                }
            }
            Phase::Checkpointing(to, answer) => match answer.try_recv() {
                Err(TryRecvError::Empty) => {
                    self.rescaling.phase = Phase::Checkpointing(to, answer);
                    self.rescaling.due = Some((now_ms.saturating_add(LOOK_MS), RescaleCause::Requirements));
                }
                _ => self.go_down(to, now_ms),
            },
            down @ Phase::GoingDown(_) => self.rescaling.phase = down,
        }
        self.change_when_down(now_ms);
    }

    /// Changes a job whose tasks have all ended, before they are deployed again as they were. What is being stored is
    /// waited for: it is of the job as it was.
    fn change_when_down(&mut self, now_ms: i64) {
        if !self.execution.is_down() || self.checkpoints.is_storing() {
            return;
        }
        match std::mem::replace(&mut self.rescaling.phase, Phase::Idle) {
            Phase::GoingDown(to) => {
                self.rescaling.due = None;
                self.change_to(&to, now_ms);
            }
            other => self.rescaling.phase = other,
        }
    }

    /// A change is over when all tasks run.
    fn note_end(&mut self, now_ms: i64) {
        let runs = |task: &TaskState| !matches!(task, TaskState::Created | TaskState::Deploying);
        if self.execution.state() == JobState::Running && self.execution.tasks().values().all(runs) {
            self.rescaling.ended(now_ms, None);
        }
    }

    fn bounds(&self) -> Vec<Bounds> {
        let rescaling = &self.rescaling;
        bounds(&self.graph, &rescaling.planned, rescaling.asked.as_ref(), rescaling.policy.mode)
    }

    fn parallelism(&self) -> Vec<u32> {
        self.graph.vertices.iter().map(|vertex| vertex.parallelism).collect()
    }

    /// Begins a change if there is to be one.
    fn consider(&mut self, cause: RescaleCause, now_ms: i64) {
        let bounds = self.bounds();
        let slots = self.task_managers.slots_for(self.id);
        let before = self.parallelism();
        let Some(to) = fit(&self.graph, &bounds, slots).filter(|to| *to != before) else {
            if slots < slots_min(&bounds) {
                tracing::info!(job = %self.id, slots, "there are too few slots for the least parallelism");
            }
            return;
        };
        // A job that fails, or starts, is left alone until it runs, unless that is what it needs other slots for.
        let waits = self.waits_for_slots();
        let settled = self.execution.state() == JobState::Running && !self.checkpoints.coordinator.is_starting();
        if !waits && !settled {
            return self.rescaling.look_at(now_ms.saturating_add(LOOK_MS), cause);
        }
        tracing::info!(job = %self.id, ?cause, ?before, ?to, "changing the parallelism");
        let (number, after) = (self.rescaling.next_number, to.clone());
        let started =
            Rescale { number, cause, bounds, before, after, started_ms: now_ms, ended_ms: None, failure: None };
        self.rescaling.began(started);
        if waits || !self.is_checkpointed() {
            return self.go_down(to, now_ms);
        }
        let (reply, answer) = sync_channel(1);
        self.rescaling.phase = Phase::Checkpointing(to, answer);
        self.rescaling.due = Some((now_ms.saturating_add(LOOK_MS), cause));
        self.checkpoints.ask(Request { kind: RequestKind::Checkpoint, reply });
    }

    /// Ends all tasks.
    fn go_down(&mut self, to: Vec<u32>, now_ms: i64) {
        self.rescaling.phase = Phase::GoingDown(to);
        let actions = self.execution.take_down(now_ms);
        self.act(actions);
    }

    /// All tasks have ended: they start again at another parallelism.
    fn change_to(&mut self, to: &[u32], now_ms: i64) {
        match self.reshape(to) {
            Ok(()) => self.rescaling.changed_ms = Some(now_ms),
            Err(error) => {
                tracing::error!(job = %self.id, %error, "the parallelism stays as it was");
                self.rescaling.ended(now_ms, Some(error.message().to_owned()));
            }
        }
    }

    /// Makes the job one of this parallelism.
    ///
    /// # Errors
    /// When what it starts from cannot be restored so; then nothing has changed.
    fn reshape(&mut self, to: &[u32]) -> Result<()> {
        let mut graph = self.graph.as_ref().clone();
        graph.vertices.iter_mut().zip(to).for_each(|(vertex, parallelism)| vertex.parallelism = *parallelism);
        let new = vertices(&graph);
        if let Some(point) = self.checkpoints.point() {
            let path = crate::locate::path_of(&point.store.uri, point.manifest.checkpoint);
            headwater_checkpoint::restore::check(&path, &point.manifest, &new, graph.max_parallelism, true)?;
        }
        let plan = headwater_plan::encode(&graph)?;
        let now_ms = self.env.now_ms();
        self.execution.reshape(regions(&graph), now_ms);
        let subtasks: Vec<SubtaskId> = self.execution.tasks().keys().copied().collect();
        self.checkpoints.vertices = new;
        let actions = self.checkpoints.coordinator.reshape(subtasks.iter().copied(), now_ms);
        self.act_on_checkpoints(actions);
        self.splits.reshape(&graph);
        self.ended.retain(|subtask, _| subtasks.contains(subtask));
        self.history.forget_others(&subtasks);
        self.placement_reshaped(to.iter().copied().max().unwrap_or(1));
        (self.graph, self.plan) = (Arc::new(graph), plan);
        self.record_plan();
        Ok(())
    }

    /// The next JobManager starts the job as it is now.
    fn record_plan(&self) {
        let Some(records) = self.records.clone() else { return };
        let (job, plan) = (self.id, self.plan.clone());
        self.env.spawn_blocking("record", move || {
            if let Err(error) = records.replan(job, &plan) {
                tracing::warn!(%job, error = error.message(), "the new parallelism of the job could not be recorded");
            }
        });
    }
}
