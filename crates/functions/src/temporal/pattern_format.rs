//! Moments as text by a pattern.

use super::calendar::{SECONDS_PER_DAY, civil_from_days, day_of_week, day_of_year, days_from_civil, iso_day_of_week};
use super::pattern::{Field, Item, Pattern};
use crate::text::{push_integer, push_padded};

pub(super) const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];
pub(super) const DAYS: [&str; 7] = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"];

/// A moment of local time.
#[derive(Debug, Clone, Copy)]
pub struct Moment<'a> {
    /// Local seconds since the epoch.
    pub seconds: i64,
    /// Nanoseconds of the second.
    pub nanos: u32,
    /// Offset of the zone in seconds.
    pub offset: i64,
    /// Name of the zone.
    pub zone: &'a str,
}

impl Pattern {
    /// Appends a moment.
    pub fn format(&self, out: &mut String, moment: Moment<'_>) {
        let days = moment.seconds.div_euclid(SECONDS_PER_DAY);
        let civil = civil_from_days(days);
        format_items(&self.items, out, &Parts { moment, days, civil });
    }
}

struct Parts<'a> {
    moment: Moment<'a>,
    days: i64,
    civil: (i64, u32, u32),
}

fn format_items(items: &[Item], out: &mut String, parts: &Parts<'_>) {
    for item in items {
        match item {
            Item::Text(text) => out.push_str(text),
            Item::Optional(items) => format_items(items, out, parts),
            Item::Field(field, count) => format_field(*field, *count, out, parts),
        }
    }
}

fn format_field(field: Field, count: usize, out: &mut String, parts: &Parts<'_>) {
    let (year, month, day) = parts.civil;
    let of_day = parts.moment.seconds.rem_euclid(SECONDS_PER_DAY) as u64;
    let (hour, minute, second) = (of_day / 3600, of_day / 60 % 60, of_day % 60);
    let nanos = u64::from(parts.moment.nanos);
    match field {
        Field::Year => push_year(out, year, count),
        Field::Month => push_month(out, month, count),
        Field::DayOfMonth => push_padded(out, day.into(), count),
        Field::Hour24 => push_padded(out, hour, count),
        Field::Hour24From1 => push_padded(out, (hour + 23) % 24 + 1, count),
        Field::Hour12 => push_padded(out, (hour + 11) % 12 + 1, count),
        Field::Hour12From0 => push_padded(out, hour % 12, count),
        Field::Minute => push_padded(out, minute, count),
        Field::Second => push_padded(out, second, count),
        Field::Fraction => push_fraction(out, nanos, count),
        Field::MillisOfDay => push_padded(out, of_day * 1_000 + nanos / 1_000_000, count),
        Field::NanosOfSecond => push_padded(out, nanos, count),
        Field::NanosOfDay => push_padded(out, of_day * 1_000_000_000 + nanos, count),
        Field::AmPm => out.push_str(if hour < 12 { "AM" } else { "PM" }),
        _ => format_date_or_zone(field, count, out, parts),
    }
}

fn format_date_or_zone(field: Field, count: usize, out: &mut String, parts: &Parts<'_>) {
    let offset = parts.moment.offset;
    match field {
        Field::Era => out.push_str(if parts.civil.0 > 0 { "AD" } else { "BC" }),
        Field::Quarter => push_quarter(out, parts.civil.1.div_ceil(3).into(), count),
        Field::DayOfYear => push_padded(out, day_of_year(parts.days) as u64, count),
        Field::DayName => push_day_name(out, parts.days, count),
        Field::DayOfWeek if count >= 3 => push_day_name(out, parts.days, count),
        Field::DayOfWeek => push_padded(out, day_of_week(parts.days) as u64, count),
        Field::WeekYear => push_year(out, week_of_year(parts.days).0, count),
        Field::WeekOfYear => push_padded(out, week_of_year(parts.days).1 as u64, count),
        Field::WeekOfMonth => push_padded(out, week_of_month(parts.days, parts.civil.2) as u64, count),
        Field::Offset if count == 4 => push_gmt(out, offset, true),
        Field::Offset | Field::OffsetOrZ if offset == 0 && (field == Field::OffsetOrZ || count == 5) => out.push('Z'),
        Field::Offset => push_offset(out, offset, if count == 5 { OffsetStyle::Colon } else { OffsetStyle::Digits }),
        Field::OffsetOrZ | Field::OffsetDigits => push_offset(out, offset, OffsetStyle::of_count(count)),
        Field::OffsetGmt => push_gmt(out, offset, count == 4),
        _ => out.push_str(parts.moment.zone),
    }
}

fn push_year(out: &mut String, year: i64, count: usize) {
    if count == 2 {
        return push_padded(out, year.rem_euclid(100) as u64, 2);
    }
    if year < 0 {
        out.push('-');
    }
    push_padded(out, year.unsigned_abs(), count);
}

fn push_month(out: &mut String, month: u32, count: usize) {
    let name = MONTHS[month as usize - 1];
    match count {
        1 | 2 => push_padded(out, month.into(), count),
        3 => out.push_str(&name[..3]),
        4 => out.push_str(name),
        _ => out.push_str(&name[..1]),
    }
}

fn push_day_name(out: &mut String, days: i64, count: usize) {
    let name = DAYS[iso_day_of_week(days) as usize - 1];
    match count {
        1..=3 => out.push_str(&name[..3]),
        4 => out.push_str(name),
        _ => out.push_str(&name[..1]),
    }
}

fn push_quarter(out: &mut String, quarter: u64, count: usize) {
    match count {
        1 | 2 => push_padded(out, quarter, count),
        3 => {
            out.push('Q');
            push_integer(out, quarter);
        }
        _ => {
            let ordinal = ["1st", "2nd", "3rd", "4th"][quarter as usize - 1];
            out.push_str(ordinal);
            out.push_str(" quarter");
        }
    }
}

fn push_fraction(out: &mut String, nanos: u64, count: usize) {
    let digits = count.min(9);
    push_padded(out, nanos / 10u64.pow(9 - digits as u32), digits);
    out.extend(std::iter::repeat_n('0', count - digits));
}

/// How an offset shows its minutes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum OffsetStyle {
    /// `+08`; minutes only when there are some.
    Short,
    /// `+0800`.
    Digits,
    /// `+08:00`.
    Colon,
}

impl OffsetStyle {
    fn of_count(count: usize) -> Self {
        match count {
            1 => Self::Short,
            3 | 5 => Self::Colon,
            _ => Self::Digits,
        }
    }
}

fn push_offset(out: &mut String, offset: i64, style: OffsetStyle) {
    out.push(if offset < 0 { '-' } else { '+' });
    let (hours, minutes) = (offset.unsigned_abs() / 3600, offset.unsigned_abs() / 60 % 60);
    push_padded(out, hours, 2);
    if style == OffsetStyle::Short && minutes == 0 {
        return;
    }
    if style == OffsetStyle::Colon {
        out.push(':');
    }
    push_padded(out, minutes, 2);
}

/// `GMT+8`, or `GMT+08:00` when long.
fn push_gmt(out: &mut String, offset: i64, long: bool) {
    out.push_str("GMT");
    match (offset, long) {
        (0, _) => {}
        (_, true) => push_offset(out, offset, OffsetStyle::Colon),
        (_, false) => {
            out.push(if offset < 0 { '-' } else { '+' });
            push_integer(out, offset.unsigned_abs() / 3600);
        }
    }
}

/// Year and week of weeks that begin on Sunday; week 1 holds January 1.
fn week_of_year(days: i64) -> (i64, i64) {
    let (year, ..) = civil_from_days(days);
    let first = |year: i64| {
        let new_year = days_from_civil(year, 1, 1);
        new_year - (day_of_week(new_year) - 1)
    };
    if days >= first(year + 1) { (year + 1, 1) } else { (year, (days - first(year)) / 7 + 1) }
}

fn week_of_month(days: i64, day: u32) -> i64 {
    let first_of_month = days - i64::from(day) + 1;
    (i64::from(day) - 1 + day_of_week(first_of_month) - 1) / 7 + 1
}
