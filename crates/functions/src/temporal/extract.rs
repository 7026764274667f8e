//! EXTRACT and its shorthands: fields of points in time and of intervals.

use super::calendar::{
    self, MS_PER_DAY, MS_PER_HOUR, MS_PER_MINUTE, MS_PER_SECOND, civil_from_days, day_of_week, day_of_year,
    iso_day_of_week, iso_week,
};
use super::local_ms;
use super::stamps::Stamps;
use super::unit::Unit;
use crate::kernel::{kernel, operand_nulls, primitive1};
use crate::{Bound, BuildContext, Call, Function, Kernel, Operand};
use arrow::array::{Array, ArrayRef, DurationMillisecondArray, Int64Array, IntervalYearMonthArray};
use arrow::datatypes::{DataType, Int64Type};
use chrono_tz::Tz;
use headwater_types::{Error, LogicalType, Result, TypeRoot};
use std::sync::Arc;

/// A shorthand: a function of one point in time.
macro_rules! field {
    ($name:literal, $unit:ident) => {
        Function::new($name, concat!($name, "(<DATETIME>)"), bind_field, |c| build(c, Unit::$unit, 0))
    };
}

/// The functions of this group.
pub const FUNCTIONS: &[Function] = &[
    Function::new("EXTRACT", "EXTRACT(<UNIT> FROM <DATETIME or INTERVAL>)", bind_extract, build_extract),
    field!("YEAR", Year),
    field!("QUARTER", Quarter),
    field!("MONTH", Month),
    field!("WEEK", Week),
    field!("DAYOFYEAR", DayOfYear),
    field!("DAYOFMONTH", Day),
    field!("DAYOFWEEK", DayOfWeek),
    field!("HOUR", Hour),
    field!("MINUTE", Minute),
    field!("SECOND", Second),
];

fn bind_field(call: &Call<'_>) -> Result<Bound> {
    call.arity(1..=1)?;
    let ty = source(call, 0)?;
    call.returns(vec![ty], TypeRoot::BigInt)
}

fn bind_extract(call: &Call<'_>) -> Result<Bound> {
    call.arity(2..=2)?;
    let unit = Unit::of_argument(call, 0)?;
    let ty = source(call, 1)?;
    if ty.root == TypeRoot::Date && matches!(unit, Unit::Nanosecond | Unit::Microsecond) {
        return Err(call.error_because("units below the millisecond can not be applied to a DATE"));
    }
    call.returns(vec![call.ty(0).clone(), ty], TypeRoot::BigInt)
}

fn source(call: &Call<'_>, index: usize) -> Result<LogicalType> {
    let default = TypeRoot::Timestamp(3, headwater_types::TimeAttribute::None);
    call.matching(index, default, |t| t.is_temporal() || t.is_interval())
}

fn build_extract(context: &BuildContext<'_>) -> Result<Box<dyn Kernel>> {
    let unit = context.text(0).and_then(Unit::parse);
    build(context, unit.ok_or_else(|| Error::internal("EXTRACT was bound without a unit"))?, 1)
}

fn build(context: &BuildContext<'_>, unit: Unit, argument: usize) -> Result<Box<dyn Kernel>> {
    let ty = &context.arg_types[argument];
    match ty.root {
        TypeRoot::IntervalYearMonth => kernel(move |args, rows| {
            primitive1::<IntervalYearMonthArray, Int64Type>(&args[argument..], rows, &DataType::Int64, |months| {
                of_months(unit, months.into())
            })
        }),
        TypeRoot::IntervalDayTime => kernel(move |args, rows| {
            primitive1::<DurationMillisecondArray, Int64Type>(&args[argument..], rows, &DataType::Int64, |ms| {
                of_duration(unit, ms)
            })
        }),
        _ => {
            let zone = super::zone_of(ty, context);
            kernel(move |args, rows| of_points(&args[argument], rows, unit, zone))
        }
    }
}

fn of_months(unit: Unit, months: i64) -> i64 {
    match unit {
        Unit::Month => months % 12,
        Unit::Quarter => (months % 12 - 1).div_euclid(3) + 1,
        _ => unit.months().map_or(0, |span| months / span),
    }
}

fn of_duration(unit: Unit, ms: i64) -> i64 {
    match unit {
        Unit::Week => ms / (7 * MS_PER_DAY),
        Unit::Day => ms / MS_PER_DAY,
        Unit::Hour => ms % MS_PER_DAY / MS_PER_HOUR,
        Unit::Minute => ms % MS_PER_HOUR / MS_PER_MINUTE,
        Unit::Second => ms % MS_PER_MINUTE / MS_PER_SECOND,
        Unit::Millisecond => ms % MS_PER_SECOND,
        Unit::Microsecond => ms % MS_PER_SECOND * 1_000,
        Unit::Nanosecond => ms % MS_PER_SECOND * 1_000_000,
        Unit::Epoch => ms / MS_PER_SECOND,
        _ => 0,
    }
}

/// The units are told apart once per batch, so that the loops divide by constants.
fn of_points(operand: &Operand, rows: usize, unit: Unit, zone: Tz) -> Result<ArrayRef> {
    let values = match unit {
        Unit::Nanosecond => fractions(operand, 1)?,
        Unit::Microsecond => fractions(operand, 1_000)?,
        Unit::Millisecond => fractions(operand, 1_000_000)?,
        Unit::Second => each(operand, zone, |ms| ms.rem_euclid(MS_PER_MINUTE) / MS_PER_SECOND)?,
        Unit::Minute => each(operand, zone, |ms| ms.rem_euclid(MS_PER_HOUR) / MS_PER_MINUTE)?,
        Unit::Hour => each(operand, zone, |ms| ms.rem_euclid(MS_PER_DAY) / MS_PER_HOUR)?,
        Unit::Epoch => each(operand, zone, |ms| ms.div_euclid(MS_PER_SECOND))?,
        _ => each(operand, zone, |ms| of_day(unit, ms.div_euclid(MS_PER_DAY)))?,
    };
    let values = match operand {
        Operand::Scalar(_) => values.repeat(rows),
        Operand::Array(_) => values,
    };
    Ok(Arc::new(Int64Array::new(values.into(), operand_nulls(operand, rows))))
}

fn each(operand: &Operand, zone: Tz, f: impl Fn(i64) -> i64) -> Result<Vec<i64>> {
    Ok(local_ms(operand, zone)?.iter().map(|ms| f(*ms)).collect())
}

/// The fraction of the second, in units of `nanos` nanoseconds. No zone shifts it.
fn fractions(operand: &Operand, nanos: i64) -> Result<Vec<i64>> {
    let array = operand.array();
    if !matches!(array.data_type(), DataType::Timestamp(..)) {
        return each(operand, Tz::UTC, |ms| ms.rem_euclid(MS_PER_SECOND) * 1_000_000 / nanos);
    }
    let stamps = Stamps::of(array.as_ref())?;
    Ok((0..array.len()).map(|row| i64::from(stamps.seconds_nanos(row).1) / nanos).collect())
}

fn of_day(unit: Unit, days: i64) -> i64 {
    let (year, month, day) = civil_from_days(days);
    match unit {
        Unit::Day => day.into(),
        Unit::Month => month.into(),
        Unit::Quarter => (i64::from(month) + 2) / 3,
        Unit::Year => year,
        Unit::Decade => year / 10,
        Unit::Century => span_number(year, 100),
        Unit::Millennium => span_number(year, 1_000),
        Unit::Week => iso_week(days).1,
        Unit::IsoYear => iso_week(days).0,
        Unit::DayOfWeek => day_of_week(days),
        Unit::IsoDayOfWeek => iso_day_of_week(days),
        Unit::DayOfYear => day_of_year(days),
        _ => calendar::SECONDS_PER_DAY * days,
    }
}

/// Number of the century or millennium, the first of which begins with year 1.
fn span_number(year: i64, span: i64) -> i64 {
    if year > 0 { (year + span - 1) / span } else { (year - span + 1) / span }
}
