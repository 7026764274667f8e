//! Collects small results into batches of the wanted size.

use crate::arrow_error;
use crate::columns::record_batch;
use arrow::array::{Array, ArrayRef};
use arrow::compute::concat;
use arrow::datatypes::SchemaRef;
use headwater_data::ChangeBatch;
use headwater_operator_api::Collector;
use headwater_types::Result;

/// Batches emitted per call before the driver is asked to make room.
const BATCHES_PER_CALL: usize = 4;

/// Default size of emitted batches, until an operator is opened.
const BATCH_ROWS: usize = 4096;

/// Coalesces chunks of inserted rows.
pub(crate) struct Output {
    schema: SchemaRef,
    chunks: Vec<Vec<ArrayRef>>,
    rows: usize,
    batch_rows: usize,
    emitted: usize,
}

impl Output {
    pub(crate) fn new(schema: SchemaRef) -> Self {
        Self { schema, chunks: vec![], rows: 0, batch_rows: BATCH_ROWS, emitted: 0 }
    }

    pub(crate) fn set_batch_rows(&mut self, batch_rows: usize) {
        self.batch_rows = batch_rows.max(1);
    }

    /// Rows that a batch should have at most.
    pub(crate) fn batch_rows(&self) -> usize {
        self.batch_rows
    }

    /// Adds a chunk of at most [`Output::batch_rows`] rows, emitting what is full.
    pub(crate) fn push(&mut self, columns: Vec<ArrayRef>, rows: usize, out: &mut dyn Collector) -> Result<()> {
        if rows == 0 {
            return Ok(());
        }
        if self.rows + rows > self.batch_rows {
            self.flush(out)?;
        }
        self.rows += rows;
        self.chunks.push(columns);
        Ok(())
    }

    /// Emits what is left.
    pub(crate) fn flush(&mut self, out: &mut dyn Collector) -> Result<()> {
        if self.rows == 0 {
            return Ok(());
        }
        let chunks = std::mem::take(&mut self.chunks);
        let rows = std::mem::take(&mut self.rows);
        self.emitted += 1;
        out.emit(ChangeBatch::append(record_batch(&self.schema, concat_chunks(chunks)?, rows)?));
        Ok(())
    }

    /// Whether this call emitted enough; resets the count.
    pub(crate) fn should_yield(&mut self) -> bool {
        let enough = self.emitted >= BATCHES_PER_CALL;
        if enough {
            self.emitted = 0;
        }
        enough
    }
}

fn concat_chunks(mut chunks: Vec<Vec<ArrayRef>>) -> Result<Vec<ArrayRef>> {
    if chunks.len() == 1 {
        return Ok(chunks.remove(0));
    }
    let width = chunks.first().map_or(0, Vec::len);
    let column = |position: usize| {
        let parts: Vec<&dyn Array> = chunks.iter().map(|chunk| chunk[position].as_ref()).collect();
        concat(&parts).map_err(arrow_error)
    };
    (0..width).map(column).collect()
}
