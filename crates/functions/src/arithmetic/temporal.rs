//! Points in time and intervals.
//!
//! A day-time interval is a number of milliseconds, whatever the time zone does meanwhile. A year-month
//! interval moves the date and keeps the time of day; a day the target month lacks becomes its last.

use super::numbers::division_by_zero;
use super::operators::Op;
use crate::kernel::{Column, kernel, map2, merged_nulls, primitive2, primitives};
use crate::temporal::calendar::{MS_PER_DAY, SECONDS_PER_DAY, add_months, checked_add_months};
use crate::temporal::stamps::{Stamps, try_timestamp_array};
use crate::{BuildContext, Kernel, Operand};
use arrow::array::{
    ArrayRef, ArrowPrimitiveType, Date32Array, DurationMillisecondArray, Float64Array, Int64Array,
    IntervalYearMonthArray, PrimitiveArray, Time32MillisecondArray,
};
use arrow::datatypes::{DataType, Date32Type, DurationMillisecondType, IntervalYearMonthType, Time32MillisecondType};
use headwater_data::arrow_type;
use headwater_types::{Error, LogicalType, Result, TypeRoot};

/// The kernel of an operator with a point in time or an interval among its operands.
pub(super) fn build(
    context: &BuildContext<'_>,
    op: Op,
    left: &LogicalType,
    right: &LogicalType,
) -> Result<Box<dyn Kernel>> {
    if left.is_temporal() && right.is_temporal() {
        return difference(left);
    }
    if left.is_temporal() {
        return shift(context, 0, if op == Op::Minus { -1 } else { 1 });
    }
    if right.is_temporal() {
        return shift(context, 1, 1);
    }
    match (&left.root, &right.root) {
        (TypeRoot::IntervalYearMonth, TypeRoot::IntervalYearMonth) => sum::<IntervalYearMonthType>(op),
        (TypeRoot::IntervalDayTime, TypeRoot::IntervalDayTime) => sum::<DurationMillisecondType>(op),
        (TypeRoot::IntervalYearMonth, _) => scale::<IntervalYearMonthType>(op, 0, right.is_integer(), |v| v as i32),
        (TypeRoot::IntervalDayTime, _) => scale::<DurationMillisecondType>(op, 0, right.is_integer(), |v| v),
        (_, TypeRoot::IntervalYearMonth) => scale::<IntervalYearMonthType>(op, 1, left.is_integer(), |v| v as i32),
        _ => scale::<DurationMillisecondType>(op, 1, left.is_integer(), |v| v),
    }
}

fn sum<T: ArrowPrimitiveType>(op: Op) -> Result<Box<dyn Kernel>>
where
    T::Native: arrow::array::ArrowNativeTypeOp,
{
    use arrow::array::ArrowNativeTypeOp;
    let f = if op == Op::Minus { T::Native::sub_wrapping } else { T::Native::add_wrapping };
    kernel(move |args, rows| primitive2::<PrimitiveArray<T>, PrimitiveArray<T>, T>(args, rows, &T::DATA_TYPE, f))
}

/// An interval times or by a number; `interval` is the position of the interval.
fn scale<T: ArrowPrimitiveType>(
    op: Op,
    interval: usize,
    whole: bool,
    native: fn(i64) -> T::Native,
) -> Result<Box<dyn Kernel>>
where
    T::Native: Into<i64>,
{
    kernel(move |args, rows| {
        let ordered = [args[interval].clone(), args[1 - interval].clone()];
        let out = primitives::<T>(rows, &T::DATA_TYPE);
        if whole {
            return map2::<PrimitiveArray<T>, Int64Array, _>(&ordered, rows, out, |interval, factor, out| {
                out.append_value(native(scale_whole(op, interval.into(), factor)?));
                Ok(())
            });
        }
        map2::<PrimitiveArray<T>, Float64Array, _>(&ordered, rows, out, |interval, factor, out| {
            let interval: i64 = interval.into();
            let interval = interval as f64;
            let scaled = if op == Op::Divide { interval / factor } else { interval * factor };
            out.append_value(native(scaled as i64));
            Ok(())
        })
    })
}

fn scale_whole(op: Op, interval: i64, factor: i64) -> Result<i64> {
    match (op, factor) {
        (Op::Divide, 0) => Err(division_by_zero()),
        (Op::Divide, _) => Ok(interval.wrapping_div(factor)),
        _ => Ok(interval.wrapping_mul(factor)),
    }
}

/// A point in time at position `point`, moved by the interval at the other position.
fn shift(context: &BuildContext<'_>, point: usize, sign: i64) -> Result<Box<dyn Kernel>> {
    let by_months = context.arg_types[1 - point].root == TypeRoot::IntervalYearMonth;
    let root = context.arg_types[point].root.clone();
    let ty = arrow_type(context.return_type);
    kernel(move |args, rows| {
        let ordered = [args[point].clone(), args[1 - point].clone()];
        match (&root, by_months) {
            (TypeRoot::Date, true) => months_on_date(&ordered, rows, sign),
            (TypeRoot::Date, false) => time_on_date(&ordered, rows, sign),
            // Months do not change the time of day.
            (TypeRoot::Time(_), true) => by_interval::<IntervalYearMonthType>(&ordered, rows, |time, _| time),
            (TypeRoot::Time(_), false) => by_interval::<DurationMillisecondType>(&ordered, rows, |time, ms| {
                (i64::from(time) + sign * (ms % MS_PER_DAY)).rem_euclid(MS_PER_DAY) as i32
            }),
            (_, true) => months_on_timestamp(&ordered, rows, sign, &ty),
            (_, false) => time_on_timestamp(&ordered, rows, sign, &ty),
        }
    })
}

fn by_interval<T: ArrowPrimitiveType>(
    args: &[Operand],
    rows: usize,
    f: impl Fn(i32, T::Native) -> i32,
) -> Result<ArrayRef> {
    let ty = Time32MillisecondType::DATA_TYPE;
    primitive2::<Time32MillisecondArray, PrimitiveArray<T>, Time32MillisecondType>(args, rows, &ty, f)
}

fn months_on_date(args: &[Operand], rows: usize, sign: i64) -> Result<ArrayRef> {
    primitive2::<Date32Array, IntervalYearMonthArray, Date32Type>(args, rows, &DataType::Date32, |days, months| {
        add_months(days.into(), sign * i64::from(months)) as i32
    })
}

fn time_on_date(args: &[Operand], rows: usize, sign: i64) -> Result<ArrayRef> {
    primitive2::<Date32Array, DurationMillisecondArray, Date32Type>(args, rows, &DataType::Date32, |days, ms| {
        days.wrapping_add((sign * (ms / MS_PER_DAY)) as i32)
    })
}

fn time_on_timestamp(args: &[Operand], rows: usize, sign: i64, ty: &DataType) -> Result<ArrayRef> {
    let (stamps, interval) = (Stamps::of_operand(&args[0])?, Column::<DurationMillisecondArray>::of(args, 1)?);
    let ticks_per_ms = sign * (stamps.per_second() / 1000);
    let nulls = point_nulls(args, rows, interval.nulls(rows));
    try_timestamp_array(rows, nulls, ty, |row| {
        stamps.ticks(row).checked_add(interval.value(row).checked_mul(ticks_per_ms)?)
    })
}

fn months_on_timestamp(args: &[Operand], rows: usize, sign: i64, ty: &DataType) -> Result<ArrayRef> {
    let (stamps, interval) = (Stamps::of_operand(&args[0])?, Column::<IntervalYearMonthArray>::of(args, 1)?);
    let per_day = stamps.per_second() * SECONDS_PER_DAY;
    let nulls = point_nulls(args, rows, interval.nulls(rows));
    try_timestamp_array(rows, nulls, ty, |row| {
        let ticks = stamps.ticks(row);
        let days = checked_add_months(ticks.div_euclid(per_day), sign * i64::from(interval.value(row)))?;
        days.checked_mul(per_day)?.checked_add(ticks.rem_euclid(per_day))
    })
}

/// Rows where neither the point in time (operand 0) nor the interval is NULL.
fn point_nulls(
    args: &[Operand],
    rows: usize,
    interval: Option<arrow::buffer::NullBuffer>,
) -> Option<arrow::buffer::NullBuffer> {
    merged_nulls(crate::kernel::operand_nulls(&args[0], rows), interval)
}

/// Milliseconds between two points in time of the same kind.
fn difference(ty: &LogicalType) -> Result<Box<dyn Kernel>> {
    let out = DurationMillisecondType::DATA_TYPE;
    match ty.root {
        TypeRoot::Date => kernel(move |args, rows| {
            primitive2::<Date32Array, Date32Array, DurationMillisecondType>(args, rows, &out, |l, r| {
                (i64::from(l) - i64::from(r)) * MS_PER_DAY
            })
        }),
        TypeRoot::Time(_) => kernel(move |args, rows| {
            primitive2::<Time32MillisecondArray, Time32MillisecondArray, DurationMillisecondType>(
                args,
                rows,
                &out,
                |l, r| i64::from(l) - i64::from(r),
            )
        }),
        TypeRoot::Timestamp(..) | TypeRoot::TimestampLtz(..) => kernel(timestamp_difference),
        _ => Err(Error::internal(format!("{ty} has no difference"))),
    }
}

fn timestamp_difference(args: &[Operand], rows: usize) -> Result<ArrayRef> {
    let (left, right) = (Stamps::of_operand(&args[0])?, Stamps::of_operand(&args[1])?);
    let values = (0..rows).map(|row| left.millis(row).wrapping_sub(right.millis(row))).collect::<Vec<_>>();
    let nulls = point_nulls(args, rows, crate::kernel::operand_nulls(&args[1], rows));
    Ok(std::sync::Arc::new(DurationMillisecondArray::new(values.into(), nulls)))
}
