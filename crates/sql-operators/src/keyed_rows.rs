//! One row per key in state, followed through the rows of a batch.
//!
//! Rows of state are read once per key; while the batch is processed, the row of a key is either the stored one or a
//! row of the batch; at the end the last one of each key is written.

use crate::change_rows::RowRef;
use crate::row_values::{StoredRows, all_state_columns};
use arrow::array::RecordBatch;
use headwater_data::key_codec::EncodedKeys;
use headwater_plan::graph::RowType;
use headwater_state::{Column, EncodedRows, Snapshot, StateContext, TableDescriptor, Ttl, ValueTable};
use headwater_types::Result;

/// The table of rows.
pub(crate) struct KeyedRows {
    descriptor: TableDescriptor,
    table: Option<ValueTable>,
    codec: StoredRows,
    expires: bool,
}

/// The rows of the keys of a batch.
pub(crate) struct CurrentRows {
    /// The encoded rows of the batch.
    input: EncodedRows,
    stored: EncodedRows,
    slots: Vec<Slot>,
}

/// The row of a key.
#[derive(Debug, Clone, Copy)]
struct Slot {
    /// The stored row.
    before: Option<u32>,
    now: Now,
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Now {
    Absent,
    Stored,
    Input(u32),
}

impl KeyedRows {
    /// A table of rows of a type.
    pub(crate) fn new(name: &str, key: Vec<Column>, row: &RowType, ttl_ms: i64) -> Result<Self> {
        let descriptor = TableDescriptor::value(name, key, all_state_columns(row)).with_rows();
        let descriptor = descriptor.with_ttl(Ttl::of_sql(ttl_ms));
        Ok(Self { descriptor, table: None, codec: StoredRows::new(row, 0)?, expires: ttl_ms > 0 })
    }

    /// The same table, whose rows make sense only as these.
    pub(crate) fn cut_by(mut self, rows: &str) -> Self {
        self.descriptor = self.descriptor.cut_by(rows);
        self
    }

    pub(crate) fn open(&mut self, state: &StateContext) -> Result<()> {
        self.table = Some(state.value_table(self.descriptor.clone())?);
        Ok(())
    }

    pub(crate) fn snapshot(&mut self, snapshot: &mut Snapshot) {
        if let Some(table) = &mut self.table {
            table.snapshot(snapshot);
        }
    }

    /// How rows are encoded.
    pub(crate) fn codec(&self) -> &StoredRows {
        &self.codec
    }

    /// Reads the rows of these keys, at the start of a batch.
    pub(crate) fn load(&mut self, keys: &EncodedKeys, batch: &RecordBatch) -> Result<CurrentRows> {
        let table = self.table.as_mut().expect("the operator was opened");
        table.prefetch(keys)?;
        let (mut stored, mut slots) = (EncodedRows::new(), Vec::with_capacity(keys.len()));
        for key in keys.iter() {
            let Some(row) = table.get(key)? else {
                slots.push(Slot { before: None, now: Now::Absent });
                continue;
            };
            slots.push(Slot { before: Some(stored.len() as u32), now: Now::Stored });
            stored.push(row);
        }
        let mut input = EncodedRows::new();
        self.codec.encode(batch, &mut input)?;
        Ok(CurrentRows { input, stored, slots })
    }

    /// Writes the rows that the keys have at the end of a batch.
    pub(crate) fn store(&mut self, keys: &EncodedKeys, rows: &CurrentRows) -> Result<()> {
        let table = self.table.as_mut().expect("the operator was opened");
        for (key, slot) in keys.iter().zip(&rows.slots) {
            match (slot.now, slot.before) {
                (Now::Input(row), before) => {
                    let row = rows.input.row(row as usize);
                    let same = before.is_some_and(|before| rows.stored.row(before as usize) == row);
                    if self.expires || !same {
                        table.put(key, row)?;
                    }
                }
                (Now::Absent, Some(_)) => table.delete(key)?,
                _ => {}
            }
        }
        Ok(())
    }

    /// The stored rows as columns.
    pub(crate) fn decode_stored(&self, rows: &CurrentRows) -> Result<RecordBatch> {
        self.codec.decode(&rows.stored.iter().collect::<Vec<_>>())
    }
}

impl CurrentRows {
    /// The row that a key has now.
    pub(crate) fn get(&self, group: u32) -> Option<RowRef<'_>> {
        let slot = self.slots[group as usize];
        match slot.now {
            Now::Absent => None,
            Now::Input(row) => Some(RowRef::Input(row)),
            Now::Stored => slot.before.map(|before| RowRef::Stored(self.stored.row(before as usize))),
        }
    }

    /// Whether the row that a key has now equals a row of the batch.
    pub(crate) fn is_same(&self, group: u32, row: u32) -> bool {
        let bytes = match self.get(group) {
            None | Some(RowRef::Kept(_)) => return false,
            Some(RowRef::Input(known)) => self.input.row(known as usize),
            Some(RowRef::Stored(bytes)) => bytes,
        };
        bytes == self.input.row(row as usize)
    }

    /// The number among the stored rows of the row that a key had before the batch.
    pub(crate) fn stored_number(&self, group: u32) -> Option<u32> {
        self.slots[group as usize].before
    }

    /// Gives a key a row of the batch.
    pub(crate) fn set(&mut self, group: u32, row: u32) {
        self.slots[group as usize].now = Now::Input(row);
    }

    /// Takes the row of a key away.
    pub(crate) fn remove(&mut self, group: u32) {
        self.slots[group as usize].now = Now::Absent;
    }
}
