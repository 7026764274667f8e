//! A SQL session and a cluster in one process: statements in, rows out.
//!
//! The command line and the test runner are built on it. It joins what must not know each other: the SQL front
//! end, which knows no runtime, and the runtime, which knows no SQL. The cluster starts with the first job, so
//! that a session that only declares and describes costs no thread.

mod engine;
pub mod jobs;
pub mod lineage;
mod operators;
mod query;
mod recovery;
mod state;

pub use engine::{Engine, registry, start_cluster};
pub use jobs::StartedJob;
pub use operators::operators;
pub use query::{Polled, RunningQuery};
pub use state::wanted_operators;

pub use headwater_jobmanager::{
    JobHandle, JobResult, JobState, LocalCluster, OperatorTotals, Pending, RequestKind, Stored, totals,
};
pub use headwater_runtime::OperatorSnapshot;
