//! A session: an engine of its own, and the operations it was given.
//!
//! Statements run one after another, in the order in which they came, on a thread that there is only while there are
//! statements: a session that does nothing costs none.

use crate::operation::{Operation, Status};
use headwater_embedded::Engine;
use std::collections::{BTreeMap, VecDeque};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use uuid::Uuid;

/// What a statement needs to run.
pub(crate) struct Task {
    pub(crate) operation: Arc<Operation>,
    pub(crate) statement: String,
    /// Configuration of this statement only.
    pub(crate) config: BTreeMap<String, String>,
    /// Whether it may only declare and set.
    pub(crate) declares_only: bool,
}

/// A session.
pub(crate) struct Session {
    pub(crate) handle: Uuid,
    engine: Mutex<Engine>,
    operations: Mutex<Operations>,
    /// When it was used last, nanoseconds of the monotonic clock.
    used_ns: AtomicU64,
    is_closed: AtomicBool,
}

#[derive(Default)]
struct Operations {
    /// By age.
    kept: VecDeque<Arc<Operation>>,
    queue: VecDeque<Task>,
    is_working: bool,
}

/// Why a task was not taken.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum NotTaken {
    /// The session is closed.
    Closed,
    /// All operations that it may keep are in use.
    Full(usize),
}

impl Session {
    pub(crate) fn new(handle: Uuid, engine: Engine, now_ns: u64) -> Self {
        Self {
            handle,
            engine: Mutex::new(engine),
            operations: Mutex::default(),
            used_ns: AtomicU64::new(now_ns),
            is_closed: AtomicBool::new(false),
        }
    }

    /// The engine. Held only as long as a statement is planned and submitted.
    pub(crate) fn engine(&self) -> MutexGuard<'_, Engine> {
        self.engine.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// It is used now.
    pub(crate) fn touch(&self, now_ns: u64) {
        self.used_ns.fetch_max(now_ns, Ordering::Relaxed);
    }

    /// Whether nobody has used it for this long, and no statement runs.
    pub(crate) fn is_idle(&self, now_ns: u64, timeout_ns: u64) -> bool {
        let unused = now_ns.saturating_sub(self.used_ns.load(Ordering::Relaxed));
        unused > timeout_ns && !self.lock().is_working
    }

    /// The operation of a handle.
    pub(crate) fn operation(&self, handle: Uuid) -> Option<Arc<Operation>> {
        self.lock().kept.iter().find(|operation| operation.handle == handle).cloned()
    }

    /// All operations.
    pub(crate) fn operations(&self) -> Vec<Arc<Operation>> {
        self.lock().kept.iter().cloned().collect()
    }

    /// Puts a task into the queue; `true` when nobody works on the queue yet.
    pub(crate) fn enqueue(&self, task: Task, operations_max: usize) -> Result<bool, NotTaken> {
        let mut operations = self.lock();
        if self.is_closed.load(Ordering::SeqCst) {
            return Err(NotTaken::Closed);
        }
        if operations.kept.len() >= operations_max {
            let oldest = operations.kept.iter().position(|operation| operation.is_forgettable());
            let Some(oldest) = oldest else { return Err(NotTaken::Full(operations_max)) };
            operations.kept.remove(oldest);
        }
        operations.kept.push_back(task.operation.clone());
        operations.queue.push_back(task);
        Ok(!std::mem::replace(&mut operations.is_working, true))
    }

    /// The next task. After `None` somebody else may work on the queue.
    pub(crate) fn next(&self) -> Option<Task> {
        let mut operations = self.lock();
        let next = operations.queue.pop_front();
        operations.is_working = next.is_some();
        next
    }

    /// Nobody can work on the queue: all that is in it ends as the given function says.
    pub(crate) fn abandon(&self, end: impl Fn(&Operation)) {
        while let Some(task) = self.next() {
            end(&task.operation);
        }
    }

    /// Ends an operation and forgets it; `false` when there is none of that handle.
    pub(crate) fn close_operation(&self, handle: Uuid) -> bool {
        let mut operations = self.lock();
        let Some(at) = operations.kept.iter().position(|operation| operation.handle == handle) else { return false };
        let operation = operations.kept.remove(at);
        operations.queue.retain(|task| task.operation.handle != handle);
        drop(operations);
        if let Some(operation) = operation {
            // It may be over already.
            let _ = operation.end(Status::Closed);
        }
        true
    }

    /// Ends everything. Jobs that were submitted run on; queries end.
    pub(crate) fn close(&self) {
        let mut operations = self.lock();
        self.is_closed.store(true, Ordering::SeqCst);
        operations.queue.clear();
        let kept = std::mem::take(&mut operations.kept);
        drop(operations);
        for operation in kept {
            let _ = operation.end(Status::Closed);
        }
    }

    fn lock(&self) -> MutexGuard<'_, Operations> {
        self.operations.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
