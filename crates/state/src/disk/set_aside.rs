//! Changes of an epoch that do not wait in memory for the snapshot.
//!
//! ```text
//! changes ── by another thread ──> sorted ──> a local file ─┐
//!                                  a few files of a level ──┴──> one file of the next level
//! ```
//!
//! Invariant: whatever form they have, the changes can be read, and read again: an upload that failed is tried again
//! with the next checkpoint. Files go with their last reader.

use super::files::{FileWriter, Files};
use crate::memory::Account;
use headwater_data::run::{Entries, EntriesStream, EntryStream, Merge, Run, RunOptions};
use headwater_env::Env;
use headwater_types::Result;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Memory of all files of an epoch that are read at once, bytes.
pub(crate) const READERS_BYTES: u64 = 4 << 20;
/// Changes that may be in memory on their way to files; who has more waits for the disk.
const PENDING_MAX: usize = 2;
/// Files of a level that become one of the next: bounds how many are read at once.
const FILES_MAX: usize = if cfg!(test) { 3 } else { 16 };

/// Changes on their way to a local file. Until they are there they are in memory. Clones share them.
#[derive(Clone)]
pub(crate) struct SetAside {
    entries: usize,
    /// How often files were made into one for it.
    level: u32,
    content: Arc<Mutex<Content>>,
}

enum Content {
    /// In memory, in any order.
    Memory(Entries, Account),
    /// In memory, sorted; the account only counts.
    Sorted { entries: Arc<Entries>, _counted: Account },
    /// Others, oldest first, that are becoming one.
    Several(Vec<SetAside>),
    /// In a file, as a run.
    File(Run),
}

impl SetAside {
    /// Changes in memory. `account` counts them.
    pub fn new(entries: Entries, mut account: Account) -> Self {
        account.set(entries.sorting_bytes());
        Self { entries: entries.len(), level: 0, content: Arc::new(Mutex::new(Content::Memory(entries, account))) }
    }

    /// Sorted changes in memory. `account` counts them.
    pub fn sorted(entries: Arc<Entries>, account: Account) -> Self {
        let count = entries.len();
        Self { entries: count, level: 0, content: Arc::new(Mutex::new(Content::Sorted { entries, _counted: account })) }
    }

    /// Sets changes aside behind others; files are written in the background, unless others are still on their way.
    pub fn push(set_aside: &mut Vec<Self>, new: Self, files: &Arc<Files>, env: &Env) {
        let is_far_behind = set_aside.iter().map(Self::pending).sum::<usize>() >= PENDING_MAX;
        set_aside.push(new);
        if is_far_behind && let Some(new) = set_aside.last() {
            new.write(files);
        } else {
            Self::write_last(set_aside, files, env);
        }
        while Self::join_last(set_aside) {
            Self::write_last(set_aside, files, env);
        }
    }

    /// Makes one of the newest that are of one level, if they are many; whether it did. Nothing is written yet.
    pub fn join_last(set_aside: &mut Vec<Self>) -> bool {
        let Some(level) = set_aside.last().map(|last| last.level) else { return false };
        let alike = set_aside.iter().rev().take_while(|other| other.level == level).count();
        if alike < FILES_MAX {
            return false;
        }
        let several = set_aside.split_off(set_aside.len() - alike);
        set_aside.push(Self::joined(several, level + 1));
        true
    }

    /// Makes one file of all, if they are many, whatever their levels. Not for a lane.
    pub fn join_all(set_aside: &mut Vec<Self>, files: &Files) {
        if set_aside.len() > 2 * FILES_MAX {
            let level = set_aside.iter().map(|one| one.level).max().unwrap_or(0);
            let all = Self::joined(std::mem::take(set_aside), level + 1);
            all.write(files);
            set_aside.push(all);
        }
    }

    fn joined(several: Vec<Self>, level: u32) -> Self {
        let entries = several.iter().map(Self::len).sum();
        Self { entries, level, content: Arc::new(Mutex::new(Content::Several(several))) }
    }

    fn write_last(set_aside: &[Self], files: &Arc<Files>, env: &Env) {
        let Some(last) = set_aside.last().cloned() else { return };
        let files = files.clone();
        env.spawn_blocking("state-set-aside", move || {
            // Unless nobody wants the changes any more.
            if Arc::strong_count(&last.content) > 1 {
                last.write(&files);
            }
        });
    }

    /// How many are in memory, as far as that can be said without waiting.
    fn pending(&self) -> usize {
        match self.content.try_lock().as_deref() {
            Ok(Content::Memory(..) | Content::Sorted { .. }) | Err(_) => 1,
            Ok(Content::Several(several)) => several.iter().map(Self::pending).sum(),
            Ok(Content::File(_)) => 0,
        }
    }

    /// Number of entries; those that changed several times count several times.
    pub fn len(&self) -> usize {
        self.entries
    }

    /// Memory in use, bytes. It is counted.
    pub fn memory_bytes(&self) -> usize {
        match &*self.lock() {
            Content::Memory(entries, _) => entries.memory_bytes(),
            Content::Sorted { entries, .. } => entries.memory_bytes(),
            Content::Several(several) => several.iter().map(Self::memory_bytes).sum(),
            Content::File(_) => 0,
        }
    }

    /// The changes of all, oldest first, sorted and each once, with `latest` as the last. Files are read with about
    /// [`READERS_BYTES`] of memory.
    pub fn merged(set_aside: &[Self], latest: Option<Arc<Entries>>) -> Box<dyn EntryStream + Send> {
        let latest = latest.map(|latest| Box::new(EntriesStream::of(latest)) as Box<dyn EntryStream + Send>);
        Self::merged_within(set_aside, latest, READERS_BYTES)
    }

    fn merged_within(
        set_aside: &[Self],
        latest: Option<Box<dyn EntryStream + Send>>,
        memory_bytes: u64,
    ) -> Box<dyn EntryStream + Send> {
        let each = memory_bytes / set_aside.len().max(1) as u64;
        let mut streams: Vec<_> = set_aside.iter().map(|one| one.stream(each)).chain(latest).collect();
        match streams.len() {
            1 => streams.swap_remove(0),
            _ => Box::new(Merge::deltas(streams)),
        }
    }

    fn stream(&self, memory_bytes: u64) -> Box<dyn EntryStream + Send> {
        let mut content = self.lock();
        content.sort();
        match &*content {
            Content::Sorted { entries, .. } => Box::new(EntriesStream::of(entries.clone())),
            Content::Several(several) => Self::merged_within(several, None, memory_bytes),
            Content::File(run) => Box::new(run.within(memory_bytes).read_all()),
            Content::Memory(..) => Box::new(Entries::new().into_stream()),
        }
    }

    /// Moves the content to a file. When that fails it stays where it is: a full disk must not fail the job here.
    pub fn write(&self, files: &Files) {
        if matches!(&*self.lock(), Content::File(_)) {
            return;
        }
        if let Ok(run) = self.to_file(files) {
            *self.lock() = Content::File(run);
        }
    }

    fn to_file(&self, files: &Files) -> Result<Run> {
        let mut writer = FileWriter::create(files, "changes", RunOptions::DELTA)?;
        let mut stream = self.stream(READERS_BYTES);
        while stream.advance()? {
            writer.push(stream.entry())?;
        }
        writer.finish().map(|(run, _)| run)
    }

    fn lock(&self) -> MutexGuard<'_, Content> {
        self.content.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Content {
    /// Sorts what is in memory.
    fn sort(&mut self) {
        if let Self::Memory(entries, account) = self {
            let mut entries = std::mem::take(entries);
            entries.sort_latest();
            let _counted = account.other(entries.bytes());
            *self = Self::Sorted { entries: Arc::new(entries), _counted };
        }
    }
}
