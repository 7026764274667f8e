//! Runs: the file format of keyed state in checkpoints and savepoints.
//!
//! A run holds entries of one table, sorted by (key group, key, map key), each at most once. A *delta* run holds
//! what changed in an epoch, deletions included; a *base* holds everything live. A restore merges a base and the
//! deltas after it ([`Merge`]), reading only the blocks of the key groups it owns. The format depends on no state
//! engine. Every byte is covered by a checksum or a check, so damage is found and named, never read as state.
//!
//! What changed between two checkpoints may also be stored unsorted ([`DeltaBuilder`]): it is written all the time
//! beside the work itself, and sorted only if it is still needed when runs are merged.
//!
//! # Format, version 2: sorted runs
//!
//! Fixed-width numbers are little-endian; `varint` is LEB128.
//!
//! ```text
//! run          := block* filter* directory footer
//! block        := rows as they are (codec 0) | zstd frame of rows (codec 1); blocks leave no gaps
//! rows         := entries:varint restarts:varint lengths_len:varint keys_len:varint map_keys_len:varint
//!                 restart* lengths keys map_keys values
//! restart      := entry:u32 group:u32 lengths:u32 keys:u32 map_keys:u32 values:u32
//!                 the first entry, each first entry of a group and each 16th after those: its number, its group, and
//!                 where its part of each section starts; it shares nothing with the entry before
//! lengths      := ( key_shared key_rest map_key_shared map_key_rest value )*   varints, one set an entry;
//!                 value := 0 for a deletion, else 1 + length of the value
//! keys         := key_rest bytes of every entry: the key without the prefix it shares with the one before
//! map_keys     := the same for map keys
//! values       := the values, one after the other
//! filter       := what keys and entries some blocks have, see `filter.rs`
//! directory    := header_len:varint header blocks:varint block_info* filters:varint filter_info*
//! header       := bytes of the writer's choice: what the table is
//! block_info   := stored_len:varint raw_len:varint codec:u8 first_group:varint last_group:varint
//!                 entries:varint deletions:varint xxh3_64 of the stored bytes:u64
//!                 key_len:varint map_key_len:varint key map_key      of the first entry
//! filter_info  := blocks:varint filter_len:varint xxh3_64 of the filter:u64
//!                 of the blocks after those of the filter before
//! footer       := directory_offset:u64 directory_len:u32 xxh3_64 of the directory:u64 0:u32 version:u8 "HWSTRUN"
//! ```
//!
//! # Unsorted runs
//!
//! They have version 3, which differs in this:
//!
//! ```text
//! rows         := entry*                              in any order; of entries with the same key the last counts
//! entry        := name map_key_len:varint value:varint key? map_key value_bytes
//! name         := 0 group:varint key_len:varint       the entry has the key, which is the next one of this block
//!               | number:varint                       the entry has the key of this number, from 1 on, of this block
//! value        := 0 for a deletion, else 1 + length of value_bytes
//! block_info   := as above, with the least and the greatest group, and an empty first key and map key
//! ```
//!
//! There are no filters, and nothing can be looked up ([`Run::is_indexed`]). [`Run::read`] gives the entries in order
//! all the same: it reads the run once for each part of its key groups that fits into memory, and sorts the part.
//!
//! # Version 1
//!
//! Version 1, which is read and no longer written, has no filters, `block_info` without the first entry, and
//!
//! ```text
//! rows         := entries:varint groups_len:varint lengths_len:varint keys_len:varint map_keys_len:varint
//!                 groups lengths keys map_keys values
//! groups       := ( group:varint entries:varint )*                    entries of a group follow each other
//! ```
//!
//! An entry is found by a look at the filter, a binary search of the directory, and one of the restarts of a block.
//! What a run is not: updatable.

mod block;
mod cursor;
mod delta;
mod directory;
mod entries;
mod filter;
mod gather;
mod index;
mod merge;
mod point;
mod reader;
mod scan;
mod stream;
mod unsorted;
mod writer;

pub use delta::{DeltaBuilder, PackedEntry};
pub use entries::{Entries, EntriesStream, EntryRef, EntryStream, Place};
pub use gather::GatheredRun;
pub use merge::Merge;
pub use point::{BlockBuf, Found, KeyHashes};
pub use reader::{BlockCache, ReadAt, ReadRange, Run};
pub use scan::{KeyScan, MapBounds};
pub use stream::RunStream;
pub use unsorted::WrittenStream;
pub use writer::{Codec, RunOptions, RunWriter, encode};

use headwater_types::{Error, ErrorKind, Result};

/// Takes the next part of a run that is being written.
pub type WritePart<'a> = &'a mut dyn FnMut(&[u8]) -> Result<()>;

/// The newest version of the format above. A run has the least version that has what it needs.
pub const VERSION: u8 = VERSION_UNSORTED;
/// The oldest version that is read.
const VERSION_MIN: u8 = 1;
/// The first version whose entries can be looked up.
const VERSION_INDEXED: u8 = 2;
/// The version of sorted runs.
const VERSION_SORTED: u8 = 2;
/// The version of unsorted runs.
const VERSION_UNSORTED: u8 = 3;

const MAGIC: &[u8; 7] = b"HWSTRUN";
const FOOTER_BYTES: u64 = 32;
/// Entries from one restart of a block to the next, at most.
const RESTART_ENTRIES: u64 = 16;
/// A restart in a block.
const RESTART_BYTES: usize = 24;
const CODEC_RAW: u8 = 0;
const CODEC_ZSTD: u8 = 1;

fn checksum(bytes: &[u8]) -> u64 {
    xxhash_rust::xxh3::xxh3_64(bytes)
}

/// The error of bytes that are not a run.
fn corrupt(what: impl std::fmt::Display) -> Error {
    Error::new(ErrorKind::Corruption, "bad-run", what.to_string())
}

fn put_varint(mut value: u64, out: &mut Vec<u8>) {
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

/// Takes a number off the front.
#[inline]
fn take_varint(input: &mut &[u8]) -> Result<u64> {
    let mut value = 0;
    for shift in (0..64).step_by(7) {
        let (byte, rest) = input.split_first().ok_or_else(|| corrupt("a number is cut off"))?;
        *input = rest;
        value |= u64::from(byte & 0x7F) << shift;
        if byte & 0x80 == 0 {
            return Ok(value);
        }
    }
    Err(corrupt("a number is longer than 64 bits"))
}

/// Takes bytes off the front.
#[inline]
fn take_bytes<'a>(input: &mut &'a [u8], length: u64, what: &str) -> Result<&'a [u8]> {
    let split = usize::try_from(length).ok().and_then(|n| input.split_at_checked(n));
    let (bytes, rest) = split.ok_or_else(|| corrupt(format!("{what} is cut off")))?;
    *input = rest;
    Ok(bytes)
}

fn take_u64(input: &mut &[u8]) -> Result<u64> {
    let (bytes, rest) = input.split_first_chunk().ok_or_else(|| corrupt("a number is cut off"))?;
    *input = rest;
    Ok(u64::from_le_bytes(*bytes))
}

fn take_u32(input: &mut &[u8]) -> Result<u32> {
    u32::try_from(take_varint(input)?).map_err(|_| corrupt("a number is larger than 32 bits"))
}

#[cfg(test)]
mod tests;
