//! The row codec: compact bytes for rows that are values of state.
//!
//! Keys need an order and use the key codec; values need to be small, and fast to read many at once. A row's
//! bytes mean something only together with the column types, which the table's descriptor keeps; that is what
//! allows a restore to rewrite them for other columns ([`crate::ValueMigrator`]).
//!
//! # Format, version 1
//!
//! ```text
//! row      := nulls fixed* variable*
//! nulls    := one bit a column, set for NULL, first column in the lowest bit; whole bytes
//! fixed    := every column of fixed width, in order: its Arrow value, little-endian (a boolean: one byte);
//!             zeros for NULL, so that all rows have a column at the same place
//! variable := every other column that is not NULL, in order: length:varint bytes
//! bytes    := text or binary as it is; a nested value as the key codec encodes it
//! ```
//!
//! Not order-preserving, and not canonical across types: compare keys, not these.

mod decode;
mod encode;

use crate::Column;
use arrow::array::ArrayRef;
use arrow::datatypes::DataType;
use headwater_data::key_codec::KeyEncoder;
use headwater_types::{Error, ErrorKind, Result};

/// Encoded rows, one byte string each. Reused from batch to batch.
#[derive(Debug, Clone, Default)]
pub struct EncodedRows {
    /// Row `i` is `bytes[offsets[i]..offsets[i + 1]]`; one more entry than rows, or none.
    offsets: Vec<usize>,
    bytes: Vec<u8>,
}

impl EncodedRows {
    /// No rows.
    pub fn new() -> Self {
        Self::default()
    }

    /// Number of rows.
    pub fn len(&self) -> usize {
        self.offsets.len().saturating_sub(1)
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The bytes of a row.
    #[inline]
    pub fn row(&self, row: usize) -> &[u8] {
        &self.bytes[self.offsets[row]..self.offsets[row + 1]]
    }

    /// All rows in order.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &[u8]> {
        self.offsets.windows(2).map(|w| &self.bytes[w[0]..w[1]])
    }

    /// Removes all rows and keeps the buffers.
    pub fn clear(&mut self) {
        self.offsets.clear();
        self.bytes.clear();
    }

    /// Appends a row, to decode rows that come from state.
    #[inline]
    pub fn push(&mut self, row: &[u8]) {
        if self.offsets.is_empty() {
            self.offsets.push(0);
        }
        self.bytes.extend_from_slice(row);
        self.offsets.push(self.bytes.len());
    }
}

/// Encodes and decodes rows of fixed column types.
#[derive(Debug, Clone)]
pub struct RowCodec {
    columns: Vec<Layout>,
    /// Bytes of nulls and fixed-width values: the least length of a row.
    fixed_len: usize,
}

/// Where a column is within a row.
#[derive(Debug, Clone)]
struct Layout {
    ty: DataType,
    kind: Kind,
}

#[derive(Debug, Clone)]
enum Kind {
    /// Always NULL.
    Null,
    /// One byte at this offset.
    Boolean(usize),
    /// So many bytes at this offset.
    Fixed { offset: usize, width: usize },
    /// Text or binary.
    Variable,
    /// Key codec bytes.
    Nested(KeyEncoder),
}

impl RowCodec {
    /// A codec for rows of these column types, in order.
    ///
    /// # Errors
    /// When a type is none that `headwater_data::arrow_types` maps to.
    pub fn new(types: &[DataType]) -> Result<Self> {
        let mut fixed_len = types.len().div_ceil(8);
        let mut columns = Vec::with_capacity(types.len());
        for ty in types {
            // Checks that the type is supported, also where the encoder is not needed.
            let nested = KeyEncoder::new(std::slice::from_ref(ty))?;
            let kind = kind(ty, nested, fixed_len);
            fixed_len += match &kind {
                Kind::Boolean(_) => 1,
                Kind::Fixed { width, .. } => *width,
                Kind::Null | Kind::Variable | Kind::Nested(_) => 0,
            };
            columns.push(Layout { ty: ty.clone(), kind });
        }
        Ok(Self { columns, fixed_len })
    }

    /// A codec for rows of state columns.
    ///
    /// # Errors
    /// As [`RowCodec::new`].
    pub fn of_columns(columns: &[Column]) -> Result<Self> {
        let types: Vec<_> = columns.iter().map(|c| headwater_data::arrow_type(&c.ty)).collect();
        Self::new(&types)
    }

    /// The column types.
    pub fn types(&self) -> impl ExactSizeIterator<Item = &DataType> {
        self.columns.iter().map(|c| &c.ty)
    }

    /// Encodes `rows` rows of `columns` into `out`, replacing what is there.
    ///
    /// # Errors
    /// When the columns are not of the types and the length the codec was told.
    pub fn encode(&self, columns: &[ArrayRef], rows: usize, out: &mut EncodedRows) -> Result<()> {
        encode::encode(self, columns, rows, out)
    }

    /// Decodes rows to one array per column.
    ///
    /// # Errors
    /// `Corruption` when the bytes are not rows of these types.
    pub fn decode(&self, rows: &EncodedRows) -> Result<Vec<ArrayRef>> {
        self.decode_slices(&rows.iter().collect::<Vec<_>>())
    }

    /// As [`RowCodec::decode`], of rows that lie anywhere.
    ///
    /// # Errors
    /// `Corruption` when the bytes are not rows of these types.
    pub fn decode_slices(&self, rows: &[&[u8]]) -> Result<Vec<ArrayRef>> {
        decode::decode(self, rows)
    }
}

fn kind(ty: &DataType, nested: KeyEncoder, offset: usize) -> Kind {
    match ty {
        DataType::Null => Kind::Null,
        DataType::Boolean => Kind::Boolean(offset),
        DataType::Utf8 | DataType::Binary => Kind::Variable,
        _ => match ty.primitive_width() {
            Some(width) => Kind::Fixed { offset, width },
            None => Kind::Nested(nested),
        },
    }
}

/// The error of bytes that are not a row.
fn corrupt(what: &str) -> Error {
    Error::new(ErrorKind::Corruption, "bad-row", format!("a row in state cannot be read: {what}"))
}

#[cfg(target_endian = "big")]
compile_error!("the row codec copies values as they lie in memory, which must be little-endian");

#[cfg(test)]
mod tests;
