//! Directories that belong to a process: locked as long as it lives, so that another process on its host can tell what a
//! killed one left, and remove it.
//!
//! ```text
//! <root>/tm_<name>/owner     locked by the process as long as it lives
//! <root>/tm_<name>/..        what it keeps there
//! ```
//!
//! A lock goes with its process, however that ends; no process ids are compared, which other containers may have too.

use headwater_types::{Error, Result};
use std::fs::{self, File, TryLockError};
use std::path::{Path, PathBuf};

const PREFIX: &str = "tm_";
const OWNER: &str = "owner";
/// Code of the error when another process has the directory.
pub(crate) const IN_USE: &str = "directory-in-use";

/// The lock of a directory; with it the directory is another process's to take, or to remove.
#[derive(Debug)]
pub(crate) struct Ownership {
    _file: File,
}

/// The directory of a process of this name.
pub(crate) fn path(root: &Path, name: &str) -> PathBuf {
    let plain = |c: char| if c.is_ascii_alphanumeric() || "-_.".contains(c) { c } else { '_' };
    root.join(format!("{PREFIX}{}", name.chars().map(plain).collect::<String>()))
}

/// Makes a directory and locks it.
///
/// # Errors
/// [`IN_USE`] when another process has it; when it cannot be made.
pub(crate) fn claim(directory: &Path) -> Result<Ownership> {
    let failed = |e: std::io::Error| {
        let message = format!("'{}' cannot be used: {e}", directory.display());
        Error::retryable("directory-unusable", message)
    };
    let in_use = || {
        let message = format!("'{}' is in use by another process of the same name", directory.display());
        Error::retryable(IN_USE, message)
    };
    fs::create_dir_all(directory).map_err(failed)?;
    let owner = directory.join(OWNER);
    let file = File::create(&owner).map_err(failed)?;
    match file.try_lock() {
        // Somebody may have taken it for an orphan before it was locked, and removed it.
        Ok(()) if owner.exists() => Ok(Ownership { _file: file }),
        Ok(()) | Err(TryLockError::WouldBlock) => Err(in_use()),
        Err(TryLockError::Error(e)) => Err(failed(e)),
    }
}

/// Removes what processes left below a root that are no more, but not `except`. Those that live hold their locks.
pub(crate) fn remove_orphans(root: &Path, except: Option<&Path>) {
    for entry in fs::read_dir(root).into_iter().flatten().flatten() {
        let path = entry.path();
        let is_other = except != Some(&path) && entry.file_name().to_string_lossy().starts_with(PREFIX);
        if is_other
            && let Ok(owner) = File::open(path.join(OWNER))
            && owner.try_lock().is_ok()
        {
            tracing::info!(directory = %path.display(), "removing what a process left that was killed");
            remove(&path);
        }
    }
}

/// Removes a directory. What cannot be removed is in nobody's way but that of the disk.
pub(crate) fn remove(directory: &Path) {
    match fs::remove_dir_all(directory) {
        Err(e) if e.kind() != std::io::ErrorKind::NotFound => {
            tracing::warn!(directory = %directory.display(), error = %e, "files of state were left behind");
        }
        _ => {}
    }
}
