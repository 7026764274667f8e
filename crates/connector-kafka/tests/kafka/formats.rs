//! Formats as messages.

use crate::support::*;
use headwater_plan::{SinkSpec, Value};

fn round_trip(topic: &str, format: &str) -> (SinkSpec, Vec<Record>) {
    create_topic(topic, 1);
    let options = [
        ("topic", topic),
        ("format", format),
        ("scan.startup.mode", "earliest-offset"),
        ("scan.bounded.mode", "latest-offset"),
    ];
    let columns = if format == "raw" { vec![("text", string())] } else { vec![("text", string()), ("id", int())] };
    let spec = write_spec(&table(&columns, &options));
    let rows: [Vec<Value>; 3] =
        [vec![text("a"), Value::Int(1)], vec![text("b\nc, \"d\""), Value::Int(-2)], vec![Value::Null, Value::Null]];
    let rows: Vec<&[Value]> = rows.iter().map(|row| &row[..columns.len()]).collect();
    write_all(&spec, &inserts(&rows)).unwrap();
    (spec, consume(topic, "read_committed"))
}

#[test]
fn raw_messages_are_whole_and_null_is_none() {
    let (spec, records) = round_trip("format-raw", "raw");
    assert_eq!(texts(&records), ["a", "b\nc, \"d\"", "<none>"]);
    assert_eq!(read(&scan(&spec.table, &[])).unwrap(), ["+I[a]", "+I[b\nc, \"d\"]"]);
}

#[test]
fn csv_messages_have_no_line_end() {
    let (spec, records) = round_trip("format-csv", "csv");
    assert_eq!(texts(&records), ["a,1", "\"b\nc, \"\"d\"\"\",-2", ","]);
    assert_eq!(
        read(&scan(&spec.table, &["offset"])).unwrap(),
        ["+I[, null, 2]", "+I[a, 1, 0]", "+I[b\nc, \"d\", -2, 1]"]
    );
}

#[test]
fn avro_messages_are_bare_records() {
    let (spec, records) = round_trip("format-avro", "avro");
    assert_eq!(records[0].value.as_deref(), Some(&[2, 2, b'a', 2, 2][..]));
    assert_eq!(
        read(&scan(&spec.table, &["offset"])).unwrap(),
        ["+I[a, 1, 0]", "+I[b\nc, \"d\", -2, 1]", "+I[null, null, 2]"]
    );
    produce("format-avro", &[value("\u{1}")]);
    let error = error_of(read(&scan(&spec.table, &[])));
    assert!(error.contains("offset 3: its value cannot be read: a union of 2 has no alternative -1"), "{error}");
}

#[test]
fn registries_are_named_by_the_part_of_the_record() {
    create_topic("format-confluent", 1);
    let options = [
        ("topic", "format-confluent"),
        ("value.format", "avro-confluent"),
        ("value.avro-confluent.url", "http://127.0.0.1:1"),
        ("scan.startup.mode", "earliest-offset"),
    ];
    let spec = write_spec(&table(&[("id", int())], &options));
    let error = write_all(&spec, &inserts(&[&[Value::Int(1)]])).unwrap_err();
    let text = error.to_string();
    assert!(text.starts_with("registering the Avro schema of the subject 'format-confluent-value'"), "{text}");
    assert_eq!(error.code(), "registry-unreachable");
}
