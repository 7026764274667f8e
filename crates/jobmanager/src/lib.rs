//! The JobManager: runs jobs.
//!
//! It deploys the tasks of a job to TaskManagers, hands out the splits of its sources, commits what its sinks
//! staged, and knows its state. What a job does next is decided by [`execution`], a pure state machine over
//! reports; [`Core`] around it only carries messages and calls connectors, and the service runs it on a thread.
//!
//! Four types, as every service here: [`Options`] builds the [`JobManager`], which owns its thread; a
//! [`Handle`] submits jobs; a [`JobHandle`] follows one. [`LocalCluster`] is a JobManager and a TaskManager in one
//! process, connected by the same messages that a network would carry.
//!
//! Checkpoints are decided by [`headwater_checkpoint`]: the service triggers them, collects the subtasks' parts, writes
//! manifests, commits what sinks staged, and starts failed regions again from the last one that completed.
//!
//! Several JobManagers may share a cluster ([`ha`]): one leads, and its jobs outlive it. [`ha::Leadership`] is won first,
//! then a JobManager is started with the [`ha::Records`] of that term and goes on with the jobs it finds there.
//!
//! The parallelism of a job may change while it runs: [`JobHandle::set_resource_requirements`] gives its vertices bounds,
//! [`JobHandle::request_rescales`] tells what became of it, and with `scheduler-mode: reactive` it follows the slots.
//!
//! What a job's vertices need may be found out by itself: the autoscaler, off by default, sets such bounds.
//!
//! TaskManagers come and go; [`TaskManagerInfo`] says what one offers. Jobs take slots of them and wait while there are
//! too few; the loss of one fails the tasks that ran there, and their regions restart elsewhere.

mod archive;
mod autoscaler;
mod client;
pub mod execution;
mod guard;
pub mod ha;
mod job;
mod limits;
mod local;
pub mod locate;
mod overview;
mod regions;
mod rescale;
pub mod restart;
mod service;
mod sinks;
mod splits;
mod state;
mod store;
mod task_managers;

pub use client::{Answers, ClientAnswer, ClientRequest, PendingAnswer};
pub use headwater_checkpoint::{CheckpointStatistics, CheckpointStatus, Counts, Statistics};
pub use job::{RequestKind, Stored};
pub use local::{LocalCluster, LocalOptions};
pub use overview::{Attempt, Failure, JobDetails, JobSummary, ListedJob, Part, Place};
pub use rescale::{Bounds, Requirements, Rescale, RescaleCause};
pub use service::{Core, Handle, JobHandle, JobManager, Options, Pending};
pub use state::{JobResult, JobState, JobStatus, OperatorTotals, TaskState, totals};
pub use task_managers::{SessionId, TaskManagerInfo, TaskManagerStatus};

#[cfg(test)]
mod tests;
