use crate::testing::{Arg, args, call, check, check_error, check_type, ints, list, null, null_of, words};
use headwater_plan::Value;
use headwater_types::{LogicalType, TypeRoot};

fn no_ints() -> Arg {
    null_of(TypeRoot::Array(Box::new(TypeRoot::Int.into())))
}

fn int(value: i64) -> Arg {
    Arg(LogicalType::from(TypeRoot::Int).not_null(), Value::Int(value))
}

fn no_int() -> Arg {
    null_of(TypeRoot::Int)
}

fn nested(rows: &[&[Option<i64>]]) -> Arg {
    let element = TypeRoot::Array(Box::new(TypeRoot::Int.into()));
    list(element, rows.iter().map(|row| ints(row).1).collect())
}

fn map(entries: &[(&str, &str)]) -> Arg {
    let text = || LogicalType::string();
    let value = |s: &str| Value::String(s.to_owned());
    let entries = entries.iter().map(|(k, v)| (value(k), value(v))).collect();
    Arg(LogicalType::from(TypeRoot::Map(Box::new(text()), Box::new(text()))).not_null(), Value::Map(entries))
}

#[test]
fn construction() {
    check("ARRAY", args![int(1), no_int(), 3], "[1, NULL, 3]");
    check_type("ARRAY", args![int(1), 3], "ARRAY<BIGINT NOT NULL> NOT NULL");
    check_type("ARRAY", args!["a", null()], "ARRAY<STRING> NOT NULL");
    check_error("ARRAY", &[], "ARRAY '['");
    check_error("ARRAY", args![int(1), true], "ARRAY '['");
    check("MAP", args!["k1", int(1), "k2", no_int()], "{k1: 1, k2: NULL}");
    check("MAP", args!["k1", 1, "k2", 2, "k1", 3], "{k1: 3, k2: 2}");
    check_type("MAP", args!["k1", int(1), "k2", no_int()], "MAP<STRING NOT NULL, INT> NOT NULL");
    check_error("MAP", args!["k1"], "MAP '['");
    check_error("MAP", args!["k1", "string", "k2", 12], "MAP '['");
    check_error("MAP", args![null_of(TypeRoot::Int), 1], "must not be NULL");
    check("ROW", args![int(1), "a"], "{EXPR$0: 1, EXPR$1: a}");
    check_type("ROW", args![int(1), null_of(TypeRoot::Date)], "ROW<`EXPR$0` INT NOT NULL, `EXPR$1` DATE> NOT NULL");
}

#[test]
fn access() {
    let array = || ints(&[Some(1), None, Some(3)]);
    check("CARDINALITY", args![array()], "3");
    check("CARDINALITY", args![no_ints()], "NULL");
    check("CARDINALITY", args![map(&[("a", "b")])], "1");
    check("ITEM", args![array(), 3], "3");
    check("ITEM", args![array(), 4], "NULL");
    check("ITEM", args![array(), no_int()], "NULL");
    check("ITEM", args![no_ints(), 1], "NULL");
    check_error("ITEM", args![array(), 0], "needs an index starting at 1 but was 0");
    check("ITEM", args![map(&[("a", "b"), ("c", "d")]), "c"], "d");
    check("ITEM", args![map(&[("a", "b")]), "x"], "NULL");
    check_error("ITEM", args![map(&[("a", "b")]), 12], "ITEM");
    check("ELEMENT", args![words(&[Some("x")])], "x");
    check("ELEMENT", args![words(&[])], "NULL");
    check_error("ELEMENT", args![array()], "more than one element");
    let variant = |json: &str| Arg(TypeRoot::Variant.into(), Value::String(json.to_owned()));
    check("ITEM", args![variant(r#"{"a": [1, "x"]}"#), "a"], r#"[1,"x"]"#);
    check("ITEM", args![variant(r#"[1, "x"]"#), 2], r#""x""#);
    check("ITEM", args![variant("[1]"), 2], "NULL");
    check_type("ITEM", args![array(), 1], "INT");
}

#[test]
fn adding_and_removing() {
    let array = || ints(&[Some(1), Some(2), Some(2), None]);
    check("ARRAY_APPEND", args![array(), no_int()], "[1, 2, 2, NULL, NULL]");
    check("ARRAY_APPEND", args![no_ints(), int(1)], "NULL");
    check("ARRAY_PREPEND", args![array(), int(0)], "[0, 1, 2, 2, NULL]");
    check("ARRAY_REMOVE", args![array(), int(2)], "[1, NULL]");
    check("ARRAY_REMOVE", args![array(), null()], "[1, 2, 2]");
    check("ARRAY_REMOVE", args![nested(&[&[Some(1)], &[]]), ints(&[Some(1)])], "[[]]");
    check_error("ARRAY_APPEND", args![words(&[Some("a")]), int(1)], "ARRAY_APPEND(array <ARRAY>");
    let strict = Arg(
        LogicalType::from(TypeRoot::Array(Box::new(LogicalType::string().not_null()))).not_null(),
        words(&[Some("a")]).1,
    );
    check_type("ARRAY_APPEND", args![strict.clone(), "b"], "ARRAY<STRING NOT NULL> NOT NULL");
    check_type("ARRAY_APPEND", args![strict, null()], "ARRAY<STRING> NOT NULL");
}

#[test]
fn finding() {
    let array = || ints(&[None, Some(1), Some(2), Some(2)]);
    check("ARRAY_CONTAINS", args![array(), int(2)], "true");
    check("ARRAY_CONTAINS", args![array(), int(3)], "false");
    check("ARRAY_CONTAINS", args![array(), null()], "true");
    check("ARRAY_CONTAINS", args![no_ints(), int(3)], "NULL");
    check("ARRAY_POSITION", args![array(), int(2)], "3");
    check("ARRAY_POSITION", args![array(), int(7)], "0");
    check("ARRAY_POSITION", args![array(), no_int()], "NULL");
    check("ARRAY_POSITION", args![nested(&[&[Some(1), None], &[Some(0)]]), ints(&[Some(0)])], "2");
    check_error("ARRAY_POSITION", args![array(), true], "ARRAY_POSITION(haystack <ARRAY>");
}

#[test]
fn slices() {
    let array = || ints(&[Some(1), Some(2), Some(3), Some(4), Some(5)]);
    let cases = [
        (-123, None, "[1, 2, 3, 4, 5]"),
        (0, None, "[1, 2, 3, 4, 5]"),
        (-3, None, "[3, 4, 5]"),
        (9, None, "[]"),
        (-123, Some(-231), "[]"),
        (-5, Some(-5), "[1]"),
        (-6, Some(-5), "[1]"),
        (5, Some(6), "[5]"),
        (20, Some(30), "[]"),
        (1, Some(0), "[1]"),
        (i64::MIN, Some(i64::MAX), "[1, 2, 3, 4, 5]"),
    ];
    for (start, end, expected) in cases {
        let mut args = args![array(), start].to_vec();
        args.extend(end.map(Arg::from));
        check("ARRAY_SLICE", &args, expected);
    }
    check("ARRAY_SLICE", args![array(), null(), 15], "NULL");
    check("ARRAY_REVERSE", args![array()], "[5, 4, 3, 2, 1]");
    check_error("ARRAY_SLICE", args![1, 1], "ARRAY_SLICE(<ARRAY>, <INTEGER>, <INTEGER>)");
}

#[test]
fn sets() {
    let left = || ints(&[Some(1), Some(2), None, Some(2), None]);
    let right = || ints(&[Some(1), None, Some(4)]);
    check("ARRAY_DISTINCT", args![left()], "[1, 2, NULL]");
    check("ARRAY_UNION", args![left(), right()], "[1, 2, NULL, 4]");
    check("ARRAY_EXCEPT", args![left(), right()], "[2]");
    check("ARRAY_INTERSECT", args![left(), right()], "[1, NULL]");
    check("ARRAY_CONCAT", args![left(), right()], "[1, 2, NULL, 2, NULL, 1, NULL, 4]");
    check("ARRAY_CONCAT", args![left()], "[1, 2, NULL, 2, NULL]");
    for name in ["ARRAY_UNION", "ARRAY_EXCEPT", "ARRAY_INTERSECT", "ARRAY_CONCAT"] {
        check(name, args![left(), no_ints()], "NULL");
        check_error(name, args![left(), true], "<COMMON>, <COMMON>");
    }
    check("ARRAY_EXCEPT", args![nested(&[&[Some(1), None], &[Some(0)]]), nested(&[&[Some(0)]])], "[[1, NULL]]");
}

#[test]
fn common_types_of_arrays_are_as_nullable_as_the_most_nullable() {
    let strict = LogicalType::from(TypeRoot::Array(Box::new(LogicalType::from(TypeRoot::Int).not_null())));
    let strict = Arg(strict, ints(&[Some(1)]).1);
    check_type("ARRAY_CONCAT", args![strict.clone(), ints(&[Some(2), None])], "ARRAY<INT>");
    check("ARRAY_UNION", args![strict, ints(&[Some(2), None])], "[1, 2, NULL]");
}

#[test]
fn orders() {
    let array = || ints(&[Some(2), None, Some(3), Some(1)]);
    check("ARRAY_SORT", args![array()], "[NULL, 1, 2, 3]");
    check("ARRAY_SORT", args![array(), true, false], "[1, 2, 3, NULL]");
    check("ARRAY_SORT", args![array(), false], "[3, 2, 1, NULL]");
    check("ARRAY_SORT", args![array(), false, true], "[NULL, 3, 2, 1]");
    check("ARRAY_SORT", args![array(), null()], "NULL");
    check("ARRAY_SORT", args![words(&[Some("b"), Some("B"), Some("ä")])], "[B, b, ä]");
    check("ARRAY_MAX", args![array()], "3");
    check("ARRAY_MIN", args![array()], "1");
    check("ARRAY_MAX", args![ints(&[])], "NULL");
    check("ARRAY_MAX", args![ints(&[None])], "NULL");
    check("ARRAY_MAX", args![words(&[Some("a"), None, Some("bc"), Some("def")])], "def");
    check_error("ARRAY_MAX", args![nested(&[&[]])], "ARRAY_MAX");
    check_error("ARRAY_MAX", args![list(TypeRoot::Boolean, vec![])], "ARRAY_MAX");
}

#[test]
fn joins() {
    let array = || words(&[Some("a"), None, Some("c")]);
    check("ARRAY_JOIN", args![array(), "-"], "a-c");
    check("ARRAY_JOIN", args![array(), "-", "x"], "a-x-c");
    check("ARRAY_JOIN", args![array(), "-", null()], "NULL");
    check("ARRAY_JOIN", args![words(&[]), "-"], "");
    check_error("ARRAY_JOIN", args![ints(&[]), "-"], "ARRAY_JOIN");
}

#[test]
fn maps() {
    let (first, second) = (|| map(&[("a", "1"), ("b", "2")]), || map(&[("b", "3"), ("c", "4")]));
    check("MAP_KEYS", args![first()], "[a, b]");
    check("MAP_VALUES", args![first()], "[1, 2]");
    check("MAP_ENTRIES", args![first()], "[{key: a, value: 1}, {key: b, value: 2}]");
    check("MAP_UNION", args![first(), second()], "{a: 1, b: 3, c: 4}");
    check(
        "MAP_FROM_ARRAYS",
        args![words(&[Some("a"), Some("b"), Some("a")]), ints(&[Some(1), None, Some(3)])],
        "{a: 3, b: NULL}",
    );
    check("MAP_FROM_ARRAYS", args![words(&[]), no_ints()], "NULL");
    let message = "The length of the keys array 1 is not equal to the length of the values array 0";
    check_error("MAP_FROM_ARRAYS", args![words(&[Some("a")]), ints(&[])], message);
    assert!(call("MAP_KEYS", args![1]).is_err());
    check_type("MAP_KEYS", args![first()], "ARRAY<STRING> NOT NULL");
}
