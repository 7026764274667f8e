//! Helpers for testing operators without a runtime: a collector that keeps everything, and a harness
//! that opens an operator with a simulated clock and drives it as the driver would.
//!
//! The harness does what the driver does for one operator (it resumes [`Progress::More`], forwards
//! watermarks of operators that do not generate their own, delivers processing-time timers in order);
//! it has no chain, no exchange and no room limits.

mod checkpoint;

pub use checkpoint::HarnessCheckpoint;

use crate::{Collector, OpenContext, Operator, OperatorMetrics, Progress, SplitEvent};
use arrow::util::display::{ArrayFormatter, FormatOptions};
use headwater_data::ChangeBatch;
use headwater_env::{Env, SimulatedClock};
use headwater_state::{Snapshot, StateContext};
use headwater_types::ids::{SubtaskId, VertexId};
use headwater_types::{MAX_WATERMARK, Result};
use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::Ordering;

/// What an operator emitted, in order.
#[derive(Debug, Clone)]
pub enum Emitted {
    /// Rows; never empty.
    Batch(ChangeBatch),
    /// A watermark.
    Watermark(i64),
    /// An idleness change.
    Idle(bool),
}

/// A collector that keeps everything it is given.
#[derive(Debug, Default)]
pub struct VecCollector {
    /// The emitted elements, in order.
    pub emitted: Vec<Emitted>,
}

impl Collector for VecCollector {
    fn emit(&mut self, batch: ChangeBatch) {
        if batch.num_rows() > 0 {
            self.emitted.push(Emitted::Batch(batch));
        }
    }

    fn emit_watermark(&mut self, watermark: i64) {
        self.emitted.push(Emitted::Watermark(watermark));
    }

    fn emit_idle(&mut self, idle: bool) {
        self.emitted.push(Emitted::Idle(idle));
    }
}

impl VecCollector {
    /// An empty collector.
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes what was emitted since the last call.
    pub fn take(&mut self) -> Vec<Emitted> {
        std::mem::take(&mut self.emitted)
    }

    /// The emitted batches.
    pub fn batches(&self) -> impl Iterator<Item = &ChangeBatch> {
        self.emitted.iter().filter_map(|e| match e {
            Emitted::Batch(batch) => Some(batch),
            _ => None,
        })
    }

    /// Number of emitted rows.
    pub fn num_rows(&self) -> usize {
        self.batches().map(ChangeBatch::num_rows).sum()
    }

    /// The emitted rows as text, one line a row: `+I[1, Ann, NULL]`.
    pub fn rows(&self) -> Vec<String> {
        self.batches().flat_map(render_rows).collect()
    }

    /// Everything emitted as text: rows as in [`VecCollector::rows`], `watermark 5`, `idle`, `active`.
    pub fn lines(&self) -> Vec<String> {
        let line = |e: &Emitted| match e {
            Emitted::Batch(batch) => render_rows(batch),
            Emitted::Watermark(MAX_WATERMARK) => vec!["watermark max".to_owned()],
            Emitted::Watermark(watermark) => vec![format!("watermark {watermark}")],
            Emitted::Idle(true) => vec!["idle".to_owned()],
            Emitted::Idle(false) => vec!["active".to_owned()],
        };
        self.emitted.iter().flat_map(line).collect()
    }
}

/// The rows of a batch as text, `+I[1, Ann, NULL]`.
pub fn render_rows(batch: &ChangeBatch) -> Vec<String> {
    let options = FormatOptions::default().with_null("NULL");
    let columns = batch.rows().columns();
    let formatters: Vec<_> = columns
        .iter()
        .map(|c| ArrayFormatter::try_new(c.as_ref(), &options).expect("every type of a change batch can be shown"))
        .collect();
    let row_text = |row: usize| {
        let values: Vec<_> = formatters.iter().map(|f| f.value(row).to_string()).collect();
        format!("{}[{}]", batch.kind(row).short(), values.join(", "))
    };
    (0..batch.num_rows()).map(row_text).collect()
}

/// Drives one operator as subtask 0 of 1.
pub struct OperatorHarness {
    operator: Box<dyn Operator>,
    clock: Arc<SimulatedClock>,
    env: Env,
    metrics: Arc<OperatorMetrics>,
    /// What the operator emitted, watermarks forwarded on its behalf included.
    pub output: VecCollector,
}

impl OperatorHarness {
    /// Opens an operator at wall clock 0 with batches of at most 4096 rows.
    pub fn new(operator: Box<dyn Operator>) -> Result<Self> {
        Self::with_batch_rows(operator, 4096)
    }

    /// Opens an operator with another target for the size of emitted batches.
    pub fn with_batch_rows(operator: Box<dyn Operator>, batch_rows: usize) -> Result<Self> {
        Self::open(operator, batch_rows, 0, |state| state)
    }

    /// Opens an operator with the state that a checkpoint holds for some of its 128 key groups, at a wall clock.
    pub fn restored(
        operator: Box<dyn Operator>,
        checkpoint: &HarnessCheckpoint,
        groups: Range<u32>,
        now_ms: i64,
    ) -> Result<Self> {
        Self::open(operator, 4096, now_ms, |state| checkpoint.restrict(state, groups))
    }

    fn open(
        mut operator: Box<dyn Operator>,
        batch_rows: usize,
        now_ms: i64,
        state: impl FnOnce(StateContext) -> StateContext,
    ) -> Result<Self> {
        let (env, clock) = Env::simulated(0, now_ms);
        let metrics = Arc::new(OperatorMetrics::default());
        let context = OpenContext {
            subtask: SubtaskId { vertex: VertexId(0), index: 0 },
            parallelism: 1,
            max_parallelism: 128,
            env: env.clone(),
            metrics: metrics.clone(),
            batch_rows,
            restored_watermark: headwater_types::MIN_WATERMARK,
            state: state(StateContext::empty(env.clone(), 128)),
        };
        operator.open(&context)?;
        Ok(Self { operator, clock, env, metrics, output: VecCollector::new() })
    }

    /// Delivers a batch to input 0.
    pub fn process(&mut self, batch: ChangeBatch) -> Result<()> {
        self.process_input(0, batch)
    }

    /// Delivers a batch to the given input.
    pub fn process_input(&mut self, input: u8, batch: ChangeBatch) -> Result<()> {
        self.operator.process(input, batch, &mut self.output)
    }

    /// Tells news of the source's splits.
    pub fn split(&mut self, event: SplitEvent) -> Result<()> {
        self.operator.split(event, &mut self.output)
    }

    /// Lets a barrier pass; the answer is what changed in the operator's state since the last one.
    pub fn snapshot(&mut self) -> Result<Snapshot> {
        let mut snapshot = Snapshot::new();
        self.operator.snapshot(&mut snapshot, &mut self.output)?;
        Ok(snapshot)
    }

    /// The wall clock, milliseconds.
    pub fn now_ms(&self) -> i64 {
        self.env.now_ms()
    }

    /// Raises the combined watermark.
    pub fn watermark(&mut self, watermark: i64) -> Result<()> {
        while self.operator.watermark(watermark, &mut self.output)? == Progress::More {}
        if watermark == MAX_WATERMARK {
            self.output.emit_watermark(watermark);
        } else if !self.operator.generates_watermarks() {
            self.output.emit_watermark(self.operator.output_watermark(watermark));
        }
        Ok(())
    }

    /// Moves the wall clock forward to `now_ms`, delivering every timer on the way at its time.
    pub fn advance_to(&mut self, now_ms: i64) -> Result<()> {
        while let Some(due) = self.operator.next_timer_ms().filter(|due| *due <= now_ms) {
            self.clock.advance_ms((due - self.env.now_ms()).max(0));
            self.processing_time(self.env.now_ms())?;
        }
        self.clock.advance_ms((now_ms - self.env.now_ms()).max(0));
        Ok(())
    }

    /// Delivers a processing-time timer, whatever the clock shows.
    pub fn processing_time(&mut self, now_ms: i64) -> Result<()> {
        while self.operator.processing_time(now_ms, &mut self.output)? == Progress::More {}
        Ok(())
    }

    /// Ends inputs `0..inputs`: the final watermark, then the end of each input.
    pub fn end(&mut self, inputs: u8) -> Result<()> {
        self.watermark(MAX_WATERMARK)?;
        for input in 0..inputs {
            self.end_input(input)?;
        }
        Ok(())
    }

    /// Ends one input without touching the watermark.
    pub fn end_input(&mut self, input: u8) -> Result<()> {
        while self.operator.end_input(input, &mut self.output)? == Progress::More {}
        Ok(())
    }

    /// The operator.
    pub fn operator(&self) -> &dyn Operator {
        self.operator.as_ref()
    }

    /// The operator, to be called as the driver never would.
    pub fn operator_mut(&mut self) -> &mut dyn Operator {
        self.operator.as_mut()
    }

    /// Rows dropped as late so far.
    pub fn late_rows_dropped(&self) -> u64 {
        self.metrics.late_rows_dropped.load(Ordering::Relaxed)
    }
}
