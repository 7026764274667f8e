//! A statement on its way: its status, and its result as pages.
//!
//! ```text
//! PENDING ──▶ RUNNING ──▶ FINISHED ──▶ (ERROR, when the query fails later)
//!    │           │            │
//!    └───────────┴────────────┴──▶ CANCELED, TIMEOUT, CLOSED       RUNNING ──▶ ERROR
//! ```
//!
//! A query is finished, in Flink's sense, when its rows can be fetched: its job runs on.

mod results;

pub(crate) use results::{Fetched, Results, WrongToken};

#[cfg(test)]
mod tests;

use crate::encode::Columns;
use crate::errors::Failure;
use chrono_tz::Tz;
use headwater_types::ids::JobId;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use uuid::Uuid;

/// Where an operation is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Status {
    Pending,
    Running,
    Finished,
    Canceled,
    Closed,
    Error,
    Timeout,
}

impl Status {
    /// Its name in the API.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Pending => "PENDING",
            Self::Running => "RUNNING",
            Self::Finished => "FINISHED",
            Self::Canceled => "CANCELED",
            Self::Closed => "CLOSED",
            Self::Error => "ERROR",
            Self::Timeout => "TIMEOUT",
        }
    }

    fn is_waiting(self) -> bool {
        matches!(self, Self::Pending | Self::Running)
    }
}

/// What is known of a result before its rows.
#[derive(Debug, Clone)]
pub(crate) struct Description {
    pub(crate) columns: Columns,
    /// Whether it is the result of a SELECT.
    pub(crate) is_query: bool,
    /// Whether it is only that it is done.
    pub(crate) is_plain_success: bool,
    /// The job that was started.
    pub(crate) job: Option<JobId>,
    /// Zone in which TIMESTAMP_LTZ is shown.
    pub(crate) zone: Tz,
}

/// What a fetch found.
pub(crate) enum Page {
    /// The statement is still being executed.
    NotReady,
    /// Rows, or the end of them.
    Ready(Arc<Description>, Fetched),
}

/// Why a fetch found nothing.
#[derive(Debug)]
pub(crate) enum NoPage {
    Failed(Failure),
    WrongToken(WrongToken),
    /// It was cancelled, closed, or took too long.
    Over(Status),
}

/// A statement that was submitted.
pub(crate) struct Operation {
    pub(crate) handle: Uuid,
    state: Mutex<State>,
    changed: Condvar,
    /// Locked while a page is made, which may wait for rows: never together with `state`.
    results: Mutex<Option<Results>>,
}

struct State {
    status: Status,
    description: Option<Arc<Description>>,
    failure: Option<Failure>,
    /// When it has taken too long, nanoseconds of the monotonic clock.
    deadline_ns: Option<u64>,
    /// Ends its query.
    cancel: Option<Box<dyn FnOnce() + Send>>,
    /// All rows were fetched.
    is_drained: bool,
}

impl Operation {
    /// An operation that waits for its turn.
    pub(crate) fn new(handle: Uuid, deadline_ns: Option<u64>) -> Self {
        let state = State {
            status: Status::Pending,
            description: None,
            failure: None,
            deadline_ns,
            cancel: None,
            is_drained: false,
        };
        Self { handle, state: Mutex::new(state), changed: Condvar::new(), results: Mutex::new(None) }
    }

    pub(crate) fn status(&self) -> Status {
        self.lock().status
    }

    /// Its turn has come; `false` when nobody wants it any more.
    pub(crate) fn begin(&self) -> bool {
        let mut state = self.lock();
        let wanted = state.status == Status::Pending;
        if wanted {
            state.status = Status::Running;
        }
        wanted
    }

    /// It was executed. A result that nobody wants any more is dropped, which ends its query.
    pub(crate) fn finish(&self, description: Description, results: Results) {
        let cancel = results.canceller();
        *self.results.lock().unwrap_or_else(PoisonError::into_inner) = Some(results);
        let mut state = self.lock();
        if state.status == Status::Running {
            state.status = Status::Finished;
            state.description = Some(Arc::new(description));
            state.cancel = cancel;
        } else {
            drop(state);
            self.results.lock().unwrap_or_else(PoisonError::into_inner).take();
        }
        self.changed.notify_all();
    }

    /// It could not be executed, or its query failed.
    pub(crate) fn fail(&self, failure: Failure) {
        let mut state = self.lock();
        if state.status.is_waiting() || state.status == Status::Finished {
            (state.status, state.failure) = (Status::Error, Some(failure));
        }
        self.changed.notify_all();
    }

    /// Ends it as cancelled, closed or too late; the status that it has when it is over already.
    pub(crate) fn end(&self, status: Status) -> Result<(), Status> {
        let mut state = self.lock();
        // A query that has not brought all its rows still runs.
        let runs = state.status.is_waiting() || (state.status == Status::Finished && state.cancel.is_some());
        if !runs && status != Status::Closed {
            return Err(state.status);
        }
        state.status = status;
        let cancel = state.cancel.take();
        drop(state);
        // First the query, so that nobody waits for rows of it when the result is dropped.
        if let Some(cancel) = cancel {
            cancel();
        }
        self.results.lock().unwrap_or_else(PoisonError::into_inner).take();
        self.changed.notify_all();
        Ok(())
    }

    /// Whether it was ended while it was being executed, waiting a while for that.
    pub(crate) fn is_over(&self) -> bool {
        self.status() != Status::Running
    }

    /// Whether it has taken too long.
    pub(crate) fn is_late(&self, now_ns: u64) -> bool {
        let state = self.lock();
        state.status.is_waiting() && state.deadline_ns.is_some_and(|deadline| deadline <= now_ns)
    }

    /// Whether it may be forgotten for newer ones: nothing runs for it any more.
    pub(crate) fn is_forgettable(&self) -> bool {
        let state = self.lock();
        !state.status.is_waiting() && (state.cancel.is_none() || state.is_drained)
    }

    /// Waits until it was executed, but not longer than this.
    pub(crate) fn wait(&self, timeout: Duration) -> Status {
        let waiting = |state: &mut State| state.status.is_waiting();
        let waited = self.changed.wait_timeout_while(self.lock(), timeout, waiting);
        waited.unwrap_or_else(PoisonError::into_inner).0.status
    }

    /// Why it failed.
    pub(crate) fn failure(&self) -> Option<Failure> {
        self.lock().failure.clone()
    }

    /// The page of a token, waiting a while for the first row of it.
    pub(crate) fn fetch(&self, token: u64, patience: Duration) -> Result<Page, NoPage> {
        let status = self.wait(patience);
        let description = match status {
            Status::Pending | Status::Running => return Ok(Page::NotReady),
            Status::Error => return Err(self.no_page(Status::Error)),
            Status::Finished => self.lock().description.clone(),
            Status::Canceled | Status::Closed | Status::Timeout => return Err(NoPage::Over(status)),
        };
        let mut results = self.results.lock().unwrap_or_else(PoisonError::into_inner);
        let (Some(description), Some(found)) = (description, results.as_mut()) else {
            drop(results);
            return Err(self.no_page(self.status()));
        };
        let fetched = found.fetch(token, patience).map_err(NoPage::WrongToken)?;
        drop(results);
        match fetched {
            Ok(fetched) => {
                if fetched.is_end {
                    let mut state = self.lock();
                    (state.is_drained, state.cancel) = (true, None);
                }
                Ok(Page::Ready(description, fetched))
            }
            Err(error) => {
                self.fail(Failure::of(&error.into(), ""));
                Err(self.no_page(self.status()))
            }
        }
    }

    fn no_page(&self, status: Status) -> NoPage {
        match (status, self.failure()) {
            (Status::Error, Some(failure)) => NoPage::Failed(failure),
            _ => NoPage::Over(status),
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
