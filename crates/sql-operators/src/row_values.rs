//! Rows as bytes, for state: every row of a batch becomes one byte string, and byte strings become a batch again.
//!
//! The bytes are those of the key codec, so equal rows have equal bytes and a row can be a map key as it is.
//! The canonical zero and NaN of the codec are what comes back.

use crate::columns::{record_batch, schema_of};
use arrow::array::{ArrayRef, Int32Array, RecordBatch};
use arrow::datatypes::{DataType, SchemaRef};
use headwater_data::key_codec::{EncodedKeys, KeyEncoder};
use headwater_plan::graph::RowType;
use headwater_state::{Column, EncodedRows, RowCodec};
use headwater_types::{Error, ErrorKind, Result};
use std::sync::Arc;

/// Encodes and decodes the rows of one row type.
#[derive(Debug, Clone)]
pub(crate) struct RowValues {
    encoder: KeyEncoder,
    schema: SchemaRef,
}

impl RowValues {
    /// For rows of this type.
    pub(crate) fn new(row: &RowType) -> Result<Self> {
        let schema = schema_of(row);
        let types: Vec<_> = schema.fields().iter().map(|field| field.data_type().clone()).collect();
        Ok(Self { encoder: KeyEncoder::new(&types)?, schema })
    }

    /// Replaces `bytes` by the rows of a batch.
    pub(crate) fn encode(&self, rows: &RecordBatch, bytes: &mut EncodedKeys) -> Result<()> {
        self.encoder.encode(rows.columns(), rows.num_rows(), bytes)
    }

    /// The batch of these rows.
    pub(crate) fn decode(&self, bytes: &EncodedKeys) -> Result<RecordBatch> {
        if bytes.is_empty() {
            return Ok(RecordBatch::new_empty(self.schema.clone()));
        }
        record_batch(&self.schema, self.encoder.decode(bytes)?, bytes.len())
    }
}

/// Encodes and decodes rows as values of state: compact, with room for numbers in front of the row.
#[derive(Debug, Clone)]
pub(crate) struct StoredRows {
    codec: RowCodec,
    schema: SchemaRef,
    /// Number columns in front of the row.
    numbers: usize,
}

impl StoredRows {
    /// For rows of this type with `numbers` INT columns before them.
    pub(crate) fn new(row: &RowType, numbers: usize) -> Result<Self> {
        let schema = schema_of(row);
        let leading = std::iter::repeat_n(DataType::Int32, numbers);
        let types: Vec<_> = leading.chain(schema.fields().iter().map(|field| field.data_type().clone())).collect();
        Ok(Self { codec: RowCodec::new(&types)?, schema, numbers })
    }

    /// The schema of decoded rows.
    pub(crate) fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    /// Replaces `bytes` by the rows of a batch; the numbers are 0.
    pub(crate) fn encode(&self, rows: &RecordBatch, bytes: &mut EncodedRows) -> Result<()> {
        let zeros: ArrayRef = Arc::new(Int32Array::from(vec![0; if self.numbers > 0 { rows.num_rows() } else { 0 }]));
        let mut columns = vec![zeros; self.numbers];
        columns.extend(rows.columns().iter().cloned());
        self.codec.encode(&columns, rows.num_rows(), bytes)
    }

    /// The batch of these rows, without the numbers.
    pub(crate) fn decode(&self, rows: &[&[u8]]) -> Result<RecordBatch> {
        if rows.is_empty() {
            return Ok(RecordBatch::new_empty(self.schema.clone()));
        }
        let columns = self.codec.decode_slices(rows)?.split_off(self.numbers);
        record_batch(&self.schema, columns, rows.len())
    }

    /// The number at a position of an encoded row.
    pub(crate) fn number(&self, row: &[u8], position: usize) -> Result<u32> {
        let bytes = row.get(self.offset(position)..).and_then(|rest| rest.first_chunk::<4>());
        bytes.map(|bytes| u32::from_le_bytes(*bytes)).ok_or_else(short_row)
    }

    /// Replaces the number at a position of an encoded row.
    pub(crate) fn set_number(&self, row: &mut [u8], position: usize, number: u32) -> Result<()> {
        let bytes = row.get_mut(self.offset(position)..).and_then(|rest| rest.first_chunk_mut::<4>());
        *bytes.ok_or_else(short_row)? = number.to_le_bytes();
        Ok(())
    }

    /// Fixed-width columns follow one NULL bit per column, and numbers are the first columns.
    fn offset(&self, position: usize) -> usize {
        self.codec.types().len().div_ceil(8) + position * 4
    }
}

fn short_row() -> Error {
    Error::new(ErrorKind::Corruption, "bad-row", "a row in state ends within its numbers")
}

/// Encodes some columns of rows: exchange keys, unique keys, orders.
#[derive(Debug, Clone)]
pub(crate) struct KeyColumns {
    columns: Vec<usize>,
    encoder: KeyEncoder,
}

impl KeyColumns {
    /// For these columns of rows of this type.
    pub(crate) fn new(row: &RowType, columns: &[usize]) -> Result<Self> {
        let types: Vec<_> = columns.iter().map(|column| headwater_data::arrow_type(&row[*column].1)).collect();
        Ok(Self { columns: columns.to_vec(), encoder: KeyEncoder::new(&types)? })
    }

    /// The positions of the columns.
    pub(crate) fn columns(&self) -> &[usize] {
        &self.columns
    }

    /// Replaces `bytes` by the keys of the rows of a batch.
    pub(crate) fn encode(&self, rows: &RecordBatch, bytes: &mut EncodedKeys) -> Result<()> {
        let columns: Vec<_> = self.columns.iter().map(|column| rows.column(*column).clone()).collect();
        self.encoder.encode(&columns, rows.num_rows(), bytes)
    }

    /// Replaces `bytes` by keys whose columns are given alone.
    pub(crate) fn encode_columns(&self, columns: &[ArrayRef], rows: usize, bytes: &mut EncodedKeys) -> Result<()> {
        self.encoder.encode(columns, rows, bytes)
    }
}

/// Columns of a row type as columns of a state table.
pub(crate) fn state_columns(row: &RowType, columns: &[usize]) -> Vec<Column> {
    columns.iter().map(|column| Column::new(&row[*column].0, row[*column].1.clone())).collect()
}

/// All columns of a row type as columns of a state table.
pub(crate) fn all_state_columns(row: &RowType) -> Vec<Column> {
    row.iter().map(|(name, ty)| Column::new(name, ty.clone())).collect()
}

/// Appends BIGINT values that are not NULL, as columns of a map key.
pub(crate) fn write_integers(values: &[i64], bytes: &mut Vec<u8>) {
    for value in values {
        bytes.push(1);
        bytes.extend_from_slice(&(value ^ i64::MIN).to_be_bytes());
    }
}

/// Appends a stored row of BIGINT columns that are not NULL.
pub(crate) fn write_counts(values: &[i64], bytes: &mut Vec<u8>) {
    bytes.resize(bytes.len() + values.len().div_ceil(8), 0);
    values.iter().for_each(|value| bytes.extend_from_slice(&value.to_le_bytes()));
}

/// Reads what [`write_counts`] wrote; NULL is 0.
pub(crate) fn read_counts(row: &[u8], values: &mut [i64]) {
    values.fill(0);
    let numbers = row.get(values.len().div_ceil(8)..).unwrap_or_default();
    for (value, bytes) in values.iter_mut().zip(numbers.chunks_exact(8)) {
        *value = i64::from_le_bytes(bytes.try_into().expect("a chunk of eight bytes"));
    }
}
