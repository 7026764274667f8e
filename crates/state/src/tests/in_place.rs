//! Restored runs that are read where they are.

use super::*;
use headwater_types::ErrorKind;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};

/// A checkpoint of runs in storage that can fail.
struct Stored {
    runs: Vec<Vec<u8>>,
    groups: Range<u32>,
    fails: Arc<AtomicBool>,
    reads: Arc<Mutex<u64>>,
}

impl Stored {
    fn new(checkpoint: Vec<Vec<u8>>, groups: Range<u32>) -> Self {
        Self { runs: checkpoint, groups, fails: Arc::default(), reads: Arc::default() }
    }

    fn open(&self, bytes: &[u8]) -> Result<RestoredRun> {
        let (length, bytes, fails, reads) =
            (bytes.len() as u64, bytes.to_vec(), self.fails.clone(), self.reads.clone());
        let read = move |range: Range<u64>| {
            *reads.lock().unwrap() += range.end - range.start;
            match fails.load(Ordering::Relaxed) {
                true => Err(Error::retryable("storage-away", "the storage is away")),
                false => Ok(bytes[range.start as usize..range.end as usize].to_vec()),
            }
        };
        let run = Run::open("chk-7/a.run", length, Arc::new(read))?;
        let descriptor = TableDescriptor::from_header(run.header())?;
        Ok(RestoredRun {
            descriptor,
            run: run.with_advice("start from an earlier one"),
            groups: vec![self.groups.clone()],
        })
    }
}

impl Restored for Stored {
    fn table(&self, _name: &str) -> Result<Option<RestoredTable>> {
        panic!("the runs are read in place")
    }

    fn runs(&self, _name: &str) -> Result<Option<Vec<RestoredRun>>> {
        self.runs.iter().map(|run| self.open(run)).collect::<Result<_>>().map(Some)
    }

    fn list(&self, _name: &str) -> Result<Vec<ListSnapshot>> {
        Ok(vec![])
    }

    fn is_restored(&self) -> bool {
        true
    }
}

/// An environment whose background work is only done when told.
fn by_hand() -> (Env, Arc<SimulatedExecutor>) {
    let executor = Arc::new(SimulatedExecutor::default());
    (Env::simulated_with(7, 1_000_000, executor.clone()).0, executor)
}

fn work_all(executor: &SimulatedExecutor) {
    while let Some((_, work)) = executor.take(0) {
        work();
    }
}

fn key(i: u32) -> [u8; 4] {
    i.wrapping_mul(2_654_435_761).to_be_bytes()
}

/// A base of keys below 10,000 and a delta that changes one in seven and deletes one in five.
fn base_and_delta() -> Vec<Vec<u8>> {
    let run = |entry: &dyn Fn(u32) -> Option<Option<&'static [u8]>>| {
        let mut entries = Entries::new();
        for i in 0..10_000 {
            let key = key(i);
            if let Some(value) = entry(i) {
                entries.push(EntryRef { group: group_of(&key, GROUPS), key: &key, map_key: &[], value });
            }
        }
        TableDelta::new(value_descriptor(), entries).into_sorted_run().unwrap()
    };
    vec![
        run(&|_| Some(Some(b"base"))),
        run(&|i| match (i % 5, i % 7) {
            (0, _) => Some(None),
            (_, 0) => Some(Some(b"delta")),
            _ => None,
        }),
    ]
}

fn expected(i: u32, groups: &Range<u32>) -> Option<&'static [u8]> {
    match (groups.contains(&group_of(&key(i), GROUPS)), i % 5, i % 7) {
        (false, ..) | (_, 0, _) => None,
        (_, _, 0) => Some(b"delta"),
        _ => Some(b"base"),
    }
}

fn check_all(table: &mut ValueTable, groups: &Range<u32>) {
    for i in 0..10_000 {
        assert_eq!(table.get(&key(i)).unwrap(), expected(i, groups), "{i}");
    }
}

/// A context of a small disk engine.
fn context(directory: &TempDir, env: &Env, restored: Arc<dyn Restored>) -> StateContext {
    let engine = EngineOptions::disk(directory.path().join("state"), 64 << 10, 16 << 10);
    StateContext { engine, restored, ..StateContext::empty(env.clone(), GROUPS) }
}

#[test]
fn runs_are_read_in_place_and_become_local_a_file_at_a_time() {
    let (directory, (env, executor)) = (tempfile::tempdir().unwrap(), by_hand());
    let groups = 2..7;
    let stored = Arc::new(Stored::new(base_and_delta(), groups.clone()));
    let size: u64 = stored.runs.iter().map(|run| run.len() as u64).sum();
    let mut table = context(&directory, &env, stored.clone()).value_table(value_descriptor()).unwrap();
    let opening = *stored.reads.lock().unwrap();
    assert!(opening < size, "only directories and filters are read: {opening} of {size} bytes");
    assert_eq!(table.get(&key(1)).unwrap(), expected(1, &groups));
    check_all(&mut table, &groups);
    let mut files = 0;
    while let Some((_, work)) = executor.take(0) {
        work();
        files += 1;
        for i in (0..10_000).step_by(199) {
            assert_eq!(table.get(&key(i)).unwrap(), expected(i, &groups), "{i}");
        }
    }
    assert!(files > 2, "{files}");
    // From here on the checkpoint is not needed.
    stored.fails.store(true, Ordering::Relaxed);
    check_all(&mut table, &groups);
}

#[test]
fn writes_hide_what_is_restored() {
    let (directory, (env, executor)) = (tempfile::tempdir().unwrap(), by_hand());
    let stored = Arc::new(Stored::new(base_and_delta(), 0..GROUPS));
    let mut table = context(&directory, &env, stored).value_table(value_descriptor()).unwrap();
    for i in 0..10_000 {
        match i % 3 {
            0 => table.delete(&key(i)).unwrap(),
            1 => table.put(&key(i), b"new").unwrap(),
            _ => {}
        }
        // Half of the work is never done.
        if i % 37 == 0
            && let Some((_, work)) = executor.take(0)
            && i % 2 == 0
        {
            work();
        }
    }
    let check = |table: &mut ValueTable| {
        for i in 0..10_000 {
            let expected = [None, Some(&b"new"[..]), expected(i, &(0..GROUPS))][i as usize % 3];
            assert_eq!(table.get(&key(i)).unwrap(), expected, "{i}");
        }
    };
    check(&mut table);
    work_all(&executor);
    check(&mut table);
    let mut live = 0;
    table
        .for_each(&mut |_, _| {
            live += 1;
            Ok(())
        })
        .unwrap();
    assert_eq!(live, (0..10_000).filter(|i| i % 3 == 1 || (i % 3 == 2 && i % 5 != 0)).count());
}

#[test]
fn what_cannot_be_read_is_an_error() {
    let (directory, (env, executor)) = (tempfile::tempdir().unwrap(), by_hand());
    let stored = Arc::new(Stored::new(base_and_delta(), 0..GROUPS));
    let mut table = context(&directory, &env, stored.clone()).value_table(value_descriptor()).unwrap();
    stored.fails.store(true, Ordering::Relaxed);
    assert_eq!(table.get(&key(1)).unwrap_err().code(), "storage-away");
    stored.fails.store(false, Ordering::Relaxed);
    assert_eq!(table.get(&key(1)).unwrap(), Some(&b"base"[..]), "an error is not remembered as an absence");
    stored.fails.store(true, Ordering::Relaxed);
    work_all(&executor);
    assert_eq!(table.get(&key(2)).unwrap_err().code(), "storage-away", "of the work in the background");
}

#[test]
fn damage_is_named_with_what_to_do() {
    let (directory, (env, _executor)) = (tempfile::tempdir().unwrap(), by_hand());
    let mut runs = base_and_delta();
    runs[0][100] ^= 1;
    let stored = Arc::new(Stored::new(runs, 0..GROUPS));
    let mut table = context(&directory, &env, stored).value_table(value_descriptor()).unwrap();
    let failed = (0..10_000).find_map(|i| table.get(&key(i)).err());
    let error = failed.expect("a get of a key of the damaged block fails");
    assert_eq!(error.kind(), ErrorKind::Corruption);
    let message = error.message();
    assert!(message.starts_with("run 'chk-7/a.run': the checksum of block 0"), "{message}");
    assert!(message.ends_with("; start from an earlier one"), "{message}");
}
