//! Output of operators that emit rows of their input beside rows out of their state.
//!
//! Rows are picked one by one, in the order in which they are to leave, and copied once, column by column, when
//! the batch is complete. Rows out of state are decoded all together.

use crate::arrow_error;
use crate::columns::record_batch;
use crate::row_values::StoredRows;
use arrow::array::{Array, ArrayRef, Int64Array, RecordBatch, UInt32Array};
use arrow::compute::{interleave, take};
use arrow::datatypes::SchemaRef;
use headwater_data::ChangeBatch;
use headwater_operator_api::Collector;
use headwater_state::EncodedRows;
use headwater_types::{Result, RowKind};
use std::sync::Arc;

/// The rows that a batch makes an operator emit.
#[derive(Default)]
pub(crate) struct ChangeRows {
    stored: EncodedRows,
    /// 0 and a row of the input, or 1 and a stored row.
    picks: Vec<(usize, usize)>,
    kinds: Vec<RowKind>,
    ranks: Vec<i64>,
}

/// A row to emit.
#[derive(Debug, Clone, Copy)]
pub(crate) enum RowRef<'a> {
    /// A row of the input batch.
    Input(u32),
    /// An encoded row.
    Stored(&'a [u8]),
    /// An encoded row that the changes keep already ([`ChangeRows::keep`]).
    Kept(u32),
}

impl ChangeRows {
    /// Keeps an encoded row that is emitted several times, as what follows one row and precedes another.
    pub(crate) fn keep(&mut self, row: &[u8]) -> RowRef<'static> {
        self.stored.push(row);
        RowRef::Kept(self.stored.len() as u32 - 1)
    }

    /// Emits a row next.
    pub(crate) fn push(&mut self, kind: RowKind, row: RowRef<'_>) {
        match row {
            RowRef::Input(row) => self.picks.push((0, row as usize)),
            RowRef::Stored(bytes) => {
                self.picks.push((1, self.stored.len()));
                self.stored.push(bytes);
            }
            RowRef::Kept(row) => self.picks.push((1, row as usize)),
        }
        self.kinds.push(kind);
    }

    /// Emits a row next, with its rank as the last column.
    pub(crate) fn push_ranked(&mut self, kind: RowKind, row: RowRef<'_>, rank: i64) {
        self.push(kind, row);
        self.ranks.push(rank);
    }

    /// Emits everything: all columns of the rows, and the ranks if there are any. Then there is nothing left but the
    /// memory for more.
    pub(crate) fn emit(
        &mut self,
        input: &RecordBatch,
        codec: &StoredRows,
        schema: &SchemaRef,
        out: &mut dyn Collector,
    ) -> Result<()> {
        let kinds = std::mem::take(&mut self.kinds);
        let ranks = std::mem::take(&mut self.ranks);
        if !kinds.is_empty() {
            let rows = kinds.len();
            let mut columns = self.columns(input, codec)?;
            if ranks.len() == rows {
                columns.push(Arc::new(Int64Array::from(ranks)));
            }
            out.emit(ChangeBatch::from_kinds(record_batch(schema, columns, rows)?, kinds));
        }
        self.stored.clear();
        self.picks.clear();
        Ok(())
    }

    fn columns(&self, input: &RecordBatch, codec: &StoredRows) -> Result<Vec<ArrayRef>> {
        if self.stored.is_empty() {
            return self.input_columns(input);
        }
        let stored = codec.decode(&self.stored.iter().collect::<Vec<_>>())?;
        let both = |(input, stored): (&ArrayRef, &ArrayRef)| {
            let sources: [&dyn Array; 2] = [input.as_ref(), stored.as_ref()];
            interleave(&sources, &self.picks).map_err(arrow_error)
        };
        input.columns().iter().zip(stored.columns()).map(both).collect()
    }

    fn input_columns(&self, input: &RecordBatch) -> Result<Vec<ArrayRef>> {
        let whole =
            self.picks.len() == input.num_rows() && self.picks.iter().enumerate().all(|(i, (_, row))| i == *row);
        if whole {
            return Ok(input.columns().to_vec());
        }
        let rows: UInt32Array = self.picks.iter().map(|(_, row)| *row as u32).collect::<Vec<_>>().into();
        input.columns().iter().map(|column| take(column, &rows, None).map_err(arrow_error)).collect()
    }
}
