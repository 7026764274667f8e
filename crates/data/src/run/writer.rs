//! Writing runs.

use super::block::BlockBuilder;
use super::{
    BLOCK_BYTES, BlockInfo, CODEC_RAW, CODEC_ZSTD, Entries, EntryRef, EntryStream, MAGIC, VERSION, checksum, put_varint,
};
use headwater_types::{Error, Result};
use std::cmp::Ordering;

/// The fastest ordinary level: runs are written far more often than read.
const ZSTD_LEVEL: i32 = 1;

/// Writes a run front to back. What is finished can be taken away in between, so that a run needs not fit
/// into memory.
pub struct RunWriter {
    header: Vec<u8>,
    block: BlockBuilder,
    blocks: Vec<BlockInfo>,
    /// Finished bytes that were not taken.
    out: Vec<u8>,
    /// Number of bytes before `out`.
    taken: u64,
    raw: Vec<u8>,
    last: Option<Last>,
    compressor: zstd::bulk::Compressor<'static>,
}

/// The last entry's place in the order.
struct Last {
    group: u32,
    key: Vec<u8>,
    map_key: Vec<u8>,
}

/// Encodes sorted entries as a run.
///
/// # Errors
/// When the entries are not sorted, or one comes twice.
pub fn encode(header: &[u8], entries: &Entries) -> Result<Vec<u8>> {
    let mut writer = RunWriter::new(header)?;
    for entry in entries.iter() {
        writer.push(entry)?;
    }
    writer.finish()
}

impl RunWriter {
    /// A run without entries.
    ///
    /// # Errors
    /// When the compressor cannot be set up.
    pub fn new(header: &[u8]) -> Result<Self> {
        Ok(Self {
            header: header.to_vec(),
            block: BlockBuilder::default(),
            blocks: vec![],
            out: vec![],
            taken: 0,
            raw: vec![],
            last: None,
            compressor: zstd::bulk::Compressor::new(ZSTD_LEVEL).map_err(compression_failed)?,
        })
    }

    /// Adds an entry behind the others.
    ///
    /// # Errors
    /// When it does not come after the entry before.
    pub fn push(&mut self, entry: EntryRef<'_>) -> Result<()> {
        self.check_order(entry)?;
        self.block.push(entry);
        if self.block.bytes() >= BLOCK_BYTES { self.finish_block() } else { Ok(()) }
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

    /// Size of the run so far, bytes.
    pub fn bytes(&self) -> u64 {
        self.taken + self.out.len() as u64
    }

    /// Takes the bytes that are finished since the last call. They precede those of the next call and of
    /// [`RunWriter::finish`].
    pub fn take_finished(&mut self) -> Vec<u8> {
        self.taken += self.out.len() as u64;
        std::mem::take(&mut self.out)
    }

    /// The run; without what was taken before.
    ///
    /// # Errors
    /// When compression fails.
    pub fn finish(mut self) -> Result<Vec<u8>> {
        if self.block.entries > 0 {
            self.finish_block()?;
        }
        let directory = self.directory();
        let length =
            u32::try_from(directory.len()).map_err(|_| Error::internal("the directory of a run is too large"))?;
        let offset = self.bytes();
        self.out.extend_from_slice(&directory);
        self.out.extend_from_slice(&offset.to_le_bytes());
        self.out.extend_from_slice(&length.to_le_bytes());
        self.out.extend_from_slice(&checksum(&directory).to_le_bytes());
        self.out.extend_from_slice(&[0; 4]);
        self.out.push(VERSION);
        self.out.extend_from_slice(MAGIC);
        Ok(self.out)
    }

    fn check_order(&mut self, entry: EntryRef<'_>) -> Result<()> {
        let Some(last) = &mut self.last else {
            let (key, map_key) = (entry.key.to_vec(), entry.map_key.to_vec());
            self.last = Some(Last { group: entry.group, key, map_key });
            return Ok(());
        };
        let before = EntryRef { group: last.group, key: &last.key, map_key: &last.map_key, value: None };
        if before.order(&entry) != Ordering::Less {
            return Err(Error::internal("the entries of a run are not sorted, or one comes twice"));
        }
        last.group = entry.group;
        last.key.clear();
        last.key.extend_from_slice(entry.key);
        last.map_key.clear();
        last.map_key.extend_from_slice(entry.map_key);
        Ok(())
    }

    fn finish_block(&mut self) -> Result<()> {
        let block = &self.block;
        let (first_group, last_group, entries, deletions) =
            (block.first_group, block.last_group, block.entries, block.deletions);
        self.raw.clear();
        self.block.finish(&mut self.raw);
        let offset = self.bytes();
        let compressed = self.compressor.compress(&self.raw).map_err(compression_failed)?;
        let (codec, stored) =
            if compressed.len() < self.raw.len() { (CODEC_ZSTD, &compressed) } else { (CODEC_RAW, &self.raw) };
        self.blocks.push(BlockInfo {
            offset,
            stored_len: stored.len() as u64,
            raw_len: self.raw.len() as u64,
            codec,
            first_group,
            last_group,
            entries,
            deletions,
            checksum: checksum(stored),
        });
        self.out.extend_from_slice(stored);
        Ok(())
    }

    fn directory(&self) -> Vec<u8> {
        let mut out = vec![];
        put_varint(self.header.len() as u64, &mut out);
        out.extend_from_slice(&self.header);
        put_varint(self.blocks.len() as u64, &mut out);
        for block in &self.blocks {
            put_varint(block.stored_len, &mut out);
            put_varint(block.raw_len, &mut out);
            out.push(block.codec);
            put_varint(u64::from(block.first_group), &mut out);
            put_varint(u64::from(block.last_group), &mut out);
            put_varint(block.entries, &mut out);
            put_varint(block.deletions, &mut out);
            out.extend_from_slice(&block.checksum.to_le_bytes());
        }
        out
    }
}

fn compression_failed(e: std::io::Error) -> Error {
    Error::internal(format!("a block of a run cannot be compressed: {e}")).with_source(e)
}
