//! The reports of subtasks on their way out, in order, with uploads in between.
//!
//! A report that nothing waits before goes out at once, on the lane that made it; one that comes behind an
//! upload waits for it. At most one I/O thread works for a subtask at a time.

use super::tail::Tail;
use super::upload::{UploadContext, keep, upload};
use crate::messages::{FromTaskManager, JobManagerGateway, TaskError};
use headwater_checkpoint::GroupSet;
use headwater_runtime::SubtaskSnapshot;
use headwater_state::memory::MemoryLease;
use headwater_types::ids::{JobId, SubtaskId};
use headwater_types::{Error, Result};
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// What leaves in order.
pub(crate) enum Report {
    /// To be uploaded first.
    Snapshot(Box<SubtaskSnapshot>),
    /// As it is.
    Message(Box<FromTaskManager>),
    /// Nothing to send: a checkpoint is complete.
    Complete(u64),
}

/// The queues of the subtasks of one attempt.
pub(crate) struct Uploads {
    shared: Arc<Shared>,
    queues: BTreeMap<SubtaskId, Arc<Queue>>,
}

struct Shared {
    job: JobId,
    attempt: u32,
    gateway: Arc<dyn JobManagerGateway>,
    context: UploadContext,
    /// The memory of what subtasks handed over and is not in storage, unless it counts elsewhere.
    handed_over: Arc<MemoryLease>,
    /// Checkpoints that were given up, of those that may still be on their way.
    aborted: Mutex<BTreeSet<u64>>,
}

struct Queue {
    subtask: SubtaskId,
    state: Mutex<QueueState>,
    /// Only taken by who works.
    tail: Mutex<Tail>,
}

#[derive(Default)]
struct QueueState {
    waiting: VecDeque<Report>,
    working: bool,
    /// The last checkpoint that the subtask took part in or declined.
    last_checkpoint: u64,
}

/// Checkpoints remembered as given up. They are few at a time; older ones have no snapshots any more.
const ABORTED_MAX: usize = 64;

impl Uploads {
    /// Queues for subtasks and the key groups they own.
    pub(crate) fn new(
        job: JobId,
        attempt: u32,
        gateway: Arc<dyn JobManagerGateway>,
        context: UploadContext,
        subtasks: impl IntoIterator<Item = (SubtaskId, GroupSet)>,
    ) -> Self {
        let queue = |(subtask, groups)| {
            let (state, tail) = (Mutex::default(), Mutex::new(Tail::new(groups)));
            (subtask, Arc::new(Queue { subtask, state, tail }))
        };
        let aborted = Mutex::default();
        let handed_over = Arc::new(context.memory.budget.lease(u64::MAX));
        let shared = Arc::new(Shared { job, attempt, gateway, context, handed_over, aborted });
        Self { shared, queues: subtasks.into_iter().map(queue).collect() }
    }

    /// The job.
    pub(crate) fn job(&self) -> JobId {
        self.shared.job
    }

    /// The attempt.
    pub(crate) fn attempt(&self) -> u32 {
        self.shared.attempt
    }

    /// Sends a report of a subtask when it is its turn.
    pub(crate) fn report(&self, subtask: SubtaskId, mut report: Report) {
        let Some(queue) = self.queues.get(&subtask) else { return };
        if let Report::Snapshot(snapshot) = &mut report {
            let deltas = snapshot.operators.iter_mut().flat_map(|operator| &mut operator.snapshot.tables);
            deltas.for_each(|delta| delta.count_against(&self.shared.handed_over));
        }
        let mut state = lock(&queue.state);
        if !state.working
            && let Report::Message(message) = report
        {
            // The lock is held, so that a later report cannot overtake this one.
            self.shared.gateway.send(*message);
            return;
        }
        state.waiting.push_back(report);
        if !state.working {
            state.working = true;
            let (shared, queue) = (self.shared.clone(), queue.clone());
            self.shared.context.env.spawn_blocking("upload", move || shared.work(&queue));
        }
    }

    /// A subtask takes part in a checkpoint, or declines it.
    pub(crate) fn took_part(&self, subtask: SubtaskId, checkpoint: u64) {
        if let Some(queue) = self.queues.get(&subtask) {
            let mut state = lock(&queue.state);
            state.last_checkpoint = state.last_checkpoint.max(checkpoint);
        }
    }

    /// The last checkpoint that a subtask took part in or declined; 0 when there was none.
    pub(crate) fn last_checkpoint(&self, subtask: SubtaskId) -> u64 {
        self.queues.get(&subtask).map_or(0, |queue| lock(&queue.state).last_checkpoint)
    }

    /// A checkpoint was given up: what is not uploaded yet needs not be.
    pub(crate) fn abort(&self, checkpoint: u64) {
        let mut aborted = lock(&self.shared.aborted);
        aborted.insert(checkpoint);
        if aborted.len() > ABORTED_MAX {
            aborted.pop_first();
        }
    }

    /// A checkpoint is complete.
    pub(crate) fn complete(&self, checkpoint: u64) {
        self.queues.keys().for_each(|subtask| self.report(*subtask, Report::Complete(checkpoint)));
    }
}

impl Shared {
    /// Works until nothing waits.
    fn work(&self, queue: &Queue) {
        loop {
            let report = {
                let mut state = lock(&queue.state);
                let next = state.waiting.pop_front();
                state.working = next.is_some();
                next
            };
            match report {
                None => return,
                Some(Report::Message(message)) => self.gateway.send(*message),
                Some(Report::Complete(checkpoint)) => lock(&queue.tail).complete(checkpoint),
                Some(Report::Snapshot(snapshot)) => self.snapshot(queue, *snapshot),
            }
        }
    }

    fn snapshot(&self, queue: &Queue, snapshot: SubtaskSnapshot) {
        let checkpoint = snapshot.barrier.checkpoint;
        let is_aborted = || lock(&self.aborted).contains(&checkpoint);
        let mut tail = lock(&queue.tail);
        if snapshot.aborted || is_aborted() {
            keep(snapshot.operators, checkpoint, &mut tail);
            return;
        }
        let uploaded = guarded(|| upload(&self.context, queue.subtask, snapshot, &mut tail, &is_aborted));
        drop(tail);
        match uploaded {
            Ok((part, statistics)) => self.gateway.send(FromTaskManager::CheckpointAck {
                job: self.job,
                attempt: self.attempt,
                subtask: queue.subtask,
                checkpoint,
                part: Box::new(part),
                statistics,
            }),
            // Whoever gave it up waits for nothing.
            Err(_) if is_aborted() => {}
            Err(error) => {
                tracing::warn!(job = %self.job, subtask = %queue.subtask, checkpoint, %error, "upload failed");
                self.decline(queue.subtask, checkpoint, &error);
            }
        }
    }

    fn decline(&self, subtask: SubtaskId, checkpoint: u64, error: &Error) {
        let (job, attempt, reason) = (self.job, self.attempt, TaskError::from(error));
        self.gateway.send(FromTaskManager::CheckpointDeclined { job, attempt, subtask, checkpoint, reason });
    }
}

/// A panic fails the checkpoint and not the thread: whoever waits for the queue would wait for ever.
fn guarded<T>(f: impl FnOnce() -> Result<T>) -> Result<T> {
    catch_unwind(AssertUnwindSafe(f)).unwrap_or_else(|_| Err(Error::internal("the upload of a snapshot panicked")))
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
