//! Where fetched servers are kept: `$XDG_CACHE_HOME/headwater/servers`, or the same below `~/.cache`.

use std::io;
use std::path::{Path, PathBuf};

/// The directory `name`, which `fetch` fills when it is not there. `fetch` works in a directory beside it and returns
/// which part of that to keep.
#[allow(clippy::print_stderr, reason = "the first run of a test waits for this")]
pub(crate) fn fetched(name: &str, what: &str, fetch: impl FnOnce(&Path) -> io::Result<PathBuf>) -> io::Result<PathBuf> {
    let cache = directory()?;
    let kept = cache.join(name);
    if !kept.is_dir() {
        eprintln!("Fetching {what} into {} (once)", kept.display());
        let staged = tempfile::Builder::new().prefix("fetch-").tempdir_in(&cache)?;
        let renamed = std::fs::rename(fetch(staged.path())?, &kept);
        // Another process may have been faster; then its copy is as good.
        if !kept.is_dir() {
            renamed?;
        }
    }
    Ok(kept)
}

fn directory() -> io::Result<PathBuf> {
    let home = || std::env::var_os("HOME").map(|home| PathBuf::from(home).join(".cache"));
    let base = std::env::var_os("XDG_CACHE_HOME").map(PathBuf::from).or_else(home);
    let cache = base.ok_or_else(|| io::Error::other("there is no home directory to keep fetched servers in"))?;
    let cache = cache.join("headwater").join("servers");
    std::fs::create_dir_all(&cache)?;
    Ok(cache)
}
