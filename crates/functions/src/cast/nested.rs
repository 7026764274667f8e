//! Casts of ARRAY, MAP, MULTISET and ROW, part by part.
//!
//! Parts are cast strictly. Under TRY_CAST a batch in which a part fails is cast again row by row, so that
//! only the rows with a failing part become NULL.

use super::{CastFn, array_cast};
use crate::kernel::{arrow_error, downcast};
use arrow::array::{Array, ArrayRef, BooleanArray, ListArray, MapArray, StructArray, new_null_array};
use arrow::buffer::{NullBuffer, OffsetBuffer, ScalarBuffer};
use arrow::compute::{concat, nullif};
use arrow::datatypes::{DataType, FieldRef, Fields};
use chrono_tz::Tz;
use headwater_data::arrow_type;
use headwater_types::{Error, ErrorKind, LogicalType, Result, RowField, TypeRoot};
use std::sync::Arc;

/// The cast between two constructed types of one kind.
pub(super) fn cast(from: &LogicalType, to: &LogicalType, try_cast: bool, zone: Tz) -> Result<CastFn> {
    use TypeRoot as T;
    let int = LogicalType::from(T::Int);
    let strict = match (&from.root, &to.root) {
        (T::Array(from), T::Array(element)) => list(arrow_type(to), array_cast(from, element, false, zone)?),
        (T::Map(from_key, from_value), T::Map(key, value)) => {
            map(arrow_type(to), array_cast(from_key, key, false, zone)?, array_cast(from_value, value, false, zone)?)
        }
        (T::Multiset(from), T::Multiset(element)) => {
            map(arrow_type(to), array_cast(from, element, false, zone)?, array_cast(&int, &int, false, zone)?)
        }
        (T::Row(from), T::Row(fields)) => row(arrow_type(to), from, fields, zone)?,
        _ => return Err(Error::internal(format!("no nested cast from {from} to {to}"))),
    };
    Ok(if try_cast { or_null(strict, arrow_type(to)) } else { strict })
}

fn or_null(strict: CastFn, ty: DataType) -> CastFn {
    Box::new(move |array| {
        let whole = strict(array);
        if !matches!(&whole, Err(error) if error.kind() == ErrorKind::User) {
            return whole;
        }
        let rows: Vec<ArrayRef> = (0..array.len())
            .map(|row| match strict(&array.slice(row, 1)) {
                Err(error) if error.kind() == ErrorKind::User => Ok(new_null_array(&ty, 1)),
                cast => cast,
            })
            .collect::<Result<_>>()?;
        let rows: Vec<&dyn Array> = rows.iter().map(AsRef::as_ref).collect();
        concat(&rows).map_err(arrow_error)
    })
}

/// The offsets of the rows, counted from zero, and the range of child values they cover.
fn covered(offsets: &OffsetBuffer<i32>) -> (OffsetBuffer<i32>, usize, usize) {
    let start = offsets[0];
    let end = offsets[offsets.len() - 1];
    let shifted: ScalarBuffer<i32> = offsets.iter().map(|o| o - start).collect();
    (OffsetBuffer::new(shifted), start as usize, (end - start) as usize)
}

fn list(ty: DataType, cast: CastFn) -> CastFn {
    Box::new(move |array| {
        let DataType::List(field) = &ty else { return Err(wrong(&ty)) };
        let array = downcast::<ListArray>(array)?;
        let (offsets, start, length) = covered(array.offsets());
        let values = cast(&array.values().slice(start, length))?;
        let list = ListArray::try_new(field.clone(), offsets, values, array.nulls().cloned());
        Ok(Arc::new(list.map_err(arrow_error)?))
    })
}

fn map(ty: DataType, cast_key: CastFn, cast_value: CastFn) -> CastFn {
    Box::new(move |array| {
        let DataType::Map(entries, ordered) = &ty else { return Err(wrong(&ty)) };
        let array = downcast::<MapArray>(array)?;
        let (offsets, start, length) = covered(array.offsets());
        let keys = cast_key(&array.keys().slice(start, length))?;
        let values = cast_value(&array.values().slice(start, length))?;
        let fields = struct_fields(entries)?;
        let entry = StructArray::try_new(fields.clone(), vec![keys, values], None).map_err(arrow_error)?;
        let map = MapArray::try_new(entries.clone(), offsets, entry, array.nulls().cloned(), *ordered);
        Ok(Arc::new(map.map_err(arrow_error)?))
    })
}

fn struct_fields(entries: &FieldRef) -> Result<&Fields> {
    match entries.data_type() {
        DataType::Struct(fields) => Ok(fields),
        other => Err(wrong(other)),
    }
}

fn row(ty: DataType, from: &[RowField], to: &[RowField], zone: Tz) -> Result<CastFn> {
    let casts: Vec<CastFn> =
        from.iter().zip(to).map(|(from, to)| array_cast(&from.ty, &to.ty, false, zone)).collect::<Result<_>>()?;
    Ok(Box::new(move |array| {
        let DataType::Struct(fields) = &ty else { return Err(wrong(&ty)) };
        let array = downcast::<StructArray>(array)?;
        let columns = array.columns().iter().zip(&casts).map(|(column, cast)| cast(&visible(column, array.nulls())?));
        let columns = columns.collect::<Result<Vec<_>>>()?;
        let row = StructArray::try_new_with_length(fields.clone(), columns, array.nulls().cloned(), array.len());
        Ok(Arc::new(row.map_err(arrow_error)?))
    }))
}

/// The field of the rows that are not NULL: what lies under a NULL row must not fail a cast.
fn visible(column: &ArrayRef, rows: Option<&NullBuffer>) -> Result<ArrayRef> {
    match rows.filter(|rows| rows.null_count() > 0) {
        None => Ok(column.clone()),
        Some(rows) => nullif(column, &BooleanArray::new(!rows.inner(), None)).map_err(arrow_error),
    }
}

fn wrong(ty: &DataType) -> Error {
    Error::internal(format!("{ty} is not the type of the cast"))
}
