//! Where the bytes of tables live: the interface of state engines, and the choice of one.

use crate::context::RestoredRun;
use crate::disk::{Files, SetAside, Store};
use crate::heap::{HeapMaps, HeapValues, KeyId, Swept};
use crate::memory::{Account, MemoryLease};
use headwater_data::key_codec::EncodedKeys;
use headwater_data::run::{DeltaBuilder, Entries, EntryRef, EntryStream};
use headwater_env::Env;
use headwater_types::Result;
use std::ops::{Bound, ControlFlow};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

/// Which state engine tables use, by Flink's `state.backend.type`.
#[derive(Debug, Clone, Default)]
pub enum EngineKind {
    /// `hashmap`: everything in memory. The fastest, and the default.
    #[default]
    HashMap,
    /// `rocksdb`, by the name users know: state larger than memory, in an LSM tree on local disk with writes and
    /// often used entries in memory.
    Disk {
        /// Directory of one operator instance, a cache: emptied when its tables are opened, rebuilt by a restore,
        /// removed at the end.
        directory: PathBuf,
        /// Memory of all tables together: entries, changes on their way to disk, and the index and filters of the tree,
        /// which take about 2 bytes an entry and 75 a block of 3 KiB.
        cache_bytes: u64,
        /// Memory of changes that are not on disk yet; part of `cache_bytes`.
        write_buffer_bytes: u64,
    },
}

/// The engine of an operator instance. Clones share what is open.
#[derive(Debug, Clone, Default)]
pub struct EngineOptions {
    /// Which engine.
    pub kind: EngineKind,
    open: Arc<Mutex<Option<Store>>>,
}

impl EngineOptions {
    /// Everything in memory.
    pub fn hash_map() -> Self {
        Self::default()
    }

    /// State on local disk; see [`EngineKind::Disk`].
    pub fn disk(directory: impl Into<PathBuf>, cache_bytes: u64, write_buffer_bytes: u64) -> Self {
        let kind = EngineKind::Disk { directory: directory.into(), cache_bytes, write_buffer_bytes };
        Self { kind, open: Arc::default() }
    }

    /// The store on disk, opened when first asked for; `None` for the engine in memory.
    pub(crate) fn store(&self) -> Result<Option<Store>> {
        let EngineKind::Disk { directory, cache_bytes, write_buffer_bytes } = &self.kind else { return Ok(None) };
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        if open.is_none() {
            *open = Some(Store::open(directory, *cache_bytes, *write_buffer_bytes)?);
        }
        Ok(open.clone())
    }
}

/// What an engine needs to know of its surroundings.
pub(crate) struct EngineContext {
    pub groups: u32,
    pub env: Env,
    pub lease: Arc<MemoryLease>,
}

/// Tells whether a stored value is expired.
pub(crate) type Expired<'a> = &'a dyn Fn(&[u8]) -> bool;

/// Map-key bounds of a scan.
pub(crate) type Bounds<'a> = (Bound<&'a [u8]>, Bound<&'a [u8]>);

/// Is called with map key and value, or key and value, until it breaks.
pub type VisitUntil<'a> = &'a mut dyn FnMut(&[u8], &[u8]) -> ControlFlow<()>;
/// Is called with key and value.
pub type VisitValues<'a> = &'a mut dyn FnMut(&[u8], &[u8]) -> Result<()>;
/// Is called with key, map key and value.
pub type VisitMaps<'a> = &'a mut dyn FnMut(&[u8], &[u8], &[u8]) -> Result<()>;

/// Entries of maps: key and map key.
pub(crate) type PrefetchedEntries<'i, 'a> = &'i mut dyn Iterator<Item = (&'a [u8], &'a [u8])>;

/// What changed in an epoch.
#[derive(Default)]
pub(crate) struct Changes {
    /// Changes that were set aside, oldest first.
    pub set_aside: Vec<SetAside>,
    /// The changes after those, to be sorted.
    pub entries: Entries,
    /// The changes after those, to be stored as they are.
    pub delta: DeltaBuilder,
    /// Entries that the table has, where the engine knows.
    pub live: Option<u64>,
    /// Counts `entries` and `delta`, if anybody does.
    pub account: Option<Account>,
    /// Where there is room on disk; `None` where all is in memory.
    pub files: Option<Arc<Files>>,
}

/// An engine's table of one value per key. Values are stored in two parts, put together.
pub(crate) trait Values: Send {
    fn get(&mut self, key: &[u8]) -> Result<Option<&[u8]>>;
    fn put(&mut self, key: &[u8], value: [&[u8]; 2]) -> Result<()>;
    fn delete(&mut self, key: &[u8]) -> Result<()>;
    fn prefetch(&mut self, keys: &EncodedKeys) -> Result<()>;
    fn for_each(&mut self, visit: VisitValues<'_>) -> Result<()>;
    /// Takes over a restored entry.
    fn load(&mut self, entry: EntryRef<'_>) -> Result<()>;
    /// Takes over the runs of a checkpoint, oldest first, whose entries are in the form of this table.
    fn adopt(&mut self, runs: Vec<RestoredRun>) -> Result<()>;
    /// Everything is loaded.
    fn finish_load(&mut self) -> Result<()>;
    /// Takes what changed since the last call. Changed values that are expired are reported as deleted.
    fn take_changes(&mut self, expired: Expired<'_>) -> Changes;
    /// Deletes a few expired values, if there are any where it looks.
    fn clean_up(&mut self, expired: Expired<'_>) -> Result<()>;
    /// Memory in use.
    fn memory_bytes(&self) -> usize;
}

/// An engine's table of an ordered map per key.
pub(crate) trait Maps: Send {
    fn get(&mut self, key: &[u8], map_key: &[u8]) -> Result<Option<&[u8]>>;
    fn put(&mut self, key: &[u8], map_key: &[u8], value: [&[u8]; 2]) -> Result<()>;
    fn delete(&mut self, key: &[u8], map_key: &[u8]) -> Result<()>;
    fn clear(&mut self, key: &[u8]) -> Result<()>;
    fn is_empty(&mut self, key: &[u8]) -> Result<bool>;
    fn scan(&mut self, key: &[u8], bounds: Bounds<'_>, reverse: bool, visit: VisitUntil<'_>) -> Result<()>;
    fn prefetch(&mut self, keys: &EncodedKeys) -> Result<()>;
    /// Entries, by key and map key, that are about to be read one by one.
    fn prefetch_entries(&mut self, _entries: PrefetchedEntries<'_, '_>) -> Result<()> {
        Ok(())
    }
    fn for_each(&mut self, visit: VisitMaps<'_>) -> Result<()>;
    fn load(&mut self, entry: EntryRef<'_>) -> Result<()>;
    fn adopt(&mut self, runs: Vec<RestoredRun>) -> Result<()>;
    fn finish_load(&mut self) -> Result<()>;
    fn take_changes(&mut self, expired: Expired<'_>) -> Changes;
    fn clean_up(&mut self, expired: Expired<'_>) -> Result<()>;
    fn memory_bytes(&self) -> usize;
}

/// An entry of a restored run.
enum RestoredEntry<'a> {
    /// There is none of this key yet.
    New(EntryRef<'a>),
    /// It replaces what there is of its key, or deletes it.
    Newer(EntryRef<'a>),
}

/// Reads the runs of a checkpoint through as they were written, oldest first: nothing needs to be sorted or merged
/// on its way into memory.
fn read_runs(runs: Vec<RestoredRun>, take: &mut dyn FnMut(RestoredEntry<'_>) -> Result<()>) -> Result<()> {
    for (position, RestoredRun { run, groups, .. }) in runs.into_iter().enumerate() {
        if !run.is_sorted() {
            run.visit_unsorted(&groups, |entry| take(RestoredEntry::Newer(entry)))?;
            continue;
        }
        let is_new = position == 0;
        let mut entries = run.read_as_written(groups);
        while entries.advance()? {
            let entry = entries.entry();
            take(if is_new { RestoredEntry::New(entry) } else { RestoredEntry::Newer(entry) })?;
        }
    }
    Ok(())
}

/// Places that one access looks at for expired entries.
const CLEAN_UP_PLACES: usize = 2;

/// The engine in memory, for values.
pub(crate) struct MemoryValues {
    heap: HeapValues,
    account: Account,
}

impl MemoryValues {
    pub fn new(context: &EngineContext) -> Self {
        Self { heap: HeapValues::new(context.groups), account: Account::new(context.lease.clone()) }
    }
}

impl Values for MemoryValues {
    #[inline]
    fn get(&mut self, key: &[u8]) -> Result<Option<&[u8]>> {
        Ok(self.heap.get(self.heap.hash(key), key))
    }

    #[inline]
    fn put(&mut self, key: &[u8], value: [&[u8]; 2]) -> Result<()> {
        self.heap.put(self.heap.hash(key), key, value)
    }

    fn delete(&mut self, key: &[u8]) -> Result<()> {
        self.heap.delete(self.heap.hash(key), key)
    }

    fn prefetch(&mut self, keys: &EncodedKeys) -> Result<()> {
        self.heap.warm(keys);
        self.account.set_in_memory(self.heap.bytes())
    }

    fn for_each(&mut self, visit: VisitValues<'_>) -> Result<()> {
        self.heap.for_each(visit)
    }

    fn load(&mut self, entry: EntryRef<'_>) -> Result<()> {
        let hash = self.heap.hash(entry.key);
        if entry.value.is_some() {
            self.heap.load(hash, entry.key, entry.value)?;
        }
        Ok(())
    }

    fn adopt(&mut self, runs: Vec<RestoredRun>) -> Result<()> {
        read_runs(runs, &mut |entry| match entry {
            RestoredEntry::New(entry) => self.load(entry),
            RestoredEntry::Newer(entry) => self.heap.replace(self.heap.hash(entry.key), entry.key, entry.value),
        })?;
        self.finish_load()
    }

    fn finish_load(&mut self) -> Result<()> {
        self.account.set_in_memory(self.heap.bytes())
    }

    fn take_changes(&mut self, expired: Expired<'_>) -> Changes {
        let mut changes = Changes::default();
        self.heap.take_changes(usize::MAX, expired, &mut changes.delta);
        changes.live = Some(self.heap.len() as u64);
        self.account.set(self.heap.bytes());
        changes
    }

    fn clean_up(&mut self, expired: Expired<'_>) -> Result<()> {
        self.heap.sweep(CLEAN_UP_PLACES, &mut |value, _| match value {
            Some(value) if expired(value) => Swept::Delete,
            _ => Swept::Keep,
        })
    }

    fn memory_bytes(&self) -> usize {
        self.heap.bytes()
    }
}

/// The engine in memory, for maps.
pub(crate) struct MemoryMaps {
    heap: HeapMaps,
    account: Account,
    /// The key that was used last: a key is often used several times in a row.
    last: KeyId,
}

impl MemoryMaps {
    pub fn new(context: &EngineContext) -> Self {
        let heap = HeapMaps::new(context.groups);
        Self { heap, account: Account::new(context.lease.clone()), last: KeyId::default() }
    }

    #[inline]
    fn find(&mut self, key: &[u8]) -> Option<KeyId> {
        if self.heap.is_key(self.last, key) {
            return Some(self.last);
        }
        let found = self.heap.find(self.heap.hash(key), key);
        self.last = found.unwrap_or(self.last);
        found
    }

    #[inline]
    fn find_or_add(&mut self, key: &[u8]) -> Result<KeyId> {
        match self.find(key) {
            Some(id) => Ok(id),
            None => {
                self.last = self.heap.add_key(self.heap.hash(key), key)?;
                Ok(self.last)
            }
        }
    }

    /// Takes over a restored entry in the place of an older one, or its deletion.
    fn replace(&mut self, entry: EntryRef<'_>) -> Result<()> {
        match (entry.value, self.find(entry.key)) {
            (Some(value), _) => {
                let id = self.find_or_add(entry.key)?;
                self.heap.replace(id, entry.map_key, value)
            }
            (None, Some(id)) => {
                self.heap.forget(id, entry.map_key);
                Ok(())
            }
            (None, None) => Ok(()),
        }
    }
}

impl Maps for MemoryMaps {
    fn get(&mut self, key: &[u8], map_key: &[u8]) -> Result<Option<&[u8]>> {
        Ok(self.find(key).and_then(|id| self.heap.get(id, map_key)))
    }

    fn put(&mut self, key: &[u8], map_key: &[u8], value: [&[u8]; 2]) -> Result<()> {
        let id = self.find_or_add(key)?;
        self.heap.put(id, map_key, value)
    }

    fn delete(&mut self, key: &[u8], map_key: &[u8]) -> Result<()> {
        match self.find(key) {
            Some(id) => self.heap.delete(id, map_key),
            None => Ok(()),
        }
    }

    fn clear(&mut self, key: &[u8]) -> Result<()> {
        if let Some(id) = self.find(key) {
            self.heap.clear(id);
        }
        Ok(())
    }

    fn is_empty(&mut self, key: &[u8]) -> Result<bool> {
        Ok(self.find(key).is_none())
    }

    fn scan(&mut self, key: &[u8], bounds: Bounds<'_>, reverse: bool, visit: VisitUntil<'_>) -> Result<()> {
        if let Some(id) = self.find(key) {
            self.heap.put_in_order(id);
            self.heap.scan(id, bounds, reverse, &mut |map_key, value| match value {
                Some(value) => visit(map_key, value),
                None => ControlFlow::Continue(()),
            });
        }
        Ok(())
    }

    fn prefetch(&mut self, keys: &EncodedKeys) -> Result<()> {
        self.heap.warm(keys);
        self.account.set_in_memory(self.heap.bytes())
    }

    fn prefetch_entries(&mut self, entries: PrefetchedEntries<'_, '_>) -> Result<()> {
        self.heap.warm_entries(entries);
        self.account.set_in_memory(self.heap.bytes())
    }

    fn for_each(&mut self, visit: VisitMaps<'_>) -> Result<()> {
        self.heap.for_each(visit)
    }

    fn load(&mut self, entry: EntryRef<'_>) -> Result<()> {
        if entry.value.is_none() {
            return Ok(());
        }
        let id = self.find_or_add(entry.key)?;
        self.heap.load(id, entry.map_key, entry.value)
    }

    fn adopt(&mut self, runs: Vec<RestoredRun>) -> Result<()> {
        read_runs(runs, &mut |entry| match entry {
            RestoredEntry::New(entry) => self.load(entry),
            RestoredEntry::Newer(entry) => self.replace(entry),
        })?;
        self.finish_load()
    }

    fn finish_load(&mut self) -> Result<()> {
        self.account.set_in_memory(self.heap.bytes())
    }

    fn take_changes(&mut self, expired: Expired<'_>) -> Changes {
        let mut changes = Changes::default();
        self.heap.take_changes(usize::MAX, expired, &mut changes.delta);
        changes.live = Some(self.heap.entries() as u64);
        self.account.set(self.heap.bytes());
        changes
    }

    fn clean_up(&mut self, expired: Expired<'_>) -> Result<()> {
        for _ in 0..CLEAN_UP_PLACES {
            if let Some((id, _)) = self.heap.next_swept() {
                self.heap.delete_some(id, expired)?;
            }
        }
        Ok(())
    }

    fn memory_bytes(&self) -> usize {
        self.heap.bytes()
    }
}
