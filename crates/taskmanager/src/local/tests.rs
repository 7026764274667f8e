//! Copies: kept beside storage, used when intact, gone when nobody needs them.

use super::*;
use crate::testing::Scratch;
use headwater_checkpoint::SubtaskRestore;
use headwater_checkpoint::manifest::{Blob, Place, checksum};
use headwater_env::{MemoryStorage, Storage};
use std::sync::Arc;

impl Scratch {
    fn state(&self, id: &str, key: &str, lasting: bool) -> LocalState {
        let mut config = Configuration::new();
        config.set(key, self.0.to_str().unwrap());
        LocalState::new(&config, id, lasting)
    }
}

const JOB: JobId = JobId(7);
const FILE: &str = "shared/3-0-0-00000000000000aa";

fn place(file: &str, offset: u64, bytes: &[u8]) -> Blob {
    Blob::Stored(Place { file: file.to_owned(), offset, bytes: bytes.len() as u64, checksum: checksum(bytes) })
}

fn starts_with(splits: Vec<Blob>) -> SubtaskRestore {
    SubtaskRestore { splits, ..SubtaskRestore::default() }
}

/// Storage with a copy of `hello world`, and what a subtask starts with of it.
fn kept(state: &LocalState) -> (Arc<dyn Storage>, JobCopies, SubtaskRestore) {
    let (storage, copies): (Arc<dyn Storage>, _) = (Arc::new(MemoryStorage::new()), state.of(JOB).unwrap());
    let kept = Kept { storage: storage.clone(), copies: copies.clone() };
    let mut object = kept.put_stream(FILE).unwrap();
    object.write(b"hello ").unwrap();
    object.write(b"world").unwrap();
    object.finish().unwrap();
    (storage, copies, starts_with(vec![place(FILE, 0, b"hello"), place(FILE, 6, b"world")]))
}

#[test]
fn an_intact_copy_is_read_and_storage_is_not() {
    let scratch = Scratch::new();
    let state = scratch.state("a", ROOT_DIRS.name, true);
    let (storage, copies, restore) = kept(&state);
    assert_eq!(storage.get(FILE).unwrap().unwrap(), b"hello world", "storage has it too");
    storage.delete(FILE).unwrap();
    let verified = Verified::new(storage.clone(), &copies, &restore);
    assert_eq!(verified.get_range(FILE, 6..11).unwrap(), b"world");
    copies.remove(FILE);
    assert!(verified.get_range(FILE, 6..11).is_err(), "a copy that is gone is a read of storage");
}

#[test]
fn damaged_copies_are_not_read_but_storage_is() {
    for damage in [&b"hello w0rld"[..], b"hello", b""] {
        let scratch = Scratch::new();
        let state = scratch.state("a", BACKUP_DIRS.name, true);
        let (storage, copies, restore) = kept(&state);
        fs::write(state.copies().join(JOB.to_string()).join(FILE), damage).unwrap();
        let verified = Verified::new(storage, &copies, &restore);
        assert_eq!(verified.get_range(FILE, 6..11).unwrap(), b"world");
        assert_eq!(copies.list(), [""; 0], "a damaged copy is removed");
    }
}

#[test]
fn without_room_there_is_no_copy_and_storage_is_written_all_the_same() {
    let scratch = Scratch::new();
    let state = scratch.state("a", ROOT_DIRS.name, true);
    let copies = state.of(JOB).unwrap();
    fs::create_dir_all(state.copies()).unwrap();
    fs::write(state.copies().join(JOB.to_string()), b"a file where a directory should be").unwrap();
    let storage: Arc<dyn Storage> = Arc::new(MemoryStorage::new());
    let kept = Kept { storage: storage.clone(), copies };
    kept.put(FILE, b"x").unwrap();
    kept.put_stream("shared/4-0-0-bb").unwrap().finish().unwrap();
    assert_eq!(storage.list("").unwrap().len(), 2);
}

#[test]
fn names_that_leave_the_directory_are_none() {
    let scratch = Scratch::new();
    let copies = scratch.state("a", ROOT_DIRS.name, true).of(JOB).unwrap();
    for name in ["../../etc/passwd", "/etc/passwd", "shared/../../x", ""] {
        assert!(copies.create(name).is_err() && copies.read(name, &(0..1)).is_err(), "{name}");
    }
}

#[test]
fn copies_go_with_their_checkpoints_and_their_job() {
    let scratch = Scratch::new();
    let state = scratch.state("a", ROOT_DIRS.name, true);
    let copies = state.of(JOB).unwrap();
    let kept = Kept { storage: Arc::new(MemoryStorage::new()), copies: copies.clone() };
    for file in ["shared/3-0-0-aa", "shared/4-0-0-aa", "chk-4/0-0-aa", "shared/5-0-0-aa"] {
        kept.put(file, b"x").unwrap();
    }
    copies.prune(4, &BTreeSet::from(["shared/3-0-0-aa".to_owned()]));
    assert_eq!(copies.list(), ["shared/3-0-0-aa", "shared/5-0-0-aa"]);
    state.retain(&BTreeSet::from([JOB]));
    assert_eq!(copies.list().len(), 2);
    state.retain(&BTreeSet::new());
    assert_eq!(copies.list().len(), 0);
    kept.put("shared/6-0-0-aa", b"x").unwrap();
    state.forget(JOB);
    assert_eq!(copies.list().len(), 0);
}

#[test]
fn copies_outlive_a_process_that_keeps_its_name() {
    let scratch = Scratch::new();
    for (lasting, left) in [(true, 1), (false, 0)] {
        let state = scratch.state("a", WORKING_DIR.name, lasting);
        kept(&state);
        drop(state);
        let next = scratch.state("a", WORKING_DIR.name, lasting);
        assert_eq!(next.of(JOB).unwrap().list().len(), left);
        drop(next);
    }
}

#[test]
fn two_processes_of_a_name_do_not_share_a_directory() {
    let scratch = Scratch::new();
    let first = scratch.state("a", WORKING_DIR.name, true);
    assert!(first.of(JOB).is_some());
    assert!(scratch.state("a", WORKING_DIR.name, true).of(JOB).is_none());
    assert!(scratch.state("b", WORKING_DIR.name, true).of(JOB).is_some());
}

#[test]
fn what_a_killed_process_left_among_temporary_files_is_removed_by_the_next() {
    let scratch = Scratch::new();
    let lives = scratch.state("lives", TMP_DIRS.name, true);
    kept(&lives);
    let left = scratch.0.join(SHARED).join("tm_killed");
    fs::create_dir_all(left.join(COPIES)).unwrap();
    fs::write(left.join("owner"), b"").unwrap();
    let next = scratch.state("next", TMP_DIRS.name, true);
    assert!(next.of(JOB).is_some());
    assert!(!left.exists() && lives.of(JOB).unwrap().list().len() == 1);
    drop((lives, next));
    assert_eq!(fs::read_dir(scratch.0.join(SHARED)).unwrap().count(), 0, "copies among temporary files do not last");
}
