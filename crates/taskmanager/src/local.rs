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

use crate::owned::{self, Ownership, remove};
use headwater_types::config::{Configuration, Key};
use headwater_types::ids::JobId;
use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;
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
const COPIES: &str = "localState";

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
    Locked { _ownership: Ownership },
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
        Self { directory: owned::path(&root, id), lasting, owner: Mutex::new(Owner::Unused) }
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
            *owner = match owned::claim(&self.directory) {
                Ok(ownership) => {
                    self.remove_orphans();
                    Owner::Locked { _ownership: ownership }
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

    /// Removes what TaskManagers left whose names do not come back.
    fn remove_orphans(&self) {
        if let Some(root) = self.directory.parent().filter(|root| root.ends_with(SHARED)) {
            owned::remove_orphans(root, Some(&self.directory));
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

#[cfg(test)]
mod tests;
