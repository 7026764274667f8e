use super::Accumulator;
use super::factory::{Aggregates, Rows};
use crate::testing::*;
use arrow::array::ArrayRef;
use headwater_data::arrow_type;
use headwater_expressions::value::{array_from_values, value_at};
use headwater_plan::Value;
use headwater_plan::operators::AggregateCall;
use headwater_types::{LogicalType, TypeRoot};
use proptest::prelude::*;
use std::collections::BTreeSet;

fn decimal(precision: u8, scale: u8) -> LogicalType {
    TypeRoot::Decimal(precision, scale).into()
}

fn double() -> LogicalType {
    TypeRoot::Double.into()
}

fn array_of(ty: LogicalType) -> LogicalType {
    TypeRoot::Array(Box::new(ty)).into()
}

fn multiset_of(ty: LogicalType) -> LogicalType {
    TypeRoot::Multiset(Box::new(ty)).into()
}

/// The result of a call over the values of one group, each with a sign.
fn result(call: &AggregateCall, ty: &LogicalType, values: &[(i8, Value)], retract: bool) -> Value {
    let aggregates = Aggregates::new(std::slice::from_ref(call), std::slice::from_ref(ty), retract).unwrap();
    let mut accumulators = aggregates.accumulators().unwrap();
    accumulators[0].grow(1);
    let column = array_from_values(&values.iter().map(|(_, v)| v.clone()).collect::<Vec<_>>(), ty).unwrap();
    let signs: Vec<i8> = values.iter().map(|(sign, _)| *sign).collect();
    let signs = signs.iter().any(|sign| *sign != 1).then_some(signs.as_slice());
    let rows = Rows { columns: &[column], range: 0..values.len(), signs, sequence: 0 };
    aggregates.update(&mut accumulators, &vec![0; values.len()], &rows).unwrap();
    let array = accumulators[0].evaluate(&[0]).unwrap();
    assert_eq!(array.data_type(), &arrow_type(&call.ty), "{}", call.function);
    value_at(&array, 0, &call.ty).unwrap()
}

fn check(function: &str, arg: &LogicalType, ty: LogicalType, values: &[Value], expected: Value) {
    let call = aggregate(function, &[0], ty);
    let added: Vec<_> = values.iter().map(|v| (1, v.clone())).collect();
    for retract in [false, true] {
        assert_eq!(result(&call, arg, &added, retract), expected, "{function}({arg}), retract {retract}");
    }
}

#[test]
fn variances_beyond_the_type_narrow_as_in_java() {
    let added = [(1, i(-2_000_000)), (1, i(2_000_000))];
    for (function, ty, expected) in [
        ("VAR_POP", int(), i(i32::MAX.into())),
        ("VAR_POP", bigint(), i(4_000_000_000_000)),
        ("STDDEV_POP", int(), i(2_000_000)),
    ] {
        assert_eq!(result(&aggregate(function, &[0], ty), &int(), &added, false), expected, "{function}");
    }
}

#[test]
fn results_over_integers() {
    let values = [i(4), Value::Null, i(-7), i(4)];
    for (function, ty, expected) in [
        ("COUNT", bigint(), i(3)),
        ("APPROX_COUNT_DISTINCT", bigint(), i(2)),
        ("SUM", int(), i(1)),
        ("$SUM0", int(), i(1)),
        ("AVG", int(), i(0)),
        ("MIN", int(), i(-7)),
        ("MAX", int(), i(4)),
        ("FIRST_VALUE", int(), i(4)),
        ("LAST_VALUE", int(), i(4)),
        ("VAR_POP", int(), i(26)),
        ("STDDEV_POP", int(), i(5)),
        ("VAR_SAMP", double(), Value::Float(121.0 / 3.0)),
        ("ARRAY_AGG", array_of(int()), Value::List(values.to_vec())),
        ("COLLECT", multiset_of(int()), Value::Map(vec![(i(4), i(2)), (i(-7), i(1))])),
    ] {
        let close = |value: Value| match value {
            Value::Float(f) => Value::Float((f * 1e9).round() / 1e9),
            other => other,
        };
        let call = aggregate(function, &[0], ty);
        let added: Vec<_> = values.iter().map(|v| (1, v.clone())).collect();
        for retract in [false, true] {
            assert_eq!(close(result(&call, &int(), &added, retract)), close(expected.clone()), "{function}");
        }
    }
}

#[test]
fn results_over_no_values_are_null_or_zero() {
    for (function, ty, expected) in [
        ("COUNT", bigint(), i(0)),
        ("SUM", int(), Value::Null),
        ("$SUM0", int(), i(0)),
        ("AVG", int(), Value::Null),
        ("MAX", int(), Value::Null),
        ("LAST_VALUE", int(), Value::Null),
        ("STDDEV_SAMP", int(), Value::Null),
        ("COLLECT", multiset_of(int()), Value::Map(vec![])),
    ] {
        check(function, &int(), ty, &[Value::Null], expected);
    }
    check("LISTAGG", &string(), string(), &[Value::Null], Value::Null);
}

#[test]
fn sums_wrap_and_decimal_sums_overflow_to_null() {
    check("SUM", &int(), int(), &[i(i64::from(i32::MAX)), i(1)], i(i64::from(i32::MIN)));
    let huge = Value::Decimal(10i128.pow(38) - 1);
    check("SUM", &decimal(38, 0), decimal(38, 0), &[huge.clone(), huge.clone()], Value::Null);
    check("SUM", &decimal(38, 0), decimal(38, 0), std::slice::from_ref(&huge), huge.clone());
}

#[test]
fn decimal_averages_round_half_up_to_their_scale() {
    let values = [100, 100, 0].map(Value::Decimal);
    check("AVG", &decimal(10, 2), decimal(38, 6), &values, Value::Decimal(666_667));
    let values = [-100, -100, 0].map(Value::Decimal);
    check("AVG", &decimal(10, 2), decimal(38, 6), &values, Value::Decimal(-666_667));
}

#[test]
fn extremes_of_other_types() {
    let texts = ["b", "", "ab"].map(s);
    check("MIN", &string(), string(), &texts, s(""));
    check("MAX", &string(), string(), &texts, s("b"));
    check("MAX", &boolean(), boolean(), &[false, true].map(Value::Boolean), Value::Boolean(true));
    check("MIN", &double(), double(), &[1.5, -2.5].map(Value::Float), Value::Float(-2.5));
    check("MAX", &decimal(10, 2), decimal(10, 2), &[5, -9].map(Value::Decimal), Value::Decimal(5));
    check("MIN", &timestamp(), timestamp(), &[i(5), i(4)], i(4));
}

#[test]
fn listagg_joins_with_its_separator() {
    let values = [s("a"), Value::Null, s("b")];
    check("LISTAGG", &string(), string(), &values, s("a,b"));
    let call = AggregateCall { parameters: vec![s("; ")], ..aggregate("LISTAGG", &[0], string()) };
    let added: Vec<_> = values.iter().map(|v| (1, v.clone())).collect();
    assert_eq!(result(&call, &string(), &added, false), s("a; b"));
}

#[test]
fn a_single_value_may_not_be_two() {
    check("SINGLE_VALUE", &int(), int(), &[i(3)], i(3));
    let aggregates = Aggregates::new(&[aggregate("SINGLE_VALUE", &[0], int())], &[int()], false).unwrap();
    let mut accumulators = aggregates.accumulators().unwrap();
    accumulators[0].grow(1);
    let column = array_from_values(&[i(1), i(2)], &int()).unwrap();
    let rows = Rows { columns: &[column], range: 0..2, signs: None, sequence: 0 };
    assert!(aggregates.update(&mut accumulators, &[0, 0], &rows).is_err());
}

#[test]
fn unknown_aggregates_are_refused_when_built() {
    assert!(Aggregates::new(&[aggregate("MODE", &[0], int())], &[int()], false).is_err());
    assert!(Aggregates::new(&[aggregate("SUM", &[0], string())], &[string()], false).is_err());
    assert!(Aggregates::new(&[aggregate("SUM", &[3], int())], &[int()], false).is_err());
}

#[test]
fn a_filter_decides_which_rows_count() {
    let call = AggregateCall { filter: Some(1), ..aggregate("SUM", &[0], int()) };
    let aggregates = Aggregates::new(&[call], &[int(), boolean()], false).unwrap();
    let mut accumulators = aggregates.accumulators().unwrap();
    accumulators[0].grow(1);
    let columns = [
        array_from_values(&[i(1), i(2), i(4)], &int()).unwrap(),
        array_from_values(&[Value::Boolean(true), Value::Null, Value::Boolean(false)], &boolean()).unwrap(),
    ];
    let rows = Rows { columns: &columns, range: 0..3, signs: None, sequence: 0 };
    aggregates.update(&mut accumulators, &[0, 0, 0], &rows).unwrap();
    assert_eq!(value_at(&accumulators[0].evaluate(&[0]).unwrap(), 0, &int()).unwrap(), i(1));
}

fn all_calls() -> Vec<AggregateCall> {
    let plain = [
        ("COUNT", bigint()),
        ("SUM", int()),
        ("AVG", int()),
        ("MIN", int()),
        ("MAX", int()),
        ("FIRST_VALUE", int()),
        ("LAST_VALUE", int()),
        ("ARRAY_AGG", array_of(int())),
    ]
    .map(|(function, ty)| aggregate(function, &[0], ty));
    let mut calls = plain.to_vec();
    calls.push(distinct(aggregate("COUNT", &[0], bigint())));
    calls.push(distinct(aggregate("SUM", &[0], int())));
    calls
}

/// What [`all_calls`] answer for the values of a group, in arrival order.
fn expected(values: &[Option<i64>]) -> Vec<Value> {
    let present: Vec<i64> = values.iter().flatten().copied().collect();
    let different: BTreeSet<i64> = present.iter().copied().collect();
    let some = |value: i64| if present.is_empty() { Value::Null } else { i(value) };
    let all = if values.is_empty() { Value::Null } else { Value::List(values.iter().map(|v| optional(*v)).collect()) };
    vec![
        i(present.len() as i64),
        some(present.iter().sum()),
        some(present.iter().sum::<i64>() / (present.len() as i64).max(1)),
        optional(present.iter().min().copied()),
        optional(present.iter().max().copied()),
        optional(present.first().copied()),
        optional(present.last().copied()),
        all,
        i(different.len() as i64),
        some(different.iter().sum()),
    ]
}

fn evaluate(accumulators: &[Box<dyn Accumulator>], group: u32) -> Vec<Value> {
    let one =
        |a: &dyn Accumulator, call: &AggregateCall| value_at(&a.evaluate(&[group]).unwrap(), 0, &call.ty).unwrap();
    accumulators.iter().zip(&all_calls()).map(|(a, call)| one(a.as_ref(), call)).collect()
}

const GROUPS: usize = 3;

fn update(
    aggregates: &Aggregates,
    accumulators: &mut [Box<dyn Accumulator>],
    rows: &[(u32, Option<i64>, i8)],
    sequence: u64,
) {
    accumulators.iter_mut().for_each(|a| a.grow(GROUPS));
    let column: ArrayRef =
        array_from_values(&rows.iter().map(|(_, v, _)| optional(*v)).collect::<Vec<_>>(), &int()).unwrap();
    let groups: Vec<u32> = rows.iter().map(|(group, ..)| *group).collect();
    let signs: Vec<i8> = rows.iter().map(|(.., sign)| *sign).collect();
    let signs = signs.iter().any(|s| *s != 1).then_some(signs.as_slice());
    let rows = Rows { columns: &[column], range: 0..groups.len(), signs, sequence };
    aggregates.update(accumulators, &groups, &rows).unwrap();
}

fn added() -> impl Strategy<Value = Vec<(u32, Option<i64>, i8)>> {
    prop::collection::vec((0..GROUPS as u32, prop::option::of(-3i64..4), Just(1i8)), 0..30)
}

fn of_group(rows: &[(u32, Option<i64>, i8)], group: u32) -> Vec<Option<i64>> {
    rows.iter().filter(|row| row.0 == group).map(|row| row.1).collect()
}

proptest! {
    /// Slices merged in memory, slices merged through bytes, and one accumulator agree.
    #[test]
    fn merging_equals_adding(first in added(), second in added(), retract in prop::bool::ANY) {
        let aggregates = Aggregates::new(&all_calls(), &[int()], retract).unwrap();
        let mut left = aggregates.accumulators().unwrap();
        let mut right = aggregates.accumulators().unwrap();
        let mut through_bytes = aggregates.accumulators().unwrap();
        update(&aggregates, &mut left, &first, 0);
        update(&aggregates, &mut right, &second, first.len() as u64);
        through_bytes.iter_mut().for_each(|a| a.grow(GROUPS));
        for side in [&left, &right] {
            for (target, source) in through_bytes.iter_mut().zip(side) {
                for group in 0..GROUPS as u32 {
                    let mut bytes = vec![];
                    source.encode(group, &mut bytes);
                    target.merge_encoded(group, &bytes).unwrap();
                }
            }
        }
        // Group numbers of the two sides need not agree: rotate them.
        let rotated: Vec<u32> = (0..GROUPS as u32).map(|g| (g + 1) % GROUPS as u32).collect();
        let mut merged = aggregates.accumulators().unwrap();
        for (target, (l, r)) in merged.iter_mut().zip(left.iter().zip(&right)) {
            target.grow(GROUPS);
            target.merge(l.as_ref(), &rotated).unwrap();
            target.merge(r.as_ref(), &rotated).unwrap();
        }
        let all: Vec<_> = first.iter().chain(&second).copied().collect();
        for group in 0..GROUPS as u32 {
            let expected = expected(&of_group(&all, group));
            prop_assert_eq!(evaluate(&merged, rotated[group as usize]), expected.clone());
            prop_assert_eq!(evaluate(&through_bytes, group), expected);
        }
        merged.iter_mut().for_each(|a| a.clear(0));
        prop_assert_eq!(evaluate(&merged, 0), self::expected(&[]));
    }

    /// Taking rows back leaves what adding only the others gives.
    #[test]
    fn taking_back_undoes_adding(rows in added(), choices in prop::collection::vec(any::<prop::sample::Index>(), 0..20)) {
        let aggregates = Aggregates::new(&all_calls(), &[int()], true).unwrap();
        let mut accumulators = aggregates.accumulators().unwrap();
        let mut left = rows.clone();
        let mut all = rows.clone();
        for choice in choices {
            if left.is_empty() {
                break;
            }
            let (group, value, _) = left[choice.index(left.len())];
            // Of equal values the first is taken back.
            let position = left.iter().position(|row| row.0 == group && row.1 == value).unwrap();
            left.remove(position);
            all.push((group, value, -1));
        }
        let (start, end) = all.split_at(all.len() / 2);
        update(&aggregates, &mut accumulators, start, 0);
        update(&aggregates, &mut accumulators, end, start.len() as u64);
        for group in 0..GROUPS as u32 {
            prop_assert_eq!(evaluate(&accumulators, group), expected(&of_group(&left, group)));
        }
    }
}

#[test]
fn json_texts() {
    let values = [(1, s("b")), (1, Value::Null), (1, s("a\"")), (1, s("b")), (-1, s("b"))];
    for (parameters, expected) in [(vec![], r#"["a\"","b"]"#), (vec![Value::Boolean(false)], r#"[null,"a\"","b"]"#)] {
        let call = AggregateCall { parameters, ..aggregate("JSON_ARRAYAGG", &[0], string()) };
        assert_eq!(result(&call, &string(), &values, true), s(expected));
    }
    let nothing = aggregate("JSON_ARRAYAGG", &[0], string());
    assert_eq!(result(&nothing, &string(), &[], true), s("[]"));
}

#[test]
fn json_objects_have_each_key_once() {
    let types = [string(), int()];
    let call = aggregate("JSON_OBJECTAGG", &[0, 1], string());
    let aggregates = Aggregates::new(&[call], &types, true).unwrap();
    let mut accumulators = aggregates.accumulators().unwrap();
    accumulators[0].grow(1);
    let rows = [vec![s("k"), i(1)], vec![s("a"), Value::Null], vec![Value::Null, i(3)]];
    let batch = batch(&types, &rows);
    let rows = Rows { columns: batch.rows().columns(), range: 0..3, signs: None, sequence: 0 };
    aggregates.update(&mut accumulators, &[0; 3], &rows).unwrap();
    let text = accumulators[0].evaluate(&[0]).unwrap();
    assert_eq!(value_at(&text, 0, &string()).unwrap(), s(r#"{"a":null,"k":1}"#));
    aggregates.update(&mut accumulators, &[0; 3], &rows).unwrap();
    let error = accumulators[0].evaluate(&[0]).unwrap_err().to_string();
    assert!(error.contains("Duplicate keys are not allowed in JSON_OBJECTAGG"), "{error}");
}

#[test]
fn percentiles_are_interpolated() {
    let values = [i(10), Value::Null, i(1), i(4), i(4)];
    let with = |parameter: Value, ty: LogicalType| AggregateCall {
        parameters: vec![parameter],
        ..aggregate("PERCENTILE", &[0], ty)
    };
    let added: Vec<_> = values.iter().map(|v| (1, v.clone())).collect();
    for (fraction, expected) in [(0.0, 1.0), (0.5, 4.0), (0.9, 8.2), (1.0, 10.0)] {
        let call = with(Value::Float(fraction), double());
        let Value::Float(found) = result(&call, &int(), &added, true) else { panic!("a double") };
        assert!((found - expected).abs() < 1e-9, "{fraction}: {found}");
    }
    let both = with(Value::List(vec![Value::Float(0.0), Value::Float(1.0)]), array_of(double()));
    let expected = Value::List(vec![Value::Float(1.0), Value::Float(10.0)]);
    assert_eq!(result(&both, &int(), &added, false), expected);
    let retracted = [(1, i(3)), (1, i(9)), (-1, i(9))];
    assert_eq!(result(&with(Value::Float(1.0), double()), &int(), &retracted, true), Value::Float(3.0));
    assert_eq!(result(&with(Value::Float(0.5), double()), &int(), &[(1, Value::Null)], false), Value::Null);
}

#[test]
fn bitmaps_are_built_and_counted() {
    let values = [(1, i(3)), (1, Value::Null), (1, i(-1)), (1, i(3))];
    let set = Value::Bytes(headwater_functions::bitmap::build(vec![3, u32::MAX]));
    let bitmap = || LogicalType::from(TypeRoot::Bitmap);
    assert_eq!(result(&aggregate("BITMAP_BUILD_AGG", &[0], bitmap()), &int(), &values, false), set);
    assert_eq!(result(&aggregate("BITMAP_BUILD_CARDINALITY_AGG", &[0], bigint()), &int(), &values, true), i(2));
    let one = |members: &[u32]| (1, Value::Bytes(headwater_functions::bitmap::build(members.to_vec())));
    let sets = [one(&[1, 2, 3]), one(&[2, 3, 4]), one(&[3])];
    for (function, expected) in [("AND", 1), ("OR", 4), ("XOR", 3)] {
        let function = format!("BITMAP_{function}_CARDINALITY_AGG");
        assert_eq!(result(&aggregate(&function, &[0], bigint()), &bitmap(), &sets, true), i(expected), "{function}");
    }
}
