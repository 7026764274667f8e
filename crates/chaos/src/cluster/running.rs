//! A job on the cluster, and its output.

use super::output::{MadeMs, Watcher};
use super::pause;
use super::processes::Cluster;
use anyhow::{Result, bail, ensure};
use headwater_env::Env;
use std::cell::RefCell;
use std::path::{Path, PathBuf};
use std::process::Child;

/// Pause between looks at the output, milliseconds.
const LOOK_MS: u64 = 5;

/// A job on a cluster; its client is killed when it is dropped.
pub struct Running {
    client: RefCell<Child>,
    log: PathBuf,
    watcher: RefCell<Watcher>,
}

impl Running {
    /// Submits a script whose job writes to `out`.
    pub fn submit(cluster: &Cluster, work: &Path, sql: &str, out: &Path, made_ms: MadeMs) -> Result<Self> {
        let (script, log) = (work.join("job.sql"), work.join("job.log"));
        std::fs::write(&script, sql)?;
        let watcher = RefCell::new(Watcher::new(out, made_ms));
        Ok(Self { client: RefCell::new(cluster.client(&script, &log)?), log, watcher })
    }

    /// When the newest row was made that is committed, milliseconds since the epoch.
    pub fn newest_ms(&self) -> Result<i64> {
        self.watcher.borrow_mut().newest_ms()
    }

    /// Waits until rows are committed that were made after a moment.
    pub fn wait_for_output(&self, after_ms: i64, env: &Env, patience_ms: i64) -> Result<()> {
        let start_ms = env.now_ms();
        while self.newest_ms()? <= after_ms {
            self.ensure_runs()?;
            ensure!(env.now_ms() - start_ms < patience_ms, "there is no new output");
            pause(LOOK_MS);
        }
        Ok(())
    }

    /// The longest time without new output until `is_over`, and until output that was made after that.
    pub fn longest_gap_ms(&self, env: &Env, is_over: &mut dyn FnMut() -> Result<bool>) -> Result<i64> {
        let (mut newest_ms, mut since_ms, mut longest_ms) = (self.newest_ms()?, env.now_ms(), 0);
        let mut over_ms = None;
        loop {
            let (found_ms, now_ms) = (self.newest_ms()?, env.now_ms());
            longest_ms = longest_ms.max(now_ms - since_ms);
            if found_ms > newest_ms {
                (newest_ms, since_ms) = (found_ms, now_ms);
            }
            match over_ms {
                Some(over_ms) if newest_ms > over_ms => return Ok(longest_ms),
                None if is_over()? => over_ms = Some(now_ms),
                _ => {}
            }
            self.ensure_runs()?;
            ensure!(now_ms - since_ms < super::PATIENCE_MS, "there is no new output");
            pause(LOOK_MS);
        }
    }

    /// Waits for the end of the job.
    pub fn finish(&self, env: &Env, patience_ms: i64) -> Result<()> {
        let start_ms = env.now_ms();
        loop {
            if let Some(status) = self.client.borrow_mut().try_wait()? {
                ensure!(status.success(), "the job ended with {status}: {}", self.said());
                return Ok(());
            }
            ensure!(env.now_ms() - start_ms < patience_ms, "the job does not end: {}", self.said());
            pause(50);
        }
    }

    fn ensure_runs(&self) -> Result<()> {
        if let Some(status) = self.client.borrow_mut().try_wait()? {
            bail!("the job ended with {status} before the experiment; give it more rows: {}", self.said());
        }
        Ok(())
    }

    fn said(&self) -> String {
        std::fs::read_to_string(&self.log).unwrap_or_default()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let mut client = self.client.borrow_mut();
        let _ = client.kill();
        let _ = client.wait();
    }
}
