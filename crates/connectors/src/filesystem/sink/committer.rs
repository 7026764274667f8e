//! Making staged files visible.

use super::{Plan, StagedFile};
use crate::filesystem::bad_records::cannot_write;
use crate::filesystem::listing::cannot_read;
use headwater_connector_api::{Committable, Committer};
use headwater_types::{Error, ErrorKind, Result};
use std::collections::BTreeSet;
use std::fs;
use std::io::ErrorKind::NotFound;
use std::path::{Path, PathBuf};
use std::sync::Arc;

pub(super) struct FileCommitter {
    plan: Arc<Plan>,
    /// Jobs that files were committed of; in practice one.
    jobs: BTreeSet<String>,
    /// Directories that files were committed to.
    directories: BTreeSet<PathBuf>,
}

impl FileCommitter {
    pub(super) fn new(plan: Arc<Plan>) -> Self {
        Self { plan, jobs: BTreeSet::new(), directories: BTreeSet::new() }
    }

    fn commit_file(&mut self, file: &StagedFile) -> Result<()> {
        self.jobs.insert(file.job.clone());
        if let Some(directory) = file.target.parent()
            && self.directories.insert(directory.to_path_buf())
            && self.plan.overwrite
        {
            remove_replaced(directory, &file.job)?;
        }
        match fs::rename(&file.staged, &file.target) {
            Ok(()) => Ok(()),
            // Committed before: the staged name is gone because the final one is there.
            Err(e) if e.kind() == NotFound && file.target.exists() => Ok(()),
            Err(e) if e.kind() == NotFound => {
                let message =
                    format!("the staged file '{}' is lost: it was neither committed nor kept", file.staged.display());
                Err(Error::new(ErrorKind::Corruption, "staged-file-lost", message))
            }
            Err(e) => Err(cannot_write(&file.target, e)),
        }
    }

    fn mark_finished(&self) -> Result<()> {
        let Some(name) = &self.plan.success_file else { return Ok(()) };
        for directory in &self.directories {
            let path = directory.join(name);
            fs::write(&path, b"").map_err(|e| cannot_write(&path, e))?;
        }
        Ok(())
    }
}

/// Deletes the visible files of a directory that another job wrote.
fn remove_replaced(directory: &Path, job: &str) -> Result<()> {
    let own = format!("part-{job}-");
    let entries = match fs::read_dir(directory) {
        Err(e) if e.kind() == NotFound => return Ok(()),
        entries => entries.map_err(|e| cannot_read(directory, e))?,
    };
    for entry in entries {
        let entry = entry.map_err(|e| cannot_read(directory, e))?;
        let name = entry.file_name().to_string_lossy().into_owned();
        let is_file = entry.file_type().is_ok_and(|t| t.is_file());
        if is_file && !name.starts_with(['.', '_']) && !name.starts_with(&own) {
            fs::remove_file(entry.path()).map_err(|e| cannot_write(&entry.path(), e))?;
        }
    }
    Ok(())
}

/// Deletes staged files of a job below a directory, as far as that is possible.
fn remove_staged(directory: &Path, job: &str, depth: usize) {
    const DEPTH_MAX: usize = 64;
    let staged = format!(".part-{job}-");
    for entry in fs::read_dir(directory).into_iter().flatten().flatten() {
        let is_staged = entry.file_name().to_string_lossy().starts_with(&staged);
        if is_staged {
            drop(fs::remove_file(entry.path()));
        } else if depth < DEPTH_MAX && entry.file_type().is_ok_and(|t| t.is_dir()) {
            remove_staged(&entry.path(), job, depth + 1);
        }
    }
}

impl Committer for FileCommitter {
    fn commit(&mut self, _checkpoint: u64, committables: &[Committable]) -> Result<()> {
        for committable in committables {
            self.commit_file(&StagedFile::decode(committable)?)?;
        }
        self.mark_finished()
    }

    fn finish(&mut self) -> Result<()> {
        if self.plan.overwrite && self.plan.partitions.is_empty() && self.directories.is_empty() {
            // An empty result replaces the old one, too.
            remove_replaced(&self.plan.root, "")?;
        }
        Ok(())
    }

    fn abort(&mut self) -> Result<()> {
        for job in &self.jobs {
            remove_staged(&self.plan.root, job, 0);
        }
        Ok(())
    }
}
