use super::options::parquet_options;
use super::{ParquetReader, ParquetWriter};
use crate::{ReadSchema, values};
use arrow::array::RecordBatch;
use headwater_connector_api::Options;
use headwater_data::{ChangeBatch, arrow_schema};
use headwater_plan::Value;
use headwater_types::{LogicalType, RowField, TimeAttribute, TypeRoot};

fn row(fields: &[(&str, TypeRoot)]) -> LogicalType {
    TypeRoot::Row(fields.iter().map(|(n, t)| RowField::new(*n, t.clone().into())).collect()).into()
}

#[test]
fn columns_and_fields_are_matched_by_name() {
    let text = || Value::String("t".into());
    let inner = row(&[("x", TypeRoot::Int), ("y", LogicalType::string().root)]);
    let map = TypeRoot::Map(Box::new(LogicalType::string()), Box::new(TypeRoot::BigInt.into()));
    let columns: Vec<(String, LogicalType)> = vec![
        ("a".into(), TypeRoot::Int.into()),
        ("r".into(), inner.clone()),
        ("l".into(), TypeRoot::Array(Box::new(inner)).into()),
        ("m".into(), map.into()),
        ("t".into(), TypeRoot::Timestamp(3, TimeAttribute::None).into()),
        ("d".into(), TypeRoot::Decimal(10, 2).into()),
    ];
    let pair = || Value::Row(vec![Value::Int(1), text()]);
    let rows = [
        vec![
            Value::Int(7),
            pair(),
            Value::List(vec![pair(), Value::Null]),
            Value::Map(vec![(text(), Value::Int(5))]),
            Value::Int(1_234),
            Value::Decimal(150),
        ],
        vec![Value::Null; 6],
    ];
    let arrays = (0..6).map(|c| values::array(&columns[c].1, &columns[c].1, rows.iter().map(|r| &r[c])).unwrap());
    let schema = arrow_schema(columns.iter().map(|(n, t)| (n.as_str(), t)));
    let batch = ChangeBatch::append(RecordBatch::try_new(schema, arrays.collect()).unwrap());

    let file = tempfile::tempfile().unwrap();
    let options = parquet_options(Options(&Default::default())).unwrap();
    let mut writer = ParquetWriter::new(file.try_clone().unwrap(), &columns, options).unwrap();
    writer.write(&batch).unwrap();
    assert!(writer.bytes() > 0);
    writer.finish().unwrap();

    // Read back with an absent column, a part of the nested fields and wider types.
    let mut declared = columns.clone();
    declared.push(("absent".into(), LogicalType::string()));
    let wanted = vec![
        (5, TypeRoot::Decimal(12, 3).into()),
        (1, row(&[("y", LogicalType::string().root)])),
        (0, TypeRoot::BigInt.into()),
        (6, LogicalType::string()),
        (4, TypeRoot::Timestamp(6, TimeAttribute::None).into()),
        (2, columns[2].1.clone()),
        (3, columns[3].1.clone()),
    ];
    let mut reader = ParquetReader::open(file, ReadSchema { columns: &declared, wanted: &wanted }, 100).unwrap();
    let decoded = reader.next_rows().unwrap().unwrap();
    let cells = |row| decoded.arrays.iter().map(|a| values::value(a, row)).collect::<Vec<_>>();
    assert_eq!(
        cells(0),
        [
            Value::Decimal(1_500),
            Value::Row(vec![text()]),
            Value::Int(7),
            Value::Null,
            Value::Int(1_234_000),
            Value::List(vec![pair(), Value::Null]),
            Value::Map(vec![(text(), Value::Int(5))]),
        ]
    );
    assert_eq!(cells(1), vec![Value::Null; 7]);
    assert!(reader.next_rows().unwrap().is_none());
}
