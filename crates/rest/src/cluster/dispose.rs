//! Removing a savepoint.

use headwater_checkpoint::layout::MANIFEST;
use headwater_checkpoint::manifest::decode;
use headwater_env::StorageProvider;
use headwater_storage::{join, parent};
use headwater_types::config::Configuration;
use headwater_types::{Error, Result};

/// Removes a savepoint: the manifest last, so that one that was removed in part can be removed again. Nothing is
/// touched in a directory that holds no manifest of ours, or that is a checkpoint's, whose files others may need.
///
/// # Errors
/// When there is no savepoint at this path, or a file cannot be removed.
pub(super) fn dispose(provider: &dyn StorageProvider, config: &Configuration, path: &str) -> Result<()> {
    let path = path.trim().trim_end_matches('/');
    let directory = match parent(path) {
        Some((above, MANIFEST)) => above,
        _ => path,
    };
    if parent(directory).is_none_or(|(_, name)| !name.starts_with("savepoint-")) {
        let message = format!("'{directory}' is no savepoint: expected the directory savepoint-.. of one");
        return Err(Error::user("not-a-savepoint", message));
    }
    let storage = provider.open(directory, config)?;
    let Some(content) = storage.get(MANIFEST)? else {
        let message = format!("there is no savepoint at '{directory}': it holds no file {MANIFEST}");
        return Err(Error::user("savepoint-missing", message));
    };
    decode(&join(directory, MANIFEST), &content)?;
    for file in storage.list("")?.iter().filter(|file| file.path != MANIFEST) {
        storage.delete(&file.path)?;
    }
    storage.delete(MANIFEST)
}
