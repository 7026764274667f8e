//! A checkpoint of one operator, kept in memory: the sum of its snapshots.

use headwater_state::{
    Entries, EntryRef, ListSnapshot, Restored, RestoredTable, Snapshot, StateContext, TableDescriptor,
};
use headwater_types::Result;
use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

/// What the snapshots of an operator add up to.
#[derive(Debug, Clone, Default)]
pub struct HarnessCheckpoint {
    tables: BTreeMap<String, Table>,
    lists: Vec<ListSnapshot>,
}

#[derive(Debug, Clone)]
struct Table {
    descriptor: TableDescriptor,
    entries: BTreeMap<Place, Stored>,
}

/// Key and map key.
type Place = (Vec<u8>, Vec<u8>);

/// Key group and value.
type Stored = (u32, Vec<u8>);

impl HarnessCheckpoint {
    /// A checkpoint without state.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds what changed since the snapshot before.
    pub fn add(&mut self, snapshot: &Snapshot) {
        for delta in &snapshot.tables {
            let new = || Table { descriptor: delta.descriptor.clone(), entries: BTreeMap::new() };
            let table = self.tables.entry(delta.descriptor.name.clone()).or_insert_with(new);
            for entry in delta.iter() {
                let place = (entry.key.to_vec(), entry.map_key.to_vec());
                match entry.value {
                    Some(value) => table.entries.insert(place, (entry.group, value.to_vec())),
                    None => table.entries.remove(&place),
                };
            }
        }
        self.lists.clone_from(&snapshot.lists);
    }

    /// Number of stored entries.
    pub fn entries(&self) -> usize {
        self.tables.values().map(|table| table.entries.len()).sum()
    }

    /// The context that restores the state of some key groups.
    pub(super) fn restrict(&self, empty: StateContext, groups: Range<u32>) -> StateContext {
        let restored = Arc::new(Slice { checkpoint: self.clone(), groups: groups.clone() });
        StateContext { owned_groups: groups, restored, ..empty }
    }
}

struct Slice {
    checkpoint: HarnessCheckpoint,
    groups: Range<u32>,
}

impl Restored for Slice {
    fn table(&self, name: &str) -> Result<Option<RestoredTable>> {
        let Some(table) = self.checkpoint.tables.get(name) else { return Ok(None) };
        let owned = table.entries.iter().filter(|(_, (group, _))| self.groups.contains(group));
        let entries: Entries = owned
            .map(|((key, map_key), (group, value))| EntryRef { group: *group, key, map_key, value: Some(value) })
            .collect();
        let entries = Box::new(entries.into_stream());
        Ok(Some(RestoredTable { descriptor: table.descriptor.clone(), entries }))
    }

    fn list(&self, name: &str) -> Result<Vec<ListSnapshot>> {
        Ok(self.checkpoint.lists.iter().filter(|list| list.name == name).cloned().collect())
    }

    fn is_restored(&self) -> bool {
        true
    }
}
