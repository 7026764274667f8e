//! Checkpoint barriers.

use serde::{Deserialize, Serialize};

/// Separates what a checkpoint holds from what follows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Barrier {
    /// Number of the checkpoint; later checkpoints have higher numbers.
    pub checkpoint: u64,
    /// Wall clock of the trigger, milliseconds.
    pub triggered_at_ms: i64,
    /// What a subtask with several channels does between the first and the last barrier.
    pub alignment: Alignment,
    /// What the checkpoint is for.
    pub kind: BarrierKind,
}

/// How a subtask brings the barriers of its channels together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Alignment {
    /// Channels whose barrier has arrived wait for the others.
    Aligned,
    /// As [`Alignment::Aligned`] until this many milliseconds after the trigger, then as
    /// [`Alignment::Unaligned`].
    Timeout(u64),
    /// The first barrier overtakes all rows that are queued, which become part of the checkpoint.
    Unaligned,
    /// Nobody waits and nothing is overtaken: rows behind the first barriers are counted twice after a restore.
    AtLeastOnce,
}

/// What a checkpoint is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum BarrierKind {
    /// Recovery.
    Checkpoint,
    /// The user.
    Savepoint,
    /// The user, who wants the job to end behind it. With `drain`, all sources end first, and the savepoint
    /// holds what is left after all windows were fired.
    Stop {
        /// Whether the sources end before the savepoint instead of behind it.
        drain: bool,
    },
}

impl Barrier {
    /// The barrier of an aligned periodic checkpoint.
    pub fn aligned(checkpoint: u64, triggered_at_ms: i64) -> Self {
        Self { checkpoint, triggered_at_ms, alignment: Alignment::Aligned, kind: BarrierKind::Checkpoint }
    }

    /// From which wall clock on the barrier overtakes rows, if ever.
    pub fn overtakes_from_ms(&self) -> Option<i64> {
        match self.alignment {
            // Savepoints are relocatable and hold no rows.
            _ if self.kind != BarrierKind::Checkpoint => None,
            Alignment::Aligned | Alignment::AtLeastOnce => None,
            Alignment::Timeout(timeout_ms) => Some(self.triggered_at_ms.saturating_add_unsigned(timeout_ms)),
            Alignment::Unaligned => Some(i64::MIN),
        }
    }

    /// Whether the job goes on behind this barrier only when the checkpoint fails.
    pub fn stops(&self) -> bool {
        matches!(self.kind, BarrierKind::Stop { .. })
    }

    /// Whether the sources end before this barrier.
    pub fn drains(&self) -> bool {
        matches!(self.kind, BarrierKind::Stop { drain: true })
    }
}
