//! From a subtask's snapshot to its part of the manifest: encodes, uploads, names.
//!
//! One file holds all runs of a subtask, another its large opaque values: few large requests instead of many
//! small ones. Runs may be named by later checkpoints, opaque values are not. Files are encoded part by part into an
//! upload, so that it does not matter how much changed; the uploads of a process share the memory that takes. An upload
//! that fails, or whose checkpoint is given up, leaves no file.

use super::channels;
use super::tail::Tail;
use headwater_checkpoint::assemble::{ListPart, OperatorPart, SubtaskPart};
use headwater_checkpoint::coordinator::AckStatistics;
use headwater_checkpoint::layout;
use headwater_checkpoint::manifest::{Blob, Channel, Checksum, Place, Spread};
use headwater_data::run::WritePart;
use headwater_env::{Env, ObjectWriter, Storage};
use headwater_runtime::checkpoint::{ChannelState, OperatorState, SnapshotStats};
use headwater_runtime::{CheckpointMemory, SubtaskSnapshot};
use headwater_types::ids::SubtaskId;
use headwater_types::{Error, Result};
use std::sync::Arc;

/// What uploads of a job need.
pub(crate) struct UploadContext {
    pub(crate) env: Env,
    pub(crate) storage: Arc<dyn Storage>,
    pub(crate) memory: CheckpointMemory,
    pub(crate) inline_bytes: u64,
    /// How each edge of the graph spreads rows.
    pub(crate) spreads: Vec<Spread>,
}

/// Whether a checkpoint was given up meanwhile.
pub(super) type IsAborted<'a> = &'a dyn Fn() -> bool;

/// A file in the making. Starts when there is something to write; dropped before it is finished, it leaves nothing.
pub(super) struct StateFile<'a> {
    file: String,
    storage: &'a dyn Storage,
    is_aborted: IsAborted<'a>,
    object: Option<Box<dyn ObjectWriter + 'a>>,
    bytes: u64,
}

impl<'a> StateFile<'a> {
    fn new(file: String, storage: &'a dyn Storage, is_aborted: IsAborted<'a>) -> Self {
        Self { file, storage, is_aborted, object: None, bytes: 0 }
    }

    /// Adds what `write` writes behind the rest.
    pub(super) fn append(&mut self, write: impl FnOnce(WritePart<'_>) -> Result<()>) -> Result<Place> {
        let object = match &mut self.object {
            Some(object) => object,
            none => none.insert(self.storage.put_stream(&self.file)?),
        };
        let (offset, mut bytes, mut checksum) = (self.bytes, self.bytes, Checksum::default());
        write(&mut |part| {
            if (self.is_aborted)() {
                return Err(Error::cancelled());
            }
            checksum.update(part);
            bytes += part.len() as u64;
            object.write(part)
        })?;
        self.bytes = bytes;
        Ok(Place { file: self.file.clone(), offset, bytes: bytes - offset, checksum: checksum.value() })
    }

    /// The file is in storage unless it is empty; its size.
    fn finish(self) -> Result<u64> {
        self.object.map_or(Ok(()), ObjectWriter::finish)?;
        Ok(self.bytes)
    }
}

/// The part of a subtask, once everything is in storage.
pub(super) fn upload(
    context: &UploadContext,
    subtask: SubtaskId,
    snapshot: SubtaskSnapshot,
    tail: &mut Tail,
    is_aborted: IsAborted<'_>,
) -> Result<(SubtaskPart, AckStatistics)> {
    let (checkpoint, storage) = (snapshot.barrier.checkpoint, context.storage.as_ref());
    let random = context.env.random_u64();
    let stats = snapshot.stats;
    let operators = keep(snapshot.operators, checkpoint, tail);
    let (writes_bytes, encoding_bytes) = tail.writing_bytes();
    // What is small is sent from one buffer that grows as it fills.
    let _memory =
        context.memory.uploads.wait_for(encoding_bytes + writes_bytes.saturating_mul(2).min(storage.stream_bytes()));
    let mut runs = StateFile::new(layout::run_file(checkpoint, subtask, random), storage, is_aborted);
    let pending = tail.write(&mut runs)?;
    let run_bytes = runs.finish()?;
    tail.stored(pending);
    let file = StateFile::new(layout::blob_file(checkpoint, subtask, random), storage, is_aborted);
    let mut blobs = Blobs { file, inline_bytes: context.inline_bytes };
    let part = SubtaskPart {
        finished: snapshot.finished,
        splits: blobs.all(snapshot.splits.into_iter().map(|split| split.0))?,
        operators: operators.into_iter().map(|operator| operator.part(tail, &mut blobs)).collect::<Result<_>>()?,
        writer: blobs.all(snapshot.writer)?,
        committables: snapshot
            .committables
            .into_iter()
            .map(|(of, items)| Ok((of, blobs.all(items.into_iter().map(|item| item.0))?)))
            .collect::<Result<_>>()?,
        channels: channels_of(subtask, &snapshot.channel_state, &context.spreads, &mut blobs)?,
    };
    let bytes = run_bytes + blobs.file.finish()?;
    Ok((part, statistics(stats, bytes)))
}

/// Moves what changed into the tail, and returns the rest of the operators' states.
pub(super) fn keep(operators: Vec<OperatorState>, checkpoint: u64, tail: &mut Tail) -> Vec<Rest> {
    let mut rest = vec![];
    for operator in operators {
        for delta in operator.snapshot.tables {
            tail.push(checkpoint, &operator.uid, delta);
        }
        rest.push(Rest { uid: operator.uid, watermark: operator.watermark, lists: operator.snapshot.lists });
    }
    rest
}

/// An operator's state without its tables.
pub(super) struct Rest {
    uid: String,
    watermark: i64,
    lists: Vec<headwater_state::ListSnapshot>,
}

impl Rest {
    fn part(self, tail: &Tail, blobs: &mut Blobs<'_>) -> Result<OperatorPart> {
        let mut lists = vec![];
        for list in self.lists {
            let items = blobs.all(list.items)?;
            lists.push(ListPart { name: list.name, redistribution: list.redistribution, items });
        }
        Ok(OperatorPart { tables: tail.parts(&self.uid), uid: self.uid, watermark: self.watermark, lists })
    }
}

/// Opaque values: small ones stay, large ones go to a file.
struct Blobs<'a> {
    file: StateFile<'a>,
    inline_bytes: u64,
}

impl Blobs<'_> {
    fn one(&mut self, bytes: Vec<u8>) -> Result<Blob> {
        if bytes.len() as u64 <= self.inline_bytes {
            Ok(Blob::Inline(bytes))
        } else {
            self.file.append(|out| out(&bytes)).map(Blob::Stored)
        }
    }

    fn all(&mut self, items: impl IntoIterator<Item = Vec<u8>>) -> Result<Vec<Blob>> {
        items.into_iter().map(|item| self.one(item)).collect()
    }
}

fn channels_of(
    subtask: SubtaskId,
    states: &[ChannelState],
    spreads: &[Spread],
    blobs: &mut Blobs<'_>,
) -> Result<Vec<Channel>> {
    let mut found = vec![];
    for state in states.iter().filter(|state| !state.batches.is_empty()) {
        let spread = spreads.get(state.edge as usize).copied().unwrap_or(Spread::Any);
        let rows = blobs.one(channels::encode(&state.batches)?)?;
        found.push(Channel { subtask: subtask.index, edge: state.edge, spread, rows });
    }
    Ok(found)
}

fn statistics(stats: SnapshotStats, bytes: u64) -> AckStatistics {
    AckStatistics {
        bytes,
        alignment_ms: stats.alignment_ms,
        sync_us: stats.sync_us,
        overtaken_bytes: stats.overtaken_bytes,
    }
}

#[cfg(test)]
mod tests;
