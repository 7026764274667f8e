//! The checkpoint files of a job: everything here blocks and runs on I/O threads.
//!
//! A checkpoint exists when its manifest does, so manifests are written last and deleted first.

use headwater_checkpoint::garbage::Roots;
use headwater_checkpoint::manifest::{Blob, Place, checksum, encode};
use headwater_checkpoint::{Manifest, StoredRun, layout};
use headwater_env::Storage;
use headwater_types::{Error, ErrorKind, Result};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};

/// A directory of checkpoint files.
#[derive(Clone)]
pub(crate) struct Store {
    /// Where it is.
    pub(crate) uri: String,
    /// What is there.
    pub(crate) storage: Arc<dyn Storage>,
}

impl Store {
    /// Writes the manifest of a checkpoint; where it is.
    pub(crate) fn write_checkpoint(&self, manifest: &Manifest) -> Result<String> {
        let file = layout::manifest_file(manifest.checkpoint);
        if create(self.storage.as_ref(), &file, &encode(manifest)?)? {
            return Ok(headwater_storage::join(&self.uri, &format!("chk-{}", manifest.checkpoint)));
        }
        let message = format!("'{}/{file}' exists already: another JobManager runs this job", self.uri);
        Err(Error::new(ErrorKind::Fenced, "checkpoint-fenced", message))
    }

    /// Writes the manifest of a checkpoint in the place of one that a deposed JobManager left; where it is.
    pub(crate) fn replace_checkpoint(&self, manifest: &Manifest) -> Result<String> {
        self.storage.delete(&layout::manifest_file(manifest.checkpoint))?;
        self.write_checkpoint(manifest)
    }

    /// Copies everything a manifest names to another directory and writes the manifest there, so that the directory
    /// needs nothing else; where it is. Runs of a savepoint are sorted, whatever they were.
    pub(crate) fn write_savepoint(&self, manifest: &mut Manifest, target: &Store) -> Result<String> {
        let sorted = self.sort_runs(manifest, target)?;
        let files = manifest.files().into_iter().filter(|file| !sorted.contains(*file));
        let copied = self.copy_files(files, target, |number| format!("{number:05}"))?;
        manifest.rename_files(|file| copied.get(file).cloned().unwrap_or_else(|| file.to_owned()));
        if create(target.storage.as_ref(), layout::MANIFEST, &encode(manifest)?)? {
            return Ok(target.uri.clone());
        }
        Err(Error::user("savepoint-exists", format!("there is a savepoint at '{}' already", target.uri)))
    }

    /// Writes the unsorted runs of a manifest to another directory as sorted ones, which the manifest then names; their
    /// files.
    fn sort_runs(&self, manifest: &mut Manifest, target: &Store) -> Result<BTreeSet<String>> {
        let mut files = BTreeSet::new();
        let tables = manifest.operators.iter_mut().flat_map(|operator| &mut operator.tables);
        for run in tables.flat_map(|table| &mut table.runs) {
            let storage = self.storage.clone();
            let stored = StoredRun::open(run, move |file, range| storage.get_range(file, range))?;
            if stored.is_sorted() {
                continue;
            }
            let (bytes, entries) = stored.to_sorted()?;
            let file = format!("sorted-{:05}", files.len());
            target.storage.put(&file, &bytes)?;
            let (length, checksum) = (bytes.len() as u64, checksum(&bytes));
            run.place = Place { file: file.clone(), offset: 0, bytes: length, checksum };
            run.entries = entries;
            files.insert(file);
        }
        Ok(files)
    }

    /// Copies the runs of a manifest whose files are elsewhere into this directory; the manifest with these copies.
    pub(crate) fn adopt(&self, mut manifest: Manifest, from: &Store) -> Result<Manifest> {
        let runs = manifest.operators.iter().flat_map(|o| &o.tables).flat_map(|table| &table.runs);
        let files: BTreeSet<&str> = runs.map(|run| run.place.file.as_str()).collect();
        let checkpoint = manifest.checkpoint;
        let name = |number| format!("{}{checkpoint}-restored-{number:05}", layout::SHARED);
        let copied = from.copy_files(files, self, name)?;
        manifest.rename_files(|file| copied.get(file).cloned().unwrap_or_else(|| file.to_owned()));
        Ok(manifest)
    }

    fn copy_files<'a>(
        &self,
        files: impl IntoIterator<Item = &'a str>,
        target: &Store,
        name: impl Fn(usize) -> String,
    ) -> Result<BTreeMap<String, String>> {
        let mut copied = BTreeMap::new();
        for (number, file) in files.into_iter().enumerate() {
            let content = self.storage.get(file)?.ok_or_else(|| self.missing(file))?;
            let name = name(number);
            target.storage.put(&name, &content)?;
            copied.insert(file.to_owned(), name);
        }
        Ok(copied)
    }

    /// The content of opaque values.
    pub(crate) fn read_blobs(&self, blobs: &[Blob]) -> Result<Vec<Vec<u8>>> {
        let read = |blob: &Blob| match blob {
            Blob::Inline(bytes) => Ok(bytes.clone()),
            Blob::Stored(place) => self.read_place(place),
        };
        blobs.iter().map(read).collect()
    }

    fn read_place(&self, place: &Place) -> Result<Vec<u8>> {
        let bytes = self.storage.get_range(&place.file, place.offset..place.offset + place.bytes)?;
        if checksum(&bytes) == place.checksum {
            return Ok(bytes);
        }
        let message =
            format!("the checkpoint file '{}/{}' is damaged: its checksum does not match", self.uri, place.file);
        Err(Error::new(ErrorKind::Corruption, "checkpoint-corrupt", message))
    }

    fn missing(&self, file: &str) -> Error {
        let message = format!("the checkpoint file '{}/{file}' is missing", self.uri);
        Error::new(ErrorKind::Corruption, "missing-object", message)
    }

    /// Checks that all files a manifest names are there and long enough.
    pub(crate) fn verify(&self, manifest: &Manifest) -> Result<()> {
        let mut ends: BTreeMap<&str, u64> = BTreeMap::new();
        for place in manifest.places() {
            let end = ends.entry(&place.file).or_default();
            *end = (*end).max(place.offset + place.bytes);
        }
        if ends.is_empty() {
            return Ok(());
        }
        let there: BTreeMap<String, u64> =
            self.storage.list("")?.into_iter().map(|object| (object.path, object.bytes)).collect();
        for (file, end) in ends {
            match there.get(file) {
                None => return Err(self.missing(file)),
                Some(bytes) if *bytes < end => {
                    let message = format!(
                        "the checkpoint file '{}/{file}' is cut short: it has {bytes} bytes, and {end} were written",
                        self.uri
                    );
                    return Err(Error::new(ErrorKind::Corruption, "checkpoint-corrupt", message));
                }
                Some(_) => {}
            }
        }
        Ok(())
    }

    /// Deletes what is garbage. A file that cannot be deleted is tried again with the next checkpoint.
    ///
    /// The roots are looked at when the files are listed: who writes a file makes it a root first.
    pub(crate) fn collect_garbage(&self, roots: &Mutex<Roots>, latest: u64) -> Result<usize> {
        let files = self.storage.list("")?;
        let roots = roots.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let garbage = roots.garbage(files.iter().map(|file| file.path.as_str()), latest);
        garbage.iter().try_for_each(|file| self.storage.delete(file))?;
        Ok(garbage.len())
    }

    /// Deletes a checkpoint that the job owns, but not what others in its directory name.
    pub(crate) fn delete_claimed(&self, manifest: &Manifest) -> Result<()> {
        let own =
            if manifest.savepoint { layout::MANIFEST.to_owned() } else { layout::manifest_file(manifest.checkpoint) };
        self.storage.delete(&own)?;
        let mut keep = BTreeSet::new();
        for file in self.storage.list("")?.into_iter().filter(|file| file.path.ends_with(layout::MANIFEST)) {
            let content = self.storage.get(&file.path)?.unwrap_or_default();
            // What cannot be read may name anything.
            let other = headwater_checkpoint::manifest::decode(&file.path, &content)?;
            keep.extend(other.files().into_iter().map(str::to_owned));
        }
        let files = manifest.files();
        files.into_iter().filter(|file| !keep.contains(*file)).try_for_each(|file| self.storage.delete(file))
    }
}

/// Writes an object unless there is another one; whether it is there now. The answer to a write may get lost: then
/// the object is there all the same, and a checkpoint that counts as failed would be found after a crash.
fn create(storage: &dyn Storage, file: &str, content: &[u8]) -> Result<bool> {
    let written = storage.put_if_absent(file, content);
    if let Ok(true) = written {
        return Ok(true);
    }
    match storage.get(file) {
        Ok(Some(there)) => Ok(there == content),
        _ => written,
    }
}
