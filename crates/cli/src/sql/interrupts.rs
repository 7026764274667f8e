//! What Ctrl-C and SIGTERM do to a running insert.
//!
//! ```text
//!                                 1st                       2nd        3rd
//! savepoint directory is set      stop with a savepoint     cancel     end the process
//! checkpoints are kept            cancel                    -          end the process
//! no checkpoints                  stop, finish              cancel     end the process
//! ```
//!
//! With `execution.checkpointing.savepoint-dir` a script under a supervisor needs no other tool to be stopped and
//! upgraded: a signal leaves a savepoint, and the path to go on from is the last line. If the savepoint fails, what
//! follows is what would have happened without the directory.
//!
//! A job with a checkpoint directory is cancelled, as `flink cancel` would: it can go on from its last checkpoint, and
//! windows that are still open must not fire. Other jobs are told to finish. One that fails while it finishes would
//! start again, and then nothing would tell it to stop: it is cancelled as well, as is one that was restarting when
//! the interrupt came.

use headwater_checkpoint::{Retention, Settings};
use headwater_embedded::{JobHandle, JobResult, JobState, Pending, RequestKind, Stored};
use headwater_types::Result;
use headwater_types::config::{Configuration, RUNTIME_MODE};

/// What the configuration says becomes of checkpoints.
#[derive(Debug, Clone)]
pub struct Kept {
    /// Whether there are periodic checkpoints in a directory.
    durable: bool,
    /// Whether an interrupt leaves a savepoint.
    savepoints: bool,
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
        let savepoints = !is_batch && settings.savepoint_directory.is_some();
        Ok(Self {
            durable,
            savepoints,
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
    /// The savepoint that was asked for.
    savepoint: Option<Pending<Result<Stored>>>,
    /// Where it is.
    stored: Option<String>,
    stopping: bool,
    /// Restarts of the job when it was told to stop.
    restarts: u32,
    job: String,
}

impl Interrupts {
    /// None yet.
    pub fn new(kept: Kept) -> Self {
        Self { count: 0, kept, savepoint: None, stored: None, stopping: false, restarts: 0, job: String::new() }
    }

    /// There was one.
    pub fn interrupt(&mut self, handle: &JobHandle) {
        self.count += 1;
        self.job = handle.id().to_string();
        match self.count {
            1 if self.kept.savepoints => {
                crate::complain(format_args!("[INFO] Stopping with a savepoint; Ctrl-C again cancels without."));
                self.restarts = handle.status().map_or(0, |status| status.restarts);
                let kind = RequestKind::Stop { directory: None, drain: false };
                self.savepoint = handle.request_checkpoint(kind).ok();
            }
            1 => self.end(handle),
            2 => self.cancel(handle),
            _ => std::process::exit(130),
        }
    }

    /// Ends a job without a savepoint.
    fn end(&mut self, handle: &JobHandle) {
        if self.kept.durable {
            return self.cancel(handle);
        }
        crate::complain(format_args!("[INFO] Stopping; Ctrl-C again cancels without finishing."));
        self.stopping = true;
        self.restarts = handle.status().map_or(0, |status| status.restarts);
        handle.stop();
    }

    fn cancel(&mut self, handle: &JobHandle) {
        crate::complain(format_args!("[INFO] Canceling; Ctrl-C again ends the process at once."));
        (self.stopping, self.savepoint) = (false, None);
        handle.cancel();
    }

    /// Looks whether the savepoint is there, and cancels a job that was told to stop and starts again instead.
    pub fn watch(&mut self, handle: &JobHandle) {
        match self.savepoint.as_ref().map(Pending::take) {
            Some(Ok(Some(Ok(stored)))) => (self.savepoint, self.stored) = (None, Some(stored.path)),
            Some(Ok(Some(Err(error)))) => {
                crate::complain(format_args!("[WARNING] The savepoint failed: {error}"));
                self.savepoint = None;
                if handle.status().is_ok_and(|status| !status.state.is_final()) {
                    self.end(handle);
                }
            }
            Some(Err(_)) => self.savepoint = None,
            Some(Ok(None)) | None => {}
        }
        if !self.stopping && self.savepoint.is_none() {
            return;
        }
        let Ok(status) = handle.status() else { return };
        if status.state == JobState::Restarting || status.restarts > self.restarts {
            crate::complain(format_args!("[INFO] Canceling: the job fails and restarts, it cannot finish."));
            (self.stopping, self.savepoint) = (false, None);
            handle.cancel();
        }
    }

    /// Whether a job ended because of an interrupt, and not because it had done its work. Known after the farewell.
    pub fn ended(&self, result: &JobResult) -> bool {
        self.stored.is_some() || (self.count > 0 && result.state == JobState::Canceled)
    }

    /// Says where a job can go on that was stopped or cancelled.
    pub fn farewell(&mut self, result: &JobResult) {
        // The job may be seen to end before its savepoint is.
        if let Some(Ok(Some(Ok(stored)))) = self.savepoint.take().as_ref().map(Pending::take) {
            self.stored = Some(stored.path);
        }
        if let Some(path) = &self.stored {
            crate::complain(format_args!(
                "[INFO] Stopped with a savepoint. Go on with 'execution.state-recovery.path' = '{path}'."
            ));
            return;
        }
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
