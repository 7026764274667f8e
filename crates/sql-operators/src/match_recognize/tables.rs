//! The state of a pattern, by key: rows that wait for the watermark, rows that runs may read, and runs.

use super::runs::Runs;
use crate::mirror::{push_bigint, take_bigint};
use crate::row_values::{StoredRows, all_state_columns, state_columns};
use arrow::array::{Array, ArrayRef, AsArray, BinaryArray, RecordBatch};
use arrow::datatypes::DataType;
use headwater_plan::graph::RowType;
use headwater_state::{
    Column, EncodedRows, MapTable, RowCodec, Snapshot, StateContext, TableDescriptor, TimerTable, ValueTable,
};
use headwater_types::{LogicalType, Result, TypeRoot};
use std::ops::Range;
use std::sync::Arc;

/// The tables.
pub(super) struct Tables {
    /// Rows by time and arrival.
    pub(super) waiting: MapTable,
    /// Rows by number.
    rows: MapTable,
    runs: ValueTable,
    /// When a key has waiting rows to take or runs that take too long.
    pub(super) timers: TimerTable,
    codec: RowCodec,
}

impl Tables {
    /// Opens the tables of rows of this type, partitioned by some columns.
    pub(super) fn open(state: &StateContext, row: &RowType, keys: &[usize]) -> Result<Self> {
        let key = || state_columns(row, keys);
        let bigint = |name: &str| Column::new(name, LogicalType::from(TypeRoot::BigInt));
        let bytes = LogicalType::from(TypeRoot::VarBinary(i32::MAX as u32));
        let all = || all_state_columns(row);
        let waiting =
            TableDescriptor::map("waiting", key(), vec![bigint("time"), bigint("arrival")], all()).with_rows();
        let rows = TableDescriptor::map("rows", key(), vec![bigint("number")], all()).with_rows();
        Ok(Self {
            waiting: state.map_table(waiting)?,
            rows: state.map_table(rows)?,
            runs: state.value_table(TableDescriptor::value("runs", key(), vec![Column::new("runs", bytes)]))?,
            timers: state.timer_table(TableDescriptor::timers("timers", key()))?,
            codec: RowCodec::new(&[DataType::Binary])?,
        })
    }

    /// The runs of a key, and whether there are any in state.
    pub(super) fn runs(&mut self, key: &[u8], variables: usize) -> Result<(Runs, bool)> {
        let Some(stored) = self.runs.get(key)? else { return Ok((Runs::default(), false)) };
        let columns = self.codec.decode_slices(&[stored])?;
        let bytes = columns[0].as_binary::<i32>();
        let runs = if bytes.is_null(0) { Runs::default() } else { Runs::decode(bytes.value(0), variables)? };
        Ok((runs, true))
    }

    /// Replaces the runs of a key; nothing is kept of `None`.
    pub(super) fn set_runs(&mut self, key: &[u8], runs: Option<&Runs>, stored: bool) -> Result<()> {
        let Some(runs) = runs else { return if stored { self.runs.delete(key) } else { Ok(()) } };
        let column: ArrayRef = Arc::new(BinaryArray::from_vec(vec![&runs.encode()]));
        let mut bytes = EncodedRows::new();
        self.codec.encode(&[column], 1, &mut bytes)?;
        self.runs.put(key, bytes.row(0))
    }

    /// The rows of a key with the number of the first.
    pub(super) fn rows(&mut self, key: &[u8], codec: &StoredRows) -> Result<Option<(u64, RecordBatch)>> {
        let mut bytes = EncodedRows::new();
        let mut first = None;
        self.rows.scan_all(key, &mut |map_key, value| {
            let mut rest = map_key;
            first = first.take().or_else(|| Some(take_bigint(&mut rest)));
            bytes.push(value);
        })?;
        let Some(first) = first.transpose()? else { return Ok(None) };
        Ok(Some((first as u64, codec.decode(&bytes.iter().collect::<Vec<_>>())?)))
    }

    /// Forgets rows of a key by their numbers.
    pub(super) fn forget(&mut self, key: &[u8], numbers: Range<u64>) -> Result<()> {
        let mut map_key = vec![];
        for number in numbers {
            map_key.clear();
            push_bigint(&mut map_key, number as i64);
            self.rows.delete(key, &map_key)?;
        }
        Ok(())
    }

    /// Keeps rows of a key, numbered from `first` on.
    pub(super) fn keep(&mut self, key: &[u8], rows: &RecordBatch, first: u64, codec: &StoredRows) -> Result<()> {
        let mut bytes = EncodedRows::new();
        codec.encode(rows, &mut bytes)?;
        let mut map_key = vec![];
        for row in 0..rows.num_rows() {
            map_key.clear();
            push_bigint(&mut map_key, (first + row as u64) as i64);
            self.rows.put(key, &map_key, bytes.row(row))?;
        }
        Ok(())
    }

    pub(super) fn snapshot(&mut self, snapshot: &mut Snapshot) {
        self.waiting.snapshot(snapshot);
        self.rows.snapshot(snapshot);
        self.runs.snapshot(snapshot);
        self.timers.snapshot(snapshot);
    }
}
