//! Cancelling a job whose tasks wait for a commit.

use super::setup::{Bench, pipeline};
use crate::JobState;
use headwater_env::{Env, Executor, Work};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

/// Runs work, but keeps commits while it is told to, as a broker that does not answer would.
struct HeldCommits {
    env: Env,
    holds: AtomicBool,
    held: Mutex<Vec<Work>>,
}

impl Executor for HeldCommits {
    fn spawn(&self, name: &'static str, work: Work) {
        match name == "commit" && self.holds.load(Ordering::SeqCst) {
            true => self.held.lock().unwrap().push(work),
            false => self.env.spawn_blocking(name, work),
        }
    }
}

#[test]
fn a_job_that_waits_for_a_commit_to_deploy_its_tasks_can_be_cancelled() {
    let held = Mutex::new(vec![]);
    let executor = Arc::new(HeldCommits { env: Env::real(), holds: AtomicBool::new(false), held });
    let bench = Bench::with_env(Env::real().with_executor(executor.clone()));
    let job = bench.submit(&pipeline("-1", "count", 2), &[]);
    bench.wait_for_rows(100);
    let path = job.stop_with_savepoint(Some(&bench.directory("savepoints")), false).unwrap();
    assert_eq!(job.wait().state, JobState::Finished);

    executor.holds.store(true, Ordering::SeqCst);
    let next = bench.submit(&pipeline("-1", "count", 2), &[("execution.state-recovery.path", &path)]);
    super::setup::wait_until(|| !executor.held.lock().unwrap().is_empty());
    next.cancel();
    super::setup::wait_until(|| next.status().unwrap().tasks.values().all(|task| task.is_final()));
    executor.holds.store(false, Ordering::SeqCst);
    executor.held.lock().unwrap().drain(..).for_each(|commit| commit());
    assert_eq!(next.wait().state, JobState::Canceled);
}
