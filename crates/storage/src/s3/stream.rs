//! Objects written in parts: a multipart upload, unless they turn out to be small.

use super::{S3Storage, runtime};
use bytes::Bytes;
use headwater_env::{ObjectWriter, Storage};
use headwater_types::Result;
use object_store::multipart::{MultipartStore, PartId};
use object_store::path::Path;

/// Size of the first parts, and how many: an upload has 10,000 parts at most, and 5 MiB a part at least.
const PART_BYTES: usize = 8 << 20;
const SMALL_PARTS: usize = 1000;
const LARGE_PART_BYTES: usize = 64 << 20;

/// An object that is being written.
pub(super) struct Upload<'a> {
    storage: &'a S3Storage,
    path: String,
    key: Path,
    buffer: Vec<u8>,
    /// What the store calls the upload, once there is one.
    id: Option<String>,
    parts: Vec<PartId>,
}

impl<'a> Upload<'a> {
    pub(super) fn new(storage: &'a S3Storage, path: &str) -> Self {
        let key = storage.key(path);
        Self { storage, path: path.to_owned(), key, buffer: vec![], id: None, parts: vec![] }
    }

    fn send(&mut self) -> Result<()> {
        let content = Bytes::from(std::mem::take(&mut self.buffer));
        let (store, key, number) = (&self.storage.store, &self.key, self.parts.len());
        let id = match &self.id {
            Some(id) => id,
            None => {
                let started = runtime().block_on(store.create_multipart(key));
                self.id.insert(started.map_err(|e| self.storage.failed("written", &self.path, e))?)
            }
        };
        let sent = runtime().block_on(store.put_part(key, id, number, content.into()));
        self.parts.push(sent.map_err(|e| self.storage.failed("written", &self.path, e))?);
        Ok(())
    }

    fn part_bytes(&self) -> usize {
        if self.parts.len() < SMALL_PARTS { PART_BYTES } else { LARGE_PART_BYTES }
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
        let (id, parts) = (self.id.clone().unwrap_or_default(), std::mem::take(&mut self.parts));
        let completed = runtime().block_on(self.storage.store.complete_multipart(&self.key, &id, parts));
        completed.map_err(|e| self.storage.failed("written", &self.path, e))?;
        self.id = None;
        Ok(())
    }
}

impl Drop for Upload<'_> {
    fn drop(&mut self) {
        if let Some(id) = self.id.take() {
            // What cannot be given up here is removed by the bucket's own rules.
            let _ = runtime().block_on(self.storage.store.abort_multipart(&self.key, &id));
        }
    }
}
