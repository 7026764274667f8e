use super::*;
use arrow::array::{ArrayRef, Int32Array, ListArray, StringArray, StructArray, TimestampMillisecondArray};
use arrow::datatypes::{DataType, Field, Int32Type};
use headwater_types::{LogicalType, RowField, TimeAttribute, TypeRoot};
use std::sync::Arc;

fn text(push: impl FnOnce(&mut String)) -> String {
    let mut out = String::new();
    push(&mut out);
    out
}

#[test]
fn doubles_have_javas_digits_and_layout() {
    let cases = [
        (0.0, "0.0"),
        (-0.0, "-0.0"),
        (1.0, "1.0"),
        (0.1, "0.1"),
        (0.001, "0.001"),
        (0.00099, "9.9E-4"),
        (1e-5, "1.0E-5"),
        (9_999_999.0, "9999999.0"),
        (1e7, "1.0E7"),
        (12_345_678.9, "1.23456789E7"),
        (1e10, "1.0E10"),
        (1.234_567_89e20, "1.23456789E20"),
        (-2.5e-300, "-2.5E-300"),
        (f64::MAX, "1.7976931348623157E308"),
        (f64::MIN_POSITIVE, "2.2250738585072014E-308"),
        (f64::NAN, "NaN"),
        (f64::NEG_INFINITY, "-Infinity"),
        (100.0 / 3.0, "33.333333333333336"),
    ];
    for (value, expected) in cases {
        assert_eq!(text(|out| push_double(out, value)), expected);
    }
    for (value, expected) in [(1.1f32, "1.1"), (1e10, "1.0E10"), (3.4e38, "3.4E38"), (16_777_216.0, "1.6777216E7")] {
        assert_eq!(text(|out| push_float(out, value)), expected);
    }
}

#[test]
fn decimals_show_their_scale() {
    let cases =
        [(0, 0, "0"), (0, 2, "0.00"), (5, 2, "0.05"), (-5, 2, "-0.05"), (12345, 2, "123.45"), (-100, 0, "-100")];
    for (unscaled, scale, expected) in cases {
        assert_eq!(text(|out| push_decimal(out, unscaled, scale)), expected);
    }
}

#[test]
fn temporal_values_follow_flinks_display() {
    assert_eq!(text(|out| push_date(out, 7591)), "1990-10-14");
    assert_eq!(text(|out| push_date(out, -171_500)), "1500-06-14");
    assert_eq!(text(|out| push_time(out, 37_245_000, 0)), "10:20:45");
    assert_eq!(text(|out| push_time(out, 37_245_120, 3)), "10:20:45.12");
    assert_eq!(text(|out| push_time(out, 37_245_000, 3)), "10:20:45.0");
    assert_eq!(text(|out| push_timestamp(out, 0, 123_456_789, 6)), "1970-01-01 00:00:00.123456");
    assert_eq!(text(|out| push_timestamp(out, -1, 0, 0)), "1969-12-31 23:59:59");
    assert_eq!(text(|out| push_interval_year_month(out, 12)), "+1-00");
    assert_eq!(text(|out| push_interval_year_month(out, -26)), "-2-02");
    assert_eq!(text(|out| push_interval_day_time(out, 12 * 86_400_000)), "+12 00:00:00.000");
    assert_eq!(text(|out| push_interval_day_time(out, -12_004)), "-0 00:00:12.004");
}

#[test]
fn nested_values_show_nulls_within() {
    let ty = |root: TypeRoot| LogicalType::from(root);
    let list = ListArray::from_iter_primitive::<Int32Type, _, _>([Some(vec![Some(1), None]), Some(vec![])]);
    let array_type = ty(TypeRoot::Array(Box::new(ty(TypeRoot::Int))));
    assert_eq!(display(&list, &array_type, 0, chrono_tz::UTC), "[1, NULL]");
    assert_eq!(display(&list, &array_type, 1, chrono_tz::UTC), "[]");

    let columns: Vec<(_, ArrayRef)> = vec![
        (Arc::new(Field::new("a", DataType::Int32, true)), Arc::new(Int32Array::from(vec![Some(1)]))),
        (Arc::new(Field::new("b", DataType::Utf8, true)), Arc::new(StringArray::from(vec![None::<&str>]))),
    ];
    let row = StructArray::from(columns);
    let fields = vec![RowField::new("a", ty(TypeRoot::Int)), RowField::new("b", LogicalType::string())];
    assert_eq!(display(&row, &ty(TypeRoot::Row(fields)), 0, chrono_tz::UTC), "(1, NULL)");
}

#[test]
fn local_timestamps_use_the_zone() {
    let array = TimestampMillisecondArray::from(vec![1_616_893_200_000]).with_timezone("UTC");
    let ty = LogicalType::from(TypeRoot::TimestampLtz(3, TimeAttribute::None));
    assert_eq!(display(&array, &ty, 0, chrono_tz::UTC), "2021-03-28 01:00:00.000");
    assert_eq!(display(&array, &ty, 0, chrono_tz::Europe::Berlin), "2021-03-28 03:00:00.000");
}

proptest::proptest! {
    #[test]
    fn text_of_a_double_reads_back(bits: u64) {
        let value = f64::from_bits(bits);
        let shown = text(|out| push_double(out, value));
        if value.is_finite() {
            proptest::prop_assert_eq!(shown.parse::<f64>().unwrap().to_bits(), bits, "{}", shown);
        }
    }

    #[test]
    fn text_of_a_decimal_reads_back(unscaled in -crate::decimal::POWERS[38] + 1..crate::decimal::POWERS[38], scale in 0u8..=38) {
        let shown = text(|out| push_decimal(out, unscaled, scale));
        proptest::prop_assert_eq!(crate::decimal::parse(&shown, (38, scale)), Ok(Some(unscaled)));
    }
}
