use super::decimal::{Parsed, parse};
use super::{display, number};
use proptest::prelude::*;

fn text(write: impl FnOnce(&mut Vec<u8>)) -> String {
    let mut out = vec![];
    write(&mut out);
    String::from_utf8(out).unwrap()
}

#[test]
fn floats_as_java_writes_them() {
    let cases = [
        (1.0, "1.0"),
        (-0.0, "-0.0"),
        (100.0, "100.0"),
        (0.001, "0.001"),
        (0.0001, "1.0E-4"),
        (1_234_567.0, "1234567.0"),
        (12_345_678.0, "1.2345678E7"),
        (1e21, "1.0E21"),
        (1.5e-10, "1.5E-10"),
        (123_456.789, "123456.789"),
        (f64::NAN, "NaN"),
        (f64::NEG_INFINITY, "-Infinity"),
    ];
    for (value, expected) in cases {
        assert_eq!(text(|out| display::double(out, value)), expected);
    }
    assert_eq!(text(|out| display::float(out, 0.1)), "0.1");
    assert_eq!(text(|out| display::float(out, 3.402_823_5e38)), "3.4028235E38");
}

#[test]
fn decimals_as_java_writes_them() {
    let cases = [
        (10_000, 2, "100.00"),
        (150, 2, "1.50"),
        (-27, 9, "-2.7E-8"),
        (0, 3, "0.000"),
        (0, 9, "0E-9"),
        (1, 6, "0.000001"),
    ];
    for (unscaled, scale, expected) in cases {
        assert_eq!(text(|out| display::decimal_java(out, unscaled, scale)), expected);
    }
}

#[test]
fn decimals_as_jackson_writes_them() {
    let cases = [
        (10_000, 2, "1E+2"),
        (12_000, 2, "1.2E+2"),
        (1_050, 2, "10.5"),
        (-123_400_000, 2, "-1.234E+6"),
        (27, 9, "2.7E-8"),
        (7, 0, "7"),
        (0, 9, "0"),
    ];
    for (unscaled, scale, expected) in cases {
        assert_eq!(text(|out| display::decimal_short(out, unscaled, scale)), expected);
    }
}

#[test]
fn decimals_round_half_up() {
    let cases: &[(&str, Parsed)] = &[
        ("1.235", Parsed::Value(124)),
        ("-1.235", Parsed::Value(-124)),
        ("1e400", Parsed::Overflow),
        ("1e-400", Parsed::Value(0)),
        ("0e99999999999", Parsed::Value(0)),
        ("99.995", Parsed::Overflow),
        (".5", Parsed::Value(50)),
        ("5.", Parsed::Value(500)),
        (".", Parsed::Malformed),
        ("1e", Parsed::Malformed),
        ("0x1", Parsed::Malformed),
        ("", Parsed::Malformed),
    ];
    for (input, expected) in cases {
        assert_eq!(parse(input.as_bytes(), 4, 2), *expected, "{input}");
    }
}

proptest! {
    #[test]
    fn integers_round_trip(value in any::<i64>(), tail in "[a-z ,}]{0,9}") {
        let printed = format!("{value}{tail}");
        let expected = if tail.trim().is_empty() { Some(value) } else { None };
        prop_assert_eq!(number::integer(printed.as_bytes()), expected);
        let digits = printed.trim_start_matches('-').as_bytes();
        let end = digits.iter().take_while(|b| b.is_ascii_digit()).count();
        prop_assert_eq!(number::unsigned_at(digits, 0), Some((end, value.unsigned_abs())));
    }

    #[test]
    fn doubles_round_trip(bits in any::<u64>()) {
        let value = f64::from_bits(bits);
        let printed = text(|out| display::double(out, value));
        let read = number::double(printed.as_bytes()).unwrap();
        prop_assert!(read.to_bits() == bits || (read.is_nan() && value.is_nan()), "{}", printed);
    }

    #[test]
    fn timestamps_round_trip(ms in -62_135_596_800_000_i64..253_402_300_800_000) {
        use super::temporal::{TimestampParser, TimestampStandard::Sql};
        let printed = text(|out| display::timestamp(out, ms, 1_000, Sql, 0, false));
        prop_assert_eq!(TimestampParser::default().parse(printed.as_bytes(), Sql, 1_000, false), Some(ms));
    }
}
