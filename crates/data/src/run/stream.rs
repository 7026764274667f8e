//! Reading a run through: slices of key groups, or from a place on.

use super::cursor::BlockCursor;
use super::reader::Decoder;
use super::reader::check_length;
use super::unsorted::SortedParts;
use super::{CODEC_RAW, EntryRef, EntryStream, Place, Run};
use headwater_types::Result;
use std::ops::Range;

impl Run {
    /// The entries of these key groups, in order and each once.
    pub fn read(&self, groups: Range<u32>) -> RunStream {
        let from = Place { group: groups.start, key: &[], map_key: &[] };
        self.read_from(from, groups.end, self.read_bytes())
    }

    /// All entries.
    pub fn read_all(&self) -> RunStream {
        self.read(0..u32::MAX)
    }

    /// The entries from a place on, up to the key group `end_group`; reads about `read_bytes` at once.
    pub fn read_from(&self, from: Place<'_>, end_group: u32, read_bytes: u64) -> RunStream {
        let reader = BlockReader::new(self, read_bytes);
        let from_place = Some((from.group, from.key.to_vec(), from.map_key.to_vec()));
        if !self.is_sorted() {
            let parts = Box::new(SortedParts::new(reader, from.group..end_group));
            return RunStream(Stream::Unsorted { parts, from: from_place });
        }
        let mut blocks = self.blocks_of(&(from.group..end_group));
        if self.is_indexed() {
            blocks.start = blocks.start.max(self.index().find(from).unwrap_or(0)).min(blocks.end);
        }
        let cursor = BlockCursor::default();
        RunStream(Stream::Sorted(Box::new(Blocks { reader, end_group, from: from_place, blocks, cursor })))
    }
}

/// Entries of a run, in order and each once. Those of an unsorted run are sorted in parts: see
/// [the format](super#unsorted-runs).
pub struct RunStream(Stream);

enum Stream {
    Sorted(Box<Blocks>),
    Unsorted {
        parts: Box<SortedParts>,
        /// Where to start, until an entry is found there or behind.
        from: Option<OwnedPlace>,
    },
}

/// Group, key and map key.
type OwnedPlace = (u32, Vec<u8>, Vec<u8>);

/// Reads blocks one after the other, neighbours together.
pub(super) struct BlockReader {
    pub run: Run,
    read_bytes: u64,
    fetched: Fetched,
    decoder: Decoder,
    /// Where the current block is in what was fetched, if it is stored as it is.
    as_stored: Option<Range<usize>>,
    /// The rows of the current block otherwise.
    decoded: Vec<u8>,
}

/// Stored blocks that were read together.
#[derive(Default)]
struct Fetched {
    offset: u64,
    bytes: Vec<u8>,
}

impl BlockReader {
    /// Reads blocks of a run, about `read_bytes` at once.
    pub fn new(run: &Run, read_bytes: u64) -> Self {
        let (fetched, decoder) = (Fetched::default(), Decoder::default());
        Self { run: run.clone(), read_bytes, fetched, decoder, as_stored: None, decoded: vec![] }
    }

    /// Makes a block the current one; those from it to `end` will follow.
    pub fn read(&mut self, index: usize, end: usize) -> Result<()> {
        let (offset, block_end) = (self.run.index().block(index).offset, self.run.index().end_of(index));
        if block_end > self.fetched.offset + self.fetched.bytes.len() as u64 || offset < self.fetched.offset {
            self.fetch(index, end)?;
        }
        let start = (offset - self.fetched.offset) as usize;
        let place = start..start + (block_end - offset) as usize;
        let stored = &self.fetched.bytes[place.clone()];
        self.run.check_block(index, stored)?;
        let block = self.run.index().block(index);
        if block.codec == CODEC_RAW {
            self.as_stored = Some(place);
            return check_length(stored, block.raw_len);
        }
        self.as_stored = None;
        self.decoder.decode(&self.run, index, stored, &mut self.decoded)
    }

    /// The rows of the current block.
    #[inline]
    pub fn rows(&self) -> &[u8] {
        match &self.as_stored {
            Some(place) => &self.fetched.bytes[place.clone()],
            None => &self.decoded,
        }
    }

    /// Reads a block and those behind it that will follow, up to a limit.
    fn fetch(&mut self, first: usize, end: usize) -> Result<()> {
        let index = self.run.index();
        let offset = index.block(first).offset;
        let mut bytes_end = index.end_of(first);
        for block in first + 1..end {
            if index.end_of(block) - offset > self.read_bytes {
                break;
            }
            bytes_end = index.end_of(block);
        }
        self.fetched.offset = offset;
        self.run.read_range(offset..bytes_end, &mut self.fetched.bytes)
    }
}

/// Entries of a sorted run.
struct Blocks {
    reader: BlockReader,
    end_group: u32,
    /// Where to start, until an entry is found there or behind.
    from: Option<OwnedPlace>,
    /// Blocks not started yet.
    blocks: Range<usize>,
    cursor: BlockCursor,
}

impl Blocks {
    /// Starts the next block; false when there is none.
    fn next_block(&mut self) -> Result<bool> {
        let Some(index) = self.blocks.next() else { return Ok(false) };
        self.reader.read(index, self.blocks.end)?;
        self.cursor.start(self.reader.rows(), self.reader.run.version())?;
        Ok(true)
    }

    fn next(&mut self) -> Result<bool> {
        loop {
            if self.cursor.advance(self.reader.rows())? {
                return Ok(self.is_within());
            }
            if !self.next_block()? {
                return Ok(false);
            }
            if let Some((group, key, map_key)) = &self.from
                && self.cursor.seek(self.reader.rows(), Place { group: *group, key, map_key })?
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

/// Moves to the first entry that is not before a place.
fn advance_from(parts: &mut SortedParts, from: &mut Option<OwnedPlace>) -> Result<bool> {
    while parts.next()? {
        let is_before =
            |(group, key, map_key): &OwnedPlace| parts.entry().place() < Place { group: *group, key, map_key };
        if !from.as_ref().is_some_and(is_before) {
            *from = None;
            return Ok(true);
        }
    }
    Ok(false)
}

impl EntryStream for RunStream {
    fn advance(&mut self) -> Result<bool> {
        match &mut self.0 {
            Stream::Sorted(blocks) => blocks.next().map_err(|e| blocks.reader.run.failed(e)),
            Stream::Unsorted { parts, from } => advance_from(parts, from).map_err(|e| parts.run().failed(e)),
        }
    }

    #[inline]
    fn entry(&self) -> EntryRef<'_> {
        match &self.0 {
            Stream::Sorted(blocks) => blocks.cursor.entry(blocks.reader.rows()),
            Stream::Unsorted { parts, .. } => parts.entry(),
        }
    }
}
