//! FLOOR and CEIL of points in time to a unit.
//!
//! From the day down, time is cut into pieces of constant length. Above, the date is rounded as a date: the
//! time of day is dropped first, so that noon of the first of a month is already the month's start for CEIL.
//! CEIL of a DATE to DAY is the next day, as in Flink.

use super::calendar::{MS_PER_DAY, MS_PER_SECOND, SECONDS_PER_DAY, civil_from_days, day_of_week, days_from_civil};
use super::stamps::{Stamps, try_timestamp_array};
use super::unit::Unit;
use crate::kernel::{kernel, operand_nulls, primitive1};
use crate::zone::Zone;
use crate::{Bound, BuildContext, Call, Kernel, Operand};
use arrow::array::{ArrayRef, Date32Array, Time32MillisecondArray};
use arrow::datatypes::{DataType, Date32Type, Time32MillisecondType, TimeUnit};
use chrono_tz::Tz;
use headwater_data::arrow_type;
use headwater_types::{Error, Result, TimeAttribute, TypeRoot};

/// Types `FLOOR(point TO unit)`, given as point and unit literal.
pub(crate) fn bind(call: &Call<'_>) -> Result<Bound> {
    let unit = Unit::of_argument(call, 1)?;
    let ty = call.matching(0, TypeRoot::Timestamp(3, TimeAttribute::None), |t| t.is_temporal())?;
    if !unit.is_span() {
        return Err(call.error());
    }
    let root = ty.clone().with_time_attribute(TimeAttribute::None).root;
    call.returns(vec![ty, call.ty(1).clone()], root)
}

/// The kernel of FLOOR (`up` is false) or CEIL.
pub(crate) fn build(context: &BuildContext<'_>, up: bool) -> Result<Box<dyn Kernel>> {
    let unit = context.text(1).and_then(Unit::parse);
    let unit = unit.ok_or_else(|| Error::internal("FLOOR was bound without a unit"))?;
    match context.arg_types[0].root {
        TypeRoot::Date => kernel(move |args, rows| {
            primitive1::<Date32Array, Date32Type>(args, rows, &DataType::Date32, |days| {
                let days = i64::from(days);
                (if up && unit == Unit::Day { days + 1 } else { round_day(days, unit, up) }) as i32
            })
        }),
        TypeRoot::Time(_) => kernel(move |args, rows| {
            let ty = DataType::Time32(TimeUnit::Millisecond);
            let span = unit.ms().unwrap_or(1).min(MS_PER_DAY);
            primitive1::<Time32MillisecondArray, Time32MillisecondType>(args, rows, &ty, |ms| {
                (cut(ms.into(), span, up).unwrap_or(0) % MS_PER_DAY) as i32
            })
        }),
        _ => {
            let (zone, ty) = (super::zone_of(&context.arg_types[0], context), arrow_type(context.return_type));
            kernel(move |args, rows| round_timestamps(&args[0], rows, unit, up, zone, &ty))
        }
    }
}

/// `None` outside the range of 64 bits.
fn cut(value: i64, span: i64, up: bool) -> Option<i64> {
    let floor = value.checked_sub(value.rem_euclid(span))?;
    if up && floor != value { floor.checked_add(span) } else { Some(floor) }
}

fn round_timestamps(operand: &Operand, rows: usize, unit: Unit, up: bool, zone: Tz, ty: &DataType) -> Result<ArrayRef> {
    let (stamps, zone) = (Stamps::of_operand(operand)?, Zone::new(zone));
    let (per_second, nulls) = (stamps.per_second(), operand_nulls(operand, rows));
    match ticks_of(unit, per_second) {
        Some(span) => try_timestamp_array(rows, nulls, ty, |row| local(&stamps, row, &zone, |t| cut(t, span, up))),
        None => {
            let per_day = per_second * SECONDS_PER_DAY;
            let rounded = |ticks: i64| round_day(ticks.div_euclid(per_day), unit, up).checked_mul(per_day);
            try_timestamp_array(rows, nulls, ty, |row| local(&stamps, row, &zone, rounded))
        }
    }
}

/// Length of a unit up to the day, at least one tick.
fn ticks_of(unit: Unit, per_second: i64) -> Option<i64> {
    match unit {
        Unit::Nanosecond => Some((per_second / 1_000_000_000).max(1)),
        Unit::Microsecond => Some((per_second / 1_000_000).max(1)),
        _ => unit.ms().filter(|ms| *ms <= MS_PER_DAY).map(|ms| ms * (per_second / MS_PER_SECOND)),
    }
}

/// Applies a function to the local ticks of a row.
#[inline]
fn local(stamps: &Stamps<'_>, row: usize, zone: &Zone, f: impl Fn(i64) -> Option<i64>) -> Option<i64> {
    let ticks = stamps.ticks(row);
    if zone.is_utc() {
        return f(ticks);
    }
    let per_second = stamps.per_second();
    let seconds = ticks.div_euclid(per_second);
    let rounded = f(ticks + (zone.to_local(seconds) - seconds) * per_second)?;
    let seconds = rounded.div_euclid(per_second);
    Some(rounded + (zone.to_instant(seconds) - seconds) * per_second)
}

/// Rounds a day to the start of a week (Sunday), month or longer unit; shorter units keep it.
fn round_day(days: i64, unit: Unit, up: bool) -> i64 {
    if unit == Unit::Week {
        let floor = days - (day_of_week(days) - 1);
        return if up && floor != days { floor + 7 } else { floor };
    }
    let Some(span) = unit.months() else { return days };
    let (year, month, _) = civil_from_days(days);
    // Centuries and millennia begin with the years 1, 101, …
    let first_year = if span >= 1_200 { 1 } else { 0 };
    let months = (year - first_year) * 12 + i64::from(month) - 1;
    let start = months - months.rem_euclid(span);
    let day_of = |months: i64| days_from_civil(months.div_euclid(12) + first_year, months.rem_euclid(12) as u32 + 1, 1);
    if up && day_of(start) != days { day_of(start + span) } else { day_of(start) }
}
