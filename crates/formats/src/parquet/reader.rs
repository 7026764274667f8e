//! Reading a Parquet file.

use super::adapt::{adapt, leaves};
use super::ranges::{Ranges, RangesFile};
use crate::decoder::{Decoded, ReadSchema};
use arrow::array::{ArrayRef, RecordBatch, new_null_array};
use headwater_data::{RowKinds, arrow_type};
use headwater_types::{Error, LogicalType, Result};
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::{ParquetRecordBatchReader, ParquetRecordBatchReaderBuilder};
use parquet::file::reader::ChunkReader;
use std::fs::File;
use std::sync::Arc;

/// Reads the wanted columns of one file.
pub struct ParquetReader {
    batches: ParquetRecordBatchReader,
    wanted: Vec<(String, LogicalType)>,
}

impl ParquetReader {
    /// Opens a local file, for batches of up to `batch_rows` rows.
    pub fn open(file: File, schema: ReadSchema<'_>, batch_rows: usize) -> Result<Self> {
        Self::of(file, schema, batch_rows)
    }

    /// Opens a file that is read in ranges, for batches of up to `batch_rows` rows.
    pub fn open_ranges(file: impl Ranges, schema: ReadSchema<'_>, batch_rows: usize) -> Result<Self> {
        Self::of(RangesFile(Arc::new(file)), schema, batch_rows)
    }

    fn of(file: impl ChunkReader + 'static, schema: ReadSchema<'_>, batch_rows: usize) -> Result<Self> {
        let wanted: Vec<_> =
            schema.wanted.iter().map(|(column, ty)| (schema.columns[*column].0.clone(), ty.clone())).collect();
        let builder = ParquetRecordBatchReaderBuilder::try_new(file).map_err(bad_file)?;
        let indices = leaves(builder.parquet_schema(), &wanted);
        let mask = ProjectionMask::leaves(builder.parquet_schema(), indices);
        let batches = builder.with_projection(mask).with_batch_size(batch_rows).build().map_err(bad_file)?;
        Ok(Self { batches, wanted })
    }

    /// The next rows; `None` at the end of the file.
    pub fn next_rows(&mut self) -> Result<Option<Decoded>> {
        let Some(batch) = self.batches.next() else { return Ok(None) };
        let batch = batch.map_err(|e| bad_file(e.into()))?;
        let arrays = self.wanted.iter().map(|(name, ty)| column(&batch, name, ty)).collect::<Result<_>>()?;
        Ok(Some(Decoded { arrays, rows: batch.num_rows(), kinds: RowKinds::Append }))
    }
}

fn column(batch: &RecordBatch, name: &str, ty: &LogicalType) -> Result<ArrayRef> {
    match batch.column_by_name(name) {
        Some(array) => adapt(array, &arrow_type(ty)).map_err(|e| {
            let message = format!(
                "the column '{name}' of a Parquet file has the type {} and cannot be read as {ty}: {e}",
                array.data_type()
            );
            Error::user("bad-type", message)
        }),
        None => Ok(new_null_array(&arrow_type(ty), batch.num_rows())),
    }
}

fn bad_file(error: parquet::errors::ParquetError) -> Error {
    // What a store says about a range names the object and what to do.
    let io = std::error::Error::source(&error).and_then(|e| e.downcast_ref::<std::io::Error>());
    if let Some(store) = io.and_then(|e| e.get_ref()?.downcast_ref::<Error>()) {
        return store.clone();
    }
    Error::user("bad-file", format!("not a readable Parquet file: {error}")).with_source(error)
}
