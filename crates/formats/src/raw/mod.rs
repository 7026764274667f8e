//! `raw`: the bytes of a record as one column.
//!
//! On a filesystem a record is a line. Texts are decoded from the charset; numbers are the bytes of their Java
//! form in the given byte order.

#[cfg(test)]
mod tests;

use crate::cells::{Cells, Kind};
use crate::column::{Column, Data};
use crate::decoder::{
    BadRecord, Decoded, Messages, OnBadRecord, Progress, ReadSchema, RowDecoder, RowEncoder, batch_error,
};
use headwater_connector_api::options::bad_option;
use headwater_connector_api::{OptionSpec, Options};
use headwater_data::{ChangeBatch, RowKinds};
use headwater_types::{Error, LogicalType, Result, TypeRoot};

/// The options the format understands.
pub const OPTIONS: &[OptionSpec] = &[
    OptionSpec::with_default("raw.charset", "UTF-8", "Charset of texts: UTF-8, US-ASCII or ISO-8859-1."),
    OptionSpec::with_default("raw.endianness", "big-endian", "Order of the bytes of numbers: big- or little-endian."),
];

#[derive(Debug, Clone, Copy, PartialEq)]
enum Charset {
    Utf8,
    Ascii,
    Latin1,
}

/// How raw bytes are read and written.
#[derive(Debug, Clone, Copy)]
pub struct RawOptions {
    charset: Charset,
    big_endian: bool,
}

/// Reads the options.
pub fn raw_options(options: Options<'_>) -> Result<RawOptions> {
    let name = "raw.charset";
    let charsets = [
        ("UTF-8", Charset::Utf8),
        ("UTF8", Charset::Utf8),
        ("US-ASCII", Charset::Ascii),
        ("ISO-8859-1", Charset::Latin1),
    ];
    let orders = [("big-endian", true), ("little-endian", false)];
    Ok(RawOptions {
        charset: options.choice(name, Charset::Utf8, &charsets)?,
        big_endian: options.choice("raw.endianness", true, &orders)?,
    })
}

/// Checks that the columns are one of a type with a raw form.
fn check(columns: &[(String, LogicalType)]) -> Result<()> {
    let [(name, ty)] = columns else {
        let message =
            format!("the raw format reads and writes exactly one physical column, the table has {}", columns.len());
        return Err(Error::user("bad-schema", message));
    };
    let known = ty.is_character() || ty.is_binary() || ty.is_integer() || ty.is_float();
    if known || ty.root == TypeRoot::Boolean {
        return Ok(());
    }
    Err(bad_option("format", "raw", &format!("another format for the column '{name}' of type {ty}")))
}

/// Decodes each line into one column.
pub struct RawDecoder {
    options: RawOptions,
    /// The column, when it is wanted.
    column: Option<Column>,
    rows: usize,
}

impl RawDecoder {
    /// A decoder of records with the schema's one field.
    pub fn new(schema: ReadSchema<'_>, options: RawOptions) -> Result<Self> {
        check(schema.columns)?;
        Ok(Self { options, column: schema.wanted.first().map(|(_, ty)| Column::new(ty)), rows: 0 })
    }

    fn write(&mut self, record: &[u8]) -> Result<(), (usize, String)> {
        let Some(column) = &mut self.column else { return Ok(()) };
        column.begin(self.rows);
        match &mut column.data {
            Data::Utf8(bytes) => {
                text(self.options.charset, record, bytes.buffer())?;
                column.commit_bytes();
                return Ok(());
            }
            Data::Binary(bytes) => {
                bytes.extend(record);
                column.commit_bytes();
                return Ok(());
            }
            data => number(data, record, self.options.big_endian).ok_or_else(|| wrong_size(record.len()))?,
        }
        column.commit();
        Ok(())
    }
}

fn wrong_size(bytes: usize) -> (usize, String) {
    (0, format!("a record of {bytes} bytes does not hold one value of the column's type"))
}

fn text(charset: Charset, record: &[u8], out: &mut Vec<u8>) -> Result<(), (usize, String)> {
    match charset {
        Charset::Utf8 => {
            let valid = simdutf8::compat::from_utf8(record);
            valid.map_err(|e| (e.valid_up_to(), "the record is not UTF-8".to_string()))?;
            out.extend_from_slice(record);
        }
        Charset::Ascii => {
            if let Some(at) = record.iter().position(|b| !b.is_ascii()) {
                return Err((at, "the record is not US-ASCII".to_string()));
            }
            out.extend_from_slice(record);
        }
        Charset::Latin1 => {
            for byte in record {
                out.extend_from_slice((*byte as char).encode_utf8(&mut [0; 2]).as_bytes());
            }
        }
    }
    Ok(())
}

/// Pushes the number; `None` when the bytes are not as many as it has.
fn number(data: &mut Data, record: &[u8], big_endian: bool) -> Option<()> {
    macro_rules! from_bytes {
        ($ty:ty) => {{
            let bytes = record.try_into().ok()?;
            if big_endian { <$ty>::from_be_bytes(bytes) } else { <$ty>::from_le_bytes(bytes) }
        }};
    }
    match data {
        Data::Boolean(v) => v.push(from_bytes!(i8) != 0),
        Data::TinyInt(v) => v.push(from_bytes!(i8)),
        Data::SmallInt(v) => v.push(from_bytes!(i16)),
        Data::Int(v) => v.push(from_bytes!(i32)),
        Data::BigInt(v) => v.push(from_bytes!(i64)),
        Data::Float(v) => v.push(from_bytes!(f32)),
        Data::Double(v) => v.push(from_bytes!(f64)),
        _ => return None,
    }
    Some(())
}

impl RowDecoder for RawDecoder {
    fn decode(&mut self, input: &[u8], at_end: bool, rows_max: usize, bad: OnBadRecord<'_>) -> Result<Progress> {
        let mut progress = Progress::default();
        while progress.consumed < input.len() && self.rows < rows_max {
            let start = progress.consumed;
            let (end, next) = match memchr::memchr(b'\n', &input[start..]) {
                Some(at) => (start + at, start + at + 1),
                None if at_end => (input.len(), input.len()),
                None => break,
            };
            let raw = &input[start..end];
            let raw = raw.strip_suffix(b"\r").unwrap_or(raw);
            match self.write(raw) {
                Ok(()) => self.rows += 1,
                Err((position, reason)) => {
                    self.column.iter_mut().for_each(|c| c.truncate(self.rows));
                    bad(BadRecord { raw, start, line: progress.lines, position, reason, ignored: false })?;
                }
            }
            progress = Progress { consumed: next, lines: progress.lines + 1 };
        }
        Ok(progress)
    }

    fn decode_message(&mut self, message: &[u8], bad: OnBadRecord<'_>) -> Result<()> {
        match self.write(message) {
            Ok(()) => self.rows += 1,
            Err((position, reason)) => {
                self.column.iter_mut().for_each(|c| c.truncate(self.rows));
                bad(BadRecord { raw: message, start: 0, line: 0, position, reason, ignored: false })?;
            }
        }
        Ok(())
    }

    fn rows(&self) -> usize {
        self.rows
    }

    fn finish(&mut self) -> Result<Decoded> {
        let rows = std::mem::take(&mut self.rows);
        let arrays = self.column.iter_mut().map(|c| c.finish(rows)).collect::<Result<_, _>>().map_err(batch_error)?;
        Ok(Decoded { arrays, rows, kinds: RowKinds::Append })
    }

    fn reset(&mut self) {}
}

/// Encodes one column, a line a row.
pub struct RawEncoder {
    options: RawOptions,
}

impl RawEncoder {
    /// An encoder; an error unless there is one column with a raw form.
    pub fn new(columns: &[(String, LogicalType)], options: RawOptions) -> Result<Self> {
        check(columns)?;
        Ok(Self { options })
    }
}

impl RowEncoder for RawEncoder {
    fn encode(&mut self, batch: &ChangeBatch, out: &mut Vec<u8>) -> Result<()> {
        let Some(column) = batch.rows().columns().first() else { return Ok(()) };
        let cells = Cells::new(column)?;
        for row in (0..batch.num_rows()).filter(|row| !cells.is_null(*row)) {
            value(out, &cells.kind, row, self.options)?;
            out.push(b'\n');
        }
        Ok(())
    }

    fn encode_messages(&mut self, batch: &ChangeBatch, out: &mut Messages) -> Result<()> {
        let Some(column) = batch.rows().columns().first() else { return Ok(()) };
        let cells = Cells::new(column)?;
        for row in 0..batch.num_rows() {
            if cells.is_null(row) {
                out.push_absent();
                continue;
            }
            value(out.buffer(), &cells.kind, row, self.options)?;
            out.end_message();
        }
        Ok(())
    }
}

fn value(out: &mut Vec<u8>, kind: &Kind<'_>, row: usize, options: RawOptions) -> Result<()> {
    macro_rules! bytes {
        ($value:expr) => {
            out.extend_from_slice(&if options.big_endian { $value.to_be_bytes() } else { $value.to_le_bytes() })
        };
    }
    match kind {
        Kind::Utf8(array) => {
            let text = array.value(row);
            match options.charset {
                Charset::Utf8 => out.extend_from_slice(text.as_bytes()),
                // As Java encodes: what the charset lacks becomes a question mark.
                Charset::Ascii => out.extend(text.chars().map(|c| if c.is_ascii() { c as u8 } else { b'?' })),
                Charset::Latin1 => out.extend(text.chars().map(|c| u8::try_from(c).unwrap_or(b'?'))),
            }
        }
        Kind::Binary(array) => out.extend_from_slice(array.value(row)),
        Kind::Boolean(array) => out.push(array.value(row).into()),
        Kind::TinyInt(v) => bytes!(v[row]),
        Kind::SmallInt(v) => bytes!(v[row]),
        Kind::Int(v) => bytes!(v[row]),
        Kind::BigInt(v) => bytes!(v[row]),
        Kind::Float(v) => bytes!(v[row]),
        Kind::Double(v) => bytes!(v[row]),
        _ => return Err(Error::internal("the raw format was given a column of a type it does not write")),
    }
    Ok(())
}
