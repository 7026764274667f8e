//! A cluster whose processes are killed and whose network is cut, while jobs run.
//!
//! ```text
//! two JobManagers (one leads) ── three TaskManagers ─┬─ Nexmark q4 ──> files, as a changelog
//!                                      │             └─ Kafka ──> windows and totals ──> Kafka
//!                          one of them in a network namespace of its own, where that is allowed
//! ```
//!
//! A TaskManager is killed, then the JobManager that leads, then a host is cut off and comes back. What is in the files
//! and topics in the end must be what a run without failures writes: every change once, none left out. With `--state-mb`
//! one job with much state takes the place of the two.

mod kafka;
pub mod limit;
pub mod network;
pub mod output;
pub mod processes;
pub mod query;
pub mod rest;
pub mod running;
pub mod times;
pub mod wide;

use anyhow::{Context, Result, ensure};
use headwater_env::Env;
use network::Host;
use output::Rows;
use processes::Cluster;
use running::Running;
use std::path::{Path, PathBuf};
use std::time::Duration;
use times::Times;

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
    /// Leaves out the job that reads and writes Kafka.
    #[arg(long)]
    no_kafka: bool,
    #[command(flatten)]
    wide: wide::Job,
    /// Fails when output stays out for longer than this after a kill, milliseconds; otherwise the time is told only.
    #[arg(long)]
    gap_ms_max: Option<i64>,
    /// The binary to run.
    #[arg(long, value_name = "FILE")]
    headwater: PathBuf,
}

/// How long anything may take.
pub const PATIENCE_MS: i64 = 180_000;
/// How long a host is cut off.
const CUT_MS: u64 = 4_000;
/// Subtasks of each vertex of the job with much state.
const PARALLELISM: u32 = 4;

/// Runs the experiment.
pub fn run(options: &Options) -> Result<()> {
    let env = Env::real();
    let work = tempfile::tempdir()?;
    let host = Host::new().inspect_err(|error| println!("chaos: no host is cut off: {error:#}")).ok();
    let expected = match options.wide.megabytes {
        0 => Some(query::undisturbed(&options.headwater, work.path(), options.events)?),
        _ => None,
    };
    let mut cluster = Cluster::start(&options.headwater, work.path(), host.as_ref(), &env)?;
    let outcome = match expected {
        Some(expected) => with_query(options, &expected, work.path(), &mut cluster, host.as_ref(), &env),
        None => with_state(options, work.path(), &mut cluster, host.as_ref(), &env),
    };
    outcome.with_context(|| format!("the logs are in {}", cluster.keep_logs().display()))?;
    println!("1 passed, 0 failed");
    Ok(())
}

/// The query and the job with Kafka.
fn with_query(
    options: &Options,
    expected: &Rows,
    work: &Path,
    cluster: &mut Cluster,
    host: Option<&Host>,
    env: &Env,
) -> Result<()> {
    println!("chaos: without failures the query has {} rows", expected.len());
    let kafka = match options.no_kafka {
        false => Some(kafka::Job::start(cluster, work, host.is_some(), env)?),
        true => None,
    };
    let out = work.join("out");
    let sql = query::sql(&out, options.events, Some(options.rate))?;
    let job = Running::submit(cluster, work, &sql, &out, output::written_ms)?;
    job.wait_for_output(0, env, PATIENCE_MS)?;
    disturb(options, cluster, host, &job, env)?;
    job.finish(env, PATIENCE_MS)?;
    compare(expected, &output::rows(&out)?)?;
    kafka.map_or(Ok(()), |kafka| kafka.finish(env))
}

/// The job with much state.
fn with_state(options: &Options, work: &Path, cluster: &mut Cluster, host: Option<&Host>, env: &Env) -> Result<()> {
    let (wide, out) = (&options.wide, work.join("out"));
    let job = Running::submit(cluster, work, &wide.sql(&out, PARALLELISM)?, &out, wide::made_ms)?;
    wide.wait_until_loaded(&job, &cluster.rest()?, env)?;
    disturb(options, cluster, host, &job, env)?;
    job.finish(env, PATIENCE_MS)?;
    wide.check(&out)
}

/// Kills and cuts while the job runs.
fn disturb(options: &Options, cluster: &mut Cluster, host: Option<&Host>, job: &Running, env: &Env) -> Result<()> {
    let mut watch = Watch { options, job, env, times: Times::default() };
    for round in 0..options.rounds {
        let (victim, start_ms) = (cluster.any_task_manager(), env.now_ms());
        cluster.kill(&victim)?;
        watch.gap("kill -9 of a TaskManager", start_ms)?;
        cluster.start_task_manager(&format!("taskmanager-new-{round}"), None)?;

        let (leader, start_ms) = (cluster.leader()?, env.now_ms());
        cluster.kill(&leader)?;
        watch.gap("kill -9 of the JobManager that leads", start_ms)?;
        cluster.start_job_manager(&format!("jobmanager-new-{round}"))?;

        if let Some(host) = host {
            let start_ms = env.now_ms();
            host.cut()?;
            watch.gap("cutting a host off", start_ms)?;
            pause(CUT_MS);
            let start_ms = env.now_ms();
            host.heal()?;
            watch.gap("healing the network", start_ms)?;
        }
    }
    watch.times.print();
    Ok(())
}

/// Measures how long output stays out.
struct Watch<'a> {
    options: &'a Options,
    job: &'a Running,
    env: &'a Env,
    times: Times,
}

impl Watch<'_> {
    /// Waits for output that was made after something happened.
    fn gap(&mut self, what: &str, start_ms: i64) -> Result<()> {
        let after_ms = self.env.now_ms();
        self.job.wait_for_output(after_ms, self.env, PATIENCE_MS).with_context(|| format!("after {what}"))?;
        let gap_ms = self.env.now_ms() - start_ms;
        println!("chaos: from {what} to new output: {gap_ms} ms");
        self.times.add(what, gap_ms);
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
pub fn pause(ms: u64) {
    std::thread::park_timeout(Duration::from_millis(ms));
}

/// Text for a command line.
fn text(path: &Path) -> Result<&str> {
    path.to_str().context("a path that is text")
}
