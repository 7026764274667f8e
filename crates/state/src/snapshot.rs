//! What changed in an operator's state since the last barrier.

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
    /// Changes that were set aside within the epoch, oldest first.
    set_aside: Vec<SetAside>,
    /// The changes after those, in any order.
    entries: Entries,
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
        Self::with_set_aside(descriptor, vec![], entries)
    }

    pub(crate) fn with_set_aside(descriptor: TableDescriptor, set_aside: Vec<SetAside>, entries: Entries) -> Self {
        Self { descriptor, set_aside, entries }
    }

    /// Whether nothing changed.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty() && self.set_aside.is_empty()
    }

    /// Number of changed entries; those that changed several times may count several times.
    pub fn len(&self) -> usize {
        self.entries.len() + self.set_aside.iter().map(SetAside::len).sum::<usize>()
    }

    /// The changes that are in memory, in any order: all changes of tables in memory, which the `hashmap` engine
    /// keeps. For any engine there is [`TableDelta::into_stream`].
    pub fn iter(&self) -> impl Iterator<Item = EntryRef<'_>> {
        self.entries.iter()
    }

    /// Memory in use, bytes.
    pub fn memory_bytes(&self) -> usize {
        self.entries.memory_bytes() + self.set_aside.iter().map(SetAside::memory_bytes).sum::<usize>()
    }

    /// The changes in the order of a run, deletions included, each entry once. Sorts: work for a thread that may
    /// take its time, not for a lane.
    pub fn into_stream(mut self) -> Box<dyn EntryStream + Send> {
        self.entries.sort_latest();
        let latest: Box<dyn EntryStream + Send> = Box::new(self.entries.into_stream());
        if self.set_aside.is_empty() {
            return latest;
        }
        let earlier = self.set_aside.into_iter().map(SetAside::into_stream);
        Box::new(Merge::deltas(earlier.chain([latest]).collect()))
    }

    /// The changes as a run ([`headwater_data::run`]) whose header is the descriptor
    /// ([`TableDescriptor::from_header`]). Not for a lane, as [`TableDelta::into_stream`].
    ///
    /// # Errors
    /// When changes that were set aside cannot be read.
    pub fn into_run(self) -> Result<Vec<u8>> {
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
