//! Storage on a real S3 server: every operation of the contract, and what a person is told when something is wrong.

#![allow(clippy::unwrap_used, reason = "a test says by panicking what went wrong")]

use headwater_env::Storage;
use headwater_storage::open;
use headwater_test_servers::S3;
use headwater_test_servers::s3::{GUEST_ACCESS_KEY, GUEST_SECRET_KEY, SECRET_KEY};
use headwater_types::config::Configuration;
use headwater_types::{Error, ErrorKind};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// The server of all tests; it goes with the process.
fn server() -> &'static S3 {
    S3::shared("bucket")
}

fn config(settings: &[(&str, &str)]) -> Configuration {
    let mut config = Configuration::new();
    server().settings_and(settings).for_each(|(key, value)| config.set(key, value));
    config
}

fn storage(uri: &str) -> Arc<dyn Storage> {
    open(uri, &config(&[])).expect("the options are right")
}

#[test]
fn objects_are_written_read_listed_and_deleted() {
    let storage = storage("s3://bucket/objects");
    assert_eq!(storage.get("a/1").unwrap(), None);
    let large = vec![7; 9 << 20];
    storage.put("a/1", b"one").unwrap();
    storage.put("a/1", b"one again").unwrap();
    storage.put("a/2", &large).unwrap();
    storage.put("b", b"").unwrap();
    assert_eq!(storage.get("a/1").unwrap().as_deref(), Some(&b"one again"[..]));
    assert_eq!(storage.get("a/2").unwrap().unwrap(), large);
    assert_eq!(storage.get("b").unwrap().as_deref(), Some(&b""[..]));
    assert_eq!(storage.get_range("a/1", 4..9).unwrap(), b"again");
    assert_eq!(storage.get_range("a/1", 4..4).unwrap(), b"");
    for (path, range) in [("a/1", 4..10), ("a/1", 20..30), ("nothing", 0..1)] {
        let error = storage.get_range(path, range).unwrap_err();
        assert_eq!((error.kind(), error.code()), (ErrorKind::Corruption, "missing-object"), "{error}");
    }
    let names = |prefix: &str| storage.list(prefix).unwrap().into_iter().map(|o| (o.path, o.bytes)).collect::<Vec<_>>();
    assert_eq!(names(""), [("a/1".to_owned(), 9), ("a/2".to_owned(), 9 << 20), ("b".to_owned(), 0)]);
    assert_eq!(names("a/2"), [("a/2".to_owned(), 9 << 20)]);
    assert_eq!(names("nothing/"), []);
    storage.delete("a/1").unwrap();
    storage.delete("a/1").unwrap();
    assert_eq!(storage.get("a/1").unwrap(), None);
    assert_eq!(names("a/").len(), 1);
}

#[test]
fn many_objects_are_listed_over_several_pages() {
    let storage = storage("s3://bucket/pages");
    let next = AtomicUsize::new(0);
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                while let at @ 0..1_100 = next.fetch_add(1, Ordering::Relaxed) {
                    storage.put(&format!("{at:04}"), b"x").unwrap();
                }
            });
        }
    });
    let found = storage.list("").unwrap();
    assert_eq!(found.len(), 1_100);
    assert!(found.is_sorted_by_key(|object| object.path.clone()));
}

#[test]
fn of_many_writers_of_one_name_one_writes() {
    let storage = storage("s3://bucket/race");
    for round in 0..5 {
        let winners: Vec<usize> = std::thread::scope(|scope| {
            let write = |writer: usize| {
                let storage = &storage;
                move || storage.put_if_absent(&format!("manifest-{round}"), format!("of {writer}").as_bytes()).unwrap()
            };
            let threads: Vec<_> = (0..8).map(|writer| scope.spawn(write(writer))).collect();
            threads.into_iter().enumerate().filter_map(|(at, t)| t.join().unwrap().then_some(at)).collect()
        });
        let [winner] = winners[..] else { panic!("several writers were told that they wrote: {winners:?}") };
        let content = storage.get(&format!("manifest-{round}")).unwrap().unwrap();
        assert_eq!(content, format!("of {winner}").as_bytes());
    }
    // A writer that repeats what it wrote, because the answer was lost, is told that it wrote.
    assert!(storage.put_if_absent("again", b"x").unwrap());
    assert!(storage.put_if_absent("again", b"x").unwrap());
    assert!(!storage.put_if_absent("again", b"y").unwrap());
}

/// Every operation fails with this error.
fn fails(storage: &dyn Storage, code: &str) -> Error {
    let errors = [
        storage.put("x", b"x").unwrap_err(),
        storage.put_if_absent("y", b"x").unwrap_err(),
        storage.get("x").unwrap_err(),
        storage.get_range("x", 0..1).unwrap_err(),
        storage.list("").unwrap_err(),
    ];
    for error in &errors {
        let text = format!("{error} {error:?}");
        assert_eq!(error.code(), code, "{text}");
        assert!(
            !text.contains(SECRET_KEY) && !text.contains("hush-hush") && !text.contains(GUEST_SECRET_KEY),
            "{text}"
        );
    }
    let [first, ..] = errors;
    first
}

#[test]
fn refusals_say_what_to_do_and_show_no_secret() {
    let wrong = open("s3://bucket/x", &config(&[("s3.secret-key", "hush-hush")])).unwrap();
    let error = fails(wrong.as_ref(), "storage-refused");
    assert_eq!(error.kind(), ErrorKind::User);
    assert!(
        error.message().starts_with("'s3://bucket/x/x' cannot be written: access to the bucket 'bucket' is refused")
    );

    let unknown =
        open("s3://bucket/x", &config(&[("s3.access-key", "nobody"), ("s3.secret-key", "hush-hush")])).unwrap();
    fails(unknown.as_ref(), "storage-refused");

    let guest = [("s3.access-key", GUEST_ACCESS_KEY), ("s3.secret-key", GUEST_SECRET_KEY)];
    let guest = open("s3://bucket/x", &config(&guest)).unwrap();
    fails(guest.as_ref(), "storage-refused");
}

#[test]
fn a_missing_bucket_is_named() {
    let storage = storage("s3://no-such-bucket/x");
    let error = fails(storage.as_ref(), "bucket-missing");
    assert!(error.message().contains("the bucket 'no-such-bucket' does not exist"), "{error}");
}

#[test]
fn a_store_that_is_down_is_retried_and_then_named() {
    let [port] = headwater_test_servers::ports::free().unwrap();
    let endpoint = format!("http://127.0.0.1:{port}");
    let storage = open("s3://bucket/x", &config(&[("s3.endpoint", &endpoint)])).unwrap();
    let error = storage.put("x", b"x").unwrap_err();
    assert_eq!((error.kind(), error.code()), (ErrorKind::Retryable, "storage-failed"));
    assert!(error.message().contains(&endpoint) && error.message().contains("tried several times"), "{error}");
    assert!(!error.message().contains(SECRET_KEY), "{error}");
}

#[test]
fn a_store_that_comes_back_in_time_is_not_noticed() {
    let mut server = S3::start().unwrap();
    server.create_bucket("bucket").unwrap();
    let mut config = Configuration::new();
    for (key, value) in server.settings() {
        config.set(key, value);
    }
    let storage = open("s3://bucket/x", &config).unwrap();
    storage.put("before", b"1").unwrap();
    server.kill().unwrap();
    std::thread::scope(|scope| {
        let written = scope.spawn(|| (0..20).map(|_| storage.put("during", b"2")).find(Result::is_ok));
        server.start_again().unwrap();
        assert!(matches!(written.join().unwrap(), Some(Ok(()))));
    });
    assert_eq!(storage.get("before").unwrap().as_deref(), Some(&b"1"[..]));
    assert_eq!(storage.get("during").unwrap().as_deref(), Some(&b"2"[..]));
}
