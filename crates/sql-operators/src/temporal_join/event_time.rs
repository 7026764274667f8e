//! Temporal join by event time.
//!
//! Left rows wait until the watermark passes them, because versions that are valid at their time may still come.
//! Versions are kept per key by the time from which they are valid; a deletion is a version, too. When the
//! watermark passes, all versions but the one that is valid then and later ones are dropped. Left rows that come
//! late are joined with what is left at the next watermark, as in Flink.

use super::Lookup;
use crate::columns::{relabelled_changes, timestamps_ms};
use crate::hash_join::null_keys;
use crate::joined::PADDED;
use crate::mirror::{Position, push_bigint, take_bigint};
use crate::row_values::{KeyColumns, StoredRows, all_state_columns, state_columns};
use arrow::array::ArrayRef;
use hashbrown::HashSet;
use headwater_data::ChangeBatch;
use headwater_data::key_codec::EncodedKeys;
use headwater_operator_api::{Collector, OpenContext, Operator, Progress};
use headwater_plan::graph::RowType;
use headwater_plan::operators::TemporalJoinSpec;
use headwater_state::{Column, EncodedRows, MapTable, Snapshot, StateContext, TableDescriptor, TimerTable};
use headwater_types::{Error, LogicalType, MIN_WATERMARK, Result, RowKind, TypeRoot};
use std::ops::{Bound, ControlFlow};

pub(super) struct EventTimeJoin {
    lookup: Lookup,
    rows: (RowType, RowType),
    times: (usize, usize),
    keys: [KeyColumns; 2],
    /// Rows behind their kind.
    values: (StoredRows, StoredRows),
    tables: Option<Tables>,
    /// Number of the next left row.
    next: u64,
    progress: i64,
    position: Position,
    batch_rows: usize,
}

struct Tables {
    /// Waiting left rows by time and number.
    left: MapTable,
    /// Versions by time.
    right: MapTable,
    /// When a key has left rows to join or versions to drop.
    timers: TimerTable,
}

/// Left rows that are due, with their versions.
#[derive(Default)]
struct Due {
    left: EncodedRows,
    right: EncodedRows,
    /// For every left row the position of its version.
    versions: Vec<u32>,
}

/// The versions of a key.
#[derive(Default)]
struct Versions {
    times: Vec<i64>,
    bytes: EncodedRows,
    /// Whether the version is a row, not a deletion.
    valid: Vec<bool>,
}

impl EventTimeJoin {
    pub(super) fn new(
        spec: &TemporalJoinSpec,
        (left, right): (&RowType, &RowType),
        times: (usize, usize),
        lookup: Lookup,
    ) -> Result<Self> {
        Ok(Self {
            lookup,
            rows: (left.clone(), right.clone()),
            times,
            keys: [KeyColumns::new(left, &spec.left_keys)?, KeyColumns::new(right, &spec.right_keys)?],
            values: (StoredRows::new(left, 1)?, StoredRows::new(right, 1)?),
            tables: None,
            next: 0,
            progress: MIN_WATERMARK,
            position: Position::default(),
            batch_rows: 4096,
        })
    }

    fn tables(&self, state: &StateContext) -> Result<Tables> {
        let bigint = |name: &str| Column::new(name, LogicalType::from(TypeRoot::BigInt));
        let value = |row: &RowType| {
            let mut columns = vec![Column::new("kind", LogicalType::from(TypeRoot::Int).not_null())];
            columns.extend(all_state_columns(row));
            columns
        };
        let left_key = state_columns(&self.rows.0, self.keys[0].columns());
        let right_key = state_columns(&self.rows.1, self.keys[1].columns());
        let left_order = vec![bigint("time"), bigint("number")];
        let left = TableDescriptor::map("left-rows", left_key.clone(), left_order, value(&self.rows.0)).with_rows();
        let right = TableDescriptor::map("versions", right_key, vec![bigint("time")], value(&self.rows.1)).with_rows();
        Ok(Tables {
            left: state.map_table(left)?,
            right: state.map_table(right)?,
            timers: state.timer_table(TableDescriptor::timers("timers", left_key))?,
        })
    }

    /// Keeps left rows until the watermark passes them.
    fn keep_left(&mut self, batch: &ChangeBatch, out: &mut dyn Collector) -> Result<()> {
        let rows = batch.rows();
        let (keys, mut null) = self.read_keys(batch, 0)?;
        let times = timestamps_ms(rows.column(self.times.0))?;
        if let Some(nulls) = &times.nulls {
            null.iter_mut().enumerate().for_each(|(row, null)| *null |= nulls.is_null(row));
        }
        let mut bytes = EncodedRows::new();
        self.values.0.encode(rows, &mut bytes)?;
        let tables = self.tables.as_mut().ok_or_else(unopened)?;
        let (mut value, mut map_key) = (vec![], vec![]);
        for row in (0..rows.num_rows()).filter(|row| !null[*row]) {
            map_key.clear();
            push_bigint(&mut map_key, times.ms[row]);
            push_bigint(&mut map_key, self.next as i64);
            self.next += 1;
            value.clear();
            value.extend_from_slice(bytes.row(row));
            self.values.0.set_number(&mut value, 0, batch.kind(row) as u32)?;
            tables.left.put(keys.key(row), &map_key, &value)?;
            tables.timers.register(times.ms[row], keys.key(row));
        }
        self.emit_null_keys(batch, &null, out)
    }

    /// Rows that no version can match need not wait.
    fn emit_null_keys(&self, batch: &ChangeBatch, null: &[bool], out: &mut dyn Collector) -> Result<()> {
        if !self.lookup.pads || !null.contains(&true) {
            return Ok(());
        }
        let mask = arrow::array::BooleanArray::from(null.to_vec());
        let lonely = batch.filter(&mask).map_err(crate::arrow_error)?;
        let kinds: Vec<i8> = (0..lonely.num_rows()).map(|row| lonely.kind(row) as i8).collect();
        let nothing = arrow::array::RecordBatch::new_empty(self.values.1.schema().clone());
        let versions = vec![PADDED; kinds.len()];
        self.lookup.emit(lonely.rows(), &kinds, &nothing, versions, self.batch_rows, out)
    }

    /// Keeps versions. The half of an update that takes the old row back says nothing new.
    fn keep_right(&mut self, batch: &ChangeBatch) -> Result<()> {
        let rows = batch.rows();
        let (keys, null) = self.read_keys(batch, 1)?;
        let times = timestamps_ms(rows.column(self.times.1))?;
        let mut bytes = EncodedRows::new();
        self.values.1.encode(rows, &mut bytes)?;
        let tables = self.tables.as_mut().ok_or_else(unopened)?;
        let (mut value, mut map_key) = (vec![], vec![]);
        for row in (0..rows.num_rows()).filter(|row| !null[*row]) {
            let kind = batch.kind(row);
            let timeless = times.nulls.as_ref().is_some_and(|nulls| nulls.is_null(row));
            if kind == RowKind::UpdateBefore || timeless {
                continue;
            }
            map_key.clear();
            push_bigint(&mut map_key, times.ms[row]);
            value.clear();
            value.extend_from_slice(bytes.row(row));
            self.values.1.set_number(&mut value, 0, kind as u32)?;
            tables.right.put(keys.key(row), &map_key, &value)?;
            tables.timers.register(times.ms[row], keys.key(row));
        }
        Ok(())
    }

    fn read_keys(&self, batch: &ChangeBatch, side: usize) -> Result<(EncodedKeys, Vec<bool>)> {
        let (rows, columns) = (batch.rows(), &self.keys[side]);
        let mut keys = EncodedKeys::new();
        columns.encode(rows, &mut keys)?;
        let key_columns: Vec<ArrayRef> = columns.columns().iter().map(|c| rows.column(*c).clone()).collect();
        Ok((keys, null_keys(&key_columns, &[], rows.num_rows())))
    }

    /// Joins the due rows of a key and drops versions that are no longer needed.
    fn process_key(&mut self, key: &[u8], due: &mut Due) -> Result<()> {
        let progress = self.progress;
        let tables = self.tables.as_mut().ok_or_else(unopened)?;
        let left = take_due(&mut tables.left, key, progress)?;
        let versions = Versions::read(&mut tables.right, key, &self.values.1)?;
        // Where each version that is needed went.
        let mut places = vec![PADDED; versions.times.len()];
        for (_, time, row) in &left {
            let after = versions.times.partition_point(|version| version <= time);
            let version = after.checked_sub(1).filter(|version| versions.valid[*version]);
            let place = version.map(|version| {
                if places[version] == PADDED {
                    places[version] = due.right.len() as u32;
                    due.right.push(versions.bytes.row(version));
                }
                places[version]
            });
            due.left.push(row);
            due.versions.push(place.unwrap_or(PADDED));
        }
        drop_versions(&mut tables.right, key, &versions, progress)
    }

    fn emit(&self, due: Due, out: &mut dyn Collector) -> Result<()> {
        let kind = |row: &[u8]| Ok(self.values.0.number(row, 0)? as i8);
        let kinds = due.left.iter().map(kind).collect::<Result<Vec<_>>>()?;
        let left = self.values.0.decode(&due.left.iter().collect::<Vec<_>>())?;
        let right = self.values.1.decode(&due.right.iter().collect::<Vec<_>>())?;
        self.lookup.emit(&left, &kinds, &right, due.versions, self.batch_rows, out)
    }
}

/// Takes out the rows of a key that the watermark passed, in the order in which they arrived: number, time and row.
pub(crate) fn take_due(table: &mut MapTable, key: &[u8], progress: i64) -> Result<Vec<(i64, i64, Vec<u8>)>> {
    let mut end = vec![];
    push_bigint(&mut end, progress);
    end.push(u8::MAX);
    let mut rows = vec![];
    let mut map_keys = EncodedKeys::new();
    let mut failed = Ok(());
    table.scan(key, (Bound::Unbounded, Bound::Excluded(end.as_slice())), false, &mut |map_key, value| {
        let mut rest = map_key;
        match take_bigint(&mut rest).and_then(|time| Ok((take_bigint(&mut rest)?, time))) {
            Ok((number, time)) => rows.push((number, time, value.to_vec())),
            Err(error) => failed = Err(error),
        }
        map_keys.push(map_key);
        ControlFlow::Continue(())
    })?;
    failed?;
    for map_key in map_keys.iter() {
        table.delete(key, map_key)?;
    }
    rows.sort_unstable_by_key(|(number, _, _)| *number);
    Ok(rows)
}

/// Drops the versions before the one that is valid at the watermark, and that one, too, if it is a deletion.
fn drop_versions(table: &mut MapTable, key: &[u8], versions: &Versions, progress: i64) -> Result<()> {
    let passed = versions.times.partition_point(|time| *time <= progress);
    let Some(current) = passed.checked_sub(1) else { return Ok(()) };
    let end = if versions.valid[current] { current } else { passed };
    let mut map_key = vec![];
    for time in &versions.times[..end] {
        map_key.clear();
        push_bigint(&mut map_key, *time);
        table.delete(key, &map_key)?;
    }
    Ok(())
}

impl Versions {
    fn read(table: &mut MapTable, key: &[u8], values: &StoredRows) -> Result<Self> {
        let mut versions = Self::default();
        let mut failed = Ok(());
        table.scan_all(key, &mut |map_key, value| {
            let mut rest = map_key;
            match take_bigint(&mut rest).and_then(|time| Ok((time, values.number(value, 0)?))) {
                Ok((time, kind)) => {
                    versions.times.push(time);
                    versions.bytes.push(value);
                    versions.valid.push(kind != RowKind::Delete as u32);
                }
                Err(error) => failed = Err(error),
            }
        })?;
        failed.map(|()| versions)
    }
}

fn unopened() -> Error {
    Error::internal("a temporal join was used before it was opened")
}

impl Operator for EventTimeJoin {
    fn open(&mut self, context: &OpenContext) -> Result<()> {
        self.batch_rows = context.batch_rows.max(1);
        (self.progress, self.next) = self.position.open(&context.state)?;
        self.tables = Some(self.tables(&context.state)?);
        Ok(())
    }

    fn process(&mut self, input: u8, batch: ChangeBatch, out: &mut dyn Collector) -> Result<()> {
        let schema = if input == 0 { self.values.0.schema() } else { self.values.1.schema() };
        let batch = relabelled_changes(batch, schema)?;
        if input == 0 { self.keep_left(&batch, out) } else { self.keep_right(&batch) }
    }

    fn watermark(&mut self, watermark: i64, out: &mut dyn Collector) -> Result<Progress> {
        self.progress = self.progress.max(watermark);
        let mut due = Due::default();
        let mut seen: HashSet<Box<[u8]>> = HashSet::new();
        let mut progress = Progress::Done;
        while let Some((_, key)) = self.tables.as_mut().and_then(|tables| tables.timers.pop_due(watermark)) {
            if !seen.contains(&key) {
                self.process_key(&key, &mut due)?;
                seen.insert(key);
            }
            if due.versions.len() >= self.batch_rows {
                progress = Progress::More;
                break;
            }
        }
        if !due.versions.is_empty() {
            self.emit(due, out)?;
        }
        Ok(progress)
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
