//! `cargo xtask chaos`: experiments with real processes and `kill -9`, in a program of their own.

use crate::cargo;
use anyhow::{Result, bail};
use std::path::Path;
use std::process::Command;

/// The experiments of every run of the tests, small: each ends within a minute or two of a debug build.
const SHORT: [&str; 3] = [
    "cluster --events 200000 --rate 10000",
    "cluster --state-mb 16 --lookups 20000 --backend rocksdb",
    "rescale --state-mb 16 --lookups 15000",
];

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

/// The experiments with a cluster, short enough for every run of the tests.
pub fn short(headwater: &Path) -> Result<()> {
    SHORT.iter().try_for_each(|options| {
        let options: Vec<String> = options.split_whitespace().map(str::to_owned).collect();
        experiment(headwater, &options)
    })
}

fn experiment(headwater: &Path, options: &[String]) -> Result<()> {
    let chaos = cargo::build_program("headwater-chaos", false)?;
    let status = Command::new(chaos).args(options).arg("--headwater").arg(headwater).status()?;
    if !status.success() {
        bail!("{} failed", options.join(" "));
    }
    Ok(())
}
