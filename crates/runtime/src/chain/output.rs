//! What flows between the operators of a chain, and the collector that puts it there.

use headwater_data::ChangeBatch;
use headwater_exchange::Barrier;
use headwater_operator_api::{Collector, OperatorMetrics, SplitEvent};
use headwater_types::{MAX_WATERMARK, MIN_WATERMARK};
use std::collections::VecDeque;
use std::sync::atomic::Ordering;

/// Something an operator must be called with.
#[derive(Debug)]
pub(crate) enum Item {
    /// Rows of an input.
    Batch(u8, ChangeBatch),
    /// The combined watermark.
    Watermark(i64),
    /// The input turned idle or active.
    Idle(bool),
    /// An input ended.
    End(u8),
    /// A processing-time timer went off.
    Timer(i64),
    /// News of the source's splits, on its way to the operator that makes watermarks.
    Split(SplitEvent),
    /// A checkpoint's barrier.
    Barrier(Barrier),
    /// All sources end for a savepoint.
    Drain(Barrier),
}

/// What was said about event time on an output. Keeps the order of elements legal whatever an operator
/// emits: watermarks rise, idle and active alternate, nothing follows the end.
#[derive(Debug)]
pub(crate) struct OutputState {
    watermark: i64,
    idle: bool,
    ended: bool,
}

impl Default for OutputState {
    fn default() -> Self {
        Self { watermark: MIN_WATERMARK, idle: false, ended: false }
    }
}

impl OutputState {
    /// Whether nothing follows.
    pub(crate) fn is_ended(&self) -> bool {
        self.ended
    }

    /// The last watermark.
    pub(crate) fn watermark(&self) -> i64 {
        self.watermark
    }

    /// Ends the output without telling anyone.
    pub(crate) fn end(&mut self) {
        self.ended = true;
    }
}

/// The collector of one operator, or of the input of a chain.
pub(crate) struct StageOutput<'a> {
    queue: &'a mut VecDeque<Item>,
    state: &'a mut OutputState,
    metrics: Option<&'a OperatorMetrics>,
}

impl<'a> StageOutput<'a> {
    pub(crate) fn new(
        queue: &'a mut VecDeque<Item>,
        state: &'a mut OutputState,
        metrics: Option<&'a OperatorMetrics>,
    ) -> Self {
        Self { queue, state, metrics }
    }

    /// Passes on rows for an input of the next operator.
    pub(crate) fn batch(&mut self, input: u8, batch: ChangeBatch) {
        if batch.num_rows() == 0 || self.state.ended {
            return;
        }
        if let Some(metrics) = self.metrics {
            metrics.rows_out.fetch_add(batch.num_rows() as u64, Ordering::Relaxed);
        }
        self.queue.push_back(Item::Batch(input, batch));
    }

    /// Passes on a watermark if it is higher than the last one. The final one ends idleness.
    pub(crate) fn watermark(&mut self, watermark: i64) {
        if watermark <= self.state.watermark || self.state.ended {
            return;
        }
        self.idle(false);
        self.state.watermark = watermark;
        if let Some(metrics) = self.metrics {
            metrics.watermark.store(watermark, Ordering::Relaxed);
        }
        self.queue.push_back(Item::Watermark(watermark));
    }

    /// Passes on a change of idleness.
    pub(crate) fn idle(&mut self, idle: bool) {
        if self.state.idle == idle || self.state.ended || self.state.watermark == MAX_WATERMARK {
            return;
        }
        self.state.idle = idle;
        self.queue.push_back(Item::Idle(idle));
    }

    /// Passes on news of a split.
    pub(crate) fn split(&mut self, event: SplitEvent) {
        if !self.state.ended {
            self.queue.push_back(Item::Split(event));
        }
    }

    /// Passes on a barrier.
    pub(crate) fn barrier(&mut self, barrier: Barrier) {
        if !self.state.ended {
            self.queue.push_back(Item::Barrier(barrier));
        }
    }

    /// Passes on that all sources end for a savepoint.
    pub(crate) fn drain(&mut self, barrier: Barrier) {
        if !self.state.ended {
            self.queue.push_back(Item::Drain(barrier));
        }
    }

    /// Passes on the end of an input. With several inputs the caller says when the last has ended.
    pub(crate) fn end_input(&mut self, input: u8) {
        if !self.state.ended {
            self.queue.push_back(Item::End(input));
        }
    }

    /// Passes on the end of the last input.
    pub(crate) fn end(&mut self, input: u8) {
        self.end_input(input);
        self.state.ended = true;
    }
}

impl Collector for StageOutput<'_> {
    fn emit(&mut self, batch: ChangeBatch) {
        self.batch(0, batch);
    }

    fn emit_watermark(&mut self, watermark: i64) {
        self.watermark(watermark);
    }

    fn emit_idle(&mut self, idle: bool) {
        self.idle(idle);
    }
}
