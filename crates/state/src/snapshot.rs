//! What changed in an operator's state since the last barrier.

use crate::disk::{Files, READERS_BYTES, SetAside};
use crate::engine::Changes;
use crate::memory::{Account, MemoryLease};
use crate::{Redistribution, TableDescriptor};
use headwater_data::run::{DeltaBuilder, Entries, EntryRef, EntryStream, RunOptions, RunWriter, WritePart};
use headwater_types::Result;
use std::sync::Arc;

/// Collects the changes of one operator instance when a barrier passes.
#[derive(Debug, Default)]
pub struct Snapshot {
    /// Changes of keyed tables, one per table.
    pub tables: Vec<TableDelta>,
    /// Whole contents of operator lists.
    pub lists: Vec<ListSnapshot>,
}

/// The entries of a table that changed in an epoch.
pub struct TableDelta {
    /// The table.
    pub descriptor: TableDescriptor,
    changes: Changes,
    /// `changes.entries` and `changes.delta`, once they are sorted.
    ordered: Option<Arc<Entries>>,
    /// Whether its run is to be sorted.
    sorted: bool,
}

/// The whole content of an operator list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListSnapshot {
    /// Name within the operator.
    pub name: String,
    /// How its items are spread after a restore.
    pub redistribution: Redistribution,
    /// The items.
    pub items: Vec<Vec<u8>>,
}

impl Snapshot {
    /// A snapshot without changes.
    pub fn new() -> Self {
        Self::default()
    }
}

impl TableDelta {
    /// Changes of a table. When an entry comes several times, the last counts.
    pub fn new(descriptor: TableDescriptor, entries: Entries) -> Self {
        Self { descriptor, changes: Changes { entries, ..Changes::default() }, ordered: None, sorted: false }
    }

    pub(crate) fn of_changes(descriptor: TableDescriptor, changes: Changes) -> Self {
        let sorted = changes.delta.is_empty();
        Self { descriptor, changes, ordered: None, sorted }
    }

    /// Entries that the table has, where that is known.
    pub fn live(&self) -> Option<u64> {
        self.changes.live
    }

    /// Whether nothing changed.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Number of changed entries; those that changed several times may count several times.
    pub fn len(&self) -> usize {
        let set_aside: usize = self.changes.set_aside.iter().map(SetAside::len).sum();
        let ordered = self.ordered.as_ref().map_or(0, |entries| entries.len());
        set_aside + ordered + self.changes.entries.len() + self.changes.delta.len()
    }

    /// The changes that are in memory, as they came: all changes of tables in memory, which the `hashmap` engine
    /// keeps. For any engine there is [`TableDelta::stream`].
    pub fn iter(&self) -> impl Iterator<Item = EntryRef<'_>> {
        let ordered = self.ordered.iter().flat_map(|entries| entries.iter());
        ordered.chain(self.changes.entries.iter()).chain(self.changes.delta.iter())
    }

    /// Memory in use, bytes.
    pub fn memory_bytes(&self) -> usize {
        let set_aside: usize = self.changes.set_aside.iter().map(SetAside::memory_bytes).sum();
        set_aside + self.own_bytes()
    }

    /// Memory of what is not set aside, bytes.
    fn own_bytes(&self) -> usize {
        let ordered = self.ordered.as_ref().map_or(0, |entries| entries.memory_bytes());
        ordered + self.changes.entries.memory_bytes() + self.changes.delta.memory_bytes()
    }

    /// Counts its memory against a lease for as long as it lives, unless its engine does so already.
    pub fn count_against(&mut self, lease: &Arc<MemoryLease>) {
        if self.changes.account.is_none() {
            let mut account = Account::new(lease.clone());
            account.set(self.own_bytes());
            self.changes.account = Some(account);
        }
    }

    /// The changes of several deltas of a table, oldest first, as one, in no more memory than what changed takes; those
    /// of the disk engine go to disk. `None` for none. Not for a lane.
    pub fn merged(deltas: Vec<Self>) -> Option<Self> {
        let mut deltas = deltas.into_iter();
        let mut merged = deltas.next()?;
        match merged.changes.files.clone() {
            Some(files) => deltas.for_each(|newer| merged.append_on_disk(newer, &files)),
            None => {
                merged.append_in_memory(deltas);
                merged.sorted = true;
            }
        }
        Some(merged)
    }

    fn append_in_memory(&mut self, newer: impl Iterator<Item = Self>) {
        let mut entries: Entries = self.iter().collect();
        for delta in newer {
            delta.iter().for_each(|entry| entries.push(entry));
            (self.descriptor, self.changes.live) = (delta.descriptor.clone(), delta.live());
        }
        entries.sort_latest();
        (self.ordered, self.changes.entries, self.changes.delta) =
            (Some(Arc::new(entries)), Entries::new(), DeltaBuilder::new());
        let bytes = self.own_bytes();
        if let Some(account) = &mut self.changes.account {
            account.set(bytes);
        }
    }

    fn append_on_disk(&mut self, newer: Self, files: &Files) {
        let (ordered, Changes { set_aside, account, .. }) = (self.order(), &mut self.changes);
        if let Some(account) = account.take().filter(|_| !ordered.is_empty()) {
            let own = SetAside::sorted(ordered, account);
            own.write(files);
            set_aside.push(own);
        }
        let TableDelta { descriptor, changes, ordered, .. } = newer;
        set_aside.extend(changes.set_aside);
        SetAside::join_all(set_aside, files);
        let set_aside = std::mem::take(set_aside);
        (self.descriptor, self.changes, self.ordered) = (descriptor, Changes { set_aside, ..changes }, ordered);
    }

    /// The changes in the order of a sorted run, deletions included, each entry once; as often as they are asked for.
    /// Sorts at first: work for a thread that may take its time, not for a lane.
    pub fn stream(&mut self) -> Box<dyn EntryStream + Send> {
        let latest = self.order();
        SetAside::merged(&self.changes.set_aside, Some(latest))
    }

    /// [`TableDelta::stream`], once.
    pub fn into_stream(mut self) -> Box<dyn EntryStream + Send> {
        self.stream()
    }

    /// Sorts what is in memory.
    fn order(&mut self) -> Arc<Entries> {
        let Changes { entries, delta, .. } = &mut self.changes;
        let ordered = self.ordered.get_or_insert_with(|| {
            let (mut entries, delta) = (std::mem::take(entries), std::mem::take(delta));
            delta.iter().for_each(|entry| entries.push(entry));
            entries.sort_latest();
            Arc::new(entries)
        });
        ordered.clone()
    }

    /// Writes the changes to `out`, part by part, as a run ([`headwater_data::run`]) whose header is the descriptor
    /// ([`TableDescriptor::from_header`]). What was kept in memory is stored as it came, unsorted; changes of the disk
    /// engine are sorted, so that it can read them where they are. When `out` fails, it can be done again. Not for a
    /// lane, as [`TableDelta::stream`].
    ///
    /// # Errors
    /// When changes that were set aside cannot be read; what `out` returns.
    pub fn write_run(&mut self, out: WritePart<'_>) -> Result<()> {
        let header = self.descriptor.to_header()?;
        if self.sorted {
            let writer = RunWriter::with_options(&header, RunOptions::DELTA)?;
            return writer.write_all(&mut *self.stream(), out).map(drop);
        }
        let Changes { entries, delta, .. } = &mut self.changes;
        delta.extend(std::mem::take(entries).iter());
        delta.write(&header, out)
    }

    /// How many bytes [`TableDelta::write_run`] writes, about and at least what is in memory.
    pub fn writes_bytes(&self) -> u64 {
        match self.changes.set_aside.is_empty() {
            true => self.own_bytes() as u64,
            // Files of a local disk are as large as memory is not.
            false => u64::MAX >> 16,
        }
    }

    /// Memory that [`TableDelta::write_run`] takes beside that of the changes, bytes.
    pub fn writing_bytes(&self) -> u64 {
        let read = if self.changes.set_aside.is_empty() { 0 } else { READERS_BYTES };
        if self.sorted { read + RunWriter::memory_bytes(RunOptions::DELTA) } else { 0 }
    }

    /// The run of [`TableDelta::write_run`] in one piece.
    ///
    /// # Errors
    /// When changes that were set aside cannot be read.
    pub fn into_run(mut self) -> Result<Vec<u8>> {
        let mut run = vec![];
        self.write_run(&mut |part| {
            run.extend_from_slice(part);
            Ok(())
        })?;
        Ok(run)
    }

    /// The changes as a sorted run, wherever they were kept.
    ///
    /// # Errors
    /// As [`TableDelta::into_run`].
    pub fn into_sorted_run(self) -> Result<Vec<u8>> {
        Self { sorted: true, ..self }.into_run()
    }
}

impl std::fmt::Debug for TableDelta {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("TableDelta").field("table", &self.descriptor.name).field("entries", &self.len()).finish()
    }
}
