//! Calls functions by name in tests.
//!
//! Every call runs twice: with literal arguments, and with columns whose first row is NULL and whose values
//! the kernel cannot know when it is built. Both must agree.

use crate::{BindArg, BuildContext, Operand, lookup};
use arrow::array::{
    ArrayRef, BinaryArray, BooleanArray, Float64Array, Int64Array, IntervalYearMonthArray, ListArray, MapArray,
    StringArray, StructArray, Time32MillisecondArray, new_null_array,
};
use arrow::buffer::{OffsetBuffer, ScalarBuffer};
use arrow::compute::{cast, concat};
use arrow::datatypes::{DataType, Field};
use arrow::util::display::{ArrayFormatter, FormatOptions};
use headwater_data::arrow_types::arrow_type;
use headwater_env::Env;
use headwater_plan::Value;
use headwater_types::{LogicalType, Result, TypeRoot};
use std::sync::Arc;

/// An argument: type and value.
#[derive(Debug, Clone)]
pub(crate) struct Arg(pub(crate) LogicalType, pub(crate) Value);

impl From<&str> for Arg {
    fn from(text: &str) -> Self {
        Self(LogicalType::string().not_null(), Value::String(text.to_owned()))
    }
}

impl From<i64> for Arg {
    fn from(number: i64) -> Self {
        Self(LogicalType::from(TypeRoot::BigInt).not_null(), Value::Int(number))
    }
}

impl From<f64> for Arg {
    fn from(number: f64) -> Self {
        Self(LogicalType::from(TypeRoot::Double).not_null(), Value::Float(number))
    }
}

impl From<bool> for Arg {
    fn from(value: bool) -> Self {
        Self(LogicalType::from(TypeRoot::Boolean).not_null(), Value::Boolean(value))
    }
}

impl From<&[u8]> for Arg {
    fn from(bytes: &[u8]) -> Self {
        let ty = TypeRoot::VarBinary(headwater_types::logical_type::LENGTH_MAX);
        Self(LogicalType::from(ty).not_null(), Value::Bytes(bytes.to_vec()))
    }
}

/// A bare NULL.
pub(crate) fn null() -> Arg {
    Arg(TypeRoot::Null.into(), Value::Null)
}

/// A NULL of a type.
pub(crate) fn null_of(root: TypeRoot) -> Arg {
    Arg(root.into(), Value::Null)
}

/// An array of elements of the given type.
pub(crate) fn list(element: TypeRoot, values: Vec<Value>) -> Arg {
    let ty = TypeRoot::Array(Box::new(element.into()));
    Arg(LogicalType::from(ty).not_null(), Value::List(values))
}

/// An array of integers.
pub(crate) fn ints(values: &[Option<i64>]) -> Arg {
    list(TypeRoot::Int, values.iter().map(|v| v.map_or(Value::Null, Value::Int)).collect())
}

/// An array of strings.
pub(crate) fn words(values: &[Option<&str>]) -> Arg {
    let element = LogicalType::string().root;
    list(element, values.iter().map(|v| v.map_or(Value::Null, |v| Value::String(v.to_owned()))).collect())
}

/// The value as an array of one row.
pub(crate) fn array_of(ty: &LogicalType, value: &Value) -> ArrayRef {
    let target = arrow_type(ty);
    let plain: ArrayRef = match value {
        Value::Null => return new_null_array(&target, 1),
        Value::Boolean(v) => Arc::new(BooleanArray::from(vec![*v])),
        Value::Int(v) if ty.root == TypeRoot::IntervalYearMonth => {
            Arc::new(IntervalYearMonthArray::from(vec![*v as i32]))
        }
        Value::Int(v) if matches!(ty.root, TypeRoot::Time(_)) => {
            Arc::new(Time32MillisecondArray::from(vec![*v as i32]))
        }
        Value::Int(v) => Arc::new(Int64Array::from(vec![*v])),
        Value::Float(v) => Arc::new(Float64Array::from(vec![*v])),
        Value::String(v) => Arc::new(StringArray::from(vec![v.as_str()])),
        Value::Bytes(v) => Arc::new(BinaryArray::from(vec![v.as_slice()])),
        Value::List(values) => return list_of(ty, values),
        Value::Map(entries) => return map_of(ty, entries),
        other => panic!("no test array for {other:?}"),
    };
    cast(&plain, &target).expect("test values fit their types")
}

fn list_of(ty: &LogicalType, values: &[Value]) -> ArrayRef {
    let TypeRoot::Array(element) = &ty.root else { panic!("a list needs an array type, not {ty}") };
    let parts: Vec<ArrayRef> = values.iter().map(|v| array_of(element, v)).collect();
    let parts: Vec<&dyn arrow::array::Array> = parts.iter().map(AsRef::as_ref).collect();
    let empty = new_null_array(&arrow_type(element), 0);
    let items = if parts.is_empty() { empty } else { concat(&parts).unwrap() };
    let offsets = OffsetBuffer::new(ScalarBuffer::from(vec![0, values.len() as i32]));
    Arc::new(ListArray::new(Arc::new(Field::new("item", arrow_type(element), true)), offsets, items, None))
}

fn map_of(ty: &LogicalType, entries: &[(Value, Value)]) -> ArrayRef {
    let TypeRoot::Map(key, value) = &ty.root else { panic!("a map needs a map type, not {ty}") };
    let column = |ty: &LogicalType, values: Vec<&Value>| {
        let parts: Vec<ArrayRef> = values.into_iter().map(|v| array_of(ty, v)).collect();
        concat(&parts.iter().map(AsRef::as_ref).collect::<Vec<_>>()).unwrap()
    };
    let columns = vec![
        column(key, entries.iter().map(|e| &e.0).collect()),
        column(value, entries.iter().map(|e| &e.1).collect()),
    ];
    let DataType::Map(field, _) = arrow_type(ty) else { panic!("maps are maps in Arrow") };
    let DataType::Struct(fields) = field.data_type() else { panic!("entries are structs") };
    let structs = StructArray::new(fields.clone(), columns, None);
    let offsets = OffsetBuffer::new(ScalarBuffer::from(vec![0, entries.len() as i32]));
    Arc::new(MapArray::new(field, offsets, structs, None, false))
}

/// Calls a function and answers the result type and the result as text, NULL as `NULL`.
pub(crate) fn call(name: &str, args: &[Arg]) -> Result<(LogicalType, String)> {
    let function = lookup(name).unwrap_or_else(|| panic!("no function {name}"));
    let bind: Vec<_> = args.iter().map(|a| BindArg { ty: a.0.clone(), literal: Some(a.1.clone()) }).collect();
    let bound = function.bind(&bind)?;
    let values: Vec<ArrayRef> = args.iter().zip(&bound.arg_types).map(|(a, ty)| array_of(ty, &a.1)).collect();
    let literals: Vec<_> = args.iter().map(|a| Some(a.1.clone())).collect();
    let scalars: Vec<_> = values.iter().cloned().map(Operand::Scalar).collect();
    let (env, _) = Env::simulated(0, 0);
    let build = |literals: &[Option<Value>]| {
        let zone = chrono_tz::UTC;
        function.build(&BuildContext {
            arg_types: &bound.arg_types,
            literals,
            return_type: &bound.return_type,
            zone,
            env: &env,
        })
    };
    let folded = build(&literals)?.eval(&scalars, 1)?;
    assert_eq!(folded.data_type(), &arrow_type(&bound.return_type), "{name}: type of the result array");
    let columns: Vec<_> =
        values.iter().map(|v| Operand::Array(concat(&[&new_null_array(v.data_type(), 1), v]).unwrap())).collect();
    // Arguments that select behaviour must be literals: then only the first form applies.
    if let Ok(kernel) = build(&vec![None; args.len()])
        && let (false, Ok(array)) = (args.is_empty(), kernel.eval(&columns, 2))
    {
        assert_eq!(display(&array, 1), display(&folded, 0), "{name}: column and literals differ");
    }
    Ok((bound.return_type, display(&folded, 0)))
}

fn display(array: &ArrayRef, row: usize) -> String {
    let options = FormatOptions::new().with_null("NULL");
    ArrayFormatter::try_new(array, &options).unwrap().value(row).to_string()
}

/// Checks the result of a call.
#[track_caller]
pub(crate) fn check(name: &str, args: &[Arg], expected: &str) {
    let result = call(name, args);
    let shown: Vec<_> = args.iter().map(|a| format!("{:?}", a.1)).collect();
    match result {
        Ok((_, value)) => assert_eq!(value, expected, "{name}({})", shown.join(", ")),
        Err(error) => panic!("{name}({}): {error}", shown.join(", ")),
    }
}

/// Checks the result type of a call.
#[track_caller]
pub(crate) fn check_type(name: &str, args: &[Arg], expected: &str) {
    let (ty, _) = call(name, args).unwrap_or_else(|e| panic!("{name}: {e}"));
    assert_eq!(ty.to_string(), expected, "{name}");
}

/// Checks that a call fails with a message that contains `expected`.
#[track_caller]
pub(crate) fn check_error(name: &str, args: &[Arg], expected: &str) {
    match call(name, args) {
        Ok((_, value)) => panic!("{name} gave {value}, not an error"),
        Err(error) => assert!(error.message().contains(expected), "{name}: {error}"),
    }
}

/// A list of arguments of mixed Rust types.
macro_rules! args {
    ($($arg:expr),* $(,)?) => { &[$($crate::testing::Arg::from($arg)),*] };
}

pub(crate) use args;
