//! Keys of the tree: `group:u16 key_len:u16 key` for a value, numbers big-endian. Tables of maps append a byte, 0 for
//! the mark of the key ([`Mark`]), 1 for an entry, whose map key follows.

use super::flush::Mark;
use headwater_data::run::{Entries, EntryRef};
use headwater_types::{Error, Result};

/// Longest key and map key together.
const KEY_BYTES_MAX: usize = 65_000;
const MARK: u8 = 0;
const ENTRY: u8 = 1;

/// Makes keys of a table. Has scratch, so each user has its own.
#[derive(Debug, Clone)]
pub(crate) struct Shape {
    maps: bool,
    key: Vec<u8>,
}

impl Shape {
    pub fn new(maps: bool) -> Self {
        Self { maps, key: vec![] }
    }

    /// The key of an entry.
    pub fn entry(&mut self, group: u16, key: &[u8], map_key: &[u8]) -> Result<&[u8]> {
        self.start(group, key, map_key.len())?;
        if self.maps {
            self.key.push(ENTRY);
            self.key.extend_from_slice(map_key);
        }
        Ok(&self.key)
    }

    /// The key of a key's mark.
    pub fn mark(&mut self, group: u16, key: &[u8]) -> Result<&[u8]> {
        self.start(group, key, 0)?;
        self.key.push(MARK);
        Ok(&self.key)
    }

    /// Collects a write with the key of the tree, and what it does to the mark; their size, bytes.
    pub fn push(&mut self, entry: EntryRef<'_>, mark: Mark, writes: &mut Entries) -> Result<u64> {
        let group = entry.group as u16;
        let mut bytes = entry_bytes(self.entry(group, entry.key, entry.map_key)?, entry.value);
        writes.push(write(&self.key, entry.value));
        if self.maps && mark != Mark::Same {
            let value = (mark == Mark::Set).then_some(&[][..]);
            bytes += entry_bytes(self.mark(group, entry.key)?, value);
            writes.push(write(&self.key, value));
        }
        Ok(bytes)
    }

    /// Key and map key of a key of the tree; `None` for a mark.
    pub fn split<'a>(&self, stored: &'a [u8]) -> Result<Option<(&'a [u8], &'a [u8])>> {
        let split = || {
            let end = 4 + usize::from(u16::from_be_bytes([*stored.get(2)?, *stored.get(3)?]));
            Some((stored.get(4..end)?, stored.get(end..)?))
        };
        let (key, rest) = split().ok_or_else(|| Error::internal("the state store holds a key that is none"))?;
        Ok(match (self.maps, rest) {
            (true, [ENTRY, map_key @ ..]) => Some((key, map_key)),
            (true, _) => None,
            (false, _) => Some((key, &[])),
        })
    }

    fn start(&mut self, group: u16, key: &[u8], map_key_len: usize) -> Result<()> {
        if key.len() + map_key_len > KEY_BYTES_MAX {
            let message = format!(
                "a state key has {} bytes, and the 'rocksdb' state backend takes {KEY_BYTES_MAX} at most: \
                 set state.backend.type to 'hashmap', or key by something shorter",
                key.len() + map_key_len
            );
            return Err(Error::user("state-key-too-long", message));
        }
        self.key.clear();
        self.key.extend_from_slice(&group.to_be_bytes());
        self.key.extend_from_slice(&(key.len() as u16).to_be_bytes());
        self.key.extend_from_slice(key);
        Ok(())
    }
}

/// A write, with the key of the tree.
fn write<'a>(key: &'a [u8], value: Option<&'a [u8]>) -> EntryRef<'a> {
    EntryRef { group: 0, key, map_key: &[], value }
}

/// Bytes a write takes until it is made, about.
fn entry_bytes(key: &[u8], value: Option<&[u8]>) -> u64 {
    (key.len() + value.map_or(0, <[u8]>::len) + 24) as u64
}

/// Brings keys with their groups into the order of the tree, each once.
pub(crate) fn sort_keys(mut keys: Vec<(u16, &[u8])>) -> Vec<(u16, &[u8])> {
    keys.sort_unstable_by_key(|(group, key)| (*group, key.len(), *key));
    keys.dedup();
    keys
}
