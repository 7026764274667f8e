//! Calendar arithmetic on days since the epoch, in the proleptic Gregorian calendar.
//!
//! The conversions between days and dates are the branch-free ones of
//! <https://howardhinnant.github.io/date_algorithms.html>.

/// Milliseconds of a second.
pub const MS_PER_SECOND: i64 = 1_000;
/// Milliseconds of a minute.
pub const MS_PER_MINUTE: i64 = 60 * MS_PER_SECOND;
/// Milliseconds of an hour.
pub const MS_PER_HOUR: i64 = 60 * MS_PER_MINUTE;
/// Milliseconds of a day.
pub const MS_PER_DAY: i64 = 24 * MS_PER_HOUR;
/// Seconds of a day.
pub const SECONDS_PER_DAY: i64 = 86_400;

/// Year, month and day of a day number.
#[inline]
pub fn civil_from_days(days: i64) -> (i64, u32, u32) {
    let shifted = days + 719_468;
    let era = shifted.div_euclid(146_097);
    let day_of_era = shifted.rem_euclid(146_097);
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted_month + 2) / 5 + 1;
    let month = if shifted_month < 10 { shifted_month + 3 } else { shifted_month - 9 };
    (year_of_era + era * 400 + i64::from(month <= 2), month as u32, day as u32)
}

/// Day number of a date.
#[inline]
pub fn days_from_civil(year: i64, month: u32, day: u32) -> i64 {
    let year = year - i64::from(month <= 2);
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let shifted_month = (i64::from(month) + 9) % 12;
    let day_of_year = (153 * shifted_month + 2) / 5 + i64::from(day) - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    era * 146_097 + day_of_era - 719_468
}

/// Number of days of a month.
pub fn days_in_month(year: i64, month: u32) -> u32 {
    match month {
        2 if is_leap(year) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// Whether a year has a February 29.
pub fn is_leap(year: i64) -> bool {
    year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
}

/// A date moved by months; a day that the target month does not have becomes its last.
pub fn add_months(days: i64, months: i64) -> i64 {
    let (year, month, day) = civil_from_days(days);
    let total = year * 12 + i64::from(month) - 1 + months;
    let (year, month) = (total.div_euclid(12), total.rem_euclid(12) as u32 + 1);
    days_from_civil(year, month, day.min(days_in_month(year, month)))
}

/// [`add_months`], or `None` when the outcome is millions of years away.
pub fn checked_add_months(days: i64, months: i64) -> Option<i64> {
    const MONTHS_MAX: i64 = 12_000_000;
    (-MONTHS_MAX..=MONTHS_MAX).contains(&months).then(|| add_months(days, months))
}

/// Whole months from `from` to `to`, both local milliseconds since the epoch; towards zero.
pub fn months_between_ms(from: i64, to: i64) -> i64 {
    if to < from {
        return -months_between_ms(to, from);
    }
    let split = |ms: i64| (ms.div_euclid(MS_PER_DAY), ms.rem_euclid(MS_PER_DAY));
    let ((from_day, from_time), (to_day, to_time)) = (split(from), split(to));
    let ((from_year, from_month, _), (to_year, to_month, _)) = (civil_from_days(from_day), civil_from_days(to_day));
    let months = (to_year - from_year) * 12 + i64::from(to_month) - i64::from(from_month);
    if (add_months(from_day, months), from_time) > (to_day, to_time) { months - 1 } else { months }
}

/// Day of the week: Sunday is 1, Saturday 7.
#[inline]
pub fn day_of_week(days: i64) -> i64 {
    (days + 4).rem_euclid(7) + 1
}

/// ISO day of the week: Monday is 1, Sunday 7.
#[inline]
pub fn iso_day_of_week(days: i64) -> i64 {
    (days + 3).rem_euclid(7) + 1
}

/// Day of the year, from 1.
pub fn day_of_year(days: i64) -> i64 {
    days - days_from_civil(civil_from_days(days).0, 1, 1) + 1
}

/// ISO year and week: week 1 holds the first Thursday.
pub fn iso_week(days: i64) -> (i64, i64) {
    let thursday = days - iso_day_of_week(days) + 4;
    let (year, ..) = civil_from_days(thursday);
    (year, (thursday - days_from_civil(year, 1, 1)) / 7 + 1)
}
