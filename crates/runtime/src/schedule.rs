//! When which task runs: the ready queue, the timers, and two ways to drive them.
//!
//! A [`Task`] runs in turns. Its [`TaskCell`] knows whether it is parked, ready or running, so that a wake-up
//! from any thread puts it into the ready queue exactly once, and one that arrives during a turn is not lost.
//! Ready tasks wait in one queue which all lanes share: any lane takes the next task, so none idles while
//! work is waiting. The queue's lock is taken once a turn, and a turn is many batches.

mod cell;
mod lanes;
mod manual;

pub use cell::TaskCell;
pub use lanes::Lanes;
pub use manual::ManualExecutor;

use crate::lock;
use headwater_env::Env;
use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};
use std::sync::{Arc, Condvar, Mutex};

/// What a task wants after a turn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Turn {
    /// Another turn: there is more work.
    Again,
    /// Nothing until woken, or until this wall clock time (milliseconds).
    Park(Option<i64>),
    /// Nothing any more: the task is dropped.
    Done,
}

/// Something that runs in turns of bounded work.
pub trait Task: Send {
    /// Runs one turn. Must not block and must not panic.
    fn run(&mut self) -> Turn;
}

/// The ready queue and the timers.
pub struct Scheduler {
    env: Env,
    queue: Mutex<Queue>,
    work: Condvar,
}

#[derive(Default)]
struct Queue {
    ready: VecDeque<Arc<TaskCell>>,
    timers: BinaryHeap<Reverse<Timer>>,
    next_timer_id: u64,
    /// Lanes that wait for work.
    waiting: usize,
    shutdown: bool,
}

/// A task's wish to be woken, ordered by time and then by age.
struct Timer {
    at_ms: i64,
    id: u64,
    cell: Arc<TaskCell>,
}

impl Timer {
    fn key(&self) -> (i64, u64) {
        (self.at_ms, self.id)
    }
}

impl PartialEq for Timer {
    fn eq(&self, other: &Self) -> bool {
        self.key() == other.key()
    }
}

impl Eq for Timer {}

impl PartialOrd for Timer {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Timer {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.key().cmp(&other.key())
    }
}

impl Scheduler {
    /// A scheduler without tasks. Its timers follow the clock of `env`.
    pub fn new(env: Env) -> Arc<Self> {
        Arc::new(Self { env, queue: Mutex::default(), work: Condvar::new() })
    }

    /// A cell for a task that does not exist yet: its wakers may be handed out while it is built.
    pub fn reserve(self: &Arc<Self>) -> Arc<TaskCell> {
        TaskCell::new(Arc::downgrade(self))
    }

    /// Makes a task ready.
    fn push(&self, cell: Arc<TaskCell>) {
        let notify = {
            let mut queue = lock(&self.queue);
            queue.ready.push_back(cell);
            queue.waiting > 0
        };
        if notify {
            self.work.notify_one();
        }
    }

    /// Queues a task again after its turn. The lane that ran it is about to look for work itself, so nobody
    /// is woken for it.
    fn push_again(&self, cell: Arc<TaskCell>) {
        lock(&self.queue).ready.push_back(cell);
    }

    /// Asks for a wake-up at a wall clock time.
    fn push_timer(&self, at_ms: i64, cell: Arc<TaskCell>) {
        let mut queue = lock(&self.queue);
        let id = queue.next_timer_id;
        queue.next_timer_id += 1;
        queue.timers.push(Reverse(Timer { at_ms, id, cell }));
    }

    /// Takes the timers that are due. Their tasks are woken by the caller, outside the lock.
    fn take_due(queue: &mut Queue, now_ms: i64) -> Vec<Arc<TaskCell>> {
        let mut due = vec![];
        while queue.timers.peek().is_some_and(|Reverse(timer)| timer.at_ms <= now_ms) {
            due.extend(queue.timers.pop().map(|Reverse(timer)| timer.cell));
        }
        due
    }

    /// Wakes the tasks whose timers are due.
    fn fire_timers(&self) {
        let due = {
            let mut queue = lock(&self.queue);
            if queue.timers.is_empty() {
                return;
            }
            Self::take_due(&mut queue, self.env.now_ms())
        };
        due.iter().for_each(TaskCell::fire);
    }

    /// Ends all lanes after their current turn.
    fn shut_down(&self) {
        let mut queue = lock(&self.queue);
        queue.shutdown = true;
        queue.ready.clear();
        queue.timers.clear();
        drop(queue);
        self.work.notify_all();
    }
}
