//! Integers and floating point numbers.
//!
//! Integers wrap around. Integer division and remainder by zero are errors, as in Java; floating point ones
//! give infinity or NaN.

use super::operators::Op;
use crate::kernel::{Column, arrow_error, kernel, merged_nulls};
use crate::{BuildContext, Kernel, Operand};
use arrow::array::{ArrayRef, PrimitiveArray};
use arrow::compute::kernels::numeric::{add_wrapping, mul_wrapping, neg_wrapping, sub_wrapping};
use arrow::datatypes::{
    ArrowNativeTypeOp, ArrowPrimitiveType, Float32Type, Float64Type, Int8Type, Int16Type, Int32Type, Int64Type,
};
use headwater_data::arrow_type;
use headwater_types::{Error, Result, TypeRoot};
use std::sync::Arc;

/// The kernel of an operator on two operands of the same type.
pub(super) fn build(context: &BuildContext<'_>, op: Op) -> Result<Box<dyn Kernel>> {
    match op {
        Op::Plus => kernel(|args, _| add_wrapping(&args[0], &args[1]).map_err(arrow_error)),
        Op::Minus => kernel(|args, _| sub_wrapping(&args[0], &args[1]).map_err(arrow_error)),
        Op::Times => kernel(|args, _| mul_wrapping(&args[0], &args[1]).map_err(arrow_error)),
        Op::Divide | Op::Modulo => dividing(context, op),
    }
}

/// The kernel of the negative sign.
pub(super) fn negate() -> Result<Box<dyn Kernel>> {
    kernel(|args, _| neg_wrapping(args[0].array()).map_err(arrow_error))
}

fn dividing(context: &BuildContext<'_>, op: Op) -> Result<Box<dyn Kernel>> {
    let eval = match context.arg_types[0].root {
        TypeRoot::TinyInt => divider::<Int8Type>(op),
        TypeRoot::SmallInt => divider::<Int16Type>(op),
        TypeRoot::Int => divider::<Int32Type>(op),
        TypeRoot::BigInt => divider::<Int64Type>(op),
        TypeRoot::Float => float_divider::<Float32Type>(op),
        _ => float_divider::<Float64Type>(op),
    };
    if context.return_type.root == context.arg_types[0].root {
        return kernel(eval);
    }
    let narrow = arrow_type(context.return_type);
    kernel(move |args, rows| arrow::compute::cast(&eval(args, rows)?, &narrow).map_err(arrow_error))
}

type Eval = fn(&[Operand], usize) -> Result<ArrayRef>;

fn divider<T: ArrowPrimitiveType>(op: Op) -> Eval
where
    T::Native: ArrowNativeTypeOp,
{
    match op {
        Op::Modulo => |args, rows| divide::<T>(args, rows, T::Native::mod_wrapping),
        _ => |args, rows| divide::<T>(args, rows, T::Native::div_wrapping),
    }
}

fn float_divider<T: ArrowPrimitiveType>(op: Op) -> Eval
where
    T::Native: ArrowNativeTypeOp,
{
    match op {
        Op::Modulo => |args, rows| float_divide::<T>(args, rows, T::Native::mod_wrapping),
        _ => |args, rows| float_divide::<T>(args, rows, T::Native::div_wrapping),
    }
}

fn float_divide<T: ArrowPrimitiveType>(
    args: &[Operand],
    rows: usize,
    op: impl Fn(T::Native, T::Native) -> T::Native,
) -> Result<ArrayRef> {
    crate::kernel::primitive2::<PrimitiveArray<T>, PrimitiveArray<T>, T>(args, rows, &T::DATA_TYPE, op)
}

fn divide<T: ArrowPrimitiveType>(
    args: &[Operand],
    rows: usize,
    op: impl Fn(T::Native, T::Native) -> T::Native,
) -> Result<ArrayRef>
where
    T::Native: ArrowNativeTypeOp,
{
    let (left, right) = (Column::<PrimitiveArray<T>>::of(args, 0)?, Column::<PrimitiveArray<T>>::of(args, 1)?);
    let nulls = merged_nulls(left.nulls(rows), right.nulls(rows));
    let valid = |row: usize| nulls.as_ref().is_none_or(|n| n.is_valid(row));
    let divisors = if right.is_scalar() { 0..rows.min(1) } else { 0..rows };
    let has_zero = divisors.clone().any(|row| right.value(row).is_zero());
    if has_zero && (0..rows).any(|row| right.value(row).is_zero() && valid(row)) {
        return Err(division_by_zero());
    }
    // A zero can only stand under a NULL here.
    let safe = |divisor: T::Native| if divisor.is_zero() { T::Native::ONE } else { divisor };
    let values = (0..rows).map(|row| op(left.value(row), safe(right.value(row)))).collect::<Vec<_>>();
    Ok(Arc::new(PrimitiveArray::<T>::new(values.into(), nulls)))
}

/// Java's message for an integer division by zero.
pub(super) fn division_by_zero() -> Error {
    Error::user("division-by-zero", "/ by zero")
}
