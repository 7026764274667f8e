//! Writing at least once: formats of key and value, metadata, partitioners, bounds.

use crate::support::*;
use headwater_plan::table::WrittenMetadata;
use headwater_plan::{SinkSpec, Value};
use headwater_types::{LogicalType, RowKind, TimeAttribute, TypeRoot};

fn pairs(topic: &str, options: &[(&str, &str)]) -> SinkSpec {
    let columns = [("id", int()), ("name", string())];
    let base = [
        ("topic", topic),
        ("format", "json"),
        ("scan.startup.mode", "earliest-offset"),
        ("scan.bounded.mode", "latest-offset"),
    ];
    write_spec(&with(&table(&columns, &base), options))
}

fn pair(id: i64, name: &str) -> [Value; 2] {
    [Value::Int(id), text(name)]
}

#[test]
fn rows_come_back() {
    create_topic("sink-plain", 1);
    let spec = pairs("sink-plain", &[]);
    write_all(&spec, &inserts(&[&pair(1, "a"), &pair(2, "line\nfeed \"quoted\"")])).unwrap();
    let records = consume("sink-plain", "read_committed");
    assert_eq!(texts(&records), [r#"{"id":1,"name":"a"}"#, r#"{"id":2,"name":"line\nfeed \"quoted\""}"#]);
    assert_eq!(read(&scan(&spec.table, &[])).unwrap(), ["+I[1, a]", "+I[2, line\nfeed \"quoted\"]"]);
}

#[test]
fn keys_have_a_format_of_their_own() {
    create_topic("sink-key", 1);
    let mut spec = pairs("sink-key", &[]);
    spec.table.options.remove("format");
    spec.table = with(
        &spec.table,
        &[
            ("key.format", "csv"),
            ("key.fields", "k_id"),
            ("key.fields-prefix", "k_"),
            ("value.format", "json"),
            ("value.fields-include", "EXCEPT_KEY"),
            ("value.json.ignore-parse-errors", "true"),
        ],
    );
    spec.table.columns[0].0 = "k_id".into();
    write_all(&spec, &inserts(&[&pair(1, "a"), &pair(2, "b")])).unwrap();
    let records = consume("sink-key", "read_committed");
    assert_eq!(records.iter().map(|r| r.key.clone().unwrap()).collect::<Vec<_>>(), ["1", "2"]);
    assert_eq!(texts(&records), [r#"{"name":"a"}"#, r#"{"name":"b"}"#]);
    // A record without a key has NULL there; one without a value is no row.
    produce("sink-key", &[value(r#"{"name":"c"}"#), keyed("4", None)]);
    assert_eq!(read(&scan(&spec.table, &["offset"])).unwrap(), ["+I[1, a, 0]", "+I[2, b, 1]", "+I[null, c, 2]"]);
}

#[test]
fn headers_and_timestamps_are_written() {
    create_topic("sink-metadata", 1);
    let mut spec = pairs("sink-metadata", &[]);
    let bytes = LogicalType::from(TypeRoot::VarBinary(i32::MAX as u32));
    let map = TypeRoot::Map(Box::new(string()), Box::new(bytes)).into();
    let ltz = TypeRoot::TimestampLtz(3, TimeAttribute::None).into();
    spec.metadata =
        vec![WrittenMetadata { key: "headers".into(), ty: map }, WrittenMetadata { key: "timestamp".into(), ty: ltz }];
    let headers = Value::Map(vec![(text("h"), Value::Bytes(b"v".to_vec()))]);
    let [id, name] = pair(1, "a");
    let [id2, name2] = pair(2, "b");
    write_all(
        &spec,
        &inserts(&[&[id, name, headers, Value::Int(86_400_000)], &[id2, name2, Value::Null, Value::Null]]),
    )
    .unwrap();
    let records = consume("sink-metadata", "read_committed");
    assert_eq!(records[0].headers, [("h".to_string(), "v".to_string())]);
    assert_eq!(records[0].timestamp, Some(86_400_000));
    assert!(records[1].headers.is_empty() && records[1].timestamp.unwrap() > 86_400_000);
    let [id, name] = pair(3, "c");
    let error = error_of(write_all(&spec, &inserts(&[&[id, name, Value::Null, Value::Int(-1)]])));
    assert!(error.starts_with("kafka-refused: the metadata column 'timestamp' of a row is 1 milliseconds"), "{error}");
}

#[test]
fn partitioners() {
    for (partitioner, subtask, expected) in
        [("fixed", 0, vec![0; 6]), ("fixed", 4, vec![1; 6]), ("round-robin", 0, vec![0, 0, 1, 1, 2, 2])]
    {
        let topic = format!("sink-{partitioner}-{subtask}");
        create_topic(&topic, 3);
        let spec = pairs(&topic, &[("sink.partitioner", partitioner)]);
        let mut writer = sink(&spec).unwrap().writer(writer_context(subtask, 5)).unwrap();
        let rows: Vec<_> = (0..6).map(|id| (RowKind::Insert, pair(id, "x").to_vec())).collect();
        write(writer.as_mut(), batch(&spec, &rows)).unwrap();
        assert!(barrier(writer.as_mut(), 1, false).unwrap().is_empty());
        let partitions: Vec<_> = consume(&topic, "read_committed").iter().map(|r| r.partition).collect();
        assert_eq!(partitions, expected);
    }
}

#[test]
fn equal_keys_go_where_the_java_client_sends_them() {
    create_topic("sink-hash", 10);
    let spec = with(&pairs("sink-hash", &[]).table, &[("key.format", "raw"), ("key.fields", "name")]);
    write_all(&write_spec(&spec), &inserts(&[&pair(1, "a"), &pair(2, "hello"), &pair(3, "a")])).unwrap();
    let mut found: Vec<_> =
        consume("sink-hash", "read_committed").into_iter().map(|r| (r.key.unwrap(), r.partition)).collect();
    found.sort();
    // murmur2("a") and murmur2("hello"), positive, modulo 10.
    let expected = |key: &str| (murmur2(key.as_bytes()) & 0x7fff_ffff) as i32 % 10;
    assert_eq!(found, [("a".into(), expected("a")), ("a".into(), expected("a")), ("hello".into(), expected("hello"))]);
}

/// The hash of Kafka's Java client.
fn murmur2(data: &[u8]) -> u32 {
    const M: u32 = 0x5bd1_e995;
    let mut h = 0x9747_b28c ^ data.len() as u32;
    let mut chunks = data.chunks_exact(4);
    for chunk in &mut chunks {
        let mut k = u32::from_le_bytes(chunk.try_into().unwrap()).wrapping_mul(M);
        k = (k ^ (k >> 24)).wrapping_mul(M);
        h = h.wrapping_mul(M) ^ k;
    }
    let rest = chunks.remainder();
    if !rest.is_empty() {
        rest.iter().enumerate().for_each(|(at, byte)| h ^= u32::from(*byte) << (8 * at));
        h = h.wrapping_mul(M);
    }
    h = (h ^ (h >> 13)).wrapping_mul(M);
    h ^ (h >> 15)
}

#[test]
fn a_full_client_holds_the_writer_back_and_loses_nothing() {
    create_topic("sink-full", 1);
    let spec = pairs("sink-full", &[("properties.queue.buffering.max.messages", "100")]);
    let mut writer = sink(&spec).unwrap().writer(writer_context(0, 1)).unwrap();
    for round in 0..5 {
        let rows: Vec<_> = (0..1_000).map(|id| (RowKind::Insert, pair(round * 1_000 + id, "x").to_vec())).collect();
        write(writer.as_mut(), batch(&spec, &rows)).unwrap();
    }
    barrier(writer.as_mut(), 1, false).unwrap();
    assert_eq!(consume("sink-full", "read_committed").len(), 5_000);
}

#[test]
fn changes_are_written_as_debezium_envelopes() {
    create_topic("sink-debezium", 1);
    let spec = pairs("sink-debezium", &[("format", "debezium-json")]);
    let rows = [
        (RowKind::Insert, pair(1, "a").to_vec()),
        (RowKind::UpdateBefore, pair(1, "a").to_vec()),
        (RowKind::UpdateAfter, pair(1, "b").to_vec()),
        (RowKind::Delete, pair(1, "b").to_vec()),
    ];
    write_all(&spec, &rows).unwrap();
    // Debezium sends a record without a value after a delete.
    produce("sink-debezium", &[keyed("1", None), value("")]);
    let mut reading = Reading::start(&scan(&spec.table, &["partition"])).unwrap();
    assert_eq!(reading.until(4).unwrap(), ["+I[1, a, 0]", "-D[1, a, 0]", "+I[1, b, 0]", "-D[1, b, 0]"]);
    let told = r#"{"op":"r","after":{"id":2,"name":"c"},"source":{"table":"t","ts_ms":1},"ts_ms":2}"#;
    create_topic("sink-debezium-told", 1);
    produce("sink-debezium-told", &[value(told)]);
    let table = with(&spec.table, &[("topic", "sink-debezium-told")]);
    let metadata = ["value.source.table", "offset", "value.source.timestamp", "value.source.database"];
    let mut reading = Reading::start(&scan(&table, &metadata)).unwrap();
    assert_eq!(reading.until(1).unwrap(), ["+I[2, c, t, 0, 1970-01-01T00:00:00.001Z, null]"]);
}
