//! Storage that a process can be cut off from, as by a network that fails or by its end.

use headwater_env::{ObjectMeta, Storage, StorageProvider};
use headwater_types::config::Configuration;
use headwater_types::{Error, Result};
use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// The way of one process to storage.
#[derive(Clone, Default)]
pub struct Way(Arc<AtomicBool>);

impl Way {
    /// From now on nothing gets through.
    pub fn cut(&self) {
        self.0.store(true, Ordering::Release);
    }

    pub fn heal(&self) {
        self.0.store(false, Ordering::Release);
    }

    /// Storage at the other end.
    pub fn to(&self, storage: Arc<dyn Storage>) -> Arc<dyn Storage> {
        Arc::new(Cut { way: self.clone(), storage })
    }

    fn pass(&self) -> Result<()> {
        match self.0.load(Ordering::Acquire) {
            true => Err(Error::retryable("cut-off", "the storage cannot be reached")),
            false => Ok(()),
        }
    }
}

impl StorageProvider for Way {
    fn open(&self, uri: &str, config: &Configuration) -> Result<Arc<dyn Storage>> {
        Ok(self.to(headwater_storage::Provider.open(uri, config)?))
    }
}

struct Cut {
    way: Way,
    storage: Arc<dyn Storage>,
}

impl Storage for Cut {
    fn put(&self, path: &str, content: &[u8]) -> Result<()> {
        self.way.pass()?;
        self.storage.put(path, content)
    }

    fn put_if_absent(&self, path: &str, content: &[u8]) -> Result<bool> {
        self.way.pass()?;
        self.storage.put_if_absent(path, content)
    }

    fn get(&self, path: &str) -> Result<Option<Vec<u8>>> {
        self.way.pass()?;
        self.storage.get(path)
    }

    fn get_range(&self, path: &str, range: Range<u64>) -> Result<Vec<u8>> {
        self.way.pass()?;
        self.storage.get_range(path, range)
    }

    fn list(&self, prefix: &str) -> Result<Vec<ObjectMeta>> {
        self.way.pass()?;
        self.storage.list(prefix)
    }

    fn delete(&self, path: &str) -> Result<()> {
        self.way.pass()?;
        self.storage.delete(path)
    }
}
