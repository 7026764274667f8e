//! Values to arrays.

use crate::arrow_error;
use arrow::array::{
    Array, ArrayRef, BinaryArray, BooleanArray, Decimal128Array, Float32Array, Float64Array, Int8Array, Int16Array,
    Int32Array, Int64Array, ListArray, MapArray, NullArray, StringArray, StructArray, make_array,
};
use arrow::buffer::{NullBuffer, OffsetBuffer};
use arrow::datatypes::{DataType, Fields};
use headwater_data::arrow_type;
use headwater_plan::Value;
use headwater_types::{Error, LogicalType, Result, RowField, TypeRoot};
use std::sync::Arc;

/// The array of `values`, of the Arrow type of `ty`.
pub fn array_from_values(values: &[Value], ty: &LogicalType) -> Result<ArrayRef> {
    match &ty.root {
        TypeRoot::Null => Ok(Arc::new(NullArray::new(values.len()))),
        TypeRoot::Boolean => Ok(Arc::new(optional(values, ty, boolean)?.into_iter().collect::<BooleanArray>())),
        TypeRoot::Char(_) | TypeRoot::VarChar(_) | TypeRoot::Variant => {
            Ok(Arc::new(optional(values, ty, text)?.into_iter().collect::<StringArray>()))
        }
        TypeRoot::Binary(_) | TypeRoot::VarBinary(_) | TypeRoot::Bitmap => {
            Ok(Arc::new(optional(values, ty, bytes)?.into_iter().collect::<BinaryArray>()))
        }
        TypeRoot::Decimal(precision, scale) => {
            let array: Decimal128Array = optional(values, ty, decimal)?.into_iter().collect();
            Ok(Arc::new(array.with_precision_and_scale(*precision, *scale as i8).map_err(arrow_error)?))
        }
        TypeRoot::Float => {
            let array: Float32Array = optional(values, ty, float)?.into_iter().map(|v| v.map(|v| v as f32)).collect();
            Ok(Arc::new(array))
        }
        TypeRoot::Double => Ok(Arc::new(optional(values, ty, float)?.into_iter().collect::<Float64Array>())),
        TypeRoot::Array(element) => list(values, ty, element),
        TypeRoot::Map(key, value) => map(values, ty, key, value),
        TypeRoot::Multiset(element) => map(values, ty, element, &LogicalType::from(TypeRoot::Int).not_null()),
        TypeRoot::Row(fields) => row(values, ty, fields),
        _ => integers(values, ty),
    }
}

/// The types that literals hold as [`Value::Int`].
fn integers(values: &[Value], ty: &LogicalType) -> Result<ArrayRef> {
    let values = optional(values, ty, integer)?;
    let narrow = |array: ArrayRef| retype(array, arrow_type(ty));
    match arrow_type(ty).primitive_width() {
        Some(1) => Ok(Arc::new(narrowed::<i8>(values, ty)?.into_iter().collect::<Int8Array>())),
        Some(2) => Ok(Arc::new(narrowed::<i16>(values, ty)?.into_iter().collect::<Int16Array>())),
        Some(4) => narrow(Arc::new(narrowed::<i32>(values, ty)?.into_iter().collect::<Int32Array>())),
        Some(8) => narrow(Arc::new(values.into_iter().collect::<Int64Array>())),
        _ => Err(Error::internal(format!("there are no literals of type {ty}"))),
    }
}

fn narrowed<T: TryFrom<i64>>(values: Vec<Option<i64>>, ty: &LogicalType) -> Result<Vec<Option<T>>> {
    let narrow = |v: i64| T::try_from(v).map_err(|_| Error::internal(format!("the literal {v} does not fit in {ty}")));
    values.into_iter().map(|v| v.map(narrow).transpose()).collect()
}

/// The same values under another type of the same width.
fn retype(array: ArrayRef, data_type: DataType) -> Result<ArrayRef> {
    array.to_data().into_builder().data_type(data_type).build().map(make_array).map_err(arrow_error)
}

fn list(values: &[Value], ty: &LogicalType, element: &LogicalType) -> Result<ArrayRef> {
    let lists = optional(values, ty, |v| if let Value::List(items) = v { Some(items.as_slice()) } else { None })?;
    let items: Vec<Value> = lists.iter().flatten().flat_map(|items| items.iter().cloned()).collect();
    let child = array_from_values(&items, element)?;
    let DataType::List(field) = arrow_type(ty) else { return Err(mismatch(ty)) };
    let offsets = OffsetBuffer::from_lengths(lists.iter().map(|l| l.map_or(0, <[_]>::len)));
    Ok(Arc::new(ListArray::try_new(field, offsets, child, nulls(&lists)).map_err(arrow_error)?))
}

fn map(values: &[Value], ty: &LogicalType, key: &LogicalType, value: &LogicalType) -> Result<ArrayRef> {
    let maps = optional(values, ty, |v| if let Value::Map(entries) = v { Some(entries.as_slice()) } else { None })?;
    let (keys, items): (Vec<Value>, Vec<Value>) = maps.iter().flatten().flat_map(|m| m.iter().cloned()).unzip();
    let DataType::Map(entries_field, _) = arrow_type(ty) else { return Err(mismatch(ty)) };
    let DataType::Struct(fields) = entries_field.data_type().clone() else { return Err(mismatch(ty)) };
    let columns = vec![array_from_values(&keys, key)?, array_from_values(&items, value)?];
    let entries = StructArray::try_new(fields, columns, None).map_err(arrow_error)?;
    let offsets = OffsetBuffer::from_lengths(maps.iter().map(|m| m.map_or(0, <[_]>::len)));
    Ok(Arc::new(MapArray::try_new(entries_field, offsets, entries, nulls(&maps), false).map_err(arrow_error)?))
}

fn row(values: &[Value], ty: &LogicalType, fields: &[RowField]) -> Result<ArrayRef> {
    let rows = optional(values, ty, |v| if let Value::Row(items) = v { Some(items.as_slice()) } else { None })?;
    let column = |(position, field): (usize, &RowField)| {
        let cell = |row: &Option<&[Value]>| row.and_then(|r| r.get(position)).cloned().unwrap_or(Value::Null);
        array_from_values(&rows.iter().map(cell).collect::<Vec<_>>(), &field.ty)
    };
    let columns = fields.iter().enumerate().map(column).collect::<Result<Vec<_>>>()?;
    let DataType::Struct(arrow_fields) = arrow_type(ty) else { return Err(mismatch(ty)) };
    struct_of(arrow_fields, columns, rows.len(), nulls(&rows))
}

fn struct_of(fields: Fields, columns: Vec<ArrayRef>, rows: usize, nulls: Option<NullBuffer>) -> Result<ArrayRef> {
    if columns.is_empty() {
        return Ok(Arc::new(StructArray::new_empty_fields(rows, nulls)));
    }
    Ok(Arc::new(StructArray::try_new(fields, columns, nulls).map_err(arrow_error)?))
}

fn nulls<T>(values: &[Option<T>]) -> Option<NullBuffer> {
    values.iter().any(Option::is_none).then(|| values.iter().map(Option::is_some).collect())
}

/// Applies `get` to every value that is not NULL; a value of another shape is an error.
fn optional<'a, T>(
    values: &'a [Value],
    ty: &LogicalType,
    get: impl Fn(&'a Value) -> Option<T>,
) -> Result<Vec<Option<T>>> {
    let one = |value: &'a Value| match value {
        Value::Null => Ok(None),
        other => get(other).map(Some).ok_or_else(|| mismatch(ty)),
    };
    values.iter().map(one).collect()
}

fn mismatch(ty: &LogicalType) -> Error {
    Error::internal(format!("a literal of the plan is not a value of its type {ty}"))
}

fn boolean(value: &Value) -> Option<bool> {
    if let Value::Boolean(v) = value { Some(*v) } else { None }
}

fn integer(value: &Value) -> Option<i64> {
    if let Value::Int(v) = value { Some(*v) } else { None }
}

fn float(value: &Value) -> Option<f64> {
    if let Value::Float(v) = value { Some(*v) } else { None }
}

fn decimal(value: &Value) -> Option<i128> {
    if let Value::Decimal(v) = value { Some(*v) } else { None }
}

fn text(value: &Value) -> Option<&str> {
    if let Value::String(v) = value { Some(v) } else { None }
}

fn bytes(value: &Value) -> Option<&[u8]> {
    if let Value::Bytes(v) = value { Some(v) } else { None }
}
