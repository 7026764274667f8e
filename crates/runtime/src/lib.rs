//! Runs the subtasks of a job.
//!
//! ```text
//! JobGraph ── deploy ──> Subtask = mailbox + input + chain of operators + tail
//!                           │ runs as a Task
//!                        Scheduler: ready queue and timers
//!                           │ driven by
//!            Lanes (OS threads)   or   ManualExecutor (by hand, seeded)
//! ```
//!
//! Invariants:
//! * A subtask runs on one thread at a time, in turns of bounded work; between turns it costs nothing.
//! * Nobody polls and nobody blocks: a subtask without work parks, and is woken by its input, its outputs, its
//!   timers or its controller.
//! * An operator is called only when the outputs have room; what one call emits may overdraw.
//! * An error or a panic in an operator ends its subtask with the operator's name in the message, never the
//!   process.
//!
//! The crate knows no job state machine (that is the JobManager's), no network, no clock but the [`Env`]'s.
//!
//! [`Env`]: headwater_env::Env

mod chain;
pub mod checkpoint;
pub mod control;
pub mod deploy;
mod input;
pub mod metrics;
pub mod options;
pub mod schedule;
mod subtask;
mod tail;
#[cfg(any(test, feature = "testing"))]
pub mod testing;
pub mod watermark;

pub use checkpoint::{RestoreSource, RestoredSubtask, SubtaskSnapshot};
pub use control::{Control, TaskHandle};
pub use deploy::{BuildContext, Channel, Deployment, Network, OperatorFactory, TaskEvents};
pub use headwater_exchange::{Alignment, Barrier, BarrierKind, ChannelSender, LocalSender};
pub use metrics::{OperatorSnapshot, TaskSnapshot};
pub use options::{CheckpointMemory, PROCESS_MEMORY, ProcessMemory, RuntimeOptions, StateEngine, StateOptions};
pub use schedule::{Lanes, ManualExecutor, Scheduler};

/// Locks a mutex whose holders keep its data consistent even when they panic.
fn lock<T>(mutex: &std::sync::Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}

#[cfg(test)]
mod tests;
