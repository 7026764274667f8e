//! The parallelism of jobs from outside.

use super::{Inbound, JobHandle, Pending, gone};
use crate::rescale::{Requirements, Rescale};
use headwater_types::Result;

impl JobHandle {
    /// Asks for the bounds that the job was given; `None` when it runs as its plan says.
    ///
    /// # Errors
    /// When the JobManager has ended.
    pub fn request_resource_requirements(&self) -> Result<Pending<Option<Requirements>>> {
        self.manager.request(|reply| Inbound::Requirements { job: self.id(), reply })
    }

    /// Gives every vertex bounds for its parallelism. The job takes a checkpoint and starts again from it at the highest
    /// parallelism that the bounds and the slots allow; it follows the slots within the bounds from then on.
    ///
    /// # Errors
    /// When the JobManager has ended. The answer is an error when the bounds make no sense or the job does not run.
    pub fn request_rescale(&self, asked: Requirements) -> Result<Pending<Result<()>>> {
        self.manager.request(|reply| Inbound::SetRequirements { job: self.id(), asked, reply })
    }

    /// As [`JobHandle::request_rescale`], waiting until the bounds are accepted, not until they are met.
    ///
    /// # Errors
    /// When the bounds make no sense or the job does not run.
    pub fn set_resource_requirements(&self, asked: Requirements) -> Result<()> {
        self.request_rescale(asked)?.0.recv().map_err(|_| gone())?
    }

    /// Asks for the changes of the job's parallelism, newest first.
    ///
    /// # Errors
    /// When the JobManager has ended.
    pub fn request_rescales(&self) -> Result<Pending<Vec<Rescale>>> {
        self.manager.request(|reply| Inbound::Rescales { job: self.id(), reply })
    }
}
