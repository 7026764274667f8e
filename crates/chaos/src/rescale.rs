//! A job whose parallelism changes while it runs: 2, then 4, then 3, by its resource requirements; and a job in reactive
//! mode, which follows the TaskManagers that come and go.
//!
//! Of every change the longest time without new output is told. In the end every event is in the output once.

use crate::cluster::processes::{Cluster, Layout};
use crate::cluster::rest::Rest;
use crate::cluster::running::Running;
use crate::cluster::times::Times;
use crate::cluster::{PATIENCE_MS, pause, wide};
use anyhow::{Context, Result, ensure};
use headwater_env::Env;
use serde_json::{Map, Value, json};
use std::path::{Path, PathBuf};

/// Options of the experiment.
#[derive(clap::Args)]
pub struct Options {
    #[command(flatten)]
    wide: wide::Job,
    /// How often the parallelism goes from 2 to 4 to 3 and back.
    #[arg(long, default_value_t = 1)]
    rounds: u32,
    /// Leaves out the reactive mode.
    #[arg(long)]
    no_reactive: bool,
    /// Fails when output stays out for longer than this, milliseconds; otherwise the time is told only.
    #[arg(long)]
    gap_ms_max: Option<i64>,
    /// The binary to run.
    #[arg(long, value_name = "FILE")]
    headwater: PathBuf,
}

/// The parallelism at first, and after each change.
const FIRST: u32 = 2;
const STEPS: [u32; 3] = [4, 3, FIRST];
/// TaskManagers, of one slot each.
const TASK_MANAGERS: u32 = 4;

/// Runs the experiment.
pub fn run(options: &Options) -> Result<()> {
    asked(options)?;
    if !options.no_reactive {
        reactive(options)?;
    }
    println!("1 passed, 0 failed");
    Ok(())
}

/// By `PUT /jobs/:id/resource-requirements`.
fn asked(options: &Options) -> Result<()> {
    let layout = Layout { job_managers: 1, task_managers: TASK_MANAGERS, slots: 1, host: None, settings: &[] };
    with_job(options, layout, &mut |_, rest, job, env| {
        let mut times = Times::default();
        let id = rest.job()?;
        for to in (0..options.rounds).flat_map(|_| STEPS) {
            let from = parallelism(rest, &id)?;
            require(rest, &id, to)?;
            let gap_ms = job.longest_gap_ms(env, &mut || Ok(parallelism(rest, &id)? == to))?;
            told(options, &mut times, &format!("from {from} to {to}"), gap_ms)?;
        }
        times.print();
        Ok(())
    })
}

/// By a TaskManager that is added, and one that is killed.
fn reactive(options: &Options) -> Result<()> {
    let ms = |name: &'static str| (name, "200 ms".to_owned());
    let settings = [
        ("scheduler-mode", "reactive".to_owned()),
        ms("jobmanager.adaptive-scheduler.executing.resource-stabilization-timeout"),
        ms("jobmanager.adaptive-scheduler.submission.resource-stabilization-timeout"),
        ms("jobmanager.adaptive-scheduler.executing.cooldown-after-rescaling"),
    ];
    let layout = Layout { job_managers: 1, task_managers: FIRST, slots: 1, host: None, settings: &settings };
    with_job(options, layout, &mut |cluster, rest, job, env| {
        let mut times = Times::default();
        let id = rest.job()?;
        cluster.start_task_manager("taskmanager-added", None)?;
        let gap_ms = job.longest_gap_ms(env, &mut || Ok(parallelism(rest, &id)? == FIRST + 1))?;
        told(options, &mut times, "a TaskManager is added", gap_ms)?;
        cluster.kill("taskmanager-added")?;
        let gap_ms = job.longest_gap_ms(env, &mut || Ok(parallelism(rest, &id)? == FIRST))?;
        told(options, &mut times, "it is killed", gap_ms)?;
        times.print();
        Ok(())
    })
}

/// What is done with a cluster and its job.
type Change<'a> = &'a mut dyn FnMut(&mut Cluster, &Rest, &Running, &Env) -> Result<()>;

/// Runs the job on a cluster, and holds what it wrote against what it must have.
fn with_job(options: &Options, layout: Layout<'_>, change: Change<'_>) -> Result<()> {
    let (env, work) = (Env::real(), tempfile::tempdir()?);
    let mut cluster = Cluster::launch(&options.headwater, work.path(), layout, &env)?;
    let outcome = change_job(options, &mut cluster, work.path(), &env, change);
    outcome.with_context(|| format!("the logs are in {}", cluster.keep_logs().display()))
}

fn change_job(options: &Options, cluster: &mut Cluster, work: &Path, env: &Env, change: Change<'_>) -> Result<()> {
    let (wide, out) = (&options.wide, work.join("out"));
    let job = Running::submit(cluster, work, &wide.sql(&out, FIRST)?, &out, wide::made_ms)?;
    let rest = cluster.rest()?;
    wide.wait_until_loaded(&job, &rest, env)?;
    change(cluster, &rest, &job, env)?;
    job.finish(env, PATIENCE_MS)?;
    wide.check(&out)
}

/// The parallelism of the widest vertex once all tasks that have not finished run; 0 before.
fn parallelism(rest: &Rest, id: &str) -> Result<u32> {
    let job = rest.get(&format!("/jobs/{id}"))?;
    let vertices = job["vertices"].as_array().context("a job with vertices")?;
    let up = |vertex: &Value| matches!(vertex["status"].as_str(), Some("RUNNING" | "FINISHED"));
    if !vertices.iter().all(up) {
        return Ok(0);
    }
    let widest = vertices.iter().filter_map(|vertex| vertex["parallelism"].as_u64()).max();
    Ok(u32::try_from(widest.context("a parallelism")?)?)
}

/// Asks for a parallelism of all vertices.
pub fn require(rest: &Rest, id: &str, to: u32) -> Result<()> {
    let path = format!("/jobs/{id}/resource-requirements");
    let now = rest.get(&path)?;
    let vertices = now.as_object().context("requirements by vertex")?;
    let bounds = json!({ "parallelism": { "lowerBound": 1, "upperBound": to } });
    let asked: Map<String, Value> = vertices.keys().map(|vertex| (vertex.clone(), bounds.clone())).collect();
    rest.put(&path, &Value::Object(asked)).map(drop)
}

fn told(options: &Options, times: &mut Times, what: &str, gap_ms: i64) -> Result<()> {
    println!("chaos: {what}: at most {gap_ms} ms without new output");
    times.add(what, gap_ms);
    let max = options.gap_ms_max.unwrap_or(i64::MAX);
    ensure!(gap_ms <= max, "output stayed out for {gap_ms} ms: expected at most {max} ms");
    // Nothing else is to happen at the same time.
    pause(500);
    Ok(())
}
