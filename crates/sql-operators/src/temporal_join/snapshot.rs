//! Join with the present rows of a table that was loaded first (`SNAPSHOT`).
//!
//! Until the watermark has come to the time that says that the table is loaded, left rows wait. After that each is joined,
//! when it arrives, with all rows that the right side holds for its key. Changes of the right side change no earlier
//! result.
//!
//! Equal right rows are kept once, with their number. The watermark is that of both inputs, so left rows that are behind
//! the time wait, too, until they have come to it.

use super::Lookup;
use crate::columns::relabelled_changes;
use crate::hash_join::null_keys;
use crate::joined::{PADDED, joined_batch};
use crate::mirror::{Position, push_bigint, take_bigint};
use crate::row_values::{
    KeyColumns, RowValues, StoredRows, all_state_columns, read_counts, state_columns, write_counts,
};
use arrow::array::{ArrayRef, RecordBatch};
use hashbrown::HashMap;
use headwater_data::ChangeBatch;
use headwater_data::key_codec::EncodedKeys;
use headwater_operator_api::{Collector, OpenContext, Operator, Progress};
use headwater_plan::graph::RowType;
use headwater_plan::operators::TemporalJoinSpec;
use headwater_state::{Column, EncodedRows, MapTable, Snapshot, StateContext, TableDescriptor, TimerTable};
use headwater_types::{Error, LogicalType, MIN_WATERMARK, Result, TypeRoot};

pub(super) struct SnapshotJoin {
    lookup: Lookup,
    load_until_ms: i64,
    rows: (RowType, RowType),
    keys: [KeyColumns; 2],
    left: StoredRows,
    right: RowValues,
    tables: Option<Tables>,
    /// Number of the next left row that waits.
    next: u64,
    progress: i64,
    position: Position,
    batch_rows: usize,
}

struct Tables {
    /// Waiting left rows by number.
    left: MapTable,
    /// How often each right row is there.
    right: MapTable,
    /// The keys of waiting rows.
    timers: TimerTable,
}

/// The rows of the right side that some left rows meet.
#[derive(Default)]
struct Found {
    rows: EncodedKeys,
    /// By key, the positions of its rows.
    of_key: HashMap<Box<[u8]>, Vec<u32>>,
}

impl SnapshotJoin {
    pub(super) fn new(
        spec: &TemporalJoinSpec,
        (left, right): (&RowType, &RowType),
        load_until_ms: i64,
        lookup: Lookup,
    ) -> Result<Self> {
        Ok(Self {
            lookup,
            load_until_ms,
            rows: (left.clone(), right.clone()),
            keys: [KeyColumns::new(left, &spec.left_keys)?, KeyColumns::new(right, &spec.right_keys)?],
            left: StoredRows::new(left, 0)?,
            right: RowValues::new(right)?,
            tables: None,
            next: 0,
            progress: MIN_WATERMARK,
            position: Position::default(),
            batch_rows: 4096,
        })
    }

    fn open_tables(&self, state: &StateContext) -> Result<Tables> {
        let bigint = |name: &str| Column::new(name, LogicalType::from(TypeRoot::BigInt));
        let left_key = || state_columns(&self.rows.0, self.keys[0].columns());
        let right_key = state_columns(&self.rows.1, self.keys[1].columns());
        let left =
            TableDescriptor::map("left-rows", left_key(), vec![bigint("number")], all_state_columns(&self.rows.0));
        let right =
            TableDescriptor::map("right-rows", right_key, all_state_columns(&self.rows.1), vec![bigint("count")]);
        Ok(Tables {
            left: state.map_table(left.with_rows())?,
            right: state.map_table(right.with_rows())?,
            timers: state.timer_table(TableDescriptor::timers("timers", left_key()))?,
        })
    }

    fn tables(&mut self) -> Result<&mut Tables> {
        self.tables.as_mut().ok_or_else(|| Error::internal("a snapshot join was used before it was opened"))
    }

    fn is_loaded(&self) -> bool {
        self.progress >= self.load_until_ms
    }

    fn read_keys(&self, rows: &RecordBatch, side: usize) -> Result<(EncodedKeys, Vec<bool>)> {
        let columns = &self.keys[side];
        let mut keys = EncodedKeys::new();
        columns.encode(rows, &mut keys)?;
        let key_columns: Vec<ArrayRef> = columns.columns().iter().map(|c| rows.column(*c).clone()).collect();
        Ok((keys, null_keys(&key_columns, &[], rows.num_rows())))
    }

    /// Adds the changes of the right side.
    fn keep_right(&mut self, batch: &ChangeBatch) -> Result<()> {
        let (keys, null) = self.read_keys(batch.rows(), 1)?;
        let mut rows = EncodedKeys::new();
        self.right.encode(batch.rows(), &mut rows)?;
        let table = &mut self.tables()?.right;
        let mut value = vec![];
        for row in (0..batch.num_rows()).filter(|row| !null[*row]) {
            let (key, map_key) = (keys.key(row), rows.key(row));
            let mut count = [0];
            if let Some(stored) = table.get(key, map_key)? {
                read_counts(stored, &mut count);
            }
            count[0] += if batch.kind(row).is_add() { 1 } else { -1 };
            if count[0] > 0 {
                value.clear();
                write_counts(&count, &mut value);
                table.put(key, map_key, &value)?;
            } else {
                table.delete(key, map_key)?;
            }
        }
        Ok(())
    }

    /// Keeps left rows until the right side is loaded.
    fn keep_left(&mut self, rows: &RecordBatch) -> Result<()> {
        let (keys, _) = self.read_keys(rows, 0)?;
        let mut bytes = EncodedRows::new();
        self.left.encode(rows, &mut bytes)?;
        let (mut map_key, load_until_ms) = (vec![], self.load_until_ms);
        for row in 0..rows.num_rows() {
            map_key.clear();
            push_bigint(&mut map_key, self.next as i64);
            self.next += 1;
            let tables = self.tables()?;
            tables.left.put(keys.key(row), &map_key, bytes.row(row))?;
            tables.timers.register(load_until_ms, keys.key(row));
        }
        Ok(())
    }

    /// Joins left rows with what the right side holds.
    fn join(&mut self, left: &RecordBatch, out: &mut dyn Collector) -> Result<()> {
        let (keys, null) = self.read_keys(left, 0)?;
        let mut found = Found::default();
        let (mut lefts, mut rights) = (vec![], vec![]);
        for row in (0..left.num_rows()).filter(|row| !null[*row]) {
            let table = &mut self.tables()?.right;
            let matches = found.of(table, keys.key(row))?;
            lefts.extend(std::iter::repeat_n(row as u32, matches.len()));
            rights.extend_from_slice(matches);
        }
        let right = self.right.decode(&found.rows)?;
        if let (Some(condition), false) = (&self.lookup.condition, lefts.is_empty()) {
            let mask = condition.matching(left, &lefts, &right, &rights)?;
            let keep =
                |rows: &[u32]| rows.iter().zip(mask.iter()).filter(|(_, kept)| *kept).map(|(row, _)| *row).collect();
            (lefts, rights) = (keep(&lefts), keep(&rights));
        }
        if self.lookup.pads {
            let met: hashbrown::HashSet<u32> = lefts.iter().copied().collect();
            let lonely = (0..left.num_rows() as u32).filter(|row| !met.contains(row));
            lefts.extend(lonely);
            rights.resize(lefts.len(), PADDED);
        }
        let limit = self.batch_rows;
        for (lefts, rights) in lefts.chunks(limit).zip(rights.chunks(limit)) {
            out.emit(ChangeBatch::append(joined_batch(&self.lookup.output, (left, lefts), Some((&right, rights)))?));
        }
        Ok(())
    }

    /// Joins the rows of a key that have waited.
    fn join_waiting(&mut self, key: &[u8], out: &mut dyn Collector) -> Result<usize> {
        let table = &mut self.tables()?.left;
        let (mut bytes, mut map_keys) = (EncodedRows::new(), EncodedKeys::new());
        let mut ordered = Ok(());
        table.scan_all(key, &mut |map_key, value| {
            let mut rest = map_key;
            if let Err(error) = take_bigint(&mut rest) {
                ordered = Err(error);
            }
            map_keys.push(map_key);
            bytes.push(value);
        })?;
        ordered?;
        for map_key in map_keys.iter() {
            table.delete(key, map_key)?;
        }
        if bytes.is_empty() {
            return Ok(0);
        }
        let rows = self.left.decode(&bytes.iter().collect::<Vec<_>>())?;
        self.join(&rows, out)?;
        Ok(rows.num_rows())
    }
}

impl Found {
    /// Positions of the rows of a key, each as often as it is there.
    fn of(&mut self, table: &mut MapTable, key: &[u8]) -> Result<&[u32]> {
        if !self.of_key.contains_key(key) {
            let (rows, mut positions) = (&mut self.rows, vec![]);
            table.scan_all(key, &mut |map_key, value| {
                let mut count = [0];
                read_counts(value, &mut count);
                let position = rows.len() as u32;
                rows.push(map_key);
                positions.extend(std::iter::repeat_n(position, count[0].max(0) as usize));
            })?;
            self.of_key.insert(key.into(), positions);
        }
        Ok(self.of_key.get(key).map_or(&[], Vec::as_slice))
    }
}

impl Operator for SnapshotJoin {
    fn open(&mut self, context: &OpenContext) -> Result<()> {
        self.batch_rows = context.batch_rows.max(1);
        (self.progress, self.next) = self.position.open(&context.state)?;
        self.tables = Some(self.open_tables(&context.state)?);
        Ok(())
    }

    fn process(&mut self, input: u8, batch: ChangeBatch, out: &mut dyn Collector) -> Result<()> {
        if input == 1 {
            let batch = relabelled_changes(batch, &crate::columns::schema_of(&self.rows.1))?;
            return self.keep_right(&batch);
        }
        let rows = relabelled_changes(batch, self.left.schema())?.into_parts().0;
        if self.is_loaded() { self.join(&rows, out) } else { self.keep_left(&rows) }
    }

    fn watermark(&mut self, watermark: i64, out: &mut dyn Collector) -> Result<Progress> {
        self.progress = self.progress.max(watermark);
        let mut joined = 0;
        while self.is_loaded() {
            let Some((_, key)) = self.tables()?.timers.pop_due(watermark) else { break };
            joined += self.join_waiting(&key, out)?;
            if joined >= self.batch_rows {
                return Ok(Progress::More);
            }
        }
        Ok(Progress::Done)
    }

    fn snapshot(&mut self, snapshot: &mut Snapshot, _out: &mut dyn Collector) -> Result<()> {
        if let Some(tables) = &mut self.tables {
            tables.left.snapshot(snapshot);
            tables.right.snapshot(snapshot);
            tables.timers.snapshot(snapshot);
        }
        self.position.snapshot(self.progress, self.next, snapshot);
        Ok(())
    }
}
