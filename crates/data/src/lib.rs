//! Columnar change data: batches of rows with row kinds, the mapping of Flink's types to Arrow, the
//! key codec and the one stable hash.
//!
//! Layer 1: knows Arrow and the logical types, nothing of plans, operators or SQL.

pub mod arrow_types;
pub mod batch;
pub mod ipc;
pub mod key_codec;
pub mod run;
pub mod scatter;

pub use arrow_types::{arrow_field, arrow_schema, arrow_type};
pub use batch::{ChangeBatch, RowKinds};

/// The hash of an encoded key: xxh3 with 64 bits. Persisted by key-group assignment; never change it.
#[inline]
pub fn stable_hash(encoded_key: &[u8]) -> u64 {
    xxhash_rust::xxh3::xxh3_64(encoded_key)
}
