//! A simulated process: whether it lives, and its blocking work.
//!
//! A process that dies takes its memory, its threads and its unsent messages with it, in the middle of whatever it
//! did: from its death on its storage refuses every call and nobody hears it any more.

use headwater_env::{Clock, Env, Executor, SimulatedClock, Work};
use headwater_types::{Error, Result};
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Locks a mutex that only one thread uses.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Whether a process lives.
pub(crate) struct Life {
    alive: AtomicBool,
    /// Calls to storage until it dies; negative means never.
    calls_left: AtomicI64,
}

impl Life {
    fn new() -> Arc<Self> {
        Arc::new(Self { alive: AtomicBool::new(true), calls_left: AtomicI64::new(-1) })
    }

    pub(crate) fn is_alive(&self) -> bool {
        self.alive.load(Ordering::SeqCst)
    }

    pub(crate) fn end(&self) {
        self.alive.store(false, Ordering::SeqCst);
    }

    /// Lets the process die in the midst of a later call to storage.
    pub(crate) fn end_after(&self, calls: u32) {
        self.calls_left.store(i64::from(calls), Ordering::SeqCst);
    }

    /// The process calls storage, and may die of it.
    pub(crate) fn call(&self) -> Result<()> {
        let left = self.calls_left.load(Ordering::SeqCst);
        if left == 0 {
            self.end();
        }
        if left > 0 {
            self.calls_left.store(left - 1, Ordering::SeqCst);
        }
        if self.is_alive() { Ok(()) } else { Err(Error::retryable("process-dead", "the process is dead")) }
    }
}

/// Blocking work that waits until the simulation runs it.
pub(crate) struct Blocking {
    clock: Arc<SimulatedClock>,
    state: Mutex<BlockingState>,
}

struct BlockingState {
    random: StdRng,
    waiting: Vec<(i64, &'static str, Work)>,
    slow: bool,
}

/// Milliseconds that a slow piece of work takes at most.
const SLOW_MS: i64 = 1_500;

impl Blocking {
    /// When the first piece of work may run.
    pub(crate) fn due_ms(&self) -> Option<i64> {
        lock(&self.state).waiting.iter().map(|(due, ..)| *due).min()
    }

    /// Takes a piece of work that is due.
    pub(crate) fn take(&self, choice: usize) -> Option<(&'static str, Work)> {
        let now_ms = self.clock.now_ms();
        let mut state = lock(&self.state);
        let due: Vec<usize> = (0..state.waiting.len()).filter(|at| state.waiting[*at].0 <= now_ms).collect();
        let at = *due.get(choice % due.len().max(1))?;
        let (_, name, work) = state.waiting.remove(at);
        Some((name, work))
    }

    /// Work takes no more than a moment from now on.
    pub(crate) fn be_quick(&self) {
        lock(&self.state).slow = false;
    }
}

impl Executor for Blocking {
    fn spawn(&self, name: &'static str, work: Work) {
        let mut state = lock(&self.state);
        let delay_ms = match state.random.random_range(0..100) {
            0..3 if state.slow => state.random.random_range(0..SLOW_MS),
            0..50 => 0,
            _ => state.random.random_range(0..10),
        };
        state.waiting.push((self.clock.now_ms() + delay_ms, name, work));
    }
}

/// A process.
#[derive(Clone)]
pub(crate) struct Process {
    pub(crate) life: Arc<Life>,
    pub(crate) blocking: Arc<Blocking>,
    pub(crate) env: Env,
}

impl Process {
    /// A process that lives.
    pub(crate) fn new(env: &Env, clock: &Arc<SimulatedClock>, seed: u64, slow: bool) -> Self {
        let state = BlockingState { random: StdRng::seed_from_u64(seed), waiting: vec![], slow };
        let blocking = Arc::new(Blocking { clock: clock.clone(), state: Mutex::new(state) });
        Self { life: Life::new(), env: env.with_executor(blocking.clone()), blocking }
    }
}
