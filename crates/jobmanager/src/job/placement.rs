//! Where the tasks of a job run, and what it is told through which TaskManager.

use super::Job;
use crate::execution::Action;
use crate::task_managers::{SessionId, Shortage, TaskManagers};
use headwater_taskmanager::{Inspected, Inspection, Outcome, TaskError, ToTaskManager};
use headwater_types::config::Key;
use headwater_types::ids::SubtaskId;
use headwater_types::{Error, ErrorKind, Result};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::mpsc::SyncSender;

/// How long a job waits for slots.
pub(crate) const SLOT_REQUEST_TIMEOUT: Key = Key { name: "slot.request.timeout", default: "5 min" };
/// How long a job that goes on under another JobManager waits for TaskManagers that ran it and have not registered yet.
/// They do within a few looks at the lease; those that come first must not get what the others had.
const RETURN_MS: i64 = 500;

/// Where the tasks of a job run.
#[derive(Default)]
pub(super) struct Placement {
    /// The TaskManager of each slot. Kept over restarts, so that tasks come back to where their files are.
    slots: BTreeMap<u32, SessionId>,
    /// The name of the TaskManager that each slot was of last: it may come back, with the files that it kept.
    names: BTreeMap<u32, String>,
    /// Where the tasks are that were deployed and have not ended.
    tasks: BTreeMap<SubtaskId, SessionId>,
    /// The TaskManagers that know the job.
    sessions: BTreeSet<SessionId>,
    /// There were not enough slots.
    waits: Option<Wait>,
    /// Until when the TaskManagers of these names are waited for although others have slots.
    returning_until_ms: Option<i64>,
}

/// A job waits for slots.
struct Wait {
    until_ms: i64,
    wanted: usize,
    shortage: Shortage,
}

impl Wait {
    fn message(&self) -> String {
        let (Shortage { missing, task_managers }, wanted) = (self.shortage, self.wanted);
        format!("{missing} of {wanted} slots are missing ({task_managers} TaskManagers are registered)")
    }
}

impl Placement {
    /// A job that ran before, with its slots at TaskManagers of these names, which are about to register.
    pub(super) fn after(names: impl IntoIterator<Item = (u32, String)>, now_ms: i64) -> Self {
        let names: BTreeMap<u32, String> = names.into_iter().collect();
        let returning_until_ms = (!names.is_empty()).then(|| now_ms.saturating_add(RETURN_MS));
        Self { names, returning_until_ms, ..Self::default() }
    }

    /// The name of the TaskManager of each slot.
    pub(super) fn names(&self) -> Vec<(u32, String)> {
        self.names.iter().map(|(slot, name)| (*slot, name.clone())).collect()
    }

    /// The TaskManagers that know the job.
    pub(super) fn sessions(&self) -> &BTreeSet<SessionId> {
        &self.sessions
    }

    /// Where a task runs.
    pub(super) fn of(&self, subtask: SubtaskId) -> Option<SessionId> {
        self.tasks.get(&subtask).copied()
    }

    /// A task has ended.
    pub(super) fn ended(&mut self, subtask: SubtaskId) {
        self.tasks.remove(&subtask);
    }

    /// What the job waits for.
    pub(super) fn waits_for(&self) -> Option<String> {
        self.waits.as_ref().map(Wait::message)
    }

    /// The same, unless the TaskManagers that had its slots are about to come back.
    pub(super) fn lacks(&self) -> Option<String> {
        self.waits_for().filter(|_| self.returning_until_ms.is_none())
    }

    /// When the job has waited for too long.
    pub(super) fn wake_ms(&self) -> Option<i64> {
        let wait = self.waits.as_ref()?;
        Some(self.returning_until_ms.map_or(wait.until_ms, |until_ms| until_ms.min(wait.until_ms)))
    }

    /// How many of these slots are of TaskManagers that may still come back; none once that has taken too long.
    fn returning(&mut self, slots: &[u32], task_managers: &TaskManagers, now_ms: i64) -> usize {
        self.returning_until_ms = self.returning_until_ms.filter(|until_ms| now_ms < *until_ms);
        if self.returning_until_ms.is_none() {
            return 0;
        }
        let is_away = |slot: &&u32| self.names.get(slot).is_some_and(|name| !task_managers.knows(name));
        slots.iter().filter(is_away).count()
    }

    /// A TaskManager is gone: the tasks that ran there.
    fn lose(&mut self, session: SessionId) -> Vec<SubtaskId> {
        self.sessions.remove(&session);
        self.slots.retain(|_, slot| *slot != session);
        self.tasks.extract_if(.., |_, task| *task == session).map(|(subtask, _)| subtask).collect()
    }
}

impl Job {
    /// Whether tasks can go on elsewhere without harm: there are checkpoints to go on from, and the job does not end with
    /// a savepoint that is complete.
    fn may_be_handed_over(&self) -> bool {
        self.is_checkpointed() && self.checkpoints.stopped_with.is_none()
    }

    /// A task was cancelled by its TaskManager: when that one is about to end, its tasks go on elsewhere.
    pub(super) fn hand_over_cancelled(&mut self, subtask: SubtaskId) -> Vec<Action> {
        let leaving = self.placement.of(subtask).is_some_and(|session| self.task_managers.is_leaving(session));
        match leaving && self.may_be_handed_over() {
            true => self.execution.hand_over(&[subtask], self.env.now_ms()),
            false => vec![],
        }
    }

    /// Whether the job waits for slots.
    pub(crate) fn waits_for_slots(&self) -> bool {
        !self.complete && self.placement.waits.is_some()
    }

    /// Finds slots for subtasks; whether all have one.
    pub(super) fn find_slots(&mut self, subtasks: &[SubtaskId]) -> bool {
        let wanted: BTreeSet<u32> = subtasks.iter().map(|subtask| subtask.index).collect();
        let missing: Vec<u32> =
            wanted.iter().filter(|index| !self.placement.slots.contains_key(index)).copied().collect();
        let returning = self.placement.returning(&missing, &self.task_managers, self.env.now_ms());
        if returning > 0 {
            self.wait_for_slots(wanted.len(), self.task_managers.lacks(returning));
            return false;
        }
        let names: Vec<Option<&str>> =
            missing.iter().map(|index| self.placement.names.get(index).map(String::as_str)).collect();
        match self.task_managers.claim(self.id, &names) {
            Ok(sessions) => {
                for (slot, session) in missing.into_iter().zip(sessions) {
                    self.placement.slots.insert(slot, session);
                    self.placement.names.extend(self.task_managers.name(session).map(|name| (slot, name)));
                }
                true
            }
            Err(shortage) => {
                self.wait_for_slots(wanted.len(), shortage);
                self.slots_missing();
                false
            }
        }
    }

    fn wait_for_slots(&mut self, wanted: usize, shortage: Shortage) {
        let until_ms = match &self.placement.waits {
            Some(wait) => wait.until_ms,
            None => self.env.now_ms().saturating_add(self.slot_timeout_ms),
        };
        let wait = Wait { until_ms, wanted, shortage };
        if self.placement.waits.is_none() {
            tracing::info!(job = %self.id, "waiting: {}", wait.message());
        }
        self.placement.waits = Some(wait);
    }

    /// The job has another parallelism: it needs this many slots, and waits for none yet.
    pub(super) fn placement_reshaped(&mut self, slots: u32) {
        self.placement.waits = None;
        self.placement.names.retain(|slot, _| *slot < slots);
        for (_, session) in self.placement.slots.extract_if(slots.., |_, _| true) {
            self.task_managers.release_one(self.id, session);
        }
    }

    /// All regions have slots.
    pub(super) fn has_slots(&mut self) {
        self.placement.waits = None;
    }

    /// Fails a job that has waited for slots for too long.
    pub(super) fn expire_wait(&mut self, now_ms: i64) {
        let Some(wait) = self.placement.waits.take_if(|wait| wait.until_ms <= now_ms) else { return };
        let message = format!(
            "the job could not get its slots within {} ms: {}; start more TaskManagers, lower the parallelism, or raise \
             '{}'",
            self.slot_timeout_ms,
            wait.message(),
            SLOT_REQUEST_TIMEOUT.name
        );
        let error = TaskError::from(&Error::new(ErrorKind::User, "no-slots", message));
        let actions = self.execution.fail_for_good(error, now_ms);
        self.act(actions);
    }

    /// Sends subtasks to where their slots are, with a message made from those of one TaskManager and the addresses of
    /// the others. Those that could not be sent, and why.
    pub(super) fn deploy(
        &mut self,
        subtasks: &[SubtaskId],
        message: impl Fn(Vec<SubtaskId>, Vec<(SubtaskId, String)>) -> ToTaskManager,
    ) -> Vec<(Vec<SubtaskId>, Error)> {
        let mut by_session: BTreeMap<SessionId, Vec<SubtaskId>> = BTreeMap::new();
        let mut failed = vec![];
        for subtask in subtasks {
            match self.placement.slots.get(&subtask.index) {
                Some(session) => by_session.entry(*session).or_default().push(*subtask),
                None => failed.push((vec![*subtask], Error::retryable("no-slot", "its slot is gone"))),
            }
        }
        let addresses: BTreeMap<SessionId, String> =
            by_session.keys().filter_map(|session| Some((*session, self.task_managers.exchange(*session)?))).collect();
        for (session, own) in &by_session {
            let others = by_session.iter().filter(|(other, _)| *other != session);
            let peers = others.filter_map(|(other, theirs)| Some((addresses.get(other)?, theirs)));
            let peers =
                peers.flat_map(|(address, theirs)| theirs.iter().map(|peer| (*peer, address.clone()))).collect();
            match self.task_managers.send(*session, message(own.clone(), peers)) {
                Ok(()) => {
                    self.placement.sessions.insert(*session);
                    self.placement.tasks.extend(own.iter().map(|subtask| (*subtask, *session)));
                    self.task_managers.place(*session).into_iter().for_each(|place| self.history.deployed(own, place));
                }
                Err(error) => failed.push((own.clone(), error)),
            }
        }
        failed
    }

    /// Cancels tasks. Those on a TaskManager that cannot be reached are lost with it.
    pub(super) fn cancel_tasks(&self, subtasks: Vec<SubtaskId>) {
        let mut by_session: BTreeMap<SessionId, Vec<SubtaskId>> = BTreeMap::new();
        for subtask in subtasks {
            if let Some(session) = self.placement.of(subtask) {
                by_session.entry(session).or_default().push(subtask);
            }
        }
        for (session, subtasks) in by_session {
            let _ = self.task_managers.send(session, ToTaskManager::Cancel { job: self.id, subtasks });
        }
    }

    /// Carries a question to a part of a task. Of one that does not run at the moment there is no answer.
    pub(crate) fn coordinate(
        &self,
        subtask: SubtaskId,
        target: String,
        request: Vec<u8>,
        reply: SyncSender<Inspected>,
    ) {
        let what = Inspection::Coordinate { target, request };
        match self.placement.of(subtask) {
            Some(session) => self.task_managers.inspect_session(session, what, reply),
            None => drop(reply.try_send(Inspected::Coordinated(None))),
        }
    }

    /// Tells all TaskManagers that know the job. One that cannot be reached has no tasks either.
    pub(super) fn tell(&self, message: &ToTaskManager) {
        for session in self.placement.sessions() {
            let _ = self.task_managers.send(*session, message.clone());
        }
    }

    /// Tells all TaskManagers that know the job.
    ///
    /// # Errors
    /// When one of them cannot be reached; others may have been told.
    pub(super) fn tell_surely(&self, message: &ToTaskManager) -> Result<()> {
        self.placement.sessions().iter().try_for_each(|session| self.task_managers.send(*session, message.clone()))
    }

    /// A TaskManager is gone, and with it the tasks that ran there. When it was `planned`, its tasks go on
    /// elsewhere, whatever the restart strategy says of failures.
    pub(crate) fn task_manager_gone(&mut self, session: SessionId, lost: &Error, planned: bool) {
        if self.complete {
            return;
        }
        self.checkpoints.session_lost(session);
        self.metrics_lost(session);
        let gone = self.placement.lose(session);
        let handed_over = planned && self.may_be_handed_over();
        if handed_over {
            let actions = self.execution.hand_over(&gone, self.env.now_ms());
            self.act(actions);
        }
        for subtask in gone {
            let outcome = if handed_over { Outcome::Cancelled } else { Outcome::Failed(TaskError::from(lost)) };
            let actions: Vec<Action> = self.task_ended(subtask, outcome, 0, vec![]);
            self.act(actions);
        }
        self.pump();
    }
}

#[cfg(test)]
mod tests;
