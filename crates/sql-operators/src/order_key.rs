//! Sort columns as bytes that compare as the rows do.
//!
//! ```text
//! order  := BYTES column of the key codec, of: column*
//! column := the key encoding of the value; descending: its bytes flipped
//!           NULL: 0x00 where NULLs come first, 0x02 or 0xFF where they come last
//! place  := order, number as a BIGINT column of the key codec
//! ```
//!
//! The number tells rows of equal order apart: later rows have greater numbers.

use crate::row_values::write_integers;
use arrow::array::RecordBatch;
use headwater_data::arrow_type;
use headwater_data::key_codec::{EncodedKeys, KeyEncoder};
use headwater_plan::graph::RowType;
use headwater_plan::operators::SortKey;
use headwater_state::Column;
use headwater_types::{LogicalType, Result, TypeRoot};

/// The key encoding of NULL.
const NULL: u8 = 0x00;
/// NULL after all values, in an ascending column.
const NULL_LAST: u8 = 0x02;
/// Bytes of an encoded number.
const NUMBER_BYTES: usize = 9;

/// Encodes the sort columns of rows.
pub(crate) struct OrderEncoder {
    columns: Vec<(SortKey, KeyEncoder)>,
}

impl OrderEncoder {
    /// For rows of this type.
    pub(crate) fn new(row: &RowType, order: &[SortKey]) -> Result<Self> {
        let column = |key: &SortKey| Ok((*key, KeyEncoder::new(&[arrow_type(&row[key.column].1)])?));
        Ok(Self { columns: order.iter().map(column).collect::<Result<_>>()? })
    }

    /// The orders of all rows of a batch.
    pub(crate) fn encode(&self, rows: &RecordBatch) -> Result<EncodedKeys> {
        let mut columns = vec![];
        for (key, encoder) in &self.columns {
            let mut encoded = EncodedKeys::new();
            let column = rows.column(key.column).clone();
            encoder.encode(&[column], rows.num_rows(), &mut encoded)?;
            columns.push((key, encoded));
        }
        let (mut orders, mut plain, mut escaped) = (EncodedKeys::new(), vec![], vec![]);
        for row in 0..rows.num_rows() {
            plain.clear();
            columns.iter().for_each(|(key, encoded)| push_column(key, encoded.key(row), &mut plain));
            escaped.clear();
            escape(&plain, &mut escaped);
            orders.push(&escaped);
        }
        Ok(orders)
    }
}

fn push_column(key: &SortKey, encoded: &[u8], order: &mut Vec<u8>) {
    let (null, nulls_first) = (encoded == [NULL], key.nulls_first);
    match (key.ascending, nulls_first) {
        (true, false) if null => order.push(NULL_LAST),
        (true, _) => order.extend_from_slice(encoded),
        (false, true) => {
            order.push(encoded[0]);
            order.extend(encoded[1..].iter().map(|byte| !byte));
        }
        (false, false) => order.extend(encoded.iter().map(|byte| !byte)),
    }
}

/// The bytes as a BYTES column of the key codec.
fn escape(plain: &[u8], escaped: &mut Vec<u8>) {
    escaped.push(1);
    for byte in plain {
        escaped.push(*byte);
        if *byte == 0 {
            escaped.push(0xFF);
        }
    }
    escaped.extend_from_slice(&[0, 0]);
}

/// An order as text, for what depends on it in state.
pub(crate) fn order_text(order: &[SortKey], input: &RowType) -> String {
    let text = |key: &SortKey| {
        let name = input.get(key.column).map_or("?", |(name, _)| name);
        let direction = if key.ascending { "ASC" } else { "DESC" };
        // As in SQL, NULLs are first in ascending order and last in descending order unless it is said.
        match (key.nulls_first == key.ascending, key.nulls_first) {
            (true, _) => format!("{name} {direction}"),
            (false, true) => format!("{name} {direction} NULLS FIRST"),
            (false, false) => format!("{name} {direction} NULLS LAST"),
        }
    };
    order.iter().map(text).collect::<Vec<_>>().join(", ")
}

/// The columns of a place.
pub(crate) fn place_columns() -> Vec<Column> {
    let bytes = LogicalType::from(TypeRoot::VarBinary(i32::MAX as u32));
    vec![Column::new("order", bytes), Column::new("number", TypeRoot::BigInt.into())]
}

/// Replaces `place` by that of an order and a number.
pub(crate) fn write_place(order: &[u8], number: i64, place: &mut Vec<u8>) {
    place.clear();
    place.extend_from_slice(order);
    write_integers(&[number], place);
}

/// Whether a place is of this order.
pub(crate) fn is_of_order(place: &[u8], order: &[u8]) -> bool {
    place.len() == order.len() + NUMBER_BYTES && place.starts_with(order)
}

#[cfg(test)]
mod tests;
