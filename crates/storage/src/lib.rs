//! Storage of named objects on local disks, on S3, and in memory.
//!
//! ```text
//! /dir, file:///dir      LocalStorage    written beside, fsynced, renamed
//! s3://bucket/prefix     S3Storage       conditional puts, bounded retries
//! memory://name          in this process, shared by name, gone with it
//! ```
//!
//! [`open`] takes a URI and the configuration. All of them write atomically, and create-if-absent is exact: of two
//! writers of one name exactly one is told that it wrote.
//!
//! Invariant: no error message holds an access key or a secret key.

mod bucket;
mod errors;
mod local;
mod memory;
mod s3;
mod uri;

pub use bucket::{Bucket, Object, Upload, background};
pub use local::LocalStorage;
pub use s3::{S3Options, S3Storage};
pub use uri::{Location, join, parent};

use headwater_env::{Storage, StorageProvider};
use headwater_types::Result;
use headwater_types::config::Configuration;
use std::sync::Arc;

/// Opens the storage below a URI. Nothing is created or contacted yet.
///
/// # Errors
/// When the URI or the configuration is not understood.
pub fn open(uri: &str, config: &Configuration) -> Result<Arc<dyn Storage>> {
    match Location::parse(uri)? {
        Location::Local(root) => Ok(Arc::new(LocalStorage::new(root))),
        Location::S3 { bucket, prefix } => {
            Ok(Arc::new(S3Storage::new(S3Options::from_config(config, bucket, prefix)?)?))
        }
        Location::Memory(name) => Ok(memory::open(&name)),
    }
}

/// [`open`] as a provider.
#[derive(Debug, Clone, Copy, Default)]
pub struct Provider;

impl StorageProvider for Provider {
    fn open(&self, uri: &str, config: &Configuration) -> Result<Arc<dyn Storage>> {
        open(uri, config)
    }

    fn close(&self, uri: &str) {
        if let Ok(Location::Memory(name)) = Location::parse(uri) {
            memory::close(&name);
        }
    }
}
