//! The bytes of a split in large blocks, where a record cut off by the end of a block is carried to the next.

use super::compression::Compression;
use super::files::Files;
use super::listing::cannot_read;
use super::split::FileSplit;
use headwater_types::{Error, Result};
use std::io::{Read, SeekFrom};
use std::path::PathBuf;

/// Bytes that are read at once.
const BLOCK_BYTES: usize = 1 << 20;
/// A record longer than this is taken for a file that is no record file.
const RECORD_BYTES_MAX: usize = 256 << 20;

/// Reads a split.
pub(super) struct Blocks {
    path: PathBuf,
    input: Box<dyn Read + Send>,
    /// Room for bytes; those up to `filled` are read.
    buffer: Vec<u8>,
    filled: usize,
    /// Consumed bytes at the front of the buffer.
    consumed: usize,
    /// Position in the (decompressed) file of the first byte of the buffer.
    offset: u64,
    /// Where records of the split begin at the latest; the end of a compressed file is not known.
    end: u64,
    at_end: bool,
    /// Bytes read since [`Blocks::take_read`].
    read: u64,
}

impl Blocks {
    /// Opens a split and moves to its first record, reusing `buffer`.
    pub(super) fn open(files: &Files, split: &FileSplit, buffer: Vec<u8>) -> Result<Self> {
        let path = split.path.clone();
        let mut file = files.open(&path, split.size)?;
        let mut offset = 0;
        let compression = Compression::of(&path);
        let input: Box<dyn Read + Send> = match compression {
            Some(compression) => compression.reader(file).map_err(|e| cannot_read(&path, e))?,
            None => {
                offset = split.resume.map_or(split.start.saturating_sub(1), |resume| resume.offset);
                file.seek(SeekFrom::Start(offset)).map_err(|e| cannot_read(&path, e))?;
                file
            }
        };
        let end = if compression.is_some() { u64::MAX } else { split.end };
        let mut blocks = Self { path, input, buffer, filled: 0, consumed: 0, offset, end, at_end: false, read: 0 };
        if let Some(resume) = split.resume {
            blocks.skip_to(resume.offset)?;
        } else if offset < split.start {
            blocks.skip_line()?;
        } else if split.start == 0 {
            blocks.skip_byte_order_mark()?;
        }
        Ok(blocks)
    }

    fn skip_byte_order_mark(&mut self) -> Result<()> {
        self.fill()?;
        if self.unread().starts_with(b"\xEF\xBB\xBF") {
            self.consume(3);
        }
        Ok(())
    }

    /// Skips to a position; of a compressed file by reading up to there.
    fn skip_to(&mut self, position: u64) -> Result<()> {
        while self.position() < position {
            if self.unread().is_empty() && self.at_end {
                let message = format!("'{}' is shorter than when it was read before", self.path.display());
                return Err(Error::user("file-changed", message));
            }
            let step = (position - self.position()).min(self.unread().len() as u64);
            self.consume(step as usize);
            if self.unread().is_empty() {
                self.fill()?;
            }
        }
        Ok(())
    }

    /// Skips to the byte after the next line feed.
    fn skip_line(&mut self) -> Result<()> {
        loop {
            if let Some(at) = memchr::memchr(b'\n', self.unread()) {
                self.consume(at + 1);
                return Ok(());
            }
            self.consume(self.unread().len());
            if self.at_end {
                return Ok(());
            }
            self.fill()?;
        }
    }

    fn unread(&self) -> &[u8] {
        &self.buffer[self.consumed..self.filled]
    }

    /// Position in the file of the next unread byte.
    pub(super) fn position(&self) -> u64 {
        self.offset + self.consumed as u64
    }

    /// Counts bytes as done with.
    pub(super) fn consume(&mut self, bytes: usize) {
        self.consumed += bytes;
    }

    /// The unread bytes that belong to the split, and whether no more will follow them.
    pub(super) fn available(&self) -> (&[u8], bool) {
        let unread = self.unread();
        // The last record begins before `end`: it goes on to the first line feed at or after `end - 1`.
        let to_end = self.end.saturating_sub(self.position()) as usize;
        if to_end == 0 {
            return (&[], true);
        }
        match unread.get(to_end - 1..).and_then(|rest| memchr::memchr(b'\n', rest)) {
            Some(at) => (&unread[..to_end + at], true),
            None => (unread, self.at_end),
        }
    }

    /// Reads the next block.
    pub(super) fn fill(&mut self) -> Result<()> {
        self.offset += self.consumed as u64;
        self.buffer.copy_within(self.consumed..self.filled, 0);
        self.filled -= self.consumed;
        self.consumed = 0;
        if self.filled > RECORD_BYTES_MAX {
            let message = format!(
                "a record of '{}' at byte {} is longer than {} MiB",
                self.path.display(),
                self.offset,
                RECORD_BYTES_MAX >> 20
            );
            return Err(Error::user("record-too-long", message));
        }
        // Long records double the step, so that their cost stays linear.
        let target = self.filled + BLOCK_BYTES.max(self.filled);
        if self.buffer.len() < target {
            self.buffer.resize(target, 0);
        }
        let before = self.filled;
        while self.filled < target && !self.at_end {
            match self.input.read(&mut self.buffer[self.filled..target]) {
                Ok(0) => self.at_end = true,
                Ok(read) => self.filled += read,
                Err(e) if e.kind() == std::io::ErrorKind::Interrupted => {}
                Err(e) => return Err(cannot_read(&self.path, e)),
            }
        }
        self.read += (self.filled - before) as u64;
        Ok(())
    }

    /// Bytes read since the last call.
    pub(super) fn take_read(&mut self) -> u64 {
        std::mem::take(&mut self.read)
    }

    /// Gives the buffer back for the next split.
    pub(super) fn into_buffer(self) -> Vec<u8> {
        self.buffer
    }
}
