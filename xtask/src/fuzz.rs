//! `cargo xtask fuzz`: coverage-guided fuzzing of the parser and the decoders.
//!
//! The targets live in `fuzz/`, outside the workspace, because they are built with other flags. The corpus in
//! `fuzz/corpus` is kept, so that every run starts where the last one stopped.

use crate::cargo;
use anyhow::{Context, Result, bail};
use std::process::Command;

/// All fuzz targets.
const TARGETS: &[&str] = &["parse_sql", "decode_json", "decode_csv", "rest_input", "read_frames"];

/// Options of `fuzz`.
#[derive(clap::Args)]
pub struct Options {
    /// Targets to run; all when none is named.
    #[arg(value_parser = clap::builder::PossibleValuesParser::new(TARGETS))]
    targets: Vec<String>,
    /// Seconds per target.
    #[arg(long, default_value_t = 60)]
    seconds: u64,
}

/// Installs cargo-fuzz when it is missing, then runs the targets one after the other.
pub fn run(options: &Options) -> Result<()> {
    let installed = Command::new("cargo").args(["fuzz", "--version"]).output().is_ok_and(|o| o.status.success());
    if !installed {
        cargo::cargo(&["install", "cargo-fuzz", "--locked"])?;
    }
    let all: Vec<String> = TARGETS.iter().map(|t| (*t).to_owned()).collect();
    let targets = if options.targets.is_empty() { &all } else { &options.targets };
    for target in targets {
        fuzz(target, options.seconds)?;
    }
    Ok(())
}

/// The sanitizer is off and the compiler's gate lifted, so that a stable toolchain is enough.
fn fuzz(target: &str, seconds: u64) -> Result<()> {
    eprintln!("\n==> fuzzing {target} for {seconds} s");
    let time = format!("-max_total_time={seconds}");
    let status = Command::new("cargo")
        .args(["fuzz", "run", "--sanitizer", "none", target, "--", &time, "-timeout=10", "-rss_limit_mb=4096"])
        .env("RUSTC_BOOTSTRAP", "1")
        .current_dir(cargo::root())
        .status()
        .context("cargo fuzz could not be started")?;
    if !status.success() {
        bail!("{target} found an input that fails: see fuzz/artifacts/{target}");
    }
    Ok(())
}
