//! Objects written in parts: a multipart upload, unless they turn out to be small.
//!
//! One part is sent while the next one fills. Who writes faster than that waits, so an upload takes the memory of two
//! parts, however large the object.

use super::{S3Storage, runtime};
use bytes::Bytes;
use headwater_env::{ObjectWriter, Storage};
use headwater_types::{Error, Result};
use object_store::multipart::{MultipartStore, PartId};
use object_store::path::Path;
use tokio::task::JoinHandle;

/// Size of nearly all parts, and after how many they are larger: an upload has 10,000 parts at most, and 5 MiB a part at
/// least.
const PART_BYTES: usize = 8 << 20;
const SMALL_PARTS: usize = 8000;
const LARGE_PART_BYTES: usize = 64 << 20;
/// Memory of an upload, until it is larger than 62 GiB.
pub(super) const UPLOAD_BYTES: u64 = 2 * PART_BYTES as u64;

/// An object that is being written.
pub(super) struct Upload<'a> {
    storage: &'a S3Storage,
    path: String,
    key: Path,
    buffer: Vec<u8>,
    /// What the store calls the upload, once there is one.
    id: Option<String>,
    parts: Vec<PartId>,
    /// The part that is being sent: the one after `parts`.
    sent: Option<Sent>,
}

type Sent = JoinHandle<object_store::Result<PartId>>;

impl<'a> Upload<'a> {
    pub(super) fn new(storage: &'a S3Storage, path: &str) -> Self {
        let key = storage.key(path);
        Self { storage, path: path.to_owned(), key, buffer: vec![], id: None, parts: vec![], sent: None }
    }

    /// Starts to send what is in the buffer, once the part before is there.
    fn send(&mut self) -> Result<()> {
        self.settle()?;
        let id = match &self.id {
            Some(id) => id.clone(),
            None => {
                let started = runtime().block_on(self.storage.store.create_multipart(&self.key));
                self.id.insert(started.map_err(|e| self.storage.failed("written", &self.path, e))?).clone()
            }
        };
        let content = Bytes::from(std::mem::take(&mut self.buffer));
        let (store, key, number) = (self.storage.store.clone(), self.key.clone(), self.parts.len());
        self.sent = Some(runtime().spawn(async move { store.put_part(&key, &id, number, content.into()).await }));
        Ok(())
    }

    /// Waits for the part that is being sent.
    fn settle(&mut self) -> Result<()> {
        let Some(sent) = self.sent.take() else { return Ok(()) };
        let outcome = runtime().block_on(sent);
        let outcome = outcome.map_err(|e| Error::internal("sending a part of an object panicked").with_source(e))?;
        self.parts.push(outcome.map_err(|e| self.storage.failed("written", &self.path, e))?);
        Ok(())
    }

    fn part_bytes(&self) -> usize {
        let parts = self.parts.len() + usize::from(self.sent.is_some());
        if parts < SMALL_PARTS { PART_BYTES } else { LARGE_PART_BYTES }
    }
}

impl ObjectWriter for Upload<'_> {
    fn write(&mut self, mut part: &[u8]) -> Result<()> {
        // Some stores want all parts of a size, but for the last.
        while !part.is_empty() {
            let (taken, rest) = part.split_at(part.len().min(self.part_bytes() - self.buffer.len()));
            self.buffer.extend_from_slice(taken);
            part = rest;
            if self.buffer.len() == self.part_bytes() {
                self.send()?;
            }
        }
        Ok(())
    }

    fn finish(mut self: Box<Self>) -> Result<()> {
        if self.id.is_none() {
            return self.storage.put(&self.path, &self.buffer);
        }
        if !self.buffer.is_empty() {
            self.send()?;
        }
        self.settle()?;
        let (id, parts) = (self.id.clone().unwrap_or_default(), std::mem::take(&mut self.parts));
        let completed = runtime().block_on(self.storage.store.complete_multipart(&self.key, &id, parts));
        completed.map_err(|e| self.storage.failed("written", &self.path, e))?;
        self.id = None;
        Ok(())
    }
}

impl Drop for Upload<'_> {
    fn drop(&mut self) {
        // A part that arrives after the upload was given up would stay.
        let _ = self.settle();
        if let Some(id) = self.id.take() {
            // What cannot be given up here is removed by the bucket's own rules.
            let _ = runtime().block_on(self.storage.store.abort_multipart(&self.key, &id));
        }
    }
}
