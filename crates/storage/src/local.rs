//! A directory of this machine.
//!
//! An object is written to a hidden file beside its name, synced, linked or renamed to it, and the directory is
//! synced: after a crash it is there whole or not at all. Create-if-absent is a hard link, which fails when the
//! name is taken.

use crate::errors::local as failed;
use headwater_env::{ObjectMeta, ObjectWriter, Storage};
use headwater_types::{Error, ErrorKind, Result};
use std::fs::{self, File};
use std::io::ErrorKind::{AlreadyExists, NotFound};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

/// Prefix of files that are being written.
const STAGING: &str = ".put-";
/// Directories below the root that a listing descends into.
const DEPTH_MAX: usize = 32;

/// Storage below a directory, which is made when something is written.
#[derive(Debug)]
pub struct LocalStorage {
    root: PathBuf,
}

/// Tells files being written by this process apart.
static NEXT_STAGED: AtomicU64 = AtomicU64::new(0);

impl LocalStorage {
    /// Storage below `root`.
    pub fn new(root: impl Into<PathBuf>) -> Self {
        Self { root: root.into() }
    }

    /// The file of an object.
    ///
    /// # Errors
    /// When the path leaves the root.
    fn file(&self, path: &str) -> Result<PathBuf> {
        let is_plain = |segment: &str| !segment.is_empty() && segment != "." && segment != "..";
        if path.split('/').all(is_plain) {
            return Ok(self.root.join(path));
        }
        Err(Error::user("bad-storage-path", format!("'{path}' is not the path of an object")))
    }

    fn write(&self, path: &str, content: &[u8], publish: impl Fn(&Path, &Path) -> io::Result<()>) -> Result<bool> {
        let file = self.file(path)?;
        match write_atomically(&file, content, publish) {
            Ok(()) => Ok(true),
            Err(e) if e.kind() == AlreadyExists => Ok(false),
            Err(e) => Err(failed("written", &file, e)),
        }
    }
}

impl Storage for LocalStorage {
    fn put(&self, path: &str, content: &[u8]) -> Result<()> {
        self.write(path, content, |staged, file| fs::rename(staged, file)).map(drop)
    }

    fn put_stream<'a>(&'a self, path: &str) -> Result<Box<dyn ObjectWriter + 'a>> {
        let target = self.file(path)?;
        let staged = staged_beside(&target);
        let file = create_staged(&staged).map_err(|e| failed("written", &target, e))?;
        Ok(Box::new(StagedFile { file, staged, target }))
    }

    fn put_if_absent(&self, path: &str, content: &[u8]) -> Result<bool> {
        self.write(path, content, |staged, file| {
            fs::hard_link(staged, file)?;
            fs::remove_file(staged)
        })
    }

    fn get(&self, path: &str) -> Result<Option<Vec<u8>>> {
        let file = self.file(path)?;
        match fs::read(&file) {
            Ok(content) => Ok(Some(content)),
            Err(e) if e.kind() == NotFound || is_not_a_directory(&e) => Ok(None),
            Err(e) => Err(failed("read", &file, e)),
        }
    }

    fn get_range(&self, path: &str, range: Range<u64>) -> Result<Vec<u8>> {
        let file = self.file(path)?;
        read_range(&file, &range).map_err(|e| match e.kind() {
            NotFound | io::ErrorKind::UnexpectedEof => {
                let message = format!("'{}' is missing or shorter than it should be", file.display());
                Error::new(ErrorKind::Corruption, "missing-object", message)
            }
            _ => failed("read", &file, e),
        })
    }

    fn list(&self, prefix: &str) -> Result<Vec<ObjectMeta>> {
        // The part of the prefix up to its last slash is a directory: nothing beside it needs to be looked at.
        let directory = prefix.rsplit_once('/').map_or("", |(directory, _)| directory);
        let mut found = vec![];
        let start = if directory.is_empty() { self.root.clone() } else { self.file(directory)? };
        list(&start, directory, 0, &mut found).map_err(|e| failed("listed", &start, e))?;
        found.retain(|object| object.path.starts_with(prefix));
        found.sort_by(|a, b| a.path.cmp(&b.path));
        Ok(found)
    }

    fn delete(&self, path: &str) -> Result<()> {
        let file = self.file(path)?;
        match fs::remove_file(&file) {
            Err(e) if e.kind() != NotFound => Err(failed("deleted", &file, e)),
            _ => {
                self.remove_empty_parents(&file);
                Ok(())
            }
        }
    }
}

impl LocalStorage {
    /// Object stores have no directories: an empty one, the root included, is nothing worth keeping.
    fn remove_empty_parents(&self, file: &Path) {
        let parents = file.ancestors().skip(1).take_while(|parent| parent.starts_with(&self.root));
        for parent in parents {
            if fs::remove_dir(parent).is_err() {
                return;
            }
        }
    }
}

fn write_atomically(file: &Path, content: &[u8], publish: impl Fn(&Path, &Path) -> io::Result<()>) -> io::Result<()> {
    let staged = staged_beside(file);
    let stage = || {
        let mut written = create_staged(&staged)?;
        written.write_all(content)?;
        written.sync_all()
    };
    let result = stage().and_then(|()| publish(&staged, file));
    if result.is_err() {
        let _ = fs::remove_file(&staged);
        return result;
    }
    sync_directory(directory_of(file))
}

fn directory_of(file: &Path) -> &Path {
    file.parent().unwrap_or(Path::new("."))
}

/// A new hidden name beside a file.
fn staged_beside(file: &Path) -> PathBuf {
    let name = format!("{STAGING}{}-{}", std::process::id(), NEXT_STAGED.fetch_add(1, Ordering::Relaxed));
    directory_of(file).join(name)
}

fn create_staged(staged: &Path) -> io::Result<File> {
    let directory = directory_of(staged);
    // A directory that was removed as empty meanwhile is made again.
    fs::create_dir_all(directory)?;
    match File::create_new(staged) {
        Err(e) if e.kind() == NotFound => {
            fs::create_dir_all(directory)?;
            File::create_new(staged)
        }
        other => other,
    }
}

/// An object that is being written in parts.
struct StagedFile {
    file: File,
    /// Gone once the object is published.
    staged: PathBuf,
    target: PathBuf,
}

impl ObjectWriter for StagedFile {
    fn write(&mut self, part: &[u8]) -> Result<()> {
        self.file.write_all(part).map_err(|e| failed("written", &self.target, e))
    }

    fn finish(self: Box<Self>) -> Result<()> {
        let publish = || {
            self.file.sync_all()?;
            fs::rename(&self.staged, &self.target)?;
            sync_directory(directory_of(&self.target))
        };
        publish().map_err(|e| failed("written", &self.target, e))
    }
}

impl Drop for StagedFile {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.staged);
    }
}

/// Makes a new name survive a crash. Not all systems can, and those that cannot need not.
fn sync_directory(directory: &Path) -> io::Result<()> {
    match File::open(directory) {
        Ok(directory) => {
            let _ = directory.sync_all();
            Ok(())
        }
        Err(e) if e.kind() == NotFound => Err(e),
        Err(_) => Ok(()),
    }
}

fn read_range(file: &Path, range: &Range<u64>) -> io::Result<Vec<u8>> {
    let mut file = File::open(file)?;
    file.seek(SeekFrom::Start(range.start))?;
    let length = range.end.saturating_sub(range.start);
    // Checked before memory is taken for it.
    if file.metadata()?.len() < range.end {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    // Not filled with zeros first: state is read in megabytes.
    let mut content = Vec::with_capacity(length as usize);
    if file.take(length).read_to_end(&mut content)? as u64 != length {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    Ok(content)
}

fn list(directory: &Path, path: &str, depth: usize, found: &mut Vec<ObjectMeta>) -> io::Result<()> {
    let entries = match fs::read_dir(directory) {
        Err(e) if e.kind() == NotFound || is_not_a_directory(&e) => return Ok(()),
        entries => entries?,
    };
    for entry in entries {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().into_owned();
        let below = if path.is_empty() { name.clone() } else { format!("{path}/{name}") };
        let Ok(metadata) = entry.metadata() else { continue };
        if metadata.is_dir() && depth < DEPTH_MAX {
            list(&entry.path(), &below, depth + 1, found)?;
        } else if metadata.is_file() && !name.starts_with(STAGING) {
            found.push(ObjectMeta { path: below, bytes: metadata.len() });
        }
    }
    Ok(())
}

fn is_not_a_directory(error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::NotADirectory
}

#[cfg(test)]
mod tests;
