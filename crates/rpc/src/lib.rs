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
//!             <── Command* ──   ── Report* ──>
//! ```
//!
//! A client asks instead of registering: its connection carries requests and, in any order, their answers.

mod client;
mod job_manager;
mod task_manager;
mod wire;

pub use client::connect;
pub use job_manager::serve;
pub use task_manager::{JoinOptions, Leader, join};
