//! Writing runs.

use super::block::BlockBuilder;
use super::directory::{WrittenBlock, directory, put_block, put_footer};
use super::filter::{Filter, hash_entry, hash_key};
use super::{CODEC_RAW, CODEC_ZSTD, Entries, EntryRef, EntryStream, VERSION_SORTED, WritePart, checksum, put_varint};
use headwater_types::{Error, Result};
use std::cmp::Ordering;

/// The fastest ordinary level: runs are written far more often than read.
const ZSTD_LEVEL: i32 = 1;
/// Finished bytes are handed on in parts of about this size.
const PART_BYTES: usize = if cfg!(test) { 4 << 10 } else { 256 << 10 };
/// Hashes of a filter, about: how many the writer keeps.
const FILTER_HASHES: usize = if cfg!(test) { 64 } else { 1 << 20 };

/// How the blocks of a run are stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Codec {
    /// As they are.
    Raw,
    /// Compressed, where that makes them smaller.
    Zstd,
}

/// How a run is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RunOptions {
    /// A block is closed when its rows reach this size.
    pub block_bytes: usize,
    /// How blocks are stored.
    pub codec: Codec,
    /// Whether there are filters.
    pub filters: bool,
}

impl RunOptions {
    /// For runs of checkpoints: small, and read through more often than looked into.
    pub const STORED: Self = Self { block_bytes: 64 << 10, codec: Codec::Zstd, filters: true };
    /// For what changed from one checkpoint to the next: written all the time beside the work itself, and soon merged.
    /// The merge compresses.
    pub const DELTA: Self = Self { block_bytes: 64 << 10, codec: Codec::Raw, filters: false };
    /// For local runs that are looked into.
    pub const LOCAL: Self = Self { block_bytes: 3 << 10, codec: Codec::Raw, filters: true };
}

/// Writes a run front to back. What is finished can be handed on in between, so that a run needs not fit
/// into memory.
pub struct RunWriter {
    header: Vec<u8>,
    options: RunOptions,
    block: BlockBuilder,
    /// What the directory says of blocks and filters so far, and how many they are.
    block_infos: Vec<u8>,
    blocks: u64,
    filter_infos: Vec<u8>,
    filters: u64,
    /// Finished filters, which follow the blocks.
    filter_bytes: Vec<u8>,
    hashes: Hashes,
    /// Finished bytes that were not handed on.
    out: Vec<u8>,
    /// Number of bytes before `out`, which were handed on.
    taken: u64,
    raw: Vec<u8>,
    last: Option<Last>,
    compressor: Option<zstd::bulk::Compressor<'static>>,
}

/// The last entry's place in the order.
struct Last {
    group: u32,
    key: Vec<u8>,
    map_key: Vec<u8>,
}

/// What the next filter is made of.
#[derive(Default)]
struct Hashes {
    hashes: Vec<u64>,
    /// The hash of the last key; `None` when it is not in the filter.
    key: Option<u64>,
    /// Blocks of the filter so far.
    blocks: u64,
}

/// Encodes sorted entries as a run.
///
/// # Errors
/// When the entries are not sorted, or one comes twice.
pub fn encode(header: &[u8], entries: &Entries, options: RunOptions) -> Result<Vec<u8>> {
    let mut writer = RunWriter::with_options(header, options)?;
    for entry in entries.iter() {
        writer.push(entry)?;
    }
    writer.finish()
}

impl RunWriter {
    /// A writer of a run for a checkpoint, with this header.
    ///
    /// # Errors
    /// When the compressor cannot be set up.
    pub fn new(header: &[u8]) -> Result<Self> {
        Self::with_options(header, RunOptions::STORED)
    }

    /// A writer of a run with this header.
    ///
    /// # Errors
    /// When the compressor cannot be set up.
    pub fn with_options(header: &[u8], options: RunOptions) -> Result<Self> {
        let compressor = match options.codec {
            Codec::Raw => None,
            Codec::Zstd => Some(zstd::bulk::Compressor::new(ZSTD_LEVEL).map_err(compression_failed)?),
        };
        Ok(Self {
            header: header.to_vec(),
            options,
            block: BlockBuilder::default(),
            block_infos: vec![],
            blocks: 0,
            filter_infos: vec![],
            filters: 0,
            filter_bytes: vec![],
            hashes: Hashes::default(),
            out: vec![],
            taken: 0,
            raw: vec![],
            last: None,
            compressor,
        })
    }

    /// Adds an entry behind the others.
    ///
    /// # Errors
    /// When it does not come after the entry before.
    pub fn push(&mut self, entry: EntryRef<'_>) -> Result<()> {
        let same_key = self.check_order(entry)?;
        if self.options.filters {
            self.hashes.push(entry, same_key);
        }
        self.block.push(entry);
        if self.block.bytes() >= self.options.block_bytes { self.finish_block() } else { Ok(()) }
    }

    /// Adds the rest of a stream, such as a [`Merge`](super::Merge) of runs that become one.
    ///
    /// # Errors
    /// When the stream cannot be read or is not sorted.
    pub fn extend(&mut self, stream: &mut dyn EntryStream) -> Result<()> {
        while stream.advance()? {
            self.push(stream.entry())?;
        }
        Ok(())
    }

    /// Size of the blocks so far, bytes.
    pub fn bytes(&self) -> u64 {
        self.taken + self.out.len() as u64
    }

    /// Hands on what is finished, if it makes a part. It precedes what is handed on next, and [`RunWriter::finish`].
    ///
    /// # Errors
    /// What `out` returns.
    #[inline]
    pub fn write_finished(&mut self, out: WritePart<'_>) -> Result<()> {
        if self.out.len() < PART_BYTES {
            return Ok(());
        }
        out(&self.out)?;
        self.taken += self.out.len() as u64;
        self.out.clear();
        Ok(())
    }

    /// Writes the rest of a stream, and the run behind what was handed on before, part by part. The number of entries.
    ///
    /// # Errors
    /// When the stream cannot be read or is not sorted; what `out` returns.
    pub fn write_all(mut self, stream: &mut dyn EntryStream, out: WritePart<'_>) -> Result<u64> {
        let mut entries = 0;
        while stream.advance()? {
            self.push(stream.entry())?;
            self.write_finished(out)?;
            entries += 1;
        }
        out(&self.finish()?)?;
        Ok(entries)
    }

    /// Memory that a writer with these options takes at most, but for filters, which take a bit more than a byte an
    /// entry until the run is finished.
    pub const fn memory_bytes(options: RunOptions) -> u64 {
        let hashes = if options.filters { FILTER_HASHES * size_of::<u64>() } else { 0 };
        (PART_BYTES + 4 * options.block_bytes + hashes) as u64
    }

    /// The run; without what was handed on before.
    ///
    /// # Errors
    /// When compression fails.
    pub fn finish(mut self) -> Result<Vec<u8>> {
        if self.block.entries > 0 {
            self.finish_block()?;
        }
        if self.hashes.blocks > 0 {
            self.finish_filter();
        }
        let filters = std::mem::take(&mut self.filter_bytes);
        self.out.extend_from_slice(&filters);
        let offset = self.bytes();
        let (blocks, filters) = ((self.blocks, &*self.block_infos), (self.filters, &*self.filter_infos));
        let directory = directory(&self.header, blocks, filters);
        self.out.extend_from_slice(&directory);
        put_footer(&directory, offset, VERSION_SORTED, &mut self.out)?;
        Ok(self.out)
    }

    /// Whether the entry has the key of the one before, behind which it must come.
    fn check_order(&mut self, entry: EntryRef<'_>) -> Result<bool> {
        let Some(last) = &mut self.last else {
            let (key, map_key) = (entry.key.to_vec(), entry.map_key.to_vec());
            self.last = Some(Last { group: entry.group, key, map_key });
            return Ok(false);
        };
        let key_order = (last.group, last.key.as_slice()).cmp(&(entry.group, entry.key));
        if key_order.then_with(|| last.map_key.as_slice().cmp(entry.map_key)) != Ordering::Less {
            return Err(Error::internal("the entries of a run are not sorted, or one comes twice"));
        }
        last.map_key.clear();
        last.map_key.extend_from_slice(entry.map_key);
        if key_order.is_eq() {
            return Ok(true);
        }
        last.group = entry.group;
        last.key.clear();
        last.key.extend_from_slice(entry.key);
        Ok(false)
    }

    fn finish_block(&mut self) -> Result<()> {
        let block = &self.block;
        let (first_group, last_group, entries, deletions) =
            (block.first_group, block.last_group, block.entries, block.deletions);
        let (key, map_key) = (self.block.first_key.clone(), self.block.first_map_key.clone());
        let start = self.out.len();
        let (codec, raw_len) = self.store()?;
        let stored = &self.out[start..];
        let (stored_len, checksum) = (stored.len() as u64, checksum(stored));
        let info = WrittenBlock { stored_len, raw_len, codec, first_group, last_group, entries, deletions, checksum };
        put_block(&info, &mut self.block_infos);
        put_varint(key.len() as u64, &mut self.block_infos);
        put_varint(map_key.len() as u64, &mut self.block_infos);
        self.block_infos.extend_from_slice(&key);
        self.block_infos.extend_from_slice(&map_key);
        self.blocks += 1;
        self.hashes.blocks += u64::from(self.options.filters);
        if self.hashes.hashes.len() >= FILTER_HASHES {
            self.finish_filter();
        }
        Ok(())
    }

    /// Appends the rows of a block to the finished bytes; how they are stored, and their size without that.
    fn store(&mut self) -> Result<(u8, u64)> {
        let Some(compressor) = &mut self.compressor else {
            let start = self.out.len();
            self.block.finish(&mut self.out);
            return Ok((CODEC_RAW, (self.out.len() - start) as u64));
        };
        self.raw.clear();
        self.block.finish(&mut self.raw);
        let compressed = compressor.compress(&self.raw).map_err(compression_failed)?;
        let (codec, stored) =
            if compressed.len() < self.raw.len() { (CODEC_ZSTD, &compressed) } else { (CODEC_RAW, &self.raw) };
        self.out.extend_from_slice(stored);
        Ok((codec, self.raw.len() as u64))
    }

    fn finish_filter(&mut self) {
        let start = self.filter_bytes.len();
        Filter::of(&self.hashes.hashes).write(&mut self.filter_bytes);
        let filter = &self.filter_bytes[start..];
        put_varint(self.hashes.blocks, &mut self.filter_infos);
        put_varint(filter.len() as u64, &mut self.filter_infos);
        self.filter_infos.extend_from_slice(&checksum(filter).to_le_bytes());
        self.filters += 1;
        self.hashes.hashes.clear();
        self.hashes.key = None;
        self.hashes.blocks = 0;
    }
}

impl Hashes {
    fn push(&mut self, entry: EntryRef<'_>, same_key: bool) {
        let key = match self.key.filter(|_| same_key) {
            Some(key) => key,
            None => {
                let key = hash_key(entry.key);
                self.hashes.push(key);
                self.key = Some(key);
                key
            }
        };
        if !entry.map_key.is_empty() {
            self.hashes.push(hash_entry(key, entry.map_key));
        }
    }
}

fn compression_failed(e: std::io::Error) -> Error {
    Error::internal(format!("a block of a run cannot be compressed: {e}")).with_source(e)
}
