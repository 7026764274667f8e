//! Moments from text by a pattern.
//!
//! A field of two or more letters has exactly as many digits, one of a single letter as many as there are.
//! What the pattern does not mention is taken from 1970-01-01 00:00:00.

use super::calendar::{SECONDS_PER_DAY, days_from_civil, days_in_month};
use super::pattern::{Field, Item, Pattern};
use super::pattern_format::{DAYS, MONTHS};
use crate::zone;

/// How strictly text follows a pattern.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Strictness {
    /// Like `DateTimeFormatter`.
    Exact,
    /// Like `SimpleDateFormat`: numbers may be shorter or longer, text after the end is ignored.
    Lenient,
}

/// A parsed moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Parsed {
    /// Local seconds since the epoch.
    pub seconds: i64,
    /// Nanoseconds of the second.
    pub nanos: u32,
    /// Offset of the zone in seconds, if the text has one.
    pub offset: Option<i64>,
}

impl Pattern {
    /// Reads a moment; `None` when the text does not follow the pattern.
    pub fn parse(&self, text: &str, strictness: Strictness) -> Option<Parsed> {
        let mut fields = Fields::default();
        let rest = parse_items(&self.items, text, strictness, &mut fields)?;
        if strictness == Strictness::Exact && !rest.is_empty() {
            return None;
        }
        fields.resolve()
    }
}

const NANOS_PER_DAY: u64 = 86_400_000_000_000;

/// What was read so far.
#[derive(Debug, Clone, Copy, Default)]
struct Fields {
    year: Option<i64>,
    month: Option<u32>,
    day: Option<u32>,
    day_of_year: Option<i64>,
    hour: Option<u32>,
    hour12: Option<u32>,
    afternoon: Option<bool>,
    minute: u32,
    second: u32,
    nanos: u64,
    nanos_of_day: Option<u64>,
    offset: Option<i64>,
}

fn parse_items<'t>(items: &[Item], text: &'t str, strictness: Strictness, fields: &mut Fields) -> Option<&'t str> {
    let mut rest = text;
    for (position, item) in items.iter().enumerate() {
        rest = match item {
            Item::Text(plain) => rest.strip_prefix(plain.as_str())?,
            Item::Optional(items) => {
                let before = *fields;
                parse_items(items, rest, strictness, fields).unwrap_or_else(|| {
                    *fields = before;
                    rest
                })
            }
            Item::Field(field, count) => {
                let next = items.get(position + 1);
                let adjacent = matches!(next, Some(Item::Field(next, count)) if next.is_number(*count));
                parse_field(*field, *count, adjacent, strictness, rest, fields)?
            }
        };
    }
    Some(rest)
}

fn parse_field<'t>(
    field: Field,
    count: usize,
    adjacent: bool,
    strictness: Strictness,
    text: &'t str,
    fields: &mut Fields,
) -> Option<&'t str> {
    if !field.is_number(count) {
        return parse_name(field, count, text, fields);
    }
    if field == Field::Fraction {
        return parse_fraction(count, adjacent, strictness, text, fields);
    }
    let fixed = adjacent || strictness == Strictness::Exact && count > 1;
    let digits = text.bytes().take_while(u8::is_ascii_digit).take(if fixed { count } else { 18 }).count();
    if digits == 0 || fixed && digits < count {
        return None;
    }
    let (number, rest) = text.split_at(digits);
    set(field, number.parse().ok()?, digits, count, fields)?;
    Some(rest)
}

fn set(field: Field, number: u64, digits: usize, count: usize, fields: &mut Fields) -> Option<()> {
    let small = || u32::try_from(number).ok();
    match field {
        Field::Year | Field::WeekYear if count == 2 && digits == 2 => fields.year = Some(2000 + number as i64),
        Field::Year | Field::WeekYear => fields.year = Some(i64::try_from(number).ok()?),
        Field::Month => fields.month = Some(small()?),
        Field::DayOfMonth => fields.day = Some(small()?),
        Field::DayOfYear => fields.day_of_year = Some(i64::try_from(number).ok()?),
        Field::Hour24 => fields.hour = Some(small()?),
        Field::Hour24From1 => fields.hour = Some(small()? % 24),
        Field::Hour12 => fields.hour12 = Some(small()? % 12),
        Field::Hour12From0 => fields.hour12 = Some(small()?),
        Field::Minute => fields.minute = small()?,
        Field::Second => fields.second = small()?,
        Field::NanosOfSecond => fields.nanos = number,
        Field::NanosOfDay => fields.nanos_of_day = Some(number),
        Field::MillisOfDay => fields.nanos_of_day = Some(number.checked_mul(1_000_000)?),
        // Quarters, weeks and days of the week follow from the date.
        _ => {}
    }
    Some(())
}

fn parse_fraction<'t>(
    count: usize,
    adjacent: bool,
    strictness: Strictness,
    text: &'t str,
    fields: &mut Fields,
) -> Option<&'t str> {
    let available = text.bytes().take_while(u8::is_ascii_digit).count();
    let digits = if adjacent || strictness == Strictness::Exact { count } else { available };
    if digits == 0 || available < digits {
        return None;
    }
    let (fraction, rest) = text.split_at(digits);
    let shown = &fraction[..digits.min(9)];
    fields.nanos = match strictness {
        Strictness::Exact => shown.parse::<u64>().ok()? * 10u64.pow(9 - shown.len() as u32),
        // There the letter means milliseconds.
        Strictness::Lenient => shown.parse::<u64>().ok()? * 1_000_000,
    };
    Some(rest)
}

fn parse_name<'t>(field: Field, count: usize, text: &'t str, fields: &mut Fields) -> Option<&'t str> {
    match field {
        Field::Month => {
            let (index, rest) = name(text, &MONTHS, count)?;
            fields.month = Some(index as u32 + 1);
            Some(rest)
        }
        Field::DayName | Field::DayOfWeek => name(text, &DAYS, count).map(|(_, rest)| rest),
        Field::AmPm => {
            let (index, rest) = name(text, &["AM", "PM"], 4)?;
            fields.afternoon = Some(index == 1);
            Some(rest)
        }
        Field::Era => name(text, &["AD", "BC"], 4).map(|(_, rest)| rest),
        Field::ZoneName | Field::ZoneId => parse_zone(text, fields),
        Field::Quarter => None,
        _ => parse_offset(text, fields),
    }
}

/// The name that the text begins with, whatever its case: in full, or its first three letters.
fn name<'t>(text: &'t str, names: &[&str], count: usize) -> Option<(usize, &'t str)> {
    let length = |name: &str| if count == 4 { name.len() } else { name.len().min(3) };
    let begins = |name: &&str| text.get(..length(name)).is_some_and(|t| t.eq_ignore_ascii_case(&name[..length(name)]));
    let index = names.iter().position(begins)?;
    Some((index, &text[length(names[index])..]))
}

fn parse_zone<'t>(text: &'t str, fields: &mut Fields) -> Option<&'t str> {
    let end = text.find(|c: char| !c.is_ascii_alphanumeric() && !"/_+-:".contains(c)).unwrap_or(text.len());
    let (name, rest) = text.split_at(end);
    let zone = zone::parse(name).ok()?;
    fields.offset = Some(zone::Zone::new(zone).to_local(0));
    Some(rest)
}

/// `Z`, `+08`, `+0800`, `+08:00` or `GMT+8`.
fn parse_offset<'t>(text: &'t str, fields: &mut Fields) -> Option<&'t str> {
    if let Some(rest) = text.strip_prefix(['Z', 'z']) {
        fields.offset = Some(0);
        return Some(rest);
    }
    let plain = text.strip_prefix("GMT").unwrap_or(text);
    let sign = match plain.as_bytes().first() {
        Some(b'+') => 1,
        Some(b'-') => -1,
        _ if plain.len() < text.len() => {
            fields.offset = Some(0);
            return Some(plain);
        }
        _ => return None,
    };
    let (hours, rest) = digits(&plain[1..], 2)?;
    let (minutes, rest) = digits(rest.strip_prefix(':').unwrap_or(rest), 2).unwrap_or((0, rest));
    fields.offset = Some(sign * (hours * 3600 + minutes * 60));
    Some(rest)
}

fn digits(text: &str, max: usize) -> Option<(i64, &str)> {
    let count = text.bytes().take_while(u8::is_ascii_digit).take(max).count();
    let (number, rest) = text.split_at(count);
    Some((number.parse().ok()?, rest))
}

impl Fields {
    fn resolve(&self) -> Option<Parsed> {
        let days = self.days()?;
        let hour = match (self.hour, self.hour12) {
            (Some(hour), _) => hour,
            (None, Some(hour)) => hour.saturating_add(if self.afternoon == Some(true) { 12 } else { 0 }),
            (None, None) => 0,
        };
        let nanos_of_day = self.nanos_of_day.unwrap_or(0);
        let known = hour < 24 && self.minute < 60 && self.second < 60 && nanos_of_day < NANOS_PER_DAY;
        if !known || self.nanos > 999_999_999_999 {
            return None;
        }
        let of_day = i64::from((hour * 60 + self.minute) * 60 + self.second);
        let (of_day, nanos) = match self.nanos_of_day {
            Some(nanos) => ((nanos / 1_000_000_000) as i64, nanos % 1_000_000_000),
            None => (of_day + (self.nanos / 1_000_000_000) as i64, self.nanos % 1_000_000_000),
        };
        Some(Parsed { seconds: days * SECONDS_PER_DAY + of_day, nanos: nanos as u32, offset: self.offset })
    }

    /// A day from 29 to 31 that the month does not have is its last.
    fn days(&self) -> Option<i64> {
        let year = self.year.filter(|year| *year <= 9999).or(self.year.is_none().then_some(1970))?;
        if let (Some(day), None) = (self.day_of_year, self.month) {
            return (1..=366).contains(&day).then(|| days_from_civil(year, 1, 1) + day - 1);
        }
        let (month, day) = (self.month.unwrap_or(1), self.day.unwrap_or(1));
        let known = (1..=12).contains(&month) && (1..=31).contains(&day);
        known.then(|| days_from_civil(year, month, day.min(days_in_month(year, month))))
    }
}
