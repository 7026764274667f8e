//! TIMESTAMPADD, TIMESTAMPDIFF and OVERLAPS.

use super::calendar::{MS_PER_DAY, SECONDS_PER_DAY, add_months, checked_add_months, months_between_ms};
use super::stamps::{Stamps, out_of_range, try_timestamp_array};
use super::unit::Unit;
use super::{local_ms, zone_of};
use crate::kernel::{Column, downcast, kernel, map2, merged_nulls, operand_nulls, primitive2, primitives};
use crate::{Bound, BuildContext, Call, Function, Kernel, Operand};
use arrow::array::{
    Array, ArrayRef, BooleanArray, Date32Array, DurationMillisecondArray, Int32Array, Int64Array,
    IntervalYearMonthArray, Time32MillisecondArray,
};
use arrow::buffer::{BooleanBuffer, NullBuffer};
use arrow::datatypes::{DataType, Date32Type, Time32MillisecondType, TimeUnit};
use chrono_tz::Tz;
use headwater_data::arrow_type;
use headwater_types::{Error, LogicalType, Result, TimeAttribute, TypeRoot};
use std::sync::Arc;

/// The functions of this group.
pub const FUNCTIONS: &[Function] = &[
    Function::new("TIMESTAMPADD", "TIMESTAMPADD(<UNIT>, <INTEGER_NUMERIC>, <DATETIME>)", bind_add, build_add),
    Function::new("TIMESTAMPDIFF", "TIMESTAMPDIFF(<UNIT>, <DATETIME>, <DATETIME>)", bind_difference, build_difference),
    Function::new(
        "OVERLAPS",
        "(<DATETIME>, <DATETIME or INTERVAL>) OVERLAPS (<DATETIME>, <DATETIME or INTERVAL>)",
        bind_overlaps,
        build_overlaps,
    ),
];

fn span(call: &Call<'_>) -> Result<Unit> {
    let unit = Unit::of_argument(call, 0)?;
    if unit.is_span() { Ok(unit) } else { Err(call.error()) }
}

/// A date moved by less than a day becomes a timestamp; a timestamp gets the digits the unit needs.
fn bind_add(call: &Call<'_>) -> Result<Bound> {
    call.arity(3..=3)?;
    let unit = span(call)?;
    let point = point(call, 2)?;
    let digits = match unit {
        Unit::Nanosecond => 9,
        Unit::Microsecond => 6,
        Unit::Millisecond => 3,
        _ => 0,
    };
    let (wanted, root) = match point.root {
        TypeRoot::Date if unit < Unit::Day => {
            let timestamp = TypeRoot::Timestamp(6, TimeAttribute::None);
            (LogicalType::new(timestamp.clone(), point.nullable), timestamp)
        }
        TypeRoot::Timestamp(p, _) => (point, TypeRoot::Timestamp(p.max(digits), TimeAttribute::None)),
        TypeRoot::TimestampLtz(p, _) => (point, TypeRoot::TimestampLtz(p.max(digits), TimeAttribute::None)),
        ref other => {
            let root = other.clone();
            (point, root)
        }
    };
    let wanted = if wanted.is_timestamp() { LogicalType::new(root.clone(), wanted.nullable) } else { wanted };
    call.returns(vec![call.ty(0).clone(), call.bigint(1)?, wanted], root)
}

fn point(call: &Call<'_>, index: usize) -> Result<LogicalType> {
    call.matching(index, TypeRoot::Timestamp(3, TimeAttribute::None), LogicalType::is_temporal)
}

fn build_add(context: &BuildContext<'_>) -> Result<Box<dyn Kernel>> {
    let unit = unit(context)?;
    let ty = arrow_type(context.return_type);
    match context.return_type.root {
        TypeRoot::Date => kernel(move |args, rows| {
            let out = primitives::<Date32Type>(rows, &DataType::Date32);
            map2::<Int64Array, Date32Array, _>(&args[1..], rows, out, |count, days, out| {
                let moved = add_to_day(days.into(), unit, count).and_then(|days| i32::try_from(days).ok());
                out.append_value(moved.ok_or_else(|| out_of_range(&"DATE"))?);
                Ok(())
            })
        }),
        TypeRoot::Time(_) => kernel(move |args, rows| {
            let ty = DataType::Time32(TimeUnit::Millisecond);
            let ms = unit.ms().unwrap_or(0);
            primitive2::<Int64Array, Time32MillisecondArray, Time32MillisecondType>(&args[1..], rows, &ty, |n, time| {
                i64::from(time).wrapping_add(n.wrapping_mul(ms)).rem_euclid(MS_PER_DAY) as i32
            })
        }),
        _ => kernel(move |args, rows| add_to_timestamps(&args[1], &args[2], rows, unit, &ty)),
    }
}

fn unit(context: &BuildContext<'_>) -> Result<Unit> {
    context.text(0).and_then(Unit::parse).ok_or_else(|| Error::internal("a call was bound without a unit"))
}

fn add_to_day(days: i64, unit: Unit, count: i64) -> Option<i64> {
    match unit.months() {
        Some(months) => checked_add_months(days, months.checked_mul(count)?),
        None => days.checked_add(count.checked_mul(unit.ms()? / MS_PER_DAY)?),
    }
}

fn add_to_timestamps(count: &Operand, point: &Operand, rows: usize, unit: Unit, ty: &DataType) -> Result<ArrayRef> {
    let counts = [count.clone()];
    let (counts, stamps) = (Column::<Int64Array>::of(&counts, 0)?, Stamps::of_operand(point)?);
    let per_second = stamps.per_second();
    let per_day = per_second * SECONDS_PER_DAY;
    let nulls = merged_nulls(operand_nulls(count, rows), operand_nulls(point, rows));
    try_timestamp_array(rows, nulls, ty, |row| {
        let (ticks, count) = (stamps.ticks(row), counts.value(row));
        match unit.months() {
            Some(_) => {
                let days = add_to_day(ticks.div_euclid(per_day), unit, count)?;
                days.checked_mul(per_day)?.checked_add(ticks.rem_euclid(per_day))
            }
            None => ticks.checked_add(count.checked_mul(ticks_of(unit, per_second))?),
        }
    })
}

/// Length of a unit up to the week in ticks. The bound type is fine enough for the unit.
fn ticks_of(unit: Unit, per_second: i64) -> i64 {
    match unit {
        Unit::Nanosecond => per_second / 1_000_000_000,
        Unit::Microsecond => per_second / 1_000_000,
        _ => unit.ms().unwrap_or(0) * (per_second / 1_000),
    }
}

/// Dates and times count as timestamps; a time is on the first day of the epoch.
fn bind_difference(call: &Call<'_>) -> Result<Bound> {
    call.arity(3..=3)?;
    span(call)?;
    let (from, to) = (point(call, 1)?, point(call, 2)?);
    call.returns(vec![call.ty(0).clone(), from, to], TypeRoot::Int)
}

fn build_difference(context: &BuildContext<'_>) -> Result<Box<dyn Kernel>> {
    let unit = unit(context)?;
    let zones = [zone_of(&context.arg_types[1], context), zone_of(&context.arg_types[2], context)];
    kernel(move |args, rows| {
        let (from, to) = (local_ms(&args[1], zones[0])?, local_ms(&args[2], zones[1])?);
        // As in Flink, smaller units count whole seconds.
        let seconds = |from: i64, to: i64| to.wrapping_sub(from) / 1_000;
        let difference = |from: i64, to: i64| match (unit, unit.months(), unit.ms()) {
            (_, Some(months), _) => months_between_ms(from, to) / months,
            (Unit::Millisecond, ..) => seconds(from, to).wrapping_mul(1_000),
            (Unit::Microsecond, ..) => seconds(from, to).wrapping_mul(1_000_000),
            (_, _, Some(ms)) => to.wrapping_sub(from) / ms,
            _ => seconds(from, to).wrapping_mul(1_000_000_000),
        };
        let value = |row: usize| difference(from[args[1].index(row)], to[args[2].index(row)]) as i32;
        let nulls = merged_nulls(operand_nulls(&args[1], rows), operand_nulls(&args[2], rows));
        let values = (0..rows).map(value).collect::<Vec<_>>();
        Ok(Arc::new(Int32Array::new(values.into(), nulls)) as ArrayRef)
    })
}

fn bind_overlaps(call: &Call<'_>) -> Result<Bound> {
    call.arity(4..=4)?;
    let end = |index: usize| call.matching(index, TypeRoot::IntervalDayTime, |t| t.is_temporal() || t.is_interval());
    let arg_types = vec![point(call, 0)?, end(1)?, point(call, 2)?, end(3)?];
    call.returns(arg_types, TypeRoot::Boolean)
}

/// Periods overlap when they share a point, their ends included; either end may be the earlier one.
fn build_overlaps(context: &BuildContext<'_>) -> Result<Box<dyn Kernel>> {
    let zones: Vec<Tz> = context.arg_types.iter().map(|ty| zone_of(ty, context)).collect();
    kernel(move |args, rows| {
        let starts = [local_ms(&args[0], zones[0])?, local_ms(&args[2], zones[2])?];
        let ends = [End::new(&args[1], zones[1])?, End::new(&args[3], zones[3])?];
        let period = |which: usize, row: usize| {
            let start = starts[which][args[2 * which].index(row)];
            let end = ends[which].of(start, args[2 * which + 1].index(row));
            (start.min(end), start.max(end))
        };
        let values = BooleanBuffer::collect_bool(rows, |row| {
            let (left, right) = (period(0, row), period(1, row));
            left.0.max(right.0) <= left.1.min(right.1)
        });
        let nulls =
            args.iter().fold(None, |nulls: Option<NullBuffer>, arg| merged_nulls(nulls, operand_nulls(arg, rows)));
        Ok(Arc::new(BooleanArray::new(values, nulls)) as ArrayRef)
    })
}

/// The end of a period: a point in time, or an interval after the start.
enum End<'a> {
    Point(std::borrow::Cow<'a, [i64]>),
    Months(&'a IntervalYearMonthArray),
    Duration(&'a DurationMillisecondArray),
}

impl<'a> End<'a> {
    fn new(operand: &'a Operand, zone: Tz) -> Result<Self> {
        let array: &'a dyn Array = operand.array().as_ref();
        Ok(match array.data_type() {
            DataType::Interval(_) => Self::Months(downcast(array)?),
            DataType::Duration(_) => Self::Duration(downcast(array)?),
            _ => Self::Point(local_ms(operand, zone)?),
        })
    }

    fn of(&self, start: i64, index: usize) -> i64 {
        match self {
            Self::Point(points) => points[index],
            Self::Duration(durations) => start.wrapping_add(durations.value(index)),
            Self::Months(months) => {
                let day = add_months(start.div_euclid(MS_PER_DAY), months.value(index).into());
                day * MS_PER_DAY + start.rem_euclid(MS_PER_DAY)
            }
        }
    }
}
