//! A task with its scheduling state.
//!
//! ```text
//! Reserved ─start─> Ready ─lane takes it─> Running ─Park─> Parked ─wake─> Ready
//!                     ^                      │  └──Done──> Over
//!                     └── Again, or Park ────┘
//!                         after a wake (Woken)
//! ```

use super::{Scheduler, Task, Turn};
use crate::lock;
use headwater_exchange::Waker;
use std::sync::atomic::{AtomicI64, AtomicU8, Ordering};
use std::sync::{Arc, Mutex, Weak};

const RESERVED: u8 = 0;
const PARKED: u8 = 1;
const READY: u8 = 2;
const RUNNING: u8 = 3;
/// Running, and woken meanwhile.
const WOKEN: u8 = 4;
const OVER: u8 = 5;

/// No timer is set.
const NO_TIMER: i64 = i64::MAX;

/// A task and whether it is parked, ready or running.
pub struct TaskCell {
    state: AtomicU8,
    task: Mutex<Option<Box<dyn Task>>>,
    /// The earliest timer in the scheduler's heap, so that parking again does not add another.
    timer_ms: AtomicI64,
    scheduler: Weak<Scheduler>,
}

impl TaskCell {
    pub(super) fn new(scheduler: Weak<Scheduler>) -> Arc<Self> {
        Arc::new(Self {
            state: AtomicU8::new(RESERVED),
            task: Mutex::new(None),
            timer_ms: AtomicI64::new(NO_TIMER),
            scheduler,
        })
    }

    /// Gives the cell its task and makes it ready.
    pub fn start(self: &Arc<Self>, task: Box<dyn Task>) {
        *lock(&self.task) = Some(task);
        self.state.store(READY, Ordering::Release);
        self.push();
    }

    /// Makes the task run (again). Cheap when it is ready already.
    pub fn wake(self: &Arc<Self>) {
        loop {
            let (from, to) = match self.state.load(Ordering::Acquire) {
                PARKED => (PARKED, READY),
                RUNNING => (RUNNING, WOKEN),
                _ => return,
            };
            if self.state.compare_exchange(from, to, Ordering::AcqRel, Ordering::Acquire).is_ok() {
                if to == READY {
                    self.push();
                }
                return;
            }
        }
    }

    /// A waker that does not keep the task alive.
    pub fn waker(self: &Arc<Self>) -> Waker {
        let cell = Arc::downgrade(self);
        Arc::new(move || {
            if let Some(cell) = cell.upgrade() {
                cell.wake();
            }
        })
    }

    /// Whether the task is done.
    pub fn is_over(&self) -> bool {
        self.state.load(Ordering::Acquire) == OVER
    }

    /// The timer of the cell went off.
    pub(super) fn fire(self: &Arc<Self>) {
        self.timer_ms.store(NO_TIMER, Ordering::Release);
        self.wake();
    }

    /// Runs one turn; the caller took the cell from the ready queue.
    pub(super) fn run(self: &Arc<Self>) {
        self.state.store(RUNNING, Ordering::Release);
        let mut slot = lock(&self.task);
        let turn = slot.as_mut().map_or(Turn::Done, |task| task.run());
        if turn == Turn::Done {
            let task = slot.take();
            self.state.store(OVER, Ordering::Release);
            drop(slot);
            drop(task);
            return;
        }
        drop(slot);
        match turn {
            Turn::Park(timer) => self.park(timer),
            _ => self.ready_again(),
        }
    }

    fn park(self: &Arc<Self>, timer: Option<i64>) {
        if let Some(at_ms) = timer {
            self.set_timer(at_ms);
        }
        let parked = self.state.compare_exchange(RUNNING, PARKED, Ordering::AcqRel, Ordering::Acquire);
        if parked.is_err() {
            self.ready_again();
        }
    }

    fn ready_again(self: &Arc<Self>) {
        self.state.store(READY, Ordering::Release);
        if let Some(scheduler) = self.scheduler.upgrade() {
            scheduler.push_again(self.clone());
        }
    }

    /// Adds a timer unless an earlier one is set; that one's wake-up lets the task ask again.
    fn set_timer(self: &Arc<Self>, at_ms: i64) {
        if self.timer_ms.load(Ordering::Acquire) <= at_ms {
            return;
        }
        self.timer_ms.store(at_ms, Ordering::Release);
        if let Some(scheduler) = self.scheduler.upgrade() {
            scheduler.push_timer(at_ms, self.clone());
        }
    }

    fn push(self: &Arc<Self>) {
        if let Some(scheduler) = self.scheduler.upgrade() {
            scheduler.push(self.clone());
        }
    }
}
