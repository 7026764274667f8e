//! ORDER BY event time over a stream: rows wait until the watermark passes them.

use crate::arrow_error;
use crate::columns::{schema_of, timestamps_ms};
use crate::sort::sorted_indices;
use arrow::array::{BooleanArray, RecordBatch};
use arrow::compute::{concat_batches, filter_record_batch, not, take_record_batch};
use arrow::datatypes::SchemaRef;
use headwater_data::ChangeBatch;
use headwater_operator_api::{Collector, OpenContext, Operator, OperatorMetrics, Progress};
use headwater_plan::OperatorNode;
use headwater_plan::operators::TemporalSortSpec;
use headwater_types::{Error, MIN_WATERMARK, Result};
use std::sync::Arc;

/// Buffers rows and emits those the watermark passed, in order. As in Flink, a row is late when it is not after the
/// last row that was emitted, whatever the watermark.
pub(crate) struct TemporalSort {
    spec: TemporalSortSpec,
    schema: SchemaRef,
    waiting: Vec<RecordBatch>,
    last_emitted_ms: i64,
    metrics: Arc<OperatorMetrics>,
}

impl TemporalSort {
    pub(crate) fn new(spec: &TemporalSortSpec, node: &OperatorNode) -> Self {
        Self {
            spec: spec.clone(),
            schema: schema_of(&node.output),
            waiting: vec![],
            last_emitted_ms: MIN_WATERMARK,
            metrics: Arc::default(),
        }
    }

    /// Which rows are at or before `limit`.
    fn due(&self, rows: &RecordBatch, limit: i64) -> Result<BooleanArray> {
        let times = timestamps_ms(rows.column(self.spec.rowtime))?;
        if times.nulls.is_some_and(|nulls| nulls.null_count() > 0) {
            let message = "RowTime field should not be null, please convert it to a non-null long value.";
            return Err(Error::user("null-rowtime", message));
        }
        Ok(times.ms.iter().map(|t| Some(*t <= limit)).collect())
    }
}

impl Operator for TemporalSort {
    fn open(&mut self, context: &OpenContext) -> Result<()> {
        self.metrics = context.metrics.clone();
        Ok(())
    }

    fn process(&mut self, _input: u8, batch: ChangeBatch, _out: &mut dyn Collector) -> Result<()> {
        if !batch.is_append() {
            return Err(Error::unsupported("sorting a changelog"));
        }
        let (rows, _) = batch.into_parts();
        let rows = rows.with_schema(self.schema.clone()).map_err(arrow_error)?;
        let late = self.due(&rows, self.last_emitted_ms)?;
        if late.true_count() == 0 {
            self.waiting.push(rows);
            return Ok(());
        }
        self.metrics.add_late(late.true_count() as u64);
        let kept = not(&late).and_then(|kept| filter_record_batch(&rows, &kept)).map_err(arrow_error)?;
        self.waiting.push(kept);
        Ok(())
    }

    fn watermark(&mut self, watermark: i64, out: &mut dyn Collector) -> Result<Progress> {
        let all = concat_batches(&self.schema, &std::mem::take(&mut self.waiting)).map_err(arrow_error)?;
        let due = self.due(&all, watermark)?;
        let rest = not(&due).and_then(|rest| filter_record_batch(&all, &rest)).map_err(arrow_error)?;
        let ready = filter_record_batch(&all, &due).map_err(arrow_error)?;
        if rest.num_rows() > 0 {
            self.waiting.push(rest);
        }
        if ready.num_rows() == 0 {
            return Ok(Progress::Done);
        }
        let times = timestamps_ms(ready.column(self.spec.rowtime))?;
        self.last_emitted_ms = times.ms.iter().copied().fold(self.last_emitted_ms, i64::max);
        let order = sorted_indices(&ready, &self.spec.order, None)?;
        out.emit(ChangeBatch::append(take_record_batch(&ready, &order).map_err(arrow_error)?));
        Ok(Progress::Done)
    }
}
