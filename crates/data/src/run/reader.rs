//! Reading runs, in slices of key groups.

use super::block::BlockCursor;
use super::{
    BlockInfo, CODEC_RAW, CODEC_ZSTD, EntryRef, EntryStream, FOOTER_BYTES, MAGIC, VERSION, checksum, corrupt,
    take_bytes, take_u32, take_u64, take_varint,
};
use headwater_types::{Error, ErrorKind, Result};
use std::ops::Range;
use std::sync::Arc;

/// Reads a byte range of the run: of an object in storage, or of memory. It may block.
pub type ReadRange = Arc<dyn Fn(Range<u64>) -> Result<Vec<u8>> + Send + Sync>;

/// Bytes read from the end of a run at once: the directory of most runs.
const TAIL_BYTES: u64 = 64 << 10;
/// Neighbouring blocks are read together up to this size.
const READ_BYTES: u64 = 4 << 20;
/// More than any block can have: a block ends with the entry that fills it.
const RAW_BYTES_MAX: u64 = 16 << 30;

/// An open run: its directory is read, its blocks are not.
#[derive(Clone)]
pub struct Run {
    name: Arc<str>,
    header: Vec<u8>,
    blocks: Arc<[BlockInfo]>,
    read: ReadRange,
}

impl Run {
    /// Opens a run of `bytes` bytes. `name` is what errors call it.
    ///
    /// # Errors
    /// `Corruption` when it is truncated or damaged; `User` when its version is newer than this program;
    /// what `read` returns.
    pub fn open(name: impl Into<Arc<str>>, bytes: u64, read: ReadRange) -> Result<Self> {
        let name = name.into();
        let open = || {
            let directory = read_directory(bytes, &read)?;
            let (header, blocks) = parse_directory(&directory, bytes - FOOTER_BYTES - directory.len() as u64)?;
            Ok((header, blocks.into()))
        };
        let (header, blocks) = open().map_err(|e: Error| in_run(&name, e))?;
        Ok(Self { name, header, blocks, read })
    }

    /// Opens a run that is in memory.
    ///
    /// # Errors
    /// As [`Run::open`].
    pub fn of_bytes(name: impl Into<Arc<str>>, bytes: Vec<u8>) -> Result<Self> {
        let length = bytes.len() as u64;
        let read = move |range: Range<u64>| {
            let slice = bytes.get(range.start as usize..range.end as usize);
            slice.map(<[u8]>::to_vec).ok_or_else(|| corrupt("the run ends too early"))
        };
        Self::open(name, length, Arc::new(read))
    }

    /// What the writer said about the table.
    pub fn header(&self) -> &[u8] {
        &self.header
    }

    /// Number of entries, deletions included.
    pub fn entries(&self) -> u64 {
        self.blocks.iter().map(|b| b.entries).sum()
    }

    /// Number of deletions among the entries.
    pub fn deletions(&self) -> u64 {
        self.blocks.iter().map(|b| b.deletions).sum()
    }

    /// Stored bytes of the blocks that a read of these key groups would fetch.
    pub fn bytes_of(&self, groups: &Range<u32>) -> u64 {
        self.blocks[self.blocks_of(groups)].iter().map(|b| b.stored_len).sum()
    }

    /// The entries of these key groups.
    pub fn read(&self, groups: Range<u32>) -> RunStream {
        let blocks = self.blocks_of(&groups);
        let (rows, cursor) = (vec![], BlockCursor::default());
        RunStream { run: self.clone(), groups, blocks, fetched: Fetched::default(), rows, cursor }
    }

    /// All entries.
    pub fn read_all(&self) -> RunStream {
        self.read(0..u32::MAX)
    }

    fn blocks_of(&self, groups: &Range<u32>) -> Range<usize> {
        let start = self.blocks.partition_point(|b| b.last_group < groups.start);
        let end = self.blocks.partition_point(|b| b.first_group < groups.end);
        start..end.max(start)
    }
}

/// Stored blocks that were read together.
#[derive(Default)]
struct Fetched {
    offset: u64,
    bytes: Vec<u8>,
}

/// The entries of some key groups of a run, in order.
pub struct RunStream {
    run: Run,
    groups: Range<u32>,
    /// Blocks not started yet.
    blocks: Range<usize>,
    fetched: Fetched,
    /// Rows of the current block.
    rows: Vec<u8>,
    cursor: BlockCursor,
}

impl RunStream {
    /// Starts the next block; false when there is none.
    fn next_block(&mut self) -> Result<bool> {
        let Some(index) = self.blocks.next() else { return Ok(false) };
        let block = self.run.blocks[index].clone();
        if block.offset + block.stored_len > self.fetched.offset + self.fetched.bytes.len() as u64 {
            self.fetch(index)?;
        }
        let start = (block.offset - self.fetched.offset) as usize;
        let stored = &self.fetched.bytes[start..start + block.stored_len as usize];
        if checksum(stored) != block.checksum {
            let what = format!("the checksum of block {index} (at byte {}) does not match", block.offset);
            return Err(corrupt(what));
        }
        decompress(&block, stored, &mut self.rows)?;
        self.cursor.start(&self.rows)?;
        Ok(true)
    }

    /// Reads a block and those behind it that belong to the slice, up to a limit.
    fn fetch(&mut self, first: usize) -> Result<()> {
        let offset = self.run.blocks[first].offset;
        let end_of = |block: &BlockInfo| block.offset + block.stored_len;
        let mut end = end_of(&self.run.blocks[first]);
        for block in &self.run.blocks[self.blocks.clone()] {
            if end_of(block) - offset > READ_BYTES {
                break;
            }
            end = end_of(block);
        }
        let bytes = (self.run.read)(offset..end)?;
        if bytes.len() as u64 != end - offset {
            return Err(corrupt(format!("the run ends within its blocks, before byte {end}")));
        }
        self.fetched = Fetched { offset, bytes };
        Ok(())
    }

    fn next(&mut self) -> Result<bool> {
        loop {
            while self.cursor.advance(&self.rows)? {
                if self.cursor.group >= self.groups.end {
                    self.blocks = 0..0;
                    return Ok(false);
                }
                if self.cursor.group >= self.groups.start {
                    return Ok(true);
                }
            }
            if !self.next_block()? {
                return Ok(false);
            }
        }
    }
}

impl EntryStream for RunStream {
    fn advance(&mut self) -> Result<bool> {
        self.next().map_err(|e| in_run(&self.run.name, e))
    }

    fn entry(&self) -> EntryRef<'_> {
        let cursor = &self.cursor;
        let value = cursor.value.map(|(start, end)| &self.rows[start..end]);
        EntryRef { group: cursor.group, key: &cursor.key, map_key: &cursor.map_key, value }
    }
}

fn decompress(block: &BlockInfo, stored: &[u8], rows: &mut Vec<u8>) -> Result<()> {
    rows.clear();
    match block.codec {
        CODEC_RAW => rows.extend_from_slice(stored),
        _ => {
            rows.reserve(block.raw_len as usize);
            zstd::bulk::Decompressor::new()
                .and_then(|mut zstd| zstd.decompress_to_buffer(stored, rows))
                .map_err(|e| corrupt(format!("a block cannot be decompressed: {e}")))?;
        }
    }
    if rows.len() as u64 == block.raw_len { Ok(()) } else { Err(corrupt("a block has another length than noted")) }
}

/// Reads the footer and the directory it points to, whose checksum it checks.
fn read_directory(bytes: u64, read: &ReadRange) -> Result<Vec<u8>> {
    if bytes < FOOTER_BYTES {
        return Err(corrupt(format!("it is truncated: it has {bytes} bytes, a run has at least {FOOTER_BYTES}")));
    }
    let tail_start = bytes.saturating_sub(TAIL_BYTES);
    let mut tail = read(tail_start..bytes)?;
    if tail.len() as u64 != bytes - tail_start {
        return Err(corrupt(format!("it is truncated: {bytes} bytes were expected")));
    }
    let mut footer = &tail[tail.len() - FOOTER_BYTES as usize..];
    let offset = take_u64(&mut footer)?;
    let length =
        u64::from(u32::from_le_bytes(take_bytes(&mut footer, 4, "the footer")?.try_into().unwrap_or_default()));
    let expected = take_u64(&mut footer)?;
    check_version(footer)?;
    if offset.checked_add(length).and_then(|end| end.checked_add(FOOTER_BYTES)) != Some(bytes) {
        return Err(corrupt("it is truncated or damaged: its footer does not fit its length"));
    }
    let directory = if offset < tail_start {
        read(offset..offset + length)?
    } else {
        tail.truncate(tail.len() - FOOTER_BYTES as usize);
        tail.split_off((offset - tail_start) as usize)
    };
    if checksum(&directory) != expected {
        return Err(corrupt("the checksum of its directory does not match"));
    }
    Ok(directory)
}

/// Checks the end of the footer: reserved bytes, version, magic.
fn check_version(end: &[u8]) -> Result<()> {
    let (reserved, rest) = end.split_at(4);
    match rest.split_first() {
        Some((version, magic)) if magic == MAGIC => {
            if *version != VERSION {
                let message = format!(
                    "it has format version {version}, and this program reads version {VERSION}: \
                     use the version of Headwater that wrote it"
                );
                return Err(Error::new(ErrorKind::User, "run-version", message));
            }
        }
        _ => return Err(corrupt("it is truncated, or it is no run at all: it does not end as one")),
    }
    if reserved == [0; 4] { Ok(()) } else { Err(corrupt("reserved bytes of its footer are set")) }
}

/// Header and blocks; the blocks must fill the run up to the directory.
fn parse_directory(mut input: &[u8], directory_offset: u64) -> Result<(Vec<u8>, Vec<BlockInfo>)> {
    let header_len = take_varint(&mut input)?;
    let header = take_bytes(&mut input, header_len, "the header")?.to_vec();
    let count = take_varint(&mut input)?;
    let (mut blocks, mut offset) = (vec![], 0u64);
    for _ in 0..count {
        let block = parse_block(&mut input, offset)?;
        offset = offset.checked_add(block.stored_len).ok_or_else(|| corrupt("a block is too long"))?;
        blocks.push(block);
    }
    if !input.is_empty() || offset != directory_offset {
        return Err(corrupt("its blocks do not add up to its length"));
    }
    Ok((header, blocks))
}

fn parse_block(input: &mut &[u8], offset: u64) -> Result<BlockInfo> {
    let (stored_len, raw_len) = (take_varint(input)?, take_varint(input)?);
    let codec = take_bytes(input, 1, "the directory")?[0];
    if ![CODEC_RAW, CODEC_ZSTD].contains(&codec) || raw_len > RAW_BYTES_MAX {
        return Err(corrupt(format!("a block has the unknown codec {codec} or the impossible length {raw_len}")));
    }
    let (first_group, last_group) = (take_u32(input)?, take_u32(input)?);
    let (entries, deletions, checksum) = (take_varint(input)?, take_varint(input)?, take_u64(input)?);
    Ok(BlockInfo { offset, stored_len, raw_len, codec, first_group, last_group, entries, deletions, checksum })
}

fn in_run(name: &str, error: Error) -> Error {
    error.context(format_args!("run '{name}'"))
}
