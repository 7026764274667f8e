//! The store of an operator instance: its directory, its tables, and who works for them in the background.

use super::cache::Blocks;
use super::compaction::RUNS_HARD_MAX;
use super::files::Files;
use super::tree::Tree;
use crate::memory::{Account, MemoryBudget, MemoryLease};
use headwater_data::run::Entries;
use headwater_env::Env;
use headwater_types::{Error, ErrorKind, Result};
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError, Weak};
use std::time::Duration;

/// Part of the memory for blocks of a checkpoint that is read in place, while it is; and bounds of that.
const BLOCKS_SHARE: u64 = 8;
const BLOCKS_BYTES: std::ops::RangeInclusive<u64> = 1 << 20..=128 << 20;

/// An import that fails is tried again so often, after pauses of so many times this.
const RETRIES: u32 = 10;
const RETRY_PAUSE: Duration = Duration::from_secs(1);

/// An open store. Clones share it; the last one removes its directory.
#[derive(Clone)]
pub(crate) struct Store {
    shared: Arc<Shared>,
}

struct Shared {
    pub files: Arc<Files>,
    worker: Arc<Worker>,
    write_buffer_bytes: u64,
    cache_bytes: u64,
    /// Memory of all tables.
    lease: OnceLock<Arc<MemoryLease>>,
    blocks: OnceLock<Arc<Blocks>>,
}

impl Store {
    /// Opens an empty store in a directory, which is emptied.
    pub fn open(directory: &Path, cache_bytes: u64, write_buffer_bytes: u64) -> Result<Self> {
        let (files, worker) = (Arc::new(Files::open(directory)?), Arc::default());
        let (lease, blocks) = (OnceLock::new(), OnceLock::new());
        Ok(Self { shared: Arc::new(Shared { files, worker, write_buffer_bytes, cache_bytes, lease, blocks }) })
    }

    /// The memory that all tables share.
    pub fn lease(&self, budget: &MemoryBudget) -> Arc<MemoryLease> {
        self.shared.lease.get_or_init(|| Arc::new(budget.lease(self.shared.cache_bytes))).clone()
    }

    /// A new, empty tree.
    pub(super) fn tree(&self) -> Arc<Tree> {
        let tree = Arc::new(Tree::new(self.shared.files.clone()));
        self.shared.worker.trees().push(Arc::downgrade(&tree));
        tree
    }

    /// Who works for its trees.
    pub(super) fn worker(&self) -> Arc<Worker> {
        self.shared.worker.clone()
    }

    /// The cache of blocks of a checkpoint, counted against a lease.
    pub(super) fn blocks(&self, lease: &Arc<MemoryLease>) -> Arc<Blocks> {
        let limit = (self.shared.cache_bytes / BLOCKS_SHARE).clamp(*BLOCKS_BYTES.start(), *BLOCKS_BYTES.end());
        self.shared.blocks.get_or_init(|| Arc::new(Blocks::new(limit as usize, Account::new(lease.clone())))).clone()
    }

    /// Forgets blocks of a checkpoint.
    pub(super) fn clear_blocks(&self) {
        self.shared.blocks.get().into_iter().for_each(|blocks| blocks.clear());
    }

    /// Its files, also for changes beside the trees.
    pub fn files(&self) -> &Arc<Files> {
        &self.shared.files
    }

    /// Memory of all tables.
    pub fn cache_bytes(&self) -> u64 {
        self.shared.cache_bytes
    }

    /// Memory of changes that are not in the tree yet.
    pub fn write_buffer_bytes(&self) -> u64 {
        self.shared.write_buffer_bytes
    }
}

impl std::fmt::Debug for Store {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Store").field("directory", &self.shared.files.directory()).finish()
    }
}

impl Drop for Shared {
    fn drop(&mut self) {
        self.files.close();
    }
}

/// What is done in the background.
#[derive(Debug, Clone, Copy)]
pub(super) enum Task {
    /// Merging local runs.
    Compact,
    /// Making the runs of a checkpoint local.
    Import,
}

/// Works for the trees of a store, a file at a time, so that others that need threads get their turn. At most one
/// thread is at each of its tasks. It keeps no tree alive.
#[derive(Default)]
pub(super) struct Worker {
    trees: Mutex<Vec<Weak<Tree>>>,
    /// Whether each of the tasks is under way.
    busy: [AtomicBool; 2],
    /// How often an import was tried again.
    retries: AtomicU32,
}

impl Worker {
    /// Lets a task be done soon, if there is anything to do.
    pub fn schedule(self: &Arc<Self>, env: &Env, task: Task) {
        if self.busy[task as usize].swap(true, Ordering::AcqRel) {
            return;
        }
        // Not the work but what is left of it says that nobody is at it: it may be dropped without being run.
        let shift = Shift { worker: self.clone(), task };
        let again = env.clone();
        env.spawn_blocking("state-tree", move || {
            let worker = shift.worker.clone();
            let is_more = worker.work(&again, task);
            drop(shift);
            if is_more {
                worker.schedule(&again, task);
            }
        });
    }

    /// Writes a file for each tree that needs it; whether one did.
    fn work(&self, env: &Env, task: Task) -> bool {
        let trees: Vec<_> = {
            let mut trees = self.trees();
            trees.retain(|tree| tree.strong_count() > 0);
            trees.iter().filter_map(Weak::upgrade).collect()
        };
        let mut is_more = false;
        for tree in trees {
            let worked = match task {
                Task::Compact => tree.compact(),
                Task::Import => tree.import(),
            };
            is_more |= worked.unwrap_or_else(|e| self.is_tried_again(env, task, &tree, e));
        }
        is_more
    }

    /// What to do about a failure: a checkpoint that cannot be fetched can wait, as long as nobody needs to read it.
    fn is_tried_again(&self, env: &Env, task: Task, tree: &Tree, error: Error) -> bool {
        let can_wait = matches!(task, Task::Import) && error.kind() == ErrorKind::Retryable && !tree.files.is_closed();
        let before = self.retries.load(Ordering::Relaxed);
        if !can_wait || before >= RETRIES {
            tree.fail(error);
            return false;
        }
        self.retries.store(before + 1, Ordering::Relaxed);
        env.clock().pause(RETRY_PAUSE * (before + 1));
        true
    }

    fn trees(&self) -> std::sync::MutexGuard<'_, Vec<Weak<Tree>>> {
        self.trees.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Somebody is at a task of a worker.
struct Shift {
    worker: Arc<Worker>,
    task: Task,
}

impl Drop for Shift {
    fn drop(&mut self) {
        self.worker.busy[self.task as usize].store(false, Ordering::Release);
    }
}

/// Writes to a tree from any thread.
#[derive(Clone)]
pub(super) struct TableWriter {
    pub tree: Arc<Tree>,
    pub worker: Arc<Worker>,
    pub env: Env,
}

impl TableWriter {
    /// Writes entries; of several of the same place the last counts.
    pub fn write(&self, mut entries: Entries) -> Result<()> {
        if entries.is_empty() {
            return Ok(());
        }
        entries.sort_latest();
        self.tree.add(&entries)?;
        drop(entries);
        // Writing faster than runs can be merged would make reads slower and slower.
        while self.tree.local_runs() > RUNS_HARD_MAX && self.tree.compact()? {}
        self.worker.schedule(&self.env, Task::Compact);
        Ok(())
    }
}
