//! From a subtask's snapshot to its part of the manifest: encodes, uploads, names.
//!
//! One file holds all runs of a subtask, another its large opaque values: few large requests instead of many
//! small ones. Runs may be named by later checkpoints, opaque values are not.

use super::channels;
use super::tail::Tail;
use headwater_checkpoint::assemble::{ListPart, OperatorPart, SubtaskPart};
use headwater_checkpoint::coordinator::AckStatistics;
use headwater_checkpoint::layout;
use headwater_checkpoint::manifest::{Blob, Channel, Checksum, Place, Spread, checksum};
use headwater_env::{Env, ObjectWriter, Storage};
use headwater_runtime::SubtaskSnapshot;
use headwater_runtime::checkpoint::{ChannelState, OperatorState, SnapshotStats};
use headwater_types::Result;
use headwater_types::ids::SubtaskId;
use std::sync::Arc;

/// What uploads of a job need.
pub(crate) struct UploadContext {
    pub(crate) env: Env,
    pub(crate) storage: Arc<dyn Storage>,
    pub(crate) inline_bytes: u64,
    /// How each edge of the graph spreads rows.
    pub(crate) spreads: Vec<Spread>,
}

/// A file of runs in the making. Starts when there is something to write.
pub(super) struct RunFile<'a> {
    file: String,
    storage: &'a dyn Storage,
    object: Option<Box<dyn ObjectWriter + 'a>>,
    bytes: u64,
}

impl<'a> RunFile<'a> {
    fn new(file: String, storage: &'a dyn Storage) -> Self {
        Self { file, storage, object: None, bytes: 0 }
    }

    /// Adds a run behind the others.
    pub(super) fn append(&mut self, parts: &[Vec<u8>]) -> Result<Place> {
        let object = match &mut self.object {
            Some(object) => object,
            none => none.insert(self.storage.put_stream(&self.file)?),
        };
        let (offset, mut checksum) = (self.bytes, Checksum::default());
        for part in parts {
            checksum.update(part);
            object.write(part)?;
            self.bytes += part.len() as u64;
        }
        Ok(Place { file: self.file.clone(), offset, bytes: self.bytes - offset, checksum: checksum.value() })
    }

    /// The file is in storage unless it is empty; its size.
    fn finish(self) -> Result<u64> {
        self.object.map_or(Ok(()), ObjectWriter::finish)?;
        Ok(self.bytes)
    }
}

/// A file of opaque values in the making.
struct BlobFile {
    file: String,
    bytes: Vec<u8>,
}

impl BlobFile {
    /// Adds bytes behind the others.
    fn append(&mut self, bytes: &[u8]) -> Place {
        let offset = self.bytes.len() as u64;
        self.bytes.extend_from_slice(bytes);
        Place { file: self.file.clone(), offset, bytes: bytes.len() as u64, checksum: checksum(bytes) }
    }

    /// Writes the file unless it is empty.
    fn put(&self, storage: &dyn Storage) -> Result<()> {
        if self.bytes.is_empty() { Ok(()) } else { storage.put(&self.file, &self.bytes) }
    }
}

/// The part of a subtask, once everything is in storage.
pub(super) fn upload(
    context: &UploadContext,
    subtask: SubtaskId,
    snapshot: SubtaskSnapshot,
    tail: &mut Tail,
) -> Result<(SubtaskPart, AckStatistics)> {
    let checkpoint = snapshot.barrier.checkpoint;
    let random = context.env.random_u64();
    let mut blobs = Blobs {
        file: BlobFile { file: layout::blob_file(checkpoint, subtask, random), bytes: vec![] },
        inline_bytes: context.inline_bytes,
    };
    let stats = snapshot.stats;
    let operators = keep(snapshot.operators, checkpoint, tail)?;
    let mut runs = RunFile::new(layout::run_file(checkpoint, subtask, random), context.storage.as_ref());
    let pending = tail.write(&mut runs)?;
    let run_bytes = runs.finish()?;
    tail.stored(pending);
    let part = SubtaskPart {
        finished: snapshot.finished,
        splits: blobs.all(snapshot.splits.into_iter().map(|split| split.0)),
        operators: operators.into_iter().map(|operator| operator.part(tail, &mut blobs)).collect(),
        writer: blobs.all(snapshot.writer),
        committables: snapshot
            .committables
            .into_iter()
            .map(|(of, items)| (of, blobs.all(items.into_iter().map(|item| item.0))))
            .collect(),
        channels: channels_of(subtask, &snapshot.channel_state, &context.spreads, &mut blobs)?,
    };
    blobs.file.put(context.storage.as_ref())?;
    let bytes = run_bytes + blobs.file.bytes.len() as u64;
    Ok((part, statistics(stats, bytes)))
}

/// Moves what changed into the tail, and returns the rest of the operators' states.
pub(super) fn keep(operators: Vec<OperatorState>, checkpoint: u64, tail: &mut Tail) -> Result<Vec<Rest>> {
    let mut rest = vec![];
    for operator in operators {
        for delta in operator.snapshot.tables {
            tail.push(checkpoint, &operator.uid, delta)?;
        }
        rest.push(Rest { uid: operator.uid, watermark: operator.watermark, lists: operator.snapshot.lists });
    }
    Ok(rest)
}

/// An operator's state without its tables.
pub(super) struct Rest {
    uid: String,
    watermark: i64,
    lists: Vec<headwater_state::ListSnapshot>,
}

impl Rest {
    fn part(self, tail: &Tail, blobs: &mut Blobs) -> OperatorPart {
        let list = |list: headwater_state::ListSnapshot| ListPart {
            name: list.name,
            redistribution: list.redistribution,
            items: blobs.all(list.items),
        };
        let lists = self.lists.into_iter().map(list).collect();
        OperatorPart { tables: tail.parts(&self.uid), uid: self.uid, watermark: self.watermark, lists }
    }
}

/// Opaque values: small ones stay, large ones go to a file.
struct Blobs {
    file: BlobFile,
    inline_bytes: u64,
}

impl Blobs {
    fn one(&mut self, bytes: Vec<u8>) -> Blob {
        if bytes.len() as u64 <= self.inline_bytes {
            Blob::Inline(bytes)
        } else {
            Blob::Stored(self.file.append(&bytes))
        }
    }

    fn all(&mut self, items: impl IntoIterator<Item = Vec<u8>>) -> Vec<Blob> {
        items.into_iter().map(|item| self.one(item)).collect()
    }
}

fn channels_of(
    subtask: SubtaskId,
    states: &[ChannelState],
    spreads: &[Spread],
    blobs: &mut Blobs,
) -> Result<Vec<Channel>> {
    let mut found = vec![];
    for state in states.iter().filter(|state| !state.batches.is_empty()) {
        let spread = spreads.get(state.edge as usize).copied().unwrap_or(Spread::Any);
        let rows = blobs.one(channels::encode(&state.batches)?);
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
