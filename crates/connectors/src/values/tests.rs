use super::{Store, Values};
use headwater_connector_api::{ChangelogMode, Connector, ReaderContext, ReaderPoll, Split, WriterContext};
use headwater_env::Env;
use headwater_plan::table::ColumnOrigin;
use headwater_plan::{ProducedColumn, SinkSpec, SourceSpec, TableSpec, Value};
use headwater_types::{LogicalType, RowField, RowKind, TypeRoot};
use std::sync::Arc;

fn row_type(fields: &[&str]) -> LogicalType {
    TypeRoot::Row(fields.iter().map(|f| RowField::new(*f, LogicalType::string())).collect()).into()
}

#[test]
fn rows_come_back_with_their_kinds() {
    let table = TableSpec {
        path: ["c", "d", "t"].map(String::from),
        columns: vec![("a".into(), TypeRoot::Int.into()), ("r".into(), row_type(&["x", "y"]))],
        partition_keys: vec![],
        primary_key: vec!["a".into()],
        options: [("data-id", "kinds"), ("changelog-mode", "I, UA,D"), ("readable-metadata", "m:DECIMAL(3, 2),n:INT")]
            .map(|(k, v)| (k.to_string(), v.to_string()))
            .into(),
    };
    let text = |t: &str| Value::String(t.into());
    let row = |a, x, y, n| vec![Value::Int(a), Value::Row(vec![text(x), text(y)]), Value::Decimal(1), Value::Int(n)];
    Store::register("kinds", vec![(RowKind::Insert, row(1, "p", "q", 7)), (RowKind::Delete, row(2, "r", "s", 8))]);
    assert_eq!(Values.source_mode(&table).unwrap(), ChangelogMode::Upsert);
    assert_eq!(Values.sink_mode(&table).unwrap(), ChangelogMode::Upsert);

    let produced = |name: &str, origin, ty| ProducedColumn { name: name.into(), origin, ty };
    let spec = SourceSpec {
        produced: vec![
            produced("n", ColumnOrigin::Metadata("n".into()), TypeRoot::Int.into()),
            produced("r", ColumnOrigin::Physical(1), row_type(&["y"])),
        ],
        table: table.clone(),
        limit: None,
    };
    let context = ReaderContext {
        subtask: 0,
        parallelism: 1,
        batch_rows: 10,
        env: Env::real(),
        waker: Arc::new(|| ()),
        on_bad_record: Arc::new(|| ()),
        on_bytes: Arc::new(|_| ()),
    };
    let mut reader = Values.source(&spec).unwrap().unwrap().reader(context).unwrap();
    assert!(matches!(reader.poll().unwrap(), ReaderPoll::NeedSplit));
    reader.add_split(Split(0u64.to_le_bytes().to_vec())).unwrap();
    let ReaderPoll::Batch(batch) = reader.poll().unwrap() else { panic!("a batch") };

    let sink = SinkSpec { table, metadata: vec![], overwrite: false, target_columns: vec![] };
    let context = WriterContext {
        subtask: 0,
        parallelism: 1,
        job: "j".into(),
        env: Env::real(),
        waker: Arc::new(|| ()),
        on_bytes: Arc::new(|_| ()),
        restored: vec![],
        restored_checkpoint: None,
        checkpointing: false,
    };
    Values.sink(&sink).unwrap().unwrap().writer(context).unwrap().write(batch).unwrap();
    let expected = vec![
        (RowKind::Insert, vec![Value::Int(7), Value::Row(vec![text("q")])]),
        (RowKind::Delete, vec![Value::Int(8), Value::Row(vec![text("s")])]),
    ];
    assert_eq!(Store::results("kinds"), expected);
    Store::remove("kinds");
}
