//! Between [`Value`]s and Arrow arrays, for the few places that handle rows one by one.

use crate::column::{Column, Data};
use crate::decoder::batch_error;
use arrow::array::{Array, ArrayRef, AsArray};
use arrow::datatypes::{
    DataType, Date32Type, Decimal128Type, DurationMillisecondType, Float32Type, Float64Type, Int8Type, Int16Type,
    Int32Type, Int64Type, IntervalYearMonthType, Time32MillisecondType, TimeUnit, TimestampMicrosecondType,
    TimestampMillisecondType, TimestampNanosecondType,
};
use headwater_plan::Value;
use headwater_types::{Error, LogicalType, Result, TypeRoot};

/// An array of the type `produced` from values of the type `declared`: the same type, or one whose rows hold
/// only some of the fields, matched by name.
pub fn array<'a>(
    declared: &LogicalType,
    produced: &LogicalType,
    values: impl IntoIterator<Item = &'a Value>,
) -> Result<ArrayRef> {
    let mut column = Column::new(produced);
    let mut rows = 0;
    for value in values {
        write(&mut column, declared, value, rows)?;
        rows += 1;
    }
    column.finish(rows).map_err(batch_error)
}

fn mismatch(ty: &LogicalType, value: &Value) -> Error {
    Error::user("bad-value", format!("the value {value:?} is not one of the type {ty}"))
}

fn write(column: &mut Column, declared: &LogicalType, value: &Value, row: usize) -> Result<()> {
    column.begin(row);
    match (&mut column.data, value) {
        (_, Value::Null) => {
            column.set_null(row);
            return Ok(());
        }
        (Data::Utf8(bytes), Value::String(text)) => {
            bytes.extend(text.as_bytes());
            column.commit_bytes();
            return Ok(());
        }
        (Data::Binary(bytes), Value::Bytes(value)) => {
            bytes.extend(value);
            column.commit_bytes();
            return Ok(());
        }
        (Data::List { child, .. }, Value::List(items)) => {
            let TypeRoot::Array(element) = &declared.root else { return Err(mismatch(declared, value)) };
            for item in items {
                let at = child.len();
                write(child, element, item, at)?;
            }
            column.commit_list();
            return Ok(());
        }
        (Data::Map { keys, values, .. }, Value::Map(entries)) => {
            write_entries(keys, values, declared, entries)?;
            column.commit_list();
            return Ok(());
        }
        (Data::Row(_), Value::Row(fields)) => write_row(column, declared, fields, row)?,
        (data, value) => push_scalar(data, value).ok_or_else(|| mismatch(declared, value))?,
    }
    column.commit();
    Ok(())
}

fn write_entries(
    keys: &mut Column,
    values: &mut Column,
    declared: &LogicalType,
    entries: &[(Value, Value)],
) -> Result<()> {
    let count = TypeRoot::Int.into();
    let (key_type, value_type) = match &declared.root {
        TypeRoot::Map(key, value) => (key.as_ref(), value.as_ref()),
        TypeRoot::Multiset(element) => (element.as_ref(), &count),
        _ => return Err(mismatch(declared, &Value::Map(entries.to_vec()))),
    };
    for (key, value) in entries {
        let at = keys.len();
        write(keys, key_type, key, at)?;
        write(values, value_type, value, at)?;
    }
    Ok(())
}

fn write_row(column: &mut Column, declared: &LogicalType, values: &[Value], row: usize) -> Result<()> {
    let produced = column.ty().clone();
    let (Some(declared_fields), Some(fields), Data::Row(children)) =
        (declared.row_fields(), produced.row_fields(), &mut column.data)
    else {
        return Err(mismatch(declared, &Value::Row(values.to_vec())));
    };
    for (child, field) in children.iter_mut().zip(fields) {
        let position = declared_fields.iter().position(|d| d.name == field.name);
        let found = position.and_then(|p| Some((&declared_fields[p], values.get(p)?)));
        let (declared_field, value) = found.ok_or_else(|| mismatch(declared, &Value::Row(values.to_vec())))?;
        write(child, &declared_field.ty, value, row)?;
    }
    Ok(())
}

/// Pushes a scalar; `None` when the value is not of the column's kind or out of its range.
fn push_scalar(data: &mut Data, value: &Value) -> Option<()> {
    match (data, value) {
        (Data::Boolean(v), Value::Boolean(b)) => v.push(*b),
        (Data::TinyInt(v), Value::Int(i)) => v.push(i8::try_from(*i).ok()?),
        (Data::SmallInt(v), Value::Int(i)) => v.push(i16::try_from(*i).ok()?),
        (Data::Int(v) | Data::Date(v) | Data::YearMonth(v) | Data::Time { values: v, .. }, Value::Int(i)) => {
            v.push(i32::try_from(*i).ok()?);
        }
        (Data::BigInt(v) | Data::DayTime(v) | Data::Timestamp { values: v, .. }, Value::Int(i)) => v.push(*i),
        (Data::Float(v), Value::Float(f)) => v.push(*f as f32),
        (Data::Float(v), Value::Int(i)) => v.push(*i as f32),
        (Data::Double(v), Value::Float(f)) => v.push(*f),
        (Data::Double(v), Value::Int(i)) => v.push(*i as f64),
        (Data::Decimal { values, .. }, Value::Decimal(d)) => values.push(*d),
        _ => return None,
    }
    Some(())
}

/// The value of an array at a row.
pub fn value(array: &dyn Array, row: usize) -> Value {
    if array.is_null(row) {
        return Value::Null;
    }
    match array.data_type() {
        DataType::Boolean => Value::Boolean(array.as_boolean().value(row)),
        DataType::Utf8 => Value::String(array.as_string::<i32>().value(row).to_string()),
        DataType::Binary => Value::Bytes(array.as_binary::<i32>().value(row).to_vec()),
        DataType::Int8 => Value::Int(array.as_primitive::<Int8Type>().value(row).into()),
        DataType::Int16 => Value::Int(array.as_primitive::<Int16Type>().value(row).into()),
        DataType::Int32 => Value::Int(array.as_primitive::<Int32Type>().value(row).into()),
        DataType::Int64 => Value::Int(array.as_primitive::<Int64Type>().value(row)),
        DataType::Float32 => Value::Float(array.as_primitive::<Float32Type>().value(row).into()),
        DataType::Float64 => Value::Float(array.as_primitive::<Float64Type>().value(row)),
        DataType::Decimal128(..) => Value::Decimal(array.as_primitive::<Decimal128Type>().value(row)),
        DataType::Date32 => Value::Int(array.as_primitive::<Date32Type>().value(row).into()),
        DataType::Time32(_) => Value::Int(array.as_primitive::<Time32MillisecondType>().value(row).into()),
        DataType::Timestamp(unit, _) => Value::Int(timestamp(array, row, unit)),
        DataType::Interval(_) => Value::Int(array.as_primitive::<IntervalYearMonthType>().value(row).into()),
        DataType::Duration(_) => Value::Int(array.as_primitive::<DurationMillisecondType>().value(row)),
        DataType::List(_) => Value::List(all(&array.as_list::<i32>().value(row))),
        DataType::Map(..) => {
            let entries = array.as_map().value(row);
            Value::Map(all(entries.column(0)).into_iter().zip(all(entries.column(1))).collect())
        }
        DataType::Struct(_) => Value::Row(array.as_struct().columns().iter().map(|c| value(c, row)).collect()),
        _ => Value::Null,
    }
}

fn all(array: &dyn Array) -> Vec<Value> {
    (0..array.len()).map(|row| value(array, row)).collect()
}

fn timestamp(array: &dyn Array, row: usize, unit: &TimeUnit) -> i64 {
    match unit {
        TimeUnit::Microsecond => array.as_primitive::<TimestampMicrosecondType>().value(row),
        TimeUnit::Nanosecond => array.as_primitive::<TimestampNanosecondType>().value(row),
        _ => array.as_primitive::<TimestampMillisecondType>().value(row),
    }
}
