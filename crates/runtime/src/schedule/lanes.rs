//! Lanes: the OS threads that run tasks.

use super::{Queue, Scheduler, TaskCell};
use crate::lock;
use headwater_types::{Error, Result};
use std::cmp::Reverse;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

/// A pool of OS threads over one [`Scheduler`]. Threads start when there are tasks for them, and end when
/// the pool is dropped.
pub struct Lanes {
    scheduler: Arc<Scheduler>,
    threads: Mutex<Vec<JoinHandle<()>>>,
    limit: usize,
}

impl Lanes {
    /// A pool of at most `limit` lanes; 0 means one per available core.
    pub fn new(scheduler: Arc<Scheduler>, limit: usize) -> Self {
        let available = || std::thread::available_parallelism().map_or(1, |n| n.get());
        let limit = if limit == 0 { available() } else { limit };
        Self { scheduler, threads: Mutex::default(), limit }
    }

    /// A pool without threads: somebody else runs the tasks, such as a [`super::ManualExecutor`].
    pub fn by_hand(scheduler: Arc<Scheduler>) -> Self {
        Self { scheduler, threads: Mutex::default(), limit: 0 }
    }

    /// The scheduler whose tasks the lanes run.
    pub fn scheduler(&self) -> &Arc<Scheduler> {
        &self.scheduler
    }

    /// Starts lanes until there are enough for `tasks` tasks, or as many as allowed.
    pub fn ensure(&self, tasks: usize) -> Result<()> {
        let mut threads = lock(&self.threads);
        while threads.len() < tasks.min(self.limit) {
            let scheduler = self.scheduler.clone();
            let thread = std::thread::Builder::new()
                .name(format!("lane-{}", threads.len()))
                .stack_size(headwater_plan::codec::PLAN_STACK_BYTES)
                .spawn(move || run_lane(&scheduler))
                .map_err(|e| Error::retryable("no-thread", "a lane could not be started").with_source(e))?;
            threads.push(thread);
        }
        Ok(())
    }
}

impl Drop for Lanes {
    fn drop(&mut self) {
        self.scheduler.shut_down();
        let current = std::thread::current().id();
        for thread in lock(&self.threads).drain(..) {
            // The last owner may be a task, which runs on a lane: a thread cannot wait for itself.
            if thread.thread().id() != current {
                let _ = thread.join();
            }
        }
    }
}

fn run_lane(scheduler: &Scheduler) {
    while let Some(cell) = next_task(scheduler) {
        cell.run();
    }
}

/// Waits for a ready task; `None` at shutdown.
fn next_task(scheduler: &Scheduler) -> Option<Arc<TaskCell>> {
    loop {
        scheduler.fire_timers();
        let mut queue = lock(&scheduler.queue);
        if queue.shutdown {
            return None;
        }
        if let Some(cell) = queue.ready.pop_front() {
            return Some(cell);
        }
        wait(scheduler, queue);
    }
}

/// Waits until there is work or the earliest timer is due. A lane that adds an earlier timer later looks for
/// work itself before it waits, so nobody needs to be told.
fn wait(scheduler: &Scheduler, mut queue: MutexGuard<'_, Queue>) {
    let earliest = queue.timers.peek().map(|Reverse(timer)| timer.at_ms);
    queue.waiting += 1;
    let mut queue = match earliest {
        None => scheduler.work.wait(queue).unwrap_or_else(PoisonError::into_inner),
        Some(at_ms) => {
            let wait_ms = (at_ms - scheduler.env.now_ms()).max(0) as u64;
            let waited = scheduler.work.wait_timeout(queue, Duration::from_millis(wait_ms));
            waited.unwrap_or_else(PoisonError::into_inner).0
        }
    };
    queue.waiting -= 1;
}
