//! Decimals. A result that does not fit its type is NULL.
//!
//! Values are 128-bit integers; only where an intermediate result does not fit is it computed in 256 bits.

use super::operators::Op;
use crate::decimal::{POWERS, convert, divide_half_up, fits, rescale, wide_divide_half_up, wide_power};
use crate::kernel::{kernel, map2, primitive2, primitives};
use crate::{BuildContext, Kernel, Operand};
use arrow::array::{ArrayRef, Decimal128Array};
use arrow::datatypes::{DataType, Decimal128Type, i256};
use headwater_data::arrow_type;
use headwater_types::{Error, LogicalType, Result};

/// Precision and scale of both operands and of the result.
#[derive(Debug, Clone, Copy)]
struct Shape {
    left: (u8, u8),
    right: (u8, u8),
    out: (u8, u8),
}

/// The kernel of an operator on two decimals.
pub(super) fn build(context: &BuildContext<'_>, op: Op) -> Result<Box<dyn Kernel>> {
    let decimal = |t: &LogicalType| t.as_decimal().ok_or_else(|| Error::internal(format!("{t} is not a decimal type")));
    let [left, right] = [decimal(&context.arg_types[0])?, decimal(&context.arg_types[1])?];
    let shape = Shape { left, right, out: decimal(context.return_type)? };
    let ty = arrow_type(context.return_type);
    match op {
        Op::Plus if shape.adds_exactly() => {
            let (l, r) = shape.alignment();
            kernel(move |args, rows| total(args, rows, &ty, |a, b| a.wrapping_mul(l).wrapping_add(b.wrapping_mul(r))))
        }
        Op::Minus if shape.adds_exactly() => {
            let (l, r) = shape.alignment();
            kernel(move |args, rows| total(args, rows, &ty, |a, b| a.wrapping_mul(l).wrapping_sub(b.wrapping_mul(r))))
        }
        Op::Plus => kernel(move |args, rows| partial(args, rows, &ty, |a, b| Ok(add(shape, a, b)))),
        Op::Minus => kernel(move |args, rows| partial(args, rows, &ty, |a, b| Ok(add(shape, a, b.wrapping_neg())))),
        Op::Times if shape.multiplies_exactly() => kernel(move |args, rows| total(args, rows, &ty, i128::wrapping_mul)),
        Op::Times => kernel(move |args, rows| partial(args, rows, &ty, |a, b| Ok(multiply(shape, a, b)))),
        Op::Divide => kernel(move |args, rows| partial(args, rows, &ty, |a, b| divide(shape, a, b))),
        Op::Modulo => kernel(move |args, rows| partial(args, rows, &ty, |a, b| modulo(shape, a, b))),
    }
}

impl Shape {
    /// Whether sums of aligned operands always fit the result, so that nothing need be checked.
    fn adds_exactly(&self) -> bool {
        let scale = self.left.1.max(self.right.1);
        let whole = (self.left.0 - self.left.1).max(self.right.0 - self.right.1);
        self.out.1 == scale && whole + scale < self.out.0
    }

    /// Factors that bring both operands to the scale of an exact sum.
    fn alignment(&self) -> (i128, i128) {
        let factor = |scale: u8| POWERS[usize::from(self.out.1 - scale)];
        (factor(self.left.1), factor(self.right.1))
    }

    fn multiplies_exactly(&self) -> bool {
        self.out.1 == self.left.1 + self.right.1 && self.left.0 + self.right.0 <= self.out.0
    }
}

/// Maps with a function that always has a result. It is called for the values under NULLs, too.
fn total(args: &[Operand], rows: usize, ty: &DataType, f: impl Fn(i128, i128) -> i128) -> Result<ArrayRef> {
    primitive2::<Decimal128Array, Decimal128Array, Decimal128Type>(args, rows, ty, f)
}

/// Maps with a function that may overflow to NULL or fail.
fn partial(
    args: &[Operand],
    rows: usize,
    ty: &DataType,
    f: impl Fn(i128, i128) -> Result<Option<i128>>,
) -> Result<ArrayRef> {
    let out = primitives::<Decimal128Type>(rows, ty);
    map2::<Decimal128Array, Decimal128Array, _>(args, rows, out, |a, b, out| {
        out.append_option(f(a, b)?);
        Ok(())
    })
}

fn add(shape: Shape, left: i128, right: i128) -> Option<i128> {
    let scale = shape.left.1.max(shape.right.1);
    let exact = rescale(left, shape.left.1, scale)
        .zip(rescale(right, shape.right.1, scale))
        .and_then(|(l, r)| l.checked_add(r));
    match exact {
        Some(sum) => convert(sum, scale, shape.out),
        None => {
            let wide = |v: i128, from: u8| i256::from_i128(v).wrapping_mul(wide_power(u32::from(scale - from)));
            let sum = wide(left, shape.left.1).wrapping_add(wide(right, shape.right.1));
            narrow(sum, scale.into(), shape.out)
        }
    }
}

fn multiply(shape: Shape, left: i128, right: i128) -> Option<i128> {
    let scale = shape.left.1 + shape.right.1;
    match left.checked_mul(right) {
        Some(product) => narrow_exact(product, scale, shape.out),
        None => narrow(i256::from_i128(left).wrapping_mul(i256::from_i128(right)), scale.into(), shape.out),
    }
}

fn divide(shape: Shape, left: i128, right: i128) -> Result<Option<i128>> {
    if right == 0 {
        return Err(division_by_zero());
    }
    // (left / 10^s1) / (right / 10^s2), as a multiple of 10^-scale.
    let shift = i32::from(shape.out.1) + i32::from(shape.right.1) - i32::from(shape.left.1);
    let up = u32::try_from(shift).unwrap_or(0);
    let down = u32::try_from(-shift).unwrap_or(0);
    let power = |n: u32| POWERS.get(n as usize).copied();
    let narrow_operands =
        power(up).and_then(|p| left.checked_mul(p)).zip(power(down).and_then(|p| right.checked_mul(p)));
    let quotient = match narrow_operands {
        Some((dividend, divisor)) => Some(divide_half_up(dividend, divisor)),
        None => {
            let dividend = i256::from_i128(left).checked_mul(wide_power(up));
            let divisor = i256::from_i128(right).checked_mul(wide_power(down));
            dividend.zip(divisor).and_then(|(dividend, divisor)| wide_divide_half_up(dividend, divisor))
        }
    };
    Ok(quotient.filter(|q| fits(*q, shape.out.0)))
}

fn modulo(shape: Shape, left: i128, right: i128) -> Result<Option<i128>> {
    if right == 0 {
        return Err(division_by_zero());
    }
    let scale = shape.left.1.max(shape.right.1);
    let wide = |v: i128, from: u8| i256::from_i128(v).wrapping_mul(wide_power(u32::from(scale - from)));
    let rest = match rescale(left, shape.left.1, scale).zip(rescale(right, shape.right.1, scale)) {
        Some((l, r)) => Some(l.wrapping_rem(r)),
        None => wide(left, shape.left.1).wrapping_rem(wide(right, shape.right.1)).to_i128(),
    };
    Ok(rest.and_then(|rest| convert(rest, scale, shape.out)))
}

/// A value of the given scale, which may exceed 38, as a decimal.
fn narrow_exact(value: i128, scale: u8, out: (u8, u8)) -> Option<i128> {
    match scale - out.1 {
        0 => Some(value).filter(|v| fits(*v, out.0)),
        drop if drop <= 38 => Some(divide_half_up(value, POWERS[usize::from(drop)])).filter(|v| fits(*v, out.0)),
        _ => narrow(i256::from_i128(value), scale.into(), out),
    }
}

fn narrow(value: i256, scale: u32, (precision, out_scale): (u8, u8)) -> Option<i128> {
    wide_divide_half_up(value, wide_power(scale - u32::from(out_scale))).filter(|v| fits(*v, precision))
}

fn division_by_zero() -> Error {
    Error::user("division-by-zero", "Division by zero")
}
