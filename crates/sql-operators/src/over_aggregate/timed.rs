//! OVER on streams ordered by a time attribute. Results never change: rows are appended.
//!
//! With event time, rows wait per key by time and number until the watermark passes them. A bounded frame keeps its
//! rows in the same table after that, until they leave it. With processing time, rows are computed when they arrive.
//! Accumulators are kept per key, so the work is proportional to the rows that enter and leave.
//!
//! A row is late when the watermark has passed it, or, with a bounded frame, when a row of its key at its time or
//! later has been computed. Late rows are dropped and counted.

use super::calls::{OverCalls, encode, load};
use super::frame::{OverRow, Script};
use crate::aggregate::Accumulator;
use crate::arrow_error;
use crate::columns::{record_batch, relabelled_changes, schema_of, timestamps_ms, types_of};
use crate::mirror::{Position, push_bigint, take_bigint};
use crate::row_values::{KeyColumns, StoredRows, all_state_columns, state_columns};
use arrow::array::{ArrayRef, Int64Array, RecordBatch, UInt32Array};
use arrow::compute::{concat_batches, take};
use arrow::datatypes::{DataType, SchemaRef};
use hashbrown::{HashMap, HashSet};
use headwater_data::ChangeBatch;
use headwater_data::key_codec::EncodedKeys;
use headwater_operator_api::{Collector, OpenContext, Operator, Progress};
use headwater_plan::OperatorNode;
use headwater_plan::graph::RowType;
use headwater_plan::operators::{OverAggregateSpec, OverFrame, OverTime};
use headwater_state::{
    Column, EncodedRows, MapTable, RowCodec, Snapshot, StateContext, TableDescriptor, TimerTable, Ttl, ValueTable,
};
use headwater_types::{Error, ErrorKind, LogicalType, MIN_WATERMARK, Result, TypeRoot};
use std::ops::{Bound, ControlFlow};
use std::sync::Arc;

pub(super) struct TimedOver {
    spec: OverAggregateSpec,
    row: RowType,
    calls: OverCalls,
    keys: KeyColumns,
    rows: StoredRows,
    /// Last computed time, rows in the frame, and a BINARY column per accumulator.
    codec: RowCodec,
    output: SchemaRef,
    tables: Option<Tables>,
    progress: i64,
    /// Number of the next row.
    next: u64,
    position: Position,
    context: Option<OpenContext>,
}

struct Tables {
    /// Rows by time and number: waiting ones, and those in a bounded frame.
    rows: MapTable,
    states: ValueTable,
    timers: TimerTable,
}

/// A key being computed.
struct Partition {
    key: Box<[u8]>,
    last_ms: i64,
    in_frame: u64,
    rows: Vec<OverRow>,
    /// How many of the rows were computed before.
    old: usize,
    /// The map keys of the rows; empty where they are not in the table.
    map_keys: EncodedKeys,
}

/// Keys being computed, their rows and accumulators.
struct Work {
    partitions: Vec<Partition>,
    /// Encoded rows that partitions refer to.
    bytes: EncodedRows,
    /// Groups with stored accumulators, and those.
    loaded: Vec<u32>,
    states: EncodedRows,
}

impl TimedOver {
    pub(super) fn new(spec: &OverAggregateSpec, node: &OperatorNode) -> Result<Self> {
        let row = node.inputs[0].clone();
        let calls = OverCalls::new(spec, &types_of(&row))?;
        let mut types = vec![DataType::Int64, DataType::Int64];
        types.extend(calls.names().map(|_| DataType::Binary));
        let mut spec = spec.clone();
        if spec.time == OverTime::Proctime && matches!(spec.frame, OverFrame::RangeUnbounded) {
            // As in Flink, rows that arrive in the same millisecond are not peers of each other.
            spec.frame = OverFrame::RowsUnbounded;
        }
        Ok(Self {
            keys: KeyColumns::new(&row, &spec.keys)?,
            rows: StoredRows::new(&row, 0)?,
            codec: RowCodec::new(&types)?,
            output: schema_of(&node.output),
            calls,
            row,
            tables: None,
            progress: MIN_WATERMARK,
            next: 0,
            position: Position::default(),
            context: None,
            spec,
        })
    }

    fn bounded(&self) -> bool {
        matches!(self.spec.frame, OverFrame::Rows(_) | OverFrame::Range(_))
    }

    /// The frame as text: what is stored of another one is too little, or is never taken back.
    fn frame_text(&self) -> String {
        let time = if self.spec.time == OverTime::Proctime { "processing" } else { "event" };
        let frame = match self.spec.frame {
            OverFrame::RowsUnbounded => "ROWS UNBOUNDED PRECEDING".to_owned(),
            OverFrame::Rows(rows) => format!("ROWS {rows} PRECEDING"),
            OverFrame::RangeUnbounded => "RANGE UNBOUNDED PRECEDING".to_owned(),
            OverFrame::Range(ms) => format!("RANGE {ms} ms PRECEDING"),
        };
        format!("the frame {frame} by {time} time")
    }

    fn open_tables(&self, state: &StateContext) -> Result<Tables> {
        let key = || state_columns(&self.row, &self.spec.keys);
        let bigint = |name: &str| Column::new(name, LogicalType::from(TypeRoot::BigInt));
        let bytes = |name: &str| Column::new(name, LogicalType::from(TypeRoot::VarBinary(i32::MAX as u32)));
        let mut value = vec![bigint("last_time"), bigint("rows")];
        value.extend(self.calls.names().map(bytes));
        let ttl = Ttl::of_sql(self.spec.state_ttl_ms);
        let order = vec![bigint("time"), bigint("number")];
        let frame = self.frame_text();
        let rows = TableDescriptor::map("rows", key(), order, all_state_columns(&self.row)).with_rows().cut_by(&frame);
        let states = TableDescriptor::value("accumulators", key(), value).cut_by(frame);
        Ok(Tables {
            rows: state.map_table(rows.with_ttl(ttl))?,
            states: state.value_table(states.with_ttl(ttl))?,
            timers: state.timer_table(TableDescriptor::timers("timers", key()))?,
        })
    }

    fn tables(&mut self) -> Result<&mut Tables> {
        self.tables.as_mut().ok_or_else(|| Error::internal("an OVER operator was used before it was opened"))
    }

    /// Keeps rows until the watermark passes them.
    fn keep(&mut self, rows: &RecordBatch, column: usize) -> Result<()> {
        let (mut keys, mut bytes) = (EncodedKeys::new(), EncodedRows::new());
        self.keys.encode(rows, &mut keys)?;
        self.rows.encode(rows, &mut bytes)?;
        let times = timestamps_ms(rows.column(column))?;
        let mut late = 0;
        let mut map_key = vec![];
        for row in 0..rows.num_rows() {
            let missing = times.nulls.as_ref().is_some_and(|nulls| nulls.is_null(row));
            if missing || self.is_late(keys.key(row), times.ms[row])? {
                late += 1;
                continue;
            }
            map_key.clear();
            push_bigint(&mut map_key, times.ms[row]);
            push_bigint(&mut map_key, self.next as i64);
            self.next += 1;
            let tables = self.tables()?;
            tables.rows.put(keys.key(row), &map_key, bytes.row(row))?;
            tables.timers.register(times.ms[row], keys.key(row));
        }
        if let (Some(context), true) = (&self.context, late > 0) {
            context.metrics.add_late(late);
        }
        Ok(())
    }

    fn is_late(&mut self, key: &[u8], time: i64) -> Result<bool> {
        if time > self.progress {
            return Ok(false);
        }
        if !self.bounded() {
            return Ok(true);
        }
        // The last computed time is all that is needed of the state.
        let Some(state) = self.tables()?.states.get(key)?.map(<[u8]>::to_vec) else { return Ok(false) };
        Ok(time <= self.read_state(&state)?.0)
    }

    /// Last computed time and rows in the frame.
    fn read_state(&self, state: &[u8]) -> Result<(i64, u64)> {
        // The first fixed-width columns, behind one NULL bit per column.
        let numbers = state.get(self.codec.types().len().div_ceil(8)..).and_then(|rest| rest.first_chunk::<16>());
        let short = || Error::new(ErrorKind::Corruption, "bad-over-state", "the state of an OVER partition is cut off");
        let (last, rows) = numbers.ok_or_else(short)?.split_at(8);
        let number = |bytes: &[u8]| bytes.iter().rev().fold(0u64, |number, byte| number << 8 | u64::from(*byte));
        Ok((number(last) as i64, number(rows)))
    }

    /// Starts computing a key.
    fn partition(&mut self, key: Box<[u8]>, work: &mut Work) -> Result<Partition> {
        let state = self.tables()?.states.get(&key)?.map(<[u8]>::to_vec);
        let (mut last_ms, mut in_frame) = (i64::MIN, 0);
        if let Some(state) = state {
            (last_ms, in_frame) = self.read_state(&state)?;
            work.loaded.push(work.partitions.len() as u32);
            work.states.push(&state);
        }
        Ok(Partition { key, last_ms, in_frame, rows: vec![], old: 0, map_keys: EncodedKeys::new() })
    }

    /// Reads the rows of a key that are due, and before them those that leave the frame for them.
    fn read_due(&mut self, partition: &mut Partition, work: &mut Work) -> Result<()> {
        let (bounded, progress) = (self.bounded(), self.progress);
        let first = if bounded { partition.last_ms.saturating_add(1) } else { i64::MIN };
        let table = &mut self.tables()?.rows;
        let mut due = Read::default();
        due.scan(table, &partition.key, first, progress, |_, _| true)?;
        let Some(last) = due.times.last().copied() else { return Ok(()) };
        if bounded && partition.in_frame > 0 {
            let mut leaving = Read::default();
            let arriving = due.times.len() as u64;
            self.read_leaving(partition, arriving, last, &mut leaving)?;
            leaving.append_to(partition, work);
            partition.old = partition.rows.len();
        }
        due.append_to(partition, work);
        partition.last_ms = last;
        Ok(())
    }

    /// Reads the rows of a bounded frame that leave it when `arriving` rows enter, the last at `last`.
    fn read_leaving(&mut self, partition: &Partition, arriving: u64, last: i64, leaving: &mut Read) -> Result<()> {
        let frame = self.spec.frame;
        let in_frame = partition.in_frame;
        let leaves = |count: usize, time: i64| match frame {
            OverFrame::Rows(before) => (count as u64) < (in_frame + arriving).saturating_sub(before.saturating_add(1)),
            OverFrame::Range(ms) => time < last.saturating_sub(ms),
            OverFrame::RowsUnbounded | OverFrame::RangeUnbounded => false,
        };
        let end = partition.last_ms;
        leaving.scan(&mut self.tables()?.rows, &partition.key, i64::MIN, end, leaves)
    }

    /// Computes all partitions of some work; `arrived` are rows that come without having waited.
    fn compute(&mut self, work: Work, arrived: Option<&RecordBatch>, out: &mut dyn Collector) -> Result<()> {
        let Work { mut partitions, bytes, loaded, states } = work;
        let mut rows = self.rows.decode(&bytes.iter().collect::<Vec<_>>())?;
        if let Some(arrived) = arrived {
            let arrived = arrived.clone();
            rows = if rows.num_rows() == 0 {
                arrived
            } else {
                concat_batches(&rows.schema(), [&rows, &arrived]).map_err(arrow_error)?
            };
        }
        let mut accumulators = self.calls.accumulators(partitions.len())?;
        if !loaded.is_empty() {
            let columns = self.codec.decode(&states)?;
            load(&mut accumulators, &loaded, &columns[2..])?;
        }
        let mut script = Script::default();
        let mut left = Vec::with_capacity(partitions.len());
        for (group, partition) in partitions.iter_mut().enumerate() {
            let Partition { rows, old, in_frame, .. } = partition;
            let gone = script.partition(self.spec.frame, group as u32, rows, *old, *in_frame);
            *in_frame = (*in_frame + (rows.len() - *old) as u64).saturating_sub(gone as u64);
            left.push(gone);
        }
        let results = self.calls.run(&mut accumulators, &script, &rows, 0)?;
        self.store(&partitions, &left, &accumulators, &rows)?;
        self.emit(&script, &rows, results, out)
    }

    /// Writes accumulators and the rows of frames.
    fn store(
        &mut self,
        partitions: &[Partition],
        left: &[usize],
        accumulators: &[Box<dyn Accumulator>],
        rows: &RecordBatch,
    ) -> Result<()> {
        let last: ArrayRef = Arc::new(Int64Array::from_iter_values(partitions.iter().map(|p| p.last_ms)));
        let frames: ArrayRef = Arc::new(Int64Array::from_iter_values(partitions.iter().map(|p| p.in_frame as i64)));
        let mut columns = vec![last, frames];
        columns.extend(encode(accumulators, partitions.len()));
        let mut states = EncodedRows::new();
        self.codec.encode(&columns, partitions.len(), &mut states)?;
        let bounded = self.bounded();
        for (group, partition) in partitions.iter().enumerate() {
            if partition.rows.is_empty() {
                continue;
            }
            let tables = self.tables()?;
            tables.states.put(&partition.key, states.row(group))?;
            // Without a bound nobody reads a computed row again.
            let gone = if bounded { left[group] } else { partition.map_keys.len() };
            for map_key in partition.map_keys.iter().take(gone) {
                tables.rows.delete(&partition.key, map_key)?;
            }
        }
        if bounded && self.spec.time == OverTime::Proctime {
            self.store_arrived(partitions, left, rows)?;
        }
        Ok(())
    }

    /// Keeps rows that came without having waited and are still in the frame.
    fn store_arrived(&mut self, partitions: &[Partition], left: &[usize], rows: &RecordBatch) -> Result<()> {
        let mut bytes = EncodedRows::new();
        self.rows.encode(rows, &mut bytes)?;
        let mut map_key = vec![];
        for (partition, left) in partitions.iter().zip(left) {
            for row in partition.rows.iter().skip((*left).max(partition.old)) {
                map_key.clear();
                push_bigint(&mut map_key, row.time);
                push_bigint(&mut map_key, self.next as i64);
                self.next += 1;
                self.tables()?.rows.put(&partition.key, &map_key, bytes.row(row.position as usize))?;
            }
        }
        Ok(())
    }

    fn emit(
        &self,
        script: &Script,
        rows: &RecordBatch,
        results: Vec<Option<ArrayRef>>,
        out: &mut dyn Collector,
    ) -> Result<()> {
        if script.outputs.is_empty() {
            return Ok(());
        }
        let indices = UInt32Array::from(script.outputs.clone());
        let pick = |column: &ArrayRef| take(column, &indices, None).map_err(arrow_error);
        let mut columns = rows.columns().iter().map(pick).collect::<Result<Vec<_>>>()?;
        columns.extend(results.into_iter().flatten());
        let batch = record_batch(&self.output, columns, script.outputs.len())?;
        let batch_rows = self.batch_rows();
        for start in (0..batch.num_rows()).step_by(batch_rows) {
            out.emit(ChangeBatch::append(batch.slice(start, batch_rows.min(batch.num_rows() - start))));
        }
        Ok(())
    }

    fn batch_rows(&self) -> usize {
        self.context.as_ref().map_or(4096, |context| context.batch_rows.max(1))
    }

    /// Computes rows when they arrive.
    fn arrive(&mut self, rows: &RecordBatch, out: &mut dyn Collector) -> Result<()> {
        let now = self.context.as_ref().map_or(0, |context| context.env.now_ms());
        let mut keys = EncodedKeys::new();
        self.keys.encode(rows, &mut keys)?;
        self.tables()?.states.prefetch(&keys)?;
        let mut work = Work::default();
        let mut of_key: HashMap<&[u8], Vec<u32>> = HashMap::new();
        let mut order: Vec<&[u8]> = vec![];
        for (row, key) in keys.iter().enumerate() {
            let of_key = of_key.entry(key).or_default();
            if of_key.is_empty() {
                order.push(key);
            }
            of_key.push(row as u32);
        }
        for key in &order {
            let mut partition = self.partition((*key).into(), &mut work)?;
            if self.bounded() && partition.in_frame > 0 {
                let mut leaving = Read::default();
                self.read_leaving(&partition, of_key[key].len() as u64, now, &mut leaving)?;
                leaving.append_to(&mut partition, &mut work);
                partition.old = partition.rows.len();
            }
            partition.last_ms = now;
            work.partitions.push(partition);
        }
        // Arrived rows stand behind those that were read.
        let first = work.bytes.len() as u32;
        for (partition, key) in work.partitions.iter_mut().zip(&order) {
            let row = |row: &u32| OverRow { position: first + row, time: now, peer: now };
            partition.rows.extend(of_key[key].iter().map(row));
        }
        self.compute(work, Some(rows), out)
    }
}

impl Default for Work {
    fn default() -> Self {
        Self { partitions: vec![], bytes: EncodedRows::new(), loaded: vec![], states: EncodedRows::new() }
    }
}

/// Rows read from the table.
#[derive(Default)]
struct Read {
    times: Vec<i64>,
    map_keys: EncodedKeys,
    bytes: EncodedRows,
}

impl Read {
    /// Reads the rows of a key with times in `[from, to]` in order, while `wanted(rows before, time)`.
    fn scan(
        &mut self,
        table: &mut MapTable,
        key: &[u8],
        from: i64,
        to: i64,
        wanted: impl Fn(usize, i64) -> bool,
    ) -> Result<()> {
        let (mut low, mut high) = (vec![], vec![]);
        push_bigint(&mut low, from);
        push_bigint(&mut high, to);
        high.push(u8::MAX);
        let mut failed = Ok(());
        let bounds = (Bound::Included(low.as_slice()), Bound::Excluded(high.as_slice()));
        table.scan(key, bounds, false, &mut |map_key, value| {
            let mut rest = map_key;
            match take_bigint(&mut rest) {
                Ok(time) if wanted(self.times.len(), time) => {
                    self.times.push(time);
                    self.map_keys.push(map_key);
                    self.bytes.push(value);
                    ControlFlow::Continue(())
                }
                Ok(_) => ControlFlow::Break(()),
                Err(error) => {
                    failed = Err(error);
                    ControlFlow::Break(())
                }
            }
        })?;
        failed
    }

    fn append_to(self, partition: &mut Partition, work: &mut Work) {
        for ((time, map_key), bytes) in self.times.iter().zip(self.map_keys.iter()).zip(self.bytes.iter()) {
            partition.rows.push(OverRow { position: work.bytes.len() as u32, time: *time, peer: *time });
            partition.map_keys.push(map_key);
            work.bytes.push(bytes);
        }
    }
}

impl Operator for TimedOver {
    fn open(&mut self, context: &OpenContext) -> Result<()> {
        (self.progress, self.next) = self.position.open(&context.state)?;
        self.tables = Some(self.open_tables(&context.state)?);
        self.context = Some(context.clone());
        Ok(())
    }

    fn process(&mut self, _input: u8, batch: ChangeBatch, out: &mut dyn Collector) -> Result<()> {
        if !batch.is_append() {
            return Err(Error::unsupported("OVER by a time attribute over a changelog"));
        }
        if batch.num_rows() == 0 {
            return Ok(());
        }
        let batch = relabelled_changes(batch, self.rows.schema())?;
        match self.spec.time {
            OverTime::Rowtime(column) => self.keep(batch.rows(), column),
            _ => self.arrive(batch.rows(), out),
        }
    }

    fn watermark(&mut self, watermark: i64, out: &mut dyn Collector) -> Result<Progress> {
        self.progress = self.progress.max(watermark);
        let mut work = Work::default();
        let mut seen: HashSet<Box<[u8]>> = HashSet::new();
        let mut progress = Progress::Done;
        while let Some((_, key)) = self.tables()?.timers.pop_due(watermark) {
            if seen.contains(&key) {
                continue;
            }
            seen.insert(key.clone());
            let mut partition = self.partition(key, &mut work)?;
            self.read_due(&mut partition, &mut work)?;
            work.partitions.push(partition);
            if work.bytes.len() >= self.batch_rows() {
                progress = Progress::More;
                break;
            }
        }
        if !work.partitions.is_empty() {
            self.compute(work, None, out)?;
        }
        Ok(progress)
    }

    fn snapshot(&mut self, snapshot: &mut Snapshot, _out: &mut dyn Collector) -> Result<()> {
        if let Some(tables) = &mut self.tables {
            tables.rows.snapshot(snapshot);
            tables.states.snapshot(snapshot);
            tables.timers.snapshot(snapshot);
        }
        self.position.snapshot(self.progress, self.next, snapshot);
        Ok(())
    }
}
