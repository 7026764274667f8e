//! Start and stop positions, discovery, metadata, snapshots.

use crate::support::*;
use headwater_connector_api::{Boundedness, Split};
use headwater_plan::TableSpec;

/// A topic with two partitions of three records each, written at the times 1000, 2000 and 3000.
fn six_records(topic: &str) -> TableSpec {
    create_topic(topic, 2);
    let record = |partition: i32, at: i64| Record {
        partition,
        timestamp: Some(at * 1000),
        ..value(&format!("{{\"id\":{}}}", partition * 10 + at as i32))
    };
    produce(topic, &(0..2).flat_map(|p| (1..=3).map(move |at| record(p, at))).collect::<Vec<_>>());
    table(&[("id", int())], &[("topic", topic), ("format", "json"), ("scan.bounded.mode", "latest-offset")])
}

/// Options of a scan, and its rows.
type Case<'a> = (&'a [(&'a str, &'a str)], &'a [&'a str]);

const EARLIEST: (&str, &str) = ("scan.startup.mode", "earliest-offset");

#[test]
fn startup_modes() {
    let bounded = six_records("startup-modes");
    let all = ["+I[11]", "+I[12]", "+I[13]", "+I[1]", "+I[2]", "+I[3]"];
    let cases: [Case<'_>; 5] = [
        (&[EARLIEST], &all),
        (&[("scan.startup.mode", "latest-offset")], &[]),
        (
            &[("scan.startup.mode", "timestamp"), ("scan.startup.timestamp-millis", "1500")],
            &["+I[12]", "+I[13]", "+I[2]", "+I[3]"],
        ),
        (
            &[
                ("scan.startup.mode", "specific-offsets"),
                ("scan.startup.specific-offsets", "partition:0,offset:2;partition:1,offset:1"),
            ],
            &["+I[12]", "+I[13]", "+I[3]"],
        ),
        (
            &[
                ("scan.startup.mode", "group-offsets"),
                ("properties.group.id", "startup-modes-new"),
                ("properties.auto.offset.reset", "earliest"),
            ],
            &all,
        ),
    ];
    for (options, expected) in cases {
        assert_eq!(read(&scan(&with(&bounded, options), &[])).unwrap(), expected, "{options:?}");
    }
    let lost = with(&bounded, &[("properties.group.id", "startup-modes-unknown")]);
    expect_test::expect!["kafka-no-committed-offset: the consumer group committed no offset for the topic 'startup-modes', partition 0: set 'properties.auto.offset.reset' to 'earliest' or 'latest' for such partitions, or choose another 'scan.startup.mode'"]
        .assert_eq(&error_of(read(&scan(&lost, &[]))));
}

#[test]
fn bounded_modes() {
    let bounded = with(&six_records("bounded-modes"), &[EARLIEST]);
    let cases: [Case<'_>; 2] = [
        (&[("scan.bounded.mode", "timestamp"), ("scan.bounded.timestamp-millis", "2000")], &["+I[11]", "+I[1]"]),
        (
            &[
                ("scan.bounded.mode", "specific-offsets"),
                ("scan.bounded.specific-offsets", "partition:0,offset:1;partition:1,offset:2"),
            ],
            &["+I[11]", "+I[12]", "+I[1]"],
        ),
    ];
    for (options, expected) in cases {
        assert_eq!(read(&scan(&with(&bounded, options), &[])).unwrap(), expected, "{options:?}");
    }
}

#[test]
fn partitions_are_spread_over_subtasks() {
    let bounded = with(&six_records("spread"), &[EARLIEST]);
    let spec = scan(&bounded, &[]);
    let read = |subtask| Reading::start_at(&spec, None, &[], subtask, 2).unwrap().read_to_end().unwrap();
    let (first, second) = (read(0), read(1));
    assert_eq!((first.len(), second.len()), (3, 3));
    assert_ne!(first, second);
}

#[test]
fn snapshots_continue_exactly() {
    let bounded = with(&six_records("snapshots"), &[EARLIEST]);
    let mut spec = scan(&bounded, &[]);
    let mut reading = Reading::start(&spec).unwrap();
    reading.until(1).unwrap();
    let (state, splits) = (reading.enumerator.snapshot().unwrap(), reading.reader.snapshot().unwrap());
    let before = std::mem::take(&mut reading.rows);
    let after = Reading::start_at(&spec, Some(&state), &splits, 0, 1).unwrap().read_to_end().unwrap();
    let mut all: Vec<_> = before.into_iter().chain(after).collect();
    all.sort();
    assert_eq!(all, ["+I[11]", "+I[12]", "+I[13]", "+I[1]", "+I[2]", "+I[3]"]);
    // A limit ends the reader.
    spec.limit = Some(2);
    assert_eq!(read(&spec).unwrap().len(), 2);
    let damaged = Reading::start_at(&spec, None, &[Split(vec![9])], 0, 1);
    assert!(error_of(damaged.map(|_| ())).starts_with("bad-source-state: a split of a topic cannot be read"));
}

#[test]
fn offsets_are_committed_back_and_read_by_the_group() {
    let bounded = six_records("group-offsets");
    let table =
        with(&bounded, &[("properties.group.id", "group-offsets"), ("properties.auto.offset.reset", "earliest")]);
    let unbounded = with(&table, &[("scan.bounded.mode", "unbounded")]);
    let mut reading = Reading::start(&scan(&unbounded, &[])).unwrap();
    reading.until(6).unwrap();
    let splits = reading.reader.snapshot().unwrap();
    reading.enumerator.checkpoint_complete(1, &splits).unwrap();
    let spec = scan(&table, &[]);
    // The commit runs in the background: at some moment there is nothing left for the group.
    for _ in 0..LOOKS {
        if read(&spec).unwrap().is_empty() {
            produce("group-offsets", &[value("{\"id\":99}")]);
            assert_eq!(read(&spec).unwrap(), ["+I[99]"]);
            return;
        }
    }
    panic!("the offsets were not committed");
}

#[test]
fn metadata_columns() {
    create_topic("metadata", 1);
    let headers =
        vec![("a".to_string(), "1".to_string()), ("b".to_string(), "x".to_string()), ("a".into(), "2".into())];
    produce("metadata", &[Record { timestamp: Some(1_500), headers, ..value("{\"id\":1}") }, value("{\"id\":2}")]);
    let table = table(
        &[("id", int())],
        &[("topic", "metadata"), ("format", "json"), ("scan.bounded.mode", "latest-offset"), EARLIEST],
    );
    let found = read(&scan(&table, &["topic", "partition", "headers", "offset", "timestamp-type"])).unwrap();
    assert_eq!(
        found,
        ["+I[1, metadata, 0, {b=[120], a=[50]}, 0, CreateTime]", "+I[2, metadata, 0, {}, 1, CreateTime]"]
    );
    let found = read(&scan(&table, &["timestamp", "leader-epoch"])).unwrap();
    assert_eq!(found[0], "+I[1, 1970-01-01T00:00:01.500Z, 0]");
}

#[test]
fn patterns_and_new_partitions_and_topics_are_discovered() {
    create_topic("discover-a", 1);
    create_topic("discover-not", 1);
    produce("discover-a", &[value("{\"id\":1}")]);
    produce("discover-not", &[value("{\"id\":100}")]);
    let table = table(
        &[("id", int())],
        &[
            ("topic-pattern", "discover-[a-c]"),
            ("format", "json"),
            ("scan.startup.mode", "latest-offset"),
            ("scan.topic-partition-discovery.interval", "50 ms"),
        ],
    );
    let spec = scan(&table, &[]);
    assert_eq!(source(&spec).unwrap().boundedness(), Boundedness::Unbounded);
    let mut reading = Reading::start(&spec).unwrap();
    // The start position holds for what the first look finds; what comes up later is read from its start.
    for _ in 0..LOOKS {
        if !reading.reader.snapshot().unwrap().is_empty() {
            break;
        }
        reading.step();
    }
    produce("discover-a", &[value("{\"id\":2}")]);
    reading.until(1).unwrap();
    create_topic("discover-b", 1);
    produce("discover-b", &[value("{\"id\":3}")]);
    reading.until(2).unwrap();
    grow_topic("discover-b", 2);
    let mut late = value("{\"id\":4}");
    late.partition = 1;
    for _ in 0..LOOKS {
        if partitions_of("discover-b") == 2 {
            break;
        }
        std::thread::park_timeout(PAUSE);
    }
    produce("discover-b", &[late]);
    reading.until(3).unwrap();
    assert_eq!(reading.rows, ["+I[2]", "+I[3]", "+I[4]"]);
}

#[test]
fn many_records_of_several_partitions_arrive_once() {
    create_topic("many", 4);
    let record = |id: i32| Record { partition: id % 4, ..value(&format!("{{\"id\":{id}}}")) };
    produce("many", &(0..20_000).map(record).collect::<Vec<_>>());
    let options = [("topic", "many"), ("format", "json"), ("scan.bounded.mode", "latest-offset"), EARLIEST];
    let found = read(&scan(&table(&[("id", int())], &options), &[])).unwrap();
    let mut ids: Vec<i32> = found.iter().map(|row| row[3..row.len() - 1].parse().unwrap()).collect();
    ids.sort_unstable();
    assert_eq!(ids, (0..20_000).collect::<Vec<_>>());
}

#[test]
fn several_topics_are_one_table() {
    for (topic, id) in [("list-a", 1), ("list-b", 2)] {
        create_topic(topic, 1);
        produce(topic, &[value(&format!("{{\"id\":{id}}}"))]);
    }
    let options = [("topic", "list-a; list-b"), ("format", "json"), ("scan.bounded.mode", "latest-offset"), EARLIEST];
    let found = read(&scan(&table(&[("id", int())], &options), &["topic"])).unwrap();
    assert_eq!(found, ["+I[1, list-a]", "+I[2, list-b]"]);
}
