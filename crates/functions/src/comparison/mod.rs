//! Comparison: `=`, `<`, `IS NULL`, `IS DISTINCT FROM`, `LIKE`, `SIMILAR TO`.
//!
//! Both sides are cast to one type first; text compared with a point in time is read as one, and text that
//! does not read so makes the comparison unknown rather than an error. Floating point numbers compare as in
//! IEEE 754: NaN equals nothing. ARRAY, MAP and ROW know equality only; NULLs within them are equal to each other.

mod like;
mod nested;
mod order;
mod similar;
#[cfg(test)]
mod tests;

pub use nested::equality;
pub(crate) use order::Comparer;

use crate::kernel::{kernel, operand_nulls};
use crate::types::{common_type, comparison_type};
use crate::{Bound, BuildContext, Call, Function, Kernel, Operand};
use arrow::array::{ArrayRef, BooleanArray};
use arrow::buffer::BooleanBuffer;
use headwater_types::{LogicalType, Result, TypeRoot};
use order::Relation;
use std::sync::Arc;

/// The functions of this group.
pub const FUNCTIONS: &[Function] = &[
    Function::new("=", "<COMPARABLE> = <COMPARABLE>", bind_equality, |c| compare(c, Relation::Equal)),
    Function::new("<>", "<COMPARABLE> <> <COMPARABLE>", bind_equality, |c| compare(c, Relation::NotEqual))
        .aliases(&["!="]),
    Function::new("<", "<COMPARABLE> < <COMPARABLE>", bind_order, |c| compare(c, Relation::Less)),
    Function::new("<=", "<COMPARABLE> <= <COMPARABLE>", bind_order, |c| compare(c, Relation::LessOrEqual)),
    Function::new(">", "<COMPARABLE> > <COMPARABLE>", bind_order, |c| compare(c, Relation::Greater)),
    Function::new(">=", "<COMPARABLE> >= <COMPARABLE>", bind_order, |c| compare(c, Relation::GreaterOrEqual)),
    Function::new("IS DISTINCT FROM", "<COMPARABLE> IS DISTINCT FROM <COMPARABLE>", bind_distinct, |c| {
        distinct(c, true)
    }),
    Function::new("IS NOT DISTINCT FROM", "<COMPARABLE> IS NOT DISTINCT FROM <COMPARABLE>", bind_distinct, |c| {
        distinct(c, false)
    }),
    Function::new("IS NULL", "<ANY> IS NULL", bind_null_test, |_| null_test(true)),
    Function::new("IS NOT NULL", "<ANY> IS NOT NULL", bind_null_test, |_| null_test(false)),
    Function::new(
        "LIKE",
        "<CHARACTER_STRING> LIKE <CHARACTER_STRING> [ESCAPE <CHARACTER_STRING>]",
        bind_pattern,
        like::build,
    ),
    Function::new(
        "SIMILAR TO",
        "<CHARACTER_STRING> SIMILAR TO <CHARACTER_STRING> [ESCAPE <CHARACTER_STRING>]",
        bind_pattern,
        similar::build,
    ),
];

fn bind_equality(call: &Call<'_>) -> Result<Bound> {
    let arg_types = compared(call)?;
    call.returns(arg_types, TypeRoot::Boolean)
}

fn bind_order(call: &Call<'_>) -> Result<Bound> {
    let arg_types = compared(call)?;
    match arg_types[0].root {
        TypeRoot::Array(_) | TypeRoot::Map(..) | TypeRoot::Multiset(_) | TypeRoot::Row(_) | TypeRoot::Variant => {
            Err(call.error())
        }
        _ => call.returns(arg_types, TypeRoot::Boolean),
    }
}

fn bind_distinct(call: &Call<'_>) -> Result<Bound> {
    let arg_types = compared(call)?;
    call.returns_not_null(arg_types, TypeRoot::Boolean)
}

fn bind_null_test(call: &Call<'_>) -> Result<Bound> {
    call.arity(1..=1)?;
    call.returns_not_null(vec![call.ty(0).clone()], TypeRoot::Boolean)
}

fn bind_pattern(call: &Call<'_>) -> Result<Bound> {
    let arg_types = call.all_strings(2..=3)?;
    call.returns(arg_types, TypeRoot::Boolean)
}

fn compared(call: &Call<'_>) -> Result<Vec<LogicalType>> {
    call.arity(2..=2)?;
    compared_types(call.ty(0), call.ty(1)).map(Vec::from).ok_or_else(|| call.error())
}

/// The types two values are compared as: the same one, save where the comparison itself converts.
pub(crate) fn compared_types(left: &LogicalType, right: &LogicalType) -> Option<[LogicalType; 2]> {
    let common = comparison_type(left, right)?;
    let text_and_time = left.is_character() && right.is_temporal() || left.is_temporal() && right.is_character();
    if text_and_time {
        return Some([left.clone(), right.clone()]);
    }
    if let (TypeRoot::Decimal(..), Some(l), Some(r)) = (&common.root, left.as_decimal(), right.as_decimal()) {
        let lossless = common_type(&[left.clone(), right.clone()]).is_some_and(|t| holds(&t, l) && holds(&t, r));
        if !lossless {
            let own = |(p, s): (u8, u8), nullable| LogicalType::new(TypeRoot::Decimal(p, s), nullable);
            return Some([own(l, left.nullable), own(r, right.nullable)]);
        }
    }
    let adopt = |ty: &LogicalType| match ty.same_root(&common) {
        true => ty.clone(),
        false => common.clone().with_nullable(ty.nullable),
    };
    Some([adopt(left), adopt(right)])
}

/// Whether a decimal type holds all values of DECIMAL(precision, scale).
fn holds(ty: &LogicalType, (precision, scale): (u8, u8)) -> bool {
    matches!(ty.root, TypeRoot::Decimal(p, s) if s >= scale && p - s >= precision - scale)
}

fn compare(context: &BuildContext<'_>, relation: Relation) -> Result<Box<dyn Kernel>> {
    let comparer = Comparer::new(relation, &context.arg_types[0], &context.arg_types[1], context.zone)?;
    kernel(move |args, rows| Ok(Arc::new(comparer.compare(&args[0], &args[1], rows)?) as ArrayRef))
}

/// Two NULLs are not distinct, NULL and a value are.
fn distinct(context: &BuildContext<'_>, wanted: bool) -> Result<Box<dyn Kernel>> {
    let comparer = Comparer::new(Relation::Equal, &context.arg_types[0], &context.arg_types[1], context.zone)?;
    kernel(move |args, rows| {
        let (equal, unknown) = comparer.compare(&args[0], &args[1], rows)?.into_parts();
        let same = match unknown {
            None => equal,
            Some(known) => &(&equal & known.inner()) | &(&nulls(&args[0], rows) & &nulls(&args[1], rows)),
        };
        Ok(Arc::new(BooleanArray::new(if wanted { !&same } else { same }, None)) as ArrayRef)
    })
}

/// Which rows are NULL.
fn nulls(operand: &Operand, rows: usize) -> BooleanBuffer {
    operand_nulls(operand, rows).map_or_else(|| BooleanBuffer::new_unset(rows), |valid| !valid.inner())
}

fn null_test(wanted: bool) -> Result<Box<dyn Kernel>> {
    kernel(move |args, rows| {
        let nulls = nulls(&args[0], rows);
        Ok(Arc::new(BooleanArray::new(if wanted { nulls } else { !&nulls }, None)) as ArrayRef)
    })
}
