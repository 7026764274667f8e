//! Names of units and fields of time, as `EXTRACT`, `FLOOR`, `TIMESTAMPADD` and their like take them.

use super::calendar::{MS_PER_DAY, MS_PER_HOUR, MS_PER_MINUTE, MS_PER_SECOND};
use crate::Call;
use headwater_types::Result;

/// A unit, or a field that only EXTRACT knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Unit {
    /// Nanosecond.
    Nanosecond,
    /// Microsecond.
    Microsecond,
    /// Millisecond.
    Millisecond,
    /// Second.
    Second,
    /// Minute.
    Minute,
    /// Hour.
    Hour,
    /// Day, of the month when extracted.
    Day,
    /// Week: from Sunday when rounded, ISO week of the year when extracted.
    Week,
    /// Month.
    Month,
    /// Quarter.
    Quarter,
    /// Year.
    Year,
    /// Ten years.
    Decade,
    /// A hundred years, beginning with year 1.
    Century,
    /// A thousand years, beginning with year 1.
    Millennium,
    /// Day of the week from Sunday = 1.
    DayOfWeek,
    /// Day of the week from Monday = 1.
    IsoDayOfWeek,
    /// Day of the year.
    DayOfYear,
    /// Year of the ISO week.
    IsoYear,
    /// Seconds since the epoch.
    Epoch,
}

impl Unit {
    /// The unit of this name, also in the plural and with ODBC's prefix `SQL_TSI_`.
    pub fn parse(name: &str) -> Option<Self> {
        let upper = name.trim().to_ascii_uppercase();
        let plain = upper.strip_prefix("SQL_TSI_").unwrap_or(&upper);
        Some(match plain.strip_suffix('S').unwrap_or(plain) {
            "NANOSECOND" => Self::Nanosecond,
            "MICROSECOND" => Self::Microsecond,
            "MILLISECOND" | "FRAC_SECOND" => Self::Millisecond,
            "SECOND" => Self::Second,
            "MINUTE" => Self::Minute,
            "HOUR" => Self::Hour,
            "DAY" => Self::Day,
            "WEEK" => Self::Week,
            "MONTH" => Self::Month,
            "QUARTER" => Self::Quarter,
            "YEAR" => Self::Year,
            "DECADE" => Self::Decade,
            "CENTURY" => Self::Century,
            "MILLENNIUM" => Self::Millennium,
            "DOW" => Self::DayOfWeek,
            "ISODOW" => Self::IsoDayOfWeek,
            "DOY" => Self::DayOfYear,
            "ISOYEAR" => Self::IsoYear,
            "EPOCH" => Self::Epoch,
            _ => return None,
        })
    }

    /// The unit that argument `index` of a call names by a string literal.
    pub fn of_argument(call: &Call<'_>, index: usize) -> Result<Self> {
        let name = call.text(index).ok_or_else(|| call.error())?;
        Self::parse(name).ok_or_else(|| call.error_because(&format!("'{name}' is not a unit of time")))
    }

    /// Whether the unit counts points in time, which EXTRACT's own fields do not.
    pub fn is_span(self) -> bool {
        self <= Self::Millennium
    }

    /// Milliseconds of the units from millisecond to week.
    pub fn ms(self) -> Option<i64> {
        match self {
            Self::Millisecond => Some(1),
            Self::Second => Some(MS_PER_SECOND),
            Self::Minute => Some(MS_PER_MINUTE),
            Self::Hour => Some(MS_PER_HOUR),
            Self::Day => Some(MS_PER_DAY),
            Self::Week => Some(7 * MS_PER_DAY),
            _ => None,
        }
    }

    /// Months of the units from month upwards.
    pub fn months(self) -> Option<i64> {
        match self {
            Self::Month => Some(1),
            Self::Quarter => Some(3),
            Self::Year => Some(12),
            Self::Decade => Some(120),
            Self::Century => Some(1_200),
            Self::Millennium => Some(12_000),
            _ => None,
        }
    }
}
