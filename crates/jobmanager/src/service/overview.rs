//! Looking at jobs from outside.

use super::{Handle, Inbound, JobHandle, Pending, gone};
use crate::overview::{JobDetails, JobSummary};
use headwater_runtime::OperatorSnapshot;
use headwater_types::ids::JobId;
use headwater_types::{Error, Result};
use std::sync::mpsc::{RecvTimeoutError, SyncSender, sync_channel};
use std::time::Duration;

impl<T> Pending<T> {
    /// An answer that whoever holds the sender gives once.
    pub fn pair() -> (SyncSender<T>, Self) {
        let (sender, receiver) = sync_channel(1);
        (sender, Self(receiver))
    }

    /// The answer, waiting for it at most this long.
    ///
    /// # Errors
    /// When it does not come in time, or will never be.
    pub fn wait(&self, timeout: Duration) -> Result<T> {
        self.0.recv_timeout(timeout).map_err(|error| match error {
            RecvTimeoutError::Timeout => {
                let message = format!("there was no answer within {} ms; try again", timeout.as_millis());
                Error::retryable("no-answer", message)
            }
            RecvTimeoutError::Disconnected => gone(),
        })
    }
}

impl Handle {
    /// Asks for the jobs that run and those of the last ones that have ended.
    ///
    /// # Errors
    /// When the JobManager has ended.
    pub fn jobs(&self) -> Result<Pending<Vec<JobSummary>>> {
        self.request(|reply| Inbound::Jobs { reply })
    }

    /// Asks for all that is known of a job; `None` when there is none of that id.
    ///
    /// # Errors
    /// When the JobManager has ended.
    pub fn details(&self, job: JobId) -> Result<Pending<Option<JobDetails>>> {
        self.request(|reply| Inbound::Details { job, reply })
    }
}

impl JobHandle {
    /// Asks for the present counters of all operator instances, without waiting.
    ///
    /// # Errors
    /// When the JobManager has ended.
    pub fn request_metrics(&self) -> Result<Pending<Vec<OperatorSnapshot>>> {
        self.manager.request(|reply| Inbound::Metrics { job: self.job, reply })
    }
}
