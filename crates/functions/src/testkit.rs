//! Calls functions in tests with arguments and results as text: `("DATE", "1990-10-14")`.
//!
//! Every call runs with literal arguments and, where it binds to the same type, with columns whose first row is
//! NULL; both must agree.

use crate::cast::array_cast;
use crate::text::display;
use crate::{BindArg, Bound, BuildContext, Operand, lookup};
use arrow::array::{ArrayRef, StringArray, new_null_array};
use arrow::compute::concat;
use chrono_tz::Tz;
use headwater_data::arrow_type;
use headwater_env::Env;
use headwater_plan::Value;
use headwater_types::logical_type::LENGTH_MAX;
use headwater_types::{LogicalType, Result, TimeAttribute, TypeRoot};
use std::sync::Arc;

/// Type name and value; `NULL` is NULL.
pub(crate) type Arg<'a> = (&'a str, &'a str);

/// The type of this name.
pub(crate) fn ty(name: &str) -> LogicalType {
    use TypeRoot as T;
    let (name, not_null) = name.strip_suffix(" NOT NULL").map_or((name, false), |name| (name, true));
    let (base, parameters) = name.split_once('(').unwrap_or((name, ""));
    let parameters: Vec<u32> =
        parameters.trim_end_matches(')').split(',').filter_map(|p| p.trim().parse().ok()).collect();
    let parameter = |index: usize, default: u32| parameters.get(index).copied().unwrap_or(default);
    let root = match base {
        "NULL" => T::Null,
        "BOOLEAN" => T::Boolean,
        "CHAR" => T::Char(parameter(0, 1)),
        "VARCHAR" | "STRING" => T::VarChar(parameter(0, LENGTH_MAX)),
        "BINARY" => T::Binary(parameter(0, 1)),
        "BYTES" => T::VarBinary(LENGTH_MAX),
        "DECIMAL" => T::Decimal(parameter(0, 10) as u8, parameter(1, 0) as u8),
        "TINYINT" => T::TinyInt,
        "SMALLINT" => T::SmallInt,
        "INT" => T::Int,
        "BIGINT" => T::BigInt,
        "FLOAT" => T::Float,
        "DOUBLE" => T::Double,
        "DATE" => T::Date,
        "TIME" => T::Time(parameter(0, 0) as u8),
        "TIMESTAMP" => T::Timestamp(parameter(0, 6) as u8, TimeAttribute::None),
        "TIMESTAMP_LTZ" => T::TimestampLtz(parameter(0, 6) as u8, TimeAttribute::None),
        "MONTHS" => T::IntervalYearMonth,
        "SECONDS" => T::IntervalDayTime,
        "VARIANT" => T::Variant,
        other => panic!("no type {other}"),
    };
    LogicalType::from(root).with_nullable(!not_null)
}

/// A value of a type, as an array of one row.
pub(crate) fn array((type_name, value): Arg<'_>, zone: Tz) -> ArrayRef {
    let ty = ty(type_name);
    if value == "NULL" {
        return new_null_array(&arrow_type(&ty), 1);
    }
    let text: ArrayRef = Arc::new(StringArray::from(vec![value]));
    if ty.root == TypeRoot::Variant {
        return text;
    }
    array_cast(&LogicalType::string(), &ty, false, zone).unwrap()(&text).unwrap()
}

fn literal((type_name, value): Arg<'_>) -> Value {
    let ty = ty(type_name);
    match value {
        "NULL" => Value::Null,
        _ if ty.is_character() => Value::String(value.to_owned()),
        _ if ty.is_integer() => Value::Int(value.parse().unwrap()),
        "true" | "false" => Value::Boolean(value == "true"),
        other => Value::String(other.to_owned()),
    }
}

/// Binds a call with literal arguments.
pub(crate) fn bind(name: &str, args: &[Arg<'_>]) -> Result<Bound> {
    let args: Vec<_> = args.iter().map(|a| BindArg { ty: ty(a.0), literal: Some(literal(*a)) }).collect();
    lookup(name).unwrap_or_else(|| panic!("no function {name}")).bind(&args)
}

fn bind_columns(name: &str, args: &[Arg<'_>]) -> Option<Bound> {
    let args: Vec<_> = args.iter().map(|a| BindArg { ty: ty(a.0), literal: None }).collect();
    lookup(name)?.bind(&args).ok()
}

fn eval(
    name: &str,
    bound: &Bound,
    literals: &[Option<Value>],
    args: &[Operand],
    zone: Tz,
    rows: usize,
) -> Result<ArrayRef> {
    let (env, _) = Env::simulated(1, 1_700_000_000_000);
    let context =
        BuildContext { arg_types: &bound.arg_types, literals, return_type: &bound.return_type, zone, env: &env };
    lookup(name).unwrap().build(&context)?.eval(args, rows)
}

/// Calls a function in a time zone; answers result type and value.
pub(crate) fn call_in(zone: Tz, name: &str, args: &[Arg<'_>]) -> Result<(LogicalType, String)> {
    let bound = bind(name, args)?;
    let cast = |arg: &Arg<'_>, to: &LogicalType| {
        let value = array(*arg, zone);
        array_cast(&ty(arg.0), to, false, zone)?(&value)
    };
    let values = args.iter().zip(&bound.arg_types).map(|(arg, to)| cast(arg, to)).collect::<Result<Vec<_>>>()?;
    let scalars: Vec<_> = values.iter().cloned().map(Operand::Scalar).collect();
    let literals: Vec<_> = args.iter().map(|arg| Some(literal(*arg))).collect();
    let folded = eval(name, &bound, &literals, &scalars, zone, 1)?;
    assert_eq!(folded.data_type(), &arrow_type(&bound.return_type), "{name}: type of the result array");
    let shown = display(&folded, &bound.return_type, 0, zone);
    if bind_columns(name, args).is_some_and(|columns| columns == bound) && !args.is_empty() {
        let with_null = |v: &ArrayRef| concat(&[&new_null_array(v.data_type(), 1), v.as_ref()]).unwrap();
        let columns: Vec<_> = values.iter().map(|v| Operand::Array(with_null(v))).collect();
        let rows = eval(name, &bound, &vec![None; args.len()], &columns, zone, 2)?;
        assert_eq!(display(&rows, &bound.return_type, 1, zone), shown, "{name}: columns and literals differ");
    }
    Ok((bound.return_type, shown))
}

/// Checks a result in UTC.
#[track_caller]
pub(crate) fn check(name: &str, args: &[Arg<'_>], expected: &str) {
    check_in(Tz::UTC, name, args, expected);
}

/// Checks a result in a time zone.
#[track_caller]
pub(crate) fn check_in(zone: Tz, name: &str, args: &[Arg<'_>], expected: &str) {
    match call_in(zone, name, args) {
        Ok((_, value)) => assert_eq!(value, expected, "{name} {args:?}"),
        Err(error) => panic!("{name} {args:?}: {error}"),
    }
}

/// Checks the result for arguments that are columns, in UTC.
#[track_caller]
pub(crate) fn check_columns(name: &str, args: &[Arg<'_>], expected: &str) {
    let bound = bind_columns(name, args).unwrap();
    let columns: Vec<_> = args.iter().map(|arg| Operand::Array(array(*arg, Tz::UTC))).collect();
    let result = eval(name, &bound, &vec![None; args.len()], &columns, Tz::UTC, 1).unwrap();
    assert_eq!(display(&result, &bound.return_type, 0, Tz::UTC), expected, "{name} {args:?}");
}

/// Checks result type and value.
#[track_caller]
pub(crate) fn check_typed(name: &str, args: &[Arg<'_>], expected_type: &str, expected: &str) {
    let (ty, value) = call_in(Tz::UTC, name, args).unwrap_or_else(|error| panic!("{name} {args:?}: {error}"));
    assert_eq!((ty.to_string().as_str(), value.as_str()), (expected_type, expected), "{name} {args:?}");
}

/// Checks that a call fails with a message that contains `expected`.
#[track_caller]
pub(crate) fn check_error(name: &str, args: &[Arg<'_>], expected: &str) {
    match call_in(Tz::UTC, name, args) {
        Ok((_, value)) => panic!("{name} {args:?} gave {value}, not an error"),
        Err(error) => assert!(error.message().contains(expected), "{name} {args:?}: {error}"),
    }
}
