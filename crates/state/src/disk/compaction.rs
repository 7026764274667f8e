//! Merging the runs of a tree, in the background and a file at a time.
//!
//! Reads look into every run, so runs of about the same size are merged into one; when the newer runs together have
//! grown to most of the size of the oldest, everything is, which bounds the disk space that outdated entries take. A
//! merge shows each finished file at once and lets go of what it has merged, so it takes little space itself. The
//! runs of a checkpoint are merged into local ones in the same way, beside the merging of those above them.

use super::files::{FileWriter, STATE};
use super::sorted::{OwnedPlace, Slot, SlotsStream, SortedRun};
use super::tree::{Tree, read_bytes};
use headwater_data::run::{EntryStream, Merge, RunOptions};
use headwater_types::{Error, Result};
use std::ops::Range;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Files that a merge writes are about this large.
const FILE_BYTES: u64 = if cfg!(test) { 8 << 10 } else { 64 << 20 };
/// Runs of about the same size are merged when they are so many.
const SAME_SIZE_RUNS: usize = 4;
/// Newer runs are of the same size up to this factor above their average.
const SAME_SIZE_FACTOR: u64 = 3;
/// Everything is merged when newer runs have this share of the oldest one's size, in percent.
const OUTDATED_PERCENT: u64 = 80;
/// With more runs than this the newest half is merged, whatever their sizes.
const RUNS_MAX: usize = 16;
/// With more runs than this a flush merges before it goes on.
pub(super) const RUNS_HARD_MAX: usize = 24;
/// Entries merged between looks at whether the store is closed.
const CHECK_ENTRIES: u32 = 4096;

/// The merges under way in a tree.
#[derive(Default)]
pub(super) struct Work {
    compaction: Mutex<Option<Merging>>,
    import: Mutex<Option<Merging>>,
}

/// A merge under way.
struct Merging {
    /// Merged runs.
    inputs: Vec<u64>,
    /// What they become.
    output: u64,
    stream: Merge<SlotsStream>,
    /// Whether the stream stands at an entry that is not written.
    has_entry: bool,
}

impl Tree {
    /// Writes a file of a compaction, if there is something to compact; whether there was.
    pub fn compact(&self) -> Result<bool> {
        self.work_on(&self.work.compaction, Self::start_compaction)
    }

    /// Writes a file of what a checkpoint holds, unless all of it is local; whether it was not.
    pub fn import(&self) -> Result<bool> {
        self.work_on(&self.work.import, Self::start_import)
    }

    /// Number of local runs.
    pub fn local_runs(&self) -> usize {
        self.current().runs.iter().filter(|run| !run.is_restored).count()
    }

    fn work_on(&self, place: &Mutex<Option<Merging>>, start: impl FnOnce(&Self) -> Option<Merging>) -> Result<bool> {
        let mut merging: MutexGuard<'_, _> = place.lock().unwrap_or_else(PoisonError::into_inner);
        if merging.is_none() {
            *merging = start(self);
        }
        let Some(work) = merging.as_mut() else { return Ok(false) };
        match work.step(self) {
            Ok(true) => {}
            Ok(false) => *merging = None,
            Err(e) => {
                // What is shown counts; another merge may go on from there.
                self.settle(work.output);
                *merging = None;
                return Err(e);
            }
        }
        Ok(true)
    }

    fn start_compaction(&self) -> Option<Merging> {
        let runs = &self.current().runs;
        let has_restored = runs.last().is_some_and(|run| run.is_restored);
        // An import's output is the last local run.
        let ours: Vec<_> = runs.iter().take_while(|run| !run.is_restored && !run.is_growing).cloned().collect();
        let sizes: Vec<u64> = ours.iter().map(|run| run.bytes()).collect();
        let is_whole = !has_restored && ours.len() == runs.len();
        let chosen = choose(&sizes, is_whole)?;
        let drops_deletions = is_whole && chosen.end == sizes.len();
        Some(Merging::new(&ours[chosen], self.new_id(), drops_deletions))
    }

    fn start_import(&self) -> Option<Merging> {
        let runs = &self.current().runs;
        let restored: Vec<_> = runs.iter().filter(|run| run.is_restored).cloned().collect();
        (!restored.is_empty()).then(|| Merging::new(&restored, self.new_id(), true))
    }

    /// No more files are added to a run.
    fn settle(&self, id: u64) {
        self.change(|runs| {
            if let Some(run) = runs.iter_mut().find(|run| run.id == id) {
                *run = Arc::new(SortedRun { is_growing: false, ..SortedRun::clone(run) });
            }
        });
    }

    /// Shows a file of a merge, and that its inputs count from `rest` on only.
    fn show(&self, merging: &Merging, file: Option<Slot>, rest: Option<&OwnedPlace>) {
        self.change(|runs| {
            let first = runs.iter().position(|run| merging.inputs.contains(&run.id)).unwrap_or(runs.len());
            if let Some(file) = file {
                match first.checked_sub(1).filter(|before| runs[*before].id == merging.output) {
                    Some(before) => {
                        let mut output = SortedRun::clone(&runs[before]);
                        output.slots.push(file);
                        output.is_growing = rest.is_some();
                        runs[before] = Arc::new(output);
                    }
                    None => {
                        let (id, slots) = (merging.output, vec![file]);
                        let output = SortedRun { id, slots, is_restored: false, is_growing: rest.is_some() };
                        runs.insert(first, Arc::new(output));
                    }
                }
            }
            runs.retain_mut(|run| {
                if merging.inputs.contains(&run.id) {
                    let Some(rest) = rest else { return false };
                    *run = Arc::new(run.from(rest));
                }
                !run.slots.is_empty()
            });
        });
    }
}

impl Merging {
    /// A merge of neighbours, newest first.
    fn new(runs: &[Arc<SortedRun>], output: u64, drops_deletions: bool) -> Self {
        let streams = runs.iter().rev().map(|run| run.read(read_bytes(runs.len()))).collect();
        let stream = if drops_deletions { Merge::live(streams) } else { Merge::deltas(streams) };
        Self { inputs: runs.iter().map(|run| run.id).collect(), output, stream, has_entry: false }
    }

    /// Writes a file and shows it; whether there is more to do.
    fn step(&mut self, tree: &Tree) -> Result<bool> {
        if !self.has_entry && !self.stream.advance()? {
            tree.show(self, None, None);
            return Ok(false);
        }
        let first = OwnedPlace::of(self.stream.entry().place());
        let (mut writer, mut entries) = (FileWriter::create(&tree.files, STATE, RunOptions::LOCAL)?, 0u32);
        self.has_entry = true;
        while self.has_entry && writer.bytes() < FILE_BYTES {
            writer.push(self.stream.entry())?;
            self.has_entry = self.stream.advance()?;
            entries = entries.wrapping_add(1);
            if entries.is_multiple_of(CHECK_ENTRIES) && tree.files.is_closed() {
                return Err(Error::cancelled());
            }
        }
        let (run, bytes) = writer.finish()?;
        let rest = self.has_entry.then(|| OwnedPlace::of(self.stream.entry().place()));
        tree.show(self, Some(Slot { run, bytes, first, end_group: u32::MAX }), rest.as_ref());
        Ok(self.has_entry)
    }
}

/// Which runs to merge, by their sizes, newest first. `is_whole`: whether these are all runs of the tree.
fn choose(sizes: &[u64], is_whole: bool) -> Option<Range<usize>> {
    let (oldest, newer) = sizes.split_last()?;
    if is_whole && !newer.is_empty() && newer.iter().sum::<u64>() * 100 >= oldest * OUTDATED_PERCENT {
        return Some(0..sizes.len());
    }
    (0..sizes.len()).map(|start| same_size(sizes, start)).find(|range| range.len() >= SAME_SIZE_RUNS).or_else(|| {
        let is_crowded = sizes.len() > RUNS_MAX;
        is_crowded.then_some(0..sizes.len() / 2)
    })
}

/// The run at `start` and those behind it of about its size.
fn same_size(sizes: &[u64], start: usize) -> Range<usize> {
    let (mut end, mut sum) = (start, 0);
    while let Some(size) = sizes.get(end) {
        if end > start && size * (end - start) as u64 > sum * SAME_SIZE_FACTOR {
            break;
        }
        sum += size;
        end += 1;
    }
    start..end
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn neighbours_of_a_size_are_merged_and_everything_when_much_is_outdated() {
        let check = |sizes: &[u64], expected: Option<Range<usize>>| assert_eq!(choose(sizes, true), expected);
        check(&[], None);
        check(&[8], None);
        check(&[8, 8], Some(0..2));
        check(&[8, 100], None);
        check(&[8, 8, 8, 100], None);
        check(&[8, 8, 8, 8, 100], Some(0..4));
        check(&[8, 30, 30, 100], None);
        check(&[8, 32, 32, 9, 100], Some(0..5));
        check(&[1, 30, 30, 30, 30, 1000], Some(1..5));
        check(&[1, 40, 1, 40, 1000], None);
        assert_eq!(choose(&[8, 8], false), None);
        let steep: Vec<u64> = (0..20).map(|i| 1 << (2 * i)).collect();
        check(&steep, Some(0..10));
    }
}
