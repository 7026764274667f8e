//! What changed in an operator's state since the last barrier.

use crate::engine::Changes;
use crate::set_aside::SetAside;
use crate::{Redistribution, TableDescriptor};
use headwater_data::run::{Entries, EntryRef, EntryStream, Merge, RunOptions, RunWriter};
use headwater_types::Result;

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
        Self { descriptor, changes: Changes { entries, ..Changes::default() }, sorted: false }
    }

    pub(crate) fn of_changes(descriptor: TableDescriptor, changes: Changes) -> Self {
        let sorted = changes.delta.is_empty();
        Self { descriptor, changes, sorted }
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
        set_aside + self.changes.entries.len() + self.changes.delta.len()
    }

    /// The changes that are in memory, as they came: all changes of tables in memory, which the `hashmap` engine
    /// keeps. For any engine there is [`TableDelta::into_stream`].
    pub fn iter(&self) -> impl Iterator<Item = EntryRef<'_>> {
        self.changes.entries.iter().chain(self.changes.delta.iter())
    }

    /// Memory in use, bytes.
    pub fn memory_bytes(&self) -> usize {
        let set_aside: usize = self.changes.set_aside.iter().map(SetAside::memory_bytes).sum();
        set_aside + self.changes.entries.memory_bytes() + self.changes.delta.memory_bytes()
    }

    /// The changes in the order of a sorted run, deletions included, each entry once. Sorts: work for a thread that
    /// may take its time, not for a lane.
    pub fn into_stream(self) -> Box<dyn EntryStream + Send> {
        let Changes { set_aside, mut entries, delta, live: _ } = self.changes;
        delta.iter().for_each(|entry| entries.push(entry));
        entries.sort_latest();
        let latest: Box<dyn EntryStream + Send> = Box::new(entries.into_stream());
        if set_aside.is_empty() {
            return latest;
        }
        let earlier = set_aside.into_iter().map(SetAside::into_stream);
        Box::new(Merge::deltas(earlier.chain([latest]).collect()))
    }

    /// The changes as a run ([`headwater_data::run`]) whose header is the descriptor
    /// ([`TableDescriptor::from_header`]), in parts that follow each other. What was kept in memory is stored as it
    /// came, unsorted; changes of the disk engine are sorted, so that it can read them where they are. Not for a
    /// lane, as [`TableDelta::into_stream`].
    ///
    /// # Errors
    /// When changes that were set aside cannot be read.
    pub fn into_run_parts(mut self) -> Result<Vec<Vec<u8>>> {
        if self.sorted {
            return Ok(vec![self.into_sorted_run()?]);
        }
        let mut delta = std::mem::take(&mut self.changes.delta);
        delta.extend(self.changes.entries.iter());
        delta.finish(&self.descriptor.to_header()?)
    }

    /// The run of [`TableDelta::into_run_parts`] in one piece.
    ///
    /// # Errors
    /// As [`TableDelta::into_run_parts`].
    pub fn into_run(self) -> Result<Vec<u8>> {
        Ok(self.into_run_parts()?.concat())
    }

    /// The changes as a sorted run, wherever they were kept.
    ///
    /// # Errors
    /// As [`TableDelta::into_run_parts`].
    pub fn into_sorted_run(self) -> Result<Vec<u8>> {
        let mut writer = RunWriter::with_options(&self.descriptor.to_header()?, RunOptions::DELTA)?;
        writer.extend(&mut *self.into_stream())?;
        writer.finish()
    }
}

impl std::fmt::Debug for TableDelta {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("TableDelta").field("table", &self.descriptor.name).field("entries", &self.len()).finish()
    }
}
