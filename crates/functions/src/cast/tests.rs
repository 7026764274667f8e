use super::array_cast;
use crate::testkit::{array, ty};
use crate::text::display;
use arrow::array::{Array, ArrayRef, Int32Array, ListArray, StringArray, StructArray};
use arrow::datatypes::{DataType, Field};
use chrono_tz::Tz;
use headwater_types::{LogicalType, Result, RowField, TypeRoot};
use std::sync::Arc;

fn cast_in(zone: Tz, arg: (&str, &str), to: &str, try_cast: bool) -> Result<String> {
    let to = ty(to);
    let value = array(arg, zone);
    let cast = array_cast(&ty(arg.0), &to, try_cast, zone)?(&value)?;
    assert_eq!(cast.data_type(), &headwater_data::arrow_type(&to), "{arg:?} to {to}");
    Ok(display(&cast, &to, 0, zone))
}

fn cast(arg: (&str, &str), to: &str) -> String {
    cast_in(Tz::UTC, arg, to, false).unwrap_or_else(|error| error.to_string())
}

#[test]
fn values_become_text_and_take_its_length() {
    let cases = [
        (("INT", "12"), "STRING", "12"),
        (("INT", "12345"), "VARCHAR(3)", "123"),
        (("INT", "12"), "CHAR(4)", "12  "),
        (("STRING", "abc"), "CHAR(5)", "abc  "),
        (("STRING", "añbc"), "VARCHAR(2)", "añ"),
        (("BOOLEAN", "true"), "STRING", "TRUE"),
        (("DOUBLE", "1e10"), "STRING", "1.0E10"),
        (("DECIMAL(10, 3)", "9.87"), "STRING", "9.870"),
        (("BYTES", "hello"), "STRING", "hello"),
        (("STRING", "hello code"), "BINARY(5)", "x'68656c6c6f'"),
        (("STRING", "a"), "BINARY(3)", "x'610000'"),
        (("DATE", "2021-09-24"), "STRING", "2021-09-24"),
        (("TIMESTAMP(6)", "2021-09-24 12:34:56.1"), "STRING", "2021-09-24 12:34:56.100000"),
        (("TIMESTAMP(0)", "2021-09-24 12:34:56.1"), "STRING", "2021-09-24 12:34:56"),
        (("TIME(0)", "12:34:56"), "STRING", "12:34:56"),
        (("MONTHS", "7-09"), "STRING", "+7-09"),
        (("SECONDS", "0 00:00:10.5"), "STRING", "+0 00:00:10.500"),
    ];
    for (arg, to, expected) in cases {
        assert_eq!(cast(arg, to), expected, "{arg:?} to {to}");
    }
}

#[test]
fn text_is_read_without_surrounding_spaces() {
    let cases = [
        (" 123 ", "INT", "123"),
        ("-128", "TINYINT", "-128"),
        ("123.9", "INT", "123"),
        ("-9223372036854775808", "BIGINT", "-9223372036854775808"),
        ("1.5e3", "DOUBLE", "1500.0"),
        ("Infinity", "FLOAT", "Infinity"),
        ("1.237", "DECIMAL(4, 2)", "1.24"),
        ("1234.5", "DECIMAL(4, 2)", "NULL"),
        ("Yes", "BOOLEAN", "TRUE"),
        ("F", "BOOLEAN", "FALSE"),
        ("0", "BOOLEAN", "FALSE"),
        ("2021-09-24", "DATE", "2021-09-24"),
        ("2021-9-4", "DATE", "2021-09-04"),
        ("2021-09-24 12:00:00", "DATE", "2021-09-24"),
        ("1:30:00", "TIME(0)", "01:30:00"),
        ("12:34:56.123", "TIME(3)", "12:34:56.123"),
        ("12:34:56.789", "TIME(0)", "12:34:56"),
        ("2021-09-24", "TIMESTAMP(3)", "2021-09-24 00:00:00.000"),
        ("2021-9-4 1:2:3.123456789", "TIMESTAMP(9)", "2021-09-04 01:02:03.123456789"),
        ("1500-04-30 12:00:00", "TIMESTAMP(3)", "1500-04-30 12:00:00.000"),
    ];
    for (text, to, expected) in cases {
        assert_eq!(cast(("STRING", text), to), expected, "{text} to {to}");
    }
}

#[test]
fn unreadable_text_fails_or_is_null() {
    let cases = [
        ("abc", "INT", "Cannot cast 'abc' to INT: For input string: 'abc'. Invalid character found."),
        ("", "BIGINT", "Input is empty."),
        ("128", "TINYINT", "Overflow."),
        ("1e3", "INT", "Invalid character found."),
        ("inf", "DOUBLE", "Invalid character found."),
        ("maybe", "BOOLEAN", "Cannot parse 'maybe' as BOOLEAN."),
        ("x", "DECIMAL(4, 2)", "Invalid character found."),
        ("2021-13-01", "DATE", "Cannot cast '2021-13-01' to DATE"),
        ("Flink", "TIME(0)", "Cannot cast 'Flink' to TIME(0)"),
        ("2021-09-24 25:00:00", "TIMESTAMP(3)", "to TIMESTAMP(3)"),
        ("2021-09-24T05:00:00", "TIMESTAMP(3)", "to TIMESTAMP(3)"),
        (" 2021-09-24 05:00:00", "TIMESTAMP(3)", "to TIMESTAMP(3)"),
        ("2021-09-24T05:00:00", "DATE", "to DATE"),
        ("1.9", "TIME(0)", "to TIME(0)"),
        ("TRUE ", "BOOLEAN", "Cannot parse 'TRUE ' as BOOLEAN."),
    ];
    for (text, to, expected) in cases {
        let message = cast(("STRING", text), to);
        assert!(message.contains(expected), "{text} to {to}: {message}");
        assert_eq!(cast_in(Tz::UTC, ("STRING", text), to, true).unwrap(), "NULL", "{text} to {to}");
    }
}

#[test]
fn numbers_narrow_as_in_java() {
    let cases = [
        (("INT", "40000"), "SMALLINT", "-25536"),
        (("BIGINT", "2147483648"), "INT", "-2147483648"),
        (("DOUBLE", "1e20"), "INT", "2147483647"),
        (("DOUBLE", "1e20"), "TINYINT", "-1"),
        (("DOUBLE", "-3.9"), "INT", "-3"),
        (("DOUBLE", "NaN"), "BIGINT", "0"),
        (("DOUBLE", "1e40"), "FLOAT", "Infinity"),
        (("DECIMAL(10, 2)", "-12.99"), "INT", "-12"),
        (("DECIMAL(20, 0)", "4294967297"), "INT", "1"),
        (("DECIMAL(10, 2)", "12.34"), "DOUBLE", "12.34"),
        (("DOUBLE", "12.345"), "DECIMAL(10, 2)", "12.35"),
        (("DOUBLE", "1000"), "DECIMAL(4, 2)", "NULL"),
        (("INT", "123"), "DECIMAL(4, 2)", "NULL"),
        (("DECIMAL(10, 3)", "9.875"), "DECIMAL(10, 2)", "9.88"),
        (("BOOLEAN", "true"), "INT", "1"),
        (("BOOLEAN", "true"), "DECIMAL(3, 1)", "1.0"),
        (("INT", "2"), "BOOLEAN", "TRUE"),
        (("DOUBLE", "0.5"), "BOOLEAN", "TRUE"),
        (("DECIMAL(4, 2)", "0"), "BOOLEAN", "FALSE"),
        (("INT", "5"), "MONTHS", "+0-05"),
        (("SECONDS", "0 00:00:01"), "BIGINT", "1000"),
    ];
    for (arg, to, expected) in cases {
        assert_eq!(cast(arg, to), expected, "{arg:?} to {to}");
    }
    assert!(cast(("BOOLEAN", "true"), "DATE").contains("not supported"));
}

#[test]
fn points_in_time_convert_by_the_session_zone() {
    let shanghai = chrono_tz::Asia::Shanghai;
    let cases = [
        (("TIMESTAMP(3)", "2021-09-24 08:00:00"), "TIMESTAMP_LTZ(3)", "2021-09-24 08:00:00.000"),
        (("TIMESTAMP_LTZ(6)", "2021-09-24 08:00:00.123456"), "TIMESTAMP(3)", "2021-09-24 08:00:00.123"),
        (("TIMESTAMP_LTZ(3)", "2021-09-24 00:30:00"), "DATE", "2021-09-24"),
        (("TIMESTAMP_LTZ(3)", "2021-09-24 00:30:00"), "TIME(0)", "00:30:00"),
        (("DATE", "2021-09-24"), "TIMESTAMP_LTZ(0)", "2021-09-24 00:00:00"),
        (("TIME(0)", "12:34:56"), "TIMESTAMP(3)", "1970-01-01 12:34:56.000"),
        (("TIMESTAMP(9)", "1970-01-01 00:00:00.123456789"), "TIMESTAMP(6)", "1970-01-01 00:00:00.123456"),
        (("TIMESTAMP(3)", "1969-12-31 23:59:59.999"), "DATE", "1969-12-31"),
    ];
    for (arg, to, expected) in cases {
        assert_eq!(cast_in(shanghai, arg, to, false).unwrap(), expected, "{arg:?} to {to}");
    }
    let instant = array(("TIMESTAMP_LTZ(3)", "1970-01-01 08:00:00"), shanghai);
    assert_eq!(display(&instant, &ty("TIMESTAMP_LTZ(3)"), 0, Tz::UTC), "1970-01-01 00:00:00.000");
    assert!(cast(("STRING", "1500-04-30 12:00:00"), "TIMESTAMP(9)").contains("outside the range"));
}

#[test]
fn variants_hold_numbers_texts_and_booleans() {
    let cases = [
        ("42", "INT", "42"),
        ("40000", "SMALLINT", "-25536"),
        ("9223372036854775808", "BIGINT", "-9223372036854775808"),
        ("1e20", "INT", "2147483647"),
        ("3.9", "INT", "3"),
        ("1e40", "FLOAT", "Infinity"),
        ("true", "BOOLEAN", "TRUE"),
        ("null", "INT", "NULL"),
        ("\"foo\"", "STRING", "foo"),
    ];
    for (json, to, expected) in cases {
        assert_eq!(cast(("VARIANT", json), to), expected, "{json} to {to}");
    }
    assert_eq!(cast_in(Tz::UTC, ("VARIANT", "\"foo\""), "INT", true).unwrap(), "NULL");
    assert!(cast(("VARIANT", "\"foo\""), "INT").contains("Cannot cast"));
}

fn row_type(fields: &[(&str, &str)]) -> LogicalType {
    LogicalType::from(TypeRoot::Row(fields.iter().map(|(name, t)| RowField::new(*name, ty(t))).collect()))
}

fn int_and_text(texts: Vec<&str>) -> StructArray {
    let ints: ArrayRef = Arc::new(Int32Array::from(vec![1; texts.len()]));
    let texts: ArrayRef = Arc::new(StringArray::from(texts));
    StructArray::from(vec![
        (Arc::new(Field::new("a", DataType::Int32, true)), ints),
        (Arc::new(Field::new("b", DataType::Utf8, true)), texts),
    ])
}

#[test]
fn a_failing_part_fails_its_row_only() {
    let (from, to) = (row_type(&[("a", "INT"), ("b", "STRING")]), row_type(&[("x", "TINYINT"), ("y", "TIME(0)")]));
    let rows: ArrayRef = Arc::new(int_and_text(vec!["abc", "12:34:56"]));
    assert!(array_cast(&from, &to, false, Tz::UTC).unwrap()(&rows).is_err());
    let cast = array_cast(&from, &to, true, Tz::UTC).unwrap()(&rows).unwrap();
    let shown: Vec<_> = (0..2).map(|row| display(&cast, &to, row, Tz::UTC)).collect();
    assert_eq!(shown, ["NULL", "(1, 12:34:56)"]);
}

#[test]
fn parts_under_null_rows_are_not_cast() {
    let (from, to) = (row_type(&[("a", "INT"), ("b", "STRING")]), row_type(&[("a", "INT"), ("b", "INT")]));
    let (fields, columns, _) = int_and_text(vec!["abc", "7"]).into_parts();
    let rows: ArrayRef = Arc::new(StructArray::new(fields, columns, Some(vec![false, true].into())));
    let cast = array_cast(&from, &to, false, Tz::UTC).unwrap()(&rows).unwrap();
    assert_eq!((cast.is_null(0), display(&cast, &to, 1, Tz::UTC)), (true, "(1, 7)".to_owned()));
}

#[test]
fn slices_of_lists_cast_their_own_elements() {
    let (from, to) = (TypeRoot::Array(Box::new(ty("INT"))).into(), TypeRoot::Array(Box::new(ty("STRING"))).into());
    let lists = ListArray::from_iter_primitive::<arrow::datatypes::Int32Type, _, _>([
        Some(vec![Some(1)]),
        Some(vec![Some(2), None]),
    ]);
    let slice: ArrayRef = Arc::new(lists.slice(1, 1));
    let cast = array_cast(&from, &to, false, Tz::UTC).unwrap()(&slice).unwrap();
    assert_eq!(display(&cast, &to, 0, Tz::UTC), "[2, NULL]");
}
