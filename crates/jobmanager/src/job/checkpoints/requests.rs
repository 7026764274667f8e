//! Checkpoints and savepoints that somebody asks for.

use super::Checkpoints;
use crate::job::{Job, Reply};
use crate::store::Store;
use headwater_checkpoint::Kind;
use headwater_checkpoint::layout::savepoint_directory;
use headwater_types::{Error, Result};
use serde::{Deserialize, Serialize};

/// Somebody asks for a checkpoint.
pub(crate) struct Request {
    pub(crate) kind: RequestKind,
    pub(crate) reply: Reply<Result<Stored>>,
}

/// What somebody asks for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum RequestKind {
    /// A checkpoint.
    Checkpoint,
    /// A savepoint.
    Savepoint {
        /// Below which directory; by default the configured one.
        directory: Option<String>,
    },
    /// A savepoint behind which the job ends.
    Stop {
        /// Below which directory; by default the configured one.
        directory: Option<String>,
        /// Whether the sources end first and all windows fire.
        drain: bool,
    },
}

/// A stored checkpoint.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stored {
    /// Its number.
    pub checkpoint: u64,
    /// Where it is.
    pub path: String,
}

impl Checkpoints {
    /// A checkpoint is to be taken when it can be.
    pub(in crate::job) fn ask(&mut self, request: Request) {
        self.requests.push_back(request);
    }
}

impl Job {
    /// Somebody asks for a checkpoint; it is triggered as soon as all tasks run.
    pub(crate) fn request(&mut self, request: Request) {
        if self.complete || !self.execution.state().is_active() {
            let _ = request.reply.try_send(Err(not_running()));
            return;
        }
        if let Err(error) = self.target_of(&request.kind, 0).and_then(|_| self.has_its_slots()) {
            let _ = request.reply.try_send(Err(error));
            return;
        }
        self.checkpoints.requests.push_back(request);
        self.pump();
    }

    /// Tasks that wait for slots may wait for long, and whoever asks for a checkpoint with them.
    fn has_its_slots(&self) -> Result<()> {
        match self.placement.lacks() {
            None => Ok(()),
            Some(what) => {
                let message = format!("no checkpoint can be taken now: not all tasks of the job are running, {what}");
                Err(Error::retryable("checkpoint-refused", message))
            }
        }
    }

    /// Triggers the checkpoints that were asked for.
    pub(in crate::job) fn try_requests(&mut self) {
        self.readopt();
        while !self.checkpoints.requests.is_empty() && !self.checkpoints.coordinator.is_starting() {
            let Some(request) = self.checkpoints.requests.pop_front() else { return };
            let kind = match request.kind {
                RequestKind::Checkpoint => Kind::Manual,
                RequestKind::Savepoint { .. } => Kind::Savepoint,
                RequestKind::Stop { drain, .. } => Kind::Stop { drain },
            };
            match self.checkpoints.coordinator.trigger(kind, self.env.now_ms()) {
                Ok((checkpoint, actions)) => {
                    self.checkpoints.collecting.entry(checkpoint).or_default().request = Some(request);
                    self.act_on_checkpoints(actions);
                }
                Err(error) => drop(request.reply.try_send(Err(error))),
            }
        }
    }

    /// The job has ended: nobody's checkpoint will be taken.
    pub(in crate::job) fn refuse_requests(&mut self) {
        let collecting = std::mem::take(&mut self.checkpoints.collecting).into_values();
        let pending = collecting.filter_map(|collecting| collecting.request);
        for request in pending.chain(std::mem::take(&mut self.checkpoints.requests)) {
            let _ = request.reply.try_send(Err(not_running()));
        }
    }

    /// Where a savepoint goes; `None` for checkpoints.
    pub(in crate::job) fn target_of(&self, kind: &RequestKind, random: u64) -> Result<Option<Store>> {
        let directory = match kind {
            RequestKind::Checkpoint => return Ok(None),
            RequestKind::Savepoint { directory } | RequestKind::Stop { directory, .. } => directory.clone(),
        };
        let directory = directory.or_else(|| self.checkpoints.coordinator.settings().savepoint_directory.clone());
        let directory = directory.ok_or_else(|| {
            let message = "a savepoint needs a directory: name one, or set 'execution.checkpointing.savepoint-dir'";
            Error::user("missing-savepoint-directory", message)
        })?;
        let uri = headwater_storage::join(&directory, &savepoint_directory(self.id, random));
        let storage = self.provider.open(&uri, &self.graph.config)?;
        Ok(Some(Store { uri, storage }))
    }
}

/// What who asks for a checkpoint of a job that has ended is told.
pub(crate) fn not_running() -> Error {
    Error::user("job-not-running", "no checkpoint can be taken: the job is not running")
}
