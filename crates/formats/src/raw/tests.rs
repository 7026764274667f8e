use super::{RawDecoder, RawEncoder, raw_options};
use crate::{ReadSchema, RowDecoder, RowEncoder, values};
use arrow::array::RecordBatch;
use headwater_connector_api::Options;
use headwater_data::{ChangeBatch, arrow_schema};
use headwater_plan::Value;
use headwater_types::{LogicalType, TypeRoot};

fn round_trip(ty: LogicalType, options: &[(&str, &str)], cells: &[Value]) -> (Vec<u8>, Vec<Value>) {
    let map = options.iter().map(|(k, v)| (format!("raw.{k}"), v.to_string())).collect();
    let options = raw_options(Options(&map)).unwrap();
    let columns = vec![("v".to_string(), ty.clone())];
    let schema = arrow_schema([("v", &ty)]);
    let batch = RecordBatch::try_new(schema, vec![values::array(&ty, &ty, cells).unwrap()]).unwrap();
    let mut bytes = vec![];
    RawEncoder::new(&columns, options).unwrap().encode(&ChangeBatch::append(batch), &mut bytes).unwrap();
    let wanted = [(0, ty)];
    let mut decoder = RawDecoder::new(ReadSchema { columns: &columns, wanted: &wanted }, options).unwrap();
    decoder.decode(&bytes, true, 100, &mut |bad| panic!("{bad:?}")).unwrap();
    let decoded = decoder.finish().unwrap();
    (bytes, (0..decoded.rows).map(|row| values::value(&decoded.arrays[0], row)).collect())
}

#[test]
fn lines_are_values() {
    let text = |t: &str| Value::String(t.into());
    let cells = [text("a b"), text(""), text("\u{e9}")];
    let (bytes, read) = round_trip(LogicalType::string(), &[], &cells);
    assert_eq!((bytes.as_slice(), read.as_slice()), ("a b\n\n\u{e9}\n".as_bytes(), &cells[..]));
    let (bytes, read) = round_trip(LogicalType::string(), &[("charset", "ISO-8859-1")], &cells);
    assert_eq!((bytes.as_slice(), read.as_slice()), (&b"a b\n\n\xe9\n"[..], &cells[..]));
    let (bytes, _) = round_trip(TypeRoot::Int.into(), &[("endianness", "little-endian")], &[Value::Int(258)]);
    assert_eq!(bytes, [2, 1, 0, 0, b'\n']);
    let (bytes, read) = round_trip(TypeRoot::Int.into(), &[], &[Value::Int(258)]);
    assert_eq!((bytes.as_slice(), read.as_slice()), (&[0, 0, 1, 2, b'\n'][..], &[Value::Int(258)][..]));
}

#[test]
fn other_tables_are_refused() {
    let options = raw_options(Options(&Default::default())).unwrap();
    let two = vec![("a".to_string(), LogicalType::string()), ("b".to_string(), LogicalType::string())];
    assert!(RawEncoder::new(&two, options).err().unwrap().message().contains("exactly one"));
    let date = vec![("a".to_string(), TypeRoot::Date.into())];
    assert!(RawEncoder::new(&date, options).err().unwrap().message().contains("column 'a'"));
}
