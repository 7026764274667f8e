//! Temporal values from text in the formats that SQL literals and casts accept.

use super::calendar::{MS_PER_DAY, MS_PER_HOUR, MS_PER_MINUTE, MS_PER_SECOND, SECONDS_PER_DAY};
use super::calendar::{days_from_civil, days_in_month};

/// Days since the epoch of `yyyy-MM-dd`; month and day may be missing, a time after a space is ignored.
pub fn date(text: &str) -> Option<i64> {
    let text = text.split_once(' ').map_or(text, |(date, _)| date);
    let mut parts = text.splitn(3, '-');
    let mut next = |default: u32| parts.next().map_or(Some(default), |part| number(part.trim()));
    let (year, month, day) = (next(0)?, next(1)?, next(1)?);
    let known = year <= 9999 && (1..=12).contains(&month);
    (known && (1..=days_in_month(year.into(), month)).contains(&day)).then(|| days_from_civil(year.into(), month, day))
}

/// Milliseconds of the day of `HH:mm:ss.SSS`; minutes, seconds and fraction may be missing, a fraction only follows
/// seconds.
pub fn time(text: &str) -> Option<i32> {
    let (clock, fraction) = text.split_once('.').unwrap_or((text, ""));
    if clock.len() < text.len() && clock.matches(':').count() < 2 {
        return None;
    }
    let mut parts = clock.splitn(3, ':');
    let mut next = |default: u32| parts.next().map_or(Some(default), |part| number(part.trim()));
    let (hour, minute, second) = (next(0)?, next(0)?, next(0)?);
    if hour > 23 || minute > 59 || second > 59 {
        return None;
    }
    let ms = nanos(fraction)? / 1_000_000;
    Some((((hour * 60 + minute) * 60 + second) * 1000 + ms) as i32)
}

/// Seconds since the epoch and nanoseconds of `yyyy-MM-dd HH:mm:ss.SSSSSSSSS`, as local time. Month, day, hour,
/// minute and second may have one digit; the time may be missing. A day from 29 to 31 that the month does
/// not have is its last.
pub fn timestamp(text: &str) -> Option<(i64, u32)> {
    let (date, time) = match text.split_once(' ') {
        Some((date, time)) => (date, Some(time)),
        None => (text, None),
    };
    let mut parts = date.splitn(3, '-');
    let year = parts.next().filter(|p| p.len() == 4).and_then(number)?;
    let month = parts.next().and_then(two_digits).filter(|m| (1..=12).contains(m))?;
    let day = parts.next().and_then(two_digits).filter(|d| (1..=31).contains(d))?;
    let days = days_from_civil(year.into(), month, day.min(days_in_month(year.into(), month)));
    let (seconds, nanos) = time.map_or(Some((0, 0)), clock)?;
    Some((days * SECONDS_PER_DAY + i64::from(seconds), nanos))
}

/// Seconds of the day and nanoseconds of `H:m:s.fraction`.
fn clock(text: &str) -> Option<(u32, u32)> {
    let (clock, fraction) = text.split_once('.').unwrap_or((text, ""));
    let mut parts = clock.splitn(3, ':');
    let hour = parts.next().and_then(two_digits).filter(|h| *h < 24)?;
    let minute = parts.next().and_then(two_digits).filter(|m| *m < 60)?;
    let second = parts.next().and_then(two_digits).filter(|s| *s < 60)?;
    Some(((hour * 60 + minute) * 60 + second, nanos(fraction)?))
}

/// Months of `[+-]years[-months]`.
pub fn year_month(text: &str) -> Option<i32> {
    let (negative, unsigned) = signed(text);
    let (years, months) = unsigned.split_once('-').unwrap_or((unsigned, "0"));
    let months = number(years)?.checked_mul(12)?.checked_add(number(months)?)?;
    let months = i32::try_from(months).ok()?;
    Some(if negative { -months } else { months })
}

/// Milliseconds of `[+-]days[ H:m:s[.SSS]]`.
pub fn day_time(text: &str) -> Option<i64> {
    let (negative, unsigned) = signed(text);
    let (days, time) = unsigned.split_once(' ').unwrap_or((unsigned, "0:0:0"));
    let (clock, fraction) = time.split_once('.').unwrap_or((time, ""));
    let mut parts = clock.splitn(3, ':');
    let mut next = || parts.next().map_or(Some(0), number).map(i64::from);
    let ms = i64::from(number(days)?) * MS_PER_DAY
        + next()? * MS_PER_HOUR
        + next()? * MS_PER_MINUTE
        + next()? * MS_PER_SECOND
        + i64::from(nanos(fraction)? / 1_000_000);
    Some(if negative { -ms } else { ms })
}

fn signed(text: &str) -> (bool, &str) {
    match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    }
}

fn two_digits(text: &str) -> Option<u32> {
    number(text).filter(|_| text.len() <= 2)
}

/// A number of digits only.
fn number(text: &str) -> Option<u32> {
    let digits = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    if digits { text.parse().ok() } else { None }
}

/// Nanoseconds of the digits after the point, at most nine.
fn nanos(fraction: &str) -> Option<u32> {
    if fraction.is_empty() {
        return Some(0);
    }
    let digits = number(fraction).filter(|_| fraction.len() <= 9)?;
    Some(digits * 10u32.pow(9 - fraction.len() as u32))
}
