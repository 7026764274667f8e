//! The codec keeps order, loses nothing, and writes exactly the bytes it wrote before.

use super::*;
use arrow::array::{
    ArrayRef, BinaryArray, BooleanArray, Date32Array, Decimal128Array, Float32Array, Float64Array, Int8Array,
    Int16Array, Int32Array, Int64Array, Int64Builder, ListBuilder, MapBuilder, NullArray, StringArray, StringBuilder,
    StructArray, TimestampMillisecondArray,
};
use arrow::datatypes::{Field, TimeUnit};
use headwater_types::key_group::{key_group, owned_range, owner};
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use std::cmp::Ordering;
use std::sync::Arc;

fn types(columns: &[ArrayRef]) -> Vec<DataType> {
    columns.iter().map(|c| c.data_type().clone()).collect()
}

fn encode(columns: &[ArrayRef]) -> EncodedKeys {
    let mut keys = EncodedKeys::new();
    let rows = columns.first().map_or(0, |c| c.len());
    KeyEncoder::new(&types(columns)).unwrap().encode(columns, rows, &mut keys).unwrap();
    keys
}

fn decode(columns: &[ArrayRef], keys: &EncodedKeys) -> Result<Vec<ArrayRef>> {
    KeyEncoder::new(&types(columns)).unwrap().decode(keys)
}

fn hex(key: &[u8]) -> String {
    key.iter().map(|b| format!("{b:02x}")).collect()
}

/// A list, a map and a row column with one NULL each.
fn nested() -> Vec<ArrayRef> {
    let mut list = ListBuilder::new(Int64Builder::new());
    list.append_value([Some(1), None]);
    list.append_value([]);
    list.append_null();
    let mut map = MapBuilder::new(None, StringBuilder::new(), Int64Builder::new());
    for (key, value) in [("b", 2), ("a", 1)] {
        map.keys().append_value(key);
        map.values().append_value(value);
    }
    map.append(true).unwrap();
    map.append(true).unwrap();
    map.append(false).unwrap();
    let fields = vec![Field::new("x", DataType::Int32, true), Field::new("y", DataType::Utf8, true)];
    let columns: Vec<ArrayRef> = vec![
        Arc::new(Int32Array::from(vec![Some(1), None, Some(3)])),
        Arc::new(StringArray::from(vec![Some("q"), None, Some("z")])),
    ];
    let row = StructArray::new(fields.into(), columns, Some(vec![true, true, false].into()));
    vec![Arc::new(list.finish()), Arc::new(map.finish()), Arc::new(row)]
}

/// One row per type: (column, bytes in hexadecimal, stable hash).
fn fixtures() -> Vec<(ArrayRef, &'static str, u64)> {
    let nested = nested();
    let row = |column: usize| nested[column].slice(0, 1);
    vec![
        (Arc::new(NullArray::new(1)), "00", 0xc44b_dff4_074e_ecdb),
        (Arc::new(BooleanArray::from(vec![true])), "0101", 0x070d_80d6_a768_65f3),
        (Arc::new(Int8Array::from(vec![-1])), "017f", 0xe16b_40cb_2b10_8c7e),
        (Arc::new(Int16Array::from(vec![258])), "018102", 0x3288_6b1b_1f97_c960),
        (Arc::new(Int32Array::from(vec![7])), "0180000007", 0xda6f_68af_edc7_300d),
        (Arc::new(Int64Array::from(vec![42])), "01800000000000002a", 0x5bf7_6a38_8e4a_df0a),
        (Arc::new(Int64Array::from(vec![None])), "00", 0xc44b_dff4_074e_ecdb),
        (Arc::new(Float32Array::from(vec![-0.0])), "0180000000", 0x3159_306d_04e5_29f4),
        (Arc::new(Float64Array::from(vec![-1.5])), "014007ffffffffffff", 0x6be9_3150_3f10_a2c1),
        (Arc::new(Float64Array::from(vec![f64::NAN])), "01fff8000000000000", 0x4a34_7712_5194_e42d),
        (Arc::new(StringArray::from(vec!["a\0b"])), "016100ff620000", 0x224d_634f_560f_ea70),
        (Arc::new(BinaryArray::from(vec![&[0u8, 255][..]])), "0100ffff0000", 0x1ac9_0f3a_2540_f6c3),
        (Arc::new(Date32Array::from(vec![19_000])), "0180004a38", 0xd0ab_abfb_e9b9_342e),
        (Arc::new(TimestampMillisecondArray::from(vec![1])), "018000000000000001", 0x8245_2dc3_791a_853e),
        (
            Arc::new(Decimal128Array::from(vec![-5]).with_precision_and_scale(10, 2).unwrap()),
            "017ffffffffffffffffffffffffffffffb",
            0x529a_c2fb_a4f8_9280,
        ),
        (row(0), "01010180000000000000010100 00", 0xb8df_f199_6e13_60d7),
        (row(1), "0101016100000180000000000000010101620000018000000000000002 00", 0x20b5_5802_5235_d0de),
        (row(2), "0101800000010171 0000", 0x3a74_e95b_7012_1164),
    ]
}

#[test]
fn bytes_and_hashes_of_version_1_never_change() {
    assert_eq!(VERSION, 1, "a new version needs fixtures of its own");
    let mut found = String::new();
    let mut expected = String::new();
    for (column, bytes, hash) in fixtures() {
        let keys = encode(&[column]);
        found.push_str(&format!("{} {:#018x}\n", hex(keys.key(0)), crate::stable_hash(keys.key(0))));
        expected.push_str(&format!("{} {hash:#018x}\n", bytes.replace(' ', "")));
    }
    assert_eq!(found, expected);
}

#[test]
fn nested_columns_round_trip() {
    let columns = nested();
    let keys = encode(&columns);
    assert_eq!(keys.len(), 3);
    let decoded = decode(&columns, &keys).unwrap();
    assert_eq!((&decoded[0], &decoded[2]), (&columns[0], &columns[2]));
    // Entries of a map come back sorted, and encode to the same bytes.
    assert_eq!(encode(&decoded).bytes(), keys.bytes());
}

#[test]
fn maps_with_equal_entries_are_equal_keys() {
    let map = |entries: [(&str, i64); 2]| {
        let mut map = MapBuilder::new(None, StringBuilder::new(), Int64Builder::new());
        for (key, value) in entries {
            map.keys().append_value(key);
            map.values().append_value(value);
        }
        map.append(true).unwrap();
        encode(&[Arc::new(map.finish()) as ArrayRef])
    };
    assert_eq!(map([("a", 1), ("b", 2)]).bytes(), map([("b", 2), ("a", 1)]).bytes());
    assert_ne!(map([("a", 1), ("b", 2)]).bytes(), map([("a", 2), ("b", 1)]).bytes());
}

#[test]
fn keys_without_columns_are_empty() {
    let mut keys = EncodedKeys::new();
    KeyEncoder::new(&[]).unwrap().encode(&[], 3, &mut keys).unwrap();
    assert_eq!(keys.iter().collect::<Vec<_>>(), [&[] as &[u8]; 3]);
}

#[test]
fn damaged_keys_are_corruption() {
    let columns: Vec<ArrayRef> = vec![Arc::new(StringArray::from(vec!["ab"])), Arc::new(Int64Array::from(vec![1]))];
    let good = encode(&columns).key(0).to_vec();
    let mut damaged: Vec<Vec<u8>> = (0..good.len()).map(|end| good[..end].to_vec()).collect();
    damaged.push([&good[..], &[0]].concat());
    damaged.push([&[7], &good[1..]].concat());
    damaged.push([&[1, 0xc3, 0x28, 0, 0], &good[5..]].concat());
    for key in damaged {
        let mut keys = EncodedKeys::new();
        keys.push(&key);
        let error = decode(&columns, &keys).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Corruption, "{key:?}");
    }
}

#[test]
fn types_without_an_order_are_refused() {
    let error = KeyEncoder::new(&[DataType::Interval(IntervalUnit::MonthDayNano)]).unwrap_err();
    assert!(error.message().contains("cannot be part of a key"), "{error}");
    let ltz = DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into()));
    assert!(KeyEncoder::new(&[ltz, DataType::Duration(TimeUnit::Millisecond)]).is_ok());
}

type Row = (Option<i64>, Option<String>, Option<f64>, Option<Vec<u8>>, Option<bool>);

fn rows() -> impl Strategy<Value = Vec<Row>> {
    let number = option::of(prop_oneof![Just(0), Just(i64::MIN), Just(i64::MAX), -3i64..3, any::<i64>()]);
    let text = option::of(prop_oneof![Just(String::new()), "[\u{0}ab]{0,4}", ".{0,12}"]);
    let float = option::of(prop_oneof![Just(-0.0), Just(0.0), Just(f64::NAN), Just(f64::NEG_INFINITY), any::<f64>()]);
    let bytes = option::of(vec(prop_oneof![Just(0u8), Just(255), any::<u8>()], 0..6));
    vec((number, text, float, bytes, option::of(any::<bool>())), 1..20)
}

fn columns(rows: &[Row]) -> Vec<ArrayRef> {
    vec![
        Arc::new(rows.iter().map(|r| r.0).collect::<Int64Array>()),
        Arc::new(rows.iter().map(|r| r.1.clone()).collect::<StringArray>()),
        Arc::new(rows.iter().map(|r| r.2).collect::<Float64Array>()),
        Arc::new(rows.iter().map(|r| r.3.clone()).collect::<BinaryArray>()),
        Arc::new(rows.iter().map(|r| r.4).collect::<BooleanArray>()),
    ]
}

fn compare(a: &Row, b: &Row) -> Ordering {
    let canonical = |f: Option<f64>| f.map(|f| if f.is_nan() { f64::NAN.abs() } else { f + 0.0 });
    let floats = match (canonical(a.2), canonical(b.2)) {
        (Some(a), Some(b)) => a.total_cmp(&b),
        (a, b) => a.is_some().cmp(&b.is_some()),
    };
    a.0.cmp(&b.0).then(a.1.cmp(&b.1)).then(floats).then(a.3.cmp(&b.3)).then(a.4.cmp(&b.4))
}

proptest! {
    #[test]
    fn bytes_compare_as_the_keys_do(rows in rows()) {
        let keys = encode(&columns(&rows));
        for (i, a) in rows.iter().enumerate() {
            for (j, b) in rows.iter().enumerate() {
                prop_assert_eq!(keys.key(i).cmp(keys.key(j)), compare(a, b), "{:?} and {:?}", a, b);
            }
        }
    }

    #[test]
    fn decoding_returns_equal_keys(rows in rows()) {
        let columns = columns(&rows);
        let keys = encode(&columns);
        let decoded = decode(&columns, &keys).unwrap();
        for (column, back) in columns.iter().zip(&decoded).filter(|(c, _)| c.data_type() != &DataType::Float64) {
            prop_assert_eq!(column, back);
        }
        let again = encode(&decoded);
        prop_assert_eq!(again.bytes(), keys.bytes());
    }

    #[test]
    fn one_column_is_encoded_as_among_others(rows in rows()) {
        let columns = columns(&rows);
        let all = encode(&columns);
        let alone: Vec<EncodedKeys> = columns.iter().map(|c| encode(std::slice::from_ref(c))).collect();
        for row in 0..rows.len() {
            let joined: Vec<u8> = alone.iter().flat_map(|keys| keys.key(row).to_vec()).collect();
            prop_assert_eq!(all.key(row), &joined[..]);
        }
    }

    #[test]
    fn slices_encode_as_their_rows(rows in rows(), from in 0usize..20) {
        let from = from.min(rows.len());
        let sliced: Vec<ArrayRef> = columns(&rows).iter().map(|c| c.slice(from, rows.len() - from)).collect();
        let expected = columns(&rows[from..]);
        let (sliced, expected) = (encode(&sliced), encode(&expected));
        prop_assert_eq!(sliced.bytes(), expected.bytes());
    }

    #[test]
    fn every_key_reaches_the_owner_of_its_group(rows in rows(), groups in 1u32..400, parallelism in 1u32..400) {
        let parallelism = parallelism.min(groups);
        for key in encode(&columns(&rows)).iter() {
            let group = key_group(crate::stable_hash(key), groups);
            prop_assert!(group < groups);
            prop_assert!(owned_range(owner(group, parallelism, groups), parallelism, groups).contains(&group));
        }
    }
}
