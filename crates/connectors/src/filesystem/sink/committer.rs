//! Making staged files visible, and marking complete partitions.

use super::partition_commit::is_complete;
use super::staged::{Content, Progress, Staged, StagedFile, decode};
use super::upload::{PART_BYTES, Parts};
use super::{Plan, Root};
use crate::filesystem::bad_records::cannot_write;
use crate::filesystem::listing::cannot_read;
use headwater_connector_api::{Committable, Committer};
use headwater_storage::{Bucket, Upload};
use headwater_types::{Error, ErrorKind, Result};
use std::collections::BTreeSet;
use std::fs;
use std::io::ErrorKind::NotFound;
use std::path::Path;
use std::sync::Arc;

pub(super) struct FileCommitter {
    plan: Arc<Plan>,
    /// The job, of which all executions are this committer's own.
    own: Option<String>,
    /// Executions that files were committed of.
    jobs: BTreeSet<String>,
    /// Directories that files were committed to, relative to the root.
    directories: BTreeSet<String>,
    /// Partitions that were marked, so that it is not done with every checkpoint.
    marked: BTreeSet<String>,
}

impl FileCommitter {
    pub(super) fn new(plan: Arc<Plan>) -> Self {
        let (jobs, directories, marked) = (BTreeSet::new(), BTreeSet::new(), BTreeSet::new());
        Self { plan, own: None, jobs, directories, marked }
    }

    fn commit_file(&mut self, file: &StagedFile) -> Result<()> {
        self.jobs.insert(file.job.clone());
        if self.plan.overwrite && !self.directories.contains(&file.directory) {
            self.remove_replaced(&file.directory, &file.job)?;
        }
        self.directories.insert(file.directory.clone());
        match &file.content {
            Content::Local { staged, target } => commit_local(staged, target),
            Content::Object { key, parts } => match &self.plan.root {
                Root::Bucket { bucket, .. } => commit_object(bucket, key, parts),
                Root::Local(_) => {
                    let message = format!("the object '{key}' was staged by a table whose 'path' was in a bucket");
                    Err(Error::user("path-changed", message))
                }
            },
        }
    }

    /// Deletes the visible files of a directory that another job wrote.
    fn remove_replaced(&self, directory: &str, job: &str) -> Result<()> {
        let own = format!("part-{job}-");
        let is_replaced = |name: &str| !name.starts_with(['.', '_']) && !name.starts_with(&own);
        match &self.plan.root {
            Root::Local(root) => remove_files(&root.join(directory), is_replaced),
            Root::Bucket { bucket, .. } => {
                let prefix = self.plan.root.key(directory, "");
                for object in bucket.list(&prefix)? {
                    let name = object.key.strip_prefix(&prefix).unwrap_or_default();
                    if !name.is_empty() && !name.contains('/') && is_replaced(name) {
                        bucket.delete(&object.key)?;
                    }
                }
                Ok(())
            }
        }
    }

    /// Marks the partitions that are complete for every writer. Writers that say nothing have ended.
    fn mark_complete(&mut self, progress: &[Progress]) -> Result<()> {
        let Some(commit) = &self.plan.commit else { return Ok(()) };
        let Some(time_ms) = progress.iter().map(|writer| writer.time_ms).min() else { return Ok(()) };
        let pending = progress.iter().flat_map(|writer| &writer.pending);
        for (directory, _) in pending.filter(|(_, from_ms)| is_complete(*from_ms, time_ms)) {
            if self.marked.contains(directory) {
                continue;
            }
            match &self.plan.root {
                Root::Local(root) => {
                    let directory = root.join(directory);
                    fs::create_dir_all(&directory).map_err(|e| cannot_write(&directory, e))?;
                    let path = directory.join(&commit.success_file);
                    fs::write(&path, b"").map_err(|e| cannot_write(&path, e))?;
                }
                Root::Bucket { bucket, .. } => {
                    bucket.put(&self.plan.root.key(directory, &commit.success_file), vec![])?;
                }
            }
            self.marked.insert(directory.clone());
        }
        // What no writer has in mind any more will be marked again when rows come late.
        let named: BTreeSet<_> = progress.iter().flat_map(|writer| &writer.pending).map(|(d, _)| d).collect();
        self.marked.retain(|directory| named.contains(directory));
        Ok(())
    }

    /// Deletes hidden files of executions, as far as that is possible.
    fn remove_staged<'a>(&self, jobs: impl Iterator<Item = &'a String>) {
        if let Root::Local(root) = &self.plan.root {
            let prefixes: Vec<_> = jobs.map(|job| format!(".part-{job}-")).collect();
            if !prefixes.is_empty() {
                remove_hidden(root, &prefixes, self.plan.partitions.len());
            }
        }
    }
}

fn commit_local(staged: &Path, target: &Path) -> Result<()> {
    match fs::rename(staged, target) {
        Ok(()) => Ok(()),
        // Committed before: the staged name is gone because the final one is there.
        Err(e) if e.kind() == NotFound && target.exists() => Ok(()),
        Err(e) if e.kind() == NotFound => {
            let message = format!("the staged file '{}' is lost: it was neither committed nor kept", staged.display());
            Err(Error::new(ErrorKind::Corruption, "staged-file-lost", message))
        }
        Err(e) => Err(cannot_write(target, e)),
    }
}

/// Completes an upload. A small object, which has none, is written at once; again, if it was before.
fn commit_object(bucket: &Bucket, key: &str, parts: &Parts) -> Result<()> {
    let Some(id) = &parts.upload else { return bucket.put(key, parts.tail.clone()) };
    let size = parts.bytes + parts.tail.len() as u64;
    let mut upload = Upload { id: id.clone(), parts: parts.names.clone() };
    debug_assert_eq!(parts.bytes, (parts.names.len() * PART_BYTES) as u64, "all parts but the last are of one size");
    if !parts.tail.is_empty() {
        match bucket.upload_part(key, id, upload.parts.len(), parts.tail.clone()) {
            Ok(name) => upload.parts.push(name),
            // Completed before: the upload is gone because the object is there.
            Err(error) if error.code() == "upload-lost" => {
                return match bucket.head(key)? {
                    Some(object) if object.size == size => Ok(()),
                    _ => Err(error),
                };
            }
            Err(error) => return Err(error),
        }
    }
    bucket.complete_upload(key, &upload, size)
}

fn remove_files(directory: &Path, is_replaced: impl Fn(&str) -> bool) -> Result<()> {
    let entries = match fs::read_dir(directory) {
        Err(e) if e.kind() == NotFound => return Ok(()),
        entries => entries.map_err(|e| cannot_read(directory, e))?,
    };
    for entry in entries {
        let entry = entry.map_err(|e| cannot_read(directory, e))?;
        let is_file = entry.file_type().is_ok_and(|t| t.is_file());
        if is_file && is_replaced(&entry.file_name().to_string_lossy()) {
            fs::remove_file(entry.path()).map_err(|e| cannot_write(&entry.path(), e))?;
        }
    }
    Ok(())
}

/// Deletes the files below a directory whose names start with one of the prefixes.
fn remove_hidden(directory: &Path, prefixes: &[String], depth: usize) {
    for entry in fs::read_dir(directory).into_iter().flatten().flatten() {
        let name = entry.file_name();
        let name = name.to_string_lossy();
        if prefixes.iter().any(|prefix| name.starts_with(prefix)) {
            drop(fs::remove_file(entry.path()));
        } else if depth > 0 && entry.file_type().is_ok_and(|t| t.is_dir()) {
            remove_hidden(&entry.path(), prefixes, depth - 1);
        }
    }
}

impl Committer for FileCommitter {
    fn start(&mut self, job: &str) {
        self.own = Some(job.to_owned());
    }

    fn commit(&mut self, _checkpoint: u64, committables: &[Committable]) -> Result<()> {
        let mut progress = vec![];
        for committable in committables {
            match decode(&committable.0, "a committable")? {
                Staged::File(file) => self.commit_file(&file)?,
                Staged::Progress(writer) => progress.push(writer),
                // A file that stays is hidden, and goes with the others when the job ends.
                Staged::Replaced(staged) => drop(fs::remove_file(staged)),
            }
        }
        self.mark_complete(&progress)
    }

    fn finish(&mut self) -> Result<()> {
        if self.plan.overwrite && self.plan.partitions.is_empty() && self.directories.is_empty() {
            // An empty result replaces the old one, too.
            self.remove_replaced("", "")?;
        }
        // All was committed: what is still hidden was left by attempts that were killed.
        self.remove_staged(self.own.iter());
        Ok(())
    }

    fn abort(&mut self) -> Result<()> {
        self.remove_staged(self.own.iter().chain(&self.jobs));
        Ok(())
    }
}
