//! Reading a run through: slices of key groups, or from a place on.

use super::cursor::BlockCursor;
use super::reader::Decoder;
use super::{EntryRef, EntryStream, Place, Run};
use headwater_types::Result;
use std::ops::Range;

/// Neighbouring blocks are read together up to this size.
const READ_BYTES: u64 = 4 << 20;

impl Run {
    /// The entries of these key groups.
    pub fn read(&self, groups: Range<u32>) -> RunStream {
        let from = Place { group: groups.start, key: &[], map_key: &[] };
        self.read_from(from, groups.end, READ_BYTES)
    }

    /// All entries.
    pub fn read_all(&self) -> RunStream {
        self.read(0..u32::MAX)
    }

    /// The entries from a place on, up to the key group `end_group`; reads about `read_bytes` at once.
    pub fn read_from(&self, from: Place<'_>, end_group: u32, read_bytes: u64) -> RunStream {
        let mut blocks = self.blocks_of(&(from.group..end_group));
        if self.is_indexed() {
            blocks.start = blocks.start.max(self.index().find(from).unwrap_or(0)).min(blocks.end);
        }
        RunStream {
            run: self.clone(),
            end_group,
            from: Some((from.group, from.key.to_vec(), from.map_key.to_vec())),
            blocks,
            read_bytes,
            fetched: Fetched::default(),
            decoder: Decoder::default(),
            rows: vec![],
            cursor: BlockCursor::default(),
        }
    }
}

/// Stored blocks that were read together.
#[derive(Default)]
struct Fetched {
    offset: u64,
    bytes: Vec<u8>,
}

/// Entries of a run, in order.
pub struct RunStream {
    run: Run,
    end_group: u32,
    /// Where to start, until an entry is found there or behind.
    from: Option<(u32, Vec<u8>, Vec<u8>)>,
    /// Blocks not started yet.
    blocks: Range<usize>,
    read_bytes: u64,
    fetched: Fetched,
    decoder: Decoder,
    /// Rows of the current block.
    rows: Vec<u8>,
    cursor: BlockCursor,
}

impl RunStream {
    /// Starts the next block; false when there is none.
    fn next_block(&mut self) -> Result<bool> {
        let Some(index) = self.blocks.next() else { return Ok(false) };
        let (offset, end) = (self.run.index().block(index).offset, self.run.index().end_of(index));
        if end > self.fetched.offset + self.fetched.bytes.len() as u64 || offset < self.fetched.offset {
            self.fetch(index)?;
        }
        let start = (offset - self.fetched.offset) as usize;
        let stored = &self.fetched.bytes[start..start + (end - offset) as usize];
        self.run.check_block(index, stored)?;
        self.decoder.decode(&self.run, index, stored, &mut self.rows)?;
        self.cursor.start(&self.rows, self.run.version())?;
        Ok(true)
    }

    /// Reads a block and those behind it that belong to the slice, up to a limit.
    fn fetch(&mut self, first: usize) -> Result<()> {
        let index = self.run.index();
        let offset = index.block(first).offset;
        let mut end = index.end_of(first);
        for block in self.blocks.clone() {
            if index.end_of(block) - offset > self.read_bytes {
                break;
            }
            end = index.end_of(block);
        }
        self.fetched.offset = offset;
        self.run.read_range(offset..end, &mut self.fetched.bytes)
    }

    fn next(&mut self) -> Result<bool> {
        loop {
            if self.cursor.advance(&self.rows)? {
                return Ok(self.is_within());
            }
            if !self.next_block()? {
                return Ok(false);
            }
            if let Some((group, key, map_key)) = &self.from
                && self.cursor.seek(&self.rows, Place { group: *group, key, map_key })?
            {
                self.from = None;
                return Ok(self.is_within());
            }
        }
    }

    fn is_within(&mut self) -> bool {
        let within = self.cursor.place().group < self.end_group;
        if !within {
            self.blocks = 0..0;
        }
        within
    }
}

impl EntryStream for RunStream {
    fn advance(&mut self) -> Result<bool> {
        self.next().map_err(|e| self.run.failed(e))
    }

    fn entry(&self) -> EntryRef<'_> {
        self.cursor.entry(&self.rows)
    }
}
