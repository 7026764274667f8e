//! Effects as traits: the only way to the clock, to randomness, to blocking work and to stored objects.
//!
//! Code below the binaries never calls the operating system's clock or random source directly
//! (`clippy.toml` forbids it); it receives an [`Env`]. With [`Env::simulated`] two runs of one seed are
//! identical.

mod executor;
mod storage;

pub use executor::{Executor, SimulatedExecutor, Work};
pub use storage::{MemoryStorage, ObjectMeta, ObjectWriter, Storage, StorageProvider};

use executor::ThreadPool;
use rand::{RngCore, SeedableRng, rngs::StdRng};
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// A source of wall-clock and monotonic time.
pub trait Clock: Send + Sync {
    /// Milliseconds since the epoch, UTC.
    fn now_ms(&self) -> i64;
    /// Monotonic nanoseconds since an arbitrary start.
    fn monotonic_ns(&self) -> u64;
    /// Lets blocking work rest before it tries again. Never called on a lane.
    fn pause(&self, duration: Duration);
}

/// The effects a component may use. Cheap to clone.
#[derive(Clone)]
pub struct Env {
    clock: Arc<dyn Clock>,
    random: Arc<Mutex<StdRng>>,
    executor: Arc<dyn Executor>,
}

/// Threads for blocking work of a process.
const IO_THREADS: usize = 8;

impl Env {
    /// The real clock and a randomly seeded generator.
    pub fn real() -> Self {
        Self {
            clock: Arc::new(SystemClock::new()),
            random: Arc::new(Mutex::new(StdRng::from_os_rng())),
            executor: Arc::new(ThreadPool::new(IO_THREADS)),
        }
    }

    /// A clock that only moves when told, and a generator seeded with `seed`. Blocking work runs on real
    /// threads; see [`Env::simulated_with`].
    pub fn simulated(seed: u64, start_ms: i64) -> (Self, Arc<SimulatedClock>) {
        Self::simulated_with(seed, start_ms, Arc::new(ThreadPool::new(1)))
    }

    /// As [`Env::simulated`], with blocking work run by `executor`.
    pub fn simulated_with(seed: u64, start_ms: i64, executor: Arc<dyn Executor>) -> (Self, Arc<SimulatedClock>) {
        let clock = Arc::new(SimulatedClock { now_ms: AtomicI64::new(start_ms), start_ms });
        let random = Arc::new(Mutex::new(StdRng::seed_from_u64(seed)));
        (Self { clock: clock.clone(), random, executor }, clock)
    }

    /// The same clock and randomness, with blocking work run by `executor`.
    pub fn with_executor(&self, executor: Arc<dyn Executor>) -> Self {
        Self { executor, ..self.clone() }
    }

    /// Runs work that may block.
    pub fn spawn_blocking(&self, name: &'static str, work: impl FnOnce() + Send + 'static) {
        self.executor.spawn(name, Box::new(work));
    }

    /// The clock.
    pub fn clock(&self) -> &dyn Clock {
        self.clock.as_ref()
    }

    /// Milliseconds since the epoch, UTC.
    pub fn now_ms(&self) -> i64 {
        self.clock.now_ms()
    }

    /// The next 64 random bits.
    pub fn random_u64(&self) -> u64 {
        self.random.lock().expect("no holder of the generator panics").next_u64()
    }
}

/// The operating system's clock.
struct SystemClock {
    start: std::time::Instant,
}

impl SystemClock {
    #[allow(clippy::disallowed_methods, reason = "the one place that reads the real clock")]
    fn new() -> Self {
        Self { start: std::time::Instant::now() }
    }
}

impl Clock for SystemClock {
    #[allow(clippy::disallowed_methods, reason = "the one place that reads the real clock")]
    fn now_ms(&self) -> i64 {
        std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).map_or(0, |d| d.as_millis() as i64)
    }

    fn monotonic_ns(&self) -> u64 {
        self.start.elapsed().as_nanos() as u64
    }

    fn pause(&self, duration: Duration) {
        std::thread::park_timeout(duration);
    }
}

/// A clock under the control of a test or of the simulator.
pub struct SimulatedClock {
    now_ms: AtomicI64,
    start_ms: i64,
}

impl SimulatedClock {
    /// Moves the clock forward.
    pub fn advance_ms(&self, ms: i64) {
        self.now_ms.fetch_add(ms, Ordering::SeqCst);
    }
}

impl Clock for SimulatedClock {
    fn now_ms(&self) -> i64 {
        self.now_ms.load(Ordering::SeqCst)
    }

    fn monotonic_ns(&self) -> u64 {
        (self.now_ms() - self.start_ms) as u64 * 1_000_000
    }

    /// Time passes by itself here: nobody waits for it.
    fn pause(&self, _duration: Duration) {}
}
