//! What happens to the cluster, at random.

use super::VETERAN;
use crate::cluster::processes::Cluster;
use crate::rescale::require;
use anyhow::{Result, ensure};
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use serde_json::Value;
use std::fmt;

/// The most that a job is rescaled to.
const PARALLELISM_MAX: u32 = 4;

/// Kills and rescales.
pub struct Disturber {
    random: StdRng,
    pause_s: u64,
    /// When something happens next; not known at first.
    next_ms: Option<i64>,
    task_managers: u32,
    job_managers: u32,
    rescales: u32,
    refused: u32,
}

impl Disturber {
    /// Does the same as another of this seed, though not at the same moments of the jobs.
    pub fn new(seed: u64, pause_s: u64) -> Self {
        let random = StdRng::seed_from_u64(seed);
        Self { random, pause_s, next_ms: None, task_managers: 0, job_managers: 0, rescales: 0, refused: 0 }
    }

    /// Does something if it is time.
    pub fn next(&mut self, cluster: &mut Cluster, now_ms: i64, may_kill_leader: bool) -> Result<()> {
        let is_due = self.next_ms.is_some_and(|next_ms| next_ms <= now_ms);
        if self.next_ms.is_none() || is_due {
            let pause_ms = self.random.random_range(500..=self.pause_s.max(1) * 2_000);
            self.next_ms = Some(now_ms + i64::try_from(pause_ms)?);
        }
        if !is_due {
            return Ok(());
        }
        match self.random.random_range(0..10) {
            0..5 => self.kill_task_manager(cluster),
            5 if may_kill_leader => self.kill_leader(cluster),
            _ => {
                self.rescale(cluster);
                Ok(())
            }
        }
    }

    fn kill_task_manager(&mut self, cluster: &mut Cluster) -> Result<()> {
        let is_victim = |name: &String| name.starts_with("taskmanager") && name != VETERAN;
        let victims: Vec<String> = cluster.names().into_iter().filter(is_victim).collect();
        let Some(victim) = victims.get(self.random.random_range(0..victims.len().max(1))) else { return Ok(()) };
        cluster.kill(victim)?;
        self.task_managers += 1;
        cluster.start_task_manager(&format!("taskmanager-new-{}", self.task_managers), None)
    }

    fn kill_leader(&mut self, cluster: &mut Cluster) -> Result<()> {
        let leader = cluster.leader()?;
        cluster.kill(&leader)?;
        self.job_managers += 1;
        cluster.start_job_manager(&format!("jobmanager-new-{}", self.job_managers))
    }

    /// Gives a job another parallelism. One that is being restarted, or a leader that has just been killed, refuses.
    fn rescale(&mut self, cluster: &Cluster) {
        match self.rescale_any(cluster) {
            Ok(()) => self.rescales += 1,
            Err(error) => {
                println!("chaos: a rescale was refused: {error:#}");
                self.refused += 1;
            }
        }
    }

    fn rescale_any(&mut self, cluster: &Cluster) -> Result<()> {
        let (rest, upper) = (cluster.rest()?, self.random.random_range(1..=PARALLELISM_MAX));
        let overview = rest.get("/jobs/overview")?;
        let runs = |job: &&Value| job["state"] == "RUNNING";
        let jobs = overview["jobs"].as_array().into_iter().flatten().filter(runs);
        let jobs: Vec<&str> = jobs.filter_map(|job| job["jid"].as_str()).collect();
        ensure!(!jobs.is_empty(), "no job runs");
        require(&rest, jobs[self.random.random_range(0..jobs.len())], upper)
    }
}

impl fmt::Display for Disturber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { task_managers, job_managers, rescales, refused, .. } = self;
        write!(f, "{task_managers} TaskManagers and {job_managers} JobManagers killed, ")?;
        write!(f, "{rescales} rescales, {refused} refused")
    }
}
