//! The deterministic executor: one task at a time, chosen by a seed, on the caller's thread.

use super::{Scheduler, TaskCell};
use crate::lock;
use headwater_env::{Env, SimulatedClock};
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use std::cmp::Reverse;
use std::sync::Arc;

/// Runs tasks by hand. With a simulated clock and deterministic connectors, two runs of one seed are the
/// same step by step.
pub struct ManualExecutor {
    scheduler: Arc<Scheduler>,
    clock: Arc<SimulatedClock>,
    env: Env,
    random: StdRng,
}

impl ManualExecutor {
    /// An executor with its own simulated clock, at `start_ms`.
    pub fn new(seed: u64, start_ms: i64) -> Self {
        let (env, clock) = Env::simulated(seed, start_ms);
        Self::with(env, clock, seed)
    }

    /// An executor in a larger simulation: `clock` is that of `env`.
    pub fn with(env: Env, clock: Arc<SimulatedClock>, seed: u64) -> Self {
        let random = StdRng::seed_from_u64(seed);
        Self { scheduler: Scheduler::new(env.clone()), clock, env, random }
    }

    /// The scheduler to deploy to.
    pub fn scheduler(&self) -> &Arc<Scheduler> {
        &self.scheduler
    }

    /// The simulated effects.
    pub fn env(&self) -> &Env {
        &self.env
    }

    /// Whether a task is ready at the present time.
    pub fn is_ready(&self) -> bool {
        self.scheduler.fire_timers();
        !lock(&self.scheduler.queue).ready.is_empty()
    }

    /// When the next timer goes off.
    pub fn next_timer_ms(&self) -> Option<i64> {
        lock(&self.scheduler.queue).timers.peek().map(|Reverse(timer)| timer.at_ms)
    }

    /// Runs one turn of one ready task; `false` when none is ready.
    pub fn step(&mut self) -> bool {
        self.scheduler.fire_timers();
        match self.take() {
            Some(cell) => {
                cell.run();
                true
            }
            None => false,
        }
    }

    /// Runs until no task is ready. The clock stands still. Returns the number of turns.
    pub fn run_until_parked(&mut self) -> usize {
        let mut turns = 0;
        while self.step() {
            turns += 1;
        }
        turns
    }

    /// Moves the clock to the next timer; `false` when there is none.
    pub fn advance_to_next_timer(&mut self) -> bool {
        let Some(at_ms) = self.next_timer_ms() else { return false };
        self.clock.advance_ms((at_ms - self.env.now_ms()).max(0));
        true
    }

    /// Runs, moving the clock from timer to timer, until no task is ready and none waits for a timer.
    pub fn run_to_end(&mut self) {
        loop {
            self.run_until_parked();
            if !self.advance_to_next_timer() {
                return;
            }
        }
    }

    fn take(&mut self) -> Option<Arc<TaskCell>> {
        let mut queue = lock(&self.scheduler.queue);
        let ready = queue.ready.len();
        if ready == 0 {
            return None;
        }
        queue.ready.remove(self.random.random_range(0..ready))
    }
}
