//! Casts among numbers, booleans and intervals.

use super::{CastFn, OnFailure};
use crate::decimal;
use crate::kernel::{arrow_error, downcast};
use arrow::array::{Array, ArrayRef, AsArray, BooleanArray, Decimal128Array, PrimitiveArray};
use arrow::compute;
use arrow::datatypes::{
    ArrowPrimitiveType, DataType, Decimal128Type, DurationMillisecondType, Float32Type, Float64Type, Int8Type,
    Int16Type, Int32Type, Int64Type, IntervalYearMonthType,
};
use headwater_data::arrow_type;
use headwater_types::{Error, LogicalType, Result, TypeRoot};
use std::sync::Arc;

/// The cast between two types of this module.
pub(super) fn cast(from: &LogicalType, to: &LogicalType, on_failure: OnFailure) -> Result<CastFn> {
    use TypeRoot as T;
    match (&from.root, &to.root) {
        (_, T::Boolean) => boolean(from),
        (T::Boolean, _) => {
            let (bits, numbers) = (from_boolean(), cast(&T::TinyInt.into(), to, on_failure));
            if to.root == T::TinyInt {
                return Ok(bits);
            }
            let numbers = numbers?;
            Ok(Box::new(move |array| numbers(&bits(array)?)))
        }
        (T::Decimal(_, scale), T::Decimal(p, s)) => Ok(decimal_to_decimal(*scale, (*p, *s))),
        (T::Decimal(_, scale), _) => decimal_to_number(*scale, to),
        (T::Float | T::Double, T::Decimal(p, s)) => Ok(float_to_decimal((*p, *s), on_failure)),
        (_, T::Decimal(p, s)) => Ok(integer_to_decimal((*p, *s))),
        (T::Float | T::Double, _) => float_to_number(to),
        _ => integer_to_number(to),
    }
}

fn boolean(from: &LogicalType) -> Result<CastFn> {
    fn nonzero<T: ArrowPrimitiveType>(wide: &PrimitiveArray<T>) -> ArrayRef {
        let values = wide.values().iter().map(|v| *v != T::Native::default()).collect::<Vec<_>>();
        Arc::new(BooleanArray::new(values.into(), wide.nulls().cloned()))
    }
    match from.root {
        TypeRoot::Decimal(..) => Ok(Box::new(|array| Ok(nonzero(downcast::<Decimal128Array>(array)?)))),
        TypeRoot::Float | TypeRoot::Double => Ok(Box::new(|array| Ok(nonzero(&doubles(array)?)))),
        _ if from.is_integer() => Ok(Box::new(|array| Ok(nonzero(&widened(array)?)))),
        _ => Err(unsupported(from)),
    }
}

fn from_boolean() -> CastFn {
    Box::new(|array| {
        let bits = downcast::<BooleanArray>(array)?;
        let values = bits.values().iter().map(i8::from).collect::<Vec<_>>();
        Ok(Arc::new(PrimitiveArray::<Int8Type>::new(values.into(), bits.nulls().cloned())))
    })
}

/// Integers and intervals as 64-bit numbers.
fn widened(array: &ArrayRef) -> Result<PrimitiveArray<Int64Type>> {
    let wide = |values: ArrayRef| -> Result<PrimitiveArray<Int64Type>> {
        let wide = compute::cast(&values, &DataType::Int64).map_err(arrow_error)?;
        Ok(downcast::<PrimitiveArray<Int64Type>>(&wide)?.clone())
    };
    match array.data_type() {
        DataType::Interval(_) => {
            wide(Arc::new(array.as_primitive::<IntervalYearMonthType>().reinterpret_cast::<Int32Type>()))
        }
        DataType::Duration(_) => Ok(array.as_primitive::<DurationMillisecondType>().reinterpret_cast::<Int64Type>()),
        _ => wide(array.clone()),
    }
}

fn integer_to_number(to: &LogicalType) -> Result<CastFn> {
    to_number(to, |array, to| {
        let wide = widened(array)?;
        Ok(match to {
            Target::TinyInt => mapped::<_, Int8Type>(&wide, |v| v as i8),
            Target::SmallInt => mapped::<_, Int16Type>(&wide, |v| v as i16),
            Target::Int => mapped::<_, Int32Type>(&wide, |v| v as i32),
            Target::BigInt => Arc::new(wide),
            Target::Float => mapped::<_, Float32Type>(&wide, |v| v as f32),
            Target::Double => mapped::<_, Float64Type>(&wide, |v| v as f64),
            Target::YearMonth => mapped::<_, IntervalYearMonthType>(&wide, |v| v as i32),
            Target::DayTime => mapped::<_, DurationMillisecondType>(&wide, |v| v),
        })
    })
}

/// Java's narrowing: integers narrower than INT take the low bits of the INT.
fn float_to_number(to: &LogicalType) -> Result<CastFn> {
    to_number(to, |array, to| {
        let wide = doubles(array)?;
        Ok(match to {
            Target::TinyInt => mapped::<_, Int8Type>(&wide, |v| v as i32 as i8),
            Target::SmallInt => mapped::<_, Int16Type>(&wide, |v| v as i32 as i16),
            Target::Int => mapped::<_, Int32Type>(&wide, |v| v as i32),
            Target::BigInt => mapped::<_, Int64Type>(&wide, |v| v as i64),
            Target::Float => mapped::<_, Float32Type>(&wide, |v| v as f32),
            Target::Double => Arc::new(wide),
            Target::YearMonth => mapped::<_, IntervalYearMonthType>(&wide, |v| v as i32),
            Target::DayTime => mapped::<_, DurationMillisecondType>(&wide, |v| v as i64),
        })
    })
}

fn doubles(array: &ArrayRef) -> Result<PrimitiveArray<Float64Type>> {
    let wide = compute::cast(array, &DataType::Float64).map_err(arrow_error)?;
    Ok(downcast::<PrimitiveArray<Float64Type>>(&wide)?.clone())
}

/// Integers take the low bits of the whole part.
fn decimal_to_number(scale: u8, to: &LogicalType) -> Result<CastFn> {
    let one = decimal::POWERS[usize::from(scale)];
    to_number(to, move |array, to| {
        let array = downcast::<Decimal128Array>(array)?;
        Ok(match to {
            Target::TinyInt => mapped::<_, Int8Type>(array, |v| (v / one) as i8),
            Target::SmallInt => mapped::<_, Int16Type>(array, |v| (v / one) as i16),
            Target::Int => mapped::<_, Int32Type>(array, |v| (v / one) as i32),
            Target::BigInt => mapped::<_, Int64Type>(array, |v| (v / one) as i64),
            Target::Float => mapped::<_, Float32Type>(array, |v| decimal::to_double(v, scale) as f32),
            Target::Double => mapped::<_, Float64Type>(array, |v| decimal::to_double(v, scale)),
            Target::YearMonth => mapped::<_, IntervalYearMonthType>(array, |v| (v / one) as i32),
            Target::DayTime => mapped::<_, DurationMillisecondType>(array, |v| (v / one) as i64),
        })
    })
}

/// The primitive targets of a numeric cast.
#[derive(Debug, Clone, Copy)]
enum Target {
    TinyInt,
    SmallInt,
    Int,
    BigInt,
    Float,
    Double,
    YearMonth,
    DayTime,
}

fn to_number(
    to: &LogicalType,
    cast: impl Fn(&ArrayRef, Target) -> Result<ArrayRef> + Send + Sync + 'static,
) -> Result<CastFn> {
    let target = match to.root {
        TypeRoot::TinyInt => Target::TinyInt,
        TypeRoot::SmallInt => Target::SmallInt,
        TypeRoot::Int => Target::Int,
        TypeRoot::BigInt => Target::BigInt,
        TypeRoot::Float => Target::Float,
        TypeRoot::Double => Target::Double,
        TypeRoot::IntervalYearMonth => Target::YearMonth,
        TypeRoot::IntervalDayTime => Target::DayTime,
        _ => return Err(unsupported(to)),
    };
    Ok(Box::new(move |array| cast(array, target)))
}

fn mapped<A: ArrowPrimitiveType, B: ArrowPrimitiveType>(
    array: &PrimitiveArray<A>,
    f: impl Fn(A::Native) -> B::Native,
) -> ArrayRef {
    Arc::new(array.unary::<_, B>(f))
}

fn decimal_array(
    array: &ArrayRef,
    ty: (u8, u8),
    mut value: impl FnMut(usize) -> Result<Option<i128>>,
) -> Result<ArrayRef> {
    let mut out = crate::kernel::primitives::<Decimal128Type>(array.len(), &DataType::Decimal128(ty.0, ty.1 as i8));
    for row in 0..array.len() {
        out.append_option(if array.is_null(row) { None } else { value(row)? });
    }
    Ok(Arc::new(out.finish()))
}

fn decimal_to_decimal(scale: u8, to: (u8, u8)) -> CastFn {
    Box::new(move |array| {
        let values = downcast::<Decimal128Array>(array)?;
        decimal_array(array, to, |row| Ok(decimal::convert(values.value(row), scale, to)))
    })
}

fn integer_to_decimal(to: (u8, u8)) -> CastFn {
    Box::new(move |array| {
        let values = widened(array)?;
        decimal_array(array, to, |row| Ok(decimal::convert(values.value(row).into(), 0, to)))
    })
}

fn float_to_decimal(to: (u8, u8), on_failure: OnFailure) -> CastFn {
    Box::new(move |array| {
        let values = doubles(array)?;
        decimal_array(array, to, |row| {
            let value = values.value(row);
            match value.is_finite() {
                true => Ok(double_to_decimal(value, to)),
                false => on_failure.fail(&value.to_string(), "Infinite or NaN"),
            }
        })
    })
}

/// The decimal that a finite double is shown as, rounded; `None` when it does not fit.
fn double_to_decimal(value: f64, to: (u8, u8)) -> Option<i128> {
    decimal::parse(ryu::Buffer::new().format_finite(value), to).ok().flatten()
}

/// The logical type's own casts of this module, for callers that hold a target only.
fn unsupported(ty: &LogicalType) -> Error {
    Error::internal(format!("no numeric cast for {ty} ({})", arrow_type(ty)))
}
