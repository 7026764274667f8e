//! JobManager and TaskManagers in different processes.
//!
//! A TaskManager dials its JobManager and registers; then commands go one way and reports the other, as they do
//! within a process. The connection is the TaskManager's life in the eyes of the JobManager: when it breaks, or falls
//! silent, the tasks on it are lost, and the TaskManager ends them, registers anew and starts empty. So neither side
//! ever has to find out what the other still knows.
//!
//! ```text
//! TaskManager ── Register ──> JobManager
//!             <── Welcome ───
//!             <── (Command | Heartbeat)* ──   ── (Report | Heartbeat)* Leave? ──>
//! ```
//!
//! Of several JobManagers one leads, by a lease ([`headwater_jobmanager::ha`]); the others tell callers where it is. A
//! TaskManager takes part in the latest term that it has seen: a JobManager of an earlier one is left at once, so that
//! one that was deposed commands nobody.
//!
//! A client asks instead of registering: its connection carries requests and, in any order, their answers.

mod client;
mod heartbeat;
mod inspections;
mod job_manager;
mod leader;
mod process;
mod task_manager;
mod wire;

pub use client::{connect, connect_to};
pub use job_manager::{Submitters, redirect, serve};
pub use leader::{AnyOf, Leader, LeaderAddress, LeaseHolder};
pub use process::{JobManagerProcess, Standby, Term};
pub use task_manager::{JoinOptions, join};

#[cfg(test)]
mod tests;
