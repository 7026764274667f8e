//! `cargo xtask chaos`: experiments with real processes and `kill -9`, in a program of their own.

use crate::cargo;
use anyhow::{Result, bail};
use std::path::Path;
use std::process::Command;

/// Options of `chaos`.
#[derive(clap::Args)]
pub struct Options {
    /// Build and kill the release binary.
    #[arg(long)]
    release: bool,
    /// The experiment and its options, such as `kafka-exactly-once --kills 200`.
    #[arg(trailing_var_arg = true, allow_hyphen_values = true, required = true)]
    experiment: Vec<String>,
}

/// Builds the engine and the experiments, and runs one.
pub fn run(options: &Options) -> Result<()> {
    let headwater = cargo::build_headwater(options.release)?;
    experiment(&headwater, &options.experiment)
}

/// The experiment with a cluster, short enough for every run of the tests.
pub fn short(headwater: &Path) -> Result<()> {
    let options = ["cluster", "--events", "200000", "--rate", "10000"];
    experiment(headwater, &options.map(str::to_owned))
}

fn experiment(headwater: &Path, options: &[String]) -> Result<()> {
    let chaos = cargo::build_program("headwater-chaos", false)?;
    let status = Command::new(chaos).args(options).arg("--headwater").arg(headwater).status()?;
    if !status.success() {
        bail!("{} failed", options.join(" "));
    }
    Ok(())
}
