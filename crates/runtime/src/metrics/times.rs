//! How a subtask spends its time.

use serde::{Deserialize, Serialize};
use std::sync::atomic::{AtomicU64, Ordering};

/// A subtask as a whole at one moment. Times are totals since its start: the difference of two snapshots over the
/// time between them is Flink's `busyTimeMsPerSecond` and its siblings.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TaskSnapshot {
    /// Milliseconds at work or waiting for a lane.
    pub busy_ms: u64,
    /// Milliseconds without input.
    pub idle_ms: u64,
    /// Milliseconds without room for output.
    pub backpressured_ms: u64,
    /// Milliseconds from the trigger of the last checkpoint until its first barrier arrived.
    pub checkpoint_start_delay_ms: u64,
    /// Milliseconds from the first barrier of the last checkpoint until the subtask's snapshot.
    pub checkpoint_alignment_ms: u64,
    /// Rows that the barrier of the last checkpoint overtook.
    pub overtaken_rows: u64,
    /// Bytes of these rows in memory.
    pub overtaken_bytes: u64,
}

/// Sums up turns and pauses. Written by the lane that runs the subtask, twice a turn.
#[derive(Debug, Default)]
pub struct Times {
    busy_ns: AtomicU64,
    idle_ns: AtomicU64,
    blocked_ns: AtomicU64,
    /// End of the last period that was added, monotonic; 0 before the first turn.
    since_ns: AtomicU64,
    /// What the time since then counts as.
    pause: AtomicU64,
}

const BUSY: u64 = 0;
const IDLE: u64 = 1;
const BLOCKED: u64 = 2;

const NANOS_PER_MILLI: u64 = 1_000_000;

impl Times {
    /// A turn begins.
    pub(crate) fn begin(&self, now_ns: u64) {
        if self.since_ns.load(Ordering::Relaxed) == 0 {
            self.since_ns.store(now_ns, Ordering::Relaxed);
        }
        self.add(now_ns, BUSY);
    }

    /// A turn ends with more work to do.
    pub(crate) fn end_busy(&self, now_ns: u64) {
        self.add(now_ns, BUSY);
    }

    /// A turn ends for want of input.
    pub(crate) fn end_idle(&self, now_ns: u64) {
        self.add(now_ns, IDLE);
    }

    /// A turn ends for want of room.
    pub(crate) fn end_blocked(&self, now_ns: u64) {
        self.add(now_ns, BLOCKED);
    }

    /// Counts the time since the last call as what was said then; what follows counts as `next`.
    fn add(&self, now_ns: u64, next: u64) {
        let elapsed_ns = now_ns.saturating_sub(self.since_ns.swap(now_ns, Ordering::Relaxed));
        let sum = match self.pause.swap(next, Ordering::Relaxed) {
            IDLE => &self.idle_ns,
            BLOCKED => &self.blocked_ns,
            _ => &self.busy_ns,
        };
        sum.fetch_add(elapsed_ns, Ordering::Relaxed);
    }

    pub(super) fn snapshot(&self) -> TaskSnapshot {
        let ms = |sum: &AtomicU64| sum.load(Ordering::Relaxed) / NANOS_PER_MILLI;
        TaskSnapshot {
            busy_ms: ms(&self.busy_ns),
            idle_ms: ms(&self.idle_ns),
            backpressured_ms: ms(&self.blocked_ns),
            ..TaskSnapshot::default()
        }
    }
}
