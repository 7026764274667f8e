//! Functions of maps.

use super::bind::{array_of, common, element, key_value};
use super::build::{ListOutput, MapOutput};
use super::elements::{Lists, encode, encode_all};
use crate::kernel::{Call, arrow_error, downcast, kernel};
use crate::{Bound, Function, Operand};
use arrow::array::{Array, ArrayRef, ListArray, MapArray, StructArray};
use arrow::datatypes::DataType;
use arrow::row::Row;
use headwater_data::arrow_types::arrow_type;
use headwater_types::{Error, LogicalType, Result, RowField, TypeRoot};
use std::collections::HashMap;
use std::ops::Range;
use std::sync::Arc;

/// `MAP_KEYS(map)`.
pub(super) const MAP_KEYS: Function = Function::new(
    "MAP_KEYS",
    "MAP_KEYS(input <MAP>)",
    |call| bind_parts(call, |key, _| key),
    |ctx| {
        let ty = arrow_type(ctx.return_type);
        kernel(move |args, rows| parts(args, rows, &ty, |map| Ok(map.keys().clone())))
    },
);

/// `MAP_VALUES(map)`.
pub(super) const MAP_VALUES: Function = Function::new(
    "MAP_VALUES",
    "MAP_VALUES(input <MAP>)",
    |call| bind_parts(call, |_, value| value),
    |ctx| {
        let ty = arrow_type(ctx.return_type);
        kernel(move |args, rows| parts(args, rows, &ty, |map| Ok(map.values().clone())))
    },
);

/// `MAP_ENTRIES(map)`: an array of rows of `key` and `value`.
pub(super) const MAP_ENTRIES: Function = Function::new(
    "MAP_ENTRIES",
    "MAP_ENTRIES(input <MAP>)",
    |call| {
        bind_parts(call, |key, value| {
            TypeRoot::Row(vec![RowField::new("key", key), RowField::new("value", value)]).into()
        })
    },
    |ctx| {
        let ty = arrow_type(ctx.return_type);
        let DataType::List(item) = ty.clone() else { return Err(Error::internal("MAP_ENTRIES gives arrays")) };
        kernel(move |args, rows| parts(args, rows, &ty, |map| entries(map, item.data_type())))
    },
);

/// `MAP_UNION(map, …)`: of equal keys the value of the last map counts.
pub(super) const MAP_UNION: Function = Function::new(
    "MAP_UNION",
    "MAP_UNION(<COMMON>, <COMMON>...)",
    |call| {
        call.arity(1..=usize::MAX)?;
        let ty = common(call, 0, |root| matches!(root, TypeRoot::Map(..)))?;
        call.returns(vec![ty.clone(); call.len()], ty.root)
    },
    |ctx| {
        let ty = arrow_type(ctx.return_type);
        kernel(move |args, rows| union(args, rows, &ty))
    },
);

/// `MAP_FROM_ARRAYS(keys, values)`: arrays of equal length; the last value of equal keys counts.
pub(super) const MAP_FROM_ARRAYS: Function = Function::new(
    "MAP_FROM_ARRAYS",
    "MAP_FROM_ARRAYS(array_of_keys <ARRAY>, array_of_values <ARRAY>)",
    |call| {
        call.arity(2..=2)?;
        let (key, value) = (element(call, 0)?.clone(), element(call, 1)?.clone());
        let types = vec![call.ty(0).clone(), call.ty(1).clone()];
        call.returns(types, TypeRoot::Map(Box::new(key), Box::new(value)))
    },
    |ctx| {
        let ty = arrow_type(ctx.return_type);
        kernel(move |args, rows| from_arrays(args, rows, &ty))
    },
);

fn bind_parts(call: &Call<'_>, part: fn(LogicalType, LogicalType) -> LogicalType) -> Result<Bound> {
    call.arity(1..=1)?;
    let (key, value) = key_value(call, 0)?;
    call.returns(vec![call.ty(0).clone()], array_of(part(key.clone(), value.clone())))
}

/// Arrays with the ranges of the maps, over one of their parts.
fn parts(
    args: &[Operand],
    rows: usize,
    ty: &DataType,
    part: impl Fn(&MapArray) -> Result<ArrayRef>,
) -> Result<ArrayRef> {
    let map: &MapArray = downcast(args[0].array().as_ref())?;
    let values = part(map)?;
    if map.len() != rows {
        let (maps, ..) = Lists::of_map(args, 0)?;
        let mut out = ListOutput::new([&values], rows);
        for row in 0..rows {
            let range = maps.range(row);
            let valid = range.is_some();
            out.extend(0, range.unwrap_or_default());
            out.end_row(valid)?;
        }
        return out.finish(ty);
    }
    let DataType::List(field) = ty else { return Err(Error::internal(format!("{ty} is not a list type"))) };
    let lists = ListArray::try_new(field.clone(), map.offsets().clone(), values, map.nulls().cloned());
    Ok(Arc::new(lists.map_err(arrow_error)?))
}

/// The entries of a map as rows.
fn entries(map: &MapArray, ty: &DataType) -> Result<ArrayRef> {
    let DataType::Struct(fields) = ty else { return Err(Error::internal(format!("{ty} is not a row type"))) };
    let columns = vec![map.keys().clone(), map.values().clone()];
    Ok(Arc::new(StructArray::try_new(fields.clone(), columns, None).map_err(arrow_error)?))
}

fn union(args: &[Operand], rows: usize, ty: &DataType) -> Result<ArrayRef> {
    let maps = (0..args.len()).map(|index| Lists::of_map(args, index)).collect::<Result<Vec<_>>>()?;
    let keys: Vec<&ArrayRef> = maps.iter().map(|(_, keys, _)| *keys).collect();
    let encoded = encode_all(&keys)?;
    let mut out = MapOutput::new(keys.iter().copied(), maps.iter().map(|(_, _, values)| *values), rows);
    for row in 0..rows {
        let ranges: Option<Vec<Range<usize>>> = maps.iter().map(|(map, ..)| map.range(row)).collect();
        let valid = ranges.is_some();
        let sources = ranges.into_iter().flatten().enumerate();
        let entries = sources.flat_map(|(source, range)| range.map(move |at| (source, at)));
        push_entries(entries.map(|(source, at)| (encoded[source].row(at), (source, at), (source, at))), &mut out);
        out.end_row(valid)?;
    }
    out.finish(ty)
}

/// Appends entries: each key where it first appears, with its last value.
fn push_entries<'r>(entries: impl Iterator<Item = (Row<'r>, (usize, usize), (usize, usize))>, out: &mut MapOutput<'_>) {
    let mut places: HashMap<Row<'r>, usize> = HashMap::new();
    let mut kept: Vec<((usize, usize), (usize, usize))> = Vec::new();
    for (encoded, key, value) in entries {
        let place = *places.entry(encoded).or_insert(kept.len());
        match kept.get_mut(place) {
            Some(entry) => entry.1 = value,
            None => kept.push((key, value)),
        }
    }
    kept.into_iter().for_each(|(key, value)| out.push(key, value));
}

fn from_arrays(args: &[Operand], rows: usize, ty: &DataType) -> Result<ArrayRef> {
    let ((keys, key_values), (values, value_values)) = (Lists::of(args, 0)?, Lists::of(args, 1)?);
    let [encoded] = encode([key_values])?;
    let mut out = MapOutput::new([key_values], [value_values], rows);
    for row in 0..rows {
        let Some((keys, values)) = keys.range(row).zip(values.range(row)) else {
            out.end_row(false)?;
            continue;
        };
        if keys.len() != values.len() {
            let message = format!(
                "Invalid function MAP_FROM_ARRAYS call:\nThe length of the keys array {} is not equal to the length \
                 of the values array {}",
                keys.len(),
                values.len()
            );
            return Err(Error::user("bad-argument", message));
        }
        push_entries(keys.zip(values).map(|(key, value)| (encoded.row(key), (0, key), (0, value))), &mut out);
        out.end_row(true)?;
    }
    out.finish(ty)
}
