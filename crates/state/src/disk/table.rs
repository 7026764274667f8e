//! A table's tree as its lane uses it.

use super::scan::{Range, VisitWhile};
use super::sorted::{OwnedPlace, Slot};
use super::store::{Store, TableWriter, Task};
use super::tree::{Tree, Version};
use crate::context::RestoredRun;
use crate::engine::{Bounds, EngineContext, VisitMaps};
use crate::memory::MemoryLease;
use headwater_data::run::{BlockBuf, Entries, EntryRef, EntryStream, Place};
use headwater_types::Result;
use std::sync::Arc;

/// Restored entries are written in parts of this size.
const LOAD_BYTES: usize = if cfg!(test) { 4 << 10 } else { 32 << 20 };

/// A table of a store. Reads see what was written before they began.
pub(crate) struct Table {
    pub store: Store,
    writer: TableWriter,
    lease: Arc<MemoryLease>,
    version: Arc<Version>,
    /// Sequence number of the version, and memory of its runs.
    seen: u64,
    version_bytes: usize,
    block: BlockBuf,
    /// Restored entries that are not written yet.
    loading: Entries,
    /// The last restored entry that is written, and whether they come in the order of a run.
    loaded: Option<OwnedPlace>,
    loads_in_order: bool,
}

impl Table {
    /// A new, empty table.
    pub fn new(store: Store, context: &EngineContext) -> Self {
        let writer = TableWriter { tree: store.tree(), worker: store.worker(), env: context.env.clone() };
        Self {
            store,
            writer,
            lease: context.lease.clone(),
            version: Arc::default(),
            seen: 0,
            version_bytes: 0,
            block: BlockBuf::default(),
            loading: Entries::new(),
            loaded: None,
            loads_in_order: true,
        }
    }

    /// The value of an entry.
    #[inline]
    pub fn get(&mut self, group: u16, key: &[u8], map_key: &[u8]) -> Result<Option<&[u8]>> {
        self.refresh()?;
        let place = Place { group: u32::from(group), key, map_key };
        let found = self.version.get(place, &mut self.block)?;
        Ok(found.then(|| self.block.value()))
    }

    /// Whether a key may have entries.
    pub fn may_have(&mut self, group: u16, key: &[u8]) -> Result<bool> {
        self.refresh()?;
        Ok(self.version.may_have(u32::from(group), key))
    }

    /// Calls `visit(map key, value)` with the entries of a key in order until it returns false.
    pub fn scan(
        &mut self,
        (group, key): (u16, &[u8]),
        bounds: Bounds<'_>,
        reverse: bool,
        visit: VisitWhile<'_>,
    ) -> Result<()> {
        self.refresh()?;
        self.version.scan(Range { group: u32::from(group), key, bounds, reverse }, visit)
    }

    /// Calls `visit` with all entries.
    pub fn for_each(&mut self, visit: VisitMaps<'_>) -> Result<()> {
        self.refresh()?;
        let mut entries = self.version.read();
        while entries.advance()? {
            let entry = entries.entry();
            visit(entry.key, entry.map_key, entry.value.unwrap_or_default())?;
        }
        Ok(())
    }

    /// Memory of directories, filters and the last block, bytes.
    pub fn bytes(&self) -> usize {
        self.version_bytes + self.block.bytes() + self.loading.memory_bytes()
    }

    /// What writes to the table from another thread.
    pub(super) fn writer(&self) -> TableWriter {
        self.writer.clone()
    }

    /// Takes over a restored entry.
    pub fn load(&mut self, entry: EntryRef<'_>) -> Result<()> {
        self.loading.push(entry);
        if self.loading.bytes() < LOAD_BYTES { Ok(()) } else { self.write_loaded() }
    }

    /// Writes restored entries that are not written yet.
    pub fn finish_load(&mut self) -> Result<()> {
        self.write_loaded()
    }

    /// Takes over the runs of a checkpoint, oldest first. They are read in place until they are local.
    pub fn adopt(&mut self, runs: Vec<RestoredRun>) -> Result<()> {
        let blocks = self.store.blocks(&self.lease);
        let mut restored = vec![];
        for RestoredRun { run, groups, .. } in runs {
            run.load_filters()?;
            let run = run.with_cache(blocks.clone());
            let slot = |groups: std::ops::Range<u32>| Slot {
                bytes: run.bytes_of(&groups),
                run: run.clone(),
                first: OwnedPlace::of(Place { group: groups.start, key: &[], map_key: &[] }),
                end_group: groups.end,
            };
            restored.push(groups.into_iter().map(slot).collect());
        }
        self.writer.tree.add_restored(restored);
        self.writer.worker.schedule(&self.writer.env, Task::Import);
        Ok(())
    }

    /// While parts come in order they become one run; from then on runs of their own.
    fn write_loaded(&mut self) -> Result<()> {
        let mut entries = std::mem::take(&mut self.loading);
        if entries.is_empty() {
            return Ok(());
        }
        entries.sort_latest();
        let first = entries.get(0).place();
        self.loads_in_order &= self.loaded.as_ref().is_none_or(|last| last.as_place() < first);
        let follows = self.loads_in_order && self.loaded.is_some();
        self.loaded = Some(OwnedPlace::of(entries.get(entries.len() - 1).place()));
        match follows {
            true => self.writer.tree.append(&entries),
            false => self.writer.write(entries),
        }
    }

    /// Takes the newest version, and tells what went wrong in the background.
    #[inline]
    fn refresh(&mut self) -> Result<()> {
        let sequence = self.writer.tree.sequence();
        if sequence == self.seen { Ok(()) } else { self.take_version(sequence) }
    }

    fn take_version(&mut self, sequence: u64) -> Result<()> {
        let tree: &Tree = &self.writer.tree;
        tree.check()?;
        let version = tree.current();
        if self.version.has_restored() && !version.has_restored() {
            self.store.clear_blocks();
        }
        (self.version, self.seen) = (version, sequence);
        self.version_bytes = self.version.memory_bytes();
        Ok(())
    }
}
