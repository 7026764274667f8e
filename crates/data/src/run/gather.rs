//! Merging runs without sorting them: their entries are gathered by key group, as they come.
//!
//! Where hardly an entry replaces another, sorting what several checkpoints added would gain nothing. What a merge must
//! still do is to make few runs of many, and to keep key groups together, so that whoever wants some of them reads
//! little else. What it does not do: find entries that were replaced.

use super::delta::{BLOCK_BYTES, DeltaBuilder, WrittenBlocks};
use super::{EntryRef, WritePart};
use headwater_types::Result;
use std::ops::Range;

/// Parts that the key groups are divided into: each has a block that is being filled.
const PARTS: usize = 32;

/// An unsorted run that is made of other runs. It is written as it is made, so that it needs not fit into memory: a
/// block for each part of the key groups does.
#[derive(Debug)]
pub struct GatheredRun {
    groups: Range<u32>,
    parts: Vec<DeltaBuilder>,
    blocks: WrittenBlocks,
    entries: u64,
}

impl GatheredRun {
    /// A run of entries of these key groups.
    pub fn new(groups: Range<u32>) -> Self {
        let parts = groups.len().clamp(1, PARTS);
        let parts = vec![DeltaBuilder::new(); parts];
        Self { groups, parts, blocks: WrittenBlocks::default(), entries: 0 }
    }

    /// Memory that it takes at most, bytes.
    pub const fn memory_bytes() -> u64 {
        (PARTS * BLOCK_BYTES) as u64
    }

    /// Adds an entry. It replaces what was added with the same key. What is finished by it goes to `out`.
    ///
    /// # Errors
    /// What `out` returns.
    #[inline]
    pub fn push(&mut self, entry: EntryRef<'_>, out: WritePart<'_>) -> Result<()> {
        let at = u64::from(entry.group.saturating_sub(self.groups.start)) * self.parts.len() as u64;
        let part = at / (self.groups.len() as u64).max(1);
        let last = self.parts.len() - 1;
        let part = &mut self.parts[(part as usize).min(last)];
        part.push(entry);
        self.entries += 1;
        if !part.has_full() {
            return Ok(());
        }
        part.take_full().try_for_each(|block| out(self.blocks.put(&block)))
    }

    /// Writes the rest, up to the end of the run with this header. The number of its entries: those that came several
    /// times count several times.
    ///
    /// # Errors
    /// When its directory is too large; what `out` returns.
    pub fn finish(mut self, header: &[u8], out: WritePart<'_>) -> Result<u64> {
        for mut part in self.parts {
            part.finish_last();
            part.take_full().try_for_each(|block| out(self.blocks.put(&block)))?;
        }
        out(&self.blocks.finish(header)?)?;
        Ok(self.entries)
    }
}
