use super::{Counter, LetterFile, letter, shown};
use expect_test::expect;
use headwater_env::Env;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

#[test]
fn letters_hold_place_reason_and_bytes() {
    let place = "\"topic\":\"t\",\"partition\":1,\"offset\":7";
    expect![[r#"{"time":"1970-01-01T00:00:01.000Z","topic":"t","partition":1,"offset":7,"reason":"no \"number\"","raw":"{\"a\":x}"}"#]]
        .assert_eq(&letter(1_000, place, "no \"number\"", b"{\"a\":x}"));
    expect![[r#"{"time":"1970-01-01T00:00:01.000Z","offset":0,"reason":"r","rawBase64":"/w=="}"#]].assert_eq(&letter(
        1_000,
        "\"offset\":0",
        "r",
        b"\xff",
    ));
    let long = letter(0, "\"offset\":0", "r", &[b'x'; 70_000]);
    assert!(long.ends_with("xx\",\"rawBytes\":70000}") && long.len() < 66_000, "{}", long.len());
}

#[test]
fn letters_are_hidden_until_they_are_published() {
    let dir = tempfile::tempdir().unwrap();
    let names = || {
        let mut names: Vec<_> =
            std::fs::read_dir(dir.path()).unwrap().map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    };
    let mut file = LetterFile::create(dir.path(), 3, &Env::real()).unwrap();
    file.append("{}").unwrap();
    assert!(names()[0].starts_with(".dead-letter-"), "{:?}", names());
    file.publish().unwrap();
    let name = &names()[0];
    assert!(name.starts_with("dead-letter-") && name.ends_with("-3.jsonl"), "{name}");
    assert_eq!(std::fs::read_to_string(dir.path().join(name)).unwrap(), "{}\n");
    drop(LetterFile::create(dir.path(), 4, &Env::real()).unwrap());
    assert_eq!(names().iter().filter(|name| name.starts_with('d')).count(), 2, "a dropped file is shown");
}

#[test]
fn every_bad_record_is_counted() {
    let count = Arc::new(AtomicU64::new(0));
    let seen = count.clone();
    let mut counter = Counter::new(Arc::new(move || {
        seen.fetch_add(1, Ordering::Relaxed);
    }));
    (0..5).for_each(|at| counter.add(|| format!("line {at}"), "why"));
    assert_eq!(count.load(Ordering::Relaxed), 5);
    assert_eq!(shown(&[b'x'; 200]).len(), 123);
}
