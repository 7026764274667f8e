//! The first rows per key and window: window top-N, and window deduplication (top 1).
//!
//! Rows are kept until their window ends, then sorted by key and order and ranked. A window that gathers
//! many rows is cut back early to the rows that can still be among the first.

#[cfg(test)]
mod tests;

use crate::arrow_error;
use crate::columns::{record_batch, schema_of};
use crate::mirror::Position;
use crate::sort::sorted_indices;
use crate::window::WallClock;
use crate::window_buffer::WindowBuffer;
use arrow::array::{ArrayRef, Int64Array, RecordBatch, UInt32Array};
use arrow::compute::take;
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use headwater_data::ChangeBatch;
use headwater_data::key_codec::{EncodedKeys, KeyEncoder};
use headwater_operator_api::{Collector, OpenContext, Operator, Progress};
use headwater_plan::OperatorNode;
use headwater_plan::graph::RowType;
use headwater_plan::operators::{RankFunction, SortKey, WindowRankSpec};
use headwater_state::Snapshot;
use headwater_types::{Error, MIN_WATERMARK, Result, TimeAttribute};
use std::sync::Arc;

/// Batches of a window beyond which it is cut back.
const BATCHES_MAX: usize = 16;

pub(crate) struct WindowRank {
    spec: WindowRankSpec,
    /// Whether the latest of rows that the order does not tell apart comes first.
    latest_wins: bool,
    clock: WallClock,
    output: SchemaRef,
    buffer: WindowBuffer,
    progress: i64,
    position: Position,
    /// Ranked rows of a fired window and how many of them have been emitted.
    firing: Option<(RecordBatch, usize)>,
    context: Option<OpenContext>,
    batch_rows: usize,
}

impl WindowRank {
    pub(crate) fn new(spec: &WindowRankSpec, node: &OperatorNode) -> Result<Self> {
        Ok(Self {
            latest_wins: keeps_latest(spec, &node.inputs[0]),
            clock: WallClock::new(spec.zone.as_deref())?,
            buffer: WindowBuffer::new("rows", &node.inputs[0], spec.window, &spec.keys)?,
            position: Position::default(),
            output: schema_of(&node.output),
            progress: MIN_WATERMARK,
            firing: None,
            context: None,
            batch_rows: 4096,
            spec: spec.clone(),
        })
    }

    fn fire(&mut self, progress: i64, out: &mut dyn Collector) -> Result<Progress> {
        self.progress = self.progress.max(progress);
        let mut emitted = 0;
        loop {
            if let Some((rows, next)) = self.firing.take() {
                let count = self.batch_rows.min(rows.num_rows() - next);
                out.emit(ChangeBatch::append(rows.slice(next, count)));
                emitted += count;
                if next + count < rows.num_rows() {
                    self.firing = Some((rows, next + count));
                }
                if emitted >= self.batch_rows {
                    return Ok(Progress::More);
                }
                continue;
            }
            let due = |end: i64| self.progress >= self.clock.timer_instant(end - 1);
            let Some(window) = self.buffer.first().filter(|window| due(window.0)) else {
                return Ok(Progress::Done);
            };
            let rows = self.buffer.take(window)?;
            let (indices, ranks) = ranked(&self.spec, &rows, self.spec.start, self.latest_wins)?;
            self.firing = Some((self.result(&rows, &indices, ranks)?, 0)).filter(|(rows, _)| rows.num_rows() > 0);
        }
    }

    fn result(&self, rows: &RecordBatch, indices: &UInt32Array, ranks: Vec<i64>) -> Result<RecordBatch> {
        let pick = |column: &ArrayRef| take(column, indices, None).map_err(arrow_error);
        let mut columns = rows.columns().iter().map(pick).collect::<Result<Vec<_>>>()?;
        let count = ranks.len();
        if self.spec.with_rank {
            columns.push(Arc::new(Int64Array::from(ranks)));
        }
        record_batch(&self.output, columns, count)
    }

    /// Cuts windows with many batches back to the rows that can still be wanted.
    fn cut_back(&mut self) -> Result<()> {
        let (spec, latest_wins) = (&self.spec, self.latest_wins);
        self.buffer.cut_back(BATCHES_MAX, |rows| {
            let (indices, _) = ranked(spec, rows, 1, latest_wins)?;
            // Arrival order decides ties, so the kept rows stay in it.
            let mut kept = indices.values().to_vec();
            kept.sort_unstable();
            Ok(kept)
        })
    }
}

/// The rows with a rank from `start` to the wanted end, and their ranks.
fn ranked(spec: &WindowRankSpec, rows: &RecordBatch, start: u64, latest_wins: bool) -> Result<(UInt32Array, Vec<i64>)> {
    let partitions = partition_numbers(rows, &spec.keys)?;
    let ties = encode(rows, &spec.order.iter().map(|key| key.column).collect::<Vec<_>>())?;
    let order = order_by_partition(spec, rows, &partitions, latest_wins)?;
    let (mut kept, mut ranks) = (vec![], vec![]);
    let (mut row_number, mut rank, mut dense) = (0u64, 0u64, 0u64);
    let mut previous: Option<u32> = None;
    for row in order.values() {
        let same_partition = previous.is_some_and(|p| partitions[p as usize] == partitions[*row as usize]);
        let tie = same_partition && previous.is_some_and(|p| ties.key(p as usize) == ties.key(*row as usize));
        if !same_partition {
            (row_number, rank, dense) = (0, 0, 0);
        }
        row_number += 1;
        if !tie {
            rank = row_number;
            dense += 1;
        }
        let value = match spec.function {
            RankFunction::RowNumber => row_number,
            RankFunction::Rank => rank,
            RankFunction::DenseRank => dense,
        };
        if (start..=spec.end).contains(&value) {
            kept.push(*row);
            ranks.push(value as i64);
        }
        previous = Some(*row);
    }
    Ok((UInt32Array::from(kept), ranks))
}

/// Row positions ordered by partition, then by the order of the specification, then by arrival: the
/// earliest first, or with `latest_wins` the latest.
fn order_by_partition(
    spec: &WindowRankSpec,
    rows: &RecordBatch,
    partitions: &[u32],
    latest_wins: bool,
) -> Result<UInt32Array> {
    let width = rows.num_columns();
    let mut fields: Vec<_> = rows.schema().fields().iter().cloned().collect();
    fields.push(Arc::new(Field::new("partition", DataType::UInt32, false)));
    fields.push(Arc::new(Field::new("arrival", DataType::UInt32, false)));
    let mut columns = rows.columns().to_vec();
    columns.push(Arc::new(UInt32Array::from(partitions.to_vec())));
    columns.push(Arc::new(UInt32Array::from_iter_values(0..rows.num_rows() as u32)));
    let numbered = record_batch(&Arc::new(Schema::new(fields)), columns, rows.num_rows())?;
    let key = |column, ascending| SortKey { column, ascending, nulls_first: true };
    let mut order = vec![key(width, true)];
    order.extend(spec.order.iter().copied());
    order.push(key(width + 1, !latest_wins));
    sorted_indices(&numbered, &order, None)
}

/// Whether the latest of equal rows is kept: deduplication by descending time keeps the last row, and of
/// rows of one time the one that arrived last.
fn keeps_latest(spec: &WindowRankSpec, input: &RowType) -> bool {
    let first_only = spec.function == RankFunction::RowNumber && spec.start == 1 && spec.end == 1;
    let by_time = |key: &SortKey| {
        !key.ascending && input.get(key.column).is_some_and(|(_, ty)| ty.time_attribute() != TimeAttribute::None)
    };
    first_only && matches!(spec.order.as_slice(), [key] if by_time(key))
}

/// Numbers partitions in the order of their first row.
fn partition_numbers(rows: &RecordBatch, keys: &[usize]) -> Result<Vec<u32>> {
    let encoded = encode(rows, keys)?;
    let mut numbers = hashbrown::HashMap::new();
    Ok(encoded
        .iter()
        .map(|key| {
            let next = numbers.len() as u32;
            *numbers.entry(key).or_insert(next)
        })
        .collect())
}

fn encode(rows: &RecordBatch, keys: &[usize]) -> Result<EncodedKeys> {
    let columns: Vec<ArrayRef> = keys.iter().map(|key| rows.column(*key).clone()).collect();
    let types: Vec<_> = columns.iter().map(|c| c.data_type().clone()).collect();
    let mut encoded = EncodedKeys::new();
    KeyEncoder::new(&types)?.encode(&columns, rows.num_rows(), &mut encoded)?;
    Ok(encoded)
}

impl Operator for WindowRank {
    fn open(&mut self, context: &OpenContext) -> Result<()> {
        self.batch_rows = context.batch_rows.max(1);
        self.context = Some(context.clone());
        (self.progress, _) = self.position.open(&context.state)?;
        self.buffer.open(&context.state)
    }

    fn process(&mut self, _input: u8, batch: ChangeBatch, _out: &mut dyn Collector) -> Result<()> {
        if !batch.is_append() {
            return Err(Error::unsupported("window top-N over a changelog"));
        }
        let (progress, clock) = (self.progress, &self.clock);
        let fired = |end: i64| progress >= clock.timer_instant(end - 1);
        let late = self.buffer.push(batch.rows(), clock, fired)?;
        if let (Some(context), true) = (&self.context, late > 0) {
            context.metrics.add_late(late as u64);
        }
        self.cut_back()
    }

    fn watermark(&mut self, watermark: i64, out: &mut dyn Collector) -> Result<Progress> {
        if self.spec.proctime { Ok(Progress::Done) } else { self.fire(watermark, out) }
    }

    fn next_timer_ms(&self) -> Option<i64> {
        let window = self.buffer.first().filter(|_| self.spec.proctime)?;
        Some(self.clock.proctime_timer(window.0))
    }

    fn processing_time(&mut self, now_ms: i64, out: &mut dyn Collector) -> Result<Progress> {
        if self.spec.proctime { self.fire(WallClock::over_by(now_ms), out) } else { Ok(Progress::Done) }
    }

    fn snapshot(&mut self, snapshot: &mut Snapshot, out: &mut dyn Collector) -> Result<()> {
        // A checkpoint never holds half a window.
        if self.firing.is_some() {
            while self.fire(self.progress, out)? == Progress::More {}
        }
        self.buffer.snapshot(snapshot)?;
        self.position.snapshot(self.progress, 0, snapshot);
        Ok(())
    }
}
