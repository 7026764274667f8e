//! A table of an ordered map per key.

use crate::TableDescriptor;
use crate::context::{RestoredRun, StateContext};
use crate::disk::DiskMaps;
use crate::engine::{Bounds, Maps, MemoryMaps, VisitMaps, VisitUntil};
use crate::row_codec::EncodedRows;
use crate::snapshot::{Snapshot, TableDelta};
use crate::ttl::Lifetime;
use headwater_data::key_codec::EncodedKeys;
use headwater_data::run::EntryRef;
use headwater_types::Result;
use std::ops::{Bound, ControlFlow};

/// An ordered map per key: entries of a key are visited in the byte order of their map keys.
pub struct MapTable {
    descriptor: TableDescriptor,
    lifetime: Lifetime,
    engine: Box<dyn Maps>,
    /// A value that is read and renewed or deleted at once.
    scratch: Vec<u8>,
}

const ALL: Bounds<'static> = (Bound::Unbounded, Bound::Unbounded);

impl MapTable {
    pub(crate) fn new(descriptor: TableDescriptor, context: &StateContext) -> Result<Self> {
        let engine: Box<dyn Maps> = match context.engine.store()? {
            None => Box::new(MemoryMaps::new(&context.engine_context()?)),
            Some(store) => Box::new(DiskMaps::new(store, &context.engine_context()?)),
        };
        let lifetime = Lifetime::new(descriptor.ttl, &context.env);
        Ok(Self { descriptor, lifetime, engine, scratch: vec![] })
    }

    /// Takes over a restored entry, unless it is expired.
    pub(crate) fn load(&mut self, entry: EntryRef<'_>, had_ttl: bool) -> Result<()> {
        match self.lifetime.restored(entry.value, had_ttl, &mut self.scratch)? {
            Some(value) => self.engine.load(EntryRef { value: Some(value), ..entry }),
            None => Ok(()),
        }
    }

    /// Takes over runs of a checkpoint that hold what this table would.
    pub(crate) fn adopt(&mut self, runs: Vec<RestoredRun>) -> Result<()> {
        self.engine.adopt(runs)
    }

    pub(crate) fn finish_load(&mut self) -> Result<()> {
        self.engine.finish_load()
    }

    /// What the table is.
    pub fn descriptor(&self) -> &TableDescriptor {
        &self.descriptor
    }

    /// Fetches the entries of these keys from the engine, so that the following reads are fast.
    ///
    /// # Errors
    /// When the engine cannot be read.
    pub fn prefetch(&mut self, keys: &EncodedKeys) -> Result<()> {
        self.engine.prefetch(keys)
    }

    /// Tells the engine which entries, by key and map key, are about to be read one by one.
    ///
    /// # Errors
    /// When the engine cannot be read.
    pub fn prefetch_entries<'a>(&mut self, mut entries: impl Iterator<Item = (&'a [u8], &'a [u8])>) -> Result<()> {
        self.engine.prefetch_entries(&mut entries)
    }

    /// The value of an entry.
    ///
    /// # Errors
    /// When the engine cannot be read.
    #[inline]
    pub fn get(&mut self, key: &[u8], map_key: &[u8]) -> Result<Option<&[u8]>> {
        if self.lifetime.is_limited() { self.get_limited(key, map_key) } else { self.engine.get(key, map_key) }
    }

    /// Whether a key has no entries.
    ///
    /// # Errors
    /// When the engine cannot be read.
    pub fn is_empty(&mut self, key: &[u8]) -> Result<bool> {
        if !self.lifetime.is_limited() {
            return self.engine.is_empty(key);
        }
        let (lifetime, now_ms) = (&self.lifetime, self.lifetime.now_ms());
        let mut empty = true;
        self.engine.scan(key, ALL, false, &mut |_, value| {
            empty = lifetime.is_expired(value, now_ms);
            if empty { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
        })?;
        Ok(empty)
    }

    /// Sets the value of an entry.
    ///
    /// # Errors
    /// When the engine cannot be written.
    #[inline]
    pub fn put(&mut self, key: &[u8], map_key: &[u8], value: &[u8]) -> Result<()> {
        self.engine.put(key, map_key, [self.lifetime.stamp(&mut [0; 8]), value])?;
        if self.lifetime.is_limited() { self.clean_up() } else { Ok(()) }
    }

    /// Removes an entry.
    ///
    /// # Errors
    /// When the engine cannot be written.
    pub fn delete(&mut self, key: &[u8], map_key: &[u8]) -> Result<()> {
        self.engine.delete(key, map_key)
    }

    /// Removes all entries of a key.
    ///
    /// # Errors
    /// When the engine cannot be written.
    pub fn clear(&mut self, key: &[u8]) -> Result<()> {
        self.engine.clear(key)
    }

    /// Visits the entries of a key whose map keys lie within the bounds, in order, until `visit` breaks.
    /// `reverse` visits them from the end.
    ///
    /// # Errors
    /// When the engine cannot be read.
    pub fn scan(
        &mut self,
        key: &[u8],
        bounds: (Bound<&[u8]>, Bound<&[u8]>),
        reverse: bool,
        visit: VisitUntil<'_>,
    ) -> Result<()> {
        if self.lifetime.is_limited() {
            self.scan_limited(key, bounds, reverse, visit)
        } else {
            self.engine.scan(key, bounds, reverse, visit)
        }
    }

    /// Visits all entries of a key in order.
    ///
    /// # Errors
    /// When the engine cannot be read.
    pub fn scan_all(&mut self, key: &[u8], visit: &mut dyn FnMut(&[u8], &[u8])) -> Result<()> {
        self.scan(key, ALL, false, &mut |map_key, value| {
            visit(map_key, value);
            ControlFlow::Continue(())
        })
    }

    /// Calls `visit(key, map key, value)` with every live entry, keys in no particular order.
    ///
    /// # Errors
    /// When the engine cannot be read, or the first error of `visit`.
    pub fn for_each(&mut self, visit: VisitMaps<'_>) -> Result<()> {
        let (lifetime, now_ms) = (&self.lifetime, self.lifetime.now_ms());
        self.engine.for_each(&mut |key, map_key, value| match lifetime.is_expired(value, now_ms) {
            true => Ok(()),
            false => visit(key, map_key, lifetime.strip(value)),
        })
    }

    /// Hands what changed since the last call to a snapshot.
    pub fn snapshot(&mut self, snapshot: &mut Snapshot) {
        let (lifetime, now_ms) = (&self.lifetime, self.lifetime.now_ms());
        let changes = self.engine.take_changes(&|value| lifetime.is_expired(value, now_ms));
        snapshot.tables.push(TableDelta::of_changes(self.descriptor.clone(), changes));
    }

    /// Memory in use, bytes.
    pub fn memory_bytes(&self) -> usize {
        self.engine.memory_bytes()
    }

    /// Reads a value that may be expired, and that the read may renew.
    fn get_limited(&mut self, key: &[u8], map_key: &[u8]) -> Result<Option<&[u8]>> {
        let now_ms = self.lifetime.now_ms();
        let Some(stored) = self.engine.get(key, map_key)? else { return Ok(None) };
        let expired = self.lifetime.is_expired(stored, now_ms);
        self.scratch.clear();
        self.scratch.extend_from_slice(self.lifetime.strip(stored));
        if expired {
            self.engine.delete(key, map_key)?;
        } else if self.lifetime.renewed_by_reads() {
            self.engine.put(key, map_key, [&now_ms.to_le_bytes(), &self.scratch])?;
        }
        Ok((!expired || self.lifetime.returns_expired()).then_some(self.scratch.as_slice()))
    }

    /// Scans entries that may be expired, and deletes or renews those that were seen.
    fn scan_limited(&mut self, key: &[u8], bounds: Bounds<'_>, reverse: bool, visit: VisitUntil<'_>) -> Result<()> {
        let (lifetime, now_ms) = (&self.lifetime, self.lifetime.now_ms());
        let (renew, return_expired) = (lifetime.renewed_by_reads(), lifetime.returns_expired());
        let (mut expired, mut renewed) = (EncodedRows::new(), (EncodedRows::new(), EncodedRows::new()));
        self.engine.scan(key, bounds, reverse, &mut |map_key, stored| {
            let (is_expired, value) = (lifetime.is_expired(stored, now_ms), lifetime.strip(stored));
            if is_expired {
                expired.push(map_key);
            } else if renew {
                renewed.0.push(map_key);
                renewed.1.push(value);
            }
            if is_expired && !return_expired { ControlFlow::Continue(()) } else { visit(map_key, value) }
        })?;
        for map_key in expired.iter() {
            self.engine.delete(key, map_key)?;
        }
        for (map_key, value) in renewed.0.iter().zip(renewed.1.iter()) {
            self.engine.put(key, map_key, [&now_ms.to_le_bytes(), value])?;
        }
        Ok(())
    }

    fn clean_up(&mut self) -> Result<()> {
        let (lifetime, now_ms) = (&self.lifetime, self.lifetime.now_ms());
        self.engine.clean_up(&|value| lifetime.is_expired(value, now_ms))
    }
}
