//! A bounded run of what the fuzzer does without end: bytes that are nearly requests, always the same ones unless
//! `PROPTEST_RNG_SEED` asks for others.

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index, select};
use proptest::test_runner::{Config, RngSeed, TestRunner};

/// How many inputs are read; some thousands take a second.
const CASES: u32 = 4_000;
/// Where they begin.
const SEED: u64 = 4;

/// What clients send: a type, a line break, and a body of it.
const SENT: [&[u8]; 10] = [
    b"multipart/form-data; boundary=b\n--b\r\nContent-Disposition: form-data; filename=\"a.sql\"\r\n\r\nSELECT 1\r\n--b--",
    b"multipart/form-data; boundary=\"x-1\"\npreamble\r\n--x-1\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\n1\r\n--x-1\r\n\
      content-disposition: form-data; filename=\"j.plan\"\r\n\r\nHEADWATER-PLAN 1\n{}\r\n--x-1--\r\n",
    b"\n{\"target-directory\": \"/tmp\", \"cancel-job\": true, \"formatType\": \"NATIVE\", \"triggerId\": \"00\"}",
    b"\n{\"targetDirectory\": \"s3://b/k\", \"drain\": false, \"formatType\": \"CANONICAL\"}",
    b"\n{\"checkpointType\": \"FULL\", \"triggerId\": \"0123456789abcdef0123456789abcdef\"}",
    b"\n{\"savepoint-path\": \"file:///tmp/savepoint-1\"}",
    b"\n{\"expiredTimestamp\": 9223372036854775807}",
    b"\n{\"jobVertexResourceRequirements\": {\"a\": {\"parallelism\": {\"lowerBound\": 1, \"upperBound\": 4294967295}}}}",
    b"\n{\"bc764cd8ddf7a0cff126f51c16239658\": {\"parallelism\": {\"lowerBound\": 1, \"upperBound\": 2}}}",
    b"0123456789abcdef0123456789abcdef\n{\"entryClass\": \"A\", \"programArgsList\": [\"-x\"], \"parallelism\": 2, \
      \"flinkConfiguration\": {\"a\": \"b\"}}",
];

/// A change of some bytes.
#[derive(Debug, Clone)]
enum Change {
    Set(Index, u8),
    Insert(Index, Vec<u8>),
    Cut(Index),
    Repeat(Index, usize),
}

impl Change {
    fn apply(&self, bytes: &mut Vec<u8>) {
        let length = bytes.len();
        match self {
            _ if length == 0 => {}
            Self::Set(at, byte) => bytes[at.index(length)] = *byte,
            Self::Insert(at, more) => {
                let at = at.index(length);
                bytes.splice(at..at, more.iter().copied());
            }
            Self::Cut(at) => bytes.truncate(at.index(length)),
            Self::Repeat(at, times) => {
                let tail = bytes[at.index(length)..].repeat(*times);
                bytes.extend(tail);
            }
        }
    }
}

fn change() -> impl Strategy<Value = Change> {
    let tokens = ["\r\n", "--b", "--", "\"", "{", "[[[[[[[[", "null", "-1", "1e999", "\\ud800", "\0", "=", ";", "\n"];
    let token = select(tokens.map(|token| token.as_bytes().to_vec()).to_vec());
    let at = any::<Index>;
    prop_oneof![
        4 => (at(), any::<u8>()).prop_map(|(at, byte)| Change::Set(at, byte)),
        3 => (at(), token).prop_map(|(at, token)| Change::Insert(at, token)),
        1 => (at(), vec(any::<u8>(), 0..20)).prop_map(|(at, bytes)| Change::Insert(at, bytes)),
        1 => at().prop_map(Change::Cut),
        1 => (at(), 1usize..4).prop_map(|(at, times)| Change::Repeat(at, times)),
    ]
}

#[test]
fn what_clients_send_is_read_or_refused_however_it_is_changed() {
    let sent = (select(SENT.to_vec()), vec(change(), 0..6)).prop_map(|(sent, changes)| {
        let mut bytes = sent.to_vec();
        changes.iter().for_each(|change| change.apply(&mut bytes));
        bytes
    });
    let rng_seed = match Config::default().rng_seed {
        RngSeed::Random => RngSeed::Fixed(SEED),
        fixed => fixed,
    };
    let config = Config { cases: CASES, failure_persistence: None, rng_seed, ..Config::default() };
    let read = TestRunner::new(config).run(&sent, |bytes| {
        super::read(&bytes);
        Ok(())
    });
    read.unwrap_or_else(|error| panic!("{error}"));
}

#[test]
fn forms_that_are_cut_and_bodies_that_are_deep_are_refused() {
    for sent in SENT {
        (0..=sent.len()).for_each(|length| super::read(&sent[..length]));
    }
    super::read(&[0xff; 100]);
    super::read(&[&b"\n"[..], &b"[".repeat(100_000)].concat());
}

/// What the fuzzer has found worth keeping.
#[test]
fn the_corpus_of_the_fuzzer_is_read() {
    let corpus = concat!(env!("CARGO_MANIFEST_DIR"), "/../../fuzz/corpus/rest_input");
    let files: Vec<_> = std::fs::read_dir(corpus).expect("the corpus is part of the repository").flatten().collect();
    assert!(!files.is_empty());
    files.iter().for_each(|file| super::read(&std::fs::read(file.path()).expect("it can be read")));
}
