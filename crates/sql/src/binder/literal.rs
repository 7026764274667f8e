//! Literals with Flink's types.

use super::data_type::interval_root;
use super::{Binder, Typed};
use crate::{SqlError, SqlResult};
use chrono::{NaiveDate, NaiveDateTime, NaiveTime, TimeZone, Timelike};
use headwater_plan::Value;
use headwater_sql_parser::Span;
use headwater_sql_parser::ast::{IntervalLiteral, IntervalQualifier, Literal, TimeUnit};
use headwater_types::{TimeAttribute, TypeRoot};

const DAY_MS: i64 = 86_400_000;

impl Binder<'_> {
    /// A written literal.
    pub(super) fn written_literal(&self, literal: &Literal, span: Span) -> SqlResult<Typed> {
        match literal {
            Literal::Number(text) => self.number(text, false, span),
            Literal::String(text) => self.string_literal(text),
            Literal::Binary(bytes) => self.literal(Value::Bytes(bytes.clone()), TypeRoot::Binary(bytes.len() as u32)),
            Literal::Boolean(value) => self.literal(Value::Boolean(*value), TypeRoot::Boolean),
            Literal::Unknown => self.literal(Value::Null, TypeRoot::Boolean),
            Literal::Null => self.literal(Value::Null, TypeRoot::Null),
            Literal::Date(text) => self.date(text, span),
            Literal::Time(text) => self.time(text, span),
            Literal::Timestamp(text) => self.timestamp(text, false, span),
            Literal::TimestampLtz(text) => self.timestamp(text, true, span),
            Literal::Interval(interval) => self.interval(interval, span),
        }
    }

    /// A number: INT or BIGINT without a point, DECIMAL with one, DOUBLE with an exponent.
    pub(super) fn number(&self, text: &str, negative: bool, span: Span) -> SqlResult<Typed> {
        let sign = if negative { "-" } else { "" };
        let bad = || SqlError::at("bad-literal", format!("{text} is out of the range of numbers"), span);
        if text.contains(['e', 'E']) {
            let value: f64 = format!("{sign}{text}").parse().map_err(|_| bad())?;
            return self.literal(Value::Float(value), TypeRoot::Double);
        }
        let Some((whole, fraction)) = text.split_once('.') else {
            return self.integer(text, sign).unwrap_or_else(|| self.decimal(text, "", sign).ok_or_else(bad)?);
        };
        match fraction {
            "" => self.integer(whole, sign).unwrap_or_else(|| self.decimal(whole, "", sign).ok_or_else(bad)?),
            _ => self.decimal(whole, fraction, sign).ok_or_else(bad)?,
        }
    }

    fn integer(&self, digits: &str, sign: &str) -> Option<SqlResult<Typed>> {
        let magnitude: i64 = digits.parse().ok()?;
        let value = if sign.is_empty() { magnitude } else { -magnitude };
        let root = if i32::try_from(magnitude).is_ok() { TypeRoot::Int } else { TypeRoot::BigInt };
        Some(self.literal(Value::Int(value), root))
    }

    /// A decimal of as many digits as were written.
    fn decimal(&self, whole: &str, fraction: &str, sign: &str) -> Option<SqlResult<Typed>> {
        let digits = whole.len() + fraction.len();
        let precision = u8::try_from(digits).ok().filter(|p| *p <= 38)?;
        let unscaled: i128 = format!("{sign}{whole}{fraction}").parse().ok()?;
        Some(self.literal(Value::Decimal(unscaled), TypeRoot::Decimal(precision.max(1), fraction.len() as u8)))
    }

    fn date(&self, text: &str, span: Span) -> SqlResult<Typed> {
        let date = parse_date(text).ok_or_else(|| bad_literal("DATE", text, "'2024-12-31'", span))?;
        let days = date.signed_duration_since(NaiveDate::default()).num_days();
        self.literal(Value::Int(days), TypeRoot::Date)
    }

    fn time(&self, text: &str, span: Span) -> SqlResult<Typed> {
        let (time, digits) = parse_time(text).ok_or_else(|| bad_literal("TIME", text, "'23:59:59'", span))?;
        let millis = i64::from(time.num_seconds_from_midnight()) * 1000 + i64::from(time.nanosecond() / 1_000_000);
        self.literal(Value::Int(millis), TypeRoot::Time(digits))
    }

    fn timestamp(&self, text: &str, local_zone: bool, span: Span) -> SqlResult<Typed> {
        let bad = || bad_literal("TIMESTAMP", text, "'2024-12-31 23:59:59.999'", span);
        let (date, time) = text.trim().split_once([' ', 'T']).unwrap_or((text.trim(), "00:00:00"));
        let date = parse_date(date).ok_or_else(bad)?;
        let (time, digits) = parse_time(time).ok_or_else(bad)?;
        let local = NaiveDateTime::new(date, time);
        let utc = match local_zone {
            false => local,
            true => self.context.zone.from_local_datetime(&local).earliest().ok_or_else(bad)?.naive_utc(),
        };
        let value = in_unit(utc, digits).ok_or_else(bad)?;
        let root = match local_zone {
            false => TypeRoot::Timestamp(digits, TimeAttribute::None),
            true => TypeRoot::TimestampLtz(digits, TimeAttribute::None),
        };
        self.literal(Value::Int(value), root)
    }

    fn interval(&self, interval: &IntervalLiteral, span: Span) -> SqlResult<Typed> {
        let value = parse_interval(&interval.value, &interval.qualifier).ok_or_else(|| {
            bad_literal(
                &format!("INTERVAL {}", qualifier_text(&interval.qualifier)),
                &interval.value,
                "such as '10'",
                span,
            )
        })?;
        let value = if interval.negative { -value } else { value };
        self.literal(Value::Int(value), interval_root(&interval.qualifier))
    }
}

fn bad_literal(kind: &str, text: &str, example: &str, span: Span) -> SqlError {
    SqlError::at("bad-literal", format!("'{text}' is not a valid {kind} literal"), span)
        .with_hint(format!("write it {example}"))
}

fn parse_date(text: &str) -> Option<NaiveDate> {
    NaiveDate::parse_from_str(text.trim(), "%Y-%m-%d").ok()
}

/// A time of day and the number of digits of its fraction.
fn parse_time(text: &str) -> Option<(NaiveTime, u8)> {
    let text = text.trim();
    let (seconds, fraction) = text.split_once('.').unwrap_or((text, ""));
    if fraction.len() > 9 || !fraction.chars().all(|c| c.is_ascii_digit()) {
        return None;
    }
    let format = if seconds.matches(':').count() == 1 { "%H:%M" } else { "%H:%M:%S" };
    let time = NaiveTime::parse_from_str(seconds, format).ok()?;
    let nanos: u32 = format!("{fraction:0<9}").parse().ok()?;
    Some((time.with_nanosecond(nanos)?, fraction.len() as u8))
}

/// A timestamp in the unit that holds its precision.
fn in_unit(timestamp: NaiveDateTime, precision: u8) -> Option<i64> {
    let timestamp = timestamp.and_utc();
    match precision {
        0..=3 => Some(timestamp.timestamp_millis()),
        4..=6 => Some(timestamp.timestamp_micros()),
        _ => timestamp.timestamp_nanos_opt(),
    }
}

fn qualifier_text(qualifier: &IntervalQualifier) -> String {
    match qualifier.trailing {
        None => qualifier.leading.keyword().to_owned(),
        Some(trailing) => format!("{} TO {}", qualifier.leading.keyword(), trailing.keyword()),
    }
}

/// Months or milliseconds of one unit; `None` for units without intervals.
pub(super) fn unit_size(unit: TimeUnit) -> Option<i64> {
    Some(match unit {
        TimeUnit::Year => 12,
        TimeUnit::Quarter => 3,
        TimeUnit::Month => 1,
        TimeUnit::Week => 7 * DAY_MS,
        TimeUnit::Day => DAY_MS,
        TimeUnit::Hour => 3_600_000,
        TimeUnit::Minute => 60_000,
        TimeUnit::Second => 1000,
        TimeUnit::Millisecond => 1,
        _ => return None,
    })
}

/// Months or milliseconds of an interval text such as `10`, `-1-6`, `1 02:03:04.5`.
fn parse_interval(text: &str, qualifier: &IntervalQualifier) -> Option<i64> {
    let text = text.trim();
    let (negative, text) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    let magnitude = match qualifier.trailing {
        None => single_unit(text.trim(), qualifier.leading)?,
        Some(trailing) => unit_range(text.trim(), qualifier.leading, trailing)?,
    };
    Some(if negative { -magnitude } else { magnitude })
}

fn single_unit(text: &str, unit: TimeUnit) -> Option<i64> {
    if unit == TimeUnit::Second {
        return seconds(text);
    }
    digits(text)?.checked_mul(unit_size(unit)?)
}

/// Values of the units from `leading` down to `trailing`, separated by `-`, a space or `:`.
fn unit_range(text: &str, leading: TimeUnit, trailing: TimeUnit) -> Option<i64> {
    const UNITS: [TimeUnit; 6] =
        [TimeUnit::Year, TimeUnit::Month, TimeUnit::Day, TimeUnit::Hour, TimeUnit::Minute, TimeUnit::Second];
    let from = UNITS.iter().position(|u| *u == leading)?;
    let to = UNITS.iter().position(|u| *u == trailing)?;
    let units = UNITS.get(from..=to)?;
    let parts: Vec<&str> = text.split(['-', ' ', ':']).filter(|p| !p.is_empty()).collect();
    if parts.len() != units.len() {
        return None;
    }
    let values = parts.iter().zip(units).map(|(part, unit)| single_unit(part, *unit));
    values.sum()
}

/// Milliseconds of seconds with an optional fraction.
fn seconds(text: &str) -> Option<i64> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    if fraction.len() > 9 {
        return None;
    }
    let nanos = if fraction.is_empty() { 0 } else { digits(&format!("{fraction:0<9}"))? };
    digits(whole)?.checked_mul(1000)?.checked_add(nanos / 1_000_000)
}

fn digits(text: &str) -> Option<i64> {
    (!text.is_empty() && text.chars().all(|c| c.is_ascii_digit())).then(|| text.parse().ok())?
}
