use crate::udf::{self, Binding};
use crate::value::{array_from_values, from_scalar, to_scalar, value_at};
use crate::{ExprContext, compile, compile_all, evaluate_constant};
use arrow::array::{ArrayRef, RecordBatch, RecordBatchOptions};
use chrono_tz::Tz;
use datafusion_expr::Volatility;
use headwater_env::Env;
use headwater_plan::{Expr, Value};
use headwater_types::{LogicalType, RowField, TypeRoot};
use proptest::prelude::*;

fn context() -> ExprContext {
    ExprContext { zone: Tz::UTC, env: Env::simulated(1, 0).0 }
}

fn int() -> LogicalType {
    TypeRoot::Int.into()
}

fn boolean() -> LogicalType {
    TypeRoot::Boolean.into()
}

fn lit(value: i64) -> Expr {
    Expr::Literal { value: Value::Int(value), ty: int() }
}

fn call(function: &str, args: Vec<Expr>, ty: LogicalType) -> Expr {
    Expr::Call { function: function.to_owned(), args, ty }
}

fn batch(columns: &[(LogicalType, Vec<Value>)]) -> RecordBatch {
    let rows = columns.first().map_or(0, |(_, values)| values.len());
    let names: Vec<String> = (0..columns.len()).map(|i| format!("c{i}")).collect();
    let schema = headwater_data::arrow_schema(names.iter().zip(columns).map(|(n, (t, _))| (n.as_str(), t)));
    let arrays: Vec<ArrayRef> = columns.iter().map(|(ty, values)| array_from_values(values, ty).unwrap()).collect();
    let options = RecordBatchOptions::new().with_row_count(Some(rows));
    RecordBatch::try_new_with_options(schema, arrays, &options).unwrap()
}

fn ints(values: &[Option<i64>]) -> Vec<Value> {
    values.iter().map(|v| v.map_or(Value::Null, Value::Int)).collect()
}

/// Evaluates over one INT column.
fn eval(expr: &Expr, column: &[Option<i64>]) -> headwater_types::Result<Vec<Value>> {
    let batch = batch(&[(int(), ints(column))]);
    let array = compile(expr, &[int()], &context())?.evaluate(&batch)?;
    (0..array.len()).map(|row| value_at(&array, row, &expr.ty())).collect()
}

fn x() -> Expr {
    Expr::column(0, int())
}

fn not_zero() -> Expr {
    call("<>", vec![x(), lit(0)], boolean())
}

fn inverse() -> Expr {
    call("/", vec![lit(100), x()], int())
}

#[test]
fn case_evaluates_a_branch_only_for_its_rows() {
    let case = Expr::Case { branches: vec![(not_zero(), inverse())], otherwise: None, ty: int() };
    assert_eq!(eval(&case, &[Some(5), Some(0), None, Some(4)]).unwrap(), ints(&[Some(20), None, None, Some(25)]));
}

#[test]
fn case_takes_the_first_true_condition() {
    let below = |bound| call("<", vec![x(), lit(bound)], boolean());
    let case = Expr::Case {
        branches: vec![(below(10), lit(1)), (below(20), call("+", vec![x(), x()], int())), (below(30), lit(3))],
        otherwise: Some(Box::new(inverse())),
        ty: int(),
    };
    assert_eq!(
        eval(&case, &[Some(0), Some(15), Some(25), Some(50), None]).unwrap(),
        ints(&[Some(1), Some(30), Some(3), Some(2), None])
    );
}

#[test]
fn and_stops_where_it_is_decided() {
    let and = Expr::And(vec![not_zero(), call(">", vec![inverse(), lit(20)], boolean())]);
    assert_eq!(
        eval(&and, &[Some(0), Some(4), Some(50), None]).unwrap(),
        [Value::Boolean(false), Value::Boolean(true), Value::Boolean(false), Value::Null]
    );
}

#[test]
fn or_stops_where_it_is_decided() {
    let zero = call("=", vec![x(), lit(0)], boolean());
    let or = Expr::Or(vec![zero, call(">", vec![inverse(), lit(20)], boolean())]);
    assert_eq!(
        eval(&or, &[Some(0), Some(4), Some(50), None]).unwrap(),
        [Value::Boolean(true), Value::Boolean(true), Value::Boolean(false), Value::Null]
    );
}

#[test]
fn in_lists_follow_sqls_null_semantics() {
    let null = Expr::Literal { value: Value::Null, ty: int() };
    let list = |list: Vec<Expr>, negated| Expr::InList { input: Box::new(x()), list, negated };
    let (t, f, n) = (Value::Boolean(true), Value::Boolean(false), Value::Null);
    for (expr, expected) in [
        (list(vec![lit(1), lit(2)], false), [t.clone(), f.clone(), n.clone()]),
        (list(vec![lit(1), lit(2)], true), [f.clone(), t.clone(), n.clone()]),
        (list(vec![lit(1), null.clone()], false), [t.clone(), n.clone(), n.clone()]),
        (list(vec![lit(1), null], true), [f.clone(), n.clone(), n.clone()]),
        (list((0..40).filter(|i| *i != 7).map(lit).collect(), false), [t, f, n]),
    ] {
        assert_eq!(eval(&expr, &[Some(1), Some(7), None]).unwrap(), expected, "{expr:?}");
    }
}

#[test]
fn if_and_coalesce_evaluate_only_what_is_needed() {
    let guarded = call("IF", vec![not_zero(), inverse(), lit(-1)], int());
    let rows = [Some(0), Some(4), None];
    assert_eq!(eval(&guarded, &rows).unwrap(), ints(&[Some(-1), Some(25), Some(-1)]));
    let inverse_of_null = call("/", vec![lit(100), call("COALESCE", vec![x(), lit(0)], int())], int());
    for (args, rows, expected) in [
        (vec![x(), inverse(), lit(7)], vec![Some(0), Some(3), None], ints(&[Some(0), Some(3), Some(7)])),
        (vec![x(), inverse_of_null.clone()], vec![Some(0), Some(3)], ints(&[Some(0), Some(3)])),
        (vec![x()], vec![None, Some(3)], ints(&[None, Some(3)])),
        (vec![x(), x()], vec![None, None], ints(&[None, None])),
        (vec![x(), lit(1)], vec![], vec![]),
    ] {
        assert_eq!(eval(&call("COALESCE", args, int()), &rows).unwrap(), expected, "{rows:?}");
    }
    assert!(eval(&call("COALESCE", vec![x(), inverse_of_null], int()), &[None]).is_err());
}

#[test]
fn in_list_works_on_text() {
    let text = |s: &str| Expr::Literal { value: Value::String(s.into()), ty: LogicalType::string() };
    let input = Box::new(Expr::column(0, LogicalType::string()));
    let expr = Expr::InList { input, list: vec![text("a"), text("b")], negated: false };
    let rows = batch(&[(LogicalType::string(), ["b", "c"].map(|s| Value::String(s.into())).to_vec())]);
    let mask = compile(&expr, &[LogicalType::string()], &context()).unwrap().evaluate_predicate(&rows).unwrap();
    assert_eq!(mask.iter().collect::<Vec<_>>(), [Some(true), Some(false)]);
}

#[test]
fn errors_name_the_failing_expression() {
    let error = eval(&inverse(), &[Some(0)]).unwrap_err();
    assert!(error.message().contains("(100 / $0)"), "{error}");
}

#[test]
fn filter_and_projection_agree_with_row_by_row_evaluation() {
    let condition = call(">", vec![inverse(), lit(20)], boolean());
    let guarded = Expr::And(vec![not_zero(), condition]);
    let projection = [x(), inverse(), call("+", vec![inverse(), lit(1)], int())];
    let rows = batch(&[(int(), ints(&[Some(0), Some(1), Some(4), None, Some(50)]))]);
    let set = compile_all(Some(&guarded), &projection, &[int()], &context()).unwrap();
    let evaluated = set.evaluate(&rows).unwrap();
    assert_eq!(evaluated.rows, 2);
    let third: Vec<_> = (0..2).map(|row| value_at(&evaluated.columns[2], row, &int()).unwrap()).collect();
    assert_eq!(third, ints(&[Some(101), Some(26)]));
}

#[test]
fn a_row_field_of_a_null_row_is_null() {
    let row = LogicalType::from(TypeRoot::Row(vec![RowField::new("a", int()), RowField::new("b", int())]));
    let values = vec![Value::Row(ints(&[Some(1), Some(2)])), Value::Null];
    let rows = batch(&[(row.clone(), values)]);
    let field = Expr::Field { input: Box::new(Expr::column(0, row.clone())), index: 1, ty: int() };
    let array = compile(&field, &[row], &context()).unwrap().evaluate(&rows).unwrap();
    let found: Vec<_> = (0..2).map(|i| value_at(&array, i, &int()).unwrap()).collect();
    assert_eq!(found, ints(&[Some(2), None]));
}

#[test]
fn constants_evaluate_without_rows() {
    let sum = call("+", vec![lit(2), lit(3)], int());
    assert_eq!(evaluate_constant(&sum, &context()).unwrap(), Value::Int(5));
    let cast = Expr::Cast { input: Box::new(sum), ty: LogicalType::string(), try_cast: false };
    assert_eq!(evaluate_constant(&cast, &context()).unwrap(), Value::String("5".into()));
}

#[test]
fn udfs_keep_their_binding() {
    let binding = || Binding { arg_types: vec![int(), int()], literals: vec![None, None], return_type: int() };
    let plus = udf::call("+", binding(), &context(), true).unwrap();
    let bound = udf::downcast(&plus).unwrap();
    assert_eq!((bound.function(), bound.return_type()), ("+", &int()));
    assert_eq!(plus, udf::call("+", binding(), &context(), true).unwrap());
    assert_ne!(plus, udf::call("-", binding(), &context(), true).unwrap());
    assert_eq!(plus.signature().volatility, Volatility::Immutable);
    let cast = udf::cast(int(), LogicalType::string(), true, &context());
    assert_eq!(udf::downcast(&cast).unwrap().function(), udf::TRY_CAST);
}

fn nested_types() -> Vec<(LogicalType, Value)> {
    let map = TypeRoot::Map(Box::new(LogicalType::string().not_null()), Box::new(int()));
    let row = TypeRoot::Row(vec![RowField::new("a", int()), RowField::new("b", LogicalType::string())]);
    vec![
        (TypeRoot::Array(Box::new(int())).into(), Value::List(ints(&[Some(1), None]))),
        (map.into(), Value::Map(vec![(Value::String("k".into()), Value::Int(1))])),
        (TypeRoot::Multiset(Box::new(int())).into(), Value::Map(vec![(Value::Int(7), Value::Int(2))])),
        (row.into(), Value::Row(vec![Value::Int(1), Value::Null])),
        (TypeRoot::Decimal(10, 2).into(), Value::Decimal(12_345)),
        (TypeRoot::Timestamp(9, Default::default()).into(), Value::Int(1_000_000_001)),
        (TypeRoot::TimestampLtz(3, Default::default()).into(), Value::Int(-5)),
        (TypeRoot::IntervalDayTime.into(), Value::Int(60_000)),
        (TypeRoot::IntervalYearMonth.into(), Value::Int(14)),
        (TypeRoot::VarBinary(10).into(), Value::Bytes(vec![0, 255])),
        (TypeRoot::Time(0).into(), Value::Int(1000)),
        (TypeRoot::TinyInt.into(), Value::Int(-128)),
        (TypeRoot::Float.into(), Value::Float(1.5)),
    ]
}

#[test]
fn values_survive_arrays_and_scalars() {
    for (ty, value) in nested_types() {
        let values = [value.clone(), Value::Null, value.clone()];
        let array = array_from_values(&values, &ty).unwrap();
        assert_eq!(array.data_type(), &headwater_data::arrow_type(&ty));
        for (row, expected) in values.iter().enumerate() {
            assert_eq!(&value_at(&array, row, &ty).unwrap(), expected, "{ty}");
        }
        assert_eq!(from_scalar(&to_scalar(&value, &ty).unwrap(), &ty).unwrap(), value, "{ty}");
    }
}

#[test]
fn a_value_of_another_type_is_refused() {
    assert!(array_from_values(&[Value::Boolean(true)], &int()).is_err());
    assert!(array_from_values(&[Value::Int(300)], &TypeRoot::TinyInt.into()).is_err());
}

fn truth(operand: &Expr, row: Option<i64>) -> Option<bool> {
    let Expr::Call { function, args, .. } = operand else { unreachable!() };
    let Expr::Literal { value: Value::Int(bound), .. } = &args[1] else { unreachable!() };
    row.map(|row| if function == "<" { row < *bound } else { row > *bound })
}

proptest! {
    #[test]
    fn conjunctions_and_disjunctions_are_three_valued(
        rows in prop::collection::vec(prop::option::of(-5i64..5), 0..40),
        operands in prop::collection::vec((prop::bool::ANY, -5i64..5), 1..5),
        conjunction in prop::bool::ANY,
    ) {
        let operands: Vec<Expr> = operands
            .iter()
            .map(|(less, bound)| call(if *less { "<" } else { ">" }, vec![x(), lit(*bound)], boolean()))
            .collect();
        let expected: Vec<Value> = rows
            .iter()
            .map(|row| {
                let values: Vec<Option<bool>> = operands.iter().map(|o| truth(o, *row)).collect();
                let decided = values.contains(&Some(!conjunction));
                let unknown = values.contains(&None);
                if decided { Value::Boolean(!conjunction) }
                else if unknown { Value::Null }
                else { Value::Boolean(conjunction) }
            })
            .collect();
        let expr = if conjunction { Expr::And(operands) } else { Expr::Or(operands) };
        prop_assert_eq!(eval(&expr, &rows).unwrap(), expected);
    }
}
