//! Finds and reads a manifest, also one whose files are damaged: those are what one wants to look at.

use headwater_checkpoint::Manifest;
use headwater_checkpoint::layout::MANIFEST;
use headwater_checkpoint::manifest::decode;
use headwater_env::{Storage, StorageProvider};
use headwater_jobmanager::locate::locate;
use headwater_storage::{Provider, join, parent};
use headwater_types::Result;
use headwater_types::config::Configuration;
use std::sync::Arc;

/// A manifest and where its files are.
pub struct Opened {
    /// URI of its own directory.
    pub path: String,
    /// What it says.
    pub manifest: Arc<Manifest>,
    /// What its files are in.
    pub storage: Arc<dyn Storage>,
}

/// The checkpoint or savepoint at `path`, or the newest complete one below.
///
/// # Errors
/// When there is none, or its manifest is damaged. Files are not looked at where `path` is exact.
pub fn open(path: &str, config: &Configuration) -> Result<Opened> {
    let trimmed = path.trim().trim_end_matches('/');
    let directory = match parent(trimmed) {
        Some((above, MANIFEST)) => above,
        _ => trimmed,
    };
    if let Some(content) = Provider.open(directory, config)?.get(MANIFEST)? {
        let manifest = decode(&join(directory, MANIFEST), &content)?;
        let root = match parent(directory) {
            Some((above, _)) if !manifest.savepoint => above,
            _ => directory,
        };
        let storage = Provider.open(root, config)?;
        return Ok(Opened { path: directory.to_owned(), manifest: Arc::new(manifest), storage });
    }
    let origin = locate(&Provider, path, config)?;
    let storage = Provider.open(&origin.root, config)?;
    Ok(Opened { path: origin.path, manifest: origin.manifest, storage })
}
