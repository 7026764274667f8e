//! Named byte objects that outlive a process: what checkpoints and staged output are kept in.
//!
//! Calls block; they are made from tasks of an [`Executor`](crate::Executor), never from a lane.

use headwater_types::config::Configuration;
use headwater_types::{Error, ErrorKind, Result};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

/// An object as listed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ObjectMeta {
    /// Its path below the storage's root, with `/` between segments.
    pub path: String,
    /// Its size.
    pub bytes: u64,
}

/// A store of immutable named objects. Writes are atomic: an object is there whole or not at all.
pub trait Storage: Send + Sync {
    /// Writes an object, replacing one of this name.
    ///
    /// # Errors
    /// `Retryable` when another attempt may succeed; `User` when access is refused or the store is full.
    fn put(&self, path: &str, content: &[u8]) -> Result<()>;
    /// Writes an object in parts, replacing one of this name when it is finished. For objects that need not fit into
    /// memory; where a store cannot do that, they must.
    ///
    /// # Errors
    /// As [`Storage::put`].
    fn put_stream<'a>(&'a self, path: &str) -> Result<Box<dyn ObjectWriter + 'a>> {
        let path = path.to_owned();
        Ok(Box::new(Buffered { content: vec![], put: Box::new(move |content| self.put(&path, content)) }))
    }
    /// Memory that an object written in parts takes at most until it is finished, bytes.
    fn stream_bytes(&self) -> u64 {
        0
    }
    /// Writes an object unless one of this name exists; whether it was written.
    ///
    /// # Errors
    /// As [`Storage::put`].
    fn put_if_absent(&self, path: &str, content: &[u8]) -> Result<bool>;
    /// Reads an object; `None` when there is none.
    ///
    /// # Errors
    /// As [`Storage::put`].
    fn get(&self, path: &str) -> Result<Option<Vec<u8>>>;
    /// Reads part of an object.
    ///
    /// # Errors
    /// As [`Storage::put`], and `Corruption` when the object is missing or shorter.
    fn get_range(&self, path: &str, range: std::ops::Range<u64>) -> Result<Vec<u8>>;
    /// Objects whose path starts with `prefix`, in order of their paths.
    ///
    /// # Errors
    /// As [`Storage::put`].
    fn list(&self, prefix: &str) -> Result<Vec<ObjectMeta>>;
    /// Removes an object; removing what is not there is no error.
    ///
    /// # Errors
    /// As [`Storage::put`].
    fn delete(&self, path: &str) -> Result<()>;
}

/// An object that is being written. Dropped before it is finished, it leaves nothing behind.
pub trait ObjectWriter {
    /// Adds to its content.
    ///
    /// # Errors
    /// As [`Storage::put`].
    fn write(&mut self, part: &[u8]) -> Result<()>;
    /// Makes it visible.
    ///
    /// # Errors
    /// As [`Storage::put`].
    fn finish(self: Box<Self>) -> Result<()>;
}

/// An object in memory until it is finished.
struct Buffered<'a> {
    content: Vec<u8>,
    put: Put<'a>,
}

type Put<'a> = Box<dyn FnOnce(&[u8]) -> Result<()> + 'a>;

impl ObjectWriter for Buffered<'_> {
    fn write(&mut self, part: &[u8]) -> Result<()> {
        self.content.extend_from_slice(part);
        Ok(())
    }

    fn finish(self: Box<Self>) -> Result<()> {
        (self.put)(&self.content)
    }
}

/// Opens storage by URI: a path, `file://..`, `s3://..`.
pub trait StorageProvider: Send + Sync {
    /// The storage below a URI.
    ///
    /// # Errors
    /// When the URI or what the configuration says about it is not understood.
    fn open(&self, uri: &str, config: &Configuration) -> Result<Arc<dyn Storage>>;

    /// Nobody will open this URI again: storage that only lives in the process may go.
    fn close(&self, uri: &str) {
        let _ = uri;
    }
}

/// Storage in memory, for tests and simulations.
#[derive(Debug, Default)]
pub struct MemoryStorage {
    objects: Mutex<BTreeMap<String, Vec<u8>>>,
}

impl MemoryStorage {
    /// An empty store.
    pub fn new() -> Self {
        Self::default()
    }

    fn objects(&self) -> std::sync::MutexGuard<'_, BTreeMap<String, Vec<u8>>> {
        self.objects.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

impl Storage for MemoryStorage {
    fn put(&self, path: &str, content: &[u8]) -> Result<()> {
        self.objects().insert(path.to_owned(), content.to_vec());
        Ok(())
    }

    fn put_if_absent(&self, path: &str, content: &[u8]) -> Result<bool> {
        let mut objects = self.objects();
        if objects.contains_key(path) {
            return Ok(false);
        }
        objects.insert(path.to_owned(), content.to_vec());
        Ok(true)
    }

    fn get(&self, path: &str) -> Result<Option<Vec<u8>>> {
        Ok(self.objects().get(path).cloned())
    }

    fn get_range(&self, path: &str, range: std::ops::Range<u64>) -> Result<Vec<u8>> {
        let objects = self.objects();
        let part = objects.get(path).and_then(|o| o.get(range.start as usize..range.end as usize));
        part.map(<[u8]>::to_vec).ok_or_else(|| {
            Error::new(
                ErrorKind::Corruption,
                "missing-object",
                format!("'{path}' is missing or shorter than it should be"),
            )
        })
    }

    fn list(&self, prefix: &str) -> Result<Vec<ObjectMeta>> {
        let meta = |(path, o): (&String, &Vec<u8>)| ObjectMeta { path: path.clone(), bytes: o.len() as u64 };
        Ok(self.objects().iter().filter(|(path, _)| path.starts_with(prefix)).map(meta).collect())
    }

    fn delete(&self, path: &str) -> Result<()> {
        self.objects().remove(path);
        Ok(())
    }
}
