//! Casts from character strings.

use super::{CastFn, OnFailure, to_text};
use crate::decimal;
use crate::kernel::{NullableBuilder, downcast, primitives};
use crate::temporal::parse;
use crate::temporal::stamps::ticks;
use crate::zone::Zone;
use arrow::array::{Array, ArrayRef, BooleanBuilder, PrimitiveBuilder, StringArray};
use arrow::datatypes::{
    ArrowPrimitiveType, Date32Type, Decimal128Type, DurationMillisecondType, Float32Type, Float64Type, Int8Type,
    Int16Type, Int32Type, Int64Type, IntervalYearMonthType, Time32MillisecondType, TimestampMicrosecondType,
    TimestampMillisecondType, TimestampNanosecondType,
};
use chrono_tz::Tz;
use headwater_data::arrow_type;
use headwater_types::{Error, LogicalType, Result, TypeRoot};

const INVALID: &str = "Invalid character found.";
const OVERFLOW: &str = "Overflow.";

/// The cast of text to any other type.
pub(super) fn cast(to: &LogicalType, on_failure: OnFailure, zone: Tz) -> Result<CastFn> {
    use TypeRoot as T;
    let wanted = on_failure;
    match to.root {
        T::Boolean => Ok(Box::new(move |array| booleans(array, &wanted))),
        T::Binary(_) | T::VarBinary(_) => Ok(to_text::bytes_cast(to)),
        T::TinyInt => reading::<Int8Type>(to, move |s| integer(s, &wanted, |v| i8::try_from(v).ok())),
        T::SmallInt => reading::<Int16Type>(to, move |s| integer(s, &wanted, |v| i16::try_from(v).ok())),
        T::Int => reading::<Int32Type>(to, move |s| integer(s, &wanted, |v| i32::try_from(v).ok())),
        T::BigInt => reading::<Int64Type>(to, move |s| integer(s, &wanted, Some)),
        T::Float => reading::<Float32Type>(to, move |s| float(s, &wanted)),
        T::Double => reading::<Float64Type>(to, move |s| float(s, &wanted)),
        T::Decimal(p, s) => reading::<Decimal128Type>(to, move |text| match decimal::parse(text, (p, s)) {
            Ok(value) => Ok(value),
            Err(_) => number_failure(text, &wanted, INVALID),
        }),
        T::IntervalYearMonth => reading::<IntervalYearMonthType>(to, move |s| found(parse::year_month(s), s, &wanted)),
        T::IntervalDayTime => reading::<DurationMillisecondType>(to, move |s| found(parse::day_time(s), s, &wanted)),
        _ => temporal(to, wanted, zone),
    }
}

fn temporal(to: &LogicalType, wanted: OnFailure, zone: Tz) -> Result<CastFn> {
    use TypeRoot as T;
    match to.root {
        T::Date => reading::<Date32Type>(to, move |s| found(parse::date(s).map(|d| d as i32), s, &wanted)),
        T::Time(p) => reading::<Time32MillisecondType>(to, move |s| found(time(s, p), s, &wanted)),
        T::Timestamp(p @ 0..=3, _) => exactly::<TimestampMillisecondType>(to, timestamp(p, wanted, Tz::UTC)),
        T::Timestamp(p @ 4..=6, _) => exactly::<TimestampMicrosecondType>(to, timestamp(p, wanted, Tz::UTC)),
        T::Timestamp(p, _) => exactly::<TimestampNanosecondType>(to, timestamp(p, wanted, Tz::UTC)),
        T::TimestampLtz(p @ 0..=3, _) => exactly::<TimestampMillisecondType>(to, timestamp(p, wanted, zone)),
        T::TimestampLtz(p @ 4..=6, _) => exactly::<TimestampMicrosecondType>(to, timestamp(p, wanted, zone)),
        T::TimestampLtz(p, _) => exactly::<TimestampNanosecondType>(to, timestamp(p, wanted, zone)),
        _ => Err(Error::internal(format!("no cast from text to {to}"))),
    }
}

/// A cast that reads every text, without surrounding spaces, by itself.
fn reading<T: ArrowPrimitiveType>(
    to: &LogicalType,
    read: impl Fn(&str) -> Result<Option<T::Native>> + Send + Sync + 'static,
) -> Result<CastFn> {
    exactly::<T>(to, move |text| read(text.trim_matches(' ')))
}

/// A cast that reads every text as it is.
fn exactly<T: ArrowPrimitiveType>(
    to: &LogicalType,
    read: impl Fn(&str) -> Result<Option<T::Native>> + Send + Sync + 'static,
) -> Result<CastFn> {
    let ty = arrow_type(to);
    Ok(Box::new(move |array| {
        let out: PrimitiveBuilder<T> = primitives(array.len(), &ty);
        each(array, out, |text, out| {
            out.append_option(read(text)?);
            Ok(())
        })
    }))
}

fn each<B: NullableBuilder>(
    array: &ArrayRef,
    mut out: B,
    mut read: impl FnMut(&str, &mut B) -> Result<()>,
) -> Result<ArrayRef> {
    let texts = downcast::<StringArray>(array)?;
    for row in 0..texts.len() {
        match texts.is_null(row) {
            true => out.push_null(),
            false => read(texts.value(row), &mut out)?,
        }
    }
    Ok(out.finish())
}

fn booleans(array: &ArrayRef, wanted: &OnFailure) -> Result<ArrayRef> {
    each(array, BooleanBuilder::with_capacity(array.len()), |text, out| {
        let value = match text.to_ascii_lowercase().as_str() {
            "t" | "true" | "y" | "yes" | "1" => Some(true),
            "f" | "false" | "n" | "no" | "0" => Some(false),
            _ => wanted.fail(text, &format!("Cannot parse '{text}' as BOOLEAN."))?,
        };
        out.append_option(value);
        Ok(())
    })
}

fn found<T>(value: Option<T>, text: &str, wanted: &OnFailure) -> Result<Option<T>> {
    match value {
        Some(value) => Ok(Some(value)),
        None => wanted.fail(text, &format!("'{text}' does not have the format of the type")),
    }
}

fn number_failure<T>(text: &str, wanted: &OnFailure, reason: &str) -> Result<Option<T>> {
    let reason = if text.is_empty() { "Input is empty." } else { reason };
    wanted.fail(text, &format!("For input string: '{text}'. {reason}"))
}

/// A whole number; digits after a point are checked and dropped.
fn integer<T>(text: &str, wanted: &OnFailure, narrow: impl Fn(i64) -> Option<T>) -> Result<Option<T>> {
    let (negative, digits) = match text.as_bytes().first() {
        Some(b'-') => (true, &text[1..]),
        Some(b'+') => (false, &text[1..]),
        _ => (false, text),
    };
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    if digits.is_empty() || !whole.bytes().chain(fraction.bytes()).all(|b| b.is_ascii_digit()) {
        return number_failure(text, wanted, INVALID);
    }
    let value = whole.bytes().try_fold(0i64, |value, digit| {
        let digit = i64::from(digit - b'0');
        // Negative numbers are summed downwards: the smallest one has no positive counterpart.
        value.checked_mul(10)?.checked_add(if negative { -digit } else { digit })
    });
    match value.and_then(narrow) {
        Some(value) => Ok(Some(value)),
        None => number_failure(text, wanted, OVERFLOW),
    }
}

/// A floating point number in Java's notation: `NaN`, `Infinity`, `1.5`, `1e10`, `1d`.
fn float<T: std::str::FromStr>(text: &str, wanted: &OnFailure) -> Result<Option<T>> {
    let text = text.trim();
    let unsigned = text.trim_start_matches(['+', '-']);
    let special = matches!(unsigned, "NaN" | "Infinity");
    let plain = text.strip_suffix(['f', 'F', 'd', 'D']).unwrap_or(text);
    let readable = special || unsigned.starts_with(|c: char| c.is_ascii_digit() || c == '.');
    let number = if special { text } else { plain };
    match number.parse() {
        Ok(value) if readable => Ok(Some(value)),
        _ => number_failure(text, wanted, INVALID),
    }
}

/// Milliseconds of the day; digits beyond the precision are dropped.
fn time(text: &str, precision: u8) -> Option<i32> {
    let unit = 10_i32.pow(3_u32.saturating_sub(precision.into()));
    parse::time(text).map(|ms| ms / unit * unit)
}

fn timestamp(
    precision: u8,
    wanted: OnFailure,
    zone: Tz,
) -> impl Fn(&str) -> Result<Option<i64>> + Send + Sync + 'static {
    move |text| {
        let Some((local, nanos)) = parse::timestamp(text) else { return found(None, text, &wanted) };
        match ticks(Zone::new(zone).to_instant(local), nanos, precision) {
            Some(value) => Ok(Some(value)),
            None => wanted.fail(text, "the point in time is outside the range of the type"),
        }
    }
}
