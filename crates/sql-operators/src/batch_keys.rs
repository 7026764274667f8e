//! The distinct keys of a batch: state is read and written once per key and batch, not once per row.

use crate::keys::KeyReader;
use arrow::array::RecordBatch;
use headwater_data::arrow_type;
use headwater_data::key_codec::EncodedKeys;
use headwater_plan::graph::RowType;
use headwater_types::Result;

/// Finds the distinct keys of batches.
pub(crate) struct KeyGrouper {
    columns: Vec<usize>,
    reader: KeyReader,
}

/// The distinct keys of a batch, numbered in the order of their first appearance.
pub(crate) struct BatchKeys {
    /// The number of the key of every row.
    pub(crate) groups: Vec<u32>,
    /// The encoded keys, by number: keys of the state tables.
    pub(crate) keys: EncodedKeys,
}

impl KeyGrouper {
    /// For keys in these columns of rows of this type.
    pub(crate) fn new(row: &RowType, columns: &[usize]) -> Result<Self> {
        let types: Vec<_> = columns.iter().map(|column| arrow_type(&row[*column].1)).collect();
        Ok(Self { columns: columns.to_vec(), reader: KeyReader::new(&types)? })
    }

    /// The keys of a batch.
    pub(crate) fn read(&self, rows: &RecordBatch) -> Result<BatchKeys> {
        let columns: Vec<_> = self.columns.iter().map(|column| rows.column(*column).clone()).collect();
        let keys = self.reader.read(&columns, rows.num_rows())?;
        let mut index = self.reader.index();
        let mut groups = Vec::with_capacity(rows.num_rows());
        index.intern(&keys, 0..rows.num_rows(), &mut groups);
        Ok(BatchKeys { groups, keys: self.reader.encoded(index)? })
    }
}

impl BatchKeys {
    /// Number of distinct keys.
    pub(crate) fn len(&self) -> usize {
        self.keys.len()
    }

    /// The first row of every key.
    pub(crate) fn first_rows(&self) -> Vec<u32> {
        let mut rows = Vec::with_capacity(self.len());
        for (row, group) in self.groups.iter().enumerate() {
            if *group as usize == rows.len() {
                rows.push(row as u32);
            }
        }
        rows
    }
}
