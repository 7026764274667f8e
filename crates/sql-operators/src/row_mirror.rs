//! Checkpoints of rows that an operator keeps in batches until they are due.
//!
//! Rows are numbered as they arrive. In state a row has the exchange key of its columns, and as map key its window,
//! if it has one, and its number.

use crate::arrow_error;
use crate::mirror::{Mirror, push_bigint, take_bigint};
use crate::row_values::{KeyColumns, StoredRows, all_state_columns, state_columns};
use arrow::array::{RecordBatch, UInt32Array};
use arrow::compute::{take, take_record_batch};
use headwater_data::key_codec::EncodedKeys;
use headwater_plan::graph::RowType;
use headwater_state::{Column, EncodedRows, Snapshot, StateContext, TableDescriptor};
use headwater_types::{LogicalType, Result, TypeRoot};
use std::collections::BTreeMap;

/// A window by its end and start.
type WindowId = (i64, i64);

/// Rows of one batch that are kept.
#[derive(Debug, Clone)]
pub(crate) struct KeptRows {
    pub(crate) rows: RecordBatch,
    /// Their numbers, rising.
    pub(crate) numbers: Vec<u64>,
    /// Whether a snapshot holds them.
    pub(crate) stored: bool,
}

impl KeptRows {
    /// Some of the rows, by rising position.
    pub(crate) fn pick(&self, positions: Vec<u32>) -> Result<Self> {
        let numbers = positions.iter().map(|position| self.numbers[*position as usize]).collect();
        let rows = match self.rows.num_columns() {
            0 => self.rows.slice(0, positions.len()),
            _ => take_record_batch(&self.rows, &UInt32Array::from(positions)).map_err(arrow_error)?,
        };
        Ok(Self { rows, numbers, stored: self.stored })
    }
}

/// The table of kept rows.
pub(crate) struct RowMirror {
    mirror: Mirror,
    keys: KeyColumns,
    values: StoredRows,
    windowed: bool,
    next: u64,
    map_key: Vec<u8>,
}

impl RowMirror {
    /// For rows of this type with this exchange key; `windowed` when they are told apart by window.
    pub(crate) fn new(name: &str, row: &RowType, keys: &[usize], windowed: bool) -> Result<Self> {
        let bigint = |name: &str| Column::new(name, LogicalType::from(TypeRoot::BigInt));
        let mut map_key = vec![];
        if windowed {
            map_key.extend([bigint("window_end"), bigint("window_start")]);
        }
        map_key.push(bigint("number"));
        let descriptor =
            TableDescriptor::map(name, state_columns(row, keys), map_key, all_state_columns(row)).with_rows();
        Ok(Self {
            mirror: Mirror::new(descriptor),
            keys: KeyColumns::new(row, keys)?,
            values: StoredRows::new(row, 0)?,
            windowed,
            next: 0,
            map_key: vec![],
        })
    }

    /// Numbers rows that are kept from now on.
    pub(crate) fn keep(&mut self, rows: RecordBatch) -> KeptRows {
        let first = self.next;
        self.next += rows.num_rows() as u64;
        KeptRows { numbers: (first..self.next).collect(), rows, stored: false }
    }

    /// Writes rows that no snapshot holds yet, those of which `wanted` is true.
    pub(crate) fn store(
        &mut self,
        window: WindowId,
        kept: &mut KeptRows,
        wanted: impl Fn(usize) -> bool,
    ) -> Result<()> {
        if std::mem::replace(&mut kept.stored, true) {
            return Ok(());
        }
        let (mut keys, mut values) = (EncodedKeys::new(), EncodedRows::new());
        self.keys.encode(&kept.rows, &mut keys)?;
        self.values.encode(&kept.rows, &mut values)?;
        for row in (0..kept.numbers.len()).filter(|row| wanted(*row)) {
            self.write_map_key(window, kept.numbers[row]);
            self.mirror.put(keys.key(row), &self.map_key, values.row(row));
        }
        Ok(())
    }

    /// Forgets rows at some positions.
    pub(crate) fn forget(&mut self, window: WindowId, kept: &KeptRows, positions: &[u32]) -> Result<()> {
        if !kept.stored || positions.is_empty() {
            return Ok(());
        }
        let indices = UInt32Array::from(positions.to_vec());
        let pick = |column: &usize| take(kept.rows.column(*column), &indices, None).map_err(arrow_error);
        let columns = self.keys.columns().iter().map(pick).collect::<Result<Vec<_>>>()?;
        let mut keys = EncodedKeys::new();
        self.keys.encode_columns(&columns, positions.len(), &mut keys)?;
        for (key, position) in keys.iter().zip(positions) {
            self.write_map_key(window, kept.numbers[*position as usize]);
            self.mirror.delete(key, &self.map_key);
        }
        Ok(())
    }

    /// Forgets all rows of a batch.
    pub(crate) fn forget_all(&mut self, window: WindowId, kept: &KeptRows) -> Result<()> {
        let all: Vec<u32> = if kept.stored { (0..kept.numbers.len() as u32).collect() } else { vec![] };
        self.forget(window, kept, &all)
    }

    fn write_map_key(&mut self, window: WindowId, number: u64) {
        self.map_key.clear();
        if self.windowed {
            push_bigint(&mut self.map_key, window.0);
            push_bigint(&mut self.map_key, window.1);
        }
        push_bigint(&mut self.map_key, number as i64);
    }

    /// The restored rows by window, in the order in which they arrived.
    pub(crate) fn open(&mut self, state: &StateContext) -> Result<Vec<(WindowId, KeptRows)>> {
        let Some(mut entries) = self.mirror.open(state)? else { return Ok(vec![]) };
        let mut windows: BTreeMap<WindowId, Vec<(u64, Vec<u8>)>> = BTreeMap::new();
        while entries.advance()? {
            let entry = entries.entry();
            let mut map_key = entry.map_key;
            let window = match self.windowed {
                true => (take_bigint(&mut map_key)?, take_bigint(&mut map_key)?),
                false => (0, 0),
            };
            let number = take_bigint(&mut map_key)? as u64;
            self.next = self.next.max(number + 1);
            windows.entry(window).or_default().push((number, entry.value.unwrap_or_default().to_vec()));
        }
        let restore = |(window, mut rows): (WindowId, Vec<(u64, Vec<u8>)>)| {
            rows.sort_by_key(|(number, _)| *number);
            let bytes: Vec<&[u8]> = rows.iter().map(|(_, row)| row.as_slice()).collect();
            let numbers = rows.iter().map(|(number, _)| *number).collect();
            Ok((window, KeptRows { rows: self.values.decode(&bytes)?, numbers, stored: true }))
        };
        windows.into_iter().map(restore).collect()
    }

    /// Hands over what was written since the last barrier.
    pub(crate) fn snapshot(&mut self, snapshot: &mut Snapshot) {
        self.mirror.snapshot(snapshot);
    }
}
