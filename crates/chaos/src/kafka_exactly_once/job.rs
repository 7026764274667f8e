//! The job: its SQL, its process, its end.

use super::pause;
use super::topics::{EVENTS, TOTALS, WINDOWED};
use anyhow::{Context, Result};
use headwater_env::Env;
use std::fs::{File, OpenOptions};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

/// Length of the windows, milliseconds.
pub const WINDOW_MS: i64 = 5_000;

/// How long a kill may wait for a checkpoint.
const CHECKPOINT_PATIENCE_MS: i64 = 10_000;

/// A job that can be started again and again.
pub struct Job {
    headwater: PathBuf,
    script: PathBuf,
    checkpoints: PathBuf,
    log: PathBuf,
}

/// A running process of the job.
pub struct Running<'a> {
    job: &'a Job,
    child: Child,
}

/// When to kill.
#[derive(Debug, Clone, Copy)]
pub enum Moment {
    /// This long after the start.
    AfterMs(u64),
    /// This long after the next checkpoint became complete.
    AfterCheckpoint {
        /// Milliseconds.
        wait_ms: u64,
    },
}

impl Job {
    /// Writes the job's script into `directory`, where its checkpoints and its output go, too.
    pub fn new(headwater: &Path, directory: &Path, bootstrap: &str) -> Result<Self> {
        let script = directory.join("job.sql");
        std::fs::write(&script, sql(bootstrap))?;
        let checkpoints = directory.join("checkpoints");
        std::fs::create_dir_all(&checkpoints)?;
        let log = directory.join("job.log");
        Ok(Self { headwater: headwater.to_path_buf(), script, checkpoints, log })
    }

    /// Starts the job: from its newest checkpoint when there is one.
    pub fn start(&self) -> Result<Running<'_>> {
        let log = OpenOptions::new().create(true).append(true).open(&self.log)?;
        let mut command = Command::new(&self.headwater);
        command.arg("sql").arg("-f").arg(&self.script);
        let directory = self.checkpoints.display();
        let mut define = |key: &str, value: &str| _ = command.arg("-D").arg(format!("{key}={value}"));
        define("execution.checkpointing.dir", &directory.to_string());
        define("execution.checkpointing.interval", "200 ms");
        define("execution.checkpointing.externalized-checkpoint-retention", "RETAIN_ON_CANCELLATION");
        define("execution.checkpointing.num-retained", "2");
        define("parallelism.default", "2");
        if self.checkpoints().is_some() {
            define("execution.state-recovery.path", &directory.to_string());
            define("execution.state-recovery.claim-mode", "CLAIM");
        }
        command.stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log);
        let child = command.spawn().with_context(|| format!("{} does not start", self.headwater.display()))?;
        Ok(Running { job: self, child })
    }

    /// Number of the newest complete checkpoint of any run.
    pub fn checkpoints(&self) -> Option<u64> {
        let number = |path: PathBuf| {
            let number = path.file_name()?.to_str()?.strip_prefix("chk-")?.parse().ok()?;
            path.join("_metadata").exists().then_some(number)
        };
        let jobs = entries(&self.checkpoints).into_iter();
        jobs.flat_map(|job| entries(&job)).filter_map(number).max()
    }

    /// What the processes of the job print.
    pub fn log(&self) -> PathBuf {
        // Kept for whoever looks into a failure: the directory of the experiment is removed with it.
        let kept = std::env::temp_dir().join("headwater-chaos.log");
        if std::fs::copy(&self.log, &kept).is_ok() { kept } else { self.log.clone() }
    }
}

impl Running<'_> {
    /// Kills the process at a moment; whether that was right after a checkpoint became complete.
    pub fn kill_at(mut self, moment: Moment, env: &Env) -> Result<bool> {
        let start_ms = env.now_ms();
        let committing = match moment {
            Moment::AfterMs(ms) => {
                while self.is_running()? && env.now_ms() - start_ms < ms as i64 {
                    pause(1);
                }
                false
            }
            Moment::AfterCheckpoint { wait_ms } => {
                let before = self.job.checkpoints();
                while self.is_running()?
                    && self.job.checkpoints() <= before
                    && env.now_ms() - start_ms < CHECKPOINT_PATIENCE_MS
                {
                    pause(1);
                }
                pause(wait_ms);
                self.job.checkpoints() > before
            }
        };
        self.kill()?;
        Ok(committing)
    }

    /// Kills the process now.
    ///
    /// # Errors
    /// When it had ended by itself, which the job never should.
    pub fn kill(mut self) -> Result<()> {
        if !self.is_running()? {
            anyhow::bail!("the job ended by itself:\n{}", tail(&self.job.log));
        }
        self.child.kill()?;
        self.child.wait()?;
        Ok(())
    }

    /// Whether the process is there.
    pub fn is_running(&mut self) -> Result<bool> {
        Ok(self.child.try_wait()?.is_none())
    }
}

impl Drop for Running<'_> {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The last lines of a file.
fn tail(path: &Path) -> String {
    let text = File::open(path).and_then(std::io::read_to_string).unwrap_or_default();
    let lines: Vec<_> = text.lines().collect();
    lines[lines.len().saturating_sub(20)..].join("\n")
}

fn entries(directory: &Path) -> Vec<PathBuf> {
    std::fs::read_dir(directory).into_iter().flatten().flatten().map(|entry| entry.path()).collect()
}

/// The statements of the job.
pub fn sql(bootstrap: &str) -> String {
    let sink = |name: &str, columns: &str, format: &str| {
        format!(
            "CREATE TABLE {name} ({columns}) WITH ('connector' = 'kafka', 'topic' = '{name}', \
             'properties.bootstrap.servers' = '{bootstrap}', 'format' = '{format}', 'sink.partitioner' = 'fixed', \
             'sink.delivery-guarantee' = 'exactly-once', 'sink.transactional-id-prefix' = 'chaos-{name}');\n"
        )
    };
    format!(
        "CREATE TABLE {EVENTS} (k BIGINT, v BIGINT, t BIGINT, ts AS TO_TIMESTAMP_LTZ(t, 3), \
         WATERMARK FOR ts AS ts - INTERVAL '1' SECOND) WITH ('connector' = 'kafka', 'topic' = '{EVENTS}', \
         'properties.bootstrap.servers' = '{bootstrap}', 'properties.group.id' = 'chaos-job', \
         'scan.startup.mode' = 'earliest-offset', 'format' = 'json');\n{}{}\
         SET 'table.local-time-zone' = 'UTC';\n\
         BEGIN STATEMENT SET;\n\
         INSERT INTO {WINDOWED} SELECT k, window_start, COUNT(*), SUM(v) FROM TABLE(\
         TUMBLE(TABLE {EVENTS}, DESCRIPTOR(ts), INTERVAL '{}' SECOND)) GROUP BY k, window_start, window_end;\n\
         INSERT INTO {TOTALS} SELECT k, COUNT(*), SUM(v) FROM {EVENTS} GROUP BY k;\n\
         END;\n",
        sink(WINDOWED, "k BIGINT, ws TIMESTAMP(3), n BIGINT, s BIGINT", "json"),
        sink(TOTALS, "k BIGINT, n BIGINT, s BIGINT", "debezium-json"),
        WINDOW_MS / 1000,
    )
}
