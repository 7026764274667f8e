//! Memory of work beside the lanes: uploads, merges, restores.
//!
//! Such work can wait, and be done with less: it asks for what it needs before it starts and gives it back when it is
//! done, so that no matter how many pieces of work there are, they take no more than there is. Invariant: somebody who
//! waits waits for somebody who works, so there is always one who goes on; work that needs more than there is goes alone.
//! Whoever holds a permit must not wait for another.

use super::{Account, MemoryBudget};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

/// Memory that work waits for. Clones share it.
#[derive(Debug, Clone)]
pub struct WorkMemory {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    budget: MemoryBudget,
    limit: u64,
    granted: Mutex<u64>,
    returned: Condvar,
}

/// Some of a [`WorkMemory`]. Gives it back when dropped.
#[derive(Debug)]
pub struct Permit {
    memory: WorkMemory,
    bytes: u64,
    _counted: Account,
}

impl WorkMemory {
    /// So many bytes, of a budget which counts what of them is in use.
    pub fn new(budget: MemoryBudget, limit_bytes: u64) -> Self {
        let (granted, returned) = (Mutex::new(0), Condvar::new());
        Self { shared: Arc::new(Shared { budget, limit: limit_bytes, granted, returned }) }
    }

    /// What all permits together hold at most, but for one that needs more alone.
    pub fn limit_bytes(&self) -> u64 {
        self.shared.limit
    }

    /// Takes bytes as soon as others have given back enough. Blocks: never called on a lane.
    pub fn wait_for(&self, bytes: u64) -> Permit {
        let mut granted = self.lock();
        while *granted > 0 && granted.saturating_add(bytes) > self.shared.limit {
            granted = self.shared.returned.wait(granted).unwrap_or_else(PoisonError::into_inner);
        }
        *granted += bytes;
        drop(granted);
        let mut counted = Account::new(Arc::new(self.shared.budget.lease(u64::MAX)));
        counted.set(usize::try_from(bytes).unwrap_or(usize::MAX));
        Permit { memory: self.clone(), bytes, _counted: counted }
    }

    fn lock(&self) -> MutexGuard<'_, u64> {
        self.shared.granted.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        *self.memory.lock() -= self.bytes;
        self.memory.shared.returned.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn work_waits_for_what_others_hold() {
        let budget = MemoryBudget::new(150);
        let memory = WorkMemory::new(budget.clone(), 100);
        let (first, second) = (memory.wait_for(60), memory.wait_for(40));
        assert_eq!((budget.used_bytes(), memory.limit_bytes()), (100, 100));
        let waiting = {
            let memory = memory.clone();
            std::thread::spawn(move || memory.wait_for(50).bytes)
        };
        drop(second);
        assert!(!waiting.is_finished(), "60 and 50 are too much");
        drop(first);
        assert_eq!(waiting.join().unwrap(), 50);
        let alone = memory.wait_for(1000);
        assert_eq!((alone.bytes, budget.used_bytes()), (1000, 1000), "more than there is goes alone");
        drop(alone);
        assert_eq!((*memory.lock(), budget.used_bytes()), (0, 0));
    }
}
