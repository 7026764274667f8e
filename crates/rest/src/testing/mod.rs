//! What tests of servers of this crate need: a client, and the comparison with Flink's snapshots.

pub mod http;
pub mod schema;
