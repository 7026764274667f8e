//! The API over a gateway with a cluster in this process.

#![allow(clippy::unwrap_used, reason = "a test that finds nothing has failed")]

mod fixture;
mod garbage;
mod limits;
mod results;
mod sessions;
mod snapshot;
