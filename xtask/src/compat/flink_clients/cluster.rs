//! The cluster that clients talk to: a JobManager and two TaskManagers on free ports, in a directory of their own.

use anyhow::{Context, Result, bail};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// A job that goes on until it is ended, with a source, an exchange and a sink.
const SCRIPT: &str = "
CREATE TABLE orders (id BIGINT, name STRING) WITH ('connector' = 'datagen', 'rows-per-second' = '1000',
  'fields.name.length' = '1');
CREATE TABLE totals (name STRING, n BIGINT) WITH ('connector' = 'blackhole');
SET 'pipeline.name' = 'compat totals';
INSERT INTO totals SELECT name, COUNT(*) FROM orders GROUP BY name;
";

/// A cluster. Dropping it stops its processes.
pub struct Cluster {
    headwater: PathBuf,
    directory: PathBuf,
    define: Vec<String>,
    /// Where its REST API is, host and port.
    pub rest: String,
}

impl Cluster {
    /// Starts one whose files are below `directory`.
    pub fn start(headwater: PathBuf, directory: &Path) -> Result<Self> {
        let (rest, rpc) = (free_port()?, free_port()?);
        let at = |name: &str| directory.join(name).display().to_string();
        let define = [
            format!("rest.port={rest}"),
            format!("jobmanager.rpc.port={rpc}"),
            "taskmanager.numberOfTaskSlots=4".to_owned(),
            "parallelism.default=2".to_owned(),
            "execution.checkpointing.interval=1s".to_owned(),
            format!("execution.checkpointing.dir={}", at("checkpoints")),
            format!("execution.checkpointing.savepoint-dir={}", at("savepoints")),
        ];
        std::fs::create_dir_all(directory)?;
        std::fs::write(directory.join("job.sql"), SCRIPT)?;
        let define = define.iter().flat_map(|pair| ["-D".to_owned(), pair.clone()]).collect();
        let cluster = Self { headwater, directory: directory.to_owned(), define, rest: format!("127.0.0.1:{rest}") };
        cluster.call(&["cluster", "start", "--taskmanagers", "2", "--directory", &at("cluster")])?;
        Ok(cluster)
    }

    /// What makes others run their jobs here.
    pub fn remote(&self) -> Vec<String> {
        let target = ["-D".to_owned(), "execution.target=remote".to_owned()];
        target.into_iter().chain(self.define.iter().cloned()).collect()
    }

    /// Submits the job; its id.
    pub fn submit(&self) -> Result<String> {
        let script = self.directory.join("job.sql").display().to_string();
        let answer = self.call(&["run", "-d", "-f", &script, "--json", "-m", &self.rest])?;
        let answer: serde_json::Value = serde_json::from_str(&answer).context("the answer of `run --json`")?;
        let job = answer["jobs"][0].as_str().context("no job in the answer of `run --json`")?.to_owned();
        // Clients find what they look at: a checkpoint completes when all subtasks run.
        for _ in 0..100 {
            if self.call(&["checkpoint", &job, "-m", &self.rest]).is_ok() {
                return Ok(job);
            }
        }
        bail!("the job {job} does not run")
    }

    /// Where savepoints go.
    pub fn savepoints(&self) -> String {
        self.directory.join("savepoints").display().to_string()
    }

    /// Calls the command line of the product; what it prints.
    fn call(&self, args: &[&str]) -> Result<String> {
        let output = Command::new(&self.headwater)
            .args(args)
            .args(&self.define)
            .env_remove("HEADWATER_CONF_DIR")
            .stdin(Stdio::null())
            .output()
            .context("headwater could not be started")?;
        if !output.status.success() {
            bail!("`headwater {}` failed: {}", args.join(" "), String::from_utf8_lossy(&output.stderr));
        }
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        let directory = self.directory.join("cluster").display().to_string();
        if let Err(error) = self.call(&["cluster", "stop", "--directory", &directory]) {
            eprintln!("the cluster was not stopped: {error}");
        }
    }
}

fn free_port() -> Result<u16> {
    Ok(TcpListener::bind("127.0.0.1:0")?.local_addr()?.port())
}
