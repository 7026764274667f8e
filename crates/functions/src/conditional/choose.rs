//! Functions that answer one of their arguments.

use crate::comparison::{Comparer, compared_types};
use crate::kernel::{arrow_error, downcast, kernel, operand_nulls};
use crate::types::{common_type, comparison_type};
use crate::{Bound, BuildContext, Call, Function, Kernel, Operand};
use arrow::array::{Array, ArrayRef, BooleanArray, NullArray};
use arrow::buffer::{BooleanBuffer, NullBuffer};
use arrow::compute::kernels::zip::zip;
use arrow::compute::{nullif, prep_null_mask_filter};
use arrow::datatypes::DataType;
use headwater_data::arrow_type;
use headwater_types::{LogicalType, Result, TypeRoot};
use std::ops::RangeInclusive;
use std::sync::Arc;

/// The functions of this group.
pub const FUNCTIONS: &[Function] = &[
    Function::new("COALESCE", "COALESCE(<COMMON>...)", |call| bind_coalesce(call, 1..=usize::MAX), build_coalesce),
    Function::new("IFNULL", "IFNULL(<COMMON>, <COMMON>)", |call| bind_coalesce(call, 2..=2), build_coalesce),
    Function::new("IF", "IF(condition <BOOLEAN>, <COMMON>, <COMMON>)", bind_if, build_if),
    Function::new("NULLIF", "NULLIF(<COMPARABLE>, <COMPARABLE>)", bind_nullif, build_nullif),
    Function::new("GREATEST", "GREATEST(<COMPARABLE>...)", bind_extreme, |context| build_extreme(context, true)),
    Function::new("LEAST", "LEAST(<COMPARABLE>...)", bind_extreme, |context| build_extreme(context, false)),
];

/// Arguments `from..` cast to their common type.
fn common(call: &Call<'_>, from: usize) -> Result<(Vec<LogicalType>, TypeRoot)> {
    let types: Vec<_> = call.args[from..].iter().map(|a| a.ty.clone()).collect();
    if types.iter().all(|t| t.root == TypeRoot::Null) {
        return Ok((types, TypeRoot::Null));
    }
    let root = common_type(&types).ok_or_else(|| call.error())?.root;
    Ok((types.iter().map(|t| LogicalType::new(root.clone(), t.nullable)).collect(), root))
}

/// NULL only when all arguments may be.
fn bind_coalesce(call: &Call<'_>, arity: RangeInclusive<usize>) -> Result<Bound> {
    call.arity(arity)?;
    let (arg_types, root) = common(call, 0)?;
    let nullable = call.args.iter().all(|a| a.ty.nullable);
    Ok(Bound { arg_types, return_type: LogicalType::new(root, nullable) })
}

fn build_coalesce(_: &BuildContext<'_>) -> Result<Box<dyn Kernel>> {
    kernel(|args, rows| {
        let mut found = args[0].clone();
        for next in &args[1..] {
            let Some(valid) = operand_nulls(&found, rows) else { break };
            found = select(&BooleanArray::new(valid.into_inner(), None), &found, next)?;
        }
        expand(found, rows)
    })
}

/// The left value where the condition holds, else the right one.
fn select(condition: &BooleanArray, left: &Operand, right: &Operand) -> Result<Operand> {
    if *left.array().data_type() == DataType::Null {
        return Ok(Operand::Array(Arc::new(NullArray::new(condition.len()))));
    }
    zip(condition, left, right).map(Operand::Array).map_err(arrow_error)
}

/// The condition with unknown taken as false.
fn truth(condition: &BooleanArray) -> BooleanArray {
    if condition.null_count() > 0 { prep_null_mask_filter(condition) } else { condition.clone() }
}

pub(super) fn expand(operand: Operand, rows: usize) -> Result<ArrayRef> {
    match operand {
        Operand::Scalar(value) if rows != 1 => crate::cast::repeat(&value, rows),
        Operand::Scalar(array) | Operand::Array(array) => Ok(array),
    }
}

fn bind_if(call: &Call<'_>) -> Result<Bound> {
    call.arity(3..=3)?;
    let condition = call.boolean(0)?;
    let (branches, root) = common(call, 1)?;
    let nullable = branches.iter().any(|t| t.nullable);
    let arg_types = std::iter::once(condition).chain(branches).collect();
    Ok(Bound { arg_types, return_type: LogicalType::new(root, nullable) })
}

fn build_if(_: &BuildContext<'_>) -> Result<Box<dyn Kernel>> {
    kernel(|args, rows| {
        let condition = downcast::<BooleanArray>(args[0].array())?;
        match &args[0] {
            Operand::Scalar(_) => {
                let chosen = if condition.is_valid(0) && condition.value(0) { &args[1] } else { &args[2] };
                expand(chosen.clone(), rows)
            }
            Operand::Array(_) => expand(select(&truth(condition), &args[1], &args[2])?, rows),
        }
    })
}

/// The result has the type of the first argument, which is not cast.
fn bind_nullif(call: &Call<'_>) -> Result<Bound> {
    call.arity(2..=2)?;
    let (left, right) = (call.ty(0), call.ty(1));
    comparison_type(left, right).ok_or_else(|| call.error())?;
    let root = if left.root == TypeRoot::Null { right.root.clone() } else { left.root.clone() };
    let first = LogicalType::new(root.clone(), left.nullable);
    call.returns_nullable(vec![first, right.clone()], root)
}

fn build_nullif(context: &BuildContext<'_>) -> Result<Box<dyn Kernel>> {
    let (left, right, zone) = (&context.arg_types[0], &context.arg_types[1], context.zone);
    let [left_as, right_as] = compared_types(left, right).unwrap_or_else(|| [left.clone(), right.clone()]);
    let cast_left = crate::cast::array_cast(left, &left_as, false, zone)?;
    let cast_right = crate::cast::array_cast(right, &right_as, false, zone)?;
    let comparer = Comparer::equal(&left_as, &right_as, zone)?;
    let converted = |operand: &Operand, cast: &crate::cast::CastFn| match operand {
        Operand::Array(array) => cast(array).map(Operand::Array),
        Operand::Scalar(array) => cast(array).map(Operand::Scalar),
    };
    kernel(move |args, rows| {
        let equal = comparer.compare(&converted(&args[0], &cast_left)?, &converted(&args[1], &cast_right)?, rows)?;
        nullif(&expand(args[0].clone(), rows)?, &equal).map_err(arrow_error)
    })
}

fn bind_extreme(call: &Call<'_>) -> Result<Bound> {
    call.arity(1..=usize::MAX)?;
    let (arg_types, root) = common(call, 0)?;
    if matches!(
        root,
        TypeRoot::Null | TypeRoot::Array(_) | TypeRoot::Map(..) | TypeRoot::Multiset(_) | TypeRoot::Row(_)
    ) {
        return Err(call.error());
    }
    call.returns(arg_types, root)
}

/// NULL when any argument is.
fn build_extreme(context: &BuildContext<'_>, greatest: bool) -> Result<Box<dyn Kernel>> {
    let ty = context.return_type;
    let comparer =
        if greatest { Comparer::greater(ty, ty, context.zone)? } else { Comparer::less(ty, ty, context.zone)? };
    let arrow = arrow_type(ty);
    kernel(move |args, rows| {
        let mut best = args[0].clone();
        let mut nulls = operand_nulls(&args[0], rows);
        for next in &args[1..] {
            nulls = NullBuffer::union(nulls.as_ref(), operand_nulls(next, rows).as_ref());
            let better = comparer.compare(&best, next, rows)?;
            best = select(&truth(&better), &best, next)?;
        }
        let best = expand(best, rows)?;
        debug_assert_eq!(best.data_type(), &arrow, "arguments have the bound type");
        let missing = nulls.map_or_else(|| BooleanBuffer::new_unset(rows), |n| !n.inner());
        nullif(&best, &BooleanArray::new(missing, None)).map_err(arrow_error)
    })
}
