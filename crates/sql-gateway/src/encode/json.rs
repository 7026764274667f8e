//! Fields as JSON values, as Flink's `json` format writes them with ISO 8601 times.
//!
//! | type | value |
//! |---|---|
//! | numbers, DECIMAL | a number; NaN and the infinities a text |
//! | BYTES | base64 |
//! | TIMESTAMP | `1990-10-14T12:12:43.123`, without zeros at the end |
//! | TIMESTAMP_LTZ | the same in the session's zone, with a `Z`: Flink's clients take it for a local time |
//! | INTERVAL | a number of milliseconds or months |
//! | ROW, MAP, MULTISET | an object; keys that are no texts as their text |

use super::{Push, push_string};
use arrow::array::*;
use arrow::datatypes::*;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use chrono_tz::Tz;
use headwater_functions::kernel::downcast;
use headwater_functions::temporal::stamps::Stamps;
use headwater_functions::text;
use headwater_functions::zone::Zone;
use headwater_types::{Error, LogicalType, Result, RowField, TypeRoot};

/// Writes the values of a column.
pub(super) fn column<'a>(array: &'a dyn Array, ty: &LogicalType, zone: Tz) -> Result<Push<'a>> {
    let push = value(array, ty, zone)?;
    Ok(Box::new(move |out, row| if array.is_null(row) { out.push_str("null") } else { push(out, row) }))
}

fn value<'a>(array: &'a dyn Array, ty: &LogicalType, zone: Tz) -> Result<Push<'a>> {
    use TypeRoot as T;
    match &ty.root {
        T::Char(_) | T::VarChar(_) | T::Variant => {
            let array = downcast::<StringArray>(array)?;
            Ok(Box::new(move |out, row| push_string(out, array.value(row))))
        }
        T::Boolean => {
            let array = downcast::<BooleanArray>(array)?;
            Ok(Box::new(move |out, row| out.push_str(if array.value(row) { "true" } else { "false" })))
        }
        T::Binary(_) | T::VarBinary(_) | T::Bitmap => {
            let array = downcast::<BinaryArray>(array)?;
            Ok(Box::new(move |out, row| {
                out.push('"');
                STANDARD.encode_string(array.value(row), out);
                out.push('"');
            }))
        }
        T::Array(element) => list(array, element, zone),
        T::Map(key, value) => map(array, key, value, zone),
        T::Multiset(element) => map(array, element, &T::Int.into(), zone),
        T::Row(fields) => object(array, fields, zone),
        T::Null => Ok(Box::new(|out, _| out.push_str("null"))),
        _ if ty.is_numeric() || ty.is_interval() => number(array, ty),
        _ => time(array, ty, zone),
    }
}

fn number<'a>(array: &'a dyn Array, ty: &LogicalType) -> Result<Push<'a>> {
    match ty.root {
        TypeRoot::TinyInt => primitive::<Int8Type>(array, text::push_integer),
        TypeRoot::SmallInt => primitive::<Int16Type>(array, text::push_integer),
        TypeRoot::Int => primitive::<Int32Type>(array, text::push_integer),
        TypeRoot::BigInt => primitive::<Int64Type>(array, text::push_integer),
        TypeRoot::IntervalYearMonth => primitive::<IntervalYearMonthType>(array, text::push_integer),
        TypeRoot::IntervalDayTime => primitive::<DurationMillisecondType>(array, text::push_integer),
        TypeRoot::Float => {
            primitive::<Float32Type>(array, |out, v| finite(out, v.is_finite(), |o| text::push_float(o, v)))
        }
        TypeRoot::Double => {
            primitive::<Float64Type>(array, |out, v| finite(out, v.is_finite(), |o| text::push_double(o, v)))
        }
        TypeRoot::Decimal(_, scale) => {
            primitive::<Decimal128Type>(array, move |out, v| text::push_decimal(out, v, scale))
        }
        _ => Err(Error::internal(format!("{ty} is not a number"))),
    }
}

/// JSON has no numbers for NaN and the infinities.
fn finite(out: &mut String, is_finite: bool, push: impl Fn(&mut String)) {
    let quote = if is_finite { "" } else { "\"" };
    out.push_str(quote);
    push(out);
    out.push_str(quote);
}

fn time<'a>(array: &'a dyn Array, ty: &LogicalType, zone: Tz) -> Result<Push<'a>> {
    match ty.root {
        TypeRoot::Date => primitive::<Date32Type>(array, |out, v| {
            out.push('"');
            text::push_date(out, v.into());
            out.push('"');
        }),
        TypeRoot::Time(_) => primitive::<Time32MillisecondType>(array, |out, v| {
            out.push('"');
            text::push_time(out, v.into(), 3);
            cut_zeros(out);
            out.push('"');
        }),
        TypeRoot::Timestamp(..) => stamps(array, Zone::utc(), ""),
        TypeRoot::TimestampLtz(..) => stamps(array, Zone::new(zone), "Z"),
        _ => Err(Error::internal(format!("{ty} has no JSON form"))),
    }
}

fn stamps<'a>(array: &'a dyn Array, zone: Zone, suffix: &'static str) -> Result<Push<'a>> {
    let stamps = Stamps::of(array)?;
    Ok(Box::new(move |out, row| {
        let (seconds, nanos) = stamps.seconds_nanos(row);
        out.push('"');
        let start = out.len();
        text::push_timestamp(out, zone.to_local(seconds), nanos, 9);
        if let Some(space) = out[start..].find(' ') {
            out.replace_range(start + space..=start + space, "T");
        }
        cut_zeros(out);
        out.push_str(suffix);
        out.push('"');
    }))
}

/// Takes the zeros at the end of a fraction away.
fn cut_zeros(out: &mut String) {
    let length = out.trim_end_matches('0').trim_end_matches('.').len();
    // Only a fraction has zeros to lose: seconds always have two digits.
    if out.rfind('.').is_some_and(|dot| dot <= length) {
        out.truncate(length);
    }
}

fn primitive<'a, T: ArrowPrimitiveType>(
    array: &'a dyn Array,
    push: impl Fn(&mut String, T::Native) + 'a,
) -> Result<Push<'a>> {
    let array = downcast::<PrimitiveArray<T>>(array)?;
    Ok(Box::new(move |out, row| push(out, array.value(row))))
}

fn list<'a>(array: &'a dyn Array, element: &LogicalType, zone: Tz) -> Result<Push<'a>> {
    let array = downcast::<ListArray>(array)?;
    let items = column(array.values().as_ref(), element, zone)?;
    Ok(Box::new(move |out, row| {
        let offsets = array.value_offsets();
        let range = offsets[row] as usize..offsets[row + 1] as usize;
        push_all(out, ['[', ']'], range, &items);
    }))
}

fn map<'a>(array: &'a dyn Array, key: &LogicalType, value: &LogicalType, zone: Tz) -> Result<Push<'a>> {
    let array = downcast::<MapArray>(array)?;
    let keys = text::Formatter::new(array.keys().as_ref(), key, zone)?;
    let values = column(array.values().as_ref(), value, zone)?;
    let entry: Push<'a> = Box::new(move |out, entry| {
        let mut name = String::new();
        // A key that is NULL has the name that Flink gives it.
        if array.keys().is_null(entry) {
            name.push_str("null")
        } else {
            keys.push(&mut name, entry)
        }
        push_string(out, &name);
        out.push(':');
        values(out, entry);
    });
    Ok(Box::new(move |out, row| {
        let offsets = array.value_offsets();
        push_all(out, ['{', '}'], offsets[row] as usize..offsets[row + 1] as usize, &entry);
    }))
}

fn object<'a>(array: &'a dyn Array, fields: &[RowField], zone: Tz) -> Result<Push<'a>> {
    let array = downcast::<StructArray>(array)?;
    let columns = array.columns().iter().zip(fields).map(|(values, field)| {
        let mut name = String::new();
        push_string(&mut name, &field.name);
        Ok((name, column(values.as_ref(), &field.ty, zone)?))
    });
    let columns: Vec<(String, Push<'a>)> = columns.collect::<Result<_>>()?;
    Ok(Box::new(move |out, row| {
        out.push('{');
        for (position, (name, push)) in columns.iter().enumerate() {
            if position > 0 {
                out.push(',');
            }
            out.push_str(name);
            out.push(':');
            push(out, row);
        }
        out.push('}');
    }))
}

fn push_all(out: &mut String, [open, close]: [char; 2], items: std::ops::Range<usize>, push: &Push<'_>) {
    out.push(open);
    for (position, item) in items.enumerate() {
        if position > 0 {
            out.push(',');
        }
        push(out, item);
    }
    out.push(close);
}
