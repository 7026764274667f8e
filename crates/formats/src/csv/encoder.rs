//! The encoder of CSV.
//!
//! Fields are quoted as Jackson quotes them for Flink: when they are long or hold a character up to the highest of
//! delimiter, quote and line ends. That quotes more than it must, and readers compare files.

use super::options::CsvOptions;
use crate::cells::{Cells, Kind, range};
use crate::decoder::RowEncoder;
use crate::text::display;
use crate::text::temporal::TimestampStandard;
use base64::Engine;
use headwater_data::ChangeBatch;
use headwater_types::{Error, LogicalType, Result, TypeRoot};

/// Characters above which a text is quoted without being looked at.
const UNQUOTED_CHARACTERS_MAX: usize = 24;

/// Encodes rows as CSV records. Row kinds are not written.
pub struct CsvEncoder {
    options: CsvOptions,
}

impl CsvEncoder {
    /// An encoder of the columns; an error when one of them has no CSV form.
    pub fn new(columns: &[(String, LogicalType)], options: CsvOptions) -> Result<Self> {
        let has_form = |ty: &LogicalType| !matches!(ty.root, TypeRoot::Map(..) | TypeRoot::Multiset(_));
        if let Some((name, ty)) = columns.iter().find(|(_, ty)| !has_form(ty)) {
            return Err(Error::user(
                "bad-type",
                format!("the csv format cannot write the column '{name}' of type {ty}"),
            ));
        }
        Ok(Self { options })
    }

    fn field(&self, out: &mut Vec<u8>, cells: &Cells<'_>, row: usize) {
        if cells.is_null(row) {
            return out.extend_from_slice(self.null_literal());
        }
        match &cells.kind {
            Kind::TinyInt(v) => integer(out, v[row].into()),
            Kind::SmallInt(v) => integer(out, v[row].into()),
            Kind::Int(v) => integer(out, v[row].into()),
            Kind::BigInt(v) => integer(out, v[row]),
            Kind::Float(_) | Kind::Double(_) | Kind::Decimal(..) | Kind::Boolean(_) => self.text(out, cells, row),
            Kind::Utf8(array) => self.quoted(out, array.value(row).as_bytes()),
            _ => {
                let mut text = vec![];
                self.text(&mut text, cells, row);
                self.quoted(out, &text);
            }
        }
    }

    fn null_literal(&self) -> &[u8] {
        self.options.null_literal.as_deref().unwrap_or("").as_bytes()
    }

    /// The text of a value without quotes.
    fn text(&self, out: &mut Vec<u8>, cells: &Cells<'_>, row: usize) {
        if cells.is_null(row) {
            return out.extend_from_slice(self.null_literal());
        }
        match &cells.kind {
            Kind::Null => {}
            Kind::Boolean(array) => out.extend_from_slice(if array.value(row) { b"true" } else { b"false" }),
            Kind::Utf8(array) => out.extend_from_slice(array.value(row).as_bytes()),
            Kind::TinyInt(v) => integer(out, v[row].into()),
            Kind::SmallInt(v) => integer(out, v[row].into()),
            Kind::Int(v) => integer(out, v[row].into()),
            Kind::BigInt(v) => integer(out, v[row]),
            Kind::Float(v) => display::float(out, v[row]),
            Kind::Double(v) => display::double(out, v[row]),
            Kind::Decimal(array, scale) if self.options.scientific_decimals => {
                display::decimal_short(out, array.value(row), *scale);
            }
            Kind::Decimal(array, scale) => display::decimal(out, array.value(row), *scale),
            Kind::Date(v) => display::date(out, v[row].into()),
            Kind::Time(v) => display::time(out, v[row]),
            Kind::Timestamp { values, units_per_second, zoned } => {
                display::timestamp(out, values[row], *units_per_second, TimestampStandard::Sql, 0, *zoned);
            }
            Kind::Binary(array) => {
                out.extend_from_slice(base64::engine::general_purpose::STANDARD.encode(array.value(row)).as_bytes());
            }
            Kind::List(array, elements) => {
                self.joined(out, range(array.offsets(), row).map(|e| (elements.as_ref(), e)))
            }
            Kind::Row(fields) => self.joined(out, fields.iter().map(|(_, cells)| (cells, row))),
            // `new` refuses maps at the top; a nested one has no form either.
            Kind::Map(..) => {}
        }
    }

    fn joined<'a, 'c: 'a>(&self, out: &mut Vec<u8>, parts: impl Iterator<Item = (&'a Cells<'c>, usize)>) {
        for (i, (cells, row)) in parts.enumerate() {
            if i > 0 {
                out.extend_from_slice(self.options.array_delimiter.as_bytes());
            }
            self.text(out, cells, row);
        }
    }

    fn quoted(&self, out: &mut Vec<u8>, text: &[u8]) {
        let quote = self.options.quote.filter(|q| self.needs_quotes(text, *q));
        let Some(quote) = quote else {
            return self.escaped(out, text, self.options.escape.filter(|_| self.options.quote.is_none()));
        };
        out.push(quote);
        for byte in text {
            // The escape character protects itself; quotes are doubled even with one.
            if *byte == quote || Some(*byte) == self.options.escape {
                out.push(*byte);
            }
            out.push(*byte);
        }
        out.push(quote);
    }

    fn needs_quotes(&self, text: &[u8], quote: u8) -> bool {
        let highest = self.options.delimiter.max(quote).max(b'\r');
        text.len() > UNQUOTED_CHARACTERS_MAX && characters(text) > UNQUOTED_CHARACTERS_MAX
            || text.iter().any(|b| *b <= highest || Some(*b) == self.options.escape)
    }

    fn escaped(&self, out: &mut Vec<u8>, text: &[u8], escape: Option<u8>) {
        let Some(escape) = escape else { return out.extend_from_slice(text) };
        for byte in text {
            if matches!(*byte, b'\n' | b'\r') || *byte == self.options.delimiter || *byte == escape {
                out.push(escape);
            }
            out.push(*byte);
        }
    }
}

fn characters(text: &[u8]) -> usize {
    text.iter().filter(|b| (**b as i8) >= -0x40).count()
}

fn integer(out: &mut Vec<u8>, value: i64) {
    out.extend_from_slice(itoa::Buffer::new().format(value).as_bytes());
}

impl RowEncoder for CsvEncoder {
    fn encode(&mut self, batch: &ChangeBatch, out: &mut Vec<u8>) -> Result<()> {
        let columns = batch.rows().columns().iter().map(|c| Cells::new(c)).collect::<Result<Vec<_>>>()?;
        for row in 0..batch.num_rows() {
            for (i, cells) in columns.iter().enumerate() {
                if i > 0 {
                    out.push(self.options.delimiter);
                }
                self.field(out, cells, row);
            }
            out.push(b'\n');
        }
        Ok(())
    }
}
