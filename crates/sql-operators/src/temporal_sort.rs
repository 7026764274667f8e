//! ORDER BY event time over a stream: rows wait until the watermark passes them, in memory and in checkpoints.

use crate::arrow_error;
use crate::columns::{relabelled, schema_of, timestamps_ms};
use crate::mirror::Position;
use crate::row_mirror::{KeptRows, RowMirror};
use crate::sort::sorted_indices;
use arrow::array::RecordBatch;
use arrow::compute::{concat_batches, take_record_batch};
use arrow::datatypes::SchemaRef;
use headwater_data::ChangeBatch;
use headwater_operator_api::{Collector, OpenContext, Operator, OperatorMetrics, Progress};
use headwater_plan::OperatorNode;
use headwater_plan::operators::TemporalSortSpec;
use headwater_state::Snapshot;
use headwater_types::{Error, MIN_WATERMARK, Result};
use std::sync::Arc;

/// All rows are in one subtask and have no window.
const NO_WINDOW: (i64, i64) = (0, 0);

/// Buffers rows and emits those the watermark passed, in order. As in Flink, a row is late when it is not after the
/// last row that was emitted, whatever the watermark.
pub(crate) struct TemporalSort {
    spec: TemporalSortSpec,
    schema: SchemaRef,
    waiting: Vec<KeptRows>,
    mirror: RowMirror,
    last_emitted_ms: i64,
    position: Position,
    metrics: Arc<OperatorMetrics>,
}

impl TemporalSort {
    pub(crate) fn new(spec: &TemporalSortSpec, node: &OperatorNode) -> Result<Self> {
        Ok(Self {
            spec: spec.clone(),
            schema: schema_of(&node.output),
            waiting: vec![],
            mirror: RowMirror::new("rows", &node.inputs[0], &[], false)?,
            last_emitted_ms: MIN_WATERMARK,
            position: Position::default(),
            metrics: Arc::default(),
        })
    }

    /// The positions of rows at or before `limit`, and of the others.
    fn partition(&self, rows: &RecordBatch, limit: i64) -> Result<(Vec<u32>, Vec<u32>)> {
        let times = timestamps_ms(rows.column(self.spec.rowtime))?;
        if times.nulls.is_some_and(|nulls| nulls.null_count() > 0) {
            let message = "RowTime field should not be null, please convert it to a non-null long value.";
            return Err(Error::user("null-rowtime", message));
        }
        Ok((0..rows.num_rows() as u32).partition(|row| times.ms[*row as usize] <= limit))
    }

    /// Takes the rows out that are due, in the order in which they arrived.
    fn take_due(&mut self, watermark: i64) -> Result<RecordBatch> {
        let mut due = vec![];
        let mut waiting = vec![];
        for kept in std::mem::take(&mut self.waiting) {
            let (ready, rest) = self.partition(&kept.rows, watermark)?;
            self.mirror.forget(NO_WINDOW, &kept, &ready)?;
            match (ready.is_empty(), rest.is_empty()) {
                (true, _) => waiting.push(kept),
                (false, true) => due.push(kept.rows),
                (false, false) => {
                    due.push(kept.pick(ready)?.rows);
                    waiting.push(kept.pick(rest)?);
                }
            }
        }
        self.waiting = waiting;
        concat_batches(&self.schema, &due).map_err(arrow_error)
    }
}

impl Operator for TemporalSort {
    fn open(&mut self, context: &OpenContext) -> Result<()> {
        self.metrics = context.metrics.clone();
        (self.last_emitted_ms, _) = self.position.open(&context.state)?;
        self.waiting = self.mirror.open(&context.state)?.into_iter().map(|(_, kept)| kept).collect();
        Ok(())
    }

    fn process(&mut self, _input: u8, batch: ChangeBatch, _out: &mut dyn Collector) -> Result<()> {
        if !batch.is_append() {
            return Err(Error::unsupported("sorting a changelog"));
        }
        let (rows, _) = batch.into_parts();
        let rows = relabelled(rows, &self.schema)?;
        let (late, in_time) = self.partition(&rows, self.last_emitted_ms)?;
        let kept = self.mirror.keep(rows);
        self.metrics.add_late(late.len() as u64);
        self.waiting.push(if late.is_empty() { kept } else { kept.pick(in_time)? });
        Ok(())
    }

    fn watermark(&mut self, watermark: i64, out: &mut dyn Collector) -> Result<Progress> {
        let ready = self.take_due(watermark)?;
        if ready.num_rows() == 0 {
            return Ok(Progress::Done);
        }
        let times = timestamps_ms(ready.column(self.spec.rowtime))?;
        self.last_emitted_ms = times.ms.iter().copied().fold(self.last_emitted_ms, i64::max);
        let order = sorted_indices(&ready, &self.spec.order, None)?;
        out.emit(ChangeBatch::append(take_record_batch(&ready, &order).map_err(arrow_error)?));
        Ok(Progress::Done)
    }

    fn snapshot(&mut self, snapshot: &mut Snapshot, _out: &mut dyn Collector) -> Result<()> {
        for kept in &mut self.waiting {
            self.mirror.store(NO_WINDOW, kept, |_| true)?;
        }
        self.mirror.snapshot(snapshot);
        self.position.snapshot(self.last_emitted_ms, 0, snapshot);
        Ok(())
    }
}
