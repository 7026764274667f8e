//! The collected rows in state: written at barriers, in the order they came.

use crate::row_values::{StoredRows, all_state_columns, read_counts, write_counts, write_integers};
use arrow::array::RecordBatch;
use headwater_plan::graph::RowType;
use headwater_state::{Column, EncodedRows, MapTable, Snapshot, StateContext, TableDescriptor, ValueTable};
use headwater_types::{Result, TypeRoot};

pub(super) struct SortState {
    /// Number -> row.
    rows: MapTable,
    emitted: ValueTable,
    codec: StoredRows,
    /// Batches that are in the table.
    batches: usize,
    /// Rows that are in the table.
    numbered: i64,
}

impl SortState {
    pub(super) fn open(input: &RowType, state: &StateContext) -> Result<Self> {
        let number = |name: &str| vec![Column::new(name, TypeRoot::BigInt.into())];
        let rows = TableDescriptor::map("rows", vec![], number("number"), all_state_columns(input)).with_rows();
        let emitted = TableDescriptor::value("emitted", vec![], number("emitted")).with_rows();
        Ok(Self {
            rows: state.map_table(rows)?,
            emitted: state.value_table(emitted)?,
            codec: StoredRows::new(input, 0)?,
            batches: 0,
            numbered: 0,
        })
    }

    /// The stored rows, which count as the first batch, and how many had been emitted.
    pub(super) fn restore(&mut self) -> Result<(RecordBatch, usize)> {
        let mut bytes = EncodedRows::new();
        self.rows.scan_all(&[], &mut |_, row| bytes.push(row))?;
        self.batches = usize::from(!bytes.is_empty());
        self.numbered = bytes.len() as i64;
        let mut emitted = [0];
        if let Some(stored) = self.emitted.get(&[])? {
            read_counts(stored, &mut emitted);
        }
        Ok((self.codec.decode(&bytes.iter().collect::<Vec<_>>())?, emitted[0].max(0) as usize))
    }

    /// Writes the batches that are not in the table yet; `batches` starts with those that are.
    pub(super) fn write(&mut self, batches: &[RecordBatch]) -> Result<()> {
        let (mut bytes, mut number) = (EncodedRows::new(), vec![]);
        for batch in batches.iter().skip(self.batches) {
            self.codec.encode(batch, &mut bytes)?;
            for row in bytes.iter() {
                number.clear();
                write_integers(&[self.numbered], &mut number);
                self.rows.put(&[], &number, row)?;
                self.numbered += 1;
            }
        }
        self.batches = batches.len();
        Ok(())
    }

    /// Empties the table: the batches are other ones now.
    pub(super) fn start_anew(&mut self) -> Result<()> {
        if self.numbered > 0 {
            self.rows.clear(&[])?;
        }
        (self.batches, self.numbered) = (0, 0);
        Ok(())
    }

    /// Stores how many rows have been emitted, and hands over what changed.
    pub(super) fn snapshot(&mut self, emitted: usize, snapshot: &mut Snapshot) -> Result<()> {
        let mut bytes = vec![];
        write_counts(&[emitted as i64], &mut bytes);
        if self.emitted.get(&[])? != Some(bytes.as_slice()) {
            self.emitted.put(&[], &bytes)?;
        }
        self.rows.snapshot(snapshot);
        self.emitted.snapshot(snapshot);
        Ok(())
    }
}
