//! The change batch: rows in columns, with their row kinds beside them.

use arrow::array::{Int8Array, RecordBatch, RecordBatchOptions, UInt32Array};
use arrow::buffer::ScalarBuffer;
use arrow::compute::{filter_record_batch, take_record_batch};
use headwater_types::RowKind;

/// The kinds of the rows of a batch.
#[derive(Debug, Clone, PartialEq)]
pub enum RowKinds {
    /// Every row is `+I`; costs nothing.
    Append,
    /// One [`RowKind`] byte a row.
    Mixed(ScalarBuffer<i8>),
}

/// Rows in columns with a sidecar of row kinds.
///
/// `-U` and `+U` of one key stay adjacent within a batch; whoever would separate a pair (a hash exchange
/// whose key changed) rewrites it to `-D` and `+I`.
#[derive(Debug, Clone)]
pub struct ChangeBatch {
    rows: RecordBatch,
    kinds: RowKinds,
}

impl ChangeBatch {
    /// A batch of inserts.
    pub fn append(rows: RecordBatch) -> Self {
        Self { rows, kinds: RowKinds::Append }
    }

    /// A batch with one kind a row.
    ///
    /// # Panics
    /// When the number of kinds differs from the number of rows.
    pub fn mixed(rows: RecordBatch, kinds: ScalarBuffer<i8>) -> Self {
        assert_eq!(rows.num_rows(), kinds.len(), "one row kind per row");
        Self { rows, kinds: RowKinds::Mixed(kinds) }
    }

    /// A batch with the given kinds, recognising the all-insert case.
    pub fn from_kinds(rows: RecordBatch, kinds: impl IntoIterator<Item = RowKind>) -> Self {
        let kinds: Vec<i8> = kinds.into_iter().map(|k| k as i8).collect();
        if kinds.iter().all(|k| *k == RowKind::Insert as i8) {
            return Self::append(rows);
        }
        Self::mixed(rows, kinds.into())
    }

    /// The rows.
    pub fn rows(&self) -> &RecordBatch {
        &self.rows
    }

    /// The kinds.
    pub fn kinds(&self) -> &RowKinds {
        &self.kinds
    }

    /// Whether every row is an insert.
    pub fn is_append(&self) -> bool {
        matches!(self.kinds, RowKinds::Append)
    }

    /// The kind of one row.
    pub fn kind(&self, row: usize) -> RowKind {
        match &self.kinds {
            RowKinds::Append => RowKind::Insert,
            RowKinds::Mixed(kinds) => RowKind::from_byte(kinds[row]).expect("kinds are written by RowKind only"),
        }
    }

    /// Number of rows.
    pub fn num_rows(&self) -> usize {
        self.rows.num_rows()
    }

    /// Rows and kinds, taken apart.
    pub fn into_parts(self) -> (RecordBatch, RowKinds) {
        (self.rows, self.kinds)
    }

    /// The same kinds over other rows (a projection).
    pub fn with_rows(&self, rows: RecordBatch) -> Self {
        debug_assert_eq!(rows.num_rows(), self.rows.num_rows());
        Self { rows, kinds: self.kinds.clone() }
    }

    /// A zero-copy slice.
    #[must_use]
    pub fn slice(&self, offset: usize, length: usize) -> Self {
        let kinds = match &self.kinds {
            RowKinds::Append => RowKinds::Append,
            RowKinds::Mixed(kinds) => RowKinds::Mixed(kinds.slice(offset, length)),
        };
        Self { rows: self.rows.slice(offset, length), kinds }
    }

    /// The rows where `predicate` is true.
    pub fn filter(&self, predicate: &arrow::array::BooleanArray) -> Result<Self, arrow::error::ArrowError> {
        let rows = match self.rows.num_columns() {
            0 => without_columns(&self.rows, predicate.true_count())?,
            _ => filter_record_batch(&self.rows, predicate)?,
        };
        let kinds = match &self.kinds {
            RowKinds::Append => RowKinds::Append,
            RowKinds::Mixed(kinds) => {
                let array = Int8Array::new(kinds.clone(), None);
                let filtered = arrow::compute::filter(&array, predicate)?;
                RowKinds::Mixed(int8_values(&filtered))
            }
        };
        Ok(Self { rows, kinds })
    }

    /// The rows at `indices`, in that order.
    pub fn take(&self, indices: &UInt32Array) -> Result<Self, arrow::error::ArrowError> {
        let rows = match self.rows.num_columns() {
            0 => without_columns(&self.rows, indices.len())?,
            _ => take_record_batch(&self.rows, indices)?,
        };
        let kinds = match &self.kinds {
            RowKinds::Append => RowKinds::Append,
            RowKinds::Mixed(kinds) => RowKinds::Mixed(indices.values().iter().map(|i| kinds[*i as usize]).collect()),
        };
        Ok(Self { rows, kinds })
    }

    /// Bytes the batch keeps alive, for memory accounting. Slices count their share only.
    pub fn bytes(&self) -> usize {
        let columns: usize = self.rows.columns().iter().map(|c| sliced_bytes(&c.to_data())).sum();
        let kinds = match &self.kinds {
            RowKinds::Append => 0,
            RowKinds::Mixed(kinds) => kinds.len(),
        };
        columns + kinds
    }
}

/// Rows that have no columns still have a number.
fn without_columns(like: &RecordBatch, rows: usize) -> Result<RecordBatch, arrow::error::ArrowError> {
    let options = RecordBatchOptions::new().with_row_count(Some(rows));
    RecordBatch::try_new_with_options(like.schema(), vec![], &options)
}

fn sliced_bytes(data: &arrow::array::ArrayData) -> usize {
    data.get_slice_memory_size().unwrap_or_else(|_| data.get_array_memory_size())
}

fn int8_values(array: &dyn arrow::array::Array) -> ScalarBuffer<i8> {
    let array = array.as_any().downcast_ref::<Int8Array>().expect("a filter keeps the type of its input");
    array.values().clone()
}
