//! Mini-batches: rows wait in bundles, so that a key that changes often is written and emitted once per bundle.
//!
//! [`Bundled`] turns a [`BundleOperator`] into an operator. With a bundle's bounds, rows are collected until the
//! bundle is full or its first row has waited long enough; a watermark, a barrier and the end of input hand it on
//! too, so nothing ever waits behind one of them. Without bounds every batch is handed on as it comes.

use crate::arrow_error;
use crate::kinds::with_kinds;
use arrow::compute::concat_batches;
use headwater_data::{ChangeBatch, RowKinds};
use headwater_env::Env;
use headwater_operator_api::{Collector, OpenContext, Operator, Progress};
use headwater_plan::operators::MiniBatch;
use headwater_state::Snapshot;
use headwater_types::{Result, RowKind};

/// What is done with bundles.
pub(crate) trait BundleOperator: Send {
    /// Opens state.
    fn open(&mut self, context: &OpenContext) -> Result<()>;
    /// Processes rows: those of a bundle (then each key may change once), or a batch as it came.
    fn process(&mut self, rows: ChangeBatch, out: &mut dyn Collector) -> Result<()>;
    /// Hands over changed state.
    fn snapshot(&mut self, snapshot: &mut Snapshot);
}

/// An operator that may collect its input in bundles.
pub(crate) struct Bundled<O> {
    operator: O,
    bundle: Option<Bundle>,
}

struct Bundle {
    bounds: MiniBatch,
    env: Option<Env>,
    batches: Vec<ChangeBatch>,
    rows: u64,
    due_ms: Option<i64>,
}

impl<O: BundleOperator> Bundled<O> {
    pub(crate) fn new(operator: O, bounds: Option<MiniBatch>) -> Self {
        let bundle = |bounds| Bundle { bounds, env: None, batches: vec![], rows: 0, due_ms: None };
        Self { operator, bundle: bounds.map(bundle) }
    }

    fn flush(&mut self, out: &mut dyn Collector) -> Result<()> {
        match self.bundle.as_mut().map(Bundle::take).transpose()?.flatten() {
            Some(rows) => self.operator.process(rows, out),
            None => Ok(()),
        }
    }
}

impl Bundle {
    /// Adds rows until the bundle is full; returns the rest.
    fn fill(&mut self, batch: ChangeBatch) -> Option<ChangeBatch> {
        if self.rows == 0 && batch.num_rows() > 0 {
            let latency = i64::try_from(self.bounds.latency_ms).unwrap_or(i64::MAX);
            self.due_ms = self.env.as_ref().map(|env| env.now_ms().saturating_add(latency));
        }
        let free = self.bounds.rows.max(1) - self.rows;
        let taken = free.min(batch.num_rows() as u64) as usize;
        self.rows += taken as u64;
        if taken == batch.num_rows() {
            self.batches.push(batch);
            return None;
        }
        self.batches.push(batch.slice(0, taken));
        Some(batch.slice(taken, batch.num_rows() - taken))
    }

    fn is_full(&self) -> bool {
        self.rows >= self.bounds.rows.max(1)
    }

    fn take(&mut self) -> Result<Option<ChangeBatch>> {
        let mut batches = std::mem::take(&mut self.batches);
        self.rows = 0;
        self.due_ms = None;
        if batches.len() < 2 {
            return Ok(batches.pop());
        }
        concat(&batches).map(Some)
    }
}

/// One batch of all rows.
fn concat(batches: &[ChangeBatch]) -> Result<ChangeBatch> {
    let schema = batches[0].rows().schema();
    let rows = concat_batches(&schema, batches.iter().map(ChangeBatch::rows)).map_err(arrow_error)?;
    if batches.iter().all(ChangeBatch::is_append) {
        return Ok(ChangeBatch::append(rows));
    }
    let mut kinds: Vec<i8> = Vec::with_capacity(rows.num_rows());
    for batch in batches {
        match batch.kinds() {
            RowKinds::Append => kinds.resize(kinds.len() + batch.num_rows(), RowKind::Insert as i8),
            RowKinds::Mixed(mixed) => kinds.extend_from_slice(mixed),
        }
    }
    Ok(with_kinds(rows, RowKinds::Mixed(kinds.into())))
}

impl<O: BundleOperator> Operator for Bundled<O> {
    fn open(&mut self, context: &OpenContext) -> Result<()> {
        if let Some(bundle) = &mut self.bundle {
            bundle.env = Some(context.env.clone());
        }
        self.operator.open(context)
    }

    fn process(&mut self, _input: u8, batch: ChangeBatch, out: &mut dyn Collector) -> Result<()> {
        let mut rest = Some(batch);
        while let Some(batch) = rest.take() {
            let Some(bundle) = &mut self.bundle else { return self.operator.process(batch, out) };
            rest = bundle.fill(batch);
            if bundle.is_full() {
                self.flush(out)?;
            }
        }
        Ok(())
    }

    fn watermark(&mut self, _watermark: i64, out: &mut dyn Collector) -> Result<Progress> {
        self.flush(out)?;
        Ok(Progress::Done)
    }

    fn next_timer_ms(&self) -> Option<i64> {
        self.bundle.as_ref().and_then(|bundle| bundle.due_ms)
    }

    fn processing_time(&mut self, now_ms: i64, out: &mut dyn Collector) -> Result<Progress> {
        if self.next_timer_ms().is_some_and(|due| due <= now_ms) {
            self.flush(out)?;
        }
        Ok(Progress::Done)
    }

    fn end_input(&mut self, _input: u8, out: &mut dyn Collector) -> Result<Progress> {
        self.flush(out)?;
        Ok(Progress::Done)
    }

    fn snapshot(&mut self, snapshot: &mut Snapshot, out: &mut dyn Collector) -> Result<()> {
        self.flush(out)?;
        self.operator.snapshot(snapshot);
        Ok(())
    }
}

#[cfg(test)]
mod tests;
