//! Storage in this process, shared by name: where checkpoints go when no directory is configured.

use headwater_env::{MemoryStorage, Storage};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

static STORES: Mutex<BTreeMap<String, Arc<MemoryStorage>>> = Mutex::new(BTreeMap::new());

fn stores() -> MutexGuard<'static, BTreeMap<String, Arc<MemoryStorage>>> {
    STORES.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The store of this name, made when there is none.
pub(crate) fn open(name: &str) -> Arc<dyn Storage> {
    stores().entry(name.to_owned()).or_default().clone()
}

/// Forgets a store; it is gone when its last user is.
pub(crate) fn close(name: &str) {
    stores().remove(name);
}
