//! SESSION: rows are kept until their session ends and then emitted with its window.

use super::window_columns;
use crate::arrow_error;
use crate::columns::{record_batch, schema_of, timestamps_ms};
use crate::window::WallClock;
use crate::window::sessions::{Ended, Merges, SessionTable, resolve};
use arrow::array::RecordBatch;
use arrow::compute::interleave_record_batch;
use arrow::datatypes::{DataType, SchemaRef};
use hashbrown::HashMap;
use headwater_data::ChangeBatch;
use headwater_data::key_codec::{EncodedKeys, KeyEncoder};
use headwater_operator_api::{Collector, OpenContext, Operator, Progress};
use headwater_plan::OperatorNode;
use headwater_plan::operators::{WindowSpec, WindowTime};
use headwater_types::{Error, MIN_WATERMARK, Result};

pub(super) struct SessionWindows {
    rowtime: Option<usize>,
    clock: WallClock,
    keys: Vec<usize>,
    encoder: KeyEncoder,
    encoded: EncodedKeys,
    table: SessionTable,
    /// The rows of every slot: batch number and row.
    slots: Vec<Vec<(u64, u32)>>,
    /// Batches with the number of their rows that are still kept.
    batches: HashMap<u64, (RecordBatch, usize)>,
    next_batch: u64,
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
            next_batch: 0,
            progress: MIN_WATERMARK,
            output: schema_of(&node.output),
            context: None,
            batch_rows: 4096,
        })
    }

    /// Puts the rows of a batch into their sessions; the answer is the number of late ones.
    fn keep(&mut self, rows: &RecordBatch) -> Result<usize> {
        let times = self.rowtime.map(|column| timestamps_ms(rows.column(column))).transpose()?;
        let now = self.context.as_ref().map_or(0, |context| context.env.now_ms());
        let number = self.next_batch;
        self.next_batch += 1;
        let mut kept = 0;
        for row in 0..rows.num_rows() {
            if times.as_ref().and_then(|t| t.nulls.as_ref()).is_some_and(|n| n.is_null(row)) {
                continue;
            }
            let time = self.clock.to_wall(times.as_ref().map_or(now, |t| t.ms[row]));
            let (progress, clock) = (self.progress, &self.clock);
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
            kept += 1;
        }
        if kept > 0 {
            self.batches.insert(number, (rows.clone(), kept));
        }
        Ok(rows.num_rows() - kept)
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
        let mut columns = input.columns().to_vec();
        columns.extend(window_columns(&windows, &self.output, &self.clock)?);
        out.emit(ChangeBatch::append(record_batch(&self.output, columns, input.num_rows())?));
        Ok(())
    }

    /// Collects rows from their batches and drops batches that are used up.
    fn gather(&mut self, places: &[(u64, u32)]) -> Result<RecordBatch> {
        let mut positions: HashMap<u64, usize> = HashMap::new();
        let mut used: Vec<(u64, usize)> = vec![];
        let mut indices = Vec::with_capacity(places.len());
        for (number, row) in places {
            let position = *positions.entry(*number).or_insert_with(|| {
                used.push((*number, 0));
                used.len() - 1
            });
            used[position].1 += 1;
            indices.push((position, *row as usize));
        }
        let missing = || Error::internal("a session refers to a batch that is gone");
        let batch = |(number, _): &(u64, usize)| self.batches.get(number).map(|(batch, _)| batch).ok_or_else(missing);
        let batches = used.iter().map(batch).collect::<Result<Vec<_>>>()?;
        let gathered = interleave_record_batch(&batches, &indices).map_err(arrow_error)?;
        for (number, count) in used {
            if let Some((_, kept)) = self.batches.get_mut(&number) {
                *kept -= count;
                if *kept == 0 {
                    self.batches.remove(&number);
                }
            }
        }
        Ok(gathered)
    }
}

impl Operator for SessionWindows {
    fn open(&mut self, context: &OpenContext) -> Result<()> {
        self.batch_rows = context.batch_rows.max(1);
        self.context = Some(context.clone());
        Ok(())
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
        Some(self.clock.timer_instant(end - 1))
    }

    fn processing_time(&mut self, now_ms: i64, out: &mut dyn Collector) -> Result<Progress> {
        if self.rowtime.is_none() { self.fire(now_ms, out) } else { Ok(Progress::Done) }
    }
}
