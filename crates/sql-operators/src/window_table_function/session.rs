//! SESSION: rows are kept until their session ends and then emitted with its window.
//!
//! Checkpoints hold the rows; sessions follow from them.

use super::window_columns;
use crate::arrow_error;
use crate::columns::{TimeColumn, record_batch, schema_of, timestamps_ms};
use crate::mirror::Position;
use crate::row_mirror::{KeptRows, RowMirror};
use crate::window::WallClock;
use crate::window::sessions::{Ended, Merges, SessionTable, resolve};
use arrow::array::{ArrayRef, Int64Array, RecordBatch};
use arrow::compute::interleave_record_batch;
use arrow::datatypes::{DataType, Field, FieldRef, Schema, SchemaRef};
use hashbrown::HashMap;
use headwater_data::ChangeBatch;
use headwater_data::key_codec::{EncodedKeys, KeyEncoder};
use headwater_operator_api::{Collector, OpenContext, Operator, Progress};
use headwater_plan::OperatorNode;
use headwater_plan::graph::RowType;
use headwater_plan::operators::{WindowSpec, WindowTime};
use headwater_state::{Snapshot, StateContext};
use headwater_types::{Error, LogicalType, MIN_WATERMARK, Result, TypeRoot};
use std::sync::Arc;

/// The table tells rows apart by their numbers alone.
const NO_WINDOW: (i64, i64) = (0, 0);

/// A batch of which some rows are kept.
struct Kept {
    rows: KeptRows,
    /// Which rows are in a session that is still open.
    live: Vec<bool>,
    /// How many they are.
    count: usize,
}

pub(super) struct SessionWindows {
    rowtime: Option<usize>,
    clock: WallClock,
    keys: Vec<usize>,
    encoder: KeyEncoder,
    encoded: EncodedKeys,
    table: SessionTable,
    /// The rows of every slot: batch number and row.
    slots: Vec<Vec<(u64, u32)>>,
    batches: HashMap<u64, Kept>,
    /// Batches that no snapshot holds yet.
    new_batches: Vec<u64>,
    next_batch: u64,
    mirror: RowMirror,
    position: Position,
    progress: i64,
    output: SchemaRef,
    context: Option<OpenContext>,
    batch_rows: usize,
}

impl SessionWindows {
    pub(super) fn new(gap_ms: i64, spec: &WindowSpec, node: &OperatorNode) -> Result<Self> {
        let rowtime = match spec.time {
            WindowTime::Rowtime(column) => Some(column),
            _ => None,
        };
        let key_type = |key: &usize| headwater_data::arrow_type(&node.inputs[0][*key].1);
        let key_types: Vec<DataType> = spec.partition_by.iter().map(key_type).collect();
        Ok(Self {
            rowtime,
            clock: WallClock::new(spec.zone.as_deref())?,
            keys: spec.partition_by.clone(),
            encoder: KeyEncoder::new(&key_types)?,
            encoded: EncodedKeys::new(),
            table: SessionTable::new(gap_ms),
            slots: vec![],
            batches: HashMap::new(),
            new_batches: vec![],
            next_batch: 0,
            mirror: RowMirror::new("rows", &stored_row(&node.inputs[0]), &spec.partition_by, false)?,
            position: Position::default(),
            progress: MIN_WATERMARK,
            output: schema_of(&node.output),
            context: None,
            batch_rows: 4096,
        })
    }

    /// Puts the rows of a batch into their sessions; the answer is the number of late ones.
    fn keep(&mut self, rows: &RecordBatch) -> Result<usize> {
        let now = self.context.as_ref().map_or(0, |context| context.env.now_ms());
        let now = WallClock::arrival(now, self.progress);
        let times = match self.rowtime {
            Some(column) => timestamps_ms(rows.column(column))?,
            None => TimeColumn { ms: vec![now; rows.num_rows()].into(), nulls: None },
        };
        let kept = self.mirror.keep(with_times(rows, &times)?);
        let progress = self.progress;
        let number = self.next_batch;
        let count = self.assign(kept, &times, progress);
        if count > 0 {
            self.new_batches.push(number);
        }
        Ok(rows.num_rows() - count)
    }

    /// Assigns rows whose keys are encoded to sessions; the answer is how many were not late.
    fn assign(&mut self, rows: KeptRows, times: &TimeColumn, progress: i64) -> usize {
        let number = self.next_batch;
        self.next_batch += 1;
        let mut live = vec![false; rows.numbers.len()];
        for (row, live) in live.iter_mut().enumerate() {
            if times.nulls.as_ref().is_some_and(|nulls| nulls.is_null(row)) {
                continue;
            }
            let time = self.clock.to_wall(times.ms[row]);
            let clock = &self.clock;
            let is_late = |end: i64| progress >= clock.timer_instant(end - 1);
            let mut merges = Merges::new();
            let Some(slot) = self.table.assign(self.encoded.key(row), time, is_late, &mut merges) else { continue };
            self.slots.resize_with(self.table.slots(), Vec::new);
            for (from, to) in &merges {
                let moved = std::mem::take(&mut self.slots[*from as usize]);
                self.slots[*to as usize].extend(moved);
                self.table.release(*from);
            }
            self.slots[resolve(slot, &merges) as usize].push((number, row as u32));
            *live = true;
        }
        let count = live.iter().filter(|live| **live).count();
        if count > 0 {
            self.batches.insert(number, Kept { rows, live, count });
        }
        count
    }

    /// Takes over the rows of a checkpoint. None of them was late when it came.
    fn restore(&mut self, state: &StateContext) -> Result<()> {
        (self.progress, _) = self.position.open(state)?;
        for (_, kept) in self.mirror.open(state)? {
            let rows = &kept.rows;
            let key_columns: Vec<_> = self.keys.iter().map(|key| rows.column(*key).clone()).collect();
            self.encoder.encode(&key_columns, rows.num_rows(), &mut self.encoded)?;
            let times = timestamps_ms(rows.column(rows.num_columns() - 1))?;
            self.assign(kept, &times, MIN_WATERMARK);
        }
        Ok(())
    }

    fn fire(&mut self, progress: i64, out: &mut dyn Collector) -> Result<Progress> {
        self.progress = self.progress.max(progress);
        let mut ended: Vec<Ended> = vec![];
        let mut rows = 0;
        while rows < self.batch_rows {
            let (progress, clock) = (self.progress, &self.clock);
            let Some(session) = self.table.pop_due(|end| progress >= clock.timer_instant(end - 1)) else { break };
            rows += self.slots[session.slot as usize].len();
            ended.push(session);
        }
        if ended.is_empty() {
            return Ok(Progress::Done);
        }
        self.emit(ended, out)?;
        Ok(Progress::More)
    }

    fn emit(&mut self, ended: Vec<Ended>, out: &mut dyn Collector) -> Result<()> {
        let (mut places, mut windows) = (vec![], vec![]);
        for session in &ended {
            let rows = std::mem::take(&mut self.slots[session.slot as usize]);
            windows.extend(std::iter::repeat_n((session.start, session.end), rows.len()));
            places.extend(rows);
            self.table.release(session.slot);
        }
        let input = self.gather(&places)?;
        // The last column is the time, which only checkpoints need.
        let mut columns = input.columns()[..input.num_columns() - 1].to_vec();
        columns.extend(window_columns(&windows, &self.output, &self.clock)?);
        out.emit(ChangeBatch::append(record_batch(&self.output, columns, input.num_rows())?));
        Ok(())
    }

    /// Collects rows from their batches and drops batches that are used up.
    fn gather(&mut self, places: &[(u64, u32)]) -> Result<RecordBatch> {
        let mut positions: HashMap<u64, usize> = HashMap::new();
        let mut used: Vec<(u64, Vec<u32>)> = vec![];
        let mut indices = Vec::with_capacity(places.len());
        for (number, row) in places {
            let position = *positions.entry(*number).or_insert_with(|| {
                used.push((*number, vec![]));
                used.len() - 1
            });
            used[position].1.push(*row);
            indices.push((position, *row as usize));
        }
        let missing = || Error::internal("a session refers to a batch that is gone");
        let batch = |number: &u64| self.batches.get(number).map(|kept| &kept.rows.rows).ok_or_else(missing);
        let batches = used.iter().map(|(number, _)| batch(number)).collect::<Result<Vec<_>>>()?;
        let gathered = interleave_record_batch(&batches, &indices).map_err(arrow_error)?;
        for (number, rows) in used {
            self.drop_rows(number, rows)?;
        }
        Ok(gathered)
    }

    /// Drops emitted rows of a batch, and the batch if none is left.
    fn drop_rows(&mut self, number: u64, mut rows: Vec<u32>) -> Result<()> {
        let Some(kept) = self.batches.get_mut(&number) else { return Ok(()) };
        rows.sort_unstable();
        self.mirror.forget(NO_WINDOW, &kept.rows, &rows)?;
        rows.iter().for_each(|row| kept.live[*row as usize] = false);
        kept.count -= rows.len();
        if kept.count == 0 {
            self.batches.remove(&number);
        }
        Ok(())
    }
}

impl Operator for SessionWindows {
    fn open(&mut self, context: &OpenContext) -> Result<()> {
        self.batch_rows = context.batch_rows.max(1);
        self.context = Some(context.clone());
        self.restore(&context.state)
    }

    fn process(&mut self, _input: u8, batch: ChangeBatch, _out: &mut dyn Collector) -> Result<()> {
        if !batch.is_append() {
            return Err(Error::unsupported("session windows over a changelog"));
        }
        let rows = batch.rows();
        let key_columns: Vec<_> = self.keys.iter().map(|key| rows.column(*key).clone()).collect();
        self.encoder.encode(&key_columns, rows.num_rows(), &mut self.encoded)?;
        let late = self.keep(rows)?;
        if let (Some(context), true) = (&self.context, late > 0) {
            context.metrics.add_late(late as u64);
        }
        Ok(())
    }

    fn watermark(&mut self, watermark: i64, out: &mut dyn Collector) -> Result<Progress> {
        if self.rowtime.is_some() { self.fire(watermark, out) } else { Ok(Progress::Done) }
    }

    fn next_timer_ms(&self) -> Option<i64> {
        let end = self.table.next_end().filter(|_| self.rowtime.is_none())?;
        Some(self.clock.proctime_timer(end))
    }

    fn processing_time(&mut self, now_ms: i64, out: &mut dyn Collector) -> Result<Progress> {
        if self.rowtime.is_none() { self.fire(WallClock::over_by(now_ms), out) } else { Ok(Progress::Done) }
    }

    fn snapshot(&mut self, snapshot: &mut Snapshot, _out: &mut dyn Collector) -> Result<()> {
        for number in std::mem::take(&mut self.new_batches) {
            if let Some(Kept { rows, live, .. }) = self.batches.get_mut(&number) {
                self.mirror.store(NO_WINDOW, rows, |row| live[row])?;
            }
        }
        self.mirror.snapshot(snapshot);
        self.position.snapshot(self.progress, 0, snapshot);
        Ok(())
    }
}

/// Rows in state carry their time behind their columns: of processing time nothing else would tell it.
fn stored_row(row: &RowType) -> RowType {
    let time = ("time".to_owned(), LogicalType::from(TypeRoot::BigInt));
    row.iter().cloned().chain([time]).collect()
}

fn with_times(rows: &RecordBatch, times: &TimeColumn) -> Result<RecordBatch> {
    let time: ArrayRef = Arc::new(Int64Array::new(times.ms.clone(), None));
    let mut fields: Vec<FieldRef> = rows.schema().fields().iter().cloned().collect();
    fields.push(Arc::new(Field::new("time", DataType::Int64, true)));
    let columns = rows.columns().iter().cloned().chain([time]).collect();
    record_batch(&Arc::new(Schema::new(fields)), columns, rows.num_rows())
}
