//! Rows as JSON: against the files of Flink's own test, and against a model.

use super::*;
use arrow::array::*;
use headwater_data::arrow_types::arrow_schema;
use headwater_types::{RowField, TimeAttribute, TypeRoot as T};
use proptest::prelude::*;
use std::sync::Arc;

fn results(columns: &Columns, arrays: Vec<ArrayRef>, format: RowFormat) -> Value {
    let schema = arrow_schema(columns.iter().map(|(name, ty)| (name.as_str(), ty)));
    let batch = ChangeBatch::append(RecordBatch::try_new(schema, arrays).unwrap());
    let mut out = String::new();
    push_results(&mut out, columns, &[batch], format, Tz::UTC).unwrap();
    serde_json::from_str(&out).unwrap_or_else(|error| panic!("{error} in {out}"))
}

fn fields(ty: LogicalType, array: ArrayRef) -> Vec<Value> {
    let document = results(&vec![("c".to_owned(), ty)], vec![array], RowFormat::Json);
    document["data"].as_array().unwrap().iter().map(|row| row["fields"][0].clone()).collect()
}

/// The row of Flink's test of its serializer, without what depends on how Java's types are bridged.
#[test]
fn values_look_as_in_flinks_own_files() {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/spec/rest");
    for (format, file) in
        [(RowFormat::Json, "result_info_json_format.txt"), (RowFormat::PlainText, "result_info_plain_text_format.txt")]
    {
        let Ok(text) = std::fs::read_to_string(root.join(file)) else {
            println!("skipped: {} is not there", root.display());
            return;
        };
        let expected: Value = serde_json::from_str(&text).unwrap();
        let (columns, arrays) = flinks_row();
        let document = results(&columns, arrays, format);
        assert_eq!(document["rowFormat"], expected["rowFormat"]);
        for (at, (name, _)) in columns.iter().enumerate() {
            let known = expected["columns"].as_array().unwrap();
            let theirs = known.iter().position(|column| column["name"] == *name).unwrap();
            assert_eq!(document["columns"][at], known[theirs], "{name}");
            // Their plain text of an interval is that of its number.
            if format == RowFormat::Json || !name.ends_with("Interval") {
                let row = &expected["data"][0];
                assert_eq!(document["data"][0]["fields"][at], row["fields"][theirs], "{name}");
                assert_eq!(document["data"][0]["kind"], row["kind"]);
            }
        }
    }
}

fn flinks_row() -> (Columns, Vec<ArrayRef>) {
    let days = 7591;
    let millis = (12 * 3600 + 12 * 60 + 43) * 1000;
    let seconds = i64::from(days) * 86_400 + i64::from(millis) / 1000;
    let nanos = seconds * 1_000_000_000 + 123_456_789;
    let string = LogicalType::string();
    let inner = T::Map(Box::new(string.clone()), Box::new(T::Int.into()));
    let columns: Vec<(&str, T, ArrayRef)> = vec![
        ("bool", T::Boolean, Arc::new(BooleanArray::from(vec![true]))),
        ("tinyint", T::TinyInt, Arc::new(Int8Array::from(vec![99]))),
        ("smallint", T::SmallInt, Arc::new(Int16Array::from(vec![128]))),
        ("int", T::Int, Arc::new(Int32Array::from(vec![45536]))),
        ("bigint", T::BigInt, Arc::new(Int64Array::from(vec![1_238_123_899_121_i64]))),
        ("float", T::Float, Arc::new(Float32Array::from(vec![33.333]))),
        ("name", string.root.clone(), Arc::new(StringArray::from(vec!["asdlkjasjkdla998y1122"]))),
        ("decimal", T::Decimal(9, 6), decimals(vec![Some(123_456_789)], 9, 6)),
        ("doubles", T::Array(Box::new(T::Double.into())), doubles()),
        ("date", T::Date, Arc::new(Date32Array::from(vec![days]))),
        ("time", T::Time(0), Arc::new(Time32MillisecondArray::from(vec![millis]))),
        (
            "timestamp3",
            T::Timestamp(3, TimeAttribute::None),
            Arc::new(TimestampMillisecondArray::from(vec![seconds * 1000 + 123])),
        ),
        ("timestamp9", T::Timestamp(9, TimeAttribute::None), Arc::new(TimestampNanosecondArray::from(vec![nanos]))),
        (
            "timestampWithLocalZone",
            T::TimestampLtz(9, TimeAttribute::None),
            Arc::new(TimestampNanosecondArray::from(vec![nanos]).with_timezone("UTC")),
        ),
        (
            "map",
            T::Map(Box::new(string.clone()), Box::new(T::BigInt.into())),
            map("element", Arc::new(Int64Array::from(vec![123]))),
        ),
        ("multiSet", T::Multiset(Box::new(string.clone())), map("element", Arc::new(Int32Array::from(vec![2])))),
        (
            "map2map",
            T::Map(Box::new(string), Box::new(inner.into())),
            map("inner_map", map("key", Arc::new(Int32Array::from(vec![234])))),
        ),
        ("dayTimeInterval", T::IntervalDayTime, Arc::new(DurationMillisecondArray::from(vec![123]))),
        ("yearMonthInterval", T::IntervalYearMonth, Arc::new(IntervalYearMonthArray::from(vec![123]))),
    ];
    columns.into_iter().map(|(name, root, array)| ((name.to_owned(), root.into()), array)).unzip()
}

fn decimals(values: Vec<Option<i128>>, precision: u8, scale: i8) -> ArrayRef {
    Arc::new(Decimal128Array::from(values).with_precision_and_scale(precision, scale).unwrap())
}

fn doubles() -> ArrayRef {
    let mut list = ListBuilder::new(Float64Builder::new());
    list.append_value([Some(1.1), Some(2.2), Some(3.3)]);
    Arc::new(list.finish())
}

/// A map of one entry.
fn map(key: &str, value: ArrayRef) -> ArrayRef {
    use arrow::datatypes::{DataType, Field, Fields};
    let fields = Fields::from(vec![
        Field::new("key", DataType::Utf8, false),
        Field::new("value", value.data_type().clone(), true),
    ]);
    let entries = StructArray::new(fields.clone(), vec![Arc::new(StringArray::from(vec![key])), value], None);
    let field = Arc::new(Field::new("entries", DataType::Struct(fields), false));
    let offsets = arrow::buffer::OffsetBuffer::new(vec![0, 1].into());
    Arc::new(MapArray::new(field, offsets, entries, None, false))
}

#[test]
fn values_that_json_has_no_form_for() {
    let numbers = Float64Array::from(vec![Some(f64::NAN), Some(f64::INFINITY), Some(1e10), Some(-0.0), None]);
    let expected = [json!("NaN"), json!("Infinity"), json!(1e10), json!(-0.0), Value::Null];
    assert_eq!(fields(T::Double.into(), Arc::new(numbers)), expected);
    let times = Time32MillisecondArray::from(vec![0, 3_600_000, 86_399_120]);
    let expected = [json!("00:00:00"), json!("01:00:00"), json!("23:59:59.12")];
    assert_eq!(fields(T::Time(3).into(), Arc::new(times)), expected);
    let stamps = TimestampMillisecondArray::from(vec![0, -1, 1_000]);
    let expected = [json!("1970-01-01T00:00:00"), json!("1969-12-31T23:59:59.999"), json!("1970-01-01T00:00:01")];
    assert_eq!(fields(T::Timestamp(3, TimeAttribute::None).into(), Arc::new(stamps)), expected);
}

/// A value of a row, as a model.
#[derive(Debug, Clone)]
struct Model {
    text: Option<String>,
    number: Option<i64>,
    double: Option<f64>,
    decimal: Option<i64>,
    bytes: Option<Vec<u8>>,
    flag: Option<bool>,
    items: Option<Vec<Option<i32>>>,
}

fn model() -> impl Strategy<Value = Model> {
    (
        proptest::option::of(proptest::collection::vec(any::<char>(), 0..12).prop_map(String::from_iter)),
        any::<Option<i64>>(),
        proptest::option::of(proptest::num::f64::NORMAL | proptest::num::f64::ZERO),
        any::<Option<i64>>(),
        proptest::option::of(proptest::collection::vec(any::<u8>(), 0..20)),
        any::<Option<bool>>(),
        proptest::option::of(proptest::collection::vec(any::<Option<i32>>(), 0..5)),
    )
        .prop_map(|(text, number, double, decimal, bytes, flag, items)| Model {
            text,
            number,
            double,
            decimal,
            bytes,
            flag,
            items,
        })
}

fn columns_of(rows: &[Model]) -> (Columns, Vec<ArrayRef>) {
    let mut lists = ListBuilder::new(Int32Builder::new());
    rows.iter().for_each(|row| lists.append_option(row.items.clone()));
    let text: ArrayRef = Arc::new(StringArray::from_iter(rows.iter().map(|row| row.text.clone())));
    let nested = arrow_schema([("a \"b\"", &LogicalType::string())]);
    let row = StructArray::new(nested.fields().clone(), vec![text.clone()], None);
    let columns = [
        ("text", LogicalType::string().root),
        ("number", T::BigInt),
        ("double", T::Double),
        ("decimal", T::Decimal(38, 4)),
        ("bytes", T::VarBinary(9)),
        ("flag", T::Boolean),
        ("items", T::Array(Box::new(T::Int.into()))),
        ("row", T::Row(vec![RowField::new("a \"b\"", LogicalType::string())])),
    ];
    let columns = columns.map(|(name, root)| (name.to_owned(), root.into())).to_vec();
    let bytes = BinaryArray::from_iter(rows.iter().map(|row| row.bytes.clone()));
    let arrays: Vec<ArrayRef> = vec![
        text,
        Arc::new(Int64Array::from_iter(rows.iter().map(|row| row.number))),
        Arc::new(Float64Array::from_iter(rows.iter().map(|row| row.double))),
        decimals(rows.iter().map(|row| row.decimal.map(i128::from)).collect(), 38, 4),
        Arc::new(bytes),
        Arc::new(BooleanArray::from_iter(rows.iter().map(|row| row.flag))),
        Arc::new(lists.finish()),
        Arc::new(row),
    ];
    (columns, arrays)
}

proptest! {
    #[test]
    fn rows_read_back_are_what_was_written(rows in proptest::collection::vec(model(), 0..20)) {
        use base64::Engine;
        let (columns, arrays) = columns_of(&rows);
        let document = results(&columns, arrays.clone(), RowFormat::Json);
        let data = document["data"].as_array().unwrap();
        prop_assert_eq!(data.len(), rows.len());
        for (row, written) in rows.iter().zip(data) {
            let found = &written["fields"];
            prop_assert_eq!(&found[0], &json!(row.text));
            prop_assert_eq!(&found[1], &json!(row.number));
            prop_assert_eq!(found[2].as_f64(), row.double);
            match row.decimal {
                None => prop_assert!(found[3].is_null()),
                Some(units) => {
                    let close = found[3].as_f64().unwrap() - units as f64 / 10_000.0;
                    prop_assert!(close.abs() <= (units as f64).abs() * 1e-15, "{} {units}", found[3]);
                }
            }
            let bytes = row.bytes.as_ref().map(|bytes| base64::engine::general_purpose::STANDARD.encode(bytes));
            prop_assert_eq!(&found[4], &json!(bytes));
            prop_assert_eq!(&found[5], &json!(row.flag));
            prop_assert_eq!(&found[6], &json!(row.items));
            prop_assert_eq!(&found[7], &json!({ "a \"b\"": row.text }));
        }
        let columns_back = crate::decode::columns(&document).unwrap();
        prop_assert_eq!(&columns_back, &columns);
        let back = crate::decode::batch(&columns_back, &document).unwrap();
        let mut again = String::new();
        push_results(&mut again, &columns_back, &[back], RowFormat::Json, Tz::UTC).unwrap();
        prop_assert_eq!(serde_json::from_str::<Value>(&again).unwrap(), document.clone());
        // As plain text every field is a text or none.
        let document = results(&columns, arrays, RowFormat::PlainText);
        for (row, written) in rows.iter().zip(document["data"].as_array().unwrap()) {
            prop_assert_eq!(&written["fields"][0], &json!(row.text));
            prop_assert_eq!(&written["fields"][1], &json!(row.number.map(|number| number.to_string())));
            prop_assert!(written["fields"].as_array().unwrap().iter().all(|field| field.is_string() || field.is_null()));
        }
    }
}
