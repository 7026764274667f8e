//! Arrays as sets: `ARRAY_DISTINCT`, `ARRAY_UNION`, `ARRAY_EXCEPT`, `ARRAY_INTERSECT`. Elements keep the order of
//! their first appearance.

use super::bind::{common, element};
use super::build::ListOutput;
use super::elements::{Lists, encode};
use crate::kernel::{Call, kernel};
use crate::{Bound, Function, Operand};
use arrow::array::ArrayRef;
use arrow::datatypes::DataType;
use arrow::row::Row;
use headwater_data::arrow_types::arrow_type;
use headwater_types::{Result, TypeRoot};
use std::collections::HashSet;

/// `ARRAY_DISTINCT(array)`.
pub(super) const ARRAY_DISTINCT: Function = Function::new(
    "ARRAY_DISTINCT",
    "ARRAY_DISTINCT(haystack <ARRAY>)",
    |call| {
        call.arity(1..=1)?;
        element(call, 0)?;
        call.returns(vec![call.ty(0).clone()], call.ty(0).root.clone())
    },
    |ctx| {
        let ty = arrow_type(ctx.return_type);
        kernel(move |args, rows| distinct(args, rows, &ty))
    },
);

/// `ARRAY_UNION(array1, array2)`.
pub(super) const ARRAY_UNION: Function =
    Function::new("ARRAY_UNION", "ARRAY_UNION(<COMMON>, <COMMON>)", bind_two, |ctx| {
        let ty = arrow_type(ctx.return_type);
        kernel(move |args, rows| combine(args, rows, &ty, Combination::Union))
    });

/// `ARRAY_EXCEPT(array1, array2)`.
pub(super) const ARRAY_EXCEPT: Function =
    Function::new("ARRAY_EXCEPT", "ARRAY_EXCEPT(<COMMON>, <COMMON>)", bind_two, |ctx| {
        let ty = arrow_type(ctx.return_type);
        kernel(move |args, rows| combine(args, rows, &ty, Combination::Except))
    });

/// `ARRAY_INTERSECT(array1, array2)`.
pub(super) const ARRAY_INTERSECT: Function =
    Function::new("ARRAY_INTERSECT", "ARRAY_INTERSECT(<COMMON>, <COMMON>)", bind_two, |ctx| {
        let ty = arrow_type(ctx.return_type);
        kernel(move |args, rows| combine(args, rows, &ty, Combination::Intersect))
    });

#[derive(Clone, Copy, PartialEq)]
enum Combination {
    Union,
    Except,
    Intersect,
}

fn bind_two(call: &Call<'_>) -> Result<Bound> {
    call.arity(2..=2)?;
    let ty = common(call, 0, |root| matches!(root, TypeRoot::Array(_)))?;
    call.returns(vec![ty.clone(), ty.clone()], ty.root)
}

fn distinct(args: &[Operand], rows: usize, ty: &DataType) -> Result<ArrayRef> {
    let (lists, values) = Lists::of(args, 0)?;
    let [elements] = encode([values])?;
    let mut out = ListOutput::new([values], rows);
    let mut seen: HashSet<Row<'_>> = HashSet::new();
    for row in 0..rows {
        let range = lists.range(row);
        let valid = range.is_some();
        seen.clear();
        range.into_iter().flatten().filter(|at| seen.insert(elements.row(*at))).for_each(|at| out.push(0, at));
        out.end_row(valid)?;
    }
    out.finish(ty)
}

fn combine(args: &[Operand], rows: usize, ty: &DataType, combination: Combination) -> Result<ArrayRef> {
    let ((left, left_values), (right, right_values)) = (Lists::of(args, 0)?, Lists::of(args, 1)?);
    let [lefts, rights] = encode([left_values, right_values])?;
    let mut out = ListOutput::new([left_values, right_values], rows);
    let (mut seen, mut others): (HashSet<Row<'_>>, HashSet<Row<'_>>) = (HashSet::new(), HashSet::new());
    for row in 0..rows {
        let Some((left, right)) = left.range(row).zip(right.range(row)) else {
            out.end_row(false)?;
            continue;
        };
        seen.clear();
        others.clear();
        if combination != Combination::Union {
            others.extend(right.clone().map(|at| rights.row(at)));
        }
        let wanted = |element: &Row<'_>| match combination {
            Combination::Union => true,
            Combination::Except => !others.contains(element),
            Combination::Intersect => others.contains(element),
        };
        for at in left {
            let element = lefts.row(at);
            if wanted(&element) && seen.insert(element) {
                out.push(0, at);
            }
        }
        if combination == Combination::Union {
            right.filter(|at| seen.insert(rights.row(*at))).for_each(|at| out.push(1, at));
        }
        out.end_row(true)?;
    }
    out.finish(ty)
}
