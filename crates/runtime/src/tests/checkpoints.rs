//! Checkpoints, crashes and restores of whole jobs, under a small JobManager in the test's hands.

mod cluster;
mod counting;
mod exactly_once;
mod protocol;
mod store;
