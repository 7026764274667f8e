//! Writing a Parquet file.

use super::options::ParquetOptions;
use arrow::datatypes::SchemaRef;
use headwater_data::{ChangeBatch, arrow_schema};
use headwater_types::{Error, LogicalType, Result};
use parquet::arrow::ArrowWriter;
use parquet::file::properties::WriterProperties;
use std::io::Write;

/// Writes one file.
pub struct ParquetWriter<W: Write + Send> {
    writer: ArrowWriter<W>,
    schema: SchemaRef,
    row_group_bytes: usize,
}

impl<W: Write + Send> ParquetWriter<W> {
    /// Starts a file with these columns.
    pub fn new(output: W, columns: &[(String, LogicalType)], options: ParquetOptions) -> Result<Self> {
        let schema = arrow_schema(columns.iter().map(|(n, t)| (n.as_str(), t)));
        let properties = WriterProperties::builder()
            .set_compression(options.compression)
            .set_created_by(concat!("headwater ", env!("CARGO_PKG_VERSION")).to_string())
            .build();
        let writer = ArrowWriter::try_new(output, schema.clone(), Some(properties)).map_err(write_error)?;
        Ok(Self { writer, schema, row_group_bytes: options.row_group_bytes })
    }

    /// Appends rows, which must be inserts.
    pub fn write(&mut self, batch: &ChangeBatch) -> Result<()> {
        let rows = batch.rows().clone().with_schema(self.schema.clone());
        let rows = rows.map_err(|e| Error::internal(format!("the rows do not have the table's types: {e}")))?;
        self.writer.write(&rows).map_err(write_error)?;
        if self.writer.in_progress_size() >= self.row_group_bytes {
            self.writer.flush().map_err(write_error)?;
        }
        Ok(())
    }

    /// Bytes written and collected so far.
    pub fn bytes(&self) -> u64 {
        (self.writer.bytes_written() + self.writer.in_progress_size()) as u64
    }

    /// Ends the file and gives the output back.
    pub fn finish(self) -> Result<W> {
        self.writer.into_inner().map_err(write_error)
    }
}

fn write_error(error: parquet::errors::ParquetError) -> Error {
    Error::user("cannot-write", format!("cannot write a Parquet file: {error}")).with_source(error)
}
