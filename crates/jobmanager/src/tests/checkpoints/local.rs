//! Jobs that start again from the copies that their TaskManager kept.

use super::setup::{self, Bench, pipeline};
use crate::{JobState, TaskState};
use headwater_checkpoint::layout::SHARED;
use headwater_env::{Env, ObjectMeta, ObjectWriter, Storage, StorageProvider};
use headwater_storage::Provider;
use headwater_types::Result;
use headwater_types::config::Configuration;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// Storage that counts how often runs of state are read. What sinks staged is read by the JobManager, from storage.
#[derive(Clone, Default)]
struct Counting(Arc<AtomicU64>);

struct Counted {
    storage: Arc<dyn Storage>,
    reads: Arc<AtomicU64>,
}

impl StorageProvider for Counting {
    fn open(&self, uri: &str, config: &Configuration) -> Result<Arc<dyn Storage>> {
        Ok(Arc::new(Counted { storage: Provider.open(uri, config)?, reads: self.0.clone() }))
    }
}

impl Storage for Counted {
    fn put(&self, path: &str, content: &[u8]) -> Result<()> {
        self.storage.put(path, content)
    }

    fn put_stream<'a>(&'a self, path: &str) -> Result<Box<dyn ObjectWriter + 'a>> {
        self.storage.put_stream(path)
    }

    fn put_if_absent(&self, path: &str, content: &[u8]) -> Result<bool> {
        self.storage.put_if_absent(path, content)
    }

    fn get(&self, path: &str) -> Result<Option<Vec<u8>>> {
        self.storage.get(path)
    }

    fn get_range(&self, path: &str, range: Range<u64>) -> Result<Vec<u8>> {
        if path.starts_with(SHARED) {
            self.reads.fetch_add(1, Ordering::SeqCst);
        }
        self.storage.get_range(path, range)
    }

    fn list(&self, prefix: &str) -> Result<Vec<ObjectMeta>> {
        self.storage.list(prefix)
    }

    fn delete(&self, path: &str) -> Result<()> {
        self.storage.delete(path)
    }
}

/// The copies below a directory.
fn copies(directory: &Path) -> Vec<PathBuf> {
    let mut found = vec![];
    for entry in std::fs::read_dir(directory).into_iter().flatten().flatten() {
        match entry.path().is_dir() {
            true => found.extend(copies(&entry.path())),
            false => found.push(entry.path()),
        }
    }
    found.retain(|file| file.file_name().is_some_and(|name| name != "owner"));
    found
}

/// Runs a job that fails behind its third checkpoint; how often state was read from storage when it started again.
/// `spoil` is given the copies behind the second one.
fn reads_of_a_restart(from_local: bool, spoil: impl Fn(&[PathBuf])) -> u64 {
    let storage = Counting::default();
    let dirs = [("execution.checkpointing.local-backup.dirs", "local")];
    let bench = Bench::with(Env::real(), Arc::new(storage.clone()), &dirs);
    let local = bench.directory("local");
    let from_local = from_local.to_string();
    let options =
        [("execution.checkpointing.interval", "1 h"), ("execution.state-recovery.from-local", from_local.as_str())];
    let job = bench.submit(&pipeline("-1", "break", 2), &options);
    job.trigger_checkpoint().unwrap();
    job.trigger_checkpoint().unwrap();
    spoil(&copies(Path::new(&local)));
    // Behind its barrier the job fails, perhaps before it is complete.
    let _ = job.trigger_checkpoint();
    setup::wait_until(|| job.status().unwrap().restarts == 1);
    // A source that is given no split ends at once.
    let has_started = |task: &TaskState| matches!(task, TaskState::Running | TaskState::Finished);
    setup::wait_until(|| job.status().unwrap().tasks.values().all(has_started));
    let reads = storage.0.load(Ordering::SeqCst);
    job.stop_with_savepoint(Some(&bench.directory("savepoints")), true).unwrap();
    let result = job.wait();
    assert_eq!(result.state, JobState::Finished, "{:?}", result.error);
    bench.assert_exact();
    setup::wait_until(|| copies(Path::new(&local)).is_empty());
    reads
}

#[test]
fn a_restart_reads_nothing_from_storage_when_there_are_local_copies() {
    assert!(reads_of_a_restart(false, |copies| assert!(copies.is_empty(), "nobody asked for copies")) > 0);
    let reads = reads_of_a_restart(true, |copies| assert!(!copies.is_empty(), "uploads are kept"));
    assert_eq!(reads, 0);
}

#[test]
fn a_restart_reads_from_storage_what_is_damaged_locally() {
    for damage in [None, Some(&b"not what was written"[..])] {
        let spoil = |copies: &[PathBuf]| {
            for copy in copies {
                match damage {
                    None => std::fs::remove_file(copy).unwrap(),
                    Some(bytes) => std::fs::write(copy, bytes).unwrap(),
                }
            }
        };
        assert!(reads_of_a_restart(true, spoil) > 0, "{damage:?}");
    }
}
