//! Merging runs of a table into one, a part at a time on both sides, so that their size does not matter.

use headwater_checkpoint::compact::Merge;
use headwater_checkpoint::manifest::{Checksum, Place, Run, RunKind};
use headwater_checkpoint::{GroupSet, StoredRun};
use headwater_data::run::{self, EntryStream, GatheredRun, RunWriter};
use headwater_env::{ObjectWriter, Storage};
use headwater_state::TableDescriptor;
use headwater_types::{Error, Result};
use std::sync::Arc;

/// Finished bytes are sent to storage in parts of about this size.
const PART_BYTES: usize = 4 << 20;
/// Bytes of all runs together that are in memory at once, about; and the least that is worth a request.
const READ_BYTES: u64 = 16 << 20;
const RUN_READ_BYTES_MIN: u64 = 128 << 10;

/// Opens a run in storage.
pub(super) fn open(storage: &Arc<dyn Storage>, run: &Run) -> Result<StoredRun> {
    let storage = storage.clone();
    StoredRun::open(run, move |file, range| storage.get_range(file, range))
}

/// Merges runs into one file of storage. The newest run says what the table is. A base is sorted, and so is a delta
/// of sorted runs. What has unsorted runs is gathered, which costs a fraction.
pub(crate) fn merge(storage: &Arc<dyn Storage>, merge: &Merge, file: &str, now_ms: i64) -> Result<Run> {
    let read_bytes = (READ_BYTES / merge.runs.len().max(1) as u64).max(RUN_READ_BYTES_MIN);
    let open = |run: &Run| open(storage, run).map(|opened| opened.reading(read_bytes));
    let opened = merge.runs.iter().map(open).collect::<Result<Vec<_>>>()?;
    let descriptor = opened.last().map(|newest| newest.descriptor().clone());
    let descriptor = descriptor.ok_or_else(|| Error::internal("a merge of no runs"))?;
    let mut file = MergedFile::create(storage.as_ref(), file)?;
    // State engines that need runs in order write them so.
    let can_be_gathered =
        || opened.iter().any(|run| !run.is_sorted()) && opened.iter().all(|run| *run.descriptor() == descriptor);
    let entries = match merge.kind {
        RunKind::Delta if can_be_gathered() => gather(&opened, &merge.groups, &descriptor, &mut file)?,
        kind => {
            let streams = opened.iter().map(|run| run.read(&descriptor, now_ms)).collect::<Result<Vec<_>>>()?;
            let mut merged = match kind {
                RunKind::Base => run::Merge::live(streams),
                RunKind::Delta => run::Merge::deltas(streams),
            };
            write_sorted(&mut merged, &descriptor, &mut file)?
        }
    };
    let live = merge.runs.last().and_then(|newest| newest.live);
    let (kind, checkpoint, groups) = (merge.kind, merge.checkpoint, merge.groups.clone());
    Ok(Run { kind, checkpoint, groups, entries, live, place: file.finish()? })
}

/// Writes the entries of runs, oldest first, as they come; how many they are.
fn gather(
    runs: &[StoredRun],
    groups: &GroupSet,
    descriptor: &TableDescriptor,
    file: &mut MergedFile<'_>,
) -> Result<u64> {
    let start = groups.ranges().map(|range| range.start).min().unwrap_or(0);
    let end = groups.ranges().map(|range| range.end).max().unwrap_or(0);
    let mut gathered = GatheredRun::new(start..end);
    for run in runs {
        run.visit_written(|entry| {
            gathered.push(entry);
            gathered.take_finished().iter().try_for_each(|part| file.write(part))
        })?;
    }
    let entries = gathered.entries();
    gathered.finish(&descriptor.to_header()?)?.iter().try_for_each(|part| file.write(part))?;
    Ok(entries)
}

/// Writes sorted entries as a run; how many they are.
fn write_sorted(merged: &mut dyn EntryStream, descriptor: &TableDescriptor, file: &mut MergedFile<'_>) -> Result<u64> {
    let (mut writer, mut entries) = (RunWriter::new(&descriptor.to_header()?)?, 0);
    while merged.advance()? {
        writer.push(merged.entry())?;
        entries += 1;
        if writer.finished_bytes() >= PART_BYTES {
            file.write(&writer.take_finished())?;
        }
    }
    file.write(&writer.finish()?)?;
    Ok(entries)
}

/// The file of a merged run, which is written part by part.
struct MergedFile<'a> {
    name: String,
    object: Box<dyn ObjectWriter + 'a>,
    bytes: u64,
    checksum: Checksum,
}

impl<'a> MergedFile<'a> {
    fn create(storage: &'a dyn Storage, name: &str) -> Result<Self> {
        let object = storage.put_stream(name)?;
        Ok(Self { name: name.to_owned(), object, bytes: 0, checksum: Checksum::default() })
    }

    fn write(&mut self, part: &[u8]) -> Result<()> {
        self.checksum.update(part);
        self.bytes += part.len() as u64;
        self.object.write(part)
    }

    /// Where it is.
    fn finish(self) -> Result<Place> {
        self.object.finish()?;
        Ok(Place { file: self.name, offset: 0, bytes: self.bytes, checksum: self.checksum.value() })
    }
}

#[cfg(test)]
mod tests;
