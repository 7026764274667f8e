//! Points in time and intervals as text.

use super::{push_integer, push_padded};
use crate::temporal::calendar::{self, MS_PER_DAY, MS_PER_HOUR, MS_PER_MINUTE, MS_PER_SECOND, SECONDS_PER_DAY};

/// Appends a date given in days since the epoch, as `yyyy-MM-dd`.
pub fn push_date(out: &mut String, days: i64) {
    let (year, month, day) = calendar::civil_from_days(days);
    if year < 0 {
        out.push('-');
    }
    push_padded(out, year.unsigned_abs(), 4);
    out.push('-');
    push_two(out, u64::from(month));
    out.push('-');
    push_two(out, u64::from(day));
}

/// Appends a time of day given in milliseconds. Of a fraction trailing zeros are dropped, but one digit is
/// always shown when `precision` is not 0.
pub fn push_time(out: &mut String, ms: i64, precision: u8) {
    push_seconds_of_day(out, ms.div_euclid(MS_PER_SECOND) as u64);
    if precision == 0 {
        return;
    }
    out.push('.');
    let mut rest = ms.rem_euclid(MS_PER_SECOND) as u64;
    for _ in 0..precision.min(3) {
        push_integer(out, rest / 100);
        rest = rest % 100 * 10;
        if rest == 0 {
            break;
        }
    }
}

/// Appends a local timestamp given as seconds since the epoch and nanoseconds of the second, with exactly
/// `precision` digits of the fraction.
pub fn push_timestamp(out: &mut String, seconds: i64, nanos: u32, precision: u8) {
    push_date(out, seconds.div_euclid(SECONDS_PER_DAY));
    out.push(' ');
    push_seconds_of_day(out, seconds.rem_euclid(SECONDS_PER_DAY) as u64);
    if precision > 0 {
        out.push('.');
        let digits = u32::from(precision.min(9));
        push_padded(out, u64::from(nanos) / 10u64.pow(9 - digits), digits as usize);
    }
}

/// Appends an interval in months as `+years-months`.
pub fn push_interval_year_month(out: &mut String, months: i32) {
    out.push(if months < 0 { '-' } else { '+' });
    let months = u64::from(months.unsigned_abs());
    push_integer(out, months / 12);
    out.push('-');
    push_two(out, months % 12);
}

/// Appends an interval in milliseconds as `+days hours:minutes:seconds.milliseconds`.
pub fn push_interval_day_time(out: &mut String, ms: i64) {
    out.push(if ms < 0 { '-' } else { '+' });
    let ms = ms.unsigned_abs();
    push_integer(out, ms / MS_PER_DAY as u64);
    out.push(' ');
    push_seconds_of_day(out, ms % MS_PER_DAY as u64 / MS_PER_SECOND as u64);
    out.push('.');
    push_padded(out, ms % MS_PER_SECOND as u64, 3);
}

fn push_seconds_of_day(out: &mut String, seconds: u64) {
    const HOUR: u64 = (MS_PER_HOUR / MS_PER_SECOND) as u64;
    const MINUTE: u64 = (MS_PER_MINUTE / MS_PER_SECOND) as u64;
    push_two(out, seconds / HOUR);
    out.push(':');
    push_two(out, seconds % HOUR / MINUTE);
    out.push(':');
    push_two(out, seconds % MINUTE);
}

/// Appends a number below 100 with two digits.
#[inline]
fn push_two(out: &mut String, value: u64) {
    out.push((b'0' + (value / 10 % 10) as u8) as char);
    out.push((b'0' + (value % 10) as u8) as char);
}
