//! `cargo xtask bench state`: gigabytes of keyed state on the disk engine within a memory budget, with checkpoints,
//! then a restore in another process.

use super::measure;
use crate::cargo;
use anyhow::{Context, Result};
use std::path::{Path, PathBuf};
use std::process::Command;

/// Options of `bench state`.
#[derive(clap::Args)]
pub struct Options {
    /// Size of the state, GiB of keys and values.
    #[arg(long, default_value_t = 10)]
    gb: u64,
    /// Memory of the process, MiB.
    #[arg(long, default_value_t = 2048)]
    budget_mb: u64,
    /// Seconds between checkpoints.
    #[arg(long, default_value_t = 10)]
    interval_s: u64,
    /// Folder for state and checkpoints; emptied before and after. Needs about four times the size of the state.
    #[arg(long, value_name = "DIR")]
    directory: Option<PathBuf>,
    /// A built `state_load` example to measure instead of building one.
    #[arg(long, value_name = "FILE")]
    binary: Option<PathBuf>,
}

/// Runs the benchmark and prints what the two processes report.
pub fn run(options: &Options) -> Result<()> {
    let binary = match &options.binary {
        Some(binary) => binary.clone(),
        None => {
            cargo::cargo(&["build", "--release", "--package", "headwater-state", "--example", "state_load"])?;
            cargo::target_directory()?.join("release/examples/state_load")
        }
    };
    let directory = match &options.directory {
        Some(directory) => directory.join("headwater-state-bench"),
        None => cargo::target_directory()?.join("state-bench"),
    };
    remove(&directory)?;
    std::fs::create_dir_all(&directory)?;
    let measured = fill_and_restore(&binary, &directory, options);
    remove(&directory)?;
    measured
}

fn fill_and_restore(binary: &Path, directory: &Path, options: &Options) -> Result<()> {
    println!("== fill {} GiB within {} MiB", options.gb, options.budget_mb);
    let (gb, budget, interval) =
        (options.gb.to_string(), options.budget_mb.to_string(), options.interval_s.to_string());
    let folder = directory.to_str().context("the folder's path is not text")?;
    report(Command::new(binary).args(["fill", folder, &gb, &budget, &interval]))?;
    println!("== restore");
    report(Command::new(binary).args(["restore", folder, &budget]))
}

/// Runs a process that prints its figures, and adds its CPU time.
fn report(command: &mut Command) -> Result<()> {
    let cost = measure::run_shown(command)?;
    println!("{:<42} {:>10.1} s", "CPU", cost.cpu_s);
    Ok(())
}

fn remove(directory: &Path) -> Result<()> {
    match std::fs::remove_dir_all(directory) {
        Err(e) if e.kind() != std::io::ErrorKind::NotFound => Err(e.into()),
        _ => Ok(()),
    }
}
