//! Runs seeds of the simulation and reports those that fail.

#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a program for people at a terminal")]

use clap::Parser;
use headwater_sim::Outcome;
use std::process::ExitCode;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

/// Deterministic simulation of whole jobs with seeded faults.
#[derive(Parser)]
struct Arguments {
    /// How many seeds to run.
    #[arg(long, default_value_t = 100)]
    seeds: u64,
    /// The first seed.
    #[arg(long, default_value_t = 0)]
    from: u64,
    /// Print everything that happens.
    #[arg(long)]
    trace: bool,
    /// Threads to run seeds on; 0 means one per core.
    #[arg(long, default_value_t = 0)]
    threads: usize,
}

/// Failed seeds that are shown in full.
const SHOWN_MAX: usize = 5;

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let failed = run(&arguments);
    for (seed, outcome) in failed.iter().take(SHOWN_MAX) {
        show(*seed, outcome);
    }
    let seeds: Vec<String> = failed.iter().map(|(seed, _)| seed.to_string()).collect();
    println!("{} seeds from {}: {} failed {}", arguments.seeds, arguments.from, failed.len(), seeds.join(" "));
    if failed.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Runs the seeds; those that failed, in order.
fn run(arguments: &Arguments) -> Vec<(u64, Outcome)> {
    let available = || std::thread::available_parallelism().map_or(1, |threads| threads.get());
    let threads = match (arguments.trace, arguments.threads) {
        (true, _) => 1,
        (false, 0) => available(),
        (false, threads) => threads,
    };
    let next = AtomicU64::new(0);
    let failed = Mutex::new(vec![]);
    let work = || {
        loop {
            let index = next.fetch_add(1, Ordering::Relaxed);
            if index >= arguments.seeds {
                return;
            }
            let seed = arguments.from + index;
            let outcome = headwater_sim::run(seed, arguments.trace);
            if !outcome.violations.is_empty() {
                println!("seed {seed} failed: {}", outcome.violations[0]);
                failed.lock().expect("no holder panics").push((seed, outcome));
            }
        }
    };
    std::thread::scope(|scope| (0..threads).for_each(|_| drop(scope.spawn(work))));
    let mut failed = failed.into_inner().expect("no holder panics");
    failed.sort_by_key(|(seed, _)| *seed);
    failed
}

fn show(seed: u64, outcome: &Outcome) {
    println!("\nseed {seed} after {} steps: {}", outcome.steps, outcome.scenario);
    outcome.last.iter().for_each(|line| println!("    {line}"));
    outcome.violations.iter().take(20).for_each(|line| println!("  ! {line}"));
}
