//! The TaskManagers of the cluster and their slots; shared by all jobs.
//!
//! A TaskManager offers slots, and a slot runs one subtask of every vertex: subtask `i` of each vertex shares slot `i`
//! of its job. So a job needs as many slots as its widest vertex is parallel, and a pipeline stays in one process as
//! long as its rows do not change hands.
//!
//! Every registration is a *session* of its own: a TaskManager that comes back has lost its tasks, and the late news
//! that its earlier session broke does not harm its new one.

use crate::overview::Place;
use headwater_taskmanager::{Inspected, Inspection, TaskManagerGateway, ToTaskManager};
use headwater_types::ids::JobId;
use headwater_types::{Error, Result};
use serde::{Deserialize, Serialize};
use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};
use std::sync::mpsc::SyncSender;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// What a TaskManager says of itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TaskManagerInfo {
    /// Its name, unique within the cluster.
    pub id: String,
    /// The host it runs on.
    pub host: String,
    /// Where other TaskManagers send rows, host and port; `None` when it is the only one.
    pub exchange: Option<String>,
    /// Subtasks of a vertex that it runs at once.
    pub slots: u32,
    /// Cores it may use.
    pub cores: u32,
    /// Memory it may use.
    pub memory_bytes: u64,
}

impl TaskManagerInfo {
    /// The TaskManager of a cluster in one process, which takes every job.
    pub fn in_process() -> Self {
        let (id, host) = ("local".to_owned(), "localhost".to_owned());
        Self { id, host, exchange: None, slots: u32::MAX, cores: 0, memory_bytes: 0 }
    }
}

/// The life of a TaskManager from its registration to its loss. Numbers rise.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct SessionId(pub u64);

/// A registered TaskManager.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TaskManagerStatus {
    /// Its session.
    pub session: SessionId,
    /// What it says of itself.
    pub info: TaskManagerInfo,
    /// Slots that no job has.
    pub free_slots: u32,
    /// Slots by job.
    pub jobs: BTreeMap<JobId, u32>,
}

/// Not enough free slots.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Shortage {
    /// How many more are needed.
    pub(crate) missing: usize,
    /// Registered TaskManagers.
    pub(crate) task_managers: usize,
}

/// The registered TaskManagers.
#[derive(Default)]
pub(crate) struct TaskManagers {
    members: Mutex<BTreeMap<SessionId, Member>>,
}

struct Member {
    info: TaskManagerInfo,
    gateway: Arc<dyn TaskManagerGateway>,
    jobs: BTreeMap<JobId, u32>,
    /// It is about to end: no more slots of it are taken.
    leaving: bool,
}

impl Member {
    fn free(&self) -> u32 {
        if self.leaving {
            return 0;
        }
        let used = self.jobs.values().fold(0_u32, |used, slots| used.saturating_add(*slots));
        self.info.slots.saturating_sub(used)
    }
}

impl TaskManagers {
    /// Adds a TaskManager. The earlier session of the same one, which is over, if there is any.
    pub(crate) fn add(
        &self,
        session: SessionId,
        info: TaskManagerInfo,
        gateway: Arc<dyn TaskManagerGateway>,
    ) -> Option<SessionId> {
        let mut members = self.lock();
        let earlier = members.iter().find(|(_, member)| member.info.id == info.id).map(|(session, _)| *session);
        members.insert(session, Member { info, gateway, jobs: BTreeMap::new(), leaving: false });
        earlier
    }

    /// A TaskManager is gone; what it said of itself, and whether it had said that it would go, unless that was known.
    pub(crate) fn remove(&self, session: SessionId) -> Option<(TaskManagerInfo, bool)> {
        self.lock().remove(&session).map(|member| (member.info, member.leaving))
    }

    /// Whether a TaskManager is about to end.
    pub(crate) fn is_leaving(&self, session: SessionId) -> bool {
        self.lock().get(&session).is_some_and(|member| member.leaving)
    }

    /// A TaskManager is about to end; the jobs that have slots there.
    pub(crate) fn leave(&self, session: SessionId) -> Vec<JobId> {
        let mut members = self.lock();
        let Some(member) = members.get_mut(&session) else { return vec![] };
        member.leaving = true;
        member.jobs.keys().copied().collect()
    }

    /// Takes slots for a job: each of the TaskManager of the name that is `wanted` for it, where that has one, the others
    /// spread over the TaskManagers.
    ///
    /// # Errors
    /// When there are not enough; then none is taken.
    pub(crate) fn claim(&self, job: JobId, wanted: &[Option<&str>]) -> Result<Vec<SessionId>, Shortage> {
        let mut members = self.lock();
        let free: Vec<(SessionId, u32)> = members.iter().map(|(session, member)| (*session, member.free())).collect();
        let of_name =
            |name: &str| members.iter().find(|(_, member)| member.info.id == name).map(|(session, _)| *session);
        let wanted: Vec<Option<SessionId>> = wanted.iter().map(|name| name.and_then(of_name)).collect();
        let placed = place(&free, &wanted).map_err(|missing| Shortage { missing, task_managers: members.len() })?;
        for session in &placed {
            if let Some(member) = members.get_mut(session) {
                *member.jobs.entry(job).or_default() += 1;
            }
        }
        Ok(placed)
    }

    /// What there is to say when so many slots are missing.
    pub(crate) fn lacks(&self, missing: usize) -> Shortage {
        Shortage { missing, task_managers: self.lock().len() }
    }

    /// Whether a TaskManager of this name is registered.
    pub(crate) fn knows(&self, name: &str) -> bool {
        self.lock().values().any(|member| member.info.id == name)
    }

    /// The name of a TaskManager.
    pub(crate) fn name(&self, session: SessionId) -> Option<String> {
        self.lock().get(&session).map(|member| member.info.id.clone())
    }

    /// What people are told of where a TaskManager is.
    pub(crate) fn place(&self, session: SessionId) -> Option<Place> {
        self.lock().get(&session).map(|member| Place::from(&member.info))
    }

    /// The slots that a job has or could have.
    pub(crate) fn slots_for(&self, job: JobId) -> u32 {
        let members = self.lock();
        let slots = members.values().filter(|member| !member.leaving).map(|member| {
            let own = member.jobs.get(&job).copied().unwrap_or(0);
            member.free().saturating_add(own)
        });
        slots.fold(0, u32::saturating_add)
    }

    /// A job needs a slot no more.
    pub(crate) fn release_one(&self, job: JobId, session: SessionId) {
        if let Some(member) = self.lock().get_mut(&session)
            && let Some(slots) = member.jobs.get_mut(&job)
        {
            *slots = slots.saturating_sub(1);
            member.jobs.retain(|_, slots| *slots > 0);
        }
    }

    /// A job needs its slots no more.
    pub(crate) fn release(&self, job: JobId) {
        for member in self.lock().values_mut() {
            member.jobs.remove(&job);
        }
    }

    /// Where others send rows to a TaskManager.
    pub(crate) fn exchange(&self, session: SessionId) -> Option<String> {
        self.lock().get(&session)?.info.exchange.clone()
    }

    /// Sends a message without waiting.
    ///
    /// # Errors
    /// When the TaskManager is gone or does not keep up.
    pub(crate) fn send(&self, session: SessionId, message: ToTaskManager) -> Result<()> {
        let gateway = self.lock().get(&session).map(|member| member.gateway.clone());
        let gone = || Error::retryable("taskmanager-gone", "the TaskManager is gone");
        gateway.ok_or_else(gone)?.send(message)
    }

    /// Looks into the process of the TaskManager of this id. The answer comes by `reply`; never, when there is none.
    pub(crate) fn inspect(&self, id: &str, what: Inspection, reply: SyncSender<Inspected>) {
        let gateway = self.lock().values().find(|member| member.info.id == id).map(|member| member.gateway.clone());
        ask(gateway, what, reply);
    }

    /// The same for the TaskManager of a session.
    pub(crate) fn inspect_session(&self, session: SessionId, what: Inspection, reply: SyncSender<Inspected>) {
        let gateway = self.lock().get(&session).map(|member| member.gateway.clone());
        ask(gateway, what, reply);
    }

    /// All of them.
    pub(crate) fn list(&self) -> Vec<TaskManagerStatus> {
        let status = |(session, member): (&SessionId, &Member)| TaskManagerStatus {
            session: *session,
            info: member.info.clone(),
            free_slots: member.free(),
            jobs: member.jobs.clone(),
        };
        self.lock().iter().map(status).collect()
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<SessionId, Member>> {
        self.members.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn ask(gateway: Option<Arc<dyn TaskManagerGateway>>, what: Inspection, reply: SyncSender<Inspected>) {
    if let Some(Err(error)) = gateway.map(|gateway| gateway.inspect(what, reply)) {
        tracing::debug!(error = error.message(), "a TaskManager could not be looked into");
    }
}

/// Where slots are taken, given the free ones and where each is `wanted`: there if one is free, else always where most
/// are free, of equals where the older session is. Else how many are missing.
fn place(free: &[(SessionId, u32)], wanted: &[Option<SessionId>]) -> Result<Vec<SessionId>, usize> {
    let total: u64 = free.iter().map(|(_, slots)| u64::from(*slots)).sum();
    let total = usize::try_from(total).unwrap_or(usize::MAX);
    if total < wanted.len() {
        return Err(wanted.len() - total);
    }
    let mut left: BTreeMap<SessionId, u32> = free.iter().copied().collect();
    let mut granted = |session: &Option<SessionId>| {
        let slots = left.get_mut(session.as_ref()?).filter(|slots| **slots > 0)?;
        *slots -= 1;
        *session
    };
    let granted: Vec<Option<SessionId>> = wanted.iter().map(&mut granted).collect();
    let mut heap: BinaryHeap<(u32, Reverse<SessionId>)> =
        left.into_iter().map(|(session, slots)| (slots, Reverse(session))).collect();
    let mut most_free = || {
        let (slots, session) = heap.pop().filter(|(slots, _)| *slots > 0)?;
        heap.push((slots - 1, session));
        Some(session.0)
    };
    let placed: Vec<SessionId> = granted.into_iter().filter_map(|session| session.or_else(&mut most_free)).collect();
    if placed.len() < wanted.len() { Err(wanted.len() - placed.len()) } else { Ok(placed) }
}

#[cfg(test)]
mod tests;
