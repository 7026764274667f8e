//! Local recovery: copies of what subtasks upload, on the disk of the TaskManager.
//!
//! ```text
//! <root>/tm_<id>/localState/<job>/shared/7-<subtask>-<random>   the same files, by the same names, as in storage
//! <root>/tm_<id>/owner                                          locked by the process as long as it lives
//! ```
//!
//! Tasks that start again where they were read their state from here ([`Verified`]) and not from storage. A copy counts
//! only when the bytes that the manifest names have the manifest's checksums; a copy that is damaged, cut short or
//! missing is a read of storage, never a failure. So nothing is synced, and a full disk only means that there is no copy.
//!
//! The copies of a job go when its checkpoints need them no more, and all of them when the job ends. Where the process
//! has no name or directory of its own they go with it, and what a killed one left is removed by the next on its host.

mod copies;
mod storage;

pub(crate) use copies::JobCopies;
pub(crate) use storage::{Kept, Verified};

use headwater_types::config::{Configuration, Key};
use headwater_types::ids::JobId;
use headwater_types::{Error, Result};
use std::collections::BTreeSet;
use std::fs::{self, File, TryLockError};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// `execution.checkpointing.local-backup.dirs`: directories for copies.
const BACKUP_DIRS: Key = Key { name: "execution.checkpointing.local-backup.dirs", default: "" };
/// The name of [`BACKUP_DIRS`] before Flink 1.20.
const ROOT_DIRS: Key = Key { name: "taskmanager.state.local.root-dirs", default: "" };
/// `process.taskmanager.working-dir`: directory of the process, which outlives it.
const WORKING_DIR: Key = Key { name: "process.taskmanager.working-dir", default: "" };
/// `process.working-dir`: as [`WORKING_DIR`], of any process.
const ANY_WORKING_DIR: Key = Key { name: "process.working-dir", default: "" };
/// `io.tmp.dirs`: directories for temporary files.
const TMP_DIRS: Key = Key { name: "io.tmp.dirs", default: "" };

/// Directory of processes without one of their own, below that for temporary files.
const SHARED: &str = "headwater-local-state";
const PREFIX: &str = "tm_";
const COPIES: &str = "localState";
const OWNER: &str = "owner";

/// The copies of a TaskManager. Made where a TaskManager starts; outlives its sessions.
#[derive(Debug)]
pub struct LocalState {
    /// The directory of this TaskManager.
    directory: PathBuf,
    /// Whether the copies outlive the process.
    lasting: bool,
    /// Held while there may be copies.
    owner: Mutex<Owner>,
}

#[derive(Debug)]
enum Owner {
    /// Nothing was kept yet.
    Unused,
    /// The directory is this process's.
    Locked { _file: File },
    /// It cannot be: there are no copies.
    Refused,
}

impl LocalState {
    /// The copies of the TaskManager of this name. With `lasting`, its name will be the same when it starts again.
    pub fn new(config: &Configuration, id: &str, lasting: bool) -> Self {
        let first = |key: Key| {
            let text = config.text(key).split([',', '|', ';']).next().unwrap_or_default().trim();
            (!text.is_empty()).then(|| PathBuf::from(text))
        };
        let own = [BACKUP_DIRS, ROOT_DIRS, WORKING_DIR, ANY_WORKING_DIR].into_iter().find_map(first);
        let lasting = lasting && own.is_some();
        let root = own.unwrap_or_else(|| first(TMP_DIRS).unwrap_or_else(std::env::temp_dir).join(SHARED));
        let plain = |c: char| if c.is_ascii_alphanumeric() || "-_.".contains(c) { c } else { '_' };
        let name: String = id.chars().map(plain).collect();
        Self { directory: root.join(format!("{PREFIX}{name}")), lasting, owner: Mutex::new(Owner::Unused) }
    }

    /// The copies of a job; `None` when there cannot be any, which is logged once.
    pub(crate) fn of(&self, job: JobId) -> Option<JobCopies> {
        self.own().then(|| JobCopies::new(self.copies().join(job.to_string())))
    }

    /// A job has ended.
    pub(crate) fn forget(&self, job: JobId) {
        if self.is_owned() {
            remove(&self.copies().join(job.to_string()));
        }
    }

    /// There are these jobs and no others: what is left of others goes.
    pub(crate) fn retain(&self, jobs: &BTreeSet<JobId>) {
        if !self.copies().is_dir() || !self.own() {
            return;
        }
        let names: BTreeSet<String> = jobs.iter().map(JobId::to_string).collect();
        for entry in fs::read_dir(self.copies()).into_iter().flatten().flatten() {
            if !entry.file_name().to_str().is_some_and(|name| names.contains(name)) {
                remove(&entry.path());
            }
        }
    }

    fn copies(&self) -> PathBuf {
        self.directory.join(COPIES)
    }

    fn is_owned(&self) -> bool {
        matches!(*self.lock(), Owner::Locked { .. })
    }

    /// Makes the directory this process's own; whether it is.
    fn own(&self) -> bool {
        let mut owner = self.lock();
        if matches!(*owner, Owner::Unused) {
            *owner = match claim(&self.directory) {
                Ok(file) => {
                    self.remove_orphans();
                    Owner::Locked { _file: file }
                }
                Err(error) => {
                    let directory = self.directory.display();
                    tracing::warn!(%directory, error = error.message(), "no local copies of state are kept");
                    Owner::Refused
                }
            };
        }
        matches!(*owner, Owner::Locked { .. })
    }

    /// Removes what TaskManagers left whose names do not come back. Those that live hold their locks.
    fn remove_orphans(&self) {
        let Some(root) = self.directory.parent().filter(|root| root.ends_with(SHARED)) else { return };
        for entry in fs::read_dir(root).into_iter().flatten().flatten() {
            let path = entry.path();
            let is_other = path != self.directory && entry.file_name().to_string_lossy().starts_with(PREFIX);
            if is_other && File::open(path.join(OWNER)).is_ok_and(|file| file.try_lock().is_ok()) {
                remove(&path);
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, Owner> {
        self.owner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for LocalState {
    fn drop(&mut self) {
        if !self.lasting && self.is_owned() {
            remove(&self.directory);
        }
    }
}

/// Makes a directory and locks it.
fn claim(directory: &Path) -> Result<File> {
    let failed = |e: std::io::Error| {
        let message = format!("'{}' cannot be used: {e}", directory.display());
        Error::retryable("local-state-unusable", message)
    };
    fs::create_dir_all(directory.join(COPIES)).map_err(failed)?;
    let file = File::create(directory.join(OWNER)).map_err(failed)?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::Error(e)) => Err(failed(e)),
        Err(TryLockError::WouldBlock) => {
            let message = format!("'{}' is in use by another process of the same name", directory.display());
            Err(Error::retryable("local-state-in-use", message))
        }
    }
}

/// Removes a directory. What cannot be removed is in nobody's way but that of the disk.
fn remove(directory: &Path) {
    match fs::remove_dir_all(directory) {
        Err(e) if e.kind() != std::io::ErrorKind::NotFound => {
            tracing::warn!(directory = %directory.display(), error = %e, "local copies of state were left behind");
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests;
