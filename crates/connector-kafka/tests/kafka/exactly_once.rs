//! The marker protocol: whatever is repeated or interrupted, readers of committed records see each record once.

use crate::support::*;
use headwater_connector_api::{Committable, Committer};
use headwater_plan::{SinkSpec, Value};
use headwater_test_servers::{Kafka, KafkaOptions};
use headwater_types::{ErrorKind, RowKind};

fn spec(topic: &str) -> SinkSpec {
    let options = [
        ("topic", topic),
        ("format", "json"),
        ("sink.delivery-guarantee", "exactly-once"),
        ("sink.transactional-id-prefix", "job"),
        ("properties.default.api.timeout.ms", "20000"),
    ];
    write_spec(&table(&[("id", int())], &options))
}

/// Stages some ids with one writer, one checkpoint after the other.
fn stage(spec: &SinkSpec, subtask: u32, epochs: &[&[i64]]) -> Vec<Vec<Committable>> {
    let mut writer = sink(spec).unwrap().writer(writer_context(subtask, 2)).unwrap();
    let mut staged = vec![];
    for (at, ids) in epochs.iter().enumerate() {
        let rows: Vec<_> = ids.iter().map(|id| (RowKind::Insert, vec![Value::Int(*id)])).collect();
        if !rows.is_empty() {
            write(writer.as_mut(), batch(spec, &rows)).unwrap();
        }
        staged.push(barrier(writer.as_mut(), at as u64 + 1, false).unwrap());
    }
    staged
}

fn ids(topic: &str) -> Vec<String> {
    let mut texts = texts(&consume(topic, "read_committed"));
    texts.sort();
    texts
}

#[test]
fn commits_are_idempotent_over_processes() {
    create_topic("once", 2);
    let spec = spec("once");
    let (first, second) = (stage(&spec, 0, &[&[1, 2], &[], &[5]]), stage(&spec, 1, &[&[3], &[4], &[6]]));
    assert!(first[1].is_empty());
    // Staged is not written.
    assert!(consume("once", "read_uncommitted").is_empty());
    let epoch = |at: usize| [first[at].clone(), second[at].clone()].concat();
    let mut one = committer(&spec);
    one.commit(1, &epoch(0)).unwrap();
    one.commit(1, &epoch(0)).unwrap();
    let expected = [r#"{"id":1}"#, r#"{"id":2}"#, r#"{"id":3}"#];
    assert_eq!(ids("once"), expected);
    // Another process commits again what the checkpoint holds, alone and together with what follows.
    let mut other = committer(&spec);
    other.commit(1, &epoch(0)).unwrap();
    assert_eq!(ids("once"), expected);
    other.commit(3, &[epoch(0), epoch(1), epoch(2)].concat()).unwrap();
    other.commit(3, &epoch(2)).unwrap();
    assert_eq!(ids("once").len(), 6);
    // The one before was fenced.
    let fenced = one.commit(4, &stage(&spec, 0, &[&[7]])[0]).unwrap_err();
    assert_eq!((fenced.kind(), fenced.code()), (ErrorKind::Fenced, "kafka-fenced"), "{fenced}");
    // A new job with the same prefix starts to count checkpoints from 1, and its records count.
    committer(&spec).commit(1, &stage(&spec, 0, &[&[8]])[0]).unwrap();
    assert_eq!(ids("once").len(), 7);
}

#[test]
fn a_gap_and_damage_are_found() {
    create_topic("once-gap", 1);
    let spec = spec("once-gap");
    let staged = stage(&spec, 0, &[&[1], &[2], &[3]]);
    let mut committer = committer(&spec);
    committer.commit(1, &staged[0]).unwrap();
    let error = committer.commit(3, &staged[2]).unwrap_err();
    assert_eq!((error.kind(), error.code()), (ErrorKind::Corruption, "committable-lost"), "{error}");
    let mut damaged = staged[1].clone();
    damaged[0].0[20] ^= 1;
    assert_eq!(committer.commit(2, &damaged).unwrap_err().code(), "bad-committable");
    committer.commit(2, &staged[1]).unwrap();
    assert_eq!(ids("once-gap"), [r#"{"id":1}"#, r#"{"id":2}"#]);
}

#[test]
fn many_records_are_one_transaction() {
    create_topic("once-many", 3);
    let spec = spec("once-many");
    let all: Vec<i64> = (0..30_000).collect();
    let staged = stage(&spec, 0, &[&all]);
    assert!(staged[0][0].0.len() < 200_000, "{} bytes are not compressed", staged[0][0].0.len());
    committer(&spec).commit(1, &staged[0]).unwrap();
    assert_eq!(consume("once-many", "read_committed").len(), 30_000);
}

/// An epoch that is too large for one transaction: a part of it that was committed before a crash is not repeated.
#[test]
fn large_epochs_are_several_transactions() {
    create_topic("once-large", 1);
    let options = [
        ("topic", "once-large"),
        ("format", "raw"),
        ("sink.delivery-guarantee", "exactly-once"),
        ("sink.transactional-id-prefix", "large-epochs"),
    ];
    let spec = write_spec(&table(&[("text", string())], &options));
    let mut writer = sink(&spec).unwrap().writer(writer_context(0, 1)).unwrap();
    let mut random = 1_u64;
    let mut noise = || {
        random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        char::from(b'0' + ((random >> 33) % 64) as u8)
    };
    for _ in 0..27 {
        let value = text(&(0..900_000).map(|_| noise()).collect::<String>());
        write(writer.as_mut(), batch(&spec, &[(RowKind::Insert, vec![value])])).unwrap();
    }
    let staged = barrier(writer.as_mut(), 1, false).unwrap();
    assert_eq!(staged.len(), 2);
    committer(&spec).commit(1, &staged[..1]).unwrap();
    let before = consume("once-large", "read_committed").len();
    assert!((1..27).contains(&before), "{before}");
    let mut committer = committer(&spec);
    committer.commit(1, &staged).unwrap();
    committer.commit(1, &staged).unwrap();
    assert_eq!(consume("once-large", "read_committed").len(), 27);
}

/// Kills the broker while a thread commits epoch after epoch, and commits the interrupted one again with a new committer, as
/// a restored job does.
#[test]
fn killed_brokers_and_committers_repeat_and_lose_nothing() {
    const EPOCHS: usize = 12;
    let mut kafka = Kafka::start(&KafkaOptions::default()).unwrap();
    let bootstrap = kafka.bootstrap();
    create_topic_at(&bootstrap, "once-kill", 2);
    let mut spec = spec("once-kill");
    spec.table.options.insert("properties.bootstrap.servers".into(), bootstrap.clone());
    let epochs: Vec<Vec<i64>> = (0..EPOCHS as i64).map(|e| (e * 500..(e + 1) * 500).collect()).collect();
    let staged = stage(&spec, 0, &epochs.iter().map(Vec::as_slice).collect::<Vec<_>>());
    let (sender, receiver) = std::sync::mpsc::sync_channel(0);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let mut one: Option<Box<dyn Committer>> = None;
            for (at, committables) in staged.iter().enumerate() {
                // Every third epoch is committed by a new process; the one before is not told.
                if at % 3 == 0 {
                    one = Some(committer(&spec));
                }
                sender.send(at).unwrap();
                while let Err(error) = one.as_mut().unwrap().commit(at as u64 + 1, committables) {
                    assert_eq!(error.kind(), ErrorKind::Retryable, "{error}");
                    one = Some(committer(&spec));
                }
            }
            drop(sender);
        });
        let mut kills = 0;
        while let Ok(at) = receiver.recv() {
            if at % 5 == 2 {
                // Somewhere within the commit that has just begun.
                std::thread::park_timeout(std::time::Duration::from_millis(at as u64 * 2));
                kafka.kill().unwrap();
                kafka.start_again().unwrap();
                kills += 1;
            }
        }
        assert_eq!(kills, 2);
    });
    let found = consume_at(&bootstrap, "once-kill", "read_committed");
    let mut found: Vec<i64> = texts(&found).iter().map(|t| t[6..t.len() - 1].parse().unwrap()).collect();
    found.sort_unstable();
    assert_eq!(found, (0..EPOCHS as i64 * 500).collect::<Vec<_>>());
}
