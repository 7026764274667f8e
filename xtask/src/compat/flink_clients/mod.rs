//! `cargo xtask compat flink-clients`: Flink's own clients, unchanged, against a cluster of Headwater.
//!
//! The `flink` command line, the SQL client and the web dashboard of the distribution, the JDBC driver, and Python packages.
//! Every check says what it looks for; what cannot work is listed with the reason, which docs/rest-api.md repeats. Flink and the packages are fetched once
//! into the user's cache folder; Java and a browser have to be there, and what lacks them is skipped, and said.

mod cluster;
mod distribution;
mod flink_cli;
mod gateway;
mod scripts;

use super::report;
use crate::cargo;
use anyhow::{Context, Result};
use cluster::Cluster;
use report::Report;
use std::path::{Path, PathBuf};

/// Options of `compat flink-clients`.
#[derive(clap::Args)]
pub struct Options {
    /// Home of a Flink 2.3 distribution; by default $FLINK_HOME, else one that is fetched.
    #[arg(long, value_name = "DIR")]
    flink_home: Option<PathBuf>,
    /// A headwater binary to run instead of building one.
    #[arg(long, value_name = "FILE")]
    binary: Option<PathBuf>,
    /// Build and run the release binary.
    #[arg(long)]
    release: bool,
    /// Leave out clients that cannot be installed instead of failing.
    #[arg(long)]
    may_skip: bool,
}

/// Starts a cluster, lets all clients work with it, and says what works.
pub fn run(options: &Options) -> Result<()> {
    let headwater = match &options.binary {
        Some(binary) => std::path::absolute(binary)?,
        None => cargo::build_headwater(options.release)?,
    };
    let directory = cargo::target_directory()?.join("compat");
    let files = directory.join(format!("flink-clients-{}", std::process::id()));
    let mut report = Report::default();
    let checked = check(options, headwater, &directory, &files, &mut report);
    // The screenshots of the dashboard stay; what the cluster wrote does not.
    let _ = std::fs::remove_dir_all(&files);
    let finished = report.finish(options.may_skip);
    checked.and(finished)
}

fn check(options: &Options, headwater: PathBuf, directory: &Path, files: &Path, report: &mut Report) -> Result<()> {
    std::fs::create_dir_all(files)?;
    let home = home(options);
    let python = scripts::environment();
    let gateway = gateway::Gateway::start(&headwater, &[])?;
    gateway::check(&gateway, home.as_deref().ok(), files, report)?;
    gateway::python(&gateway, &python, "", report);
    let cluster = Cluster::start(headwater.clone(), files)?;
    match &home {
        Ok(home) => {
            flink_cli::check(home, files, &cluster, report).context("the flink command line")?;
            scripts::dashboard(home, directory, &cluster, report).context("the dashboard")?;
        }
        Err(error) => report.skip("flink CLI, dashboard", "all", &format!("no Flink distribution: {error:#}")),
    }
    scripts::python(&python, &cluster, report).context("the Python packages")?;
    // The same rows when the gateway's jobs run on a cluster of other processes.
    let remote = gateway::Gateway::start(&headwater, &cluster.remote())?;
    gateway::python(&remote, &python, ", jobs on a cluster", report);
    Ok(())
}

/// The home of a distribution.
fn home(options: &Options) -> Result<PathBuf> {
    let named = options.flink_home.clone().or_else(|| std::env::var_os("FLINK_HOME").map(PathBuf::from));
    let Some(home) = named else { return distribution::home() };
    anyhow::ensure!(home.join("bin/flink").is_file(), "{} is no home of Flink: it has no bin/flink", home.display());
    Ok(home)
}
