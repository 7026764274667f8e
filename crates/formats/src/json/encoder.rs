//! The encoder of JSON lines.

use super::options::{EncodeOptions, NullKey};
use super::text::quote;
use crate::cells::{Cells, Kind, range};
use crate::decoder::{Messages, RowEncoder};
use crate::text::display;
use base64::Engine;
use headwater_data::ChangeBatch;
use headwater_types::{Error, Result};

/// Encodes rows as one JSON object a line. Row kinds are not written.
pub struct JsonEncoder {
    options: EncodeOptions,
    names: Vec<String>,
}

impl JsonEncoder {
    /// An encoder of columns with these names.
    pub fn new(names: impl IntoIterator<Item = String>, options: EncodeOptions) -> Self {
        Self { options, names: names.into_iter().collect() }
    }

    /// The cells of a batch, with the names they are written under.
    pub(crate) fn row_cells<'a>(&'a self, batch: &'a ChangeBatch) -> Result<Vec<(&'a str, Cells<'a>)>> {
        let columns = self.names.iter().zip(batch.rows().columns());
        columns.map(|(name, column)| Ok((name.as_str(), Cells::new(column)?))).collect()
    }

    /// Appends one row as an object.
    pub(crate) fn object(&self, out: &mut Vec<u8>, fields: &[(&str, Cells<'_>)], row: usize) -> Result<()> {
        out.push(b'{');
        let mut first = true;
        for (name, cells) in fields {
            if self.options.ignore_null_fields && cells.is_null(row) {
                continue;
            }
            if !std::mem::take(&mut first) {
                out.push(b',');
            }
            quote(name.as_bytes(), out);
            out.push(b':');
            self.value(out, cells, row)?;
        }
        out.push(b'}');
        Ok(())
    }

    fn value(&self, out: &mut Vec<u8>, cells: &Cells<'_>, row: usize) -> Result<()> {
        if cells.is_null(row) {
            out.extend_from_slice(b"null");
            return Ok(());
        }
        match &cells.kind {
            Kind::List(array, elements) => {
                out.push(b'[');
                for (i, element) in range(array.offsets(), row).enumerate() {
                    if i > 0 {
                        out.push(b',');
                    }
                    self.value(out, elements, element)?;
                }
                out.push(b']');
                Ok(())
            }
            Kind::Map(array, keys, values) => self.map(out, range(array.offsets(), row), keys, values),
            Kind::Row(fields) => self.object(out, fields, row),
            kind => {
                self.scalar(out, kind, row);
                Ok(())
            }
        }
    }

    fn map(
        &self,
        out: &mut Vec<u8>,
        entries: std::ops::Range<usize>,
        keys: &Cells<'_>,
        values: &Cells<'_>,
    ) -> Result<()> {
        out.push(b'{');
        let mut first = true;
        for entry in entries {
            let mut key = vec![];
            match (keys.is_null(entry), &self.options.null_key) {
                (false, _) => self.scalar(&mut key, &keys.kind, entry),
                (true, NullKey::Drop) => continue,
                (true, NullKey::Literal(literal)) => quote(literal.as_bytes(), &mut key),
                (true, NullKey::Fail) => return Err(null_key()),
            }
            if !std::mem::take(&mut first) {
                out.push(b',');
            }
            if key.first() == Some(&b'"') {
                out.extend_from_slice(&key);
            } else {
                quote(&key, out);
            }
            out.push(b':');
            self.value(out, values, entry)?;
        }
        out.push(b'}');
        Ok(())
    }

    fn scalar(&self, out: &mut Vec<u8>, kind: &Kind<'_>, row: usize) {
        let standard = self.options.timestamp_standard;
        match kind {
            Kind::Utf8(array) => quote(array.value(row).as_bytes(), out),
            Kind::Boolean(array) => out.extend_from_slice(if array.value(row) { b"true" } else { b"false" }),
            Kind::TinyInt(v) => integer(out, v[row].into()),
            Kind::SmallInt(v) => integer(out, v[row].into()),
            Kind::Int(v) => integer(out, v[row].into()),
            Kind::BigInt(v) => integer(out, v[row]),
            Kind::Float(v) => number(out, v[row].is_finite(), |out| display::float(out, v[row])),
            Kind::Double(v) => number(out, v[row].is_finite(), |out| display::double(out, v[row])),
            Kind::Decimal(array, scale) if self.options.decimal_as_plain_number => {
                display::decimal(out, array.value(row), *scale);
            }
            Kind::Decimal(array, scale) => display::decimal_short(out, array.value(row), *scale),
            Kind::Binary(array) => {
                let text = base64::engine::general_purpose::STANDARD.encode(array.value(row));
                quote(text.as_bytes(), out);
            }
            Kind::Date(v) => number(out, false, |out| display::date(out, v[row].into())),
            Kind::Time(v) => number(out, false, |out| display::time(out, v[row])),
            Kind::Timestamp { values, units_per_second, zoned } => number(out, false, |out| {
                display::timestamp(out, values[row], *units_per_second, standard, 0, *zoned);
            }),
            Kind::Null | Kind::List(..) | Kind::Map(..) | Kind::Row(_) => out.extend_from_slice(b"null"),
        }
    }
}

fn integer(out: &mut Vec<u8>, value: i64) {
    out.extend_from_slice(itoa::Buffer::new().format(value).as_bytes());
}

/// Writes a text that needs no escapes, in quotes unless it is a number.
fn number(out: &mut Vec<u8>, is_number: bool, write: impl FnOnce(&mut Vec<u8>)) {
    if is_number {
        return write(out);
    }
    out.push(b'"');
    write(out);
    out.push(b'"');
}

fn null_key() -> Error {
    let message =
        "JSON has no NULL keys, but a MAP to write has one; set 'json.map-null-key.mode' to 'DROP' or 'LITERAL'";
    Error::user("null-map-key", message)
}

impl RowEncoder for JsonEncoder {
    fn encode(&mut self, batch: &ChangeBatch, out: &mut Vec<u8>) -> Result<()> {
        let fields = self.row_cells(batch)?;
        for row in 0..batch.num_rows() {
            self.object(out, &fields, row)?;
            out.push(b'\n');
        }
        Ok(())
    }

    fn encode_messages(&mut self, batch: &ChangeBatch, out: &mut Messages) -> Result<()> {
        let fields = self.row_cells(batch)?;
        for row in 0..batch.num_rows() {
            self.object(out.buffer(), &fields, row)?;
            out.end_message();
        }
        Ok(())
    }
}
