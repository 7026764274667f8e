//! Where the files of a table are: on local disks or in a bucket.
//!
//! A file in a bucket is named by its whole URI everywhere, so paths of both kinds go the same ways.

use super::listing::cannot_read;
use super::local_path;
use bytes::Bytes;
use headwater_formats::parquet::Ranges;
use headwater_storage::Bucket;
use headwater_types::config::Configuration;
use headwater_types::{Error, Result};
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Bytes of an object that are fetched at once.
const STEP_BYTES: u64 = 4 << 20;

/// The bytes of a file, from any position on.
pub(super) trait Input: Read + Seek + Send {}

impl<T: Read + Seek + Send> Input for T {}

/// Access to files.
#[derive(Debug, Clone)]
pub(super) enum Files {
    Local,
    Bucket(Arc<Bucket>),
}

impl Files {
    /// The access to a `path` option, and the path that it names.
    pub(super) fn at(path: &str, config: &Configuration) -> Result<(Self, PathBuf)> {
        let scheme = path.split_once("://").map(|(scheme, _)| scheme.to_ascii_lowercase());
        if !matches!(scheme.as_deref(), Some("s3" | "s3a" | "s3p")) {
            return Ok((Self::Local, local_path(path)?));
        }
        match Bucket::open(path, config)? {
            Some((bucket, key)) => {
                let path = PathBuf::from(bucket.uri(&key));
                Ok((Self::Bucket(Arc::new(bucket)), path))
            }
            None => Ok((Self::Local, local_path(path)?)),
        }
    }

    /// Opens a file of `size` bytes.
    pub(super) fn open(&self, path: &Path, size: u64) -> Result<Box<dyn Input>> {
        match self {
            Self::Local => Ok(Box::new(File::open(path).map_err(|e| cannot_read(path, e))?)),
            Self::Bucket(bucket) => {
                Ok(Box::new(RemoteFile { object: object(bucket, path, size)?, position: 0, block: Bytes::new() }))
            }
        }
    }

    /// A file of `size` bytes in ranges; `None` of a local one, which is better opened.
    pub(super) fn ranges(&self, path: &Path, size: u64) -> Result<Option<impl Ranges + use<>>> {
        match self {
            Self::Local => Ok(None),
            Self::Bucket(bucket) => object(bucket, path, size).map(Some),
        }
    }
}

/// The key of a path in a bucket.
pub(super) fn key_of(bucket: &Bucket, path: &Path) -> Result<String> {
    let text = path.to_str().and_then(|text| text.strip_prefix(bucket.uri("").as_str()));
    text.map(str::to_owned).ok_or_else(|| {
        let message = format!("'{}' is not in the bucket '{}' of the table", path.display(), bucket.name());
        Error::user("bad-path", message)
    })
}

fn object(bucket: &Arc<Bucket>, path: &Path, size: u64) -> Result<RemoteObject> {
    Ok(RemoteObject { key: key_of(bucket, path)?, bucket: bucket.clone(), size })
}

struct RemoteObject {
    bucket: Arc<Bucket>,
    key: String,
    size: u64,
}

impl Ranges for RemoteObject {
    fn size(&self) -> u64 {
        self.size
    }

    fn read(&self, range: Range<u64>) -> io::Result<Bytes> {
        self.bucket.read(&self.key, range).map_err(io::Error::other)
    }
}

/// An object that is read from the front.
struct RemoteFile {
    object: RemoteObject,
    position: u64,
    block: Bytes,
}

impl Read for RemoteFile {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        if self.block.is_empty() {
            let end = (self.position + STEP_BYTES).min(self.object.size);
            self.block = self.object.read(self.position..end.max(self.position))?;
        }
        let length = self.block.len().min(into.len());
        into[..length].copy_from_slice(&self.block.split_to(length));
        self.position += length as u64;
        Ok(length)
    }
}

impl Seek for RemoteFile {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.position = match to {
            SeekFrom::Start(position) => position,
            SeekFrom::End(offset) => self.object.size.saturating_add_signed(offset),
            SeekFrom::Current(offset) => self.position.saturating_add_signed(offset),
        };
        self.block = Bytes::new();
        Ok(self.position)
    }
}
