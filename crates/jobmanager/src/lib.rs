//! The JobManager: runs jobs.
//!
//! It deploys the tasks of a job to a TaskManager, hands out the splits of its sources, commits what its sinks
//! staged, and knows its state. What a job does next is decided by [`execution`], a pure state machine over
//! reports; the service around it only carries messages and calls connectors.
//!
//! Four types, as every service here: [`Options`] builds the [`JobManager`], which owns its thread; a
//! [`Handle`] submits jobs; a [`JobHandle`] follows one. [`LocalCluster`] is a JobManager and a TaskManager in one
//! process, connected by the same messages that a network would carry.
//!
//! What it does not do yet: restart failed jobs, use several TaskManagers, take checkpoints.

pub mod execution;
mod guard;
mod job;
mod limits;
mod local;
mod service;
mod sinks;
mod splits;
mod state;

pub use local::{LocalCluster, LocalOptions};
pub use service::{Handle, JobHandle, JobManager, Options};
pub use state::{JobResult, JobState, JobStatus, OperatorTotals, TaskState, totals};

#[cfg(test)]
mod tests;
