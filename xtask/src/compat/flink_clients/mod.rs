//! `cargo xtask compat flink-clients`: Flink's own clients, unchanged, against a cluster of Headwater.
//!
//! The `flink` command line of the distribution, two Python packages, and Flink's web dashboard in a browser. Every check
//! says what it looks for; what cannot work is listed with the reason; what is not installed is skipped, and said.

mod cluster;
mod flink_cli;
mod gateway;
mod report;
mod scripts;

use crate::cargo;
use anyhow::{Context, Result, bail};
use cluster::Cluster;
use report::Report;
use std::path::PathBuf;

/// Options of `compat flink-clients`.
#[derive(clap::Args)]
pub struct Options {
    /// Home of a Flink 2.3 distribution; by default $FLINK_HOME, or flink below $FLINKBASE.
    #[arg(long, value_name = "DIR")]
    flink_home: Option<PathBuf>,
    /// Run the release binary.
    #[arg(long)]
    release: bool,
    /// Fail where a client is not installed instead of skipping it.
    #[arg(long)]
    all: bool,
}

/// Starts a cluster, lets all clients work with it, and says what works.
pub fn run(options: &Options) -> Result<()> {
    let headwater = cargo::build_headwater(options.release)?;
    let directory = cargo::target_directory()?.join("compat");
    let files = directory.join(format!("flink-clients-{}", std::process::id()));
    let mut report = Report::default();
    let checked = check(options, headwater, &directory, &files, &mut report);
    // The screenshots of the dashboard stay; what the cluster wrote does not.
    let _ = std::fs::remove_dir_all(&files);
    let finished = report.finish();
    checked.and(finished)
}

fn check(
    options: &Options,
    headwater: PathBuf,
    directory: &std::path::Path,
    files: &std::path::Path,
    report: &mut Report,
) -> Result<()> {
    std::fs::create_dir_all(files)?;
    gateway::check(&headwater, home(options).as_deref(), directory, files, report).context("the SQL gateway")?;
    let cluster = Cluster::start(headwater, files)?;
    match home(options) {
        Some(home) => {
            flink_cli::check(&home, files, &cluster, report).context("the flink command line")?;
            scripts::dashboard(&home, directory, &cluster, report).context("the dashboard")?;
        }
        None if options.all => bail!("there is no Flink distribution: name one by --flink-home"),
        None => report.skip("flink CLI, dashboard", "all", "no Flink distribution: name one by --flink-home"),
    }
    scripts::python(directory, &cluster, report).context("the Python packages")
}

/// The home of a distribution that is there.
fn home(options: &Options) -> Option<PathBuf> {
    let base = || std::env::var_os("FLINKBASE").map_or_else(|| PathBuf::from("/tmp/flinkbase"), PathBuf::from);
    let named = options.flink_home.clone().or_else(|| std::env::var_os("FLINK_HOME").map(PathBuf::from));
    let home = named.unwrap_or_else(|| base().join("flink"));
    home.join("bin/flink").is_file().then_some(home)
}
