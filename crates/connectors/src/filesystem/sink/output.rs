//! Where the bytes of a file go: a hidden local file, or an upload.

use super::staged::{Content, StagedFile};
use super::upload::{Parts, Shared, Upload};
use super::{Plan, Root};
use crate::filesystem::bad_records::cannot_write;
use headwater_types::{Error, ErrorKind, Result};
use std::fs::File;
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// The output of one file.
pub(super) enum Output {
    Local { file: File, staged: PathBuf },
    Remote(Upload),
}

impl Write for Output {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::Local { file, .. } => file.write(bytes),
            Self::Remote(upload) => upload.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Self::Local { file, .. } => file.flush(),
            Self::Remote(_) => Ok(()),
        }
    }
}

impl Output {
    /// Starts a file.
    pub(super) fn create(plan: &Plan, file: &StagedFile, waker: &Arc<dyn Fn() + Send + Sync>) -> Result<Self> {
        match (&file.content, &plan.root) {
            (Content::Local { staged, .. }, _) => {
                let file = create_hidden(staged)?;
                Ok(Self::Local { file, staged: staged.clone() })
            }
            (Content::Object { key, parts }, Root::Bucket { bucket, .. }) => {
                Ok(Self::Remote(Upload::new(bucket.clone(), key.clone(), waker.clone(), parts.clone())))
            }
            (Content::Object { key, .. }, Root::Local(_)) => Err(moved(key)),
        }
    }

    /// Goes on behind the `bytes` of a hidden file that a checkpoint holds, in a file of its own: somebody who does not
    /// know yet that it was replaced may still write to the other one, behind those bytes or after cutting them.
    pub(super) fn copy(from: &StagedFile, bytes: u64, own: &StagedFile) -> Result<Self> {
        let (Content::Local { staged: old, .. }, Content::Local { staged, .. }) = (&from.content, &own.content) else {
            return Err(moved(&from.directory));
        };
        let source = File::open(old).map_err(|e| cannot_resume(old, e))?;
        let mut file = create_hidden(staged)?;
        let copied = io::copy(&mut source.take(bytes), &mut file).map_err(|e| cannot_write(staged, e));
        let copied = copied.and_then(|copied| match copied < bytes {
            true => Err(too_short(old, copied, bytes)),
            false => Ok(Self::Local { file, staged: staged.clone() }),
        });
        copied.inspect_err(|_| drop(std::fs::remove_file(staged)))
    }

    /// The side of an upload that the store knows.
    pub(super) fn shared(&self) -> Option<Arc<Shared>> {
        match self {
            Self::Local { .. } => None,
            Self::Remote(upload) => Some(upload.shared.clone()),
        }
    }

    /// Makes what was written survive this process: on disk, or in what the checkpoint holds of the upload.
    pub(super) fn persist(&mut self, file: &mut StagedFile) -> Result<()> {
        match (self, &mut file.content) {
            (Self::Local { file, staged }, _) => file.sync_data().map_err(|e| cannot_write(staged, e)),
            (Self::Remote(upload), Content::Object { parts, .. }) => {
                *parts = upload.parts()?;
                Ok(())
            }
            (Self::Remote(_), Content::Local { staged, .. }) => Err(moved(&staged.to_string_lossy())),
        }
    }

    /// The end of a file: its last bytes. An upload is asked for its parts when they have arrived.
    pub(super) fn close(self) -> Result<Option<Upload>> {
        match self {
            Self::Local { file, staged } => {
                file.sync_all().map_err(|e| cannot_write(&staged, e))?;
                Ok(None)
            }
            Self::Remote(upload) => Ok(Some(upload)),
        }
    }
}

fn create_hidden(staged: &Path) -> Result<File> {
    if let Some(directory) = staged.parent() {
        std::fs::create_dir_all(directory).map_err(|e| cannot_write(directory, e))?;
    }
    File::create_new(staged).map_err(|e| cannot_write(staged, e))
}

/// Puts the parts of an upload into what is handed over.
pub(super) fn finish(file: &mut StagedFile, upload: &Upload) -> Result<()> {
    if let Content::Object { parts, .. } = &mut file.content {
        *parts = upload.parts()?;
    }
    Ok(())
}

/// Nothing of a new object is there yet.
pub(super) fn nothing() -> Parts {
    Parts::default()
}

fn moved(name: &str) -> Error {
    let message = format!(
        "'{name}' was staged by a table that wrote to another kind of storage: restore with the 'path' the table had"
    );
    Error::user("path-changed", message)
}

/// A file that a checkpoint holds cannot be gone on with. What was completed since is never taken back.
fn cannot_resume(staged: &Path, error: io::Error) -> Error {
    if error.kind() != io::ErrorKind::NotFound {
        return cannot_write(staged, error);
    }
    let message = format!(
        "the staged file '{}' was open when the checkpoint was taken, and is gone: either a later checkpoint has completed \
         it or gone on with it, then restore from the newest checkpoint of the job, since rows that readers may have seen \
         are not taken back; or something deleted it, then restore from an older one",
        staged.display()
    );
    Error::new(ErrorKind::Corruption, "staged-file-lost", message)
}

fn too_short(path: &Path, length: u64, expected: u64) -> Error {
    let message = format!(
        "the staged file '{}' has {length} bytes, but the checkpoint was taken when it had {expected}: rows are lost; \
         restore from an older checkpoint",
        path.display()
    );
    Error::new(ErrorKind::Corruption, "staged-file-lost", message)
}
