//! Parquet files that are read in ranges: those of an object store.

use bytes::Bytes;
use parquet::errors::{ParquetError, Result};
use parquet::file::reader::{ChunkReader, Length};
use std::io::{self, Read};
use std::ops::Range;
use std::sync::Arc;

/// Bytes that are fetched at once where a reader does not say how many it needs.
const STEP_BYTES: u64 = 256 << 10;

/// A file that can be read in ranges.
pub trait Ranges: Send + Sync + 'static {
    /// Its size in bytes.
    fn size(&self) -> u64;

    /// Reads a range that lies in the file.
    ///
    /// # Errors
    /// When it cannot be read whole.
    fn read(&self, range: Range<u64>) -> io::Result<Bytes>;
}

/// A file in ranges, as the Parquet reader takes it.
pub(super) struct RangesFile<R>(pub(super) Arc<R>);

impl<R: Ranges> Length for RangesFile<R> {
    fn len(&self) -> u64 {
        self.0.size()
    }
}

impl<R: Ranges> ChunkReader for RangesFile<R> {
    type T = Sequential<R>;

    fn get_read(&self, start: u64) -> Result<Self::T> {
        Ok(Sequential { file: self.0.clone(), next: start, block: Bytes::new() })
    }

    fn get_bytes(&self, start: u64, length: usize) -> Result<Bytes> {
        let end = start.saturating_add(length as u64);
        if end > self.0.size() {
            return Err(ParquetError::EOF(format!("bytes {start} to {end} are behind the end of the file")));
        }
        self.0.read(start..end).map_err(|e| ParquetError::External(Box::new(e)))
    }
}

/// Reads from a position on.
pub(super) struct Sequential<R> {
    file: Arc<R>,
    next: u64,
    block: Bytes,
}

impl<R: Ranges> Read for Sequential<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        if self.block.is_empty() {
            let end = (self.next + STEP_BYTES).min(self.file.size());
            self.block = self.file.read(self.next..end.max(self.next))?;
            self.next = end;
        }
        let length = self.block.len().min(into.len());
        into[..length].copy_from_slice(&self.block.split_to(length));
        Ok(length)
    }
}
