//! Where the state on disk is of the tasks of a TaskManager: in directories of its own, which go with it.

use crate::owned::{IN_USE, Ownership, claim, path, remove, remove_orphans};
use headwater_runtime::{StateEngine, StateOptions};
use headwater_types::config::Configuration;
use headwater_types::{Error, Result};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

/// Names that are tried: processes in containers have the same ids and may share a disk.
const NAMES_MAX: usize = 1_000;
/// Tells TaskManagers of a process apart, and lives of one.
static NEXT: AtomicU64 = AtomicU64::new(0);

/// The directories of a TaskManager, by the roots that its jobs name. Removed when it is dropped.
#[derive(Debug, Default)]
pub(crate) struct WorkDirectories {
    own: BTreeMap<PathBuf, OwnDirectory>,
}

#[derive(Debug)]
struct OwnDirectory {
    directory: PathBuf,
    _ownership: Ownership,
}

impl Drop for OwnDirectory {
    fn drop(&mut self) {
        // Still locked, so that nobody else begins to.
        remove(&self.directory);
    }
}

impl WorkDirectories {
    /// Puts state on disk into a directory of this TaskManager below the one that was configured.
    ///
    /// # Errors
    /// When there can be none.
    pub(crate) fn place(&mut self, state: &mut StateOptions) -> Result<()> {
        if let StateEngine::Disk { directory, .. } = &mut state.engine {
            *directory = self.below(directory)?.to_owned();
        }
        Ok(())
    }

    fn below(&mut self, root: &Path) -> Result<&Path> {
        if !self.own.contains_key(root) {
            remove_orphans(root, None);
            self.own.insert(root.to_owned(), own(root)?);
        }
        let own = self.own.get(root).ok_or_else(|| Error::internal("a directory was just made"))?;
        Ok(&own.directory)
    }
}

/// A directory that no other process has.
fn own(root: &Path) -> Result<OwnDirectory> {
    let mut failed = None;
    for _ in 0..NAMES_MAX {
        let name = format!("{}-{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
        let directory = path(root, &name);
        match claim(&directory) {
            Ok(ownership) => return Ok(OwnDirectory { directory, _ownership: ownership }),
            Err(error) if error.code() == IN_USE => failed = Some(error),
            Err(error) => return Err(error),
        }
    }
    Err(failed.unwrap_or_else(|| Error::internal("no name was tried")))
}

/// Removes the state on disk that TaskManagers of this host left which were killed. For the start of a process: later
/// nothing needs to be removed, and state elsewhere than configured here is looked at when a job names the place.
pub fn remove_leftovers(config: &Configuration) {
    let mut on_disk = config.clone();
    on_disk.set("state.backend.type", "rocksdb");
    // What is wrong with a configuration is told to whoever uses it.
    if let Ok(StateOptions { engine: StateEngine::Disk { directory, .. }, .. }) = StateOptions::from_config(&on_disk) {
        remove_orphans(&directory, None);
    }
}

#[cfg(test)]
mod tests;
