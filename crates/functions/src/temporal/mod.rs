//! Functions on dates, times and timestamps.
//!
//! | file | what |
//! |---|---|
//! | `calendar` | arithmetic on days, months, weeks |
//! | `stamps` | timestamp columns of any unit |
//! | `parse` | the text formats of SQL literals and casts |
//! | `pattern`, `pattern_format`, `pattern_parse` | Java's date patterns |
//! | `unit` | names of units and fields |
//! | `extract` | EXTRACT, YEAR, HOUR, … |
//! | `round` | FLOOR and CEIL to a unit |
//! | `interval` | TIMESTAMPADD, TIMESTAMPDIFF, OVERLAPS |
//! | `format` | DATE_FORMAT, FROM_UNIXTIME, CONVERT_TZ |
//! | `convert` | TO_DATE, TO_TIMESTAMP, TO_TIMESTAMP_LTZ, UNIX_TIMESTAMP |
//! | `current` | CURRENT_DATE, NOW, PROCTIME, … |
//! | `watermark` | CURRENT_WATERMARK |
//!
//! A TIMESTAMP_LTZ is taken apart, rounded and shown in the session time zone.

pub mod calendar;
pub mod convert;
pub mod current;
pub mod extract;
pub mod format;
pub mod interval;
pub mod parse;
pub mod pattern;
mod pattern_format;
mod pattern_parse;
mod round;
pub mod stamps;
#[cfg(test)]
mod tests;
pub mod unit;
pub mod watermark;

pub(crate) use round::{bind as bind_round, build as build_round};

use crate::kernel::downcast;
use crate::zone::Zone;
use crate::{BuildContext, Operand};
use arrow::array::{Array, Date32Array, Time32MillisecondArray};
use arrow::datatypes::DataType;
use chrono_tz::Tz;
use headwater_types::{LogicalType, Result, TypeRoot};
use stamps::Stamps;
use std::borrow::Cow;

/// The zone in which values of a type are taken apart: UTC for those without a zone.
fn zone_of(ty: &LogicalType, context: &BuildContext<'_>) -> Tz {
    match ty.root {
        TypeRoot::TimestampLtz(..) => context.zone,
        _ => Tz::UTC,
    }
}

/// Points in time of any type as local milliseconds since the epoch, by position in the operand's array. A TIME
/// is on the first day of the epoch.
fn local_ms<'a>(operand: &'a Operand, zone: Tz) -> Result<Cow<'a, [i64]>> {
    let array: &'a dyn Array = operand.array().as_ref();
    match array.data_type() {
        DataType::Date32 => {
            let days = downcast::<Date32Array>(array)?.values();
            Ok(days.iter().map(|days| i64::from(*days) * calendar::MS_PER_DAY).collect())
        }
        DataType::Time32(_) => {
            let times = downcast::<Time32MillisecondArray>(array)?.values();
            Ok(times.iter().map(|ms| i64::from(*ms)).collect())
        }
        _ => {
            let (stamps, zone) = (Stamps::of(array)?, Zone::new(zone));
            if zone.is_utc() {
                return Ok(stamps.all_millis());
            }
            Ok((0..array.len()).map(|row| zone.to_local_ms(stamps.millis(row))).collect())
        }
    }
}
