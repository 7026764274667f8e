//! Keyed and operator state: tables, engines, and what changed in an epoch.
//!
//! An operator opens named tables from the [`StateContext`] it is given, reads and writes them in batches, and
//! hands their changes over when a barrier passes ([`Snapshot`]). It knows no engine: where the bytes live (in
//! memory, on disk) is the context's business, and so is what a table holds after a restore.
//!
//! ```text
//! operator ── get / put ──> table ── dirty entries ──> Snapshot ──> runs in the checkpoint storage
//!                             │ engine (memory, disk): a cache that a restore rebuilds
//! ```
//!
//! Keys are bytes of the key codec ([`headwater_data::key_codec`]). The *key* of an entry is exactly the encoded
//! partition key of the operator's input, so that entry and rows have the same key group; whatever else tells
//! entries of a key apart (a window end, a row, a rank) goes into the *map key*.
//!
//! Invariants:
//! * A table belongs to one operator instance and is used by one thread at a time.
//! * After [`Snapshot`] took a table's changes, later writes do not change what it took.
//! * What a restore loads is what the last completed checkpoint held, restricted to the owned key groups.
//!
//! The crate knows no operators and no checkpoint protocol.

mod context;
mod descriptor;
mod disk;
mod engine;
mod evolution;
mod heap;
mod kinds;
mod lists;
mod map_table;
pub mod memory;
mod rewrite;
mod row_codec;
mod snapshot;
mod timers;
mod ttl;
mod value_table;

pub use context::{Restored, RestoredRun, RestoredTable, StateContext};
pub use descriptor::{
    AccumulatorLayout, Column, TableDescriptor, TableKind, Ttl, TtlUpdate, TtlVisibility, ValueEncoding,
};
pub use engine::{EngineKind, EngineOptions, VisitMaps, VisitUntil, VisitValues};
pub use evolution::{Compatibility, ValueMigrator, compatibility, widens};
pub use headwater_data::run::{Entries, EntryRef, EntryStream};
pub use kinds::{AggregatingState, Aggregation, BroadcastState, ListState, ReducingState, Reduction};
pub use lists::{OperatorList, Redistribution};
pub use map_table::MapTable;
pub use rewrite::rewritten;
pub use row_codec::{EncodedRows, RowCodec};
pub use snapshot::{ListSnapshot, Snapshot, TableDelta};
pub use timers::TimerTable;
pub use value_table::ValueTable;

use headwater_types::key_group;

/// The key group of an encoded key. The empty key (of operators without key columns, which run in subtask 0)
/// is in group 0.
pub fn group_of(key: &[u8], groups: u32) -> u32 {
    if key.is_empty() { 0 } else { key_group::key_group(headwater_data::stable_hash(key), groups) }
}

#[cfg(test)]
mod tests;
