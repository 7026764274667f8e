//! The JobManager: runs jobs.
//!
//! It deploys the tasks of a job to a TaskManager, hands out the splits of its sources, commits what its sinks
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
//! What it does not do yet: use several TaskManagers.

pub mod execution;
mod guard;
mod job;
mod limits;
mod link;
mod local;
pub mod locate;
mod regions;
pub mod restart;
mod service;
mod sinks;
mod splits;
mod state;
mod store;

pub use headwater_checkpoint::{CheckpointStatistics, CheckpointStatus, Counts, Statistics};
pub use job::{RequestKind, Stored};
pub use local::{LocalCluster, LocalOptions};
pub use service::{Core, Handle, JobHandle, JobManager, Options, Pending};
pub use state::{JobResult, JobState, JobStatus, OperatorTotals, TaskState, totals};

#[cfg(test)]
mod tests;
