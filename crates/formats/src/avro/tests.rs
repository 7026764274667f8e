use super::{AvroDecoder, AvroEncoder, AvroOptions, schema};
use crate::decoder::Messages;
use crate::text::java;
use crate::{ReadSchema, RowDecoder, RowEncoder, values};
use apache_avro::types::Value as Avro;
use apache_avro::{Schema, from_avro_datum, to_avro_datum};
use arrow::array::RecordBatch;
use expect_test::expect;
use headwater_data::{ChangeBatch, arrow_schema};
use headwater_plan::Value;
use headwater_types::{LogicalType, RowField, TimeAttribute, TypeRoot};
use proptest::prelude::*;

const OPTIONS: AvroOptions = AvroOptions { is_legacy: true };

fn ty(root: TypeRoot) -> LogicalType {
    root.into()
}

fn string() -> LogicalType {
    LogicalType::string()
}

type Columns = Vec<(String, LogicalType)>;

fn columns(columns: &[(&str, LogicalType)]) -> Columns {
    columns.iter().map(|(n, t)| ((*n).to_string(), t.clone())).collect()
}

/// A column of every kind.
fn all_kinds() -> Columns {
    let row = TypeRoot::Row(vec![RowField::new("a", ty(TypeRoot::Int)), RowField::new("b", string().not_null())]);
    columns(&[
        ("id", ty(TypeRoot::BigInt).not_null()),
        ("tiny", ty(TypeRoot::TinyInt)),
        ("flag", ty(TypeRoot::Boolean)),
        ("float", ty(TypeRoot::Float)),
        ("double", ty(TypeRoot::Double)),
        ("name", string()),
        ("raw", ty(TypeRoot::VarBinary(100))),
        ("price", ty(TypeRoot::Decimal(10, 2))),
        ("day", ty(TypeRoot::Date)),
        ("at", ty(TypeRoot::Time(3))),
        ("ts", ty(TypeRoot::Timestamp(3, TimeAttribute::None))),
        ("us", ty(TypeRoot::TimestampLtz(6, TimeAttribute::None))),
        ("list", ty(TypeRoot::Array(Box::new(ty(TypeRoot::Int))))),
        ("map", ty(TypeRoot::Map(Box::new(string().not_null()), Box::new(ty(TypeRoot::BigInt))))),
        ("row", ty(row)),
    ])
}

fn full_row() -> Vec<Value> {
    let text = |text: &str| Value::String(text.into());
    vec![
        Value::Int(-7),
        Value::Int(3),
        Value::Boolean(true),
        Value::Float(1.5),
        Value::Float(-2.25),
        text("näme"),
        Value::Bytes(vec![0, 255]),
        Value::Decimal(-12_345),
        Value::Int(19_000),
        Value::Int(3_600_000),
        Value::Int(1_700_000_000_123),
        Value::Int(1_700_000_000_123_456),
        Value::List(vec![Value::Int(1), Value::Null, Value::Int(300)]),
        Value::Map(vec![(text("k"), Value::Null)]),
        Value::Row(vec![Value::Int(5), text("x")]),
    ]
}

fn null_row(columns: &Columns) -> Vec<Value> {
    columns.iter().map(|(_, ty)| if ty.nullable { Value::Null } else { Value::Int(0) }).collect()
}

fn batch(columns: &Columns, rows: &[Vec<Value>]) -> ChangeBatch {
    let array = |(at, (_, ty)): (usize, &(String, LogicalType))| {
        values::array(ty, ty, rows.iter().map(|row| &row[at])).unwrap()
    };
    let schema = arrow_schema(columns.iter().map(|(n, t)| (n.as_str(), t)));
    ChangeBatch::append(RecordBatch::try_new(schema, columns.iter().enumerate().map(array).collect()).unwrap())
}

fn encode(columns: &Columns, rows: &[Vec<Value>]) -> Vec<Vec<u8>> {
    let mut messages = Messages::default();
    AvroEncoder::new(columns, OPTIONS).unwrap().encode_messages(&batch(columns, rows), &mut messages).unwrap();
    (0..messages.len()).map(|at| messages.get(at).unwrap().to_vec()).collect()
}

fn all(columns: &Columns) -> Vec<(usize, LogicalType)> {
    columns.iter().map(|(_, ty)| ty.clone()).enumerate().collect()
}

/// The rows of messages, and what is wrong with those that have none.
fn decode(decoder: &mut dyn RowDecoder, wanted: &[(usize, LogicalType)], messages: &[Vec<u8>]) -> Vec<String> {
    let mut bad = vec![];
    for message in messages {
        decoder
            .decode_message(message, &mut |record| {
                bad.push(format!("byte {}: {}", record.position, record.reason));
                Ok(())
            })
            .unwrap();
    }
    let decoded = decoder.finish().unwrap();
    let schema = arrow_schema(wanted.iter().map(|(_, ty)| ("c", ty)));
    let batch = ChangeBatch::append(RecordBatch::try_new(schema, decoded.arrays).unwrap());
    let text = |row| {
        let mut out = vec![];
        java::row(&mut out, &batch, row);
        String::from_utf8(out).unwrap()
    };
    (0..batch.num_rows()).map(text).chain(bad).collect()
}

fn decoder(columns: &Columns, wanted: &[(usize, LogicalType)]) -> AvroDecoder {
    AvroDecoder::new(ReadSchema { columns, wanted }, OPTIONS).unwrap()
}

#[test]
fn schemas_are_those_of_flink() {
    let columns = columns(&[
        ("id", ty(TypeRoot::BigInt).not_null()),
        ("price", ty(TypeRoot::Decimal(10, 2))),
        (
            "row",
            ty(TypeRoot::Row(vec![RowField::new("ts", ty(TypeRoot::Timestamp(3, TimeAttribute::None)).not_null())])),
        ),
        ("tags", ty(TypeRoot::Array(Box::new(string()))).not_null()),
    ]);
    expect![[r#"{"type":"record","name":"org.apache.flink.avro.generated.record","fields":[{"name":"id","type":"long"},{"name":"price","type":["null",{"type":"bytes","logicalType":"decimal","precision":10,"scale":2}],"default":null},{"name":"row","type":["null",{"type":"record","name":"org.apache.flink.avro.generated.record_row","fields":[{"name":"ts","type":{"type":"long","logicalType":"timestamp-millis"}}]}],"default":null},{"name":"tags","type":{"type":"array","items":["null","string"]}}]}"#]]
    .assert_eq(&schema::record(&columns, OPTIONS).unwrap());
    let local = schema::record(&columns[2..3], AvroOptions { is_legacy: false }).unwrap();
    assert!(local.contains("local-timestamp-millis"), "{local}");
}

#[test]
fn what_avro_cannot_write_is_refused() {
    let cases = [
        ("a-b", ty(TypeRoot::Int), "bad-schema: 'a-b' cannot be the name of a field in Avro"),
        ("t", ty(TypeRoot::Time(6)), "bad-schema: column 't': the type TIME(6) cannot be written as Avro"),
        (
            "m",
            ty(TypeRoot::Map(Box::new(ty(TypeRoot::Int)), Box::new(string()))),
            "bad-schema: column 'm': the type MAP<INT, STRING>",
        ),
    ];
    for (name, ty, expected) in cases {
        let error = AvroEncoder::new(&columns(&[(name, ty)]), OPTIONS).map(|_| ()).unwrap_err();
        assert!(format!("{}: {error}", error.code()).starts_with(expected), "{error}");
    }
}

#[test]
fn rows_come_back() {
    let columns = all_kinds();
    let messages = encode(&columns, &[full_row(), null_row(&columns)]);
    let wanted = all(&columns);
    let rows = decode(&mut decoder(&columns, &wanted), &wanted, &messages);
    expect![[r#"
        +I[-7, 3, true, 1.5, -2.25, näme, [0, -1], -123.45, 2022-01-08, 01:00, 2023-11-14T22:13:20.123, 2023-11-14T22:13:20.123456Z, [1, null, 300], {k=null}, +I[5, x]]
        +I[0, null, null, null, null, null, null, null, null, null, null, null, null, null, null]"#]].assert_eq(&rows.join("\n"));
    // A part of the columns, in another order, and a part of a row's fields.
    let part = ty(TypeRoot::Row(vec![RowField::new("b", string())]));
    let wanted = [(14, part), (0, columns[0].1.clone())];
    assert_eq!(decode(&mut decoder(&columns, &wanted), &wanted, &messages), ["+I[+I[x], -7]", "+I[null, 0]"]);
}

#[test]
fn the_library_reads_and_writes_the_same() {
    let columns = all_kinds();
    let schema = Schema::parse_str(&schema::record(&columns, OPTIONS).unwrap()).unwrap();
    let ours = encode(&columns, &[full_row(), null_row(&columns)]);
    for message in &ours {
        let read = from_avro_datum(&schema, &mut message.as_slice(), None).unwrap();
        let Avro::Record(fields) = &read else { panic!("{read:?}") };
        assert_eq!(fields.len(), columns.len());
        let theirs = to_avro_datum(&schema, read).unwrap();
        let wanted = all(&columns);
        let row = |message: &[u8]| decode(&mut decoder(&columns, &wanted), &wanted, &[message.to_vec()]);
        assert_eq!(row(&theirs), row(message));
    }
}

#[test]
fn damaged_records_are_told_and_leave_nothing() {
    let columns = columns(&[
        ("name", string().not_null()),
        ("list", ty(TypeRoot::Array(Box::new(ty(TypeRoot::Int).not_null()))).not_null()),
    ]);
    let good = encode(&columns, &[vec![Value::String("ab".into()), Value::List(vec![Value::Int(1)])]]).remove(0);
    let wanted = all(&columns);
    let cases: &[(&[u8], &str)] = &[
        (&good[..good.len() - 1], "byte 5: the record is cut short"),
        (&[good.clone(), vec![0]].concat(), "byte 6: 1 bytes follow the record; it was written with another schema"),
        (&[2, 0xff, 0], "byte 2: a text is not UTF-8"),
        (&[0, 0xfe, 0xff, 0xff, 0xff, 0x0f], "byte 6: a block of 2147483647 elements does not fit into the record"),
        (&[1], "byte 1: a length of -1 bytes is none"),
        (&[0xff; 11], "byte 10: an integer is longer than 64 bits"),
    ];
    for (message, expected) in cases {
        let rows = decode(&mut decoder(&columns, &wanted), &wanted, &[message.to_vec(), good.clone()]);
        assert_eq!(rows, ["+I[ab, [1]]", *expected], "{message:?}");
    }
}

#[test]
fn other_writers_are_matched_by_name_and_widened() {
    let schema = r#"{"type":"record","name":"r","fields":[
        {"name":"unknown","type":{"type":"map","values":["null","long"]}},
        {"name":"id","type":"int"},
        {"name":"kind","type":{"type":"enum","name":"k","symbols":["A","B"]}},
        {"name":"size","type":["null","float"]},
        {"name":"price","type":{"type":"fixed","size":3,"name":"f","logicalType":"decimal","precision":6,"scale":1}},
        {"name":"again","type":["null","k"]}]}"#;
    let columns = columns(&[
        ("id", ty(TypeRoot::BigInt)),
        ("kind", string()),
        ("size", ty(TypeRoot::Double)),
        ("price", ty(TypeRoot::Decimal(10, 2))),
        ("again", string()),
        ("absent", string()),
    ]);
    let wanted = all(&columns);
    let mut built = super::decoder::Columns::new(ReadSchema { columns: &columns, wanted: &wanted });
    let plan = built.plan(&Schema::parse_str(schema).unwrap()).unwrap();
    // One entry k=1; id 21; B; 0.5; -1.5; A.
    let record = [2, 2, b'k', 2, 2, 0, 42, 2, 2, 0, 0, 0, 0x3f, 0xff, 0xff, 0xf1, 2, 0];
    built.record(&plan, &mut super::input::Input::new(&record)).unwrap();
    let arrays = built.finish().unwrap().arrays;
    let texts: Vec<_> = arrays
        .iter()
        .map(|array| {
            let mut out = vec![];
            java::value(&mut out, array, 0);
            String::from_utf8(out).unwrap()
        })
        .collect();
    assert_eq!(texts, ["21", "B", "0.5", "-1.50", "A", "null"]);
    let wrong = [("id".to_string(), string())].to_vec();
    let wanted = all(&wrong);
    let error = super::decoder::Columns::new(ReadSchema { columns: &wrong, wanted: &wanted })
        .plan(&Schema::parse_str(schema).unwrap());
    assert_eq!(
        error.unwrap_err().to_string(),
        "field 'id': a value that Avro writes as int or long cannot be read as STRING"
    );
}

proptest! {
    #[test]
    fn any_bytes_are_a_record_or_told(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        let columns = all_kinds();
        let wanted = all(&columns);
        let good = encode(&columns, &[full_row()]).remove(0);
        let rows = decode(&mut decoder(&columns, &wanted), &wanted, &[bytes, good]);
        prop_assert_eq!(rows.len(), 2);
    }

    #[test]
    fn numbers_come_back(long in any::<i64>(), decimal in -9_999_999_999i128..=9_999_999_999) {
        let columns = columns(&[("l", ty(TypeRoot::BigInt)), ("d", ty(TypeRoot::Decimal(10, 0)))]);
        let wanted = all(&columns);
        let messages = encode(&columns, &[vec![Value::Int(long), Value::Decimal(decimal)]]);
        prop_assert_eq!(decode(&mut decoder(&columns, &wanted), &wanted, &messages), [format!("+I[{long}, {decimal}]")]);
    }
}
