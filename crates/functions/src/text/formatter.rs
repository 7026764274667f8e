//! Columns of any type as text.

use super::{
    push_binary, push_date, push_decimal, push_double, push_float, push_integer, push_interval_day_time,
    push_interval_year_month, push_time, push_timestamp,
};
use crate::kernel::downcast;
use crate::temporal::stamps::Stamps;
use crate::zone::Zone;
use arrow::array::*;
use arrow::datatypes::ArrowPrimitiveType;
use chrono_tz::Tz;
use headwater_types::{Error, LogicalType, Result, RowField, TypeRoot};

type Push<'a> = Box<dyn Fn(&mut String, usize) + 'a>;

/// How values are written where there is a choice.
#[derive(Debug, Clone, Copy)]
struct Style {
    zone: Tz,
    /// Binary values in hexadecimal, as people are shown them, rather than as the text they encode.
    hexadecimal: bool,
}

/// Writes the values of one column. Made once per column, called per row.
pub struct Formatter<'a> {
    array: &'a dyn Array,
    push: Push<'a>,
}

impl<'a> Formatter<'a> {
    /// A formatter for showing `array`, whose logical type is `ty`. TIMESTAMP_LTZ is shown in `zone`, binary values
    /// as `x'0a'`.
    pub fn new(array: &'a dyn Array, ty: &LogicalType, zone: Tz) -> Result<Self> {
        Self::styled(array, ty, Style { zone, hexadecimal: true })
    }

    /// A formatter that writes what `CAST(… AS STRING)` gives: binary values are the UTF-8 text they hold.
    pub fn for_cast(array: &'a dyn Array, ty: &LogicalType, zone: Tz) -> Result<Self> {
        Self::styled(array, ty, Style { zone, hexadecimal: false })
    }

    fn styled(array: &'a dyn Array, ty: &LogicalType, style: Style) -> Result<Self> {
        Ok(Self { array, push: pusher(array, ty, style)? })
    }

    /// Appends the value of `row`, or `NULL`.
    #[inline]
    pub fn push(&self, out: &mut String, row: usize) {
        if self.array.is_null(row) { out.push_str("NULL") } else { (self.push)(out, row) }
    }
}

/// The value of one row as text. For whole columns use a [`Formatter`].
pub fn display(array: &dyn Array, ty: &LogicalType, row: usize, zone: Tz) -> String {
    let mut out = String::new();
    match Formatter::new(array, ty, zone) {
        Ok(formatter) => formatter.push(&mut out, row),
        Err(error) => out = error.to_string(),
    }
    out
}

fn pusher<'a>(array: &'a dyn Array, ty: &LogicalType, style: Style) -> Result<Push<'a>> {
    use TypeRoot as T;
    match &ty.root {
        T::Char(_) | T::VarChar(_) | T::Variant => {
            let array = downcast::<StringArray>(array)?;
            Ok(Box::new(move |out, row| out.push_str(array.value(row))))
        }
        T::Boolean => {
            let array = downcast::<BooleanArray>(array)?;
            Ok(Box::new(move |out, row| out.push_str(if array.value(row) { "TRUE" } else { "FALSE" })))
        }
        T::Binary(_) | T::VarBinary(_) => {
            let array = downcast::<BinaryArray>(array)?;
            if style.hexadecimal {
                return Ok(Box::new(move |out, row| push_binary(out, array.value(row))));
            }
            Ok(Box::new(move |out, row| out.push_str(&String::from_utf8_lossy(array.value(row)))))
        }
        T::Bitmap => {
            let array = downcast::<BinaryArray>(array)?;
            Ok(Box::new(move |out, row| crate::bitmap::push_text(out, array.value(row))))
        }
        T::Array(element) => list(array, element, style),
        T::Map(key, value) => map(array, key, value, style),
        T::Multiset(element) => map(array, element, &T::Int.into(), style),
        T::Row(fields) => row(array, fields, style),
        T::Null => Ok(Box::new(|out, _| out.push_str("NULL"))),
        _ if ty.is_numeric() => number(array, ty),
        _ => temporal(array, ty, style.zone),
    }
}

fn number<'a>(array: &'a dyn Array, ty: &LogicalType) -> Result<Push<'a>> {
    match ty.root {
        TypeRoot::TinyInt => primitive::<arrow::datatypes::Int8Type>(array, push_integer),
        TypeRoot::SmallInt => primitive::<arrow::datatypes::Int16Type>(array, push_integer),
        TypeRoot::Int => primitive::<arrow::datatypes::Int32Type>(array, push_integer),
        TypeRoot::BigInt => primitive::<arrow::datatypes::Int64Type>(array, push_integer),
        TypeRoot::Float => primitive::<arrow::datatypes::Float32Type>(array, push_float),
        TypeRoot::Double => primitive::<arrow::datatypes::Float64Type>(array, push_double),
        TypeRoot::Decimal(_, scale) => {
            primitive::<arrow::datatypes::Decimal128Type>(array, move |out, v| push_decimal(out, v, scale))
        }
        _ => Err(Error::internal(format!("{ty} is not a number"))),
    }
}

fn temporal<'a>(array: &'a dyn Array, ty: &LogicalType, zone: Tz) -> Result<Push<'a>> {
    use arrow::datatypes::{Date32Type, DurationMillisecondType, IntervalYearMonthType, Time32MillisecondType};
    match ty.root {
        TypeRoot::Date => primitive::<Date32Type>(array, |out, v| push_date(out, v.into())),
        TypeRoot::Time(p) => primitive::<Time32MillisecondType>(array, move |out, v| push_time(out, v.into(), p)),
        TypeRoot::IntervalYearMonth => primitive::<IntervalYearMonthType>(array, push_interval_year_month),
        TypeRoot::IntervalDayTime => primitive::<DurationMillisecondType>(array, push_interval_day_time),
        TypeRoot::Timestamp(p, _) => timestamps(array, p, Zone::utc()),
        TypeRoot::TimestampLtz(p, _) => timestamps(array, p, Zone::new(zone)),
        _ => Err(Error::internal(format!("{ty} has no text form"))),
    }
}

fn timestamps<'a>(array: &'a dyn Array, precision: u8, zone: Zone) -> Result<Push<'a>> {
    let stamps = Stamps::of(array)?;
    Ok(Box::new(move |out, row| {
        let (seconds, nanos) = stamps.seconds_nanos(row);
        push_timestamp(out, zone.to_local(seconds), nanos, precision);
    }))
}

fn primitive<'a, T: ArrowPrimitiveType>(
    array: &'a dyn Array,
    push: impl Fn(&mut String, T::Native) + 'a,
) -> Result<Push<'a>> {
    let array = downcast::<PrimitiveArray<T>>(array)?;
    Ok(Box::new(move |out, row| push(out, array.value(row))))
}

fn list<'a>(array: &'a dyn Array, element: &LogicalType, style: Style) -> Result<Push<'a>> {
    let array = downcast::<ListArray>(array)?;
    let elements = Formatter::styled(array.values(), element, style)?;
    Ok(Box::new(move |out, row| {
        let offsets = array.value_offsets();
        let range = offsets[row] as usize..offsets[row + 1] as usize;
        push_all(out, ['[', ']'], range, |out, i| elements.push(out, i));
    }))
}

fn map<'a>(array: &'a dyn Array, key: &LogicalType, value: &LogicalType, style: Style) -> Result<Push<'a>> {
    let array = downcast::<MapArray>(array)?;
    let keys = Formatter::styled(array.keys(), key, style)?;
    let values = Formatter::styled(array.values(), value, style)?;
    Ok(Box::new(move |out, row| {
        let offsets = array.value_offsets();
        let range = offsets[row] as usize..offsets[row + 1] as usize;
        push_all(out, ['{', '}'], range, |out, i| {
            keys.push(out, i);
            out.push('=');
            values.push(out, i);
        });
    }))
}

fn row<'a>(array: &'a dyn Array, fields: &[RowField], style: Style) -> Result<Push<'a>> {
    let array = downcast::<StructArray>(array)?;
    let columns = array.columns().iter().zip(fields);
    let columns =
        columns.map(|(column, field)| Formatter::styled(column, &field.ty, style)).collect::<Result<Vec<_>>>()?;
    Ok(Box::new(move |out, row| push_all(out, ['(', ')'], 0..columns.len(), |out, i| columns[i].push(out, row))))
}

fn push_all(
    out: &mut String,
    [open, close]: [char; 2],
    items: std::ops::Range<usize>,
    push: impl Fn(&mut String, usize),
) {
    out.push(open);
    for (position, item) in items.enumerate() {
        if position > 0 {
            out.push_str(", ");
        }
        push(out, item);
    }
    out.push(close);
}
