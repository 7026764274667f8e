use super::*;
use headwater_types::logical_type::LENGTH_MAX;
use headwater_types::{LogicalType, RowField, TimeAttribute, TypeRoot as T};

fn ty(root: T) -> LogicalType {
    root.into()
}

fn ts(p: u8) -> LogicalType {
    T::Timestamp(p, TimeAttribute::None).into()
}

fn ltz(p: u8) -> LogicalType {
    T::TimestampLtz(p, TimeAttribute::None).into()
}

#[test]
fn common_types_follow_flink() {
    let row = |name: &str, root: T| ty(T::Row(vec![RowField::new(name, ty(root))]));
    let cases = [
        (vec![ty(T::Int), ty(T::BigInt), ty(T::Decimal(2, 2))], Some("DECIMAL(21, 2)")),
        (vec![ty(T::Char(3)), ty(T::Char(5))], Some("VARCHAR(5)")),
        (vec![ty(T::Char(3)), ty(T::Char(3))], Some("CHAR(3)")),
        (vec![ty(T::VarChar(2)), ty(T::Char(5))], Some("VARCHAR(5)")),
        (vec![ty(T::Binary(2)), ty(T::VarBinary(LENGTH_MAX))], Some("BYTES")),
        (vec![ty(T::Float), ty(T::Decimal(5, 2))], Some("DOUBLE")),
        (vec![ty(T::BigInt), ty(T::Float)], Some("FLOAT")),
        (vec![ts(3), ltz(6)], Some("TIMESTAMP_LTZ(6)")),
        (vec![ts(3), ty(T::IntervalDayTime)], Some("TIMESTAMP(3)")),
        (vec![ty(T::Null), ty(T::Int)], Some("INT")),
        (vec![ty(T::Null)], None),
        (vec![ty(T::Int), LogicalType::string()], None),
        (vec![ty(T::Date), ts(3)], Some("DATE")),
        (vec![row("a", T::Int), row("b", T::BigInt)], Some("ROW<`a` BIGINT>")),
        (vec![ty(T::Array(Box::new(ty(T::Int)))), ty(T::Array(Box::new(ty(T::Double))))], Some("ARRAY<DOUBLE>")),
        (vec![ty(T::Decimal(38, 10)), ty(T::Decimal(38, 0))], Some("DECIMAL(38, 0)")),
    ];
    for (types, expected) in cases {
        assert_eq!(common_type(&types).map(|t| t.to_string()).as_deref(), expected, "{types:?}");
    }
    let not_null = ty(T::Int).not_null();
    assert!(!common_type(&[not_null.clone(), not_null.clone()]).unwrap().nullable);
    assert!(common_type(&[not_null, ty(T::Null)]).unwrap().nullable);
}

#[test]
fn least_restrictive_types_follow_flink() {
    let cases = [
        (vec![ty(T::Float), ty(T::Double)], Some("FLOAT")),
        (vec![ty(T::Double), ty(T::Float)], Some("DOUBLE")),
        (vec![ty(T::Int), ty(T::Float)], Some("FLOAT")),
        (vec![ty(T::Decimal(5, 2)), ty(T::Float)], Some("DOUBLE")),
        (vec![ty(T::Float), ty(T::Decimal(5, 2))], Some("DOUBLE")),
        (vec![ty(T::Date), ts(3)], None),
        (vec![ty(T::Int), ty(T::BigInt)], Some("BIGINT")),
    ];
    for (types, expected) in cases {
        assert_eq!(least_restrictive(&types).map(|t| t.to_string()).as_deref(), expected, "{types:?}");
    }
}

#[test]
fn comparisons_read_text_as_the_other_side() {
    let string = LogicalType::string();
    let cases = [
        (ty(T::Int), string.clone(), Some("BIGINT")),
        (string.clone(), ty(T::Date), Some("DATE")),
        (ts(3), ty(T::Date), Some("TIMESTAMP(3)")),
        (ty(T::Decimal(10, 2)), ty(T::Double), Some("DOUBLE")),
        (ty(T::Boolean), ty(T::Int), None),
        (ty(T::Date), ty(T::Int), None),
        (ty(T::Time(0)), ts(3), None),
        (string.clone(), ty(T::Null), Some("STRING")),
    ];
    for (left, right, expected) in cases {
        assert_eq!(comparison_type(&left, &right).map(|t| t.to_string()).as_deref(), expected, "{left} {right}");
    }
}

#[test]
fn decimal_results_give_up_scale_before_whole_digits() {
    assert_eq!(decimal::plus((30, 18), (19, 0)), (38, 18));
    assert_eq!(decimal::plus((38, 8), (32, 8)), (38, 7));
    assert_eq!(decimal::times((30, 6), (30, 10)), (38, 6));
    assert_eq!(decimal::divide((20, 2), (2, 1)), (25, 6));
    assert_eq!(decimal::divide((20, 2), (20, 16)), (38, 6));
    assert_eq!(decimal::modulo((10, 2), (10, 4)), (10, 4));
    assert_eq!(decimal::round((10, 3), 1), (9, 1));
    assert_eq!(decimal::round((10, 3), -1), (8, 0));
}

#[test]
fn aggregates_keep_or_widen_the_argument_type() {
    let cases = [
        ("COUNT", ty(T::Int), Some("BIGINT NOT NULL")),
        ("SUM", ty(T::Int), Some("INT")),
        ("SUM", ty(T::Decimal(10, 2)), Some("DECIMAL(38, 2)")),
        ("AVG", ty(T::Decimal(10, 2)), Some("DECIMAL(38, 6)")),
        ("AVG", ty(T::Int).not_null(), Some("INT NOT NULL")),
        ("FIRST_VALUE", ty(T::Int).not_null(), Some("INT")),
        ("COLLECT", ty(T::Int), Some("MULTISET<INT> NOT NULL")),
        ("ARRAY_AGG", ty(T::Int), Some("ARRAY<INT>")),
        ("LISTAGG", LogicalType::string(), Some("STRING")),
        ("SUM", LogicalType::string(), None),
        ("NO_SUCH", ty(T::Int), None),
    ];
    for (name, arg, expected) in cases {
        assert_eq!(aggregate_type(name, &arg).ok().map(|t| t.to_string()).as_deref(), expected, "{name}({arg})");
    }
}

#[test]
fn casts_exist_as_documented() {
    let string = LogicalType::string();
    let cases = [
        (ty(T::Int), ty(T::BigInt), true, true),
        (ty(T::BigInt), ty(T::Int), false, true),
        (string.clone(), ty(T::Int), false, true),
        (ty(T::Boolean), ty(T::Date), false, false),
        (ts(3), ltz(3), true, true),
        (ty(T::Time(0)), ts(3), false, true),
        (ty(T::Int), ty(T::Boolean), false, true),
        (ty(T::Double), ty(T::Boolean), false, true),
        (ty(T::Array(Box::new(ty(T::Int)))), string, false, true),
        (ty(T::Null), ty(T::Date), true, true),
    ];
    for (from, to, implicit, explicit) in cases {
        assert_eq!(supports_implicit_cast(&from, &to), implicit, "implicit {from} to {to}");
        assert_eq!(supports_explicit_cast(&from, &to), explicit, "explicit {from} to {to}");
    }
    assert!(!supports_implicit_cast(&ty(T::Int), &ty(T::Int).not_null()));
}
