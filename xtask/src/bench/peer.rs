//! Real Flink as the yardstick: a JobManager and a TaskManager started by the peers' own scripts.

use super::measure::Cost;
use anyhow::{Context, Result, bail};
use std::path::{Path, PathBuf};
use std::process::Command;

/// A running Flink cluster; stopped when dropped.
pub struct Flink {
    peers: PathBuf,
    data: PathBuf,
    base: PathBuf,
}

impl Flink {
    /// Installs Flink when it is not there, and starts the cluster.
    pub fn start(peers: &Path, data: &Path) -> Result<Self> {
        let base = std::env::var("FLINKBASE").unwrap_or_else(|_| "/tmp/flinkbase".into());
        let flink = Self { peers: peers.to_path_buf(), data: data.to_path_buf(), base: base.into() };
        if !flink.base.join("flink/lib").exists() {
            flink.script("01_install.sh", &[])?;
        }
        flink.script("cluster.sh", &["start"])?;
        Ok(flink)
    }

    /// Runs one query to its end. CPU and memory are the TaskManager's.
    pub fn run(&mut self, query: &str, events: u64, parallelism: u32, settings: &[(String, String)]) -> Result<Cost> {
        let settings = settings.iter().flat_map(|(key, value)| ["--set".to_owned(), format!("{key}={value}")]);
        let output = Command::new("python3")
            .arg(self.peers.join("bench.py"))
            .args(["--events", &events.to_string(), "--parallelism", &parallelism.to_string(), "--data"])
            .arg(&self.data)
            .args(settings)
            .arg(query)
            .env("FLINKBASE", &self.base)
            .output()
            .context("python3 could not be started")?;
        let text = String::from_utf8_lossy(&output.stdout);
        let line = text.lines().last().with_context(|| String::from_utf8_lossy(&output.stderr).into_owned())?;
        let result: serde_json::Value = serde_json::from_str(line)?;
        let number = |key: &str| result[key].as_f64().with_context(|| format!("Flink's {query} failed: {line}"));
        Ok(Cost { wall_s: number("ms")? / 1e3, cpu_s: number("tm_cpu_s")?, memory_mb: number("tm_peak_rss_mb")? })
    }

    fn script(&self, name: &str, args: &[&str]) -> Result<()> {
        let path = self.peers.join(name);
        let status = Command::new("bash").arg(&path).args(args).env("FLINKBASE", &self.base).status()?;
        if !status.success() {
            bail!("{} {} failed: {status}", path.display(), args.join(" "));
        }
        Ok(())
    }
}

impl Drop for Flink {
    fn drop(&mut self) {
        if let Err(error) = self.script("cluster.sh", &["stop"]) {
            eprintln!("Flink was not stopped: {error:#}");
        }
    }
}
