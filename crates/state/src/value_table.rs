//! A table of one value per key.

use crate::TableDescriptor;
use crate::context::{RestoredRun, StateContext};
use crate::disk::DiskValues;
use crate::engine::{MemoryValues, Values, VisitValues};
use crate::snapshot::{Snapshot, TableDelta};
use crate::ttl::Lifetime;
use headwater_data::key_codec::EncodedKeys;
use headwater_data::run::EntryRef;
use headwater_types::Result;

/// One value per key.
pub struct ValueTable {
    descriptor: TableDescriptor,
    lifetime: Lifetime,
    engine: Box<dyn Values>,
    /// A value that is read and renewed or deleted at once.
    scratch: Vec<u8>,
}

impl ValueTable {
    pub(crate) fn new(descriptor: TableDescriptor, context: &StateContext) -> Result<Self> {
        let engine: Box<dyn Values> = match context.engine.store()? {
            None => Box::new(MemoryValues::new(&context.engine_context()?)),
            Some(store) => Box::new(DiskValues::new(store, &context.engine_context()?)),
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

    /// Fetches these keys from the engine, so that the following reads are fast.
    ///
    /// # Errors
    /// When the engine cannot be read.
    pub fn prefetch(&mut self, keys: &EncodedKeys) -> Result<()> {
        self.engine.prefetch(keys)
    }

    /// The value of a key.
    ///
    /// # Errors
    /// When the engine cannot be read.
    #[inline]
    pub fn get(&mut self, key: &[u8]) -> Result<Option<&[u8]>> {
        if self.lifetime.is_limited() { self.get_limited(key) } else { self.engine.get(key) }
    }

    /// Sets the value of a key.
    ///
    /// # Errors
    /// When the engine cannot be written.
    #[inline]
    pub fn put(&mut self, key: &[u8], value: &[u8]) -> Result<()> {
        self.engine.put(key, [self.lifetime.stamp(&mut [0; 8]), value])?;
        if self.lifetime.is_limited() { self.clean_up() } else { Ok(()) }
    }

    /// Removes the value of a key.
    ///
    /// # Errors
    /// When the engine cannot be written.
    pub fn delete(&mut self, key: &[u8]) -> Result<()> {
        self.engine.delete(key)
    }

    /// Calls `visit(key, value)` with every live entry, in no particular order.
    ///
    /// # Errors
    /// When the engine cannot be read, or the first error of `visit`.
    pub fn for_each(&mut self, visit: VisitValues<'_>) -> Result<()> {
        let (lifetime, now_ms) = (&self.lifetime, self.lifetime.now_ms());
        self.engine.for_each(&mut |key, value| match lifetime.is_expired(value, now_ms) {
            true => Ok(()),
            false => visit(key, lifetime.strip(value)),
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
    fn get_limited(&mut self, key: &[u8]) -> Result<Option<&[u8]>> {
        let now_ms = self.lifetime.now_ms();
        let Some(stored) = self.engine.get(key)? else { return Ok(None) };
        let expired = self.lifetime.is_expired(stored, now_ms);
        self.scratch.clear();
        self.scratch.extend_from_slice(self.lifetime.strip(stored));
        if expired {
            self.engine.delete(key)?;
        } else if self.lifetime.renewed_by_reads() {
            self.engine.put(key, [&now_ms.to_le_bytes(), &self.scratch])?;
        }
        Ok((!expired || self.lifetime.returns_expired()).then_some(self.scratch.as_slice()))
    }

    fn clean_up(&mut self) -> Result<()> {
        let (lifetime, now_ms) = (&self.lifetime, self.lifetime.now_ms());
        self.engine.clean_up(&|value| lifetime.is_expired(value, now_ms))
    }
}
