//! Reading from collections: `CARDINALITY`, `ITEM`, `ELEMENT`.

use super::bind::element;
use super::elements::{Lists, encode};
use crate::kernel::{Call, Column, arrow_error, kernel};
use crate::{Bound, BuildContext, Function, Kernel, Operand};
use arrow::array::{ArrayRef, Int32Array, Int64Array, UInt64Array};
use arrow::compute::take;
use headwater_plan::Value;
use headwater_types::{Error, Result, TypeRoot};
use std::sync::Arc;

/// `CARDINALITY(array)`, `CARDINALITY(map)`: number of elements.
pub(super) const CARDINALITY: Function = Function::new(
    "CARDINALITY",
    "CARDINALITY(<ARRAY>)\nCARDINALITY(<MAP>)",
    |call| {
        call.arity(1..=1)?;
        match call.ty(0).root {
            TypeRoot::Array(_) | TypeRoot::Map(..) | TypeRoot::Multiset(_) => {
                call.returns(vec![call.ty(0).clone()], TypeRoot::Int)
            }
            _ => Err(call.error()),
        }
    },
    |ctx| {
        let is_array = matches!(ctx.arg_types[0].root, TypeRoot::Array(_));
        kernel(move |args, rows| cardinality(args, rows, is_array))
    },
);

/// `ITEM(array, index)` from 1, `ITEM(map, key)`, `ITEM(variant, index)`, `ITEM(variant, name)`: NULL when absent.
pub(super) const ITEM: Function = Function::new(
    "ITEM",
    "<ARRAY> '[' <INTEGER> ']'\n<MAP> '[' <KEY> ']'\n<VARIANT> '[' <INTEGER> ']'\n<VARIANT> '[' <STRING> ']'",
    bind_item,
    build_item,
);

/// `ELEMENT(array)`: the only element; NULL for an empty array, an error for more.
pub(super) const ELEMENT: Function = Function::new(
    "ELEMENT",
    "ELEMENT(<ARRAY>)",
    |call| {
        call.arity(1..=1)?;
        let root = element(call, 0)?.root.clone();
        call.returns_nullable(vec![call.ty(0).clone()], root)
    },
    |_| kernel(only_element),
);

fn cardinality(args: &[Operand], rows: usize, is_array: bool) -> Result<ArrayRef> {
    let lists = if is_array { Lists::of(args, 0)?.0 } else { Lists::of_map(args, 0)?.0 };
    let lengths = (0..rows).map(|row| lists.range(row).map(|range| range.len() as i32));
    Ok(Arc::new(lengths.collect::<Int32Array>()))
}

fn bind_item(call: &Call<'_>) -> Result<Bound> {
    call.arity(2..=2)?;
    let container = call.ty(0).clone();
    let (key, root) = match &container.root {
        TypeRoot::Array(element) => (bind_index(call)?, element.root.clone()),
        // Texts are compared whatever their declared lengths are.
        TypeRoot::Map(key, value) if key.is_character() => (call.string(1)?, value.root.clone()),
        TypeRoot::Map(key, value) => (call.implicit(1, key.root.clone())?, value.root.clone()),
        TypeRoot::Variant if call.ty(1).is_integer() => (bind_index(call)?, TypeRoot::Variant),
        TypeRoot::Variant => (call.string(1)?, TypeRoot::Variant),
        _ => return Err(call.error()),
    };
    call.returns_nullable(vec![container, key], root)
}

fn bind_index(call: &Call<'_>) -> Result<headwater_types::LogicalType> {
    if let Some(Value::Int(index @ ..=0)) = call.literal(1) {
        let message = format!("Array element access needs an index starting at 1 but was {index}.");
        return Err(call.error_because(&message));
    }
    call.bigint(1)
}

fn build_item(ctx: &BuildContext<'_>) -> Result<Box<dyn Kernel>> {
    match ctx.arg_types[0].root {
        TypeRoot::Array(_) => kernel(array_item),
        TypeRoot::Map(..) => kernel(map_item),
        _ => kernel(crate::json::variant_item),
    }
}

/// The values at these positions; NULL where there is none.
fn pick(values: &ArrayRef, positions: UInt64Array) -> Result<ArrayRef> {
    take(values.as_ref(), &positions, None).map_err(arrow_error)
}

fn array_item(args: &[Operand], rows: usize) -> Result<ArrayRef> {
    let (lists, values) = Lists::of(args, 0)?;
    let index = Column::<Int64Array>::of(args, 1)?;
    let position = |row: usize| {
        let range = lists.range(row)?;
        let index = usize::try_from(index.get(row)?).ok()?.checked_sub(1)?;
        (index < range.len()).then_some((range.start + index) as u64)
    };
    pick(values, (0..rows).map(position).collect())
}

fn map_item(args: &[Operand], rows: usize) -> Result<ArrayRef> {
    let (maps, keys, values) = Lists::of_map(args, 0)?;
    let [encoded, wanted] = encode([keys, args[1].array()])?;
    let position = |row: usize| {
        let at = args[1].index(row);
        if args[1].array().is_null(at) {
            return None;
        }
        let wanted = wanted.row(at);
        maps.range(row)?.find(|entry| encoded.row(*entry) == wanted).map(|entry| entry as u64)
    };
    pick(values, (0..rows).map(position).collect())
}

fn only_element(args: &[Operand], rows: usize) -> Result<ArrayRef> {
    let (lists, values) = Lists::of(args, 0)?;
    let position = |row: usize| match lists.range(row) {
        Some(range) if range.len() > 1 => Err(Error::user("bad-argument", "Array has more than one element.")),
        Some(range) if range.len() == 1 => Ok(Some(range.start as u64)),
        _ => Ok(None),
    };
    pick(values, (0..rows).map(position).collect::<Result<UInt64Array>>()?)
}
