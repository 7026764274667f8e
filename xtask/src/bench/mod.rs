//! `cargo xtask bench`: measurements.

mod checkpoints;
mod lineage;
mod measure;
mod nexmark;
mod peer;
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
    /// The lineage server: events ingested a second, and how long lineage of depth 5 takes, on both databases.
    Lineage(lineage::Options),
    /// Gigabytes of keyed state on the disk engine: throughput, checkpoints, restore.
    State(state::Options),
}

/// Runs a benchmark.
pub fn run(options: &Options) -> Result<()> {
    match &options.bench {
        Bench::Nexmark(options) => nexmark::run(options),
        Bench::Checkpoints(options) => checkpoints::run(options),
        Bench::Lineage(options) => lineage::run(options),
        Bench::State(options) => state::run(options),
    }
}
