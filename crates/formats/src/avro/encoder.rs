//! From columns to Avro records.

use super::{AvroOptions, schema};
use crate::cells::{Cells, Kind, range};
use crate::decoder::{Messages, RowEncoder};
use headwater_data::ChangeBatch;
use headwater_types::{Error, LogicalType, Result, RowField, TypeRoot};

/// Encodes rows as records of the table's schema.
pub struct AvroEncoder {
    columns: Vec<(String, LogicalType)>,
    /// What stands in front of every record.
    prefix: Vec<u8>,
}

impl AvroEncoder {
    /// An encoder; an error when a column has no type in Avro.
    pub fn new(columns: &[(String, LogicalType)], options: AvroOptions) -> Result<Self> {
        schema::record(columns, options)?;
        Ok(Self { columns: columns.to_vec(), prefix: vec![] })
    }

    /// Puts bytes in front of every record.
    pub(super) fn set_prefix(&mut self, prefix: Vec<u8>) {
        self.prefix = prefix;
    }
}

impl RowEncoder for AvroEncoder {
    fn encode(&mut self, _batch: &ChangeBatch, _out: &mut Vec<u8>) -> Result<()> {
        Err(super::decoder::messages_only())
    }

    fn encode_messages(&mut self, batch: &ChangeBatch, out: &mut Messages) -> Result<()> {
        let cells = batch.rows().columns().iter().map(|column| Cells::new(column)).collect::<Result<Vec<_>>>()?;
        for row in 0..batch.num_rows() {
            out.buffer().extend_from_slice(&self.prefix);
            for (cells, (name, ty)) in cells.iter().zip(&self.columns) {
                value(out.buffer(), cells, ty, row).map_err(|e| e.context(format!("column '{name}'")))?;
            }
            out.end_message();
        }
        Ok(())
    }
}

/// A zigzag varint.
fn long(out: &mut Vec<u8>, value: i64) {
    let mut rest = (value << 1 ^ value >> 63) as u64;
    while rest >= 0x80 {
        out.push(rest as u8 | 0x80);
        rest >>= 7;
    }
    out.push(rest as u8);
}

fn bytes(out: &mut Vec<u8>, bytes: &[u8]) {
    long(out, bytes.len() as i64);
    out.extend_from_slice(bytes);
}

fn value(out: &mut Vec<u8>, cells: &Cells<'_>, ty: &LogicalType, row: usize) -> Result<()> {
    let is_null = cells.is_null(row);
    if ty.nullable {
        // The alternative of the union: null is the first.
        long(out, i64::from(!is_null));
    }
    match (is_null, ty.nullable) {
        (true, true) => Ok(()),
        (true, false) => Err(Error::user("null-value", format!("NULL cannot be written as {ty} in Avro"))),
        (false, _) => present(out, cells, ty, row),
    }
}

fn present(out: &mut Vec<u8>, cells: &Cells<'_>, ty: &LogicalType, row: usize) -> Result<()> {
    match (&cells.kind, &ty.root) {
        (Kind::Boolean(array), _) => out.push(array.value(row).into()),
        (Kind::Utf8(array), _) => bytes(out, array.value(row).as_bytes()),
        (Kind::Binary(array), _) => bytes(out, array.value(row)),
        (Kind::TinyInt(values), _) => long(out, values[row].into()),
        (Kind::SmallInt(values), _) => long(out, values[row].into()),
        (Kind::Int(values) | Kind::Date(values) | Kind::Time(values), _) => long(out, values[row].into()),
        (Kind::BigInt(values), _) => long(out, values[row]),
        (Kind::Float(values), _) => out.extend_from_slice(&values[row].to_le_bytes()),
        (Kind::Double(values), _) => out.extend_from_slice(&values[row].to_le_bytes()),
        (Kind::Decimal(array, _), _) => decimal(out, array.value(row)),
        (Kind::Timestamp { values, .. }, _) => long(out, values[row]),
        (Kind::List(list, elements), TypeRoot::Array(element)) => {
            let items = range(list.value_offsets(), row);
            block(out, items.len());
            for at in items.clone() {
                value(out, elements, element, at)?;
            }
            end(out, items.len());
        }
        (Kind::Map(map, keys, values), TypeRoot::Map(..) | TypeRoot::Multiset(_)) => {
            entries(out, range(map.value_offsets(), row), keys, values, &ty.root)?;
        }
        (Kind::Row(cells), TypeRoot::Row(fields)) => {
            for ((_, cells), RowField { ty, .. }) in cells.iter().zip(fields) {
                value(out, cells, ty, row)?;
            }
        }
        _ => return Err(Error::internal(format!("no column of the type {ty} is written as Avro"))),
    }
    Ok(())
}

fn entries(
    out: &mut Vec<u8>,
    entries: std::ops::Range<usize>,
    keys: &Cells<'_>,
    values: &Cells<'_>,
    root: &TypeRoot,
) -> Result<()> {
    let count = LogicalType::from(TypeRoot::Int).not_null();
    let ty = match root {
        TypeRoot::Map(_, value) => value.as_ref(),
        _ => &count,
    };
    let key = LogicalType::string().not_null();
    block(out, entries.len());
    for at in entries.clone() {
        value(out, keys, &key, at)?;
        value(out, values, ty, at)?;
    }
    end(out, entries.len());
    Ok(())
}

/// Starts a collection: all its elements are one block.
fn block(out: &mut Vec<u8>, elements: usize) {
    long(out, elements as i64);
}

/// Ends a collection by an empty block, which an empty one is already.
fn end(out: &mut Vec<u8>, elements: usize) {
    if elements > 0 {
        out.push(0);
    }
}

/// The shortest big-endian two's complement.
fn decimal(out: &mut Vec<u8>, value: i128) {
    let wide = value.to_be_bytes();
    let sign = if value < 0 { 0xff } else { 0 };
    let redundant = |at: &usize| wide[*at] == sign && (wide[at + 1] ^ sign) & 0x80 == 0;
    let start = (0..15).take_while(redundant).count();
    bytes(out, &wide[start..]);
}
