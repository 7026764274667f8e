//! ORDER BY over bounded input, with an optional OFFSET and FETCH.
//!
//! Rows are collected until the input ends. With a fetch, rows that cannot be among the first are thrown
//! away whenever enough have gathered, so memory stays proportional to the fetch. At a barrier the rows that are not
//! in state yet are written there, and how many have been emitted; without barriers state is never touched.

mod state;

use crate::arrow_error;
use crate::columns::{relabelled, schema_of};
use arrow::array::{RecordBatch, UInt32Array};
use arrow::compute::{SortColumn, SortOptions, concat_batches, lexsort_to_indices, take_record_batch};
use arrow::datatypes::SchemaRef;
use headwater_data::ChangeBatch;
use headwater_operator_api::{Collector, OpenContext, Operator, Progress};
use headwater_plan::OperatorNode;
use headwater_plan::graph::RowType;
use headwater_plan::operators::{SortKey, SortSpec};
use headwater_state::Snapshot;
use headwater_types::{Error, Result};
use state::SortState;
use std::sync::Arc;

/// Rows beyond the wanted ones that are collected before they are cut back.
const SLACK_ROWS: usize = 64 * 1024;

pub(crate) struct Sort {
    order: Vec<SortKey>,
    offset: usize,
    /// Rows needed from the start: offset plus fetch.
    wanted: Option<usize>,
    input: RowType,
    schema: SchemaRef,
    batches: Vec<RecordBatch>,
    rows: usize,
    batch_rows: usize,
    /// Rows that have been emitted.
    emitted: usize,
    /// The sorted rows, once the input ended.
    sorted: Option<RecordBatch>,
    state: Option<SortState>,
}

impl Sort {
    pub(crate) fn new(spec: &SortSpec, node: &OperatorNode) -> Self {
        let offset = spec.offset as usize;
        Self {
            order: spec.order.clone(),
            offset,
            wanted: spec.fetch.map(|fetch| offset.saturating_add(fetch as usize)),
            input: node.output.clone(),
            schema: schema_of(&node.output),
            batches: vec![],
            rows: 0,
            batch_rows: 4096,
            emitted: 0,
            sorted: None,
            state: None,
        }
    }

    /// Sorts what was collected and keeps the wanted rows.
    fn sort_all(&mut self) -> Result<RecordBatch> {
        if let Some(state) = &mut self.state {
            state.start_anew()?;
        }
        let batches = std::mem::take(&mut self.batches);
        self.rows = 0;
        let all = concat_batches(&self.schema, &batches).map_err(arrow_error)?;
        let indices = sorted_indices(&all, &self.order, self.wanted)?;
        take_record_batch(&all, &indices).map_err(arrow_error)
    }
}

/// The positions of rows in order; equal rows keep theirs.
pub(crate) fn sorted_indices(rows: &RecordBatch, order: &[SortKey], limit: Option<usize>) -> Result<UInt32Array> {
    let mut columns: Vec<SortColumn> = order
        .iter()
        .map(|key| SortColumn {
            values: rows.column(key.column).clone(),
            options: Some(SortOptions { descending: !key.ascending, nulls_first: key.nulls_first }),
        })
        .collect();
    let positions = UInt32Array::from_iter_values(0..rows.num_rows() as u32);
    columns.push(SortColumn { values: Arc::new(positions), options: None });
    lexsort_to_indices(&columns, limit).map_err(arrow_error)
}

impl Operator for Sort {
    fn open(&mut self, context: &OpenContext) -> Result<()> {
        self.batch_rows = context.batch_rows.max(1);
        let mut state = SortState::open(&self.input, &context.state)?;
        let (rows, emitted) = state.restore()?;
        if rows.num_rows() > 0 {
            self.rows = rows.num_rows();
            self.batches.push(rows);
        }
        self.emitted = emitted;
        self.state = Some(state);
        Ok(())
    }

    fn process(&mut self, _input: u8, batch: ChangeBatch, _out: &mut dyn Collector) -> Result<()> {
        if !batch.is_append() {
            return Err(Error::unsupported("sorting a changelog"));
        }
        let (rows, _) = batch.into_parts();
        self.rows += rows.num_rows();
        self.batches.push(relabelled(rows, &self.schema)?);
        if self.wanted.is_some_and(|wanted| self.rows > wanted.saturating_mul(2).saturating_add(SLACK_ROWS)) {
            let kept = self.sort_all()?;
            self.rows = kept.num_rows();
            self.batches.push(kept);
        }
        Ok(())
    }

    fn end_input(&mut self, _input: u8, out: &mut dyn Collector) -> Result<Progress> {
        let rows = match self.sorted.take() {
            Some(sorted) => sorted,
            None => self.sort_all()?,
        };
        let next = self.offset.saturating_add(self.emitted);
        let count = self.batch_rows.min(rows.num_rows().saturating_sub(next));
        if count > 0 {
            out.emit(ChangeBatch::append(rows.slice(next, count)));
            self.emitted += count;
        }
        let more = next + count < rows.num_rows();
        self.sorted = Some(rows);
        Ok(if more { Progress::More } else { Progress::Done })
    }

    fn snapshot(&mut self, snapshot: &mut Snapshot, _out: &mut dyn Collector) -> Result<()> {
        let Some(state) = &mut self.state else { return Ok(()) };
        match &self.sorted {
            Some(sorted) => state.write(std::slice::from_ref(sorted))?,
            None => state.write(&self.batches)?,
        }
        state.snapshot(self.emitted, snapshot)
    }
}

#[cfg(test)]
mod tests;
