//! Reading unsorted runs: as they were written, or sorted.

use super::stream::BlockReader;
use super::{Entries, EntryRef, EntryStream, Run, corrupt, take_bytes, take_u32, take_varint};
use headwater_types::Result;
use std::ops::Range;
use std::vec::IntoIter;

impl Run {
    /// The entries of these key groups as they were written: those of an unsorted run in no order, and an entry that
    /// comes again replaces the one before.
    pub fn read_as_written(&self, groups: Vec<Range<u32>>) -> WrittenStream {
        let blocks = self.unsorted_blocks(&groups);
        let sorted = self.is_sorted().then(|| groups.iter().map(|groups| self.read(groups.clone())).collect());
        WrittenStream {
            sorted: sorted.map(Vec::into_iter),
            current: None,
            groups,
            blocks: blocks.into_iter(),
            part: Part::new(BlockReader::new(self, self.read_bytes())),
        }
    }

    /// Calls `visit` with the entries of these key groups of an unsorted run, as they were written.
    ///
    /// # Errors
    /// `Corruption` when it is damaged; what `visit` returns.
    pub fn visit_unsorted(
        &self,
        groups: &[Range<u32>],
        mut visit: impl FnMut(EntryRef<'_>) -> Result<()>,
    ) -> Result<()> {
        let blocks = self.unsorted_blocks(groups);
        let end = blocks.last().map_or(0, |last| last + 1);
        let mut reader = BlockReader::new(self, self.read_bytes());
        for block in blocks {
            reader.read(block, end).map_err(|e| self.failed(e))?;
            let mut rows = BlockEntries::new(reader.rows());
            while let Some(entry) = rows.next().map_err(|e| self.failed(e))? {
                if groups.iter().any(|groups| groups.contains(&entry.group)) {
                    visit(entry)?;
                }
            }
        }
        Ok(())
    }

    /// The blocks that have entries of these key groups, as they were written.
    fn unsorted_blocks(&self, groups: &[Range<u32>]) -> Vec<usize> {
        let mut blocks: Vec<usize> = groups.iter().flat_map(|groups| self.blocks_with(groups)).collect();
        blocks.sort_unstable();
        blocks.dedup();
        blocks
    }
}

/// The rows of a block of an unsorted run.
pub(super) struct BlockEntries<'a> {
    rest: &'a [u8],
    /// Keys that were named so far.
    keys: Vec<(u32, &'a [u8])>,
}

impl<'a> BlockEntries<'a> {
    pub fn new(rows: &'a [u8]) -> Self {
        Self { rest: rows, keys: vec![] }
    }

    /// The next row; `None` at the end.
    pub fn next(&mut self) -> Result<Option<EntryRef<'a>>> {
        if self.rest.is_empty() {
            return Ok(None);
        }
        let rest = &mut self.rest;
        let name = take_varint(rest)?;
        let (group_and_length, name) = match name.checked_sub(1) {
            None => (Some((take_u32(rest)?, take_varint(rest)?)), 0),
            Some(name) => (None, name),
        };
        let (map_key_len, value) = (take_varint(rest)?, take_varint(rest)?);
        let (group, key) = match group_and_length {
            Some((group, length)) => {
                let key = (group, take_bytes(rest, length, "a key")?);
                self.keys.push(key);
                key
            }
            None => {
                let known = usize::try_from(name).ok().and_then(|name| self.keys.get(name));
                *known.ok_or_else(|| corrupt("a block names a key that it does not have"))?
            }
        };
        let map_key = take_bytes(rest, map_key_len, "a map key")?;
        let value = match value.checked_sub(1) {
            Some(length) => Some(take_bytes(rest, length, "a value")?),
            None => None,
        };
        Ok(Some(EntryRef { group, key, map_key, value }))
    }
}

/// Entries of some blocks in memory.
struct Part {
    reader: BlockReader,
    entries: Entries,
    /// The entry behind the current one.
    next: usize,
}

impl Part {
    fn new(reader: BlockReader) -> Self {
        Self { reader, entries: Entries::new(), next: 0 }
    }

    /// Starts over without entries.
    fn clear(&mut self) {
        self.entries.clear();
        self.next = 0;
    }

    /// Adds the entries of a block that are wanted; blocks from it to `end` will follow.
    fn add(&mut self, block: usize, end: usize, wanted: impl Fn(u32) -> bool) -> Result<()> {
        self.reader.read(block, end)?;
        let mut rows = BlockEntries::new(self.reader.rows());
        while let Some(entry) = rows.next()? {
            if wanted(entry.group) {
                self.entries.push(entry);
            }
        }
        Ok(())
    }

    fn advance(&mut self) -> bool {
        let more = self.next < self.entries.len();
        self.next += usize::from(more);
        more
    }

    #[inline]
    fn entry(&self) -> EntryRef<'_> {
        self.entries.get(self.next.saturating_sub(1))
    }
}

/// The entries of an unsorted run, sorted. It is read once for each part of its key groups that fits into memory.
pub(super) struct SortedParts {
    part: Part,
    /// Groups that were not read yet, and how many make a part.
    groups: Range<u32>,
    width: u32,
}

impl SortedParts {
    /// The entries of some key groups.
    pub fn new(reader: BlockReader, groups: Range<u32>) -> Self {
        let run = &reader.run;
        let blocks = || run.blocks_with(&groups).map(|block| run.index().block(block));
        let start = blocks().map(|block| block.first_group).min().unwrap_or(0).max(groups.start);
        let end = blocks().map(|block| block.last_group.saturating_add(1)).max().unwrap_or(0).min(groups.end);
        let parts = u32::try_from(run.bytes_of(&groups).div_ceil(run.sort_bytes())).unwrap_or(u32::MAX).max(1);
        let width = end.saturating_sub(start).div_ceil(parts).max(1);
        Self { part: Part::new(reader), groups: start..end.max(start), width }
    }

    /// The run.
    pub fn run(&self) -> &Run {
        &self.part.reader.run
    }

    /// Moves to the next entry; false at the end.
    pub fn next(&mut self) -> Result<bool> {
        loop {
            if self.part.advance() {
                return Ok(true);
            }
            if self.groups.is_empty() {
                return Ok(false);
            }
            self.next_part()?;
        }
    }

    /// The current entry.
    #[inline]
    pub fn entry(&self) -> EntryRef<'_> {
        self.part.entry()
    }

    fn next_part(&mut self) -> Result<()> {
        let end = self.groups.start.saturating_add(self.width).min(self.groups.end);
        let groups = std::mem::replace(&mut self.groups.start, end)..end;
        let blocks: Vec<usize> = self.run().blocks_with(&groups).collect();
        let last = blocks.last().map_or(0, |last| last + 1);
        self.part.clear();
        for block in blocks {
            self.part.add(block, last, |group| groups.contains(&group))?;
        }
        self.part.entries.sort_latest();
        Ok(())
    }
}

/// Entries of a run as they were written: see [`Run::read_as_written`].
pub struct WrittenStream {
    /// The slices of a sorted run that were not started yet, and the one that was.
    sorted: Option<IntoIter<super::RunStream>>,
    current: Option<super::RunStream>,
    /// What is wanted of an unsorted run, and the blocks that were not started yet.
    groups: Vec<Range<u32>>,
    blocks: IntoIter<usize>,
    part: Part,
}

impl WrittenStream {
    fn next_sorted(&mut self) -> Result<bool> {
        loop {
            if let Some(current) = &mut self.current
                && current.advance()?
            {
                return Ok(true);
            }
            match self.sorted.as_mut().and_then(IntoIter::next) {
                Some(next) => self.current = Some(next),
                None => return Ok(false),
            }
        }
    }

    fn next_unsorted(&mut self) -> Result<bool> {
        while !self.part.advance() {
            let last = self.blocks.as_slice().last().map_or(0, |last| last + 1);
            let Some(block) = self.blocks.next() else { return Ok(false) };
            self.part.clear();
            self.part.add(block, last, |group| self.groups.iter().any(|groups| groups.contains(&group)))?;
        }
        Ok(true)
    }
}

impl EntryStream for WrittenStream {
    fn advance(&mut self) -> Result<bool> {
        match self.sorted {
            Some(_) => self.next_sorted(),
            None => self.next_unsorted().map_err(|e| self.part.reader.run.failed(e)),
        }
    }

    #[inline]
    fn entry(&self) -> EntryRef<'_> {
        match &self.current {
            Some(current) => current.entry(),
            None => self.part.entry(),
        }
    }
}
