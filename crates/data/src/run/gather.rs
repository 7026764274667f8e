//! Merging runs without sorting them: their entries are gathered by key group, as they come.
//!
//! Where hardly an entry replaces another, sorting what several checkpoints added would gain nothing. What a merge must
//! still do is to make few runs of many, and to keep key groups together, so that whoever wants some of them reads
//! little else. What it does not do: find entries that were replaced.

use super::EntryRef;
use super::delta::{DeltaBuilder, WrittenBlocks};
use headwater_types::Result;
use std::ops::Range;

/// Parts that the key groups are divided into: each has a block that is being filled.
const PARTS: usize = 32;

/// An unsorted run that is made of other runs. What is finished can be taken away in between, so that it needs not fit
/// into memory: a block for each part of the key groups does.
#[derive(Debug)]
pub struct GatheredRun {
    groups: Range<u32>,
    parts: Vec<DeltaBuilder>,
    blocks: WrittenBlocks,
    finished: Vec<Vec<u8>>,
    entries: u64,
}

impl GatheredRun {
    /// A run of entries of these key groups.
    pub fn new(groups: Range<u32>) -> Self {
        let parts = groups.len().clamp(1, PARTS);
        let parts = vec![DeltaBuilder::new(); parts];
        Self { groups, parts, blocks: WrittenBlocks::default(), finished: vec![], entries: 0 }
    }

    /// Number of entries; those that came several times count several times.
    pub fn entries(&self) -> u64 {
        self.entries
    }

    /// Adds an entry. It replaces what was added with the same key.
    #[inline]
    pub fn push(&mut self, entry: EntryRef<'_>) {
        let at = u64::from(entry.group.saturating_sub(self.groups.start)) * self.parts.len() as u64;
        let part = at / (self.groups.len() as u64).max(1);
        let last = self.parts.len() - 1;
        let part = &mut self.parts[(part as usize).min(last)];
        part.push(entry);
        self.entries += 1;
        if part.has_full() {
            self.finished.extend(part.take_full().map(|block| self.blocks.put(block)));
        }
    }

    /// Takes the bytes that are finished, in parts that follow each other.
    pub fn take_finished(&mut self) -> Vec<Vec<u8>> {
        std::mem::take(&mut self.finished)
    }

    /// The bytes that were not taken, up to the end of the run with this header.
    ///
    /// # Errors
    /// When its directory is too large.
    pub fn finish(mut self, header: &[u8]) -> Result<Vec<Vec<u8>>> {
        for mut part in self.parts {
            part.finish_last();
            self.finished.extend(part.take_full().map(|block| self.blocks.put(block)));
        }
        self.finished.extend(self.blocks.finish(header)?);
        Ok(self.finished)
    }
}
