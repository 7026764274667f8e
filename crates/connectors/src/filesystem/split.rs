//! A range of a file, as enumerator and readers exchange it.
//!
//! A range holds the records whose first byte lies in it: a reader that starts in the middle skips to the first
//! byte after a line feed at or after `start - 1`, and reads the record that begins before `end` to its end.

use headwater_connector_api::Split;
use headwater_types::{Error, ErrorKind, Result};
use serde::{Deserialize, Serialize};
use std::path::PathBuf;

/// The range.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct FileSplit {
    /// The file.
    pub(super) path: PathBuf,
    /// First byte.
    pub(super) start: u64,
    /// The byte after the last.
    pub(super) end: u64,
    /// Size of the whole file when it was found.
    pub(super) size: u64,
    /// When the file was modified, in milliseconds since the epoch.
    pub(super) modified_ms: i64,
    /// Where to go on when part of the range was read before.
    pub(super) resume: Option<Resume>,
}

/// The first record of a range that was not emitted yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Resume {
    /// Its position in the (decompressed) file.
    pub(super) offset: u64,
    /// Lines of the range in front of it.
    pub(super) lines: u64,
    /// Rows of a columnar file in front of it.
    pub(super) rows: u64,
}

impl FileSplit {
    pub(super) fn encode(&self) -> Result<Split> {
        let bytes = postcard::to_allocvec(self)
            .map_err(|e| Error::user("bad-path", format!("the path '{}' is not UTF-8: {e}", self.path.display())))?;
        Ok(Split(bytes))
    }

    pub(super) fn decode(split: &Split) -> Result<Self> {
        postcard::from_bytes(&split.0)
            .map_err(|e| Error::new(ErrorKind::Corruption, "bad-split", format!("a file split cannot be read: {e}")))
    }
}
