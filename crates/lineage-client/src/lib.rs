//! Carries lineage events to whoever takes them, without ever holding a job up.
//!
//! ```text
//! emit ──▶ queue (bounded) ──▶ worker ──▶ transport: http | kafka | file | console | composite | noop
//!                                │  ▲
//!                   breaker open ▼  │ when it closes
//!                             spool (files, bounded)
//! ```
//!
//! [`Client::emit`] takes a lock for as long as it takes to append to a queue, and never waits for anything else. A
//! transport that fails is tried again a few times; then a breaker opens, and events go to files until it closes. What
//! does not fit any more is dropped, periodic events first, and counted ([`Counters`]).
//!
//! [`Settings`] are read as other OpenLineage clients read theirs: `openlineage.yml`, `OPENLINEAGE_*`, and Flink's
//! configuration keys in both spellings.

mod client;
mod settings;
mod transport;

pub use client::{Client, Counters, Limits, Message};
pub use settings::{NamespaceResolver, Settings, Surroundings};
pub use transport::{Failure, Transport};
