//! Merging runs of a table into one, a part at a time on both sides, so that their size does not matter.
//!
//! The merges of a process share their memory ([`WorkMemory`]): one that needs more than is left waits. Of what it gets, the
//! runs have parts by their sizes: an unsorted run is read once for each part of its key groups that fits into memory, so
//! all are read about as often.

use headwater_checkpoint::compact::Merge;
use headwater_checkpoint::manifest::{Checksum, Place, Run, RunKind};
use headwater_checkpoint::{GroupSet, StoredRun};
use headwater_data::run::{self, GatheredRun, RunOptions, RunWriter};
use headwater_env::{ObjectWriter, Storage};
use headwater_state::TableDescriptor;
use headwater_state::memory::WorkMemory;
use headwater_types::{Error, Result};
use std::sync::Arc;

/// Opens a run in storage, whose readers take about so much memory.
pub(super) fn open(storage: &Arc<dyn Storage>, run: &Run, memory_bytes: u64) -> Result<StoredRun> {
    let storage = storage.clone();
    Ok(StoredRun::open(run, move |file, range| storage.get_range(file, range))?.within(memory_bytes))
}

/// Memory for reading each of some runs, of so much for all.
pub(super) fn reading_bytes(runs: &[Run], memory_bytes: u64) -> Vec<u64> {
    let all = runs.iter().map(|run| run.place.bytes).sum::<u64>().max(1);
    let part = |run: &Run| u128::from(memory_bytes) * u128::from(run.place.bytes) / u128::from(all);
    // Nobody needs more than several times the run.
    let useful = |run: &Run| run.place.bytes.saturating_mul(4).min(run::Run::MEMORY_MAX);
    let bytes = |run: &Run| useful(run).min(u64::try_from(part(run)).unwrap_or(u64::MAX)).max(run::Run::MEMORY_MIN);
    runs.iter().map(bytes).collect()
}

/// Merges runs into one file of storage. The newest run says what the table is. A base is sorted, and so is a delta
/// of sorted runs. What has unsorted runs is gathered, which costs a fraction.
pub(crate) fn merge(
    storage: &Arc<dyn Storage>,
    merge: &Merge,
    file: &str,
    memory: &WorkMemory,
    now_ms: i64,
) -> Result<Run> {
    let all_bytes = merge.runs.iter().map(|run| run.place.bytes).sum::<u64>();
    let making_bytes = GatheredRun::memory_bytes().max(RunWriter::memory_bytes(RunOptions::STORED)).min(2 * all_bytes);
    let writing_bytes = making_bytes + storage.stream_bytes().min(2 * all_bytes);
    let limit = memory.limit_bytes();
    let reading = reading_bytes(&merge.runs, limit.saturating_sub(writing_bytes).max(limit / 4));
    let _memory = memory.wait_for(writing_bytes + reading.iter().sum::<u64>());
    let opened = merge.runs.iter().zip(reading).map(|(run, bytes)| open(storage, run, bytes));
    let opened = opened.collect::<Result<Vec<_>>>()?;
    let descriptor = opened.last().map(|newest| newest.descriptor().clone());
    let descriptor = descriptor.ok_or_else(|| Error::internal("a merge of no runs"))?;
    let mut file = MergedFile::create(storage.as_ref(), file)?;
    let entries = write(&opened, merge, &descriptor, &mut file, now_ms)?;
    let live = merge.runs.last().and_then(|newest| newest.live);
    let (kind, checkpoint, groups) = (merge.kind, merge.checkpoint, merge.groups.clone());
    Ok(Run { kind, checkpoint, groups, entries, live, place: file.finish()? })
}

/// Writes the merged run; how many entries it has.
fn write(
    runs: &[StoredRun],
    merge: &Merge,
    descriptor: &TableDescriptor,
    file: &mut MergedFile<'_>,
    now_ms: i64,
) -> Result<u64> {
    // State engines that need runs in order write them so.
    let can_be_gathered =
        || runs.iter().any(|run| !run.is_sorted()) && runs.iter().all(|run| run.descriptor() == descriptor);
    if merge.kind == RunKind::Delta && can_be_gathered() {
        return gather(runs, &merge.groups, descriptor, file);
    }
    let streams = runs.iter().map(|run| run.read(descriptor, now_ms)).collect::<Result<Vec<_>>>()?;
    let mut merged = match merge.kind {
        RunKind::Base => run::Merge::live(streams),
        RunKind::Delta => run::Merge::deltas(streams),
    };
    RunWriter::new(&descriptor.to_header()?)?.write_all(&mut merged, &mut |part| file.write(part))
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
        run.visit_written(|entry| gathered.push(entry, &mut |part| file.write(part)))?;
    }
    gathered.finish(&descriptor.to_header()?, &mut |part| file.write(part))
}

/// The file of a merged run, which is written part by part. Dropped before it is finished, it leaves nothing.
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
