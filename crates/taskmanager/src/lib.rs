//! The TaskManager: runs the subtasks that a JobManager deploys, on lanes.
//!
//! It knows its JobManager only by the [`messages`] they exchange, all of them plain serialisable values, so
//! that both may live in one process or in two. It decides nothing about a job: it deploys, reports, cancels.
//!
//! What it does with its messages stands in [`Core`], which needs no thread; around it are
//! four types, as in every service here: [`Options`] builds the [`TaskManager`], which owns its thread, its lanes
//! and its tasks and stops them when dropped; a [`Handle`] sends it messages; errors are those of
//! `headwater_types`.

mod checkpoint;
mod core;
mod exchange;
pub mod inspect;
mod local;
pub mod messages;
mod owned;
mod service;
mod tasks;
#[cfg(test)]
mod testing;
mod work;

pub use core::Core;
pub use exchange::Exchange;
pub use inspect::{Inspected, Inspection};
pub use local::LocalState;
pub use messages::{
    CheckpointTarget, FromTaskManager, JobManagerGateway, Outcome, Restore, SplitAnswer, TaskError, TaskManagerGateway,
    ToTaskManager,
};
pub use service::{Handle, Options, TaskManager};
pub use work::remove_leftovers;
