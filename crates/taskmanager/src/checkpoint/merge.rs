//! Merging runs of a table into one, a part at a time on both sides, so that their size does not matter.

use headwater_checkpoint::StoredRun;
use headwater_checkpoint::compact::Merge;
use headwater_checkpoint::manifest::{Checksum, Place, Run, RunKind};
use headwater_data::run::{self, EntryStream, RunWriter};
use headwater_env::Storage;
use headwater_state::TableDescriptor;
use headwater_types::{Error, Result};
use std::sync::Arc;

/// Finished bytes are sent to storage in parts of about this size.
const PART_BYTES: usize = 4 << 20;

/// Opens a run in storage.
pub(super) fn open(storage: &Arc<dyn Storage>, run: &Run) -> Result<StoredRun> {
    let storage = storage.clone();
    StoredRun::open(run, move |file, range| storage.get_range(file, range))
}

/// Merges runs into one file of storage. The newest run says what the table is.
pub(crate) fn merge(storage: &Arc<dyn Storage>, merge: &Merge, file: &str, now_ms: i64) -> Result<Run> {
    let opened = merge.runs.iter().map(|run| open(storage, run)).collect::<Result<Vec<_>>>()?;
    let descriptor = opened.last().map(|newest| newest.descriptor().clone());
    let descriptor = descriptor.ok_or_else(|| Error::internal("a merge of no runs"))?;
    let streams = opened.iter().map(|run| run.read(&descriptor, now_ms)).collect::<Result<Vec<_>>>()?;
    let mut merged = match merge.kind {
        RunKind::Base => run::Merge::live(streams),
        RunKind::Delta => run::Merge::deltas(streams),
    };
    let (place, entries) = write(storage.as_ref(), &descriptor, &mut merged, file)?;
    let (kind, checkpoint, groups) = (merge.kind, merge.checkpoint, merge.groups.clone());
    Ok(Run { kind, checkpoint, groups, entries, place })
}

/// Writes sorted entries as a run of a file of its own; where it is, and how many entries it has.
fn write(
    storage: &dyn Storage,
    descriptor: &TableDescriptor,
    merged: &mut dyn EntryStream,
    file: &str,
) -> Result<(Place, u64)> {
    let mut writer = RunWriter::new(&descriptor.to_header()?)?;
    let mut object = storage.put_stream(file)?;
    let (mut entries, mut bytes, mut checksum) = (0u64, 0, Checksum::default());
    let mut send = |part: &[u8]| {
        checksum.update(part);
        bytes += part.len() as u64;
        object.write(part)
    };
    while merged.advance()? {
        writer.push(merged.entry())?;
        entries += 1;
        if writer.finished_bytes() >= PART_BYTES {
            send(&writer.take_finished())?;
        }
    }
    send(&writer.finish()?)?;
    object.finish()?;
    Ok((Place { file: file.to_owned(), offset: 0, bytes, checksum: checksum.value() }, entries))
}
