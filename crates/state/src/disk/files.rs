//! The directory of a store: its files, which go with their last reader.

use headwater_data::run::{EntryRef, ReadAt, Run, RunOptions, RunWriter};
use headwater_types::{Error, Result};
use std::fs::File;
use std::io::{self, Write};
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

/// The name of files of a tree.
pub(super) const STATE: &str = "state";

/// Makes files until it is closed. Whoever works in the background has this and not the store, so that the directory
/// can go while they work.
pub(crate) struct Files {
    directory: PathBuf,
    next: AtomicU64,
    /// Held while a file is made: none appears in a closed directory.
    is_open: Mutex<bool>,
}

impl Files {
    /// The files of a directory, which is emptied.
    pub fn open(directory: &Path) -> Result<Self> {
        remove(directory)?;
        std::fs::create_dir_all(directory).map_err(|e| failed(directory, e))?;
        Ok(Self { directory: directory.to_owned(), next: AtomicU64::new(0), is_open: Mutex::new(true) })
    }

    pub fn directory(&self) -> &Path {
        &self.directory
    }

    /// The path of a new file.
    pub fn new_path(&self, what: &str) -> PathBuf {
        self.directory.join(format!("{what}-{}.run", self.next.fetch_add(1, Ordering::Relaxed)))
    }

    /// Whether nobody wants the files any more.
    pub fn is_closed(&self) -> bool {
        !*self.is_open.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Removes the directory. Files that are being written lose their name.
    pub fn close(&self) {
        *self.is_open.lock().unwrap_or_else(PoisonError::into_inner) = false;
        let _ = remove(&self.directory);
    }

    fn create(&self, path: &Path) -> Result<File> {
        let is_open = self.is_open.lock().unwrap_or_else(PoisonError::into_inner);
        if !*is_open {
            return Err(Error::cancelled());
        }
        File::options().read(true).write(true).create_new(true).open(path).map_err(|e| failed(path, e))
    }
}

/// A run that is being written to a file.
pub(super) struct FileWriter {
    file: LocalFile,
    writer: RunWriter,
}

impl FileWriter {
    /// A new file, whose name says `what` it is.
    pub fn create(files: &Files, what: &str, options: RunOptions) -> Result<Self> {
        let path = files.new_path(what);
        let file = LocalFile { file: files.create(&path)?, path, bytes: 0 };
        Ok(Self { file, writer: RunWriter::with_options(&[], options)? })
    }

    pub fn push(&mut self, entry: EntryRef<'_>) -> Result<()> {
        self.writer.push(entry)?;
        self.writer.write_finished(&mut |part| self.file.write(part))
    }

    /// Bytes so far.
    pub fn bytes(&self) -> u64 {
        self.writer.bytes()
    }

    /// The run, opened with its filters, and its size.
    pub fn finish(mut self) -> Result<(Run, u64)> {
        self.file.write(&self.writer.finish()?)?;
        let (name, bytes) = (self.file.path.display().to_string(), self.file.bytes);
        let run = Run::open_at(name, bytes, Arc::new(self.file))?;
        run.load_filters()?;
        Ok((run, bytes))
    }
}

/// A file, which is removed when dropped.
struct LocalFile {
    file: File,
    path: PathBuf,
    bytes: u64,
}

impl LocalFile {
    fn write(&mut self, bytes: &[u8]) -> Result<()> {
        self.bytes += bytes.len() as u64;
        self.file.write_all(bytes).map_err(|e| failed(&self.path, e))
    }
}

impl ReadAt for LocalFile {
    fn read_at(&self, range: Range<u64>, out: &mut Vec<u8>) -> Result<()> {
        out.resize((range.end - range.start) as usize, 0);
        read_exact_at(&self.file, out, range.start).map_err(|e| failed(&self.path, e))
    }
}

impl Drop for LocalFile {
    fn drop(&mut self) {
        // The directory is wiped at the next start anyway.
        let _ = std::fs::remove_file(&self.path);
    }
}

#[cfg(unix)]
fn read_exact_at(file: &File, out: &mut [u8], offset: u64) -> io::Result<()> {
    std::os::unix::fs::FileExt::read_exact_at(file, out, offset)
}

#[cfg(windows)]
fn read_exact_at(file: &File, mut out: &mut [u8], mut offset: u64) -> io::Result<()> {
    while !out.is_empty() {
        match std::os::windows::fs::FileExt::seek_read(file, out, offset)? {
            0 => return Err(io::ErrorKind::UnexpectedEof.into()),
            read => {
                out = &mut out[read..];
                offset += read as u64;
            }
        }
    }
    Ok(())
}

fn remove(directory: &Path) -> Result<()> {
    match std::fs::remove_dir_all(directory) {
        Err(e) if e.kind() != io::ErrorKind::NotFound => Err(failed(directory, e)),
        _ => Ok(()),
    }
}

fn failed(path: &Path, e: io::Error) -> Error {
    let message = format!("'{}' for state on local disk cannot be used: {e}", path.display());
    Error::retryable("state-disk", message).with_source(e)
}
