//! State in memory: records in an arena, found by hash, with the changes of the epoch on the side.
//!
//! It is the whole of the `hashmap` engine, and the overlay and cache of the disk engine. An access hashes its key
//! once and allocates nothing; a value that still fits is overwritten where it is. A changed record carries a
//! flag and is listed once, so that a snapshot costs what changed, not what there is.

mod arena;
mod change_sink;
mod flights;
mod maps;
mod order;
mod values;

pub(crate) use arena::{Arena, DIRTY, FLIGHT, Ref, UNFLUSHED, USED};
pub(crate) use change_sink::ChangeSink;
use flights::Flights;
pub(crate) use maps::{HeapMaps, KeyId};
pub(crate) use values::{HeapValues, Swept};

use headwater_types::key_group;

/// The hash of a key, taken apart for its two uses, which must not share bits: rows of one instance have key
/// groups, that is upper bits, in common.
#[derive(Clone, Copy)]
pub(crate) struct KeyHash {
    /// Decides the place within a hash table.
    pub tag: u32,
    /// Key group.
    pub group: u16,
}

impl KeyHash {
    /// Hashes a key. The empty key is in group 0, as [`crate::group_of`] says.
    #[inline]
    pub fn of(key: &[u8], groups: u32) -> Self {
        let hash = headwater_data::stable_hash(key);
        let group = if key.is_empty() { 0 } else { key_group::key_group(hash, groups) as u16 };
        Self { tag: hash as u32, group }
    }
}

/// Spreads a tag over the bits that a hash table looks at.
#[inline]
fn spread(tag: u32) -> u64 {
    u64::from(tag).wrapping_mul(0x9E37_79B9_7F4A_7C15)
}
