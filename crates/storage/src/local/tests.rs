//! Objects on a real disk.

use super::*;

fn storage() -> (tempfile::TempDir, LocalStorage) {
    let directory = tempfile::tempdir().unwrap();
    let storage = LocalStorage::new(directory.path().join("root"));
    (directory, storage)
}

fn paths(storage: &LocalStorage, prefix: &str) -> Vec<String> {
    storage.list(prefix).unwrap().into_iter().map(|object| object.path).collect()
}

#[test]
fn objects_are_written_read_listed_and_deleted() {
    let (_directory, storage) = storage();
    assert_eq!(storage.get("a/b").unwrap(), None);
    assert_eq!(paths(&storage, ""), Vec::<String>::new());
    storage.put("a/b", b"one").unwrap();
    storage.put("a/b", b"other").unwrap();
    storage.put("a/c/d", b"").unwrap();
    storage.put("ab", b"x").unwrap();
    assert_eq!(storage.get("a/b").unwrap().as_deref(), Some(&b"other"[..]));
    assert_eq!(storage.get_range("a/b", 1..4).unwrap(), b"the");
    assert_eq!(paths(&storage, ""), ["a/b", "a/c/d", "ab"]);
    assert_eq!(paths(&storage, "a/"), ["a/b", "a/c/d"]);
    assert_eq!(paths(&storage, "a/c/"), ["a/c/d"]);
    assert_eq!(storage.list("ab").unwrap()[0].bytes, 1);
    storage.delete("a/c/d").unwrap();
    storage.delete("a/c/d").unwrap();
    assert!(!storage.root.join("a/c").exists(), "empty directories go");
    assert_eq!(paths(&storage, ""), ["a/b", "ab"]);
}

#[test]
fn of_many_writers_one_creates() {
    let (_directory, storage) = storage();
    let created: Vec<bool> = std::thread::scope(|scope| {
        let storage = &storage;
        let put = |n: u8| move || storage.put_if_absent("chk-1/_metadata", &[n]).unwrap();
        let writers: Vec<_> = (0..8).map(|n| scope.spawn(put(n))).collect();
        writers.into_iter().map(|writer| writer.join().unwrap()).collect()
    });
    assert_eq!(created.iter().filter(|created| **created).count(), 1);
    let winner = created.iter().position(|created| *created).unwrap() as u8;
    assert_eq!(storage.get("chk-1/_metadata").unwrap(), Some(vec![winner]));
    assert_eq!(paths(&storage, ""), ["chk-1/_metadata"], "nothing is left of the others");
}

#[test]
fn what_is_missing_or_short_is_corruption() {
    let (_directory, storage) = storage();
    storage.put("a", b"abc").unwrap();
    for (path, range) in [("a", 1..5), ("b", 0..1), ("a", 5..u64::MAX)] {
        let error = storage.get_range(path, range).unwrap_err();
        assert_eq!((error.kind(), error.code()), (ErrorKind::Corruption, "missing-object"), "{error}");
    }
}

#[test]
fn paths_stay_below_the_root() {
    let (_directory, storage) = storage();
    for path in ["../x", "a/../../x", "/etc/passwd", "", "a//b"] {
        assert_eq!(storage.put(path, b"").unwrap_err().code(), "bad-storage-path", "{path}");
    }
}

#[test]
fn a_root_that_is_a_file_is_refused_with_its_name() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("file");
    std::fs::write(&file, b"").unwrap();
    let error = LocalStorage::new(&file).put("chk-1/_metadata", b"x").unwrap_err();
    assert!(error.message().contains("chk-1/_metadata' cannot be written"), "{error}");
    assert_eq!(LocalStorage::new(&file).get("x").unwrap(), None);
}

#[test]
fn an_object_written_in_parts_is_there_when_it_is_finished() {
    let directory = tempfile::tempdir().unwrap();
    let storage = LocalStorage::new(directory.path());
    let mut writer = storage.put_stream("a/b").unwrap();
    writer.write(b"one ").unwrap();
    writer.write(b"two").unwrap();
    assert_eq!(storage.get("a/b").unwrap(), None);
    assert_eq!(storage.list("").unwrap(), []);
    writer.finish().unwrap();
    assert_eq!(storage.get("a/b").unwrap().as_deref(), Some(&b"one two"[..]));
    let mut given_up = storage.put_stream("a/c").unwrap();
    given_up.write(b"three").unwrap();
    drop(given_up);
    let files = std::fs::read_dir(directory.path().join("a")).unwrap();
    assert_eq!(files.count(), 1, "nothing is left behind");
}
