//! Hours of three jobs on a cluster whose processes are killed and whose jobs are rescaled, at random: what leaks shows.
//!
//! ```text
//! two JobManagers, three TaskManagers ─┬─ join and aggregation, as Nexmark q4 ──> files, as a changelog
//!                                      ├─ windows ──> files
//!                                      └─ a filter ──> files
//! ```
//!
//! The state of all jobs is bounded, so that nothing has a reason to grow. One TaskManager is never killed, and no
//! JobManager in the second half. Of every process the memory, the open files, the threads and the sockets are watched,
//! of the cluster the files of checkpoints and of high availability; a straight line through them must not rise. When the
//! jobs have ended, what is in their files must be what a run without failures writes, and the TaskManager that was never
//! killed must have given back what it took.

mod disturb;
mod jobs;
mod trend;
mod usage;

use crate::cluster::processes::{Cluster, Layout};
use crate::cluster::{PATIENCE_MS, pause};
use anyhow::{Context, Result, bail};
use disturb::Disturber;
use headwater_env::Env;
use jobs::Job;
use std::path::{Path, PathBuf};
use trend::Trends;
use usage::Usage;

/// Options of the experiment.
#[derive(clap::Args)]
pub struct Options {
    /// Hours that the jobs run.
    #[arg(long, default_value_t = 2.0)]
    hours: f64,
    /// Minutes that the jobs run, in place of hours.
    #[arg(long)]
    minutes: Option<f64>,
    /// Events per second of each job.
    #[arg(long, default_value_t = 1_000)]
    rate: u64,
    /// Seconds between two kills or rescales, on average.
    #[arg(long, default_value_t = 15)]
    pause_s: u64,
    /// Tells which processes are killed when.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// The binary to run.
    #[arg(long, value_name = "FILE")]
    headwater: PathBuf,
}

/// Slots of a TaskManager: two of them can run all jobs.
const SLOTS: u32 = 8;
/// The TaskManager that is never killed.
const VETERAN: &str = "taskmanager-1";
/// Samples of a run.
const SAMPLES: i64 = 400;
/// How long a process is left alone before it counts as idle.
const REST_MS: u64 = 5_000;
/// The last part of a run, in which nothing is killed any more.
const CALM_MS: i64 = 10_000;

/// Runs the experiment.
pub fn run(options: &Options) -> Result<()> {
    let env = Env::real();
    let work = tempfile::tempdir()?;
    let seconds = options.minutes.map_or(options.hours * 3_600.0, |minutes| minutes * 60.0);
    let events = (options.rate as f64 * seconds) as u64;
    let expected = jobs::ALL.iter().map(|job| job.undisturbed(&options.headwater, work.path(), events));
    let expected = expected.collect::<Result<Vec<_>>>()?;
    let layout = Layout { job_managers: 2, task_managers: 3, slots: SLOTS, host: None, settings: &[] };
    let cluster = Cluster::launch(&options.headwater, work.path(), layout, &env)?;
    let mut soak = Soak { work: work.path(), env, cluster, trends: Trends::default() };
    let outcome = soak.run(options, events, (seconds * 1e3) as i64, &expected);
    outcome.with_context(|| format!("the logs are in {}", soak.cluster.keep_logs().display()))?;
    println!("1 passed, 0 failed");
    Ok(())
}

struct Soak<'a> {
    work: &'a Path,
    env: Env,
    cluster: Cluster,
    trends: Trends,
}

impl Soak<'_> {
    fn run(&mut self, options: &Options, events: u64, duration_ms: i64, expected: &[jobs::Expected]) -> Result<()> {
        pause(REST_MS);
        let before = self.veteran()?;
        let submit = |job: &Job| job.submit(&self.cluster, self.work, events, options.rate);
        let running = jobs::ALL.iter().map(submit).collect::<Result<Vec<_>>>()?;
        let mut disturber = Disturber::new(options.seed, options.pause_s);
        self.watch(&mut disturber, duration_ms)?;
        println!("chaos: {disturber}");
        for (job, running) in jobs::ALL.iter().zip(&running) {
            running.finish(&self.env, PATIENCE_MS + duration_ms).with_context(|| format!("the job {}", job.name))?;
        }
        for (job, expected) in jobs::ALL.iter().zip(expected) {
            job.check(self.work, expected)?;
        }
        drop(running);
        pause(REST_MS);
        let after = self.veteran()?;
        println!("chaos: {VETERAN} before the jobs: {before}; after them: {after}");
        self.trends.print();
        self.trends.check()?;
        after.check_given_back(&before)
    }

    /// Disturbs and takes samples.
    fn watch(&mut self, disturber: &mut Disturber, duration_ms: i64) -> Result<()> {
        let (start_ms, every_ms) = (self.env.now_ms(), (duration_ms / SAMPLES).max(1_000));
        let mut sample_ms = start_ms;
        loop {
            let now_ms = self.env.now_ms();
            let elapsed_ms = now_ms - start_ms;
            if elapsed_ms >= duration_ms - CALM_MS {
                return Ok(());
            }
            if now_ms >= sample_ms {
                self.sample(elapsed_ms as f64 / duration_ms as f64);
                self.no_job_failed()?;
                sample_ms += every_ms;
            }
            let is_first_half = elapsed_ms < duration_ms / 2;
            disturber.next(&mut self.cluster, now_ms, is_first_half)?;
            pause(100);
        }
    }

    /// Notes what the processes have at this share of the run.
    fn sample(&mut self, share: f64) {
        for name in self.cluster.names() {
            if let Some(usage) = self.cluster.process_id(&name).and_then(|id| Usage::of(id).ok()) {
                self.trends.add_process(&name, share, &usage);
            }
        }
        for (name, directory) in [("files of checkpoints", "checkpoints"), ("files of high availability", "ha")] {
            self.trends.add_files(name, share, usage::files(&self.work.join(directory)));
        }
    }

    /// No kill and no rescale may make a job fail for good.
    fn no_job_failed(&self) -> Result<()> {
        // While nobody leads nobody answers; the next leader knows the same.
        let Ok(overview) = self.cluster.rest().and_then(|rest| rest.get("/jobs/overview")) else { return Ok(()) };
        let failed = overview["jobs"].as_array().into_iter().flatten().find(|job| job["state"] == "FAILED");
        let Some(job) = failed.and_then(|job| job["jid"].as_str()) else { return Ok(()) };
        let failures = self.cluster.rest()?.get(&format!("/jobs/{job}/exceptions"))?;
        bail!("the job {job} has failed: {}", failures["exceptionHistory"]["entries"][0]["stacktrace"]);
    }

    fn veteran(&self) -> Result<Usage> {
        Usage::of(self.cluster.process_id(VETERAN).context("the TaskManager that is never killed is gone")?)
    }
}
