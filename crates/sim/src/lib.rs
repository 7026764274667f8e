//! Deterministic simulation of whole jobs with seeded faults.
//!
//! A seed is a job, its settings and everything that goes wrong: processes that die at any moment, messages that are
//! late, lost or doubled, a store that is slow, fails, or fails after it has written, operators that fail, sinks that
//! stand still, savepoints and restarts at another parallelism. The JobManager, the TaskManager, the runtime, the
//! operators and the checkpoints are the real ones; simulated are the clock, the transport, the store, the scheduler
//! and the threads for blocking work.
//!
//! ```text
//! Operator ──submits, stops──> jobmanager::Core <──Network──> taskmanager::Core ── ManualExecutor
//!                                      └──────── ObjectStore ────────┘
//! ```
//!
//! The oracle: what the job has committed when it has finished equals what it commits without faults, exactly once;
//! and it finishes within a bounded number of steps after the faults have ended. Two runs of one seed are identical.
//!
//! What it does not simulate: several TaskManagers, a JobManager that comes back while its TaskManager lives, state
//! on disk.

mod connector;
mod jobs;
mod network;
mod operators;
mod oracle;
mod process;
mod scenario;
mod storage;
mod trace;
mod world;

pub use world::Outcome;

use headwater_plan::codec::PLAN_STACK_BYTES;
use oracle::Table;
use rand::SeedableRng;
use rand::rngs::StdRng;
use scenario::Scenario;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, OnceLock};
use world::World;

/// Results of the runs without faults, by job.
static EXPECTED: OnceLock<Mutex<BTreeMap<usize, Arc<Table>>>> = OnceLock::new();

/// Runs a seed; `printing` shows everything that happens.
///
/// # Panics
/// When the engine does outside of what it guards, or no thread can be started.
pub fn run(seed: u64, printing: bool) -> Outcome {
    // Plans are deep.
    let thread = std::thread::Builder::new().stack_size(PLAN_STACK_BYTES).spawn(move || run_here(seed, printing));
    let outcome = thread.expect("the process can start a thread").join();
    outcome.unwrap_or_else(|panic| std::panic::resume_unwind(panic))
}

fn run_here(seed: u64, printing: bool) -> Outcome {
    let mut random = StdRng::seed_from_u64(seed);
    let scenario = Scenario::random(&mut random);
    match expected(scenario.job) {
        Ok(expected) => World::new(seed, scenario, printing).run(Some(&expected)).0,
        Err(outcome) => *outcome,
    }
}

/// What a job commits without faults.
fn expected(job: usize) -> Result<Arc<Table>, Box<Outcome>> {
    let known = EXPECTED.get_or_init(Mutex::default);
    if let Some(table) = process::lock(known).get(&job) {
        return Ok(table.clone());
    }
    let (mut outcome, table) = World::new(0, Scenario::without_faults(job), false).run(None);
    if outcome.violations.is_empty() && table.is_empty() {
        outcome.violations.push("the job commits nothing".to_owned());
    }
    if !outcome.violations.is_empty() {
        outcome.violations.insert(0, "without faults:".to_owned());
        return Err(Box::new(outcome));
    }
    let table = Arc::new(table);
    process::lock(known).insert(job, table.clone());
    Ok(table)
}

#[cfg(test)]
mod tests;
