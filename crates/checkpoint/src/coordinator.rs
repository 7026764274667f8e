//! When to take a checkpoint, and what becomes of it: a state machine over observed facts.
//!
//! ```text
//!                  ┌─ all parts ─> storing ── stored ──> completed
//! trigger ─> pending                  └── not stored ──┐
//!                  └─ declined, expired, overtaken by a newer one, job restarts ─> failed
//! ```
//!
//! A subtask's part is its acknowledgement, or the fact that it finished before the barrier. One that finished behind
//! the barrier and whose acknowledgement did not arrive has handed over what nobody has: its checkpoint fails. Reports about checkpoints that are not
//! pending are ignored: they are late. Failures that say something about the job (expired, declined, not stored)
//! are counted against what the job tolerates; those that it brought about itself are not.

mod pending;

use crate::settings::Settings;
use crate::statistics::{CheckpointStatistics, CheckpointStatus, Statistics};
use headwater_types::ids::SubtaskId;
use headwater_types::{Error, Result};
use pending::Pending;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// What a checkpoint is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Recovery; triggered by the clock.
    Periodic,
    /// Recovery; triggered by somebody, or because all tasks wait for it. Neither pause nor interval hold it back.
    Manual,
    /// The user.
    Savepoint,
    /// The user, who wants the job to end behind it.
    Stop {
        /// Whether the sources end first.
        drain: bool,
    },
}

impl Kind {
    /// Whether it is a savepoint.
    pub fn is_savepoint(self) -> bool {
        matches!(self, Self::Savepoint | Self::Stop { .. })
    }
}

/// What the service must do next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Action {
    /// Ask all subtasks for their parts.
    Trigger {
        /// Number of the checkpoint.
        checkpoint: u64,
        /// What it is for.
        kind: Kind,
    },
    /// All parts are there: write the manifest and report by [`Coordinator::stored`].
    Store {
        /// Number of the checkpoint.
        checkpoint: u64,
        /// What it is for.
        kind: Kind,
        /// When it was triggered.
        triggered_ms: i64,
        /// Subtasks that had finished before the checkpoint reached them.
        finished: BTreeSet<SubtaskId>,
    },
    /// The checkpoint is given up: drop its parts and tell the subtasks.
    Abort {
        /// Number of the checkpoint.
        checkpoint: u64,
        /// What it was for.
        kind: Kind,
        /// Why.
        reason: String,
    },
    /// The checkpoint is complete: commit and notify.
    Complete {
        /// Number of the checkpoint.
        checkpoint: u64,
        /// What it is for.
        kind: Kind,
    },
    /// More checkpoints failed in a row than the job tolerates.
    Fail {
        /// Why the last one failed.
        reason: String,
    },
}

/// What an acknowledgement tells the statistics.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct AckStatistics {
    /// Bytes written.
    pub bytes: u64,
    /// Milliseconds of alignment.
    pub alignment_ms: u64,
    /// Microseconds of handing over state.
    pub sync_us: u64,
    /// Bytes of rows that the barrier overtook.
    pub overtaken_bytes: u64,
}

/// Milliseconds until a failed last checkpoint is taken again when there is no interval.
const LAST_RETRY_MS: i64 = 1000;
/// How often, and for how long, a job that has ended but for its last checkpoint tries to take it, where nothing says
/// how many failures are tolerated.
const LAST_ATTEMPTS_MAX: u32 = 10;
const LAST_PATIENCE_MS: i64 = 60_000;

/// What a subtask does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    Starting,
    Running,
    /// It runs, its input has ended, and it ends when a checkpoint that is triggered from now on completes.
    Awaiting,
    Finished,
}

/// Why a checkpoint was given up.
enum Failure {
    /// Something is wrong.
    Counted(String),
    /// The job's own doing.
    Uncounted(String),
}

/// Decides about the checkpoints of one job.
#[derive(Debug, Clone)]
pub struct Coordinator {
    settings: Settings,
    tasks: BTreeMap<SubtaskId, Phase>,
    pending: BTreeMap<u64, Pending>,
    next: u64,
    /// When the clock asks for the next checkpoint.
    due_ms: Option<i64>,
    /// When the last checkpoint ended.
    ended_ms: Option<i64>,
    failures_in_row: u32,
    /// Failures in a row of the checkpoint that everything waits for, and when the first of them was.
    last_failures: (u32, i64),
    /// Reasons not to trigger periodic checkpoints.
    held: bool,
    statistics: Statistics,
}

impl Coordinator {
    /// A coordinator for these subtasks, none of which runs. The first checkpoint has the number `first`.
    pub fn new(settings: Settings, subtasks: impl IntoIterator<Item = SubtaskId>, first: u64) -> Self {
        let tasks = subtasks.into_iter().map(|subtask| (subtask, Phase::Starting)).collect();
        Self {
            settings,
            tasks,
            pending: BTreeMap::new(),
            next: first,
            due_ms: None,
            ended_ms: None,
            failures_in_row: 0,
            last_failures: (0, 0),
            held: false,
            statistics: Statistics::default(),
        }
    }

    /// The settings.
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// Counters and history, with the checkpoints that are under way.
    pub fn statistics(&self, now_ms: i64) -> Statistics {
        let mut statistics = self.statistics.clone();
        statistics.counts.in_progress = self.pending.len() as u64;
        for pending in self.pending.values() {
            statistics.history.push_front(pending.statistics(CheckpointStatus::InProgress, now_ms));
        }
        statistics
    }

    /// The job starts from a checkpoint.
    pub fn restored(&mut self, checkpoint: u64, path: String) {
        self.statistics.restored(checkpoint, path);
    }

    /// Whether a checkpoint is pending.
    pub fn is_pending(&self, checkpoint: u64) -> bool {
        self.pending.contains_key(&checkpoint)
    }

    /// The oldest pending checkpoint.
    pub fn oldest_pending(&self) -> Option<u64> {
        self.pending.keys().next().copied()
    }

    /// Whether some subtask has not started yet, so that no checkpoint can be taken for now.
    pub fn is_starting(&self) -> bool {
        self.held || self.tasks.values().any(|phase| *phase == Phase::Starting)
    }

    /// Whether a subtask's part of some pending checkpoint is missing: it must be given no splits.
    pub fn awaits(&self, subtask: SubtaskId) -> bool {
        self.pending.values().any(|pending| pending.awaits(subtask))
    }

    /// Holds back periodic checkpoints, or lets them go on.
    pub fn hold(&mut self, held: bool) {
        self.held = held;
    }

    /// A subtask runs.
    pub fn task_running(&mut self, subtask: SubtaskId) {
        if let Some(phase @ Phase::Starting) = self.tasks.get_mut(&subtask) {
            *phase = Phase::Running;
        }
    }

    /// A subtask has processed all of its input and ends with the next checkpoint. When all others have ended or
    /// wait as well, [`Coordinator::tick`] triggers that checkpoint at once.
    pub fn task_awaits(&mut self, subtask: SubtaskId) {
        if let Some(phase @ (Phase::Starting | Phase::Running)) = self.tasks.get_mut(&subtask) {
            *phase = Phase::Awaiting;
        }
    }

    /// A subtask has processed all of its input. It took part in checkpoints, or declined them, up to
    /// `last_checkpoint`: of those, what has not arrived by now got lost.
    pub fn task_finished(&mut self, subtask: SubtaskId, last_checkpoint: u64, now_ms: i64) -> Vec<Action> {
        let Some(phase) = self.tasks.get_mut(&subtask) else { return vec![] };
        *phase = Phase::Finished;
        let lost = self.pending.range(..=last_checkpoint).filter(|(_, pending)| pending.awaits(subtask));
        let lost: Vec<u64> = lost.map(|(checkpoint, _)| *checkpoint).collect();
        let mut actions = vec![];
        for checkpoint in lost {
            let reason = format!("what subtask {subtask} reported before it finished got lost");
            actions.extend(self.fail(checkpoint, Failure::Counted(reason), now_ms));
        }
        for (checkpoint, pending) in &mut self.pending {
            if pending.finished(subtask) {
                actions.push(pending.store(*checkpoint, now_ms));
            }
        }
        actions
    }

    /// Subtasks start anew: what is pending is given up, their phases begin again.
    pub fn restart(&mut self, subtasks: impl IntoIterator<Item = SubtaskId>, now_ms: i64) -> Vec<Action> {
        for subtask in subtasks {
            self.tasks.insert(subtask, Phase::Starting);
        }
        self.abort_all("the job restarts", now_ms)
    }

    /// The job starts anew with other subtasks: what is pending is given up.
    pub fn reshape(&mut self, subtasks: impl IntoIterator<Item = SubtaskId>, now_ms: i64) -> Vec<Action> {
        self.tasks.clear();
        self.restart(subtasks, now_ms)
    }

    /// Gives up everything that is pending, for a reason that is not the checkpoints'. What is being stored is not
    /// given up: its manifest may exist already.
    pub fn abort_all(&mut self, reason: &str, now_ms: i64) -> Vec<Action> {
        let pending: Vec<u64> = self.pending.iter().filter(|(_, p)| !p.is_storing()).map(|(id, _)| *id).collect();
        let give_up = |checkpoint| self.fail(checkpoint, Failure::Uncounted(reason.to_owned()), now_ms);
        pending.into_iter().flat_map(give_up).collect()
    }

    /// Time has passed, or something else has happened: expire what took too long, trigger what is due.
    pub fn tick(&mut self, now_ms: i64) -> Vec<Action> {
        let timeout_ms = self.settings.timeout_ms;
        let expired = self.pending.iter().filter(|(_, pending)| pending.expires(timeout_ms) <= now_ms);
        let expired: Vec<(u64, String)> = expired.map(|(id, pending)| (*id, pending.expiry(timeout_ms))).collect();
        let mut actions = vec![];
        for (checkpoint, reason) in expired {
            actions.extend(self.fail(checkpoint, Failure::Counted(reason), now_ms));
        }
        let last = self.last_due_ms().is_some_and(|due| due <= now_ms);
        if last || (self.is_due(now_ms) && self.may_trigger_periodic()) {
            actions.push(self.start(if last { Kind::Manual } else { Kind::Periodic }, now_ms));
        }
        actions
    }

    /// When [`Coordinator::tick`] will have something to do, as far as time alone decides.
    pub fn wake_ms(&self) -> Option<i64> {
        let expiry = self.pending.values().map(|pending| pending.expires(self.settings.timeout_ms)).min();
        let due = if self.may_trigger_periodic() { self.next_due_ms() } else { None };
        expiry.into_iter().chain(due).chain(self.last_due_ms()).min()
    }

    /// Starts the clock of periodic checkpoints: the first is due after one interval.
    pub fn start_clock(&mut self, now_ms: i64) {
        self.due_ms = self.settings.interval_ms.map(|interval| now_ms.saturating_add(interval));
    }

    /// Triggers a checkpoint that somebody asks for.
    ///
    /// # Errors
    /// `Retryable` when it cannot be taken now, with the reason.
    pub fn trigger(&mut self, kind: Kind, now_ms: i64) -> Result<(u64, Vec<Action>)> {
        let refused =
            |why: &str| Err(Error::retryable("checkpoint-refused", format!("no checkpoint can be taken now: {why}")));
        if self.tasks.values().any(|phase| *phase == Phase::Starting) {
            return refused("not all tasks of the job are running");
        }
        if !self.after_finish_allowed() {
            return refused("some tasks have finished, and checkpoints after that are switched off");
        }
        if self.is_stopping() {
            return refused("the job is being stopped with a savepoint");
        }
        if self.held {
            return refused("the files of the checkpoint that the job was restored from are still being copied");
        }
        if !self.tasks.values().any(|phase| matches!(phase, Phase::Running | Phase::Awaiting)) {
            return refused("all tasks of the job have ended");
        }
        let checkpoint = self.next;
        Ok((checkpoint, vec![self.start(kind, now_ms)]))
    }

    /// A subtask has handed over its part.
    pub fn ack(&mut self, checkpoint: u64, subtask: SubtaskId, stats: AckStatistics, now_ms: i64) -> Vec<Action> {
        let Some(pending) = self.pending.get_mut(&checkpoint) else { return vec![] };
        match pending.ack(subtask, stats, now_ms) {
            true => vec![pending.store(checkpoint, now_ms)],
            false => vec![],
        }
    }

    /// A subtask will not hand over its part.
    pub fn decline(&mut self, checkpoint: u64, subtask: SubtaskId, reason: &str, now_ms: i64) -> Vec<Action> {
        if !self.is_pending(checkpoint) {
            return vec![];
        }
        self.fail(checkpoint, Failure::Counted(format!("subtask {subtask} declined: {reason}")), now_ms)
    }

    /// The JobManager itself cannot contribute what it has to.
    pub fn give_up(&mut self, checkpoint: u64, reason: &str, now_ms: i64) -> Vec<Action> {
        self.fail(checkpoint, Failure::Counted(reason.to_owned()), now_ms)
    }

    /// The manifest of a checkpoint was written, with `state_bytes` of state, at `path`; or it was not.
    pub fn stored(&mut self, checkpoint: u64, outcome: Result<(u64, String)>, now_ms: i64) -> Vec<Action> {
        match outcome {
            Ok((state_bytes, path)) => self.complete(checkpoint, state_bytes, path, now_ms),
            Err(error) => self.fail(checkpoint, Failure::Counted(format!("it was not stored: {error}")), now_ms),
        }
    }

    fn complete(&mut self, checkpoint: u64, state_bytes: u64, path: String, now_ms: i64) -> Vec<Action> {
        let Some(pending) = self.pending.remove(&checkpoint) else { return vec![] };
        self.failures_in_row = 0;
        self.last_failures = (0, 0);
        self.ended_ms = Some(now_ms);
        let statistics = pending.statistics(CheckpointStatus::Completed, now_ms);
        let statistics = CheckpointStatistics { state_bytes, path: Some(path), ..statistics };
        self.statistics.ended(statistics, self.settings.history);
        let overtaken: Vec<u64> =
            self.pending.range(..checkpoint).filter(|(_, p)| p.may_be_overtaken()).map(|(id, _)| *id).collect();
        let mut actions = vec![Action::Complete { checkpoint, kind: pending.kind }];
        for older in overtaken {
            let reason = format!("checkpoint {checkpoint} completed first");
            actions.extend(self.fail(older, Failure::Uncounted(reason), now_ms));
        }
        actions
    }

    fn fail(&mut self, checkpoint: u64, failure: Failure, now_ms: i64) -> Vec<Action> {
        let Some(pending) = self.pending.remove(&checkpoint) else { return vec![] };
        let (reason, counted) = match failure {
            Failure::Counted(reason) => (reason, true),
            Failure::Uncounted(reason) => (reason, false),
        };
        self.ended_ms = Some(now_ms);
        let statistics = pending.statistics(CheckpointStatus::Failed, now_ms);
        self.statistics
            .ended(CheckpointStatistics { failure: Some(reason.clone()), ..statistics }, self.settings.history);
        let mut actions = vec![Action::Abort { checkpoint, kind: pending.kind, reason: reason.clone() }];
        self.failures_in_row += u32::from(counted);
        if counted && self.settings.tolerable_failures.is_some_and(|tolerable| self.failures_in_row > tolerable) {
            self.failures_in_row = 0;
            actions.push(Action::Fail { reason });
        } else if counted && self.awaits_last() {
            actions.extend(self.lose_patience(&reason, now_ms).map(|reason| Action::Fail { reason }));
        }
        actions
    }

    /// The checkpoint failed that everything waits for; why the job fails, when that happened too often for too long.
    fn lose_patience(&mut self, reason: &str, now_ms: i64) -> Option<String> {
        let (failures, since_ms) = match self.last_failures {
            (0, _) => (1, now_ms),
            (failures, since_ms) => (failures.saturating_add(1), since_ms),
        };
        self.last_failures = (failures, since_ms);
        if failures < LAST_ATTEMPTS_MAX || now_ms.saturating_sub(since_ms) < LAST_PATIENCE_MS {
            return None;
        }
        self.last_failures = (0, 0);
        Some(format!(
            "all input is processed, but the last checkpoint, behind which the job ends, failed {failures} times in a row: \
             {reason}"
        ))
    }

    fn start(&mut self, kind: Kind, now_ms: i64) -> Action {
        let checkpoint = self.next;
        self.next += 1;
        self.start_clock(now_ms);
        self.statistics.counts.total += 1;
        let of_phase = |finished: bool| {
            self.tasks.iter().filter(move |(_, phase)| (**phase == Phase::Finished) == finished).map(|(id, _)| *id)
        };
        let (waiting, finished) = (of_phase(false).collect(), of_phase(true).collect());
        self.pending.insert(checkpoint, Pending::new(checkpoint, kind, now_ms, waiting, finished));
        Action::Trigger { checkpoint, kind }
    }

    /// When the checkpoint that all remaining subtasks wait for is due: at once, and after a failed one when the
    /// interval has passed. `None` while it is not time for it.
    fn last_due_ms(&self) -> Option<i64> {
        if !self.awaits_last() || self.held || !self.pending.is_empty() {
            return None;
        }
        match self.failures_in_row {
            0 => Some(i64::MIN),
            _ => Some(
                self.ended_ms.unwrap_or(i64::MIN).saturating_add(self.settings.interval_ms.unwrap_or(LAST_RETRY_MS)),
            ),
        }
    }

    /// Whether all that is left to be done is a last checkpoint.
    fn awaits_last(&self) -> bool {
        let waiting = self.tasks.values().any(|phase| *phase == Phase::Awaiting);
        let others = self.tasks.values().any(|phase| matches!(phase, Phase::Starting | Phase::Running));
        waiting && !others
    }

    fn is_due(&self, now_ms: i64) -> bool {
        self.next_due_ms().is_some_and(|due| due <= now_ms)
    }

    fn next_due_ms(&self) -> Option<i64> {
        let after_pause = self.ended_ms.map_or(i64::MIN, |ended| ended.saturating_add(self.settings.min_pause_ms));
        self.due_ms.map(|due| due.max(after_pause))
    }

    /// Whether anything but the clock speaks against a periodic checkpoint.
    fn may_trigger_periodic(&self) -> bool {
        let alive = self.tasks.values().any(|phase| *phase == Phase::Running);
        let starting = self.tasks.values().any(|phase| *phase == Phase::Starting);
        let under_way = self.pending.values().filter(|pending| pending.is_limited()).count();
        !self.held
            && alive
            && !starting
            && under_way < self.settings.max_concurrent
            && self.after_finish_allowed()
            && !self.is_stopping()
    }

    fn after_finish_allowed(&self) -> bool {
        self.settings.after_tasks_finish || !self.tasks.values().any(|phase| *phase == Phase::Finished)
    }

    fn is_stopping(&self) -> bool {
        self.pending.values().any(|pending| matches!(pending.kind, Kind::Stop { .. }))
    }
}

#[cfg(test)]
mod tests;
