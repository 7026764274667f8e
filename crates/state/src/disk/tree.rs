//! The tree of a table: sorted runs, the newest first, of which a newer one hides what an older one says.
//!
//! ```text
//! version ── [ newest run | .. | oldest run | runs of a checkpoint, newest first ]
//! ```
//!
//! A version never changes; a change makes another one. Readers keep theirs until they look for a newer one, which is
//! a look at a number. Flushes add runs at the front, [`super::compaction`] replaces neighbours by their merge.
//! Invariant: of a place, a newer run in a version never holds an older state than an older run.

use super::files::{FileWriter, Files, STATE};
use super::sorted::{OwnedPlace, Slot, SortedRun};
use headwater_data::run::{BlockBuf, Entries, Found, KeyHashes, Merge, Place, RunOptions};
use headwater_types::{Error, Result};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Bytes of all runs together that are read at once when everything is read, and of one at most.
const READ_BYTES: u64 = 4 << 20;
const RUN_READ_BYTES: u64 = 512 << 10;
const RUN_READ_BYTES_MIN: u64 = 64 << 10;

/// Bytes of each of some runs that are read at once.
pub(super) fn read_bytes(runs: usize) -> u64 {
    (READ_BYTES / runs.max(1) as u64).clamp(RUN_READ_BYTES_MIN, RUN_READ_BYTES)
}

/// The tree of a table, shared by who reads, flushes and compacts.
pub(super) struct Tree {
    pub files: Arc<Files>,
    current: Mutex<Arc<Version>>,
    /// Grows with every version.
    sequence: AtomicU64,
    next_run: AtomicU64,
    /// What went wrong in the background, until somebody is told.
    failure: Mutex<Option<Error>>,
    pub work: super::compaction::Work,
}

/// The runs of a tree at some time, newest first; those of a checkpoint are the last.
#[derive(Default)]
pub(super) struct Version {
    pub runs: Vec<Arc<SortedRun>>,
}

impl Tree {
    pub fn new(files: Arc<Files>) -> Self {
        Self {
            files,
            current: Mutex::default(),
            sequence: AtomicU64::new(1),
            next_run: AtomicU64::new(0),
            failure: Mutex::new(None),
            work: super::compaction::Work::default(),
        }
    }

    /// A number that changes with the version.
    #[inline]
    pub fn sequence(&self) -> u64 {
        self.sequence.load(Ordering::Acquire)
    }

    pub fn current(&self) -> Arc<Version> {
        self.lock().clone()
    }

    /// Adds sorted entries as the newest run.
    pub fn add(&self, entries: &Entries) -> Result<()> {
        let Some(slot) = write_file(&self.files, entries)? else { return Ok(()) };
        let (id, slots) = (self.new_id(), vec![slot]);
        let run = Arc::new(SortedRun { id, slots, is_restored: false, is_growing: false });
        self.change(|runs| runs.insert(0, run));
        Ok(())
    }

    /// Adds sorted entries to the oldest run, behind whose entries they come. Only while nobody merges.
    pub fn append(&self, entries: &Entries) -> Result<()> {
        let Some(slot) = write_file(&self.files, entries)? else { return Ok(()) };
        self.change(|runs| {
            if let Some(oldest) = runs.last_mut() {
                let mut longer = SortedRun::clone(oldest);
                longer.slots.push(slot);
                *oldest = Arc::new(longer);
            }
        });
        Ok(())
    }

    /// Adds runs of a checkpoint, oldest first, below all others.
    pub fn add_restored(&self, restored: impl IntoIterator<Item = Vec<Slot>>) {
        for slots in restored {
            let run = Arc::new(SortedRun { id: self.new_id(), slots, is_restored: true, is_growing: false });
            self.change(|runs| {
                let at = runs.iter().position(|run| run.is_restored).unwrap_or(runs.len());
                runs.insert(at, run);
            });
        }
    }

    /// Makes a new version.
    pub fn change(&self, change: impl FnOnce(&mut Vec<Arc<SortedRun>>)) {
        let mut current = self.lock();
        let mut runs = current.runs.clone();
        change(&mut runs);
        *current = Arc::new(Version { runs });
        self.sequence.fetch_add(1, Ordering::Release);
    }

    pub fn new_id(&self) -> u64 {
        self.next_run.fetch_add(1, Ordering::Relaxed)
    }

    /// Notes a failure of background work. Whoever looks for a new version next is told.
    pub fn fail(&self, error: Error) {
        if !self.files.is_closed() {
            self.failure.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(error);
            self.sequence.fetch_add(1, Ordering::Release);
        }
    }

    /// Reports what went wrong in the background.
    pub fn check(&self) -> Result<()> {
        self.failure.lock().unwrap_or_else(PoisonError::into_inner).take().map_or(Ok(()), Err)
    }

    fn lock(&self) -> MutexGuard<'_, Arc<Version>> {
        self.current.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Writes sorted entries to a file; `None` when there are none.
fn write_file(files: &Files, entries: &Entries) -> Result<Option<Slot>> {
    if entries.is_empty() {
        return Ok(None);
    }
    let mut writer = FileWriter::create(files, STATE, RunOptions::LOCAL)?;
    entries.iter().try_for_each(|entry| writer.push(entry))?;
    let (run, bytes) = writer.finish()?;
    Ok(Some(Slot { run, bytes, first: OwnedPlace::of(entries.get(0).place()), end_group: u32::MAX }))
}

impl Version {
    /// Whether an entry has a value, which then is that of `block`.
    #[inline]
    pub fn get(&self, place: Place<'_>, block: &mut BlockBuf) -> Result<bool> {
        let hashes = KeyHashes::of(place.key, place.map_key);
        for run in &self.runs {
            let Some(slot) = run.slot_of(place, hashes) else { continue };
            match slot.run.get(place, hashes, block)? {
                Found::Absent => {}
                Found::Deleted => return Ok(false),
                Found::Value => return Ok(true),
            }
        }
        Ok(false)
    }

    /// Whether a key may have entries. Reads nothing.
    pub fn may_have(&self, group: u32, key: &[u8]) -> bool {
        let hashes = KeyHashes::of(key, &[]);
        let may_have = |slot: &Slot| group < slot.end_group && slot.run.may_contain_key(group, key, hashes);
        self.runs.iter().any(|run| run.slots_of(group, key).iter().any(may_have))
    }

    /// Whether there are runs of a checkpoint.
    pub fn has_restored(&self) -> bool {
        self.runs.last().is_some_and(|run| run.is_restored)
    }

    /// All live entries.
    pub fn read(&self) -> Merge<super::sorted::SlotsStream> {
        Merge::live(self.runs.iter().rev().map(|run| run.read(read_bytes(self.runs.len()))).collect())
    }

    /// Memory of directories and filters, bytes.
    pub fn memory_bytes(&self) -> usize {
        let (mut bytes, mut last) = (0, None);
        for slot in self.runs.iter().flat_map(|run| &run.slots) {
            // The slices of a checkpoint's run share it.
            if last.replace(slot.run.id()) != Some(slot.run.id()) {
                bytes += slot.run.memory_bytes();
            }
        }
        bytes
    }
}
