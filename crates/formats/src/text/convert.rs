//! Writing the text of a value into a column, for formats whose values are plain text.

use super::temporal::{TimestampParser, TimestampStandard};
use super::{decimal, number, temporal};
use crate::column::{Column, Data};
use base64::Engine;

/// Converts text to values; remembers the last date of timestamps.
#[derive(Debug)]
pub(crate) struct Converter {
    timestamps: TimestampParser,
    /// Between the elements of arrays and the fields of rows.
    array_delimiter: String,
}

/// What the text should have been.
pub(crate) type Expected = &'static str;

impl Converter {
    pub(crate) fn new(array_delimiter: String) -> Self {
        Self { timestamps: TimestampParser::default(), array_delimiter }
    }

    /// Writes the value of `text` at `row`; on failure the column is as before.
    #[inline]
    pub(crate) fn write(&mut self, column: &mut Column, text: &[u8], row: usize) -> Result<(), Expected> {
        column.begin(row);
        match &mut column.data {
            Data::Utf8(bytes) => {
                bytes.extend(text);
                column.commit_bytes();
                return Ok(());
            }
            Data::BigInt(v) => v.push(number::integer(text).ok_or("a BIGINT")?),
            Data::Int(v) => v.push(small(text).ok_or("an INT")?),
            Data::Double(v) => v.push(number::double(text).ok_or("a DOUBLE")?),
            Data::Timestamp { values, units_per_second, zoned } => {
                let value = self.timestamp(super::trim(text), *units_per_second, *zoned);
                values.push(value.ok_or(if *zoned {
                    "a timestamp such as '2025-12-31 23:59:59.999Z'"
                } else {
                    "a timestamp such as '2025-12-31 23:59:59.999'"
                })?);
            }
            Data::List { .. } | Data::Map { .. } | Data::Row(_) => return self.nested(column, text, row),
            Data::Binary(_) | Data::Decimal { .. } => return other(column, text, row),
            data => scalar(data, text)?,
        }
        column.commit();
        Ok(())
    }

    /// Both forms are read: there is no option to choose one.
    fn timestamp(&mut self, text: &[u8], units_per_second: i64, zoned: bool) -> Option<i64> {
        let standard = match text.get(10) {
            Some(b'T') => TimestampStandard::Iso8601,
            _ => TimestampStandard::Sql,
        };
        self.timestamps.parse(text, standard, units_per_second, zoned)
    }

    fn nested(&mut self, column: &mut Column, text: &[u8], row: usize) -> Result<(), Expected> {
        let delimiter = self.array_delimiter.clone();
        let mut parts = split(text, delimiter.as_bytes());
        let written = match &mut column.data {
            Data::List { child, .. } => {
                let mut elements = parts.filter(|_| !text.is_empty());
                elements.try_for_each(|part| {
                    let at = child.len();
                    self.write(child, part, at)
                })
            }
            Data::Row(fields) => fields.iter_mut().try_for_each(|field| {
                let part = parts.next().ok_or("a row with all its fields")?;
                self.write(field, part, row)
            }),
            _ => Err("a type that has a text form"),
        };
        if let Err(expected) = written {
            column.truncate(row);
            return Err(expected);
        }
        match column.data {
            Data::List { .. } => column.commit_list(),
            _ => column.commit(),
        }
        Ok(())
    }
}

fn small<T: TryFrom<i64>>(text: &[u8]) -> Option<T> {
    T::try_from(number::integer(text)?).ok()
}

fn scalar(data: &mut Data, text: &[u8]) -> Result<(), Expected> {
    match data {
        Data::Boolean(v) => v.push(number::boolean(text)),
        Data::TinyInt(v) => v.push(small(text).ok_or("a TINYINT")?),
        Data::SmallInt(v) => v.push(small(text).ok_or("a SMALLINT")?),
        Data::Float(v) => v.push(number::float(text).ok_or("a FLOAT")?),
        Data::Date(v) => v.push(temporal::date(super::trim(text)).ok_or("a date such as '2025-12-31'")?),
        Data::Time { values, precision } => {
            let value = temporal::time_ms(super::trim(text), *precision);
            values.push(value.ok_or("a time such as '23:59:59'")?);
        }
        Data::YearMonth(v) => v.push(small(text).ok_or("a number of months")?),
        Data::DayTime(v) => v.push(number::integer(text).ok_or("a number of milliseconds")?),
        _ => return Err("a type that has a text form"),
    }
    Ok(())
}

fn other(column: &mut Column, text: &[u8], row: usize) -> Result<(), Expected> {
    match &mut column.data {
        Data::Binary(bytes) => {
            let decoded = base64::engine::general_purpose::STANDARD.decode(super::trim(text));
            bytes.extend(&decoded.map_err(|_| "a text in base64")?);
            column.commit_bytes();
        }
        // Unlike other numbers, decimals may not have spaces around them.
        Data::Decimal { .. } if super::trim(text).len() != text.len() => return Err("a DECIMAL"),
        Data::Decimal { values, precision, scale } => match decimal::parse(text, *precision, *scale) {
            decimal::Parsed::Value(value) => {
                values.push(value);
                column.commit();
            }
            decimal::Parsed::Overflow => column.set_null(row),
            decimal::Parsed::Malformed => return Err("a DECIMAL"),
        },
        _ => return Err("a type that has a text form"),
    }
    Ok(())
}

/// The parts of a text; never empty.
fn split<'a>(text: &'a [u8], delimiter: &'a [u8]) -> impl Iterator<Item = &'a [u8]> {
    let mut rest = Some(text);
    std::iter::from_fn(move || {
        let text = rest?;
        match memchr::memmem::find(text, delimiter).filter(|_| !delimiter.is_empty()) {
            Some(at) => {
                rest = Some(&text[at + delimiter.len()..]);
                Some(&text[..at])
            }
            None => {
                rest = None;
                Some(text)
            }
        }
    })
}
