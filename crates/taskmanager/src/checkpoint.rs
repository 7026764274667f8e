//! Checkpoints on this side: what subtasks hand over becomes bytes in storage, and back.
//!
//! ```text
//! lane: TaskEvents::snapshot ──> queue of the subtask ──> I/O thread: encode, upload ──> CheckpointAck
//! ```
//!
//! Invariants:
//! * The reports of a subtask leave in the order in which it made them; its `Finished` is the last.
//! * What an operator handed over is never lost: the runs of a checkpoint that failed are part of the next one.

mod channels;
mod merge;
mod queue;
mod restore;
mod tail;
mod upload;

pub(crate) use merge::merge;
pub(crate) use queue::{Report, Uploads};
pub(crate) use restore::Source;
pub(crate) use upload::UploadContext;

use headwater_checkpoint::manifest::{Place, checksum};
use headwater_env::Storage;
use headwater_types::{Error, ErrorKind, Result};

/// Reads a place and checks that it is what was written.
pub(crate) fn read_place(storage: &dyn Storage, place: &Place) -> Result<Vec<u8>> {
    let bytes = storage.get_range(&place.file, place.offset..place.offset + place.bytes)?;
    if checksum(&bytes) == place.checksum {
        return Ok(bytes);
    }
    let (file, offset) = (&place.file, place.offset);
    let message = format!("the checkpoint file '{file}' is damaged: its checksum at byte {offset} does not match");
    Err(Error::new(ErrorKind::Corruption, "checkpoint-corrupt", message))
}
