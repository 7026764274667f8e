//! The copies of one job.

use headwater_checkpoint::SubtaskRestore;
use headwater_checkpoint::local::unneeded;
use headwater_checkpoint::manifest::{Blob, Checksum, Place};
use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::ops::Range;
use std::path::{Path, PathBuf};

/// Behind the name of a file that is being written.
const STAGED: &str = ".part";
/// Bytes that are read at a time to check them.
const CHUNK_BYTES: usize = 1 << 20;

/// A directory of copies. Clones are the same directory.
#[derive(Debug, Clone)]
pub(crate) struct JobCopies {
    directory: PathBuf,
}

impl JobCopies {
    pub(super) fn new(directory: PathBuf) -> Self {
        Self { directory }
    }

    /// Where the copy of a file is; `None` for what is no name of one.
    fn path(&self, file: &str) -> Option<PathBuf> {
        let is_plain = |segment: &str| !segment.is_empty() && segment != "." && segment != "..";
        file.split('/').all(is_plain).then(|| self.directory.join(file))
    }

    /// Begins a copy.
    pub(super) fn create(&self, file: &str) -> io::Result<NewCopy> {
        let target = self.path(file).ok_or(io::ErrorKind::InvalidInput)?;
        let staged = self.path(&format!("{file}{STAGED}")).ok_or(io::ErrorKind::InvalidInput)?;
        if let Some(directory) = staged.parent() {
            fs::create_dir_all(directory)?;
        }
        Ok(NewCopy { file: File::create(&staged)?, staged, target })
    }

    /// Part of a copy.
    pub(super) fn read(&self, file: &str, range: &Range<u64>) -> io::Result<Vec<u8>> {
        let mut copy = File::open(self.path(file).ok_or(io::ErrorKind::NotFound)?)?;
        copy.seek(SeekFrom::Start(range.start))?;
        let mut bytes = vec![0; usize::try_from(range.end.saturating_sub(range.start)).unwrap_or(0)];
        copy.read_exact(&mut bytes)?;
        Ok(bytes)
    }

    /// Removes a copy.
    pub(super) fn remove(&self, file: &str) {
        if let Some(path) = self.path(file) {
            let _ = fs::remove_file(path);
        }
    }

    /// The files of which all that a subtask starts with is here, byte for byte. Damaged copies are removed.
    pub(super) fn verify(&self, restore: &SubtaskRestore) -> Verdict {
        let mut verdict = Verdict::default();
        for (file, places) in by_file(restore) {
            match self.is_intact(&file, &places) {
                Ok(true) => drop(verdict.intact.insert(file)),
                Ok(false) => {
                    tracing::warn!(file, "a local copy of state is damaged, it is read from storage");
                    self.remove(&file);
                    verdict.damaged += 1;
                }
                Err(_) => verdict.missing += 1,
            }
        }
        verdict
    }

    fn is_intact(&self, file: &str, places: &[Place]) -> io::Result<bool> {
        let mut copy = File::open(self.path(file).ok_or(io::ErrorKind::NotFound)?)?;
        for place in places {
            match checksum_of(&mut copy, place) {
                Ok(checksum) if checksum == place.checksum => {}
                // Too short is damaged as well.
                Ok(_) | Err(_) => return Ok(false),
            }
        }
        Ok(true)
    }

    /// Removes what nobody will start from; see [`unneeded`].
    pub(crate) fn prune(&self, latest: u64, needed: &BTreeSet<String>) {
        let files = self.list();
        unneeded(files.iter().map(String::as_str), latest, needed).into_iter().for_each(|file| self.remove(file));
    }

    /// All copies, complete or not.
    pub(super) fn list(&self) -> Vec<String> {
        let mut files = vec![];
        for entry in fs::read_dir(&self.directory).into_iter().flatten().flatten() {
            let directory = entry.file_name().to_string_lossy().into_owned();
            for file in fs::read_dir(entry.path()).into_iter().flatten().flatten() {
                files.push(format!("{directory}/{}", file.file_name().to_string_lossy()));
            }
        }
        files.sort_unstable();
        files
    }
}

/// What is known of the copies that a subtask could start from.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Verdict {
    /// Files that may be read.
    pub(super) intact: BTreeSet<String>,
    pub(super) damaged: usize,
    pub(super) missing: usize,
}

/// The places of everything that a subtask starts with.
fn by_file(restore: &SubtaskRestore) -> BTreeMap<String, Vec<Place>> {
    let tables = restore.operators.iter().flat_map(|operator| &operator.tables);
    let runs = tables.flat_map(|table| &table.runs).map(|run| &run.place);
    let items = restore.operators.iter().flat_map(|operator| &operator.lists).flat_map(|list| &list.items);
    let rows = restore.channels.iter().map(|channel| &channel.rows);
    let blobs = items.chain(&restore.splits).chain(&restore.writer).chain(rows);
    let stored = blobs.filter_map(|blob| match blob {
        Blob::Stored(place) => Some(place),
        Blob::Inline(_) => None,
    });
    let mut places: BTreeMap<String, Vec<Place>> = BTreeMap::new();
    runs.chain(stored).for_each(|place| places.entry(place.file.clone()).or_default().push(place.clone()));
    places
}

fn checksum_of(file: &mut File, place: &Place) -> io::Result<u64> {
    file.seek(SeekFrom::Start(place.offset))?;
    let (mut checksum, mut left) = (Checksum::default(), place.bytes);
    let mut chunk = vec![0; CHUNK_BYTES.min(usize::try_from(place.bytes).unwrap_or(CHUNK_BYTES))];
    while left > 0 {
        let part = chunk.len().min(usize::try_from(left).unwrap_or(usize::MAX));
        file.read_exact(&mut chunk[..part])?;
        checksum.update(&chunk[..part]);
        left -= part as u64;
    }
    Ok(checksum.value())
}

/// A copy that is being written. Dropped before it is published, it leaves nothing behind.
pub(super) struct NewCopy {
    file: File,
    /// Gone once the copy is published.
    staged: PathBuf,
    target: PathBuf,
}

impl NewCopy {
    pub(super) fn write(&mut self, part: &[u8]) -> io::Result<()> {
        self.file.write_all(part)
    }

    /// Makes it a copy. It need not survive a crash of the host: its checksums say whether it did.
    pub(super) fn publish(self) -> io::Result<()> {
        rename(&self.staged, &self.target)
    }
}

fn rename(from: &Path, to: &Path) -> io::Result<()> {
    fs::rename(from, to)
}

impl Drop for NewCopy {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.staged);
    }
}
