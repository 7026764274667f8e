//! Joins the small slices of one target into batches worth sending.

use arrow::array::RecordBatch;
use arrow::compute::concat_batches;
use headwater_data::{ChangeBatch, RowKinds};
use headwater_types::{Error, Result, RowKind};

/// Slices that wait for more rows of the same target.
pub(crate) struct Coalescer {
    pending: Vec<ChangeBatch>,
    rows: usize,
    bytes: usize,
    rows_target: usize,
    bytes_target: usize,
}

impl Coalescer {
    pub(crate) fn new(rows_target: usize, bytes_target: usize) -> Self {
        Self { pending: vec![], rows: 0, bytes: 0, rows_target: rows_target.max(1), bytes_target }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.pending.is_empty()
    }

    /// Adds a slice; passes on to `ready` what is large enough. A slice of at least half the target is
    /// never copied.
    pub(crate) fn push(&mut self, batch: ChangeBatch, mut ready: impl FnMut(ChangeBatch)) -> Result<()> {
        let large = batch.num_rows() >= self.rows_target.div_ceil(2);
        if large {
            if let Some(earlier) = self.flush()? {
                ready(earlier);
            }
            ready(batch);
            return Ok(());
        }
        self.rows += batch.num_rows();
        self.bytes += batch.bytes();
        self.pending.push(batch);
        if (self.rows >= self.rows_target || self.bytes >= self.bytes_target)
            && let Some(full) = self.flush()?
        {
            ready(full);
        }
        Ok(())
    }

    /// Takes the pending rows as one batch.
    pub(crate) fn flush(&mut self) -> Result<Option<ChangeBatch>> {
        self.rows = 0;
        self.bytes = 0;
        match self.pending.len() {
            0 | 1 => Ok(self.pending.pop()),
            _ => {
                let joined = concat(&self.pending)?;
                self.pending.clear();
                Ok(Some(joined))
            }
        }
    }
}

/// One batch of all rows of `batches`, of which there is at least one.
fn concat(batches: &[ChangeBatch]) -> Result<ChangeBatch> {
    let rows: Vec<&RecordBatch> = batches.iter().map(ChangeBatch::rows).collect();
    let joined = concat_batches(rows[0].schema_ref(), rows)
        .map_err(|e| Error::internal("batches of one channel could not be joined").with_source(e))?;
    if batches.iter().all(ChangeBatch::is_append) {
        return Ok(ChangeBatch::append(joined));
    }
    let mut kinds = Vec::with_capacity(joined.num_rows());
    for batch in batches {
        match batch.kinds() {
            RowKinds::Append => kinds.resize(kinds.len() + batch.num_rows(), RowKind::Insert as i8),
            RowKinds::Mixed(mixed) => kinds.extend_from_slice(mixed),
        }
    }
    Ok(ChangeBatch::mixed(joined, kinds.into()))
}
