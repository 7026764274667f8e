//! Memory budgets: one number per process, leased to those who keep state.
//!
//! ```text
//! MemoryBudget (process) ─┬─ MemoryLease (tables of an operator instance, with a limit of its own) ── Account ..
//!                         ├─ MemoryLease ..
//!                         └─ WorkMemory (whoever reads or writes state beside the lanes waits for a part) ── Permit ..
//! ```
//!
//! A lease grows by asking. Who can do with less (a cache) asks with [`MemoryLease::try_grow`] and evicts when
//! refused; who cannot (an overlay, a table in memory) uses [`MemoryLease::grow`], which always succeeds and may
//! overdraw the budget, so that the caches of others shrink. Invariant: a budget's use is the sum of its leases.
//! It counts what it is told; it allocates nothing.

mod work;

pub use work::{Permit, WorkMemory};

use headwater_types::{Error, Result};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// The memory of a process. Cheap to clone.
#[derive(Debug, Clone)]
pub struct MemoryBudget {
    shared: Arc<Counter>,
}

/// A part of a budget. Gives back what it holds when dropped.
#[derive(Debug)]
pub struct MemoryLease {
    budget: MemoryBudget,
    own: Counter,
}

#[derive(Debug)]
struct Counter {
    used: AtomicU64,
    limit: u64,
}

impl Counter {
    fn new(limit: u64) -> Self {
        Self { used: AtomicU64::new(0), limit }
    }

    fn try_grow(&self, bytes: u64) -> bool {
        let grown = |used: u64| used.checked_add(bytes).filter(|used| *used <= self.limit);
        self.used.fetch_update(Relaxed, Relaxed, grown).is_ok()
    }

    fn shrink(&self, bytes: u64) {
        let before = self.used.fetch_sub(bytes, Relaxed);
        debug_assert!(before >= bytes, "memory is given back once");
    }
}

impl MemoryBudget {
    /// A budget of so many bytes.
    pub fn new(limit_bytes: u64) -> Self {
        Self { shared: Arc::new(Counter::new(limit_bytes)) }
    }

    /// A budget without a limit; it still counts.
    pub fn unlimited() -> Self {
        Self::new(u64::MAX)
    }

    /// A lease that [`MemoryLease::try_grow`] keeps to a limit of its own as well.
    pub fn lease(&self, limit_bytes: u64) -> MemoryLease {
        MemoryLease { budget: self.clone(), own: Counter::new(limit_bytes) }
    }

    /// Bytes in use.
    pub fn used_bytes(&self) -> u64 {
        self.shared.used.load(Relaxed)
    }

    /// Bytes that should not be exceeded.
    pub fn limit_bytes(&self) -> u64 {
        self.shared.limit
    }

    /// Whether more is used than there is.
    pub fn is_overdrawn(&self) -> bool {
        self.used_bytes() > self.shared.limit
    }
}

impl MemoryLease {
    /// Takes bytes if both the lease and the budget have them; whether they had.
    #[must_use]
    pub fn try_grow(&self, bytes: u64) -> bool {
        if !self.own.try_grow(bytes) {
            return false;
        }
        let granted = self.budget.shared.try_grow(bytes);
        if !granted {
            self.own.shrink(bytes);
        }
        granted
    }

    /// Takes bytes in any case.
    pub fn grow(&self, bytes: u64) {
        self.own.used.fetch_add(bytes, Relaxed);
        self.budget.shared.used.fetch_add(bytes, Relaxed);
    }

    /// Gives bytes back.
    pub fn shrink(&self, bytes: u64) {
        self.own.shrink(bytes);
        self.budget.shared.shrink(bytes);
    }

    /// Bytes held.
    pub fn used_bytes(&self) -> u64 {
        self.own.used.load(Relaxed)
    }

    /// Whether the lease or its budget is overdrawn: time to evict.
    pub fn is_overdrawn(&self) -> bool {
        self.used_bytes() > self.own.limit || self.budget.is_overdrawn()
    }
}

impl Drop for MemoryLease {
    fn drop(&mut self) {
        self.shrink(self.used_bytes());
    }
}

/// One user's share of a lease, which it sets as a whole. Gives it back when dropped.
#[derive(Debug)]
pub struct Account {
    lease: Arc<MemoryLease>,
    bytes: u64,
}

impl Account {
    /// A share of nothing yet.
    pub fn new(lease: Arc<MemoryLease>) -> Self {
        Self { lease, bytes: 0 }
    }

    /// A share of the same lease, of so many bytes.
    #[must_use]
    pub fn other(&self, bytes: usize) -> Self {
        let mut other = Self::new(self.lease.clone());
        other.set(bytes);
        other
    }

    /// Notes what is in use now; whether the lease is overdrawn with it.
    pub fn set(&mut self, bytes: usize) -> bool {
        let bytes = bytes as u64;
        match bytes >= self.bytes {
            true => self.lease.grow(bytes - self.bytes),
            false => self.lease.shrink(self.bytes - bytes),
        }
        self.bytes = bytes;
        self.lease.is_overdrawn()
    }
}

impl Account {
    /// Notes what a table in memory uses now, which cannot do with less.
    ///
    /// # Errors
    /// When that is more than the process has for it.
    pub(crate) fn set_in_memory(&mut self, bytes: usize) -> Result<()> {
        if !self.set(bytes) {
            return Ok(());
        }
        let (used, limit) = (self.lease.budget.used_bytes() >> 20, self.lease.budget.limit_bytes() >> 20);
        let message = format!(
            "the state in memory has grown to {used} MiB, and the process has {limit} MiB for it: set \
             'state.backend.type' to 'rocksdb', or raise 'taskmanager.memory.process.size' or the parallelism"
        );
        Err(Error::user("state-memory-full", message))
    }
}

impl Drop for Account {
    fn drop(&mut self) {
        self.lease.shrink(self.bytes);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn leases_share_a_budget_and_keep_their_limits() {
        let budget = MemoryBudget::new(100);
        let (a, b) = (budget.lease(80), budget.lease(80));
        assert!(a.try_grow(70));
        assert!(!a.try_grow(20), "above its own limit");
        assert!(!b.try_grow(40), "above the budget");
        assert_eq!((a.used_bytes(), b.used_bytes(), budget.used_bytes()), (70, 0, 70));
        b.grow(40);
        assert!(budget.is_overdrawn() && a.is_overdrawn() && b.is_overdrawn());
        drop(a);
        assert_eq!(budget.used_bytes(), 40);
        assert!(!b.is_overdrawn());
    }

    #[test]
    fn state_that_does_not_fit_says_what_to_do() {
        let budget = MemoryBudget::new(3 << 20);
        let mut account = Account::new(Arc::new(budget.lease(u64::MAX)));
        account.set_in_memory(3 << 20).unwrap();
        let error = account.set_in_memory(5 << 20).unwrap_err();
        assert!(error.message().contains("grown to 5 MiB, and the process has 3 MiB"), "{error}");
    }

    #[test]
    fn an_account_follows_its_user() {
        let budget = MemoryBudget::unlimited();
        let lease = Arc::new(budget.lease(50));
        let mut account = Account::new(lease.clone());
        assert!(!account.set(40));
        assert!(account.set(60));
        assert!(!account.set(10));
        drop(account);
        assert_eq!((lease.used_bytes(), budget.used_bytes()), (0, 0));
    }
}
