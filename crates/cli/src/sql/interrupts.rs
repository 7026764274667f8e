//! What Ctrl-C and SIGTERM do to a running insert.
//!
//! ```text
//!                           1st              2nd        3rd
//! checkpoints are kept      cancel           -          end the process
//! no checkpoints            stop, finish     cancel     end the process
//! ```
//!
//! A job with a checkpoint directory is cancelled, as `flink cancel` would: it can go on from its last checkpoint, and
//! windows that are still open must not fire. Other jobs are told to finish. One that fails while it finishes would
//! start again, and then nothing would tell it to stop: it is cancelled as well, as is one that was restarting when
//! the interrupt came.

use headwater_checkpoint::{Retention, Settings};
use headwater_embedded::{JobHandle, JobResult, JobState};
use headwater_types::Result;
use headwater_types::config::{Configuration, RUNTIME_MODE};

/// What the configuration says becomes of checkpoints.
#[derive(Debug, Clone)]
pub struct Kept {
    /// Whether there are periodic checkpoints in a directory.
    durable: bool,
    retention: Retention,
    directory: String,
    config: Configuration,
}

impl Kept {
    /// Reads the configuration of a job.
    ///
    /// # Errors
    /// When a value is not one, naming its key.
    pub fn of(config: &Configuration) -> Result<Self> {
        let settings = Settings::from_config(config)?;
        let is_batch = config.text(RUNTIME_MODE).trim().eq_ignore_ascii_case("batch");
        let durable = !is_batch && settings.interval_ms.is_some() && settings.directory.is_some();
        Ok(Self {
            durable,
            retention: settings.retention,
            directory: settings.directory.unwrap_or_default(),
            config: config.clone(),
        })
    }
}

/// The interrupts of one job.
pub struct Interrupts {
    /// How many there were.
    pub count: u32,
    kept: Kept,
    stopping: bool,
    /// Restarts of the job when it was told to stop.
    restarts: u32,
    job: String,
}

impl Interrupts {
    /// None yet.
    pub fn new(kept: Kept) -> Self {
        Self { count: 0, kept, stopping: false, restarts: 0, job: String::new() }
    }

    /// There was one.
    pub fn interrupt(&mut self, handle: &JobHandle) {
        self.count += 1;
        self.job = handle.id().to_string();
        match self.count {
            1 if !self.kept.durable => {
                crate::complain(format_args!("[INFO] Stopping; Ctrl-C again cancels without finishing."));
                self.stopping = true;
                self.restarts = handle.status().map_or(0, |status| status.restarts);
                handle.stop();
            }
            1 | 2 => {
                crate::complain(format_args!("[INFO] Canceling; Ctrl-C again ends the process at once."));
                self.stopping = false;
                handle.cancel();
            }
            _ => std::process::exit(130),
        }
    }

    /// Cancels a job that was told to stop and starts again instead.
    pub fn watch(&mut self, handle: &JobHandle) {
        if !self.stopping {
            return;
        }
        let Ok(status) = handle.status() else { return };
        if status.state == JobState::Restarting || status.restarts > self.restarts {
            crate::complain(format_args!("[INFO] Canceling: the job fails and restarts, it cannot finish."));
            self.stopping = false;
            handle.cancel();
        }
    }

    /// Says where a cancelled job can go on.
    pub fn farewell(&self, result: &JobResult) {
        if self.count == 0 || result.state != JobState::Canceled || !self.kept.durable {
            return;
        }
        if self.kept.retention != Retention::RetainOnCancellation {
            crate::complain(format_args!(
                "[INFO] Canceled. Its checkpoints are deleted; to keep them set \
                 'execution.checkpointing.externalized-checkpoint-retention' = 'RETAIN_ON_CANCELLATION'."
            ));
            return;
        }
        let directory = headwater_storage::join(&self.kept.directory, &self.job);
        match crate::savepoint::open(&directory, &self.kept.config) {
            Ok(last) => crate::complain(format_args!(
                "[INFO] Canceled. Go on with 'execution.state-recovery.path' = '{}'.",
                last.path
            )),
            Err(_) => crate::complain(format_args!("[INFO] Canceled. No checkpoint had completed.")),
        }
    }
}
