//! Rows of a SELECT that a client in another process fetches.
//!
//! A writer keeps its batches until they are fetched ([`Stream`]); the client asks for them by way of the JobManager and
//! says with every question what it has ([`Fetcher`]). Batches are numbered from 0, so that an answer that is lost is
//! asked for again and none counts twice.
//!
//! ```text
//! client                                       writer
//!   Request { version, received: n } ──────▶   forgets the batches below n
//!   ◀────── Answer { version, stable, batches n, n+1 .. }
//! ```
//!
//! A *version* is one execution of the task; a restart begins another one, from a checkpoint. The batches that a
//! checkpoint's writer state knows, those below *stable*, are the same in all versions from it on; those above may come
//! again in another order. What a client hands out follows from that ([`Guarantee`]). The state also knows up to which
//! number earlier versions on its way had the same batches: a client that comes with one of those keeps these and forgets
//! what it has above. Other versions left no checkpoint behind: there it keeps what was stable to its knowledge.
//!
//! Bounds: a stream holds [`CHANNEL_BYTES_MAX`](super::CHANNEL_BYTES_MAX) and one batch, an answer
//! [`ANSWER_BYTES_MAX`] and one batch, a fetcher [`HELD_BYTES_MAX`]. A task does not end before all its rows are
//! fetched, and fails when nobody has asked for the time of `client.heartbeat.timeout`: its client is gone.

mod fetcher;
mod stream;
#[cfg(test)]
mod tests;
mod writer;

pub(super) use fetcher::rows_would_repeat;
pub use fetcher::{Fetcher, Guarantee, HELD_BYTES_MAX};
pub use stream::{Shape, Stream};
pub(super) use writer::RemoteWriter;

use headwater_types::{Error, Result};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

/// Bytes of rows in an answer, but for its last batch.
pub const ANSWER_BYTES_MAX: u64 = 1 << 20;

/// How a client asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Request {
    /// The version that it has rows of; 0 for none.
    pub version: u64,
    /// It has all batches below this number.
    pub received: u64,
    /// Bytes that it takes now; 0 only says that it is still there.
    pub bytes_max: u64,
}

/// What a writer answers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Answer {
    /// Its version. If it is another one than the client's, there are no rows in the answer.
    pub version: u64,
    /// Batches below this number are part of a completed checkpoint.
    pub stable: u64,
    /// Number of the first batch that the writer holds.
    pub first: u64,
    /// Of another version of the client: batches below this number are the same. `None` when the writer does not know.
    pub common: Option<u64>,
    /// The batches from the one on that was asked for.
    pub rows: Vec<u8>,
}

/// The name by which the writer of a subtask is asked.
pub fn target(id: &str, subtask: u32) -> String {
    format!("collect/{id}/{subtask}")
}

/// A request, an answer or the state of a stream as bytes.
///
/// # Errors
/// When it cannot be encoded.
pub fn to_bytes<T: Serialize>(value: &T) -> Result<Vec<u8>> {
    postcard::to_stdvec(value).map_err(|e| Error::internal("a message about rows cannot be encoded").with_source(e))
}

/// The other way round.
///
/// # Errors
/// When the bytes are not what [`to_bytes`] made of such a value.
pub fn of_bytes<T: DeserializeOwned>(bytes: &[u8]) -> Result<T> {
    let message = "a message about rows cannot be read: run the same version of Headwater on all hosts";
    postcard::from_bytes(bytes).map_err(|e| Error::user("bad-message", message).with_source(e))
}
