//! The contract between the driver and operators.
//!
//! An operator is a synchronous state machine (decision D1): it never awaits, never blocks, owns its
//! state, and is called by one thread at a time. The driver checks that the outputs have room before it
//! calls, and drains them after; emitted batches may overdraw the room by what one call produces.
//!
//! The elements an operator sees on each input follow this grammar, which the driver asserts in debug
//! builds:
//!
//! ```text
//! input := open ( batch | split | watermark | idle | active | snapshot )* end close
//! ```
//!
//! An operator without input (VALUES) is opened and asked for its rows by one `end_input(0)`, repeated
//! while it reports [`Progress::More`]; the final watermark follows its rows.
//!
//! Watermarks strictly increase; after `end` the combined watermark is [`headwater_types::MAX_WATERMARK`].
//! Operators know no tokio, no network, no clock but the one they are given.

pub mod testing;

use headwater_data::ChangeBatch;
use headwater_env::Env;
use headwater_state::{Snapshot, StateContext};
use headwater_types::Result;
use headwater_types::ids::SubtaskId;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};

/// Whether an operator finished what it was called for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use]
pub enum Progress {
    /// Nothing is left to do for this call.
    Done,
    /// More output is waiting: call again with the same arguments when there is room. Batches of the
    /// same input are held back meanwhile; barriers and cancellation are not.
    More,
}

/// Takes what an operator emits and hands it to the next operator of the chain or to the exchange.
pub trait Collector {
    /// Emits rows. Empty batches are ignored.
    fn emit(&mut self, batch: ChangeBatch);
    /// Emits an event-time watermark; only operators with [`Operator::generates_watermarks`] call it.
    fn emit_watermark(&mut self, watermark: i64);
    /// Declares the output idle (`true`) or active again; only watermark generators call it.
    fn emit_idle(&mut self, idle: bool);
}

/// Counters of one operator instance, shared with whoever reports them.
#[derive(Debug)]
pub struct OperatorMetrics {
    /// Rows received.
    pub rows_in: AtomicU64,
    /// Rows emitted.
    pub rows_out: AtomicU64,
    /// Rows dropped because their windows had closed (Flink's `numLateRecordsDropped`).
    pub late_rows_dropped: AtomicU64,
    /// Records that could not be decoded and were skipped or sent to the dead letters.
    pub bad_records: AtomicU64,
    /// Bytes read from or written to the outside world.
    pub bytes: AtomicU64,
    /// Current watermark of the output, milliseconds.
    pub watermark: AtomicI64,
}

impl Default for OperatorMetrics {
    fn default() -> Self {
        Self {
            rows_in: AtomicU64::new(0),
            rows_out: AtomicU64::new(0),
            late_rows_dropped: AtomicU64::new(0),
            bad_records: AtomicU64::new(0),
            bytes: AtomicU64::new(0),
            watermark: AtomicI64::new(headwater_types::MIN_WATERMARK),
        }
    }
}

impl OperatorMetrics {
    /// Counts rows dropped as late.
    pub fn add_late(&self, rows: u64) {
        self.late_rows_dropped.fetch_add(rows, Ordering::Relaxed);
    }
}

/// What an operator is told when it is opened.
#[derive(Clone)]
pub struct OpenContext {
    /// The subtask the operator runs in.
    pub subtask: SubtaskId,
    /// Parallelism of its vertex.
    pub parallelism: u32,
    /// Number of key groups of the job.
    pub max_parallelism: u32,
    /// Clock and randomness.
    pub env: Env,
    /// The operator's counters.
    pub metrics: Arc<OperatorMetrics>,
    /// Rows a batch should have at most (target of everything an operator emits).
    pub batch_rows: usize,
    /// Event time of the operator's output at the checkpoint that it is restored from; it comes again, as a watermark,
    /// before anything else. [`headwater_types::MIN_WATERMARK`] in a new job.
    pub restored_watermark: i64,
    /// Where the operator opens its state tables; they hold what a restored checkpoint held.
    pub state: StateContext,
}

/// News of a split of the source at the head of the chain.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SplitEvent {
    /// The following rows come from this split.
    Rows(u32),
    /// The split ended: it holds back event time no longer.
    Finished(u32),
}

/// A synchronous operator.
pub trait Operator: Send {
    /// Called once, before anything else.
    fn open(&mut self, context: &OpenContext) -> Result<()> {
        let _ = context;
        Ok(())
    }

    /// Processes a batch of input `input` (0, or 1 for the right side of a join).
    fn process(&mut self, input: u8, batch: ChangeBatch, out: &mut dyn Collector) -> Result<()>;

    /// The combined watermark of all inputs rose to `watermark`: fire what is due. The driver forwards
    /// the watermark when the operator is done, unless it generates its own.
    fn watermark(&mut self, watermark: i64, out: &mut dyn Collector) -> Result<Progress> {
        let _ = (watermark, out);
        Ok(Progress::Done)
    }

    /// The wall clock (milliseconds) of the next processing-time timer, if one is set.
    fn next_timer_ms(&self) -> Option<i64> {
        None
    }

    /// The wall clock reached [`Operator::next_timer_ms`].
    fn processing_time(&mut self, now_ms: i64, out: &mut dyn Collector) -> Result<Progress> {
        let _ = (now_ms, out);
        Ok(Progress::Done)
    }

    /// Input `input` ended. The final watermark, where one is due, was delivered before.
    fn end_input(&mut self, input: u8, out: &mut dyn Collector) -> Result<Progress> {
        let _ = (input, out);
        Ok(Progress::Done)
    }

    /// Takes news of the splits of the source. Only operators with [`Operator::generates_watermarks`] are told;
    /// the driver passes it over all others.
    fn split(&mut self, event: SplitEvent, out: &mut dyn Collector) -> Result<()> {
        let _ = (event, out);
        Ok(())
    }

    /// A barrier passes: hands over what changed in the operator's state since the last one. Rows that the
    /// operator holds back (a mini-batch) must be emitted or be in the state. The barrier follows what is
    /// emitted here. Called on the lane: must take a few milliseconds at most.
    fn snapshot(&mut self, snapshot: &mut Snapshot, out: &mut dyn Collector) -> Result<()> {
        let _ = (snapshot, out);
        Ok(())
    }

    /// Whether the operator emits watermarks itself, so that the driver must not forward its input's.
    /// The final watermark of ended input is forwarded all the same.
    fn generates_watermarks(&self) -> bool {
        false
    }

    /// The watermark to forward for a watermark of the input: an earlier one where results may be older than the input
    /// (a join that waits for partners). Rises with `watermark`. The final watermark is forwarded as it is.
    fn output_watermark(&self, watermark: i64) -> i64 {
        watermark
    }

    /// Whether the operator needs no more input (a LIMIT that is full). The driver then ends the
    /// chain early and tells the producers to stop.
    fn is_satisfied(&self) -> bool {
        false
    }
}
