//! `cargo xtask bench`: measurements.

mod checkpoints;
mod exchange;
mod lineage;
mod lineage_emission;
mod measure;
mod nexmark;
mod peer;
mod startup;
mod state;

use anyhow::Result;
use clap::Subcommand;

/// Options of `bench`.
#[derive(clap::Args)]
pub struct Options {
    #[command(subcommand)]
    bench: Bench,
}

#[derive(Subcommand)]
enum Bench {
    /// Nexmark queries over JSON files or the built-in generator, alone or against Flink.
    Nexmark(nexmark::Options),
    /// Checkpoints while the sink takes a tenth of what the job delivers: their durations, and that nothing is lost.
    Checkpoints(checkpoints::Options),
    /// Arrow batches between two processes: throughput against a plain socket, latency, isolation of slow consumers.
    Exchange(exchange::Options),
    /// The lineage server: events ingested a second, and how long lineage of depth 5 takes, on both databases.
    Lineage(lineage::Options),
    /// What telling lineage costs a job whose endpoint is dead, slow or failing.
    LineageEmission(lineage_emission::Options),
    /// How soon the processes of a cluster are ready, a job is accepted, and what they take when idle.
    Startup(startup::Options),
    /// Gigabytes of keyed state on the disk engine: throughput, checkpoints, restore.
    State(state::Options),
}

/// Runs a benchmark.
pub fn run(options: &Options) -> Result<()> {
    match &options.bench {
        Bench::Nexmark(options) => nexmark::run(options),
        Bench::Checkpoints(options) => checkpoints::run(options),
        Bench::Exchange(options) => exchange::run(options),
        Bench::Lineage(options) => lineage::run(options),
        Bench::LineageEmission(options) => lineage_emission::run(options),
        Bench::Startup(options) => startup::run(options),
        Bench::State(options) => state::run(options),
    }
}
