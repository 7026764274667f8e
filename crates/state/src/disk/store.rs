//! The LSM tree: a database of one operator instance, a keyspace a table.

use super::flush::Mark;
use super::shape::Shape;
use crate::engine::VisitMaps;
use crate::memory::{MemoryBudget, MemoryLease};
use fjall::compaction::Leveled;
use fjall::config::{HashRatioPolicy, PartitioningPolicy, PinningPolicy};
use fjall::{Database, Keyspace, KeyspaceCreateOptions};
use headwater_data::run::{Entries, EntryRef};
use headwater_types::{Error, Result};
use std::ops::Bound;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};

/// Restored entries are written in sorted parts of this size.
const LOAD_BYTES: u64 = 16 << 20;
/// Smaller batches go to the tree's buffer, larger ones to files of their own.
const FILE_BYTES_MIN: usize = 1 << 20;
/// The tree's own buffer of a table: only what is too small for files goes there.
const MEMTABLE_BYTES: u64 = 4 << 20;
/// Size of the files that compactions write.
const FILE_BYTES: u64 = 16 << 20;
/// Threads of a tree. With more, one keeps for flushes and passes compactions on, again and again while another
/// compacts; batches come as files, so there is hardly anything to flush.
const TREE_THREADS: usize = 1;
/// Buckets of a block's hash index, per entry: a point read finds its entry at once.
const HASH_RATIO: f32 = 0.75;
/// Smallest block cache of the tree.
const BLOCK_CACHE_BYTES_MIN: u64 = 1 << 20;

/// An open database. Clones share it; the last one removes its directory.
#[derive(Clone)]
pub(crate) struct Store {
    shared: Arc<Shared>,
}

struct Shared {
    database: Option<Database>,
    directory: PathBuf,
    write_buffer_bytes: u64,
    /// Memory of all tables.
    lease: OnceLock<Arc<MemoryLease>>,
    cache_bytes: u64,
    /// Names files and keyspaces.
    next: AtomicU64,
}

impl Store {
    /// Opens an empty database in a directory, which is emptied.
    pub fn open(directory: &Path, cache_bytes: u64, write_buffer_bytes: u64) -> Result<Self> {
        remove(directory)?;
        std::fs::create_dir_all(directory).map_err(|e| disk_failed(directory, e))?;
        // The cache above holds entries; that of the tree holds index and filter blocks.
        let database = Database::builder(directory.join("tree"))
            .cache_size((cache_bytes / 4).max(BLOCK_CACHE_BYTES_MIN))
            .worker_threads(TREE_THREADS)
            .manual_journal_persist(true)
            .open()
            .map_err(|e| tree_failed(directory, e))?;
        let next = AtomicU64::new(0);
        let (database, directory, lease) = (Some(database), directory.to_owned(), OnceLock::new());
        let shared = Shared { database, directory, write_buffer_bytes, lease, cache_bytes, next };
        Ok(Self { shared: Arc::new(shared) })
    }

    /// The memory that all tables share.
    pub fn lease(&self, budget: &MemoryBudget) -> Arc<MemoryLease> {
        self.shared.lease.get_or_init(|| Arc::new(budget.lease(self.shared.cache_bytes))).clone()
    }

    /// A new, empty table: of maps, or of values.
    pub fn table(&self, maps: bool) -> Result<Table> {
        // Table names are the operators' choice; keyspace names are limited.
        let name = format!("t{}", self.number());
        let keyspace = self.database()?.keyspace(&name, keyspace_options);
        let keyspace = keyspace.map_err(|e| tree_failed(&self.shared.directory, e))?;
        let (shape, loading) = (Shape::new(maps), Entries::new());
        Ok(Table { store: self.clone(), keyspace, shape, loading, loading_bytes: 0, loading_key: None })
    }

    /// The path of a new file beside the tree.
    pub fn new_file(&self) -> PathBuf {
        self.shared.directory.join(format!("changes-{}.run", self.number()))
    }

    /// Memory of changes that are not in the tree yet.
    pub fn write_buffer_bytes(&self) -> u64 {
        self.shared.write_buffer_bytes
    }

    fn number(&self) -> u64 {
        self.shared.next.fetch_add(1, Ordering::Relaxed)
    }

    fn database(&self) -> Result<&Database> {
        self.shared.database.as_ref().ok_or_else(|| Error::internal("the state store is closed"))
    }
}

fn keyspace_options() -> KeyspaceCreateOptions {
    KeyspaceCreateOptions::default()
        .max_memtable_size(MEMTABLE_BYTES)
        .compaction_strategy(std::sync::Arc::new(Leveled::default().with_table_target_size(FILE_BYTES)))
        // Random reads of a tree larger than its cache must not read index and filters from disk as well.
        .index_block_partitioning_policy(PartitioningPolicy::all(false))
        .filter_block_partitioning_policy(PartitioningPolicy::all(false))
        .index_block_pinning_policy(PinningPolicy::all(true))
        .filter_block_pinning_policy(PinningPolicy::all(true))
        .data_block_hash_ratio_policy(HashRatioPolicy::all(HASH_RATIO))
}

impl std::fmt::Debug for Store {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Store").field("directory", &self.shared.directory).finish()
    }
}

impl Drop for Shared {
    fn drop(&mut self) {
        // The tree's threads must be gone before its files.
        self.database = None;
        let _ = remove(&self.directory);
    }
}

fn remove(directory: &Path) -> Result<()> {
    match std::fs::remove_dir_all(directory) {
        Err(e) if e.kind() != std::io::ErrorKind::NotFound => Err(disk_failed(directory, e)),
        _ => Ok(()),
    }
}

/// A table in the tree.
pub(crate) struct Table {
    pub store: Store,
    keyspace: Keyspace,
    shape: Shape,
    /// Restored entries that are not written yet, with keys of the tree.
    loading: Entries,
    loading_bytes: u64,
    /// The key of the last restored entry, which has its mark.
    loading_key: Option<Vec<u8>>,
}

/// Writes to a table in the tree.
#[derive(Clone)]
pub(crate) struct TableWriter {
    store: Store,
    keyspace: Keyspace,
}

/// Is called with map key and value until it returns false.
pub(crate) type VisitWhile<'a> = &'a mut dyn FnMut(&[u8], &[u8]) -> Result<bool>;

/// A value of the tree.
pub(crate) type Value = fjall::UserValue;

impl Table {
    /// The value of an entry.
    pub fn get(&mut self, group: u16, key: &[u8], map_key: &[u8]) -> Result<Option<Value>> {
        let key = self.shape.entry(group, key, map_key)?;
        self.keyspace.get(key).map_err(|e| self.failed(e))
    }

    /// Whether a key may have entries; for tables of maps.
    pub fn has_mark(&mut self, group: u16, key: &[u8]) -> Result<bool> {
        let key = self.shape.mark(group, key)?;
        self.keyspace.contains_key(key).map_err(|e| self.failed(e))
    }

    /// What makes keys of the table.
    pub fn shape(&self) -> Shape {
        self.shape.clone()
    }

    /// Calls `visit(map key, value)` with the entries of a key in order until it returns false.
    pub fn scan(
        &mut self,
        (group, key): (u16, &[u8]),
        bounds: crate::engine::Bounds<'_>,
        reverse: bool,
        visit: VisitWhile<'_>,
    ) -> Result<()> {
        let prefix = self.shape.entry(group, key, &[])?.to_vec();
        let full = |map_key: &[u8]| [&prefix, map_key].concat();
        let start = match bounds.0 {
            Bound::Unbounded => Bound::Included(prefix.clone()),
            Bound::Included(map_key) => Bound::Included(full(map_key)),
            Bound::Excluded(map_key) => Bound::Excluded(full(map_key)),
        };
        let end = match bounds.1 {
            Bound::Unbounded => successor(&prefix).map_or(Bound::Unbounded, Bound::Excluded),
            Bound::Included(map_key) => Bound::Included(full(map_key)),
            Bound::Excluded(map_key) => Bound::Excluded(full(map_key)),
        };
        let mut range = self.keyspace.range((start, end));
        while let Some(item) = if reverse { range.next_back() } else { range.next() } {
            let (stored, value) = item.into_inner().map_err(|e| self.failed(e))?;
            if !visit(&stored[prefix.len()..], &value)? {
                break;
            }
        }
        Ok(())
    }

    /// Calls `visit` with all entries.
    pub fn for_each(&self, visit: VisitMaps<'_>) -> Result<()> {
        for item in self.keyspace.iter() {
            let (stored, value) = item.into_inner().map_err(|e| self.failed(e))?;
            if let Some((key, map_key)) = self.shape.split(&stored)? {
                visit(key, map_key, &value)?;
            }
        }
        Ok(())
    }

    /// What writes to the table from another thread.
    pub fn writer(&self) -> TableWriter {
        TableWriter { store: self.store.clone(), keyspace: self.keyspace.clone() }
    }

    /// Takes over a restored entry.
    pub fn load(&mut self, entry: EntryRef<'_>) -> Result<()> {
        let mark = if self.loading_key.as_deref() == Some(entry.key) { Mark::Same } else { Mark::Set };
        self.loading_bytes += self.shape.push(entry, mark, &mut self.loading)?;
        if mark == Mark::Set {
            self.loading_key = Some(entry.key.to_vec());
        }
        if self.loading_bytes >= LOAD_BYTES { self.finish_load() } else { Ok(()) }
    }

    /// Writes restored entries that are not written yet.
    pub fn finish_load(&mut self) -> Result<()> {
        self.loading_bytes = 0;
        self.loading_key = None;
        self.writer().write(std::mem::take(&mut self.loading))
    }

    fn failed(&self, e: fjall::Error) -> Error {
        tree_failed(&self.store.shared.directory, e)
    }
}

impl TableWriter {
    /// Writes entries whose keys are those of the tree; of several with the same key the last counts.
    pub fn write(&self, mut entries: Entries) -> Result<()> {
        if entries.is_empty() {
            return Ok(());
        }
        entries.sort_latest();
        let written = match entries.memory_bytes() {
            0..FILE_BYTES_MIN => self.write_few(&entries),
            _ => self.write_file(&entries),
        };
        written.map_err(|e| tree_failed(&self.store.shared.directory, e))
    }

    /// Writes entries to the tree's own buffer, and its journal.
    fn write_few(&self, entries: &Entries) -> fjall::Result<()> {
        let Some(database) = &self.store.shared.database else { return Ok(()) };
        let mut batch = database.batch();
        for entry in entries.iter() {
            match entry.value {
                Some(value) => batch.insert(&self.keyspace, entry.key, value),
                None => batch.remove(&self.keyspace, entry.key),
            }
        }
        batch.commit()
    }

    /// Writes entries as sorted files, past buffer and journal.
    fn write_file(&self, entries: &Entries) -> fjall::Result<()> {
        let mut ingestion = self.keyspace.start_ingestion()?;
        for entry in entries.iter() {
            match entry.value {
                Some(value) => ingestion.write(entry.key, value)?,
                None => ingestion.write_tombstone(entry.key)?,
            }
        }
        ingestion.finish()
    }
}

/// The first key behind all that start with `prefix`.
fn successor(prefix: &[u8]) -> Option<Vec<u8>> {
    let last = prefix.iter().rposition(|byte| *byte < u8::MAX)?;
    let mut next = prefix[..=last].to_vec();
    next[last] += 1;
    Some(next)
}

fn tree_failed(directory: &Path, e: fjall::Error) -> Error {
    let message = format!("the state store in '{}' failed: {e}", directory.display());
    Error::retryable("state-disk", message).with_source(e)
}

fn disk_failed(directory: &Path, e: std::io::Error) -> Error {
    let message = format!("the directory '{}' for state cannot be used: {e}", directory.display());
    Error::retryable("state-disk", message).with_source(e)
}
