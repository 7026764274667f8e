//! `ARRAY`, `MAP`, `ROW`.

use super::bind::{array_of, common};
use super::build::{ListOutput, MapOutput};
use super::elements::encode_all;
use crate::kernel::{Call, arrow_error, kernel};
use crate::types::common_type;
use crate::{Bound, Function, Operand};
use arrow::array::{Array, ArrayRef, StructArray, UInt32Array};
use arrow::compute::take;
use arrow::datatypes::DataType;
use headwater_data::arrow_types::arrow_type;
use headwater_types::{Error, LogicalType, Result, RowField, TypeRoot};
use std::sync::Arc;

/// `ARRAY(value, …)`.
pub(super) const ARRAY: Function = Function::new(
    "ARRAY",
    "ARRAY '[' value1 [, value2]* ']'",
    |call| {
        call.arity(1..=usize::MAX)?;
        let element = common(call, 0, |_| true)?;
        let types = vec![element.clone(); call.len()];
        call.returns_not_null(types, array_of(element))
    },
    |ctx| {
        let ty = arrow_type(ctx.return_type);
        kernel(move |args, rows| array(args, rows, &ty))
    },
);

/// `MAP(key, value, …)`: the last value of equal keys counts.
pub(super) const MAP: Function = Function::new("MAP", "MAP '[' key1, value1 [, key2, value2]* ']'", bind_map, |ctx| {
    let ty = arrow_type(ctx.return_type);
    kernel(move |args, rows| map(args, rows, &ty))
});

/// `ROW(value, …)`: the fields are called `EXPR$0`, `EXPR$1`, …
pub(super) const ROW: Function = Function::new("ROW", "ROW(value1 [, value2]*)", bind_row, |ctx| {
    let ty = arrow_type(ctx.return_type);
    kernel(move |args, rows| row(args, rows, &ty))
});

fn bind_map(call: &Call<'_>) -> Result<Bound> {
    if call.is_empty() || !call.len().is_multiple_of(2) {
        return Err(call.error());
    }
    let side = |from: usize| {
        let types: Vec<_> = call.args.iter().skip(from).step_by(2).map(|arg| arg.ty.clone()).collect();
        match types.iter().all(|ty| ty.root == TypeRoot::Null) {
            true => Ok(None),
            false => common_type(&types).map(Some).ok_or_else(|| call.error()),
        }
    };
    // Of a side that holds nothing but NULL the other one decides the type.
    let (key, value) = match (side(0)?, side(1)?) {
        (Some(key), Some(value)) => (key, value),
        (Some(key), None) => (key.clone(), key.with_nullable(true)),
        (None, Some(value)) => (value.clone().with_nullable(true), value),
        (None, None) => return Err(call.error()),
    };
    let types = (0..call.len()).map(|i| if i % 2 == 0 { key.clone() } else { value.clone() }).collect();
    call.returns_not_null(types, TypeRoot::Map(Box::new(key), Box::new(value)))
}

fn bind_row(call: &Call<'_>) -> Result<Bound> {
    call.arity(1..=usize::MAX)?;
    let types: Vec<LogicalType> = call.args.iter().map(|arg| arg.ty.clone()).collect();
    let field = |(i, ty): (usize, &LogicalType)| RowField::new(format!("EXPR${i}"), ty.clone());
    let fields = types.iter().enumerate().map(field).collect();
    call.returns_not_null(types, TypeRoot::Row(fields))
}

fn array(args: &[Operand], rows: usize, ty: &DataType) -> Result<ArrayRef> {
    let mut out = ListOutput::new(args.iter().map(Operand::array), rows);
    for row in 0..rows {
        for (source, arg) in args.iter().enumerate() {
            out.push(source, arg.index(row));
        }
        out.end_row(true)?;
    }
    out.finish(ty)
}

fn map(args: &[Operand], rows: usize, ty: &DataType) -> Result<ArrayRef> {
    let keys: Vec<&Operand> = args.iter().step_by(2).collect();
    let values: Vec<&Operand> = args.iter().skip(1).step_by(2).collect();
    let columns: Vec<&ArrayRef> = keys.iter().map(|key| key.array()).collect();
    let encoded = encode_all(&columns)?;
    let mut out = MapOutput::new(columns.iter().copied(), values.iter().map(|value| value.array()), rows);
    for row in 0..rows {
        let key = |entry: usize| encoded[entry].row(keys[entry].index(row));
        for entry in 0..keys.len() {
            // An entry with a later equal key stands where the first one would, with the last value.
            if (0..entry).any(|earlier| key(earlier) == key(entry)) {
                continue;
            }
            let last = (entry..keys.len()).rfind(|later| key(*later) == key(entry)).unwrap_or(entry);
            out.push((entry, keys[entry].index(row)), (last, values[last].index(row)));
        }
        out.end_row(true)?;
    }
    out.finish(ty)
}

fn row(args: &[Operand], rows: usize, ty: &DataType) -> Result<ArrayRef> {
    let DataType::Struct(fields) = ty else { return Err(Error::internal(format!("{ty} is not a row type"))) };
    let columns = args.iter().map(|arg| repeated(arg, rows)).collect::<Result<Vec<_>>>()?;
    Ok(Arc::new(StructArray::try_new_with_length(fields.clone(), columns, None, rows).map_err(arrow_error)?))
}

/// The operand with a value for each row.
fn repeated(operand: &Operand, rows: usize) -> Result<ArrayRef> {
    match operand {
        Operand::Scalar(array) if array.len() != rows => {
            take(array.as_ref(), &UInt32Array::from(vec![0; rows]), None).map_err(arrow_error)
        }
        Operand::Array(array) | Operand::Scalar(array) => Ok(array.clone()),
    }
}
