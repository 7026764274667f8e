//! A cluster whose processes are killed and whose network is cut, while a job runs.
//!
//! ```text
//! two JobManagers (one leads) ── three TaskManagers ── Nexmark q4 ──> files, as a changelog
//!                                      │
//!                          one of them in a network namespace of its own, where that is allowed
//! ```
//!
//! A TaskManager is killed, then the JobManager that leads, then a host is cut off and comes back. What is in the files
//! in the end must be what a run without failures writes: every change once, none left out.

mod kafka;
mod network;
mod output;
mod processes;
mod query;

use anyhow::{Context, Result, ensure};
use headwater_env::Env;
use network::Host;
use output::Rows;
use processes::Cluster;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Options of the experiment.
#[derive(clap::Args)]
pub struct Options {
    /// Events of the query.
    #[arg(long, default_value_t = 400_000)]
    events: u64,
    /// Events per second.
    #[arg(long, default_value_t = 20_000)]
    rate: u64,
    /// How often everything is killed and cut once.
    #[arg(long, default_value_t = 1)]
    rounds: u32,
    /// Runs a job that reads and writes Kafka beside the query.
    #[arg(long)]
    kafka: bool,
    /// Fails when output stays out for longer than this after a kill, milliseconds; otherwise the time is told only.
    #[arg(long)]
    gap_ms_max: Option<i64>,
    /// The binary to run.
    #[arg(long, value_name = "FILE")]
    headwater: PathBuf,
}

/// How long anything may take.
const PATIENCE_MS: i64 = 180_000;
/// How long a host is cut off.
const CUT_MS: u64 = 4_000;

/// Runs the experiment.
pub fn run(options: &Options) -> Result<()> {
    let env = Env::real();
    let work = tempfile::tempdir()?;
    let expected = query::undisturbed(&options.headwater, work.path(), options.events)?;
    println!("chaos: without failures the query has {} rows", expected.len());
    let host = Host::new().inspect_err(|error| println!("chaos: no host is cut off: {error:#}")).ok();
    let mut cluster = Cluster::start(&options.headwater, work.path(), host.as_ref(), &env)?;
    let kafka = match options.kafka {
        true => Some(kafka::Job::start(&cluster, work.path(), &env)?),
        false => None,
    };
    let job = query::Running::submit(&cluster, work.path(), options.events, options.rate)?;
    let outcome = disturb(options, &mut cluster, host.as_ref(), &job, &env)
        .and_then(|()| job.finish(&env, PATIENCE_MS))
        .and_then(|rows| compare(&expected, &rows))
        .and_then(|()| kafka.map_or(Ok(()), |kafka| kafka.finish(&env)));
    outcome.with_context(|| format!("the logs are in {}", cluster.keep_logs().display()))?;
    println!("1 passed, 0 failed");
    Ok(())
}

/// Kills and cuts while the job runs.
fn disturb(
    options: &Options,
    cluster: &mut Cluster,
    host: Option<&Host>,
    job: &query::Running,
    env: &Env,
) -> Result<()> {
    job.wait_for_output(env, PATIENCE_MS)?;
    for round in 0..options.rounds {
        let watch = Watch { options, job, env };
        let victim = cluster.any_task_manager();
        cluster.kill(&victim)?;
        watch.gap(&format!("kill -9 of {victim}"))?;
        cluster.start_task_manager(&format!("taskmanager-new-{round}"), None)?;

        let leader = cluster.leader()?;
        cluster.kill(&leader)?;
        watch.gap(&format!("kill -9 of {leader}, which led"))?;
        cluster.start_job_manager(&format!("jobmanager-new-{round}"))?;

        if let Some(host) = host {
            host.cut()?;
            watch.gap("cutting a host off")?;
            pause(CUT_MS);
            host.heal()?;
            watch.gap("healing the network")?;
        }
    }
    Ok(())
}

/// Measures how long output stays out.
struct Watch<'a> {
    options: &'a Options,
    job: &'a query::Running,
    env: &'a Env,
}

impl Watch<'_> {
    /// Waits for new output after something has just happened.
    fn gap(&self, what: &str) -> Result<()> {
        let start_ms = self.env.now_ms();
        self.job.wait_for_output(self.env, PATIENCE_MS).with_context(|| format!("after {what}"))?;
        let gap_ms = self.env.now_ms() - start_ms;
        println!("chaos: from {what} to new output: {gap_ms} ms");
        let max = self.options.gap_ms_max.unwrap_or(i64::MAX);
        ensure!(gap_ms <= max, "output stayed out for {gap_ms} ms after {what}: expected at most {max} ms");
        Ok(())
    }
}

fn compare(expected: &Rows, found: &Rows) -> Result<()> {
    let missing: Vec<_> = expected.iter().filter(|(row, count)| found.get(*row) != Some(count)).take(5).collect();
    let surplus: Vec<_> = found.iter().filter(|(row, count)| expected.get(*row) != Some(count)).take(5).collect();
    ensure!(missing.is_empty() && surplus.is_empty(), "missing: {missing:?}, too many: {surplus:?}");
    println!("chaos: {} rows, each exactly once", found.len());
    Ok(())
}

/// Lets time pass.
fn pause(ms: u64) {
    std::thread::park_timeout(Duration::from_millis(ms));
}

/// Text for a command line.
fn text(path: &Path) -> Result<&str> {
    path.to_str().context("a path that is text")
}
