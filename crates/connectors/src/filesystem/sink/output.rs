//! Where the bytes of a file go: a hidden local file, or an upload.

use super::staged::{Content, StagedFile};
use super::upload::{Parts, Shared, Upload};
use super::{Plan, Root};
use crate::filesystem::bad_records::cannot_write;
use headwater_types::{Error, ErrorKind, Result};
use std::fs::File;
use std::io::{self, Seek, SeekFrom, Write};
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
                if let Some(directory) = staged.parent() {
                    std::fs::create_dir_all(directory).map_err(|e| cannot_write(directory, e))?;
                }
                let file = File::create_new(staged).map_err(|e| cannot_write(staged, e))?;
                Ok(Self::Local { file, staged: staged.clone() })
            }
            (Content::Object { key, parts }, Root::Bucket { bucket, .. }) => {
                Ok(Self::Remote(Upload::new(bucket.clone(), key.clone(), waker.clone(), parts.clone())))
            }
            (Content::Object { key, .. }, Root::Local(_)) => Err(moved(key)),
        }
    }

    /// Goes on with a file of a checkpoint that held `bytes` of it; what came after is cut off.
    pub(super) fn resume(
        plan: &Plan,
        file: &StagedFile,
        bytes: u64,
        waker: &Arc<dyn Fn() + Send + Sync>,
    ) -> Result<Self> {
        match &file.content {
            Content::Object { .. } => Self::create(plan, file, waker),
            Content::Local { staged, .. } => {
                let mut file = File::options().write(true).open(staged).map_err(|e| cannot_write(staged, e))?;
                let length = file.metadata().map_err(|e| cannot_write(staged, e))?.len();
                if length < bytes {
                    return Err(too_short(staged, length, bytes));
                }
                let cut = file.set_len(bytes).and_then(|()| file.seek(SeekFrom::End(0)));
                cut.map_err(|e| cannot_write(staged, e))?;
                Ok(Self::Local { file, staged: staged.clone() })
            }
        }
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

fn too_short(path: &Path, length: u64, expected: u64) -> Error {
    let message = format!(
        "the staged file '{}' has {length} bytes, but the checkpoint was taken when it had {expected}: rows are lost; \
         restore from an older checkpoint",
        path.display()
    );
    Error::new(ErrorKind::Corruption, "staged-file-lost", message)
}
