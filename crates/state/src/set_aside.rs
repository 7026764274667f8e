//! Changes of an epoch that do not wait in memory for the snapshot.

use headwater_data::run::{Entries, EntryStream, Place, Run, RunOptions, encode};
use headwater_env::Env;
use headwater_types::{Error, Result};
use std::fs::File;
use std::io::{Read, Seek, SeekFrom, Write};
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Bytes of a file that are read at once: an epoch may have many files, which are merged.
const READ_BYTES: u64 = 256 << 10;
/// Changes that may be in memory on their way to files; who has more waits for the disk.
const PENDING_MAX: usize = 2;

/// Changes on their way to a local file. Until they are there they are in memory.
#[derive(Clone)]
pub(crate) struct SetAside {
    entries: usize,
    content: Arc<Mutex<Content>>,
}

enum Content {
    /// In memory, in any order.
    Memory(Entries),
    /// In a file, as a run.
    File(Run),
}

impl SetAside {
    /// Sets changes aside behind others; the file is written in the background, unless those are still on their way.
    pub fn push(set_aside: &mut Vec<Self>, entries: Entries, file: PathBuf, env: &Env) {
        let count = entries.len();
        let this = Self { entries: count, content: Arc::new(Mutex::new(Content::Memory(entries))) };
        if set_aside.iter().filter(|other| other.is_pending()).count() < PENDING_MAX {
            let writer = this.clone();
            env.spawn_blocking("state-set-aside", move || writer.write(&file));
        } else {
            this.write(&file);
        }
        set_aside.push(this);
    }

    /// Whether it is in memory, as far as that can be said without waiting.
    fn is_pending(&self) -> bool {
        match self.content.try_lock() {
            Ok(content) => matches!(&*content, Content::Memory(_)),
            Err(_) => true,
        }
    }

    /// Number of entries.
    pub fn len(&self) -> usize {
        self.entries
    }

    /// Memory in use, bytes.
    pub fn memory_bytes(&self) -> usize {
        match &*self.lock() {
            Content::Memory(entries) => entries.memory_bytes(),
            Content::File(_) => 0,
        }
    }

    /// The changes, sorted.
    pub fn into_stream(self) -> Box<dyn EntryStream + Send> {
        let mut content = self.lock();
        match &mut *content {
            Content::Memory(entries) => {
                entries.sort_latest();
                Box::new(std::mem::take(entries).into_stream())
            }
            Content::File(run) => {
                let start = Place { group: 0, key: &[], map_key: &[] };
                Box::new(run.read_from(start, u32::MAX, READ_BYTES))
            }
        }
    }

    /// Moves the content to a file. When that fails it stays in memory: a full disk must not fail the job here.
    fn write(&self, file: &Path) {
        let encoded = match &mut *self.lock() {
            Content::Memory(entries) if !entries.is_empty() => {
                entries.sort_latest();
                encode(&[], entries, RunOptions { filters: false, ..RunOptions::STORED })
            }
            _ => return,
        };
        if let Ok(run) = encoded.and_then(|bytes| store(file, &bytes)) {
            let mut content = self.lock();
            // The stream may have been taken meanwhile; then nobody reads the file.
            if matches!(&*content, Content::Memory(entries) if !entries.is_empty()) {
                *content = Content::File(run);
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, Content> {
        self.content.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Writes a run to a file, which goes with its last reader.
fn store(path: &Path, bytes: &[u8]) -> Result<Run> {
    let failed = |e: std::io::Error| {
        let message = format!("changes of state cannot be set aside in '{}': {e}", path.display());
        Error::retryable("state-disk", message).with_source(e)
    };
    let mut file = File::options().read(true).write(true).create_new(true).open(path).map_err(failed)?;
    file.write_all(bytes).map_err(failed)?;
    let (file, guard) = (Mutex::new(file), Remove(path.to_owned()));
    let read = move |range: Range<u64>| {
        let failed =
            |e| Error::retryable("state-disk", format!("'{}' cannot be read", guard.0.display())).with_source(e);
        let mut bytes = vec![0; (range.end - range.start) as usize];
        let mut file = file.lock().unwrap_or_else(PoisonError::into_inner);
        file.seek(SeekFrom::Start(range.start)).and_then(|_| file.read_exact(&mut bytes)).map_err(failed)?;
        Ok(bytes)
    };
    Run::open(path.display().to_string(), bytes.len() as u64, Arc::new(read))
}

/// Removes a file when dropped.
struct Remove(PathBuf);

impl Drop for Remove {
    fn drop(&mut self) {
        // The directory is wiped at the next start anyway.
        let _ = std::fs::remove_file(&self.0);
    }
}
