//! Arrays by the order of their elements: `ARRAY_SORT`, `ARRAY_MAX`, `ARRAY_MIN`.

use super::bind::element;
use super::build::ListOutput;
use super::elements::{Lists, encode};
use crate::kernel::{Call, Column, arrow_error, kernel};
use crate::{Bound, Function, Operand};
use arrow::array::{Array, ArrayRef, BooleanArray, UInt64Array};
use arrow::compute::take;
use arrow::datatypes::DataType;
use headwater_data::arrow_types::arrow_type;
use headwater_types::{LogicalType, Result, TypeRoot};
use std::cmp::Ordering;

/// `ARRAY_SORT(array[, ascending[, nulls_first]])`: ascending by default; NULLs come first when ascending, last when
/// descending, unless said otherwise.
pub(super) const ARRAY_SORT: Function = Function::new(
    "ARRAY_SORT",
    "ARRAY_SORT(array <ARRAY>[, ascending_order <BOOLEAN>[, null_first <BOOLEAN>]])",
    |call| {
        call.arity(1..=3)?;
        if matches!(element(call, 0)?.root, TypeRoot::Map(..) | TypeRoot::Multiset(_)) {
            return Err(call.error());
        }
        let mut types = vec![call.ty(0).clone()];
        for index in 1..call.len() {
            types.push(call.boolean(index)?);
        }
        call.returns(types, call.ty(0).root.clone())
    },
    |ctx| {
        let ty = arrow_type(ctx.return_type);
        kernel(move |args, rows| sort(args, rows, &ty))
    },
);

/// `ARRAY_MAX(array)`: NULL elements do not count.
pub(super) const ARRAY_MAX: Function = Function::new("ARRAY_MAX", "ARRAY_MAX(<ARRAY>)", bind_extreme, |_| {
    kernel(|args, rows| extreme(args, rows, Ordering::Greater))
});

/// `ARRAY_MIN(array)`: NULL elements do not count.
pub(super) const ARRAY_MIN: Function = Function::new("ARRAY_MIN", "ARRAY_MIN(<ARRAY>)", bind_extreme, |_| {
    kernel(|args, rows| extreme(args, rows, Ordering::Less))
});

/// Numbers, texts, bytes and points in time have extremes.
fn bind_extreme(call: &Call<'_>) -> Result<Bound> {
    call.arity(1..=1)?;
    let element = element(call, 0)?;
    let has_extremes = |ty: &LogicalType| {
        ty.is_numeric() || ty.is_character() || ty.is_binary() || ty.is_temporal() || ty.is_interval()
    };
    if !has_extremes(element) {
        return Err(call.error());
    }
    call.returns_nullable(vec![call.ty(0).clone()], element.root.clone())
}

fn sort(args: &[Operand], rows: usize, ty: &DataType) -> Result<ArrayRef> {
    let (lists, values) = Lists::of(args, 0)?;
    let [elements] = encode([values])?;
    let flags = (1..args.len()).map(|i| Column::<BooleanArray>::of(args, i)).collect::<Result<Vec<_>>>()?;
    let mut out = ListOutput::new([values], rows);
    let mut order: Vec<usize> = Vec::new();
    for row in 0..rows {
        let wanted = || {
            let ascending = flags.first().map_or(Some(true), |flag| flag.get(row))?;
            let nulls_first = flags.get(1).map_or(Some(ascending), |flag| flag.get(row))?;
            Some((lists.range(row)?, ascending, nulls_first))
        };
        let wanted = wanted();
        let valid = wanted.is_some();
        if let Some((range, ascending, nulls_first)) = wanted {
            order.clear();
            order.extend(range);
            order.sort_by(|a, b| {
                let nulls = values.is_null(*b).cmp(&values.is_null(*a));
                let nulls = if nulls_first { nulls } else { nulls.reverse() };
                let present = elements.row(*a).cmp(&elements.row(*b));
                nulls.then(if ascending { present } else { present.reverse() })
            });
            order.iter().for_each(|at| out.push(0, *at));
        }
        out.end_row(valid)?;
    }
    out.finish(ty)
}

/// The element that compares as `wanted` to all others.
fn extreme(args: &[Operand], rows: usize, wanted: Ordering) -> Result<ArrayRef> {
    let (lists, values) = Lists::of(args, 0)?;
    let [elements] = encode([values])?;
    let better = |a: usize, b: usize| if elements.row(b).cmp(&elements.row(a)) == wanted { b } else { a };
    let best = |row: usize| {
        let present = lists.range(row)?.filter(|at| values.is_valid(*at));
        present.reduce(better).map(|at| at as u64)
    };
    take(values.as_ref(), &(0..rows).map(best).collect::<UInt64Array>(), None).map_err(arrow_error)
}
