//! Opening runs and reading their blocks.

use super::directory::{self, Directory};
use super::filter::Filter;
use super::index::{BlockInfo, Index};
use super::{VERSION_INDEXED, VERSION_UNSORTED, checksum, corrupt};
use headwater_types::{Error, ErrorKind, Result};
use std::ops::Range;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};

/// Reads a byte range of the run: of an object in storage, or of memory. It may block.
pub type ReadRange = Arc<dyn Fn(Range<u64>) -> Result<Vec<u8>> + Send + Sync>;

/// Where the bytes of a run are. It may block.
pub trait ReadAt: Send + Sync {
    /// Replaces the content of `out` by a byte range.
    ///
    /// # Errors
    /// When the range cannot be read.
    fn read_at(&self, range: Range<u64>, out: &mut Vec<u8>) -> Result<()>;
}

struct Closure(ReadRange);

impl ReadAt for Closure {
    fn read_at(&self, range: Range<u64>, out: &mut Vec<u8>) -> Result<()> {
        // Not both at once.
        *out = vec![];
        *out = (self.0)(range)?;
        Ok(())
    }
}

/// Keeps the rows of compressed blocks, so that a look at one need not read and decompress it again.
pub trait BlockCache: Send + Sync {
    /// The rows of a block of the run with this [`Run::id`].
    fn get(&self, run: u64, block: usize) -> Option<Arc<Vec<u8>>>;
    /// Offers the rows of a block.
    fn put(&self, run: u64, block: usize, rows: &Arc<Vec<u8>>);
}

/// An open run: its directory is read, its blocks are not. Clones share what is in memory.
#[derive(Clone)]
pub struct Run {
    pub(super) inner: Arc<Inner>,
    cache: Option<Arc<dyn BlockCache>>,
    advice: Option<Arc<str>>,
    /// Memory that a reader may take, bytes; `None` for what is fastest.
    memory: Option<u64>,
}

/// Neighbouring blocks are read together up to this size, unless there is memory for less.
const READ_BYTES: u64 = 4 << 20;
/// Stored bytes of an unsorted run that are sorted together, unless there is memory for less. Key groups whose entries
/// are more are sorted one by one.
const SORT_BYTES: u64 = if cfg!(test) { 1 << 10 } else { 16 << 20 };
/// The part of a reader's memory that is for stored bytes: as entries they take several times as much.
const STORED_SHARE: u64 = 4;

pub(super) struct Inner {
    id: u64,
    name: Arc<str>,
    directory: Directory,
    filters: OnceLock<Vec<BlocksFilter>>,
    source: Arc<dyn ReadAt>,
}

/// The filter of some blocks, which follow those of the filter before.
pub(super) struct BlocksFilter {
    pub end: usize,
    pub filter: Filter,
}

static NEXT_ID: AtomicU64 = AtomicU64::new(0);

impl Run {
    /// Opens a run of `bytes` bytes. `name` is what errors call it.
    ///
    /// # Errors
    /// `Corruption` when it is truncated or damaged; `User` when its version is newer than this program;
    /// what `read` returns.
    pub fn open(name: impl Into<Arc<str>>, bytes: u64, read: ReadRange) -> Result<Self> {
        Self::open_at(name, bytes, Arc::new(Closure(read)))
    }

    /// As [`Run::open`].
    ///
    /// # Errors
    /// As [`Run::open`].
    pub fn open_at(name: impl Into<Arc<str>>, bytes: u64, source: Arc<dyn ReadAt>) -> Result<Self> {
        let name = name.into();
        let directory = directory::read(bytes, source.as_ref()).map_err(|e| in_run(&name, e))?;
        let id = NEXT_ID.fetch_add(1, Ordering::Relaxed);
        let inner = Inner { id, name, directory, filters: OnceLock::new(), source };
        Ok(Self { inner: Arc::new(inner), cache: None, advice: None, memory: None })
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

    /// The same run, whose compressed blocks are kept in a cache when they are looked at.
    #[must_use]
    pub fn with_cache(&self, cache: Arc<dyn BlockCache>) -> Self {
        Self { cache: Some(cache), ..self.clone() }
    }

    /// The same run, with what to do when it is damaged: the end of such errors.
    #[must_use]
    pub fn with_advice(&self, advice: &str) -> Self {
        let advice = (!advice.is_empty()).then(|| advice.into());
        Self { advice, ..self.clone() }
    }

    /// The same run, of which each reader takes about so much memory: less than what is fastest, where memory is short
    /// or many runs are read at once. There is a least amount, [`Run::MEMORY_MIN`].
    #[must_use]
    pub fn within(&self, memory_bytes: u64) -> Self {
        Self { memory: Some(memory_bytes.max(Self::MEMORY_MIN)), ..self.clone() }
    }

    /// The least memory of a reader, bytes; more, where a block is larger.
    pub const MEMORY_MIN: u64 = STORED_SHARE * (64 << 10);
    /// The memory of a reader that is not told to take less, bytes.
    pub const MEMORY_MAX: u64 = STORED_SHARE * SORT_BYTES;

    /// Bytes that are read at once.
    pub(super) fn read_bytes(&self) -> u64 {
        self.memory.map_or(READ_BYTES, |memory| READ_BYTES.min(memory / STORED_SHARE))
    }

    /// Stored bytes that are sorted together.
    pub(super) fn sort_bytes(&self) -> u64 {
        self.memory.map_or(SORT_BYTES, |memory| SORT_BYTES.min(memory / STORED_SHARE))
    }

    /// Reads the filters, without which every look for an entry reads a block. Once they are there it does nothing.
    ///
    /// # Errors
    /// When they cannot be read or are damaged.
    pub fn load_filters(&self) -> Result<()> {
        if self.inner.filters.get().is_some() {
            return Ok(());
        }
        let filters = self.read_filters().map_err(|e| self.failed(e))?;
        // Whoever else was reading them read the same.
        let _ = self.inner.filters.set(filters);
        Ok(())
    }

    /// Tells runs of this process apart.
    pub fn id(&self) -> u64 {
        self.inner.id
    }

    /// What errors call it.
    pub fn name(&self) -> &str {
        &self.inner.name
    }

    /// Whether entries can be looked up. Unsorted runs and those of version 1 can only be read through.
    pub fn is_indexed(&self) -> bool {
        self.is_sorted() && self.inner.directory.version >= VERSION_INDEXED
    }

    /// Whether the entries are stored in order, each once.
    pub fn is_sorted(&self) -> bool {
        self.inner.directory.version != VERSION_UNSORTED
    }

    /// What the writer said about the table.
    pub fn header(&self) -> &[u8] {
        &self.inner.directory.header
    }

    /// Number of entries, deletions included.
    pub fn entries(&self) -> u64 {
        self.inner.directory.entries
    }

    /// Number of deletions among the entries.
    pub fn deletions(&self) -> u64 {
        self.inner.directory.deletions
    }

    /// Memory of the directory and the filters, bytes.
    pub fn memory_bytes(&self) -> usize {
        let filters = self.filters().iter().map(|filter| filter.filter.bytes());
        self.index().bytes() + self.inner.directory.header.len() + filters.sum::<usize>()
    }

    /// Stored bytes of the blocks that a read of these key groups would fetch.
    pub fn bytes_of(&self, groups: &Range<u32>) -> u64 {
        if !self.is_sorted() {
            let index = self.index();
            return self.blocks_with(groups).map(|block| index.end_of(block) - index.block(block).offset).sum();
        }
        let blocks = self.blocks_of(groups);
        let start = self.index().blocks().get(blocks.start).map_or(0, |block| block.offset);
        if blocks.is_empty() { 0 } else { self.index().end_of(blocks.end - 1) - start }
    }

    /// The blocks of a run, sorted or not, that may have entries of these key groups.
    pub(super) fn blocks_with(&self, groups: &Range<u32>) -> impl Iterator<Item = usize> {
        let has = |block: &BlockInfo| block.first_group < groups.end && block.last_group >= groups.start;
        self.index().blocks().iter().enumerate().filter(move |(_, block)| has(block)).map(|(index, _)| index)
    }

    /// The blocks of a sorted run that have entries of these key groups.
    pub(super) fn blocks_of(&self, groups: &Range<u32>) -> Range<usize> {
        let blocks = self.index().blocks();
        let start = blocks.partition_point(|b| b.last_group < groups.start);
        let end = blocks.partition_point(|b| b.first_group < groups.end);
        start..end.max(start)
    }

    pub(super) fn version(&self) -> u8 {
        self.inner.directory.version
    }

    #[inline]
    pub(super) fn index(&self) -> &Index {
        &self.inner.directory.index
    }

    /// The filters, as far as they are loaded.
    #[inline]
    pub(super) fn filters(&self) -> &[BlocksFilter] {
        self.inner.filters.get().map_or(&[], Vec::as_slice)
    }

    pub(super) fn cache(&self) -> Option<&dyn BlockCache> {
        self.cache.as_deref()
    }

    /// Reads a byte range that must be there.
    pub(super) fn read_range(&self, range: Range<u64>, out: &mut Vec<u8>) -> Result<()> {
        let (length, end) = (range.end - range.start, range.end);
        self.inner.source.read_at(range, out)?;
        if out.len() as u64 == length { Ok(()) } else { Err(corrupt(format!("the run ends before byte {end}"))) }
    }

    /// Checks the stored bytes of a block.
    pub(super) fn check_block(&self, index: usize, stored: &[u8]) -> Result<()> {
        let block = self.index().block(index);
        if checksum(stored) == block.checksum {
            return Ok(());
        }
        Err(corrupt(format!("the checksum of block {index} (at byte {}) does not match", block.offset)))
    }

    /// Says in which run an error is.
    pub(super) fn failed(&self, error: Error) -> Error {
        let error = in_run(&self.inner.name, error);
        match &self.advice {
            Some(advice) if error.kind() == ErrorKind::Corruption => {
                Error::new(error.kind(), error.code(), format!("{}; {advice}", error.message()))
            }
            _ => error,
        }
    }

    fn read_filters(&self) -> Result<Vec<BlocksFilter>> {
        let (mut filters, mut start, mut end) = (vec![], self.index().end(), 0);
        let mut bytes = vec![];
        for info in &self.inner.directory.filters {
            self.read_range(start..start + info.length, &mut bytes)?;
            if checksum(&bytes) != info.checksum {
                return Err(corrupt(format!("the checksum of a filter (at byte {start}) does not match")));
            }
            start += info.length;
            end += info.blocks as usize;
            filters.push(BlocksFilter { end, filter: Filter::read(&bytes)? });
        }
        Ok(filters)
    }
}

/// Makes rows of the stored bytes of blocks.
#[derive(Default)]
pub(super) struct Decoder {
    zstd: Option<zstd::bulk::Decompressor<'static>>,
}

impl Decoder {
    /// Replaces the content of `rows` by the rows of a compressed block.
    pub fn decode(&mut self, run: &Run, index: usize, stored: &[u8], rows: &mut Vec<u8>) -> Result<()> {
        let block = run.index().block(index);
        rows.clear();
        self.decompress(block.raw_len, stored, rows)?;
        check_length(rows, block.raw_len)
    }

    fn decompress(&mut self, raw_len: u64, stored: &[u8], rows: &mut Vec<u8>) -> Result<()> {
        let failed = |e: std::io::Error| corrupt(format!("a block cannot be decompressed: {e}"));
        let zstd = match &mut self.zstd {
            Some(zstd) => zstd,
            none => none.insert(zstd::bulk::Decompressor::new().map_err(failed)?),
        };
        rows.reserve(raw_len as usize);
        zstd.decompress_to_buffer(stored, rows).map(drop).map_err(failed)
    }
}

pub(super) fn check_length(rows: &[u8], raw_len: u64) -> Result<()> {
    if rows.len() as u64 == raw_len { Ok(()) } else { Err(corrupt("a block has another length than noted")) }
}

fn in_run(name: &str, error: Error) -> Error {
    error.context(format_args!("run '{name}'"))
}
