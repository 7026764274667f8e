//! The key codec: an order-preserving byte encoding of key columns.
//!
//! Exchange, state, timers and sinks all use this encoding and [`crate::stable_hash`] over it, so that a
//! key means the same bytes everywhere. Two keys are equal exactly when their bytes are, and bytes compare
//! as the keys do, column by column, NULL first.
//!
//! # Format, version 1
//!
//! The format is persisted (state, checkpoints) and decides where rows go (key groups). It never changes
//! within a version. A key is the concatenation of its columns:
//!
//! ```text
//! key       := column*
//! column    := 0x00                                  NULL
//!            | 0x01 value
//! value     := boolean   0x00 | 0x01
//!            | integer   big-endian two's complement, sign bit flipped: 1, 2, 4, 8 or 16 bytes
//!            | float     IEEE 754 bits big-endian; negative: all bits flipped, else the sign bit flipped;
//!                        -0.0 is written as 0.0, every NaN as the one positive quiet NaN (sorts last)
//!            | bytes     ( 0x01..0xFF | 0x00 0xFF )* 0x00 0x00
//!            | list      ( 0x01 column )* 0x00
//!            | map       ( 0x01 column column )* 0x00, entries in the byte order of their keys
//!            | row       column*
//! ```
//!
//! | Arrow type | value |
//! |---|---|
//! | Null | always NULL |
//! | Boolean | boolean |
//! | Int8, Int16, Int32, Int64 | integer of 1, 2, 4, 8 bytes |
//! | Date32, Time32, Interval(YearMonth) | integer of 4 bytes |
//! | Timestamp, Duration | integer of 8 bytes in the unit of the type; the zone is not written |
//! | Decimal128 | the unscaled value as an integer of 16 bytes |
//! | Float32, Float64 | float of 4, 8 bytes |
//! | Utf8, Binary | bytes |
//! | List, Map, Struct | list, map, row |
//!
//! A map has no order, so its entries are written sorted: maps with equal entries are equal keys, and
//! decoding returns the sorted form. Decoding also returns the canonical zero and NaN.
//!
//! What this is not: a row format for values (nothing here is compact), and not an encoding of descending
//! order. It depends on no other crate's row format, because those may change.

mod decode;
mod encode;

use arrow::array::{Array, ArrayRef};
use arrow::datatypes::{DataType, IntervalUnit};
use headwater_types::{Error, ErrorKind, Result};

/// Version of the format above.
pub const VERSION: u8 = 1;

/// Marks a NULL column.
const NULL: u8 = 0x00;
/// Marks a column with a value, and one more element of a list or map.
const PRESENT: u8 = 0x01;
/// Ends a list or map.
const END: u8 = 0x00;
/// Follows a zero byte within a byte string; a zero byte followed by [`END`] ends the string.
const ESCAPE: u8 = 0xFF;

/// Encoded keys of a batch, one byte string a row. Reused from batch to batch.
#[derive(Debug, Clone, Default)]
pub struct EncodedKeys {
    /// Row `i` is `bytes[offsets[i]..offsets[i + 1]]`; one more entry than rows.
    offsets: Vec<usize>,
    bytes: Vec<u8>,
    /// Write positions during encoding.
    cursors: Vec<usize>,
}

impl EncodedKeys {
    /// No keys.
    pub fn new() -> Self {
        Self::default()
    }

    /// Number of keys.
    pub fn len(&self) -> usize {
        self.offsets.len().saturating_sub(1)
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The encoded key of a row.
    #[inline]
    pub fn key(&self, row: usize) -> &[u8] {
        &self.bytes[self.offsets[row]..self.offsets[row + 1]]
    }

    /// All encoded keys in row order.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &[u8]> {
        self.offsets.windows(2).map(|w| &self.bytes[w[0]..w[1]])
    }

    /// The start of every key within [`EncodedKeys::bytes`], and the end of the last.
    pub fn offsets(&self) -> &[usize] {
        &self.offsets
    }

    /// The keys, concatenated.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Appends the stable hash of every key to `hashes`.
    pub fn hash_into(&self, hashes: &mut Vec<u64>) {
        hashes.extend(self.iter().map(crate::stable_hash));
    }

    /// Removes all keys and keeps the buffers.
    pub fn clear(&mut self) {
        self.offsets.clear();
        self.bytes.clear();
    }

    /// Appends one encoded key, to decode keys that come from elsewhere.
    pub fn push(&mut self, key: &[u8]) {
        if self.offsets.is_empty() {
            self.offsets.push(0);
        }
        self.bytes.extend_from_slice(key);
        self.offsets.push(self.bytes.len());
    }
}

/// Encodes and decodes keys of fixed column types.
#[derive(Debug, Clone)]
pub struct KeyEncoder {
    types: Vec<DataType>,
}

impl KeyEncoder {
    /// An encoder for keys of these column types, in order.
    ///
    /// # Errors
    /// When a type is not one of those that `arrow_types` maps to.
    pub fn new(types: &[DataType]) -> Result<Self> {
        match types.iter().find(|t| !is_supported(t)) {
            Some(ty) => Err(Error::unsupported(format!("a column of Arrow type {ty} cannot be part of a key"))),
            None => Ok(Self { types: types.to_vec() }),
        }
    }

    /// The column types.
    pub fn types(&self) -> &[DataType] {
        &self.types
    }

    /// Encodes `rows` rows of `columns` into `keys`, replacing what is there. Without columns every key
    /// is empty.
    ///
    /// # Errors
    /// When the columns are not of the types and the length the encoder was told.
    pub fn encode(&self, columns: &[ArrayRef], rows: usize, keys: &mut EncodedKeys) -> Result<()> {
        self.check(columns, rows)?;
        keys.clear();
        encode::encode(columns, rows, keys);
        Ok(())
    }

    /// Decodes keys back to columns.
    ///
    /// # Errors
    /// `Corruption` when the bytes are not keys of these types.
    pub fn decode(&self, keys: &EncodedKeys) -> Result<Vec<ArrayRef>> {
        decode::decode(&self.types, keys)
    }

    fn check(&self, columns: &[ArrayRef], rows: usize) -> Result<()> {
        let same_types = columns.len() == self.types.len()
            && columns.iter().zip(&self.types).all(|(c, t)| c.data_type() == t && c.len() == rows);
        if same_types {
            return Ok(());
        }
        let found: Vec<_> = columns.iter().map(|c| format!("{}[{}]", c.data_type(), c.len())).collect();
        let expected: Vec<_> = self.types.iter().map(|t| format!("{t}[{rows}]")).collect();
        let message = format!("key columns are ({}), expected ({})", found.join(", "), expected.join(", "));
        Err(Error::internal(message))
    }
}

/// The error of bytes that are not a key.
fn corrupt(what: &str) -> Error {
    Error::new(ErrorKind::Corruption, "bad-key", format!("an encoded key cannot be read: {what}"))
}

fn is_supported(ty: &DataType) -> bool {
    match ty {
        DataType::Null | DataType::Boolean | DataType::Utf8 | DataType::Binary => true,
        DataType::Int8 | DataType::Int16 | DataType::Int32 | DataType::Int64 => true,
        DataType::Float32 | DataType::Float64 | DataType::Decimal128(..) => true,
        DataType::Date32 | DataType::Time32(_) | DataType::Timestamp(..) | DataType::Duration(_) => true,
        DataType::Interval(IntervalUnit::YearMonth) => true,
        DataType::List(field) | DataType::Map(field, _) => is_supported(field.data_type()),
        DataType::Struct(fields) => fields.iter().all(|f| is_supported(f.data_type())),
        _ => false,
    }
}

/// A fixed-width value with its order-preserving bytes.
trait FixedKey: Copy {
    /// The bytes, as an array.
    type Bytes: AsRef<[u8]> + AsMut<[u8]> + Default;
    /// The order-preserving bytes of a value.
    fn to_key(self) -> Self::Bytes;
    /// The value of its bytes.
    fn from_key(bytes: Self::Bytes) -> Self;
}

macro_rules! fixed_integer {
    ($($native:ty),*) => {$(
        impl FixedKey for $native {
            type Bytes = [u8; size_of::<$native>()];
            #[inline]
            fn to_key(self) -> Self::Bytes {
                (self ^ <$native>::MIN).to_be_bytes()
            }
            #[inline]
            fn from_key(bytes: Self::Bytes) -> Self {
                <$native>::from_be_bytes(bytes) ^ <$native>::MIN
            }
        }
    )*};
}
fixed_integer!(i8, i16, i32, i64, i128);

macro_rules! fixed_float {
    ($native:ty, $bits:ty, $sign:expr) => {
        impl FixedKey for $native {
            type Bytes = [u8; size_of::<$native>()];
            #[inline]
            fn to_key(self) -> Self::Bytes {
                let canonical = if self.is_nan() { <$native>::NAN.abs() } else { self + 0.0 };
                let bits = canonical.to_bits();
                let flipped = if bits & $sign != 0 { !bits } else { bits | $sign };
                flipped.to_be_bytes()
            }
            #[inline]
            fn from_key(bytes: Self::Bytes) -> Self {
                let bits = <$bits>::from_be_bytes(bytes);
                <$native>::from_bits(if bits & $sign != 0 { bits ^ $sign } else { !bits })
            }
        }
    };
}
fixed_float!(f32, u32, 1u32 << 31);
fixed_float!(f64, u64, 1u64 << 63);

/// Calls a macro with the Arrow primitive type of a fixed-width [`DataType`], or evaluates `$other`.
macro_rules! dispatch_fixed {
    ($data_type:expr, $with:ident, $other:expr) => {{
        use arrow::datatypes as t;
        match $data_type {
            t::DataType::Int8 => $with!(t::Int8Type),
            t::DataType::Int16 => $with!(t::Int16Type),
            t::DataType::Int32 => $with!(t::Int32Type),
            t::DataType::Int64 => $with!(t::Int64Type),
            t::DataType::Float32 => $with!(t::Float32Type),
            t::DataType::Float64 => $with!(t::Float64Type),
            t::DataType::Decimal128(..) => $with!(t::Decimal128Type),
            t::DataType::Date32 => $with!(t::Date32Type),
            t::DataType::Time32(t::TimeUnit::Second) => $with!(t::Time32SecondType),
            t::DataType::Time32(_) => $with!(t::Time32MillisecondType),
            t::DataType::Timestamp(t::TimeUnit::Second, _) => $with!(t::TimestampSecondType),
            t::DataType::Timestamp(t::TimeUnit::Millisecond, _) => $with!(t::TimestampMillisecondType),
            t::DataType::Timestamp(t::TimeUnit::Microsecond, _) => $with!(t::TimestampMicrosecondType),
            t::DataType::Timestamp(t::TimeUnit::Nanosecond, _) => $with!(t::TimestampNanosecondType),
            t::DataType::Duration(t::TimeUnit::Second) => $with!(t::DurationSecondType),
            t::DataType::Duration(t::TimeUnit::Millisecond) => $with!(t::DurationMillisecondType),
            t::DataType::Duration(t::TimeUnit::Microsecond) => $with!(t::DurationMicrosecondType),
            t::DataType::Duration(t::TimeUnit::Nanosecond) => $with!(t::DurationNanosecondType),
            t::DataType::Interval(t::IntervalUnit::YearMonth) => $with!(t::IntervalYearMonthType),
            _ => $other,
        }
    }};
}
use dispatch_fixed;

#[cfg(test)]
mod tests;
