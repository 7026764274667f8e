//! A bucket as connectors use it: objects with times, ranges, and uploads in parts that are completed later.
//!
//! Unlike [`Storage`](headwater_env::Storage), keys are the bucket's own. Calls block and are made from a thread of
//! [`background`] or of an executor, never from a lane.

use crate::errors::{Store, remote};
use crate::s3::{S3Options, is_missing_object, runtime};
use crate::uri::Location;
use bytes::Bytes;
use futures::TryStreamExt;
use headwater_types::config::Configuration;
use headwater_types::{Error, ErrorKind, Result};
use object_store::aws::AmazonS3;
use object_store::multipart::{MultipartStore, PartId};
use object_store::path::Path;
use object_store::{ObjectStore, ObjectStoreExt};
use std::fmt;
use std::ops::Range;

/// Runs work that may block for long, beside the executor's few threads.
pub fn background(work: impl FnOnce() + Send + 'static) {
    drop(runtime().spawn_blocking(work));
}

/// An object as listed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Object {
    /// Its key.
    pub key: String,
    /// Its size in bytes.
    pub size: u64,
    /// When it was written, in milliseconds since the epoch.
    pub modified_ms: i64,
}

/// An upload in parts: nothing is visible until it is completed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Upload {
    /// What the store calls it.
    pub id: String,
    /// The parts, in order, as the store named them.
    pub parts: Vec<String>,
}

/// A bucket.
pub struct Bucket {
    store: AmazonS3,
    name: String,
    endpoint: String,
    /// Never to be shown.
    secrets: Vec<String>,
}

impl fmt::Debug for Bucket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Bucket(s3://{})", self.name)
    }
}

impl Bucket {
    /// The bucket of a URI, and the key behind it; `None` when the URI is of local files. Nothing is contacted yet.
    ///
    /// # Errors
    /// When the URI or what the configuration says about the store is not understood.
    pub fn open(uri: &str, config: &Configuration) -> Result<Option<(Self, String)>> {
        let Location::S3 { bucket, prefix } = Location::parse(uri)? else { return Ok(None) };
        let options = S3Options::from_config(config, bucket, String::new())?;
        let store = options.build()?;
        let S3Options { bucket: name, endpoint, access_key, secret_key, .. } = options;
        let endpoint = endpoint.unwrap_or_else(|| "Amazon S3".to_owned());
        Ok(Some((Self { store, name, endpoint, secrets: access_key.into_iter().chain(secret_key).collect() }, prefix)))
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The URI of a key.
    pub fn uri(&self, key: &str) -> String {
        format!("s3://{}/{key}", self.name)
    }

    fn failed(&self, done: &str, key: &str, error: object_store::Error) -> Error {
        let store = Store { bucket: &self.name, endpoint: &self.endpoint, secrets: &self.secrets };
        remote(done, &self.uri(key), &store, error)
    }

    fn path(&self, key: &str) -> Result<Path> {
        Path::parse(key).map_err(|e| {
            let message = format!("'{}' is no key that can be used: {e}", self.uri(key));
            Error::user("bad-object-key", message)
        })
    }

    /// Objects below a directory, in order of their keys; a key itself is listed, too.
    ///
    /// # Errors
    /// When the store cannot be asked.
    pub fn list(&self, directory: &str) -> Result<Vec<Object>> {
        let directory = directory.trim_matches('/');
        let path = if directory.is_empty() { None } else { Some(self.path(directory)?) };
        let below = runtime().block_on(self.store.list(path.as_ref()).try_collect::<Vec<_>>());
        let mut found: Vec<_> = below.map_err(|e| self.failed("listed", directory, e))?.iter().map(object).collect();
        if path.is_some() {
            found.extend(self.head(directory)?);
        }
        found.sort_by(|a, b| a.key.cmp(&b.key));
        found.dedup_by(|a, b| a.key == b.key);
        Ok(found)
    }

    /// An object, if it is there.
    ///
    /// # Errors
    /// When the store cannot be asked.
    pub fn head(&self, key: &str) -> Result<Option<Object>> {
        match runtime().block_on(self.store.head(&self.path(key)?)) {
            Ok(meta) => Ok(Some(object(&meta))),
            Err(e) if is_missing_object(&e) => Ok(None),
            Err(e) => Err(self.failed("read", key, e)),
        }
    }

    /// Reads a part of an object.
    ///
    /// # Errors
    /// When the object is missing or shorter, or cannot be read.
    pub fn read(&self, key: &str, range: Range<u64>) -> Result<Bytes> {
        if range.is_empty() {
            return Ok(Bytes::new());
        }
        let wanted = range.end - range.start;
        match runtime().block_on(self.store.get_range(&self.path(key)?, range)) {
            Ok(content) if content.len() as u64 == wanted => Ok(content),
            Err(e) if !is_missing_object(&e) && !e.to_string().contains("416") => Err(self.failed("read", key, e)),
            _ => {
                let message = format!("'{}' is gone or shorter than when it was listed", self.uri(key));
                Err(Error::user("file-changed", message))
            }
        }
    }

    /// Writes an object at once.
    ///
    /// # Errors
    /// When the store does not take it.
    pub fn put(&self, key: &str, content: Vec<u8>) -> Result<()> {
        let written = runtime().block_on(self.store.put(&self.path(key)?, content.into()));
        written.map(drop).map_err(|e| self.failed("written", key, e))
    }

    /// Removes an object; removing what is not there is no error.
    ///
    /// # Errors
    /// When the store refuses.
    pub fn delete(&self, key: &str) -> Result<()> {
        match runtime().block_on(self.store.delete(&self.path(key)?)) {
            Err(e) if !is_missing_object(&e) => Err(self.failed("deleted", key, e)),
            _ => Ok(()),
        }
    }

    /// Starts an upload in parts.
    ///
    /// # Errors
    /// When the store refuses.
    pub fn start_upload(&self, key: &str) -> Result<String> {
        let started = runtime().block_on(self.store.create_multipart(&self.path(key)?));
        started.map_err(|e| self.failed("written", key, e))
    }

    /// Uploads a part, replacing one of this number; its name. All but the last have 5 MiB or more.
    ///
    /// # Errors
    /// When the store does not take it.
    pub fn upload_part(&self, key: &str, id: &str, number: usize, content: Vec<u8>) -> Result<String> {
        let (path, id) = (self.path(key)?, id.to_owned());
        match runtime().block_on(self.store.put_part(&path, &id, number, content.into())) {
            Ok(part) => Ok(part.content_id),
            Err(e) if is_missing_object(&e) => Err(self.upload_gone(key)),
            Err(e) => Err(self.failed("written", key, e)),
        }
    }

    /// Makes an upload of `size` bytes visible. Completing it twice is the same as once.
    ///
    /// # Errors
    /// `upload-lost` when the store has neither the upload nor the object.
    pub fn complete_upload(&self, key: &str, upload: &Upload, size: u64) -> Result<()> {
        let parts = upload.parts.iter().map(|name| PartId { content_id: name.clone() }).collect();
        let path = self.path(key)?;
        match runtime().block_on(self.store.complete_multipart(&path, &upload.id, parts)) {
            Ok(_) => Ok(()),
            Err(e) if is_missing_object(&e) => match self.head(key)? {
                Some(object) if object.size == size => Ok(()),
                _ => Err(self.upload_gone(key)),
            },
            Err(e) => Err(self.failed("written", key, e)),
        }
    }

    /// Gives up an upload; one that is gone is no error.
    ///
    /// # Errors
    /// When the store refuses.
    pub fn abort_upload(&self, key: &str, id: &str) -> Result<()> {
        match runtime().block_on(self.store.abort_multipart(&self.path(key)?, &id.to_owned())) {
            Err(e) if !is_missing_object(&e) => Err(self.failed("deleted", key, e)),
            _ => Ok(()),
        }
    }

    fn upload_gone(&self, key: &str) -> Error {
        let message = format!(
            "the upload of '{}' is gone from the store: it was neither completed nor kept; let the rule that ends \
             incomplete uploads of the bucket wait longer than a job may be down",
            self.uri(key)
        );
        Error::new(ErrorKind::Corruption, "upload-lost", message)
    }
}

fn object(meta: &object_store::ObjectMeta) -> Object {
    let modified_ms = meta.last_modified.timestamp_millis();
    Object { key: meta.location.to_string(), size: meta.size, modified_ms }
}
