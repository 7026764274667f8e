//! What a writer stages for a committer: the records of an epoch, compressed.
//!
//! ```text
//! committable = version:u8 header-length:u32 header block* checksum:u64
//! header      = writer sequence subtask records         (postcard)
//! block       = compressed-length:u32 length:u32 zstd(frames)
//! ```
//!
//! Numbers are little-endian; the checksum is xxh3 of everything before it. Writer and sequence identify a committable
//! for ever: a writer draws its number at random when it starts and counts its committables from 0.

use super::frame::{Frames, Record};
use headwater_connector_api::Committable;
use headwater_types::{Error, ErrorKind, Result};
use serde::{Deserialize, Serialize};
use xxhash_rust::xxh3::xxh3_64;

const VERSION: u8 = 1;
/// Bytes of frames in a block.
const BLOCK_BYTES: usize = 1 << 20;
/// Frames of one record may be larger than a block, but not than what a broker could take.
const BLOCK_BYTES_MAX: usize = 1 << 30;
const LEVEL: i32 = 1;

/// Which committable this is, and what is in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Header {
    /// Number of the writer, drawn at random.
    pub(super) writer: u64,
    /// How many committables the writer made before.
    pub(super) sequence: u64,
    pub(super) subtask: u32,
    pub(super) records: u64,
}

/// Records that are being staged.
#[derive(Debug, Default)]
pub(super) struct Stage {
    frames: Vec<u8>,
    blocks: Vec<u8>,
    records: u64,
}

impl Stage {
    /// Adds a record.
    pub(super) fn add(&mut self, record: &Record<'_>) -> Result<()> {
        record.write(&mut self.frames);
        self.records += 1;
        self.compress_above(BLOCK_BYTES)
    }

    /// Adds frames of records.
    pub(super) fn add_frames(&mut self, frames: &[u8], records: u64) -> Result<()> {
        self.frames.extend_from_slice(frames);
        self.records += records;
        self.compress_above(BLOCK_BYTES)
    }

    fn compress_above(&mut self, bytes: usize) -> Result<()> {
        if self.frames.len() <= bytes {
            return Ok(());
        }
        let cannot = |e: std::io::Error| Error::internal(format!("staged records cannot be compressed: {e}"));
        let block = zstd::bulk::compress(&self.frames, LEVEL).map_err(cannot)?;
        self.blocks.extend_from_slice(&(block.len() as u32).to_le_bytes());
        self.blocks.extend_from_slice(&(self.frames.len() as u32).to_le_bytes());
        self.blocks.extend_from_slice(&block);
        self.frames.clear();
        Ok(())
    }

    /// Bytes that are staged.
    pub(super) fn bytes(&self) -> usize {
        self.blocks.len() + self.frames.len()
    }

    /// The staged records; `None` when there are none. Starts over empty.
    pub(super) fn take(&mut self, writer: u64, sequence: u64, subtask: u32) -> Result<Option<Committable>> {
        if self.records == 0 {
            return Ok(None);
        }
        self.compress_above(0)?;
        let header = Header { writer, sequence, subtask, records: std::mem::take(&mut self.records) };
        let header = postcard::to_allocvec(&header);
        let header = header.map_err(|e| Error::internal(format!("a committable cannot be encoded: {e}")))?;
        let mut bytes = vec![VERSION];
        bytes.extend_from_slice(&(header.len() as u32).to_le_bytes());
        bytes.extend_from_slice(&header);
        bytes.append(&mut self.blocks);
        bytes.extend_from_slice(&xxh3_64(&bytes).to_le_bytes());
        Ok(Some(Committable(bytes)))
    }
}

/// A committable that was checked.
#[derive(Debug, Clone, Copy)]
pub(super) struct Staged<'a> {
    pub(super) header: Header,
    blocks: &'a [u8],
}

fn corrupt(what: &str) -> Error {
    let message = format!("staged records of a Kafka sink in a checkpoint are damaged: {what}");
    Error::new(ErrorKind::Corruption, "bad-committable", message)
}

impl<'a> Staged<'a> {
    /// Checks and opens a committable.
    pub(super) fn open(committable: &'a Committable) -> Result<Self> {
        let (bytes, checksum) = committable.0.split_last_chunk::<8>().ok_or_else(|| corrupt("they are cut short"))?;
        if xxh3_64(bytes) != u64::from_le_bytes(*checksum) {
            return Err(corrupt("their checksum is another"));
        }
        let rest = match bytes.split_first() {
            Some((&VERSION, rest)) => rest,
            _ => return Err(corrupt("they are of an unknown version")),
        };
        let (length, rest) = number(rest)?;
        let (header, blocks) = rest.split_at_checked(length).ok_or_else(|| corrupt("their header is cut short"))?;
        let header = postcard::from_bytes(header).map_err(|e| corrupt(&format!("their header cannot be read: {e}")))?;
        Ok(Self { header, blocks })
    }

    /// Compressed bytes of the records.
    pub(super) fn bytes(&self) -> usize {
        self.blocks.len()
    }

    /// Hands all records to `take`, in the order they were staged.
    pub(super) fn each(&self, mut take: impl FnMut(&Record<'_>) -> Result<()>) -> Result<()> {
        let mut rest = self.blocks;
        let mut records = 0;
        while !rest.is_empty() {
            let (compressed, after) = number(rest)?;
            let (length, after) = number(after)?;
            let (block, after) = after.split_at_checked(compressed).ok_or_else(|| corrupt("a block is cut short"))?;
            rest = after;
            if length > BLOCK_BYTES_MAX {
                return Err(corrupt("a block is too large"));
            }
            let frames = zstd::bulk::decompress(block, length).map_err(|e| corrupt(&e.to_string()))?;
            for record in Frames::new(&frames) {
                take(&record?)?;
                records += 1;
            }
        }
        if records == self.header.records { Ok(()) } else { Err(corrupt("records are missing")) }
    }
}

fn number(bytes: &[u8]) -> Result<(usize, &[u8])> {
    let (number, rest) = bytes.split_first_chunk::<4>().ok_or_else(|| corrupt("they are cut short"))?;
    Ok((u32::from_le_bytes(*number) as usize, rest))
}
