//! ABS, SIGN, CEIL, FLOOR, ROUND and TRUNCATE.
//!
//! They keep the type of their argument, except that decimals lose the digits that cannot matter any more.
//! `CEIL` and `FLOOR` with a unit round points in time and are in [`crate::temporal`].

use crate::decimal::{POWERS, Rounding, convert, fits, parse_at};
use crate::kernel::{Column, kernel, map1, merged_nulls, primitive1, primitives};
use crate::types::decimal;
use crate::{Bound, BuildContext, Call, Function, Kernel, Operand};
use arrow::array::{ArrayRef, ArrowNativeTypeOp, Decimal128Array, Int32Array, PrimitiveArray};
use arrow::datatypes::{
    ArrowPrimitiveType, DataType, Decimal128Type, Float32Type, Float64Type, Int8Type, Int16Type, Int32Type, Int64Type,
};
use headwater_data::arrow_type;
use headwater_types::{Error, Result, TypeRoot};
use std::sync::Arc;

/// The functions of this group.
pub const FUNCTIONS: &[Function] = &[
    Function::new("ABS", "ABS(<NUMERIC>)", bind_same, build_abs),
    Function::new("SIGN", "SIGN(<NUMERIC>)", bind_same, build_sign),
    Function::new("CEIL", "CEIL(<NUMERIC>), CEIL(<DATETIME> TO <UNIT>)", bind_whole, |c| build_whole(c, true))
        .aliases(&["CEILING"]),
    Function::new("FLOOR", "FLOOR(<NUMERIC>), FLOOR(<DATETIME> TO <UNIT>)", bind_whole, |c| build_whole(c, false)),
    Function::new("ROUND", "ROUND(<NUMERIC>[, <INT>])", bind_digits, |c| build_digits(c, Rounding::HalfUp)),
    Function::new("TRUNCATE", "TRUNCATE(<NUMERIC>[, <INT>])", bind_digits, |c| build_digits(c, Rounding::Down)),
];

/// Runs generic code for the primitive type of a numeric type other than DECIMAL.
macro_rules! with_number {
    ($root:expr, $T:ident => $body:expr) => {
        match $root {
            TypeRoot::TinyInt => {
                type $T = Int8Type;
                $body
            }
            TypeRoot::SmallInt => {
                type $T = Int16Type;
                $body
            }
            TypeRoot::Int => {
                type $T = Int32Type;
                $body
            }
            TypeRoot::BigInt => {
                type $T = Int64Type;
                $body
            }
            TypeRoot::Float => {
                type $T = Float32Type;
                $body
            }
            TypeRoot::Double => {
                type $T = Float64Type;
                $body
            }
            ref other => Err(Error::internal(format!("{other} is not a primitive number"))),
        }
    };
}

fn bind_same(call: &Call<'_>) -> Result<Bound> {
    call.arity(1..=1)?;
    let ty = call.any_numeric(0)?;
    call.returns(vec![ty.clone()], ty.root)
}

fn build_abs(context: &BuildContext<'_>) -> Result<Box<dyn Kernel>> {
    let ty = arrow_type(context.return_type);
    if let TypeRoot::Decimal(..) = context.return_type.root {
        return kernel(move |args, rows| {
            primitive1::<Decimal128Array, Decimal128Type>(args, rows, &ty, i128::wrapping_abs)
        });
    }
    with_number!(context.return_type.root, T => mapping::<T>(|v| if v < zero::<T>() { v.neg_wrapping() } else { v }))
}

fn build_sign(context: &BuildContext<'_>) -> Result<Box<dyn Kernel>> {
    if let TypeRoot::Decimal(_, scale) = context.return_type.root {
        let (ty, one) = (arrow_type(context.return_type), POWERS[usize::from(scale)]);
        return kernel(move |args, rows| {
            primitive1::<Decimal128Array, Decimal128Type>(args, rows, &ty, |v| v.signum() * one)
        });
    }
    with_number!(context.return_type.root, T => mapping::<T>(|v| {
        let one = <T as ArrowPrimitiveType>::Native::ONE;
        if v < zero::<T>() { one.neg_wrapping() } else if v > zero::<T>() { one } else { v }
    }))
}

fn zero<T: ArrowPrimitiveType>() -> T::Native {
    T::Native::default()
}

fn mapping<T: ArrowPrimitiveType>(f: fn(T::Native) -> T::Native) -> Result<Box<dyn Kernel>> {
    kernel(move |args, rows| primitive1::<PrimitiveArray<T>, T>(args, rows, &T::DATA_TYPE, f))
}

fn bind_whole(call: &Call<'_>) -> Result<Bound> {
    if call.len() == 2 {
        return crate::temporal::bind_round(call);
    }
    call.arity(1..=1)?;
    let ty = call.any_numeric(0)?;
    let root = match ty.root {
        TypeRoot::Decimal(p, _) => TypeRoot::Decimal(p, 0),
        ref other => other.clone(),
    };
    call.returns(vec![ty], root)
}

fn build_whole(context: &BuildContext<'_>, up: bool) -> Result<Box<dyn Kernel>> {
    if context.arg_types.len() == 2 {
        return crate::temporal::build_round(context, up);
    }
    let ty = arrow_type(context.return_type);
    match context.arg_types[0].root {
        TypeRoot::Decimal(_, scale) => {
            let one = POWERS[usize::from(scale)];
            let whole = move |v: i128| if up { -(v.wrapping_neg().div_euclid(one)) } else { v.div_euclid(one) };
            kernel(move |args, rows| primitive1::<Decimal128Array, Decimal128Type>(args, rows, &ty, whole))
        }
        TypeRoot::Float => mapping::<Float32Type>(if up { f32::ceil } else { f32::floor }),
        TypeRoot::Double => mapping::<Float64Type>(if up { f64::ceil } else { f64::floor }),
        _ => kernel(|args, _| Ok(args[0].array().clone())),
    }
}

/// A decimal rounded to a literal number of digits loses the others; to any other number it keeps its type.
fn bind_digits(call: &Call<'_>) -> Result<Bound> {
    call.arity(1..=2)?;
    let ty = call.any_numeric(0)?;
    let digits = match call.literal(1) {
        Some(headwater_plan::Value::Int(digits)) => Some(*digits),
        _ => (call.len() == 1).then_some(0),
    };
    let root = match (&ty.root, digits) {
        (TypeRoot::Decimal(p, s), Some(digits)) => decimal::root(decimal::round((*p, *s), digits)),
        (other, _) => other.clone(),
    };
    let mut arg_types = vec![ty];
    if call.len() == 2 {
        arg_types.push(call.int(1)?);
    }
    call.returns(arg_types, root)
}

fn build_digits(context: &BuildContext<'_>, mode: Rounding) -> Result<Box<dyn Kernel>> {
    if let (TypeRoot::Decimal(_, scale), Some(out)) = (&context.arg_types[0].root, context.return_type.as_decimal()) {
        let (scale, ty) = (*scale, arrow_type(context.return_type));
        return kernel(move |args, rows| decimal_digits(args, rows, mode, scale, out, &ty));
    }
    match context.arg_types[0].root {
        TypeRoot::TinyInt => digits::<Int8Type>(mode, |v, n, mode| integer_digits(v.into(), n, mode) as i8),
        TypeRoot::SmallInt => digits::<Int16Type>(mode, |v, n, mode| integer_digits(v.into(), n, mode) as i16),
        TypeRoot::Int => digits::<Int32Type>(mode, |v, n, mode| integer_digits(v.into(), n, mode) as i32),
        TypeRoot::BigInt => digits::<Int64Type>(mode, |v, n, mode| integer_digits(v.into(), n, mode) as i64),
        TypeRoot::Float => digits::<Float32Type>(mode, |v, n, mode| float_digits(v.into(), n, mode) as f32),
        _ => digits::<Float64Type>(mode, float_digits),
    }
}

fn digits<T: ArrowPrimitiveType>(
    mode: Rounding,
    f: fn(T::Native, i32, Rounding) -> T::Native,
) -> Result<Box<dyn Kernel>> {
    kernel(move |args, rows| {
        if args.len() == 1 {
            return primitive1::<PrimitiveArray<T>, T>(args, rows, &T::DATA_TYPE, |v| f(v, 0, mode));
        }
        let (value, digits) = (Column::<PrimitiveArray<T>>::of(args, 0)?, Column::<Int32Array>::of(args, 1)?);
        let values = (0..rows).map(|row| f(value.value(row), digits.value(row), mode)).collect::<Vec<_>>();
        let nulls = merged_nulls(value.nulls(rows), digits.nulls(rows));
        Ok(Arc::new(PrimitiveArray::<T>::new(values.into(), nulls)) as ArrayRef)
    })
}

fn decimal_digits(
    args: &[Operand],
    rows: usize,
    mode: Rounding,
    scale: u8,
    out: (u8, u8),
    ty: &DataType,
) -> Result<ArrayRef> {
    let builder = primitives::<Decimal128Type>(rows, ty);
    if args.len() == 1 {
        return map1::<Decimal128Array, _>(args, rows, builder, |v, builder| {
            builder.append_option(round_decimal(v, scale, 0, mode, out));
            Ok(())
        });
    }
    crate::kernel::map2::<Decimal128Array, Int32Array, _>(args, rows, builder, |v, digits, builder| {
        builder.append_option(round_decimal(v, scale, digits, mode, out));
        Ok(())
    })
}

/// The value rounded to `digits` places and given the scale of `out`; `None` when it does not fit.
fn round_decimal(value: i128, scale: u8, digits: i32, mode: Rounding, out: (u8, u8)) -> Option<i128> {
    let dropped = i32::from(scale) - digits;
    let rounded = match usize::try_from(dropped) {
        Err(_) | Ok(0) => value,
        Ok(dropped) if dropped > 38 => 0,
        Ok(dropped) => mode.divide(value, POWERS[dropped]).checked_mul(POWERS[dropped])?,
    };
    convert(rounded, scale, out).filter(|v| fits(*v, out.0))
}

fn integer_digits(value: i128, digits: i32, mode: Rounding) -> i128 {
    match usize::try_from(-i64::from(digits)) {
        Err(_) | Ok(0) => value,
        Ok(dropped) if dropped > 19 => 0,
        Ok(dropped) => mode.divide(value, POWERS[dropped]) * POWERS[dropped],
    }
}

/// Rounds the decimal number that the double is shown as, not its binary value: 1.005 rounds to 1.01.
fn float_digits(value: f64, digits: i32, mode: Rounding) -> f64 {
    const DIGITS_MAX: i32 = 330;
    if !value.is_finite() || digits > DIGITS_MAX {
        return value;
    }
    let digits = i64::from(digits.max(-DIGITS_MAX));
    let mut buffer = ryu::Buffer::new();
    let kept = parse_at(buffer.format_finite(value), digits, mode);
    match kept {
        Ok(Some(kept)) => format!("{kept}e{}", -digits).parse().unwrap_or(value),
        // More digits than 128 bits hold: there is nothing to round at that place.
        _ => value,
    }
}
