//! Dates, times and timestamps in Flink's SQL and ISO-8601 forms.

/// Which of Flink's two timestamp forms a format uses.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum TimestampStandard {
    /// `yyyy-MM-dd HH:mm:ss.fff`, with a `Z` at the end for TIMESTAMP_LTZ.
    #[default]
    Sql,
    /// `yyyy-MM-ddTHH:mm:ss.fff`, with a `Z` at the end for TIMESTAMP_LTZ.
    Iso8601,
}

impl TimestampStandard {
    /// The byte between date and time.
    pub(crate) fn separator(self) -> u8 {
        match self {
            Self::Sql => b' ',
            Self::Iso8601 => b'T',
        }
    }
}

/// Days from the epoch to a civil date (Howard Hinnant's `days_from_civil`).
pub(crate) fn days_from_civil(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    era * 146_097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719_468
}

/// The civil date of a day counted from the epoch (the inverse of [`days_from_civil`]).
pub(crate) fn civil_from_days(days: i64) -> (i64, i64, i64) {
    let shifted = days + 719_468;
    let era = shifted.div_euclid(146_097);
    let day_of_era = shifted.rem_euclid(146_097);
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted_month + 2) / 5 + 1;
    let month = if shifted_month < 10 { shifted_month + 3 } else { shifted_month - 9 };
    (year_of_era + era * 400 + i64::from(month <= 2), month, day)
}

fn days_in_month(year: i64, month: i64) -> i64 {
    match month {
        4 | 6 | 9 | 11 => 30,
        2 if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) => 29,
        2 => 28,
        _ => 31,
    }
}

#[inline]
fn two(bytes: &[u8], at: usize) -> Option<i64> {
    let (tens, ones) = (bytes[at].wrapping_sub(b'0'), bytes[at + 1].wrapping_sub(b'0'));
    (tens < 10 && ones < 10).then(|| i64::from(tens) * 10 + i64::from(ones))
}

/// `yyyy-MM-dd` as days from the epoch.
#[inline]
pub(crate) fn date(text: &[u8]) -> Option<i32> {
    let text: &[u8; 10] = text.try_into().ok()?;
    if text[4] != b'-' || text[7] != b'-' {
        return None;
    }
    let year = two(text, 0)? * 100 + two(text, 2)?;
    let (month, day) = (two(text, 5)?, two(text, 8)?);
    if !(1..=12).contains(&month) || day < 1 || day > days_in_month(year, month) {
        return None;
    }
    i32::try_from(days_from_civil(year, month, day)).ok()
}

/// `HH:mm[:ss[.fffffffff]]` as seconds and nanoseconds of the day.
#[inline]
pub(crate) fn time_of_day(text: &[u8]) -> Option<(i64, i64)> {
    if text.len() < 5 || text[2] != b':' {
        return None;
    }
    let (hour, minute) = (two(text, 0)?, two(text, 3)?);
    let (second, nanos) = match text.len() {
        5 => (0, 0),
        6..8 => return None,
        _ if text[5] != b':' => return None,
        8 => (two(text, 6)?, 0),
        _ => (two(text, 6)?, fraction(&text[8..])?),
    };
    (hour < 24 && minute < 60 && second < 60).then_some((hour * 3_600 + minute * 60 + second, nanos))
}

/// `.f` to `.fffffffff` as nanoseconds.
#[inline]
fn fraction(text: &[u8]) -> Option<i64> {
    let digits = text.strip_prefix(b".")?;
    if digits.is_empty() || digits.len() > 9 {
        return None;
    }
    let mut nanos = 0;
    for byte in digits {
        let digit = byte.wrapping_sub(b'0');
        if digit > 9 {
            return None;
        }
        nanos = nanos * 10 + i64::from(digit);
    }
    Some(nanos * POWERS[9 - digits.len()])
}

const POWERS: [i64; 10] = [1, 10, 100, 1_000, 10_000, 100_000, 1_000_000, 10_000_000, 100_000_000, 1_000_000_000];

/// A time of day as milliseconds.
pub(crate) fn time_ms(text: &[u8], precision: u8) -> Option<i32> {
    let text = text.strip_suffix(b"Z").unwrap_or(text);
    let (seconds, nanos) = time_of_day(text)?;
    let ms = nanos / 1_000_000 / POWERS[3 - usize::from(precision.min(3))] * POWERS[3 - usize::from(precision.min(3))];
    i32::try_from(seconds * 1_000 + ms).ok()
}

/// A timestamp, remembering the last date because neighbours mostly share it.
#[derive(Debug, Default)]
pub(crate) struct TimestampParser {
    date: [u8; 10],
    seconds: i64,
}

impl TimestampParser {
    /// Parses `text` into `units_per_second` since the epoch. `zoned` text must end with `Z`.
    #[inline]
    pub(crate) fn parse(
        &mut self,
        text: &[u8],
        standard: TimestampStandard,
        units_per_second: i64,
        zoned: bool,
    ) -> Option<i64> {
        let text = if zoned { text.strip_suffix(b"Z")? } else { text };
        let (date, rest) = text.split_first_chunk::<10>()?;
        let (separator, time) = rest.split_first()?;
        if *separator != standard.separator() {
            return None;
        }
        if *date != self.date {
            self.seconds = i64::from(self::date(date)?) * 86_400;
            self.date = *date;
        }
        let (seconds, nanos) = time_of_day(time)?;
        (self.seconds + seconds).checked_mul(units_per_second)?.checked_add(nanos / (1_000_000_000 / units_per_second))
    }
}
