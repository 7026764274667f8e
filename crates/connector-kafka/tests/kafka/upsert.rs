//! `upsert-kafka`: the topic as a table.

use crate::support::*;
use headwater_plan::{SinkSpec, Value};
use headwater_types::RowKind;

fn upsert(topic: &str, options: &[(&str, &str)]) -> SinkSpec {
    let base = [
        ("connector", "upsert-kafka"),
        ("topic", topic),
        ("key.format", "json"),
        ("value.format", "json"),
        ("scan.bounded.mode", "latest-offset"),
    ];
    let mut table = with(&table(&[("name", string()), ("id", int().not_null())], &base), options);
    table.primary_key = vec!["id".into()];
    write_spec(&table)
}

fn row(kind: RowKind, id: i64, name: &str) -> (RowKind, Vec<Value>) {
    (kind, vec![text(name), Value::Int(id)])
}

#[test]
fn rows_and_tombstones() {
    create_topic("upsert", 1);
    let spec = upsert("upsert", &[]);
    let changes = [
        row(RowKind::Insert, 1, "a"),
        row(RowKind::Insert, 2, "b"),
        row(RowKind::UpdateAfter, 1, "c"),
        row(RowKind::Delete, 2, "b"),
    ];
    write_all(&spec, &changes).unwrap();
    let records = consume("upsert", "read_committed");
    assert_eq!(
        texts(&records),
        [r#"{"name":"a","id":1}"#, r#"{"name":"b","id":2}"#, r#"{"name":"c","id":1}"#, "<none>"]
    );
    assert_eq!(records[3].key.as_deref(), Some(r#"{"id":2}"#));
    let mut reading = Reading::start(&scan(&spec.table, &["offset"])).unwrap();
    assert_eq!(reading.until(4).unwrap(), ["+I[a, 1, 0]", "+I[b, 2, 1]", "+I[c, 1, 2]", "-D[null, 2, 3]"]);
}

#[test]
fn a_record_without_a_key_is_a_bad_record() {
    create_topic("upsert-keyless", 1);
    produce("upsert-keyless", &[value(r#"{"name":"a","id":1}"#), keyed(r#"{"id":2}"#, Some(r#"{"name":"b"}"#))]);
    let spec = upsert("upsert-keyless", &[("value.fields-include", "EXCEPT_KEY")]);
    let error = error_of(read(&scan(&spec.table, &[])));
    assert!(
        error.starts_with("bad-record: bad record in the topic 'upsert-keyless', partition 0, offset 0"),
        "{error}"
    );
    let skipping = with(&spec.table, &[("errors.mode", "skip")]);
    assert_eq!(read(&scan(&skipping, &[])).unwrap(), ["+I[b, 2]"]);
}

#[test]
fn the_buffer_writes_the_last_row_of_a_key() {
    create_topic("upsert-buffer", 1);
    let spec = upsert("upsert-buffer", &[("sink.buffer-flush.max-rows", "100"), ("sink.buffer-flush.interval", "1 h")]);
    let mut writer = sink(&spec).unwrap().writer(writer_context(0, 1)).unwrap();
    let changes: Vec<_> = (0..50).map(|at| row(RowKind::UpdateAfter, 1, &format!("n{at}"))).collect();
    write(writer.as_mut(), batch(&spec, &changes)).unwrap();
    barrier(writer.as_mut(), 1, false).unwrap();
    assert_eq!(texts(&consume("upsert-buffer", "read_committed")), [r#"{"name":"n49","id":1}"#]);
}

#[test]
fn the_buffer_is_written_when_it_is_old_and_not_before() {
    create_topic("upsert-buffer-age", 1);
    let options = [("sink.buffer-flush.max-rows", "100"), ("sink.buffer-flush.interval", "1 h")];
    let spec = upsert("upsert-buffer-age", &options);
    let mut writer = sink(&spec).unwrap().writer(writer_context(0, 1)).unwrap();
    assert_eq!(writer.next_tick_ms(), None);
    write(writer.as_mut(), batch(&spec, &[row(RowKind::Insert, 1, "a")])).unwrap();
    // The driver flushes whenever no rows are there: that is no reason to write the buffer.
    writer.flush().unwrap();
    let due_ms = writer.next_tick_ms().expect("the buffer has a row");
    writer.tick(due_ms - 1).unwrap();
    assert_eq!(writer.next_tick_ms(), Some(due_ms));
    write(writer.as_mut(), batch(&spec, &[row(RowKind::UpdateAfter, 1, "b")])).unwrap();
    writer.tick(due_ms).unwrap();
    assert_eq!(writer.next_tick_ms(), None);
    assert!(barrier(writer.as_mut(), 1, false).unwrap().is_empty());
    assert_eq!(texts(&consume("upsert-buffer-age", "read_committed")), [r#"{"name":"b","id":1}"#]);
}
