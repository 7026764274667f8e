//! Timestamp columns of any unit.

use crate::Operand;
use crate::kernel::downcast;
use arrow::array::{Array, ArrayRef, TimestampMicrosecondArray, TimestampMillisecondArray, TimestampNanosecondArray};
use arrow::buffer::NullBuffer;
use arrow::datatypes::{DataType, TimeUnit};
use headwater_data::arrow_types::timestamp_unit;
use headwater_types::{Error, Result};
use std::borrow::Cow;
use std::sync::Arc;

/// Ticks of a unit in a second.
pub fn ticks_per_second(unit: TimeUnit) -> i64 {
    match unit {
        TimeUnit::Second => 1,
        TimeUnit::Millisecond => 1_000,
        TimeUnit::Microsecond => 1_000_000,
        TimeUnit::Nanosecond => 1_000_000_000,
    }
}

/// A timestamp of a precision, from seconds and nanoseconds; what the precision does not hold is cut off.
/// `None` outside the range of the representation (years 1677 to 2262 for more than six digits).
pub fn ticks(seconds: i64, nanos: u32, precision: u8) -> Option<i64> {
    let per_second = ticks_per_second(timestamp_unit(precision));
    let shown = 10i64.pow(u32::from(9 - precision.min(9)));
    let nanos = i64::from(nanos) / shown * shown;
    seconds.checked_mul(per_second)?.checked_add(nanos / (1_000_000_000 / per_second))
}

/// The values of a timestamp array with their unit.
#[derive(Clone, Copy)]
pub struct Stamps<'a> {
    values: &'a [i64],
    per_second: i64,
    stride: usize,
}

impl<'a> Stamps<'a> {
    /// The values of a timestamp array.
    pub fn of(array: &'a dyn Array) -> Result<Self> {
        let DataType::Timestamp(unit, _) = array.data_type() else {
            return Err(Error::internal(format!("expected a timestamp column, got {}", array.data_type())));
        };
        let values: &[i64] = match unit {
            TimeUnit::Microsecond => downcast::<TimestampMicrosecondArray>(array)?.values(),
            TimeUnit::Nanosecond => downcast::<TimestampNanosecondArray>(array)?.values(),
            _ => downcast::<TimestampMillisecondArray>(array)?.values(),
        };
        Ok(Self { values, per_second: ticks_per_second(*unit), stride: 1 })
    }

    /// The values of an operand, by row.
    pub fn of_operand(operand: &'a Operand) -> Result<Self> {
        let stride = usize::from(matches!(operand, Operand::Array(_)));
        Ok(Self { stride, ..Self::of(operand.array().as_ref())? })
    }

    /// Ticks per second of the values.
    pub fn per_second(&self) -> i64 {
        self.per_second
    }

    /// The value of a row in its unit.
    #[inline]
    pub fn ticks(&self, row: usize) -> i64 {
        self.values[row * self.stride]
    }

    /// Seconds since the epoch and nanoseconds of the second.
    #[inline]
    pub fn seconds_nanos(&self, row: usize) -> (i64, u32) {
        let ticks = self.ticks(row);
        let nanos_per_tick = 1_000_000_000 / self.per_second;
        (ticks.div_euclid(self.per_second), (ticks.rem_euclid(self.per_second) * nanos_per_tick) as u32)
    }

    /// All values in milliseconds since the epoch, rounded down.
    pub fn all_millis(&self) -> Cow<'a, [i64]> {
        match self.per_second {
            1_000 => Cow::Borrowed(self.values),
            1_000_000 => self.values.iter().map(|ticks| ticks.div_euclid(1_000)).collect(),
            _ => self.values.iter().map(|ticks| ticks.div_euclid(1_000_000)).collect(),
        }
    }

    /// Milliseconds since the epoch, rounded down.
    #[inline]
    pub fn millis(&self, row: usize) -> i64 {
        let ticks = self.ticks(row);
        if self.per_second == 1_000 { ticks } else { ticks.div_euclid(self.per_second / 1_000) }
    }
}

/// A timestamp array of Arrow type `ty` from values in its unit.
pub fn timestamp_array(values: Vec<i64>, nulls: Option<NullBuffer>, ty: &DataType) -> Result<ArrayRef> {
    let DataType::Timestamp(unit, _) = ty else {
        return Err(Error::internal(format!("{ty} is not a timestamp type")));
    };
    let values = values.into();
    Ok(match unit {
        TimeUnit::Microsecond => Arc::new(TimestampMicrosecondArray::new(values, nulls).with_data_type(ty.clone())),
        TimeUnit::Nanosecond => Arc::new(TimestampNanosecondArray::new(values, nulls).with_data_type(ty.clone())),
        _ => Arc::new(TimestampMillisecondArray::new(values, nulls).with_data_type(ty.clone())),
    })
}

/// A timestamp array of type `ty` whose values are computed row by row where `nulls` allows. A value outside the
/// range of the type (`None`) is an error.
pub fn try_timestamp_array(
    rows: usize,
    nulls: Option<NullBuffer>,
    ty: &DataType,
    value: impl Fn(usize) -> Option<i64>,
) -> Result<ArrayRef> {
    let valid = |row: usize| nulls.as_ref().is_none_or(|nulls| nulls.is_valid(row));
    let checked = |row: usize| if valid(row) { value(row) } else { Some(0) };
    let values: Option<Vec<i64>> = (0..rows).map(checked).collect();
    timestamp_array(values.ok_or_else(|| out_of_range(ty))?, nulls, ty)
}

/// The error for a point in time that a type cannot hold.
pub fn out_of_range(ty: &dyn std::fmt::Display) -> Error {
    Error::user("timestamp-out-of-range", format!("a point in time is outside the range of {ty}"))
}
