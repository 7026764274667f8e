//! Counters of subtasks and their operators, and snapshots of them as they travel to the JobManager.

mod times;

pub use times::{TaskSnapshot, Times};

use crate::checkpoint::SnapshotStats;
use headwater_operator_api::OperatorMetrics;
use headwater_types::ids::SubtaskId;
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// The counters of one operator instance at one moment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OperatorSnapshot {
    /// The subtask it runs in.
    pub subtask: SubtaskId,
    /// Position in the chain of its vertex.
    pub position: u32,
    /// Stable name within the job.
    pub uid: String,
    /// Display name.
    pub name: String,
    /// Rows received.
    pub rows_in: u64,
    /// Rows emitted.
    pub rows_out: u64,
    /// Rows dropped as late.
    pub late_rows_dropped: u64,
    /// Records that could not be decoded and did not fail the job.
    pub bad_records: u64,
    /// Bytes read from or written to the outside world.
    pub bytes: u64,
    /// Event time of the output, milliseconds.
    pub watermark: i64,
    /// The subtask as a whole; only at the head of its chain.
    pub task: Option<TaskSnapshot>,
}

/// The live counters of a subtask's operators, in chain order.
#[derive(Debug, Default)]
pub struct SubtaskMetrics {
    operators: Vec<OperatorEntry>,
    pub(crate) times: Times,
    checkpoint: CheckpointMetrics,
}

/// The last checkpoint of a subtask.
#[derive(Debug, Default)]
struct CheckpointMetrics {
    start_delay_ms: AtomicU64,
    alignment_ms: AtomicU64,
    overtaken_rows: AtomicU64,
    overtaken_bytes: AtomicU64,
}

#[derive(Debug)]
struct OperatorEntry {
    subtask: SubtaskId,
    uid: String,
    name: String,
    metrics: Arc<OperatorMetrics>,
}

impl SubtaskMetrics {
    /// Counters at zero for the operators of a subtask.
    pub(crate) fn new(subtask: SubtaskId, chain: &[headwater_plan::OperatorNode]) -> Self {
        let entry = |node: &headwater_plan::OperatorNode| OperatorEntry {
            subtask,
            uid: node.uid.clone(),
            name: node.name.clone(),
            metrics: Arc::new(OperatorMetrics::default()),
        };
        Self {
            operators: chain.iter().map(entry).collect(),
            times: Times::default(),
            checkpoint: CheckpointMetrics::default(),
        }
    }

    /// The counters of the operator at a chain position.
    pub(crate) fn operator(&self, position: usize) -> Arc<OperatorMetrics> {
        self.operators[position].metrics.clone()
    }

    /// Takes over how the subtask's part in a checkpoint went.
    pub(crate) fn add_checkpoint(&self, stats: &SnapshotStats) {
        let last = &self.checkpoint;
        last.start_delay_ms.store(stats.start_delay_ms, Ordering::Relaxed);
        last.alignment_ms.store(stats.alignment_ms, Ordering::Relaxed);
        last.overtaken_rows.store(stats.overtaken_rows, Ordering::Relaxed);
        last.overtaken_bytes.store(stats.overtaken_bytes, Ordering::Relaxed);
    }

    /// The present values of the subtask as a whole.
    pub fn task(&self) -> TaskSnapshot {
        let last = &self.checkpoint;
        TaskSnapshot {
            checkpoint_start_delay_ms: last.start_delay_ms.load(Ordering::Relaxed),
            checkpoint_alignment_ms: last.alignment_ms.load(Ordering::Relaxed),
            overtaken_rows: last.overtaken_rows.load(Ordering::Relaxed),
            overtaken_bytes: last.overtaken_bytes.load(Ordering::Relaxed),
            ..self.times.snapshot()
        }
    }

    /// The present values.
    pub fn snapshot(&self) -> Vec<OperatorSnapshot> {
        let mut operators: Vec<OperatorSnapshot> =
            self.operators.iter().enumerate().map(|(position, entry)| entry.snapshot(position as u32)).collect();
        if let Some(head) = operators.first_mut() {
            head.task = Some(self.task());
        }
        operators
    }
}

impl OperatorEntry {
    fn snapshot(&self, position: u32) -> OperatorSnapshot {
        let metrics = &self.metrics;
        OperatorSnapshot {
            subtask: self.subtask,
            position,
            uid: self.uid.clone(),
            name: self.name.clone(),
            rows_in: metrics.rows_in.load(Ordering::Relaxed),
            rows_out: metrics.rows_out.load(Ordering::Relaxed),
            late_rows_dropped: metrics.late_rows_dropped.load(Ordering::Relaxed),
            bad_records: metrics.bad_records.load(Ordering::Relaxed),
            bytes: metrics.bytes.load(Ordering::Relaxed),
            watermark: metrics.watermark.load(Ordering::Relaxed),
            task: None,
        }
    }
}
