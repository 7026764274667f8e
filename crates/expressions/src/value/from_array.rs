//! Arrays to values.

use arrow::array::{Array, AsArray};
use arrow::datatypes::{
    ArrowNativeTypeOp, ArrowPrimitiveType, DataType, Date32Type, Decimal128Type, DurationMillisecondType, Float32Type,
    Float64Type, Int8Type, Int16Type, Int32Type, Int64Type, IntervalUnit, IntervalYearMonthType, Time32MillisecondType,
    TimeUnit, TimestampMicrosecondType, TimestampMillisecondType, TimestampNanosecondType,
};
use headwater_plan::Value;
use headwater_types::{Error, LogicalType, Result, TypeRoot};

/// The value at `row` of an array whose logical type is `ty`.
pub fn value_at(array: &dyn Array, row: usize, ty: &LogicalType) -> Result<Value> {
    if array.is_null(row) || matches!(array.data_type(), DataType::Null) {
        return Ok(Value::Null);
    }
    Ok(match array.data_type() {
        DataType::Boolean => Value::Boolean(array.as_boolean().value(row)),
        DataType::Utf8 => Value::String(array.as_string::<i32>().value(row).to_owned()),
        DataType::Binary => Value::Bytes(array.as_binary::<i32>().value(row).to_owned()),
        DataType::Decimal128(..) => Value::Decimal(array.as_primitive::<Decimal128Type>().value(row)),
        DataType::Float32 => Value::Float(f64::from(array.as_primitive::<Float32Type>().value(row))),
        DataType::Float64 => Value::Float(array.as_primitive::<Float64Type>().value(row)),
        DataType::List(_) | DataType::Map(..) | DataType::Struct(_) => return nested_at(array, row, ty),
        _ => Value::Int(integer_at(array, row)?),
    })
}

fn integer_at(array: &dyn Array, row: usize) -> Result<i64> {
    Ok(match array.data_type() {
        DataType::Int8 => i64::from(native::<Int8Type>(array, row)),
        DataType::Int16 => i64::from(native::<Int16Type>(array, row)),
        DataType::Int32 => i64::from(native::<Int32Type>(array, row)),
        DataType::Int64 => native::<Int64Type>(array, row),
        DataType::Date32 => i64::from(native::<Date32Type>(array, row)),
        DataType::Time32(TimeUnit::Millisecond) => i64::from(native::<Time32MillisecondType>(array, row)),
        DataType::Timestamp(TimeUnit::Millisecond, _) => native::<TimestampMillisecondType>(array, row),
        DataType::Timestamp(TimeUnit::Microsecond, _) => native::<TimestampMicrosecondType>(array, row),
        DataType::Timestamp(TimeUnit::Nanosecond, _) => native::<TimestampNanosecondType>(array, row),
        DataType::Duration(TimeUnit::Millisecond) => native::<DurationMillisecondType>(array, row),
        DataType::Interval(IntervalUnit::YearMonth) => i64::from(native::<IntervalYearMonthType>(array, row)),
        other => return Err(Error::internal(format!("values of Arrow type {other} have no literal form"))),
    })
}

fn native<T: ArrowPrimitiveType>(array: &dyn Array, row: usize) -> T::Native
where
    T::Native: ArrowNativeTypeOp,
{
    array.as_primitive::<T>().value(row)
}

fn nested_at(array: &dyn Array, row: usize, ty: &LogicalType) -> Result<Value> {
    match (&ty.root, array.data_type()) {
        (TypeRoot::Array(element), DataType::List(_)) => {
            Ok(Value::List(all_values(array.as_list::<i32>().value(row).as_ref(), element)?))
        }
        (TypeRoot::Map(key, value), DataType::Map(..)) => entries_at(array, row, key, value),
        (TypeRoot::Multiset(element), DataType::Map(..)) => entries_at(array, row, element, &TypeRoot::Int.into()),
        (TypeRoot::Row(fields), DataType::Struct(_)) => {
            let columns = array.as_struct().columns();
            let cells = columns.iter().zip(fields).map(|(column, field)| value_at(column, row, &field.ty));
            Ok(Value::Row(cells.collect::<Result<_>>()?))
        }
        (_, other) => Err(Error::internal(format!("an array of Arrow type {other} does not hold values of type {ty}"))),
    }
}

fn entries_at(array: &dyn Array, row: usize, key: &LogicalType, value: &LogicalType) -> Result<Value> {
    let entries = array.as_map().value(row);
    let keys = all_values(entries.column(0).as_ref(), key)?;
    let values = all_values(entries.column(1).as_ref(), value)?;
    Ok(Value::Map(keys.into_iter().zip(values).collect()))
}

fn all_values(array: &dyn Array, ty: &LogicalType) -> Result<Vec<Value>> {
    (0..array.len()).map(|row| value_at(array, row, ty)).collect()
}
