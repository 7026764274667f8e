//! Work that may block: uploads, commits, restores. Never runs on a lane.

use std::collections::VecDeque;
use std::sync::mpsc::{SyncSender, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};

/// A piece of blocking work.
pub type Work = Box<dyn FnOnce() + Send>;

/// Runs blocking work off the lanes.
pub trait Executor: Send + Sync {
    /// Runs `work` soon. `name` tells what it is, for thread names and simulation traces.
    fn spawn(&self, name: &'static str, work: Work);
}

/// Work that a real executor lets wait before the one who spawns must.
const QUEUE_WORK: usize = 1024;

/// A bounded pool of threads that start with the first work.
pub(crate) struct ThreadPool {
    threads: usize,
    queue: Mutex<Option<SyncSender<Work>>>,
}

impl ThreadPool {
    pub(crate) fn new(threads: usize) -> Self {
        Self { threads: threads.max(1), queue: Mutex::new(None) }
    }

    fn start(threads: usize) -> SyncSender<Work> {
        let (sender, receiver) = sync_channel::<Work>(QUEUE_WORK);
        let receiver = Arc::new(Mutex::new(receiver));
        for index in 0..threads {
            let receiver = receiver.clone();
            let next = move || receiver.lock().unwrap_or_else(PoisonError::into_inner).recv();
            let run = move || {
                while let Ok(work) = next() {
                    // Work that panics must not take the thread with it; whoever waits for it sees it dropped.
                    let _ = std::panic::catch_unwind(std::panic::AssertUnwindSafe(work));
                }
            };
            let spawned = std::thread::Builder::new().name(format!("io-{index}")).spawn(run);
            spawned.expect("the process can start its few input and output threads");
        }
        sender
    }
}

impl Executor for ThreadPool {
    fn spawn(&self, _name: &'static str, work: Work) {
        let mut queue = self.queue.lock().unwrap_or_else(PoisonError::into_inner);
        let sender = queue.get_or_insert_with(|| Self::start(self.threads)).clone();
        drop(queue);
        let _ = sender.send(work);
    }
}

/// Keeps work until it is told to run it, in any order the simulation wants.
#[derive(Default)]
pub struct SimulatedExecutor {
    waiting: Mutex<VecDeque<(&'static str, Work)>>,
}

impl SimulatedExecutor {
    /// Number of pieces of work that wait.
    pub fn waiting(&self) -> usize {
        self.lock().len()
    }

    /// Takes a piece of work; the caller runs or drops it. `None` when there is none at this index.
    pub fn take(&self, index: usize) -> Option<(&'static str, Work)> {
        self.lock().remove(index)
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, VecDeque<(&'static str, Work)>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Executor for SimulatedExecutor {
    fn spawn(&self, name: &'static str, work: Work) {
        self.lock().push_back((name, work));
    }
}
