//! Values of case files: JSON to typed values.
//!
//! What JSON has no form for is an object with one key: `{"$decimal": "1.10"}`, `{"$bytes": "text"}`,
//! `{"$map": [[k, v], ..]}`, `{"$bitmap": [1, 2]}`; `{"$java": ".."}` is an expression that could not be written down. Temporal values
//! are ISO text.

use crate::java_value;
use crate::outcome::Stop;
use chrono::{NaiveDate, NaiveDateTime, NaiveTime, Timelike};
use headwater_plan::Value;
use headwater_types::{LogicalType, RowField, RowKind, TypeRoot};
use serde_json::Value as Json;

/// The value of a type.
pub(crate) fn value(json: &Json, ty: &LogicalType) -> Result<Value, Stop> {
    if json.is_null() {
        return Ok(Value::Null);
    }
    if let Some(expression) = json.get("$java") {
        if let Some(json) = expression.as_str().and_then(java_value::parse) {
            return value(&json, ty);
        }
        return Err(Stop::skipped(format!("the case holds a value that could not be written down: {expression}")));
    }
    typed(json, ty).transpose().unwrap_or_else(|| Err(Stop::failed(format!("{json} is not a value of type {ty}"))))
}

/// `Ok(None)` when the JSON is not of the type's form.
fn typed(json: &Json, ty: &LogicalType) -> Result<Option<Value>, Stop> {
    Ok(match &ty.root {
        TypeRoot::Char(_) | TypeRoot::VarChar(_) | TypeRoot::Variant => json.as_str().map(|s| Value::String(s.into())),
        TypeRoot::Boolean => boolean(json),
        TypeRoot::Binary(_) | TypeRoot::VarBinary(_) => bytes(json),
        TypeRoot::Decimal(_, scale) => decimal_text(json).and_then(|text| decimal(&text, *scale)),
        TypeRoot::TinyInt | TypeRoot::SmallInt | TypeRoot::Int | TypeRoot::BigInt => integer(json),
        TypeRoot::Float | TypeRoot::Double => float(json),
        TypeRoot::Date
        | TypeRoot::Time(_)
        | TypeRoot::Timestamp(..)
        | TypeRoot::TimestampLtz(..)
        | TypeRoot::IntervalYearMonth
        | TypeRoot::IntervalDayTime => temporal(json, &ty.root),
        TypeRoot::Array(element) => match json.as_array() {
            Some(items) => Some(Value::List(items.iter().map(|i| value(i, element)).collect::<Result<_, _>>()?)),
            None => None,
        },
        TypeRoot::Map(key, element) => map(json, key, element)?,
        TypeRoot::Multiset(element) => map(json, element, &TypeRoot::Int.into())?,
        TypeRoot::Row(fields) => row(json, fields)?,
        TypeRoot::Bitmap => bitmap(json),
        TypeRoot::Null => None,
    })
}

fn boolean(json: &Json) -> Option<Value> {
    match json.as_str() {
        None => json.as_bool().map(Value::Boolean),
        Some("TRUE") => Some(Value::Boolean(true)),
        Some("FALSE") => Some(Value::Boolean(false)),
        Some(_) => None,
    }
}

fn integer(json: &Json) -> Option<Value> {
    let whole = json.as_f64().filter(|f| f.fract() == 0.0).map(|f| f as i64);
    json.as_i64().or(whole).map(Value::Int)
}

/// Numbers, and the names of those JSON has none for.
fn float(json: &Json) -> Option<Value> {
    match json.as_str() {
        None => decimal_text(json)?.parse().ok().map(Value::Float),
        Some("NaN") => Some(Value::Float(f64::NAN)),
        Some("Infinity" | "POSITIVE_INFINITY") => Some(Value::Float(f64::INFINITY)),
        Some("-Infinity" | "NEGATIVE_INFINITY") => Some(Value::Float(f64::NEG_INFINITY)),
        Some(_) => None,
    }
}

fn decimal_text(json: &Json) -> Option<String> {
    match json {
        Json::Number(number) => Some(number.to_string()),
        _ => json.get("$decimal").and_then(Json::as_str).map(str::to_string),
    }
}

/// The unscaled value of plain decimal text, rounded half up to the scale.
pub(crate) fn decimal(text: &str, scale: u8) -> Option<Value> {
    let (negative, digits) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let scale = usize::from(scale);
    let kept: String = fraction.chars().chain(std::iter::repeat('0')).take(scale).collect();
    let unscaled: i128 = format!("{whole}{kept}").parse().ok()?;
    let rounded = unscaled + i128::from(fraction.as_bytes().get(scale).is_some_and(|d| *d >= b'5'));
    Some(Value::Decimal(if negative { -rounded } else { rounded }))
}

fn bytes(json: &Json) -> Option<Value> {
    if let Some(text) = json.get("$bytes") {
        return text.as_str().map(|text| Value::Bytes(text.as_bytes().to_vec()));
    }
    let items = json.as_array()?;
    let byte = |item: &Json| item.as_i64().and_then(|b| i8::try_from(b).map(|b| b as u8).or(u8::try_from(b)).ok());
    items.iter().map(byte).collect::<Option<Vec<u8>>>().map(Value::Bytes)
}

/// `{"$bitmap": [members]}`.
fn bitmap(json: &Json) -> Option<Value> {
    let member = |member: &Json| member.as_i64().and_then(|m| i32::try_from(m).ok()).map(i32::cast_unsigned);
    let members: Option<Vec<u32>> = json.get("$bitmap")?.as_array()?.iter().map(member).collect();
    Some(Value::Bytes(headwater_functions::bitmap::build(members?)))
}

fn map(json: &Json, key: &LogicalType, element: &LogicalType) -> Result<Option<Value>, Stop> {
    let pairs: Vec<(Json, Json)> = match (json.get("$map").and_then(Json::as_array), json.as_object()) {
        (Some(pairs), _) => {
            let pair = |pair: &Json| Some((pair.get(0)?.clone(), pair.get(1)?.clone()));
            match pairs.iter().map(pair).collect::<Option<_>>() {
                Some(pairs) => pairs,
                None => return Ok(None),
            }
        }
        (None, Some(object)) => object.iter().map(|(k, v)| (Json::from(k.as_str()), v.clone())).collect(),
        (None, None) if is_single_entry(json) => vec![(json[0].clone(), json[1].clone())],
        (None, None) => match json.as_array() {
            // `Map.of(k, v, ..)`: keys and values in turn.
            Some(flat) if flat.len() % 2 == 0 => flat.chunks(2).map(|p| (p[0].clone(), p[1].clone())).collect(),
            _ => return Ok(None),
        },
    };
    let entry = |(k, v): &(Json, Json)| Ok((value(k, key)?, value(v, element)?));
    Ok(Some(Value::Map(pairs.iter().map(entry).collect::<Result<_, Stop>>()?)))
}

/// A map of one entry written `[key, value]`.
fn is_single_entry(json: &Json) -> bool {
    json.as_array().is_some_and(|items| items.len() == 2)
}

/// A row is the list of its fields, or `{"kind": "+I", "row": [..]}`.
fn row(json: &Json, fields: &[RowField]) -> Result<Option<Value>, Stop> {
    let Some(items) = json.get("row").unwrap_or(json).as_array() else { return Ok(None) };
    if items.len() != fields.len() {
        return Ok(None);
    }
    let values = items.iter().zip(fields).map(|(item, field)| value(item, &field.ty));
    Ok(Some(Value::Row(values.collect::<Result<_, _>>()?)))
}

fn temporal(json: &Json, root: &TypeRoot) -> Option<Value> {
    if let Some(number) = json.as_i64() {
        return Some(Value::Int(number));
    }
    let text = json.as_str()?;
    let unscaled = match root {
        TypeRoot::Date => date(text)?,
        TypeRoot::Time(_) => time(text)?,
        TypeRoot::Timestamp(p, _) | TypeRoot::TimestampLtz(p, _) => timestamp(text, *p)?,
        TypeRoot::IntervalDayTime => duration_ms(text)?,
        TypeRoot::IntervalYearMonth => period_months(text)?,
        _ => return None,
    };
    Some(Value::Int(unscaled))
}

/// Days since the epoch.
pub(crate) fn date(text: &str) -> Option<i64> {
    let date = NaiveDate::parse_from_str(text, "%Y-%m-%d").ok()?;
    Some((date - NaiveDate::default()).num_days())
}

/// Milliseconds of the day. Seconds may be left out.
pub(crate) fn time(text: &str) -> Option<i64> {
    let parsed = NaiveTime::parse_from_str(text, "%H:%M:%S%.f").or_else(|_| NaiveTime::parse_from_str(text, "%H:%M"));
    let time = parsed.ok()?;
    Some(i64::from(time.num_seconds_from_midnight()) * 1000 + i64::from(time.nanosecond() / 1_000_000))
}

/// Time since the epoch in the unit that holds the precision. `T` or a blank separates; a `Z` is UTC.
pub(crate) fn timestamp(text: &str, precision: u8) -> Option<i64> {
    let text = text.trim_end_matches('Z').replacen(' ', "T", 1);
    let formats = ["%Y-%m-%dT%H:%M:%S%.f", "%Y-%m-%dT%H:%M"];
    let parsed = formats.iter().find_map(|format| NaiveDateTime::parse_from_str(&text, format).ok());
    let parsed = parsed.or_else(|| NaiveDate::parse_from_str(&text, "%Y-%m-%d").ok()?.and_hms_opt(0, 0, 0))?;
    let (seconds, nanos) = (parsed.and_utc().timestamp(), i64::from(parsed.and_utc().timestamp_subsec_nanos()));
    let per_second: i64 = match precision {
        0..=3 => 1_000,
        4..=6 => 1_000_000,
        _ => 1_000_000_000,
    };
    seconds.checked_mul(per_second)?.checked_add(nanos / (1_000_000_000 / per_second))
}

/// `PT1H30M0.5S`, `P1DT2H` or `2 seconds` in milliseconds.
fn duration_ms(text: &str) -> Option<i64> {
    if let Some(ms) = counted_duration_ms(text) {
        return Some(ms);
    }
    if let Some(duration) = headwater_types::config::parse_duration(text) {
        return i64::try_from(duration.as_millis()).ok();
    }
    let (negative, rest) = match text.strip_prefix('-') {
        Some(rest) => (-1.0, rest),
        None => (1.0, text),
    };
    let mut seconds = 0.0;
    let mut number = String::new();
    for c in rest.strip_prefix('P')?.chars() {
        match c {
            'T' => {}
            'D' | 'H' | 'M' | 'S' => {
                let unit = match c {
                    'D' => 86_400.0,
                    'H' => 3_600.0,
                    'M' => 60.0,
                    _ => 1.0,
                };
                seconds += std::mem::take(&mut number).parse::<f64>().ok()? * unit;
            }
            digit => number.push(digit),
        }
    }
    Some((negative * seconds * 1000.0).round() as i64)
}

/// `2 seconds`, `1 hours`.
fn counted_duration_ms(text: &str) -> Option<i64> {
    let (count, unit) = text.split_once(' ')?;
    let unit_ms: i64 = match unit.trim_end_matches('s') {
        "milli" | "millisecond" => 1,
        "second" => 1_000,
        "minute" => 60_000,
        "hour" => 3_600_000,
        "day" => 86_400_000,
        _ => return None,
    };
    count.parse::<i64>().ok()?.checked_mul(unit_ms)
}

/// `P1Y6M` in months.
fn period_months(text: &str) -> Option<i64> {
    let mut months = 0;
    let mut number = String::new();
    for c in text.strip_prefix('P')?.chars() {
        match c {
            'Y' => months += std::mem::take(&mut number).parse::<i64>().ok()? * 12,
            'M' => months += std::mem::take(&mut number).parse::<i64>().ok()?,
            digit => number.push(digit),
        }
    }
    Some(months)
}

/// A row of a changelog: `{"kind": "+I", "row": [..]}`.
pub(crate) fn changelog_row(json: &Json, types: &[LogicalType]) -> Result<(RowKind, Vec<Value>), Stop> {
    if let Some(expression) = json.get("$java") {
        return Err(Stop::skipped(format!("the case holds a row that could not be written down: {expression}")));
    }
    let kind = json.get("kind").and_then(Json::as_str).and_then(RowKind::parse);
    let (Some(kind), Some(items)) = (kind, json.get("row").and_then(Json::as_array)) else {
        return Err(Stop::failed(format!("{json} is not a row: expected {{\"kind\": .., \"row\": [..]}}")));
    };
    if items.len() != types.len() {
        let message = format!("the row {json} has {} values for {} columns", items.len(), types.len());
        return Err(Stop::failed(message));
    }
    Ok((kind, items.iter().zip(types).map(|(item, ty)| value(item, ty)).collect::<Result<_, _>>()?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use headwater_types::TimeAttribute;
    use serde_json::json;

    #[test]
    fn values_follow_their_type() {
        let decimal: LogicalType = TypeRoot::Decimal(10, 2).into();
        let timestamp: LogicalType = TypeRoot::Timestamp(3, TimeAttribute::None).into();
        for (json, ty, expected) in [
            (json!({"$decimal": "1.115"}), &decimal, Value::Decimal(112)),
            (json!({"$decimal": "-4.0"}), &decimal, Value::Decimal(-400)),
            (json!(7), &decimal, Value::Decimal(700)),
            (json!("1970-01-01T00:00:01"), &timestamp, Value::Int(1000)),
            (json!("1970-01-01 00:00:01.5"), &timestamp, Value::Int(1500)),
            (json!("1970-01-01T00:01"), &timestamp, Value::Int(60_000)),
            (json!(null), &timestamp, Value::Null),
        ] {
            assert_eq!(value(&json, ty), Ok(expected), "{json}");
        }
        assert!(value(&json!("x"), &decimal).is_err());
    }

    #[test]
    fn intervals_are_iso_text() {
        assert_eq!(duration_ms("PT1H30M0.5S"), Some(5_400_500));
        assert_eq!(duration_ms("-P1D"), Some(-86_400_000));
        assert_eq!(period_months("P1Y6M"), Some(18));
    }
}
