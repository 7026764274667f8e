//! A TaskManager whose state is larger than the memory it is given: `taskmanager.memory.process.size` holds.
//!
//! The kernel ends the process when it goes beyond, where a control group can be made; and in any case tells how much
//! was resident at most.

use crate::cluster::limit::{Limit, resident};
use crate::cluster::processes::{Cluster, Layout};
use crate::cluster::running::Running;
use crate::cluster::{PATIENCE_MS, wide};
use anyhow::{Context, Result, ensure};
use headwater_env::Env;
use std::path::{Path, PathBuf};

/// Options of the experiment.
#[derive(clap::Args)]
pub struct Options {
    #[command(flatten)]
    wide: wide::Job,
    /// Memory of the TaskManager, MiB.
    #[arg(long, default_value_t = 1024)]
    process_mb: u64,
    /// The binary to run.
    #[arg(long, value_name = "FILE")]
    headwater: PathBuf,
}

/// Subtasks of each vertex.
const PARALLELISM: u32 = 2;
const TASK_MANAGER: &str = "taskmanager-limited";

/// Runs the experiment.
pub fn run(options: &Options) -> Result<()> {
    let (env, work) = (Env::real(), tempfile::tempdir()?);
    ensure!(options.wide.megabytes > options.process_mb, "--state-mb must be more than --process-mb");
    let limit = Limit::new(options.process_mb << 20).inspect_err(|error| println!("chaos: {error:#}")).ok();
    let directory = work.path().join("state");
    let settings = [
        ("taskmanager.memory.process.size", format!("{} mb", options.process_mb)),
        ("state.backend.rocksdb.localdir", directory.to_string_lossy().into_owned()),
    ];
    let layout = Layout { job_managers: 1, task_managers: 0, slots: PARALLELISM, host: None, settings: &settings };
    let mut cluster = Cluster::launch(&options.headwater, work.path(), layout, &env)?;
    match &limit {
        Some(limit) => {
            println!("chaos: the limit is kept by {}", limit.directory().display());
            cluster.start_limited_task_manager(TASK_MANAGER, limit)?;
        }
        None => cluster.start_task_manager(TASK_MANAGER, None)?,
    }
    let outcome = work_within(options, &cluster, work.path(), &env);
    outcome.with_context(|| format!("the logs are in {}", cluster.keep_logs().display()))?;
    // The group can be removed when nobody is in it.
    cluster.kill(TASK_MANAGER)?;
    println!("1 passed, 0 failed");
    Ok(())
}

fn work_within(options: &Options, cluster: &Cluster, work: &Path, env: &Env) -> Result<()> {
    let (wide, out) = (&options.wide, work.join("out"));
    let job = Running::submit(cluster, work, &wide.sql(&out, PARALLELISM)?, &out, wide::made_ms)?;
    // Every lookup finds its row: the job ends when all wide rows were read.
    job.finish(env, PATIENCE_MS).context("is the TaskManager still there?")?;
    wide.check(&out)?;
    let process = cluster.process_id(TASK_MANAGER).context("the TaskManager runs")?;
    let (resident, given) = (resident(process)?, options.process_mb << 20);
    println!(
        "chaos: of {} MiB of memory at most {} MiB were resident ({} MiB in the end), with {} MiB of state",
        given >> 20,
        resident.peak >> 20,
        resident.now >> 20,
        wide.megabytes
    );
    ensure!(resident.peak <= given, "the TaskManager used more than it was given");
    Ok(())
}
