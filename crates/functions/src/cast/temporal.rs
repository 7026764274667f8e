//! Casts among dates, times and timestamps.

use super::CastFn;
use crate::kernel::downcast;
use crate::temporal::calendar::{MS_PER_DAY, MS_PER_SECOND, SECONDS_PER_DAY};
use crate::temporal::stamps::{Stamps, out_of_range, ticks, timestamp_array};
use crate::zone::Zone;
use arrow::array::{Array, ArrayRef, Date32Array, PrimitiveArray, Time32MillisecondArray};
use arrow::datatypes::{Date32Type, Time32MillisecondType};
use chrono_tz::Tz;
use headwater_data::arrow_type;
use headwater_types::{Error, LogicalType, Result, TypeRoot};
use std::sync::Arc;

/// The cast between two types of this module.
pub(super) fn cast(from: &LogicalType, to: &LogicalType, zone: Tz) -> Result<CastFn> {
    use TypeRoot as T;
    let zoned = |ty: &LogicalType| if matches!(ty.root, T::TimestampLtz(..)) { zone } else { Tz::UTC };
    match (&from.root, &to.root) {
        (T::Date, T::Timestamp(p, _) | T::TimestampLtz(p, _)) => Ok(date_to_timestamp(to, *p, zoned(to))),
        (T::Time(_), T::Timestamp(p, _) | T::TimestampLtz(p, _)) => Ok(time_to_timestamp(to, *p, zoned(to))),
        (T::Time(_), T::Time(p)) => Ok(time_to_time(*p)),
        (T::Timestamp(..) | T::TimestampLtz(..), T::Date) => Ok(timestamp_to_date(zoned(from))),
        (T::Timestamp(..) | T::TimestampLtz(..), T::Time(p)) => Ok(timestamp_to_time(zoned(from), *p)),
        (T::Timestamp(..), T::Timestamp(p, _)) | (T::TimestampLtz(..), T::TimestampLtz(p, _)) => {
            Ok(timestamp_to_timestamp(to, *p, Tz::UTC, Tz::UTC))
        }
        (T::Timestamp(..) | T::TimestampLtz(..), T::Timestamp(p, _) | T::TimestampLtz(p, _)) => {
            Ok(timestamp_to_timestamp(to, *p, zoned(from), zoned(to)))
        }
        _ => Err(Error::internal(format!("no temporal cast from {from} to {to}"))),
    }
}

/// Builds timestamps of type `to` from seconds and nanoseconds per row.
fn timestamps(array: &ArrayRef, to: &LogicalType, precision: u8, at: impl Fn(usize) -> (i64, u32)) -> Result<ArrayRef> {
    let value = |row: usize| {
        let (seconds, nanos) = if array.is_null(row) { (0, 0) } else { at(row) };
        ticks(seconds, nanos, precision).ok_or_else(|| out_of_range(to))
    };
    let values = (0..array.len()).map(value).collect::<Result<Vec<_>>>()?;
    timestamp_array(values, array.nulls().cloned(), &arrow_type(to))
}

fn date_to_timestamp(to: &LogicalType, precision: u8, zone: Tz) -> CastFn {
    let to = to.clone();
    Box::new(move |array| {
        let (days, zone) = (downcast::<Date32Array>(array)?, Zone::new(zone));
        let midnight = |row: usize| zone.to_instant(i64::from(days.value(row)) * SECONDS_PER_DAY);
        timestamps(array, &to, precision, |row| (midnight(row), 0))
    })
}

/// On the first day of the epoch.
fn time_to_timestamp(to: &LogicalType, precision: u8, zone: Tz) -> CastFn {
    let to = to.clone();
    Box::new(move |array| {
        let (times, zone) = (downcast::<Time32MillisecondArray>(array)?, Zone::new(zone));
        timestamps(array, &to, precision, |row| {
            let ms = i64::from(times.value(row));
            (zone.to_instant(ms / MS_PER_SECOND), (ms % MS_PER_SECOND) as u32 * 1_000_000)
        })
    })
}

fn time_to_time(precision: u8) -> CastFn {
    let shown = milliseconds_shown(precision);
    Box::new(move |array| {
        let times = downcast::<Time32MillisecondArray>(array)?;
        Ok(Arc::new(times.unary::<_, Time32MillisecondType>(|ms| ms / shown * shown)))
    })
}

fn milliseconds_shown(precision: u8) -> i32 {
    10i32.pow(u32::from(3 - precision.min(3)))
}

fn timestamp_to_date(zone: Tz) -> CastFn {
    Box::new(move |array| {
        let (stamps, zone) = (Stamps::of(array)?, Zone::new(zone));
        let day = |row: usize| zone.to_local(stamps.seconds_nanos(row).0).div_euclid(SECONDS_PER_DAY) as i32;
        let values = (0..array.len()).map(day).collect::<Vec<_>>();
        Ok(Arc::new(PrimitiveArray::<Date32Type>::new(values.into(), array.nulls().cloned())))
    })
}

fn timestamp_to_time(zone: Tz, precision: u8) -> CastFn {
    let shown = milliseconds_shown(precision);
    Box::new(move |array| {
        let (stamps, zone) = (Stamps::of(array)?, Zone::new(zone));
        let time = |row: usize| zone.to_local_ms(stamps.millis(row)).rem_euclid(MS_PER_DAY) as i32 / shown * shown;
        let values = (0..array.len()).map(time).collect::<Vec<_>>();
        Ok(Arc::new(PrimitiveArray::<Time32MillisecondType>::new(values.into(), array.nulls().cloned())))
    })
}

/// From local time in `from` to local time in `to`, by way of the instant.
fn timestamp_to_timestamp(to: &LogicalType, precision: u8, from_zone: Tz, to_zone: Tz) -> CastFn {
    let to = to.clone();
    Box::new(move |array| {
        let (stamps, source, target) = (Stamps::of(array)?, Zone::new(from_zone), Zone::new(to_zone));
        timestamps(array, &to, precision, |row| {
            let (seconds, nanos) = stamps.seconds_nanos(row);
            // One of the two is UTC: a stored instant becomes local time or the other way round.
            (target.to_instant(source.to_local(seconds)), nanos)
        })
    })
}
