//! Functions of one array: elements added, removed, found, put in another order.

use super::bind::{array_and_needle, array_of, common, element};
use super::build::ListOutput;
use super::elements::{Lists, encode};
use crate::kernel::{Call, Column, kernel, texts};
use crate::{Bound, Function, Operand};
use arrow::array::{Array, ArrayRef, BooleanArray, Int32Array, Int64Array, StringArray};
use arrow::datatypes::DataType;
use headwater_data::arrow_types::arrow_type;
use headwater_types::{LogicalType, Result, TypeRoot};
use std::ops::Range;
use std::sync::Arc;

/// `ARRAY_APPEND(array, element)`: NULL elements are appended.
pub(super) const ARRAY_APPEND: Function =
    Function::new("ARRAY_APPEND", "ARRAY_APPEND(array <ARRAY>, element <ARRAY ELEMENT>)", bind_added, |ctx| {
        let ty = arrow_type(ctx.return_type);
        kernel(move |args, rows| add(args, rows, &ty, End::Back))
    });

/// `ARRAY_PREPEND(array, element)`: NULL elements are prepended.
pub(super) const ARRAY_PREPEND: Function =
    Function::new("ARRAY_PREPEND", "ARRAY_PREPEND(array <ARRAY>, element <ARRAY ELEMENT>)", bind_added, |ctx| {
        let ty = arrow_type(ctx.return_type);
        kernel(move |args, rows| add(args, rows, &ty, End::Front))
    });

/// `ARRAY_REMOVE(haystack, needle)`: without all elements equal to the needle, which may be NULL.
pub(super) const ARRAY_REMOVE: Function = Function::new(
    "ARRAY_REMOVE",
    "ARRAY_REMOVE(haystack <ARRAY>, needle <ARRAY ELEMENT>)",
    |call| {
        let types = array_and_needle(call)?;
        let return_type = call.ty(0).clone();
        Ok(Bound { arg_types: types, return_type })
    },
    |ctx| {
        let ty = arrow_type(ctx.return_type);
        kernel(move |args, rows| remove(args, rows, &ty))
    },
);

/// `ARRAY_CONTAINS(haystack, needle)`: the needle may be NULL.
pub(super) const ARRAY_CONTAINS: Function = Function::new(
    "ARRAY_CONTAINS",
    "ARRAY_CONTAINS(haystack <ARRAY>, needle <ARRAY ELEMENT>)",
    |call| {
        let types = array_and_needle(call)?;
        let return_type = LogicalType::new(TypeRoot::Boolean, call.ty(0).nullable);
        Ok(Bound { arg_types: types, return_type })
    },
    |_| kernel(contains),
);

/// `ARRAY_POSITION(haystack, needle)`: from 1; 0 when absent; NULL for a NULL needle.
pub(super) const ARRAY_POSITION: Function = Function::new(
    "ARRAY_POSITION",
    "ARRAY_POSITION(haystack <ARRAY>, needle <ARRAY ELEMENT>)",
    |call| call.returns(array_and_needle(call)?, TypeRoot::Int),
    |_| kernel(position),
);

/// `ARRAY_REVERSE(array)`.
pub(super) const ARRAY_REVERSE: Function = Function::new(
    "ARRAY_REVERSE",
    "ARRAY_REVERSE(haystack <ARRAY>)",
    |call| {
        call.arity(1..=1)?;
        element(call, 0)?;
        call.returns(vec![call.ty(0).clone()], call.ty(0).root.clone())
    },
    |ctx| {
        let ty = arrow_type(ctx.return_type);
        kernel(move |args, rows| reverse(args, rows, &ty))
    },
);

/// `ARRAY_SLICE(array, start[, end])`: both inclusive and from 1; negative ones count from the end; 0 means 1.
pub(super) const ARRAY_SLICE: Function = Function::new(
    "ARRAY_SLICE",
    "ARRAY_SLICE(<ARRAY>, <INTEGER>, <INTEGER>)\nARRAY_SLICE(<ARRAY>, <INTEGER>)",
    |call| {
        call.arity(2..=3)?;
        element(call, 0)?;
        let mut types = vec![call.ty(0).clone()];
        for index in 1..call.len() {
            types.push(call.bigint(index)?);
        }
        call.returns(types, call.ty(0).root.clone())
    },
    |ctx| {
        let ty = arrow_type(ctx.return_type);
        kernel(move |args, rows| slice(args, rows, &ty))
    },
);

/// `ARRAY_CONCAT(array, …)`.
pub(super) const ARRAY_CONCAT: Function = Function::new(
    "ARRAY_CONCAT",
    "ARRAY_CONCAT(<COMMON>, <COMMON>...)",
    |call| {
        call.arity(1..=usize::MAX)?;
        let ty = common(call, 0, |root| matches!(root, TypeRoot::Array(_)))?;
        call.returns(vec![ty.clone(); call.len()], ty.root)
    },
    |ctx| {
        let ty = arrow_type(ctx.return_type);
        kernel(move |args, rows| concat(args, rows, &ty))
    },
);

/// `ARRAY_JOIN(array, delimiter[, null_replacement])`: NULL elements are skipped unless replaced.
pub(super) const ARRAY_JOIN: Function = Function::new(
    "ARRAY_JOIN",
    "ARRAY_JOIN(array <ARRAY<STRING>>, delimiter <CHARACTER_STRING>[, nullReplacement <CHARACTER_STRING>])",
    |call| {
        call.arity(2..=3)?;
        if !element(call, 0)?.is_character() {
            return Err(call.error());
        }
        let mut types = vec![call.ty(0).clone()];
        for index in 1..call.len() {
            types.push(call.string(index)?);
        }
        call.returns(types, LogicalType::string().root)
    },
    |_| kernel(join),
);

#[derive(Clone, Copy)]
enum End {
    Front,
    Back,
}

/// The result's elements are nullable when the added one is.
fn bind_added(call: &Call<'_>) -> Result<Bound> {
    let types = array_and_needle(call)?;
    let element = element(call, 0)?.clone();
    let nullable = element.nullable || call.ty(1).nullable;
    let return_type = LogicalType::new(array_of(element.with_nullable(nullable)), call.ty(0).nullable);
    Ok(Bound { arg_types: types, return_type })
}

fn add(args: &[Operand], rows: usize, ty: &DataType, end: End) -> Result<ArrayRef> {
    let (lists, values) = Lists::of(args, 0)?;
    let mut out = ListOutput::new([values, args[1].array()], rows);
    for row in 0..rows {
        let range = lists.range(row);
        let valid = range.is_some();
        if let Some(range) = range {
            let added = args[1].index(row);
            match end {
                End::Front => {
                    out.push(1, added);
                    out.extend(0, range);
                }
                End::Back => {
                    out.extend(0, range);
                    out.push(1, added);
                }
            }
        }
        out.end_row(valid)?;
    }
    out.finish(ty)
}

/// Calls `found` with the place of each row's array and the test whether the element at a position is the needle.
fn search<T>(
    args: &[Operand],
    rows: usize,
    mut found: impl FnMut(usize, Option<Range<usize>>, &dyn Fn(usize) -> bool) -> Result<T>,
) -> Result<Vec<T>> {
    let (lists, values) = Lists::of(args, 0)?;
    let [elements, needles] = encode([values, args[1].array()])?;
    let row_result = |row: usize| {
        let needle = needles.row(args[1].index(row));
        found(row, lists.range(row), &|at| elements.row(at) == needle)
    };
    (0..rows).map(row_result).collect()
}

fn remove(args: &[Operand], rows: usize, ty: &DataType) -> Result<ArrayRef> {
    let (_, values) = Lists::of(args, 0)?;
    let mut out = ListOutput::new([values], rows);
    search(args, rows, |_, range, is_needle| {
        let valid = range.is_some();
        range.into_iter().flatten().filter(|at| !is_needle(*at)).for_each(|at| out.push(0, at));
        out.end_row(valid)
    })?;
    out.finish(ty)
}

fn contains(args: &[Operand], rows: usize) -> Result<ArrayRef> {
    let found = search(args, rows, |_, range, is_needle| Ok(range.map(|mut range| range.any(is_needle))))?;
    Ok(Arc::new(BooleanArray::from(found)))
}

fn position(args: &[Operand], rows: usize) -> Result<ArrayRef> {
    let needles = &args[1];
    let positions = search(args, rows, |row, range, is_needle| {
        let range = range.filter(|_| !needles.array().is_null(needles.index(row)));
        Ok(range.map(|mut range| range.position(is_needle).map_or(0, |index| index as i32 + 1)))
    })?;
    Ok(Arc::new(Int32Array::from(positions)))
}

fn reverse(args: &[Operand], rows: usize, ty: &DataType) -> Result<ArrayRef> {
    let (lists, values) = Lists::of(args, 0)?;
    let mut out = ListOutput::new([values], rows);
    for row in 0..rows {
        let range = lists.range(row);
        let valid = range.is_some();
        range.into_iter().flatten().rev().for_each(|at| out.push(0, at));
        out.end_row(valid)?;
    }
    out.finish(ty)
}

fn slice(args: &[Operand], rows: usize, ty: &DataType) -> Result<ArrayRef> {
    let (lists, values) = Lists::of(args, 0)?;
    let start = Column::<Int64Array>::of(args, 1)?;
    let end = if args.len() > 2 { Some(Column::<Int64Array>::of(args, 2)?) } else { None };
    let mut out = ListOutput::new([values], rows);
    for row in 0..rows {
        let part = || {
            let (range, start) = (lists.range(row)?, start.get(row)?);
            let end = match end {
                Some(end) => end.get(row)?,
                None => -1,
            };
            Some(part(range, start, end))
        };
        let part = part();
        let valid = part.is_some();
        out.extend(0, part.unwrap_or_default());
        out.end_row(valid)?;
    }
    out.finish(ty)
}

/// The positions `start` to `end` (from 1, inclusive) of a range.
fn part(range: Range<usize>, start: i64, end: i64) -> Range<usize> {
    let length = range.len() as i64;
    let from_front = |position: i64| match position {
        0 => 1,
        1.. => position,
        _ => position.saturating_add(length + 1),
    };
    let (first, last) = (from_front(start).max(1), from_front(end).min(length));
    if first > last {
        return range.start..range.start;
    }
    range.start + first as usize - 1..range.start + last as usize
}

fn concat(args: &[Operand], rows: usize, ty: &DataType) -> Result<ArrayRef> {
    let arrays = (0..args.len()).map(|index| Lists::of(args, index)).collect::<Result<Vec<_>>>()?;
    let mut out = ListOutput::new(arrays.iter().map(|(_, values)| *values), rows);
    for row in 0..rows {
        let ranges: Option<Vec<_>> = arrays.iter().map(|(lists, _)| lists.range(row)).collect();
        let valid = ranges.is_some();
        ranges.into_iter().flatten().enumerate().for_each(|(source, range)| out.extend(source, range));
        out.end_row(valid)?;
    }
    out.finish(ty)
}

fn join(args: &[Operand], rows: usize) -> Result<ArrayRef> {
    let (lists, values) = Lists::of(args, 0)?;
    let values: &StringArray = crate::kernel::downcast(values.as_ref())?;
    let delimiter = Column::<StringArray>::of(args, 1)?;
    let replacement = if args.len() > 2 { Some(Column::<StringArray>::of(args, 2)?) } else { None };
    texts(rows, values.value_data().len(), |row, out| {
        let (range, delimiter) = (lists.range(row)?, delimiter.get(row)?);
        let replacement = match replacement {
            Some(replacement) => Some(replacement.get(row)?),
            None => None,
        };
        let element = |at: usize| if values.is_null(at) { replacement } else { Some(values.value(at)) };
        for (i, element) in range.filter_map(element).enumerate() {
            if i > 0 {
                out.push_str(delimiter);
            }
            out.push_str(element);
        }
        Some(())
    })
}
