//! `cargo xtask sim`: whole jobs with seeded faults, in a program of their own.

use crate::cargo;
use anyhow::{Result, bail};
use std::process::Command;

/// Options of `sim`.
#[derive(clap::Args)]
pub struct Options {
    /// How many seeds to run.
    #[arg(long, default_value_t = 1_000)]
    seeds: u64,
    /// The first seed.
    #[arg(long, default_value_t = 0)]
    from: u64,
    /// Print everything that happens.
    #[arg(long)]
    trace: bool,
    /// Build with optimisation, for many seeds.
    #[arg(long)]
    release: bool,
}

/// Seeds that the whole suite runs.
const SEEDS_OF_SUITE: u64 = 1_000;

impl Default for Options {
    fn default() -> Self {
        Self { seeds: SEEDS_OF_SUITE, from: 0, trace: false, release: false }
    }
}

/// Builds the simulation and runs the seeds.
pub fn run(options: &Options) -> Result<()> {
    let program = cargo::build_program("headwater-sim", options.release)?;
    let (seeds, from) = (options.seeds.to_string(), options.from.to_string());
    let mut command = Command::new(program);
    command.args(["--seeds", &seeds, "--from", &from]);
    if options.trace {
        command.arg("--trace");
    }
    if !command.status()?.success() {
        bail!("some seeds failed");
    }
    Ok(())
}
