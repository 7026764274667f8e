//! Blocks of restored runs in memory: they were fetched from far away and decompressed.

use crate::memory::Account;
use headwater_data::run::BlockCache;
use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// A cache of a bounded size: what was not used since it last came to its turn goes first.
pub(super) struct Blocks {
    limit: usize,
    kept: Mutex<Kept>,
}

struct Kept {
    blocks: HashMap<(u64, usize), Block>,
    /// In the order they came, or were last spared.
    queue: VecDeque<(u64, usize)>,
    bytes: usize,
    account: Account,
}

struct Block {
    rows: Arc<Vec<u8>>,
    used: bool,
}

impl Blocks {
    pub fn new(limit: usize, account: Account) -> Self {
        Self { limit, kept: Mutex::new(Kept { blocks: HashMap::new(), queue: VecDeque::new(), bytes: 0, account }) }
    }

    /// Forgets all blocks.
    pub fn clear(&self) {
        let mut kept = self.lock();
        kept.blocks.clear();
        kept.queue.clear();
        kept.bytes = 0;
        kept.account.set(0);
    }

    fn lock(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Kept {
    fn evict(&mut self, limit: usize) {
        while self.bytes > limit
            && let Some(place) = self.queue.pop_front()
        {
            let used = self.blocks.get_mut(&place).is_some_and(|block| std::mem::take(&mut block.used));
            if used {
                self.queue.push_back(place);
            } else {
                let block = self.blocks.remove(&place);
                self.bytes -= block.map_or(0, |block| block.rows.len());
            }
        }
    }
}

impl BlockCache for Blocks {
    fn get(&self, run: u64, block: usize) -> Option<Arc<Vec<u8>>> {
        let mut kept = self.lock();
        let found = kept.blocks.get_mut(&(run, block))?;
        found.used = true;
        Some(found.rows.clone())
    }

    fn put(&self, run: u64, block: usize, rows: &Arc<Vec<u8>>) {
        let mut kept = self.lock();
        let new = Block { rows: rows.clone(), used: false };
        if kept.blocks.insert((run, block), new).is_none() {
            kept.queue.push_back((run, block));
            kept.bytes += rows.len();
        }
        kept.evict(self.limit);
        let bytes = kept.bytes;
        kept.account.set(bytes);
    }
}
