use super::equality;
use crate::testkit::{check, check_error, check_in, check_typed};
use arrow::array::{Int32Builder, ListArray, MapBuilder, StringBuilder};
use arrow::datatypes::Int32Type;

#[test]
fn values_compare_after_taking_one_type() {
    let cases = [
        ("=", ("INT", "1"), ("DECIMAL(8, 4)", "1"), "TRUE"),
        ("=", ("DECIMAL(8, 2)", "1"), ("DOUBLE", "1.0"), "TRUE"),
        ("<", ("DECIMAL(1, 0)", "1"), ("INT", "99"), "TRUE"),
        ("=", ("STRING", "7"), ("INT", "7"), "TRUE"),
        (
            ">",
            ("TIMESTAMP(9)", "1970-01-01 00:00:00.123456789"),
            ("TIMESTAMP(9)", "1970-01-01 00:00:00.123456788"),
            "TRUE",
        ),
        ("<>", ("DATE", "1990-10-14"), ("TIMESTAMP(3)", "1990-10-14 10:20:45.123"), "TRUE"),
        ("<=", ("BYTES", "hello code"), ("BYTES", "hello cast"), "FALSE"),
        (">=", ("BOOLEAN", "true"), ("BOOLEAN", "false"), "TRUE"),
        ("=", ("SECONDS", "2"), ("SECONDS", "2"), "TRUE"),
        ("<", ("MONTHS", "1-0"), ("MONTHS", "1-1"), "TRUE"),
        ("=", ("INT", "NULL"), ("INT", "1"), "NULL"),
        ("=", ("NULL", "NULL"), ("INT", "1"), "NULL"),
        ("=", ("DOUBLE", "NaN"), ("DOUBLE", "NaN"), "FALSE"),
        ("<>", ("DOUBLE", "NaN"), ("DOUBLE", "NaN"), "TRUE"),
        ("=", ("DOUBLE", "0.0"), ("DOUBLE", "-0.0"), "TRUE"),
        ("<", ("DECIMAL(38, 0)", "1"), ("DECIMAL(38, 28)", "1.0000000000000000000000000001"), "TRUE"),
        ("=", ("CHAR(3)", "abc"), ("STRING", "abc"), "TRUE"),
    ];
    for (name, left, right, expected) in cases {
        check(name, &[left, right], expected);
    }
    check_typed("=", &[("INT NOT NULL", "1"), ("INT NOT NULL", "1")], "BOOLEAN NOT NULL", "TRUE");
    check_error("=", &[("BOOLEAN", "true"), ("INT", "1")], "Cannot apply '='");
}

#[test]
fn text_that_is_no_time_is_unknown() {
    check("=", &[("DATE", "1996-11-10"), ("STRING", "1996-11-10")], "TRUE");
    check("=", &[("STRING", "not a date"), ("DATE", "1996-11-10")], "NULL");
    check("=", &[("TIME(0)", "12:34:56"), ("STRING", "13:34:56")], "FALSE");
    let args = [("TIMESTAMP_LTZ(6)", "1996-11-10 12:34:56"), ("STRING", "1996-11-10 12:34:56")];
    check_in(chrono_tz::Asia::Shanghai, "=", &args, "TRUE");
    let args = [("TIMESTAMP_LTZ(3)", "1996-11-10 12:34:56"), ("TIMESTAMP(3)", "1996-11-10 12:34:56")];
    check_in(chrono_tz::Asia::Shanghai, "=", &args, "TRUE");
}

#[test]
fn distinctness_knows_null() {
    let (null, one, two) = (("INT", "NULL"), ("INT", "1"), ("INT", "2"));
    for (left, right, distinct) in [(null, null, "FALSE"), (null, one, "TRUE"), (one, one, "FALSE"), (one, two, "TRUE")]
    {
        check_typed("IS DISTINCT FROM", &[left, right], "BOOLEAN NOT NULL", distinct);
        let same = if distinct == "TRUE" { "FALSE" } else { "TRUE" };
        check("IS NOT DISTINCT FROM", &[left, right], same);
    }
    check_typed("IS NULL", &[null], "BOOLEAN NOT NULL", "TRUE");
    check("IS NOT NULL", &[null], "FALSE");
    check("IS NULL", &[("NULL", "NULL")], "TRUE");
}

#[test]
fn like_has_wildcards_and_an_escape() {
    let cases = [
        ("TEST", "%EST", "TRUE"),
        ("abcxxxdef", "%%def", "TRUE"),
        ("abcxxxdef", "abdxxxdef", "FALSE"),
        ("abcxxxdef", "%abc%qef", "FALSE"),
        ("abcxxxdef", "a%x%f", "TRUE"),
        ("a", " _", "FALSE"),
        ("这是个测试字符串", "%测试%", "TRUE"),
        ("测", "_", "TRUE"),
        ("TE_ST", r"%E\_S%", "FALSE"),
        ("", "%", "TRUE"),
        ("", "_", "FALSE"),
        ("aab", "%ab", "TRUE"),
        ("ab", "a%b_", "FALSE"),
    ];
    for (text, pattern, expected) in cases {
        check("LIKE", &[("STRING", text), ("STRING", pattern)], expected);
    }
    let escaped = [
        ("%EST", ".%EST", ".", "TRUE"),
        ("TE-ST", "%E#_S%", "#", "FALSE"),
        ("TE_ST", "TE%_ST", "%", "TRUE"),
        ("TE-ST", "%E__S%", "_", "FALSE"),
        ("TE_ST", r"%E\_S%", r"\", "TRUE"),
    ];
    for (text, pattern, escape, expected) in escaped {
        check("LIKE", &[("STRING", text), ("STRING", pattern), ("STRING", escape)], expected);
    }
    check("LIKE", &[("STRING", "a"), ("STRING", "NULL")], "NULL");
    check_error("LIKE", &[("STRING", "a"), ("STRING", "a"), ("STRING", "ab")], "Invalid escape character");
    check_error("LIKE", &[("STRING", "a"), ("STRING", "#a"), ("STRING", "#")], "Invalid escape sequence");
}

#[test]
fn similar_to_is_a_regular_expression() {
    let cases = [
        ("TEST", ".EST", "TRUE"),
        ("This is a test String.", "This (is)? a (test)+ Strin_*", "TRUE"),
        ("This is a test String.", "_*", "TRUE"),
        ("abc", "ab", "FALSE"),
        ("abc1", "[[:ALPHA:]]+[[:DIGIT:]]", "TRUE"),
        ("b", "[^A-Z]", "TRUE"),
        ("abc", "a%", "TRUE"),
    ];
    for (text, pattern, expected) in cases {
        check("SIMILAR TO", &[("STRING", text), ("STRING", pattern)], expected);
    }
    let escaped = [("TEST", ":.EST", ":", "TRUE"), ("*_This", "&*&__*", "&", "TRUE"), ("This", "&*&__*", "&", "FALSE")];
    for (text, pattern, escape, expected) in escaped {
        check("SIMILAR TO", &[("STRING", text), ("STRING", pattern), ("STRING", escape)], expected);
    }
    check_error("SIMILAR TO", &[("STRING", "a"), ("STRING", "(")], "not a pattern");
}

#[test]
fn collections_are_equal_when_their_parts_are() {
    let lists = ListArray::from_iter_primitive::<Int32Type, _, _>([
        Some(vec![Some(1), None]),
        Some(vec![Some(1), None]),
        Some(vec![Some(1)]),
        None,
    ]);
    let equal = equality(&lists, &lists).unwrap();
    assert!(equal(0, 1) && !equal(0, 2) && !equal(2, 3) && equal(3, 3));

    let mut maps = MapBuilder::new(None, StringBuilder::new(), Int32Builder::new());
    for entries in [[("a", 1), ("b", 2)], [("b", 2), ("a", 1)], [("a", 1), ("b", 3)]] {
        for (key, value) in entries {
            maps.keys().append_value(key);
            maps.values().append_value(value);
        }
        maps.append(true).unwrap();
    }
    let maps = maps.finish();
    let equal = equality(&maps, &maps).unwrap();
    assert!(equal(0, 1) && !equal(0, 2));
}

#[test]
fn truth_is_two_valued_after_a_test() {
    let (t, f, u) = (("BOOLEAN", "true"), ("BOOLEAN", "false"), ("BOOLEAN", "NULL"));
    let cases = [
        ("IS TRUE", ["TRUE", "FALSE", "FALSE"]),
        ("IS NOT TRUE", ["FALSE", "TRUE", "TRUE"]),
        ("IS FALSE", ["FALSE", "TRUE", "FALSE"]),
        ("IS NOT FALSE", ["TRUE", "FALSE", "TRUE"]),
        ("IS UNKNOWN", ["FALSE", "FALSE", "TRUE"]),
        ("IS NOT UNKNOWN", ["TRUE", "TRUE", "FALSE"]),
        ("NOT", ["FALSE", "TRUE", "NULL"]),
    ];
    for (name, expected) in cases {
        for (arg, expected) in [t, f, u].into_iter().zip(expected) {
            check(name, &[arg], expected);
        }
    }
}
