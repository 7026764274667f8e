//! Looking up an entry of a run.

use super::cursor::BlockCursor;
use super::filter::{hash_entry, hash_key};
use super::reader::{Decoder, check_length};
use super::{CODEC_RAW, Place, Run, corrupt};
use headwater_types::Result;
use std::sync::Arc;

/// What filters know of a key and an entry of it. Computed once for all runs.
#[derive(Debug, Clone, Copy)]
pub struct KeyHashes {
    key: u64,
    entry: u64,
}

impl KeyHashes {
    /// The hashes of an entry; of a whole key, if its map key is empty.
    #[inline]
    pub fn of(key: &[u8], map_key: &[u8]) -> Self {
        let key = hash_key(key);
        Self { key, entry: hash_entry(key, map_key) }
    }
}

/// The outcome of a look.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Found {
    /// The run says nothing of the entry.
    Absent,
    /// The entry was deleted.
    Deleted,
    /// The value is [`BlockBuf::value`].
    Value,
}

/// A block of some run, with what reading it needs. Used for many looks one after the other.
#[derive(Default)]
pub struct BlockBuf {
    /// Which block it is, if any: of which run, and its number.
    block: Option<(u64, usize)>,
    /// Its rows, when no cache has them.
    own: Vec<u8>,
    shared: Option<Arc<Vec<u8>>>,
    stored: Vec<u8>,
    decoder: Decoder,
    pub(super) cursor: BlockCursor,
}

impl BlockBuf {
    /// The value that a look found; empty after any other look.
    #[inline]
    pub fn value(&self) -> &[u8] {
        self.cursor.entry(self.rows()).value.unwrap_or_default()
    }

    /// Memory in use, bytes.
    pub fn bytes(&self) -> usize {
        self.own.capacity() + self.stored.capacity()
    }

    #[inline]
    pub(super) fn rows(&self) -> &[u8] {
        self.shared.as_deref().unwrap_or(&self.own)
    }

    /// Starts a block, which it reads unless it has it.
    pub(super) fn start(&mut self, run: &Run, index: usize) -> Result<()> {
        if self.block != Some((run.id(), index)) {
            self.block = None;
            self.read(run, index)?;
            self.block = Some((run.id(), index));
        }
        self.cursor.start(self.shared.as_deref().unwrap_or(&self.own), run.version())
    }

    /// [`BlockCursor::advance`] in the block.
    pub(super) fn advance(&mut self) -> Result<bool> {
        self.cursor.advance(self.shared.as_deref().unwrap_or(&self.own))
    }

    /// [`BlockCursor::seek`] in the block.
    pub(super) fn seek(&mut self, place: Place<'_>) -> Result<bool> {
        self.cursor.seek(self.shared.as_deref().unwrap_or(&self.own), place)
    }

    fn read(&mut self, run: &Run, index: usize) -> Result<()> {
        self.shared = None;
        let block = run.index().block(index);
        let range = block.offset..run.index().end_of(index);
        if block.codec == CODEC_RAW {
            run.read_range(range, &mut self.own)?;
            check_length(&self.own, block.raw_len)?;
            return run.check_block(index, &self.own);
        }
        if let Some(rows) = run.cache().and_then(|cache| cache.get(run.id(), index)) {
            self.shared = Some(rows);
            return Ok(());
        }
        run.read_range(range, &mut self.stored)?;
        run.check_block(index, &self.stored)?;
        self.decoder.decode(run, index, &self.stored, &mut self.own)?;
        if let Some(cache) = run.cache() {
            let rows = Arc::new(std::mem::take(&mut self.own));
            cache.put(run.id(), index, &rows);
            self.shared = Some(rows);
        }
        Ok(())
    }
}

impl Run {
    /// Whether the run may have an entry, as far as that can be said at one look: if it has one filter.
    #[inline]
    pub fn may_contain(&self, hashes: KeyHashes) -> bool {
        match self.filters() {
            [one] => one.filter.may_contain(hashes.entry),
            _ => true,
        }
    }

    /// Looks up an entry whose hashes are `hashes`. Filters that are not loaded do not help.
    ///
    /// # Errors
    /// When a block cannot be read or is damaged, and for runs that can only be read through ([`Run::is_indexed`]).
    #[inline]
    pub fn get(&self, place: Place<'_>, hashes: KeyHashes, block: &mut BlockBuf) -> Result<Found> {
        if !self.may_contain(hashes) {
            return Ok(Found::Absent);
        }
        self.look_up(place, hashes, block).map_err(|e| self.failed(e))
    }

    fn look_up(&self, place: Place<'_>, hashes: KeyHashes, block: &mut BlockBuf) -> Result<Found> {
        self.check_indexed()?;
        let Some(index) = self.index().find(place) else { return Ok(Found::Absent) };
        let filters = self.filters();
        if filters.len() > 1 {
            let at = filters.partition_point(|filter| filter.end <= index);
            if filters.get(at).is_some_and(|filter| !filter.filter.may_contain(hashes.entry)) {
                return Ok(Found::Absent);
            }
        }
        block.start(self, index)?;
        if !block.seek(place)? || block.cursor.place() != place {
            return Ok(Found::Absent);
        }
        Ok(match block.cursor.entry(block.rows()).value {
            Some(_) => Found::Value,
            None => Found::Deleted,
        })
    }

    /// Whether the run may have entries, or deletions, of a key. Reads no block.
    pub fn may_contain_key(&self, group: u32, key: &[u8], hashes: KeyHashes) -> bool {
        let filters = self.filters();
        if let [one] = filters {
            return one.filter.may_contain(hashes.key);
        }
        if filters.is_empty() {
            return true;
        }
        // The entries of a key may be in blocks of several filters.
        let first = self.index().find(Place { group, key, map_key: &[] }).unwrap_or(0);
        let Some(last) = self.index().find_last_of_key(group, key) else { return false };
        let from = filters.partition_point(|filter| filter.end <= first);
        let to = filters.partition_point(|filter| filter.end <= last);
        (from..=to).any(|at| filters.get(at).is_none_or(|filter| filter.filter.may_contain(hashes.key)))
    }

    pub(super) fn check_indexed(&self) -> Result<()> {
        if self.is_indexed() {
            Ok(())
        } else {
            Err(corrupt("entries of an unsorted run, or of format version 1, cannot be looked up"))
        }
    }
}
