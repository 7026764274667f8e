use super::*;
use arrow::array::*;
use arrow::datatypes::*;
use proptest::prelude::*;
use std::sync::Arc;

fn codec_of(columns: &[ArrayRef]) -> RowCodec {
    RowCodec::new(&columns.iter().map(|c| c.data_type().clone()).collect::<Vec<_>>()).unwrap()
}

fn round_trip(columns: &[ArrayRef]) -> Vec<ArrayRef> {
    let (codec, mut rows) = (codec_of(columns), EncodedRows::new());
    codec.encode(columns, columns[0].len(), &mut rows).unwrap();
    codec.decode(&rows).unwrap()
}

fn sample() -> Vec<ArrayRef> {
    let list = ListArray::from_iter_primitive::<Int32Type, _, _>(vec![Some(vec![Some(1), None]), None, Some(vec![])]);
    vec![
        Arc::new(Int64Array::from(vec![Some(1), None, Some(i64::MIN)])),
        Arc::new(BooleanArray::from(vec![Some(true), Some(false), None])),
        Arc::new(StringArray::from(vec![Some("a\0b"), Some(""), None])),
        Arc::new(Decimal128Array::from(vec![Some(-1), None, Some(7)]).with_precision_and_scale(38, 3).unwrap()),
        Arc::new(list),
        Arc::new(TimestampMillisecondArray::from(vec![5, 6, 7]).with_timezone("UTC")),
        Arc::new(NullArray::new(3)),
        Arc::new(Int8Array::from(vec![1, 2, 3])),
        Arc::new(BinaryArray::from(vec![Some(&b"x"[..]), None, Some(&[7; 300])])),
        Arc::new(IntervalYearMonthArray::from(vec![1, 2, 3])),
    ]
}

#[test]
fn all_types_come_back() {
    assert_eq!(round_trip(&sample()), sample());
    let slices: Vec<ArrayRef> = sample().iter().map(|c| c.slice(1, 2)).collect();
    assert_eq!(round_trip(&slices), slices);
    let none: Vec<ArrayRef> = sample().iter().map(|c| c.slice(0, 0)).collect();
    assert_eq!(round_trip(&none), none);
}

#[test]
fn the_bytes_are_those_of_version_1() {
    let columns: Vec<ArrayRef> = vec![
        Arc::new(StringArray::from(vec![Some("hi"), None])),
        Arc::new(Int32Array::from(vec![Some(258), None])),
        Arc::new(BooleanArray::from(vec![None, Some(true)])),
    ];
    let mut rows = EncodedRows::new();
    codec_of(&columns).encode(&columns, 2, &mut rows).unwrap();
    assert_eq!(rows.row(0), [0b100, 2, 1, 0, 0, 0, 2, b'h', b'i']);
    assert_eq!(rows.row(1), [0b011, 0, 0, 0, 0, 1]);
}

#[test]
fn no_columns_make_empty_rows() {
    let (codec, mut rows) = (RowCodec::new(&[]).unwrap(), EncodedRows::new());
    codec.encode(&[], 2, &mut rows).unwrap();
    assert_eq!((rows.len(), rows.row(1)), (2, &[][..]));
    assert!(codec.decode(&rows).unwrap().is_empty());
}

#[test]
fn other_columns_are_refused() {
    let columns = sample();
    let codec = codec_of(&columns);
    assert!(codec.encode(&columns[1..], 3, &mut EncodedRows::new()).is_err());
    assert!(codec.encode(&columns, 2, &mut EncodedRows::new()).is_err());
}

proptest! {
    #[test]
    fn rubbish_is_an_error_or_rows(rows in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..80), 0..4)) {
        let slices: Vec<_> = rows.iter().map(Vec::as_slice).collect();
        let _ = codec_of(&sample()).decode_slices(&slices);
        let _ = codec_of(&sample()[..3]).decode_slices(&slices);
    }

    #[test]
    fn cut_rows_are_errors(cut in 1usize..40) {
        let columns = sample();
        let (codec, mut rows) = (codec_of(&columns), EncodedRows::new());
        codec.encode(&columns, 3, &mut rows).unwrap();
        let row = rows.row(0);
        prop_assert!(codec.decode_slices(&[&row[..row.len() - cut.min(row.len())]]).is_err());
    }

    #[test]
    fn text_and_numbers_come_back(values in prop::collection::vec((prop::option::of(".{0,200}"), prop::option::of(any::<i64>())), 1..50)) {
        let text: StringArray = values.iter().map(|v| v.0.clone()).collect();
        let number: Int64Array = values.iter().map(|v| v.1).collect();
        let columns: Vec<ArrayRef> = vec![Arc::new(text), Arc::new(number)];
        prop_assert_eq!(round_trip(&columns), columns);
    }
}
