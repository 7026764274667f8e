//! The checkpoint protocol as pure functions over observed facts.
//!
//! ```text
//!            tick, ack, decline ...                       chain of runs
//! JobManager ───────────────────> coordinator ──Store──> assemble ──> manifest ──> storage
//!            <──── actions ──────                                         │
//!                                 garbage <── reachability over ──────────┤
//!                                 restore <── manifest + new graph ───────┘
//! ```
//!
//! Invariants:
//! * A checkpoint is complete exactly when its manifest exists; manifests are written once and never changed.
//! * The runs of a manifest, restricted to their key groups and applied in order, are the whole keyed state.
//! * Checkpoint numbers rise over the life of a job, over restarts too, and none is used twice.
//! * A file is deleted only when no retained manifest names it and no checkpoint to come may.
//!
//! The crate does no I/O and knows no clock: the time is a parameter, bytes go in and out. Where it reads runs, the
//! caller says how ([`stored_run`]).

pub mod assemble;
pub mod compact;
pub mod compatibility;
pub mod coordinator;
mod encoding;
pub mod garbage;
pub mod groups;
pub mod layout;
pub mod local;
pub mod manifest;
pub mod restore;
pub mod settings;
pub mod statistics;
pub mod stored_run;
#[cfg(test)]
mod testing;

pub use compatibility::{Report, Verdict, WantedOperator};
pub use coordinator::{Action, Coordinator, Kind};
pub use groups::GroupSet;
pub use local::LocalRecovery;
pub use manifest::{Blob, Manifest, Run, RunKind};
pub use restore::{RestorePlan, SubtaskRestore};
pub use settings::{ClaimMode, Recovery, Retention, Settings};
pub use statistics::{CheckpointStatistics, CheckpointStatus, Counts, Statistics};
pub use stored_run::StoredRun;
