//! What a subtask contributes to a checkpoint, and what it starts from after a restore.
//!
//! ```text
//! TaskHandle::trigger ──> every live subtask
//!   source               snapshots its splits, sends the barrier down its chain
//!   fed by a gate        waits for the barriers of its channels (ended channels count as arrived)
//!   whose input ended    snapshots at once
//! TaskEvents::snapshot <── one per subtask and checkpoint, or TaskEvents::declined
//! TaskHandle::complete, TaskHandle::abort ──> every live subtask
//! ```
//!
//! A subtask that ends while a checkpoint is under way contributes nothing to it: its consumers have everything
//! it sent. The checkpoint holds it as finished.
//!
//! Invariant: the changes of operators' state that a subtask hands over in its successive snapshots, aborted ones
//! included, applied in order give the state; nothing is handed over twice and nothing is left out.

use headwater_connector_api::{Committable, Split};
use headwater_data::ChangeBatch;
use headwater_exchange::Barrier;
use headwater_state::{Restored, Snapshot};
use headwater_types::Result;
use headwater_types::ids::SubtaskId;
use std::collections::BTreeMap;
use std::sync::Arc;

/// The part of one subtask in a checkpoint.
#[derive(Debug)]
pub struct SubtaskSnapshot {
    /// The barrier that asked for it.
    pub barrier: Barrier,
    /// The subtask has processed all of its input, and operators have no state that matters any more; only
    /// `writer` and `committables` are filled. Restored, it ends at once.
    pub finished: bool,
    /// The checkpoint was given up after the operators had handed over what changed. It must not be
    /// acknowledged, but the changes belong to the next checkpoint.
    pub aborted: bool,
    /// What is left to read of the splits of the source.
    pub splits: Vec<Split>,
    /// State of the operators, in chain order. Sources and sinks are not among them.
    pub operators: Vec<OperatorState>,
    /// State of the sink writer.
    pub writer: Vec<Vec<u8>>,
    /// What the sink staged, by the checkpoint it was staged for, in rising order: this one's, and those of
    /// earlier checkpoints whose completion the subtask has not heard of.
    pub committables: Vec<(u64, Vec<Committable>)>,
    /// Rows that the barrier overtook.
    pub channel_state: Vec<ChannelState>,
    /// How it went.
    pub stats: SnapshotStats,
}

/// The state of one operator of a chain.
#[derive(Debug)]
pub struct OperatorState {
    /// Stable name within the job.
    pub uid: String,
    /// What changed since the snapshot before.
    pub snapshot: Snapshot,
    /// Event time of its output, [`headwater_types::MIN_WATERMARK`] before the first watermark. A restored
    /// operator must get the minimum over the subtasks of then.
    pub watermark: i64,
}

/// Stands in [`ChannelState::edge`] for the way into the sink of the subtask itself.
pub const INTO_SINK: u32 = u32::MAX;

/// Rows that were on their way to a subtask when a barrier overtook them.
#[derive(Debug, Clone)]
pub struct ChannelState {
    /// Index of the edge in the job graph, or [`INTO_SINK`].
    pub edge: u32,
    /// The rows, in the order of arrival.
    pub batches: Vec<ChangeBatch>,
}

/// How the snapshot of a subtask went.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct SnapshotStats {
    /// Milliseconds from the trigger until the first barrier arrived.
    pub start_delay_ms: u64,
    /// Milliseconds from the first barrier until the snapshot.
    pub alignment_ms: u64,
    /// Microseconds that the operators, the reader and the writer took to hand over their state.
    pub sync_us: u64,
    /// Whether the barrier overtook rows.
    pub unaligned: bool,
    /// Rows that the barrier overtook.
    pub overtaken_rows: u64,
    /// Bytes of these rows in memory.
    pub overtaken_bytes: u64,
}

/// The checkpoint that a job starts from.
pub trait RestoreSource: Send + Sync {
    /// Its number.
    fn checkpoint(&self) -> u64;

    /// What it holds for a subtask of the job as it is now. Called once per subtask, in its first turn on a lane:
    /// whatever takes long must have been fetched before.
    ///
    /// # Errors
    /// When the checkpoint cannot be read.
    fn subtask(&self, subtask: SubtaskId) -> Result<RestoredSubtask>;
}

/// What a checkpoint holds for one subtask.
#[derive(Default)]
pub struct RestoredSubtask {
    /// The subtask had finished: it ends at once, and takes nothing of the rest. At another parallelism no subtask of
    /// a vertex may be finished unless all were.
    pub finished: bool,
    /// Splits for its reader, in addition to those the enumerator hands out.
    pub splits: Vec<Split>,
    /// State of its operators by uid. Operators that are missing start empty.
    pub operators: BTreeMap<String, RestoredOperator>,
    /// State for its sink writer.
    pub writer: Vec<Vec<u8>>,
    /// Rows to be processed before any other input. Of a hash edge they may include rows of other subtasks,
    /// which are skipped: so at another parallelism every consumer is given all rows of the edge. The rows of other
    /// edges must be dealt out, each to one subtask.
    pub channel_state: Vec<ChannelState>,
}

/// What a checkpoint holds for one operator instance.
pub struct RestoredOperator {
    /// Its tables and lists.
    pub state: Arc<dyn Restored>,
    /// Minimum of [`OperatorState::watermark`] over the instances of then.
    pub watermark: i64,
}
