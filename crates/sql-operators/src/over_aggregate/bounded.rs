//! OVER over finite input: all rows are sorted by partition and order at the end, then computed in one pass.

use super::calls::OverCalls;
use super::frame::{OverRow, Script};
use super::partition::{Partitions, evaluate};
use crate::arrow_error;
use crate::columns::{record_batch, relabelled, schema_of, timestamps_ms, types_of};
use crate::row_values::KeyColumns;
use crate::sort::sorted_indices;
use arrow::array::{ArrayRef, RecordBatch};
use arrow::compute::{concat_batches, take_record_batch};
use arrow::datatypes::SchemaRef;
use headwater_data::ChangeBatch;
use headwater_data::key_codec::EncodedKeys;
use headwater_operator_api::{Collector, OpenContext, Operator, Progress};
use headwater_plan::OperatorNode;
use headwater_plan::operators::{OverAggregateSpec, OverFrame, SortKey};
use headwater_types::{Error, Result};
use std::ops::Range;

pub(super) struct BoundedOver {
    spec: OverAggregateSpec,
    calls: OverCalls,
    keys: KeyColumns,
    order: KeyColumns,
    input: SchemaRef,
    output: SchemaRef,
    batches: Vec<RecordBatch>,
    /// The results and how many of them were emitted.
    results: Option<(RecordBatch, usize)>,
    batch_rows: usize,
}

impl BoundedOver {
    pub(super) fn new(spec: &OverAggregateSpec, node: &OperatorNode) -> Result<Self> {
        let order: Vec<usize> = spec.order.iter().map(|key| key.column).collect();
        Ok(Self {
            calls: OverCalls::new(spec, &types_of(&node.inputs[0]))?,
            keys: KeyColumns::new(&node.inputs[0], &spec.keys)?,
            order: KeyColumns::new(&node.inputs[0], &order)?,
            input: schema_of(&node.inputs[0]),
            output: schema_of(&node.output),
            batches: vec![],
            results: None,
            batch_rows: 4096,
            spec: spec.clone(),
        })
    }

    fn sorted(&mut self) -> Result<RecordBatch> {
        let rows = concat_batches(&self.input, &std::mem::take(&mut self.batches)).map_err(arrow_error)?;
        let by_key = |column: &usize| SortKey { column: *column, ascending: true, nulls_first: true };
        let order: Vec<SortKey> = self.spec.keys.iter().map(by_key).chain(self.spec.order.iter().copied()).collect();
        let indices = sorted_indices(&rows, &order, None)?;
        take_record_batch(&rows, &indices).map_err(arrow_error)
    }

    fn compute(&mut self) -> Result<RecordBatch> {
        let rows = self.sorted()?;
        let (mut keys, mut order) = (EncodedKeys::new(), EncodedKeys::new());
        self.keys.encode(&rows, &mut keys)?;
        self.order.encode(&rows, &mut order)?;
        let partitions = runs(rows.num_rows(), |a, b| keys.key(a) == keys.key(b));
        let same_peer = |a: usize, b: usize| keys.key(a) == keys.key(b) && order.key(a) == order.key(b);
        let peer_runs = runs(rows.num_rows(), same_peer);
        let times = self.times(&rows)?;
        let mut script = Script::default();
        let mut peers = Vec::with_capacity(rows.num_rows());
        for run in &peer_runs {
            peers.extend(std::iter::repeat_n(run.clone(), run.len()));
        }
        for (group, partition) in partitions.iter().enumerate() {
            let row = |row: usize| OverRow {
                position: row as u32,
                time: times.get(row).copied().unwrap_or(0),
                peer: peers[row].start as i64,
            };
            let rows: Vec<OverRow> = partition.clone().map(row).collect();
            script.partition(self.spec.frame, group as u32, &rows, 0, 0);
        }
        let mut accumulators = self.calls.accumulators(partitions.len())?;
        let results = self.calls.run(&mut accumulators, &script, &rows, 0)?;
        let of = Partitions { rows: &rows, partitions: &partitions, peers: &peers };
        let mut columns: Vec<ArrayRef> = rows.columns().to_vec();
        for (call, result) in self.spec.calls.iter().zip(results) {
            columns.push(result.map_or_else(|| evaluate(call, &of), Ok)?);
        }
        record_batch(&self.output, columns, rows.num_rows())
    }

    /// What RANGE distances are measured in; rising in the order of rows. Empty where nothing is measured.
    fn times(&self, rows: &RecordBatch) -> Result<Vec<i64>> {
        let (OverFrame::Range(_), Some(first)) = (self.spec.frame, self.spec.order.first()) else { return Ok(vec![]) };
        let times = timestamps_ms(rows.column(first.column))?;
        let sign = if first.ascending { 1 } else { -1 };
        Ok(times.ms.iter().map(|ms| ms.saturating_mul(sign)).collect())
    }
}

/// Runs of rows that are the same as the one before.
fn runs(rows: usize, same: impl Fn(usize, usize) -> bool) -> Vec<Range<usize>> {
    let mut runs: Vec<Range<usize>> = vec![];
    for row in 0..rows {
        match runs.last_mut() {
            Some(run) if same(row - 1, row) => run.end = row + 1,
            _ => runs.push(row..row + 1),
        }
    }
    runs
}

impl Operator for BoundedOver {
    fn open(&mut self, context: &OpenContext) -> Result<()> {
        self.batch_rows = context.batch_rows.max(1);
        Ok(())
    }

    fn process(&mut self, _input: u8, batch: ChangeBatch, _out: &mut dyn Collector) -> Result<()> {
        if !batch.is_append() {
            return Err(Error::unsupported("OVER over a changelog in batch mode"));
        }
        let (rows, _) = batch.into_parts();
        self.batches.push(relabelled(rows, &self.input)?);
        Ok(())
    }

    fn end_input(&mut self, _input: u8, out: &mut dyn Collector) -> Result<Progress> {
        let (rows, next) = match self.results.take() {
            Some(results) => results,
            None => (self.compute()?, 0),
        };
        let count = self.batch_rows.min(rows.num_rows() - next);
        if count > 0 {
            out.emit(ChangeBatch::append(rows.slice(next, count)));
        }
        if next + count == rows.num_rows() {
            return Ok(Progress::Done);
        }
        self.results = Some((rows, next + count));
        Ok(Progress::More)
    }
}
