//! Looking at jobs from outside.

use super::{Handle, Inbound, JobHandle, Pending, gone};
use crate::overview::{JobDetails, JobSummary, ListedJob};
use crate::state::JobStatus;
use headwater_checkpoint::Statistics;
use headwater_runtime::OperatorSnapshot;
use headwater_taskmanager::{Inspected, Inspection};
use headwater_types::ids::{JobId, SubtaskId};
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

    /// Asks for the same jobs in short, in the order in which they were submitted: what clients elsewhere can ask for, too.
    ///
    /// # Errors
    /// When the JobManager has ended.
    pub fn list(&self) -> Result<Pending<Vec<ListedJob>>> {
        self.request(|reply| Inbound::List { reply })
    }

    /// Asks for all that is known of a job; `None` when there is none of that id.
    ///
    /// # Errors
    /// When the JobManager has ended.
    pub fn details(&self, job: JobId) -> Result<Pending<Option<JobDetails>>> {
        self.request(|reply| Inbound::Details { job, reply })
    }
}

impl Handle {
    /// Looks into the process of a TaskManager. There is no answer when it is gone.
    ///
    /// # Errors
    /// When the JobManager has ended.
    pub fn inspect(&self, task_manager: &str, what: Inspection) -> Result<Pending<Inspected>> {
        self.request(|reply| Inbound::Inspect { task_manager: task_manager.to_owned(), what, reply })
    }

    /// Asks for the present state of a job, with what it waits for; there is no answer when it is not known.
    ///
    /// # Errors
    /// When the JobManager has ended.
    pub fn status(&self, job: JobId) -> Result<Pending<JobStatus>> {
        self.request(|reply| Inbound::Status { job, reply })
    }

    /// Asks for the checkpoints of a job; there is no answer when it is not known.
    ///
    /// # Errors
    /// When the JobManager has ended.
    pub fn statistics(&self, job: JobId) -> Result<Pending<Statistics>> {
        self.request(|reply| Inbound::Statistics { job, reply })
    }

    /// Submits an encoded job graph; what becomes of it is told later.
    ///
    /// # Errors
    /// When the JobManager has ended.
    pub fn request_submit_plan(&self, plan: Vec<u8>) -> Result<Pending<Result<JobId>>> {
        self.request(|reply| Inbound::Submit { plan, reply })
    }
}

impl JobHandle {
    /// Asks a part of a running task ([`headwater_connector_api::coordination`]). The answer is that there is none while
    /// the task does not run; none comes when its TaskManager is lost.
    ///
    /// # Errors
    /// When the JobManager has ended.
    pub fn coordinate(&self, subtask: SubtaskId, target: &str, request: Vec<u8>) -> Result<Pending<Inspected>> {
        let target = target.to_owned();
        self.manager.request(|reply| Inbound::Coordinate { job: self.job, subtask, target, request, reply })
    }

    /// Asks for the present counters of all operator instances, without waiting.
    ///
    /// # Errors
    /// When the JobManager has ended.
    pub fn request_metrics(&self) -> Result<Pending<Vec<OperatorSnapshot>>> {
        self.manager.request(|reply| Inbound::Metrics { job: self.job, reply })
    }
}
