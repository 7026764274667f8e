//! Operations that take longer than a request: begun by one, looked at by others, under an id.
//!
//! Nothing waits: the outcome is taken when somebody asks for it. Of the operations only the latest are known.

use headwater_jobmanager::{Pending, Stored};
use headwater_types::ids::JobId;
use headwater_types::{Error, Result};
use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};

/// Operations that are remembered.
const OPERATIONS_MAX: usize = 256;

/// What an operation is about; ids are only unique within one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum About {
    /// A savepoint of a job, with which it may end.
    Savepoint(JobId),
    /// A checkpoint of a job.
    Checkpoint(JobId),
    /// Removing a savepoint.
    Disposal,
}

/// An operation that was begun.
pub(crate) enum Operation {
    /// A checkpoint or savepoint.
    Store(Pending<Result<Stored>>),
    /// Something without a result.
    Do(Pending<Result<()>>),
}

/// How an operation ended.
#[derive(Debug, Clone)]
pub(crate) enum Outcome {
    /// A checkpoint or savepoint is there.
    Stored(Stored),
    /// It is done.
    Done,
    /// It failed.
    Failed(Error),
}

enum Progress {
    Running(Operation),
    Ended(Outcome),
}

struct Entry {
    about: About,
    id: u128,
    progress: Progress,
}

/// The latest operations, oldest first.
#[derive(Default)]
pub(crate) struct Triggers {
    entries: Mutex<VecDeque<Entry>>,
}

impl Triggers {
    /// Begins an operation, unless one of this id was begun: a repeated request does nothing again.
    pub(crate) fn begin(&self, about: About, id: u128, operation: impl FnOnce() -> Result<Operation>) -> Result<()> {
        let mut entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
        if entries.iter().any(|entry| entry.about == about && entry.id == id) {
            return Ok(());
        }
        entries.push_back(Entry { about, id, progress: Progress::Running(operation()?) });
        if entries.len() > OPERATIONS_MAX {
            entries.pop_front();
        }
        Ok(())
    }

    /// The outcome of an operation: the outer `None` when none of this id is known, the inner one while it goes on.
    pub(crate) fn outcome(&self, about: About, id: u128) -> Option<Option<Outcome>> {
        let mut entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
        let entry = entries.iter_mut().find(|entry| entry.about == about && entry.id == id)?;
        if let Progress::Running(operation) = &entry.progress
            && let Some(outcome) = operation.take()
        {
            entry.progress = Progress::Ended(outcome);
        }
        match &entry.progress {
            Progress::Running(_) => Some(None),
            Progress::Ended(outcome) => Some(Some(outcome.clone())),
        }
    }
}

impl Operation {
    fn take(&self) -> Option<Outcome> {
        match self {
            Self::Store(pending) => outcome(pending, Outcome::Stored),
            Self::Do(pending) => outcome(pending, |()| Outcome::Done),
        }
    }
}

fn outcome<T>(pending: &Pending<Result<T>>, ended: impl FnOnce(T) -> Outcome) -> Option<Outcome> {
    match pending.take() {
        Ok(None) => None,
        Ok(Some(Ok(value))) => Some(ended(value)),
        Ok(Some(Err(error))) | Err(error) => Some(Outcome::Failed(error)),
    }
}
