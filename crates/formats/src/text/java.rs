//! The text of values as Java's `toString` gives it: what Flink's `print` connector and the text form of its
//! rows show. Timestamps are ISO-8601 without needless parts, rows `+I[a, 1]`, maps `{k=v}`, bytes numbers.

use super::display;
use arrow::array::{Array, AsArray};
use arrow::datatypes::{
    DataType, Date32Type, Decimal128Type, DurationMillisecondType, Float32Type, Float64Type, Int8Type, Int16Type,
    Int32Type, Int64Type, IntervalUnit, IntervalYearMonthType, Time32MillisecondType, TimeUnit,
    TimestampMicrosecondType, TimestampMillisecondType, TimestampNanosecondType,
};
use headwater_data::ChangeBatch;

/// Appends a row with its kind: `+I[1, a]`.
pub fn row(out: &mut Vec<u8>, batch: &ChangeBatch, row: usize) {
    out.extend_from_slice(batch.kind(row).short().as_bytes());
    let columns = batch.rows().columns();
    sequence(out, b"[", b"]", columns.len(), |out, i| value(out, &columns[i], row));
}

fn sequence(out: &mut Vec<u8>, open: &[u8], close: &[u8], count: usize, mut item: impl FnMut(&mut Vec<u8>, usize)) {
    out.extend_from_slice(open);
    for i in 0..count {
        if i > 0 {
            out.extend_from_slice(b", ");
        }
        item(out, i);
    }
    out.extend_from_slice(close);
}

/// Appends one value.
pub fn value(out: &mut Vec<u8>, array: &dyn Array, row: usize) {
    if array.is_null(row) || matches!(array.data_type(), DataType::Null) {
        return out.extend_from_slice(b"null");
    }
    match array.data_type() {
        DataType::Utf8 => out.extend_from_slice(array.as_string::<i32>().value(row).as_bytes()),
        DataType::Boolean => out.extend_from_slice(if array.as_boolean().value(row) { b"true" } else { b"false" }),
        DataType::Int8 => integer(out, array.as_primitive::<Int8Type>().value(row).into()),
        DataType::Int16 => integer(out, array.as_primitive::<Int16Type>().value(row).into()),
        DataType::Int32 => integer(out, array.as_primitive::<Int32Type>().value(row).into()),
        DataType::Int64 => integer(out, array.as_primitive::<Int64Type>().value(row)),
        DataType::Float32 => display::float(out, array.as_primitive::<Float32Type>().value(row)),
        DataType::Float64 => display::double(out, array.as_primitive::<Float64Type>().value(row)),
        DataType::Decimal128(_, scale) => {
            display::decimal(out, array.as_primitive::<Decimal128Type>().value(row), *scale);
        }
        DataType::Date32 => display::date(out, array.as_primitive::<Date32Type>().value(row).into()),
        DataType::Binary => {
            let bytes = array.as_binary::<i32>().value(row);
            sequence(out, b"[", b"]", bytes.len(), |out, i| integer(out, i64::from(bytes[i] as i8)));
        }
        DataType::Time32(_) => {
            let ms = i64::from(array.as_primitive::<Time32MillisecondType>().value(row));
            time(out, ms / 1_000, ms % 1_000 * 1_000_000);
        }
        DataType::Timestamp(unit, zone) => timestamp(out, array, row, unit, zone.is_some()),
        DataType::Interval(IntervalUnit::YearMonth) => {
            period(out, array.as_primitive::<IntervalYearMonthType>().value(row));
        }
        DataType::Duration(TimeUnit::Millisecond) => {
            duration(out, array.as_primitive::<DurationMillisecondType>().value(row));
        }
        _ => nested(out, array, row),
    }
}

fn nested(out: &mut Vec<u8>, array: &dyn Array, row: usize) {
    match array.data_type() {
        DataType::List(_) => {
            let items = array.as_list::<i32>().value(row);
            sequence(out, b"[", b"]", items.len(), |out, i| value(out, &items, i));
        }
        DataType::Map(..) => {
            let entries = array.as_map().value(row);
            sequence(out, b"{", b"}", entries.len(), |out, i| {
                value(out, entries.column(0), i);
                out.push(b'=');
                value(out, entries.column(1), i);
            });
        }
        DataType::Struct(_) => {
            let fields = array.as_struct().columns();
            sequence(out, b"+I[", b"]", fields.len(), |out, i| value(out, &fields[i], row));
        }
        other => out.extend_from_slice(format!("<{other}>").as_bytes()),
    }
}

fn integer(out: &mut Vec<u8>, value: i64) {
    out.extend_from_slice(itoa::Buffer::new().format(value).as_bytes());
}

fn timestamp(out: &mut Vec<u8>, array: &dyn Array, row: usize, unit: &TimeUnit, zoned: bool) {
    let (value, units) = match unit {
        TimeUnit::Microsecond => (array.as_primitive::<TimestampMicrosecondType>().value(row), 1_000_000),
        TimeUnit::Nanosecond => (array.as_primitive::<TimestampNanosecondType>().value(row), 1_000_000_000),
        _ => (array.as_primitive::<TimestampMillisecondType>().value(row), 1_000),
    };
    let seconds = value.div_euclid(units);
    let nanos = value.rem_euclid(units) * (1_000_000_000 / units);
    display::date(out, seconds.div_euclid(86_400));
    out.push(b'T');
    if zoned {
        // `Instant` always shows seconds, `LocalDateTime` only when they are not zero.
        display::time_of_day(out, seconds.rem_euclid(86_400));
        grouped_fraction(out, nanos);
        out.push(b'Z');
    } else {
        time(out, seconds.rem_euclid(86_400), nanos);
    }
}

/// `HH:mm`, with seconds and fraction only when they are not zero.
fn time(out: &mut Vec<u8>, seconds: i64, nanos: i64) {
    display::time_of_day(out, seconds);
    if seconds % 60 == 0 && nanos == 0 {
        out.truncate(out.len() - 3);
        return;
    }
    grouped_fraction(out, nanos);
}

/// A fraction of three, six or nine digits.
fn grouped_fraction(out: &mut Vec<u8>, nanos: i64) {
    let digits = match nanos {
        0 => return,
        n if n % 1_000_000 == 0 => 3,
        n if n % 1_000 == 0 => 6,
        _ => 9,
    };
    display::fraction(out, nanos, digits);
}

/// Months as `java.time.Period` shows them: `P1Y2M`.
fn period(out: &mut Vec<u8>, months: i32) {
    let (years, rest) = (months / 12, months % 12);
    let text = match (years, rest) {
        (0, 0) => "P0D".to_string(),
        (0, m) => format!("P{m}M"),
        (y, 0) => format!("P{y}Y"),
        (y, m) => format!("P{y}Y{m}M"),
    };
    out.extend_from_slice(text.as_bytes());
}

/// Milliseconds as `java.time.Duration` shows them: `PT26H3M4.005S`.
fn duration(out: &mut Vec<u8>, ms: i64) {
    if ms == 0 {
        return out.extend_from_slice(b"PT0S");
    }
    let (hours, minutes, rest) = (ms / 3_600_000, ms / 60_000 % 60, ms % 60_000);
    let mut text = String::from("PT");
    if hours != 0 {
        text += &format!("{hours}H");
    }
    if minutes != 0 {
        text += &format!("{minutes}M");
    }
    if rest != 0 {
        let sign = if rest < 0 { "-" } else { "" };
        let (seconds, fraction) = (rest.abs() / 1_000, rest.abs() % 1_000);
        text += &format!("{sign}{seconds}");
        if fraction != 0 {
            text += format!(".{fraction:03}").trim_end_matches('0');
        }
        text.push('S');
    }
    out.extend_from_slice(text.as_bytes());
}
