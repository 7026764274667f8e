//! What writers hand to the committer and keep in checkpoints.

use super::upload::Parts;
use headwater_types::{Error, ErrorKind, Result};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use std::path::PathBuf;

/// A file that is not visible yet.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct StagedFile {
    /// Execution of the job that wrote it.
    pub(super) job: String,
    /// Partition directory, relative to the root.
    pub(super) directory: String,
    pub(super) content: Content,
}

/// Where a staged file is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Content {
    /// Under a hidden name.
    Local { staged: PathBuf, target: PathBuf },
    /// In parts.
    Object { key: String, parts: Parts },
}

/// A part of what a writer stages for a checkpoint.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Staged {
    /// To be made visible.
    File(StagedFile),
    /// How far the writer's time came, and the partitions that wait for theirs.
    Progress(Progress),
    /// A hidden file that another one has replaced: to be deleted.
    Replaced(PathBuf),
}

/// The partitions of a writer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Progress {
    /// Watermark or wall clock of the writer, by the trigger; the last time when no rows will follow.
    pub(super) time_ms: i64,
    /// Partitions with rows, and when they are complete.
    pub(super) pending: Vec<(String, i64)>,
}

/// A part of what a writer keeps in a checkpoint.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum WriterState {
    /// A file of records that stays open.
    Open(InProgress),
    /// Partitions that wait for their commit, and when they are complete.
    Pending(Vec<(String, i64)>),
}

/// A file of records that is open at a checkpoint.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct InProgress {
    pub(super) file: StagedFile,
    /// Bytes that belong to the checkpoint.
    pub(super) bytes: u64,
    pub(super) opened_ms: i64,
    pub(super) written_ms: i64,
}

/// Encodes a piece for a checkpoint.
pub(super) fn encode(piece: &impl Serialize) -> Result<Vec<u8>> {
    postcard::to_allocvec(piece).map_err(|e| Error::user("bad-path", format!("a path is not UTF-8: {e}")))
}

/// Decodes a piece of a checkpoint. `what` names it.
pub(super) fn decode<T: DeserializeOwned>(bytes: &[u8], what: &str) -> Result<T> {
    postcard::from_bytes(bytes).map_err(|e| {
        let message = format!("{what} of a file sink cannot be read from the checkpoint: {e}");
        Error::new(ErrorKind::Corruption, "bad-sink-state", message)
    })
}
