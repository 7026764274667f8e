//! A checkpoint that is under way.

use super::{AckStatistics, Action, Kind};
use crate::statistics::{CheckpointStatistics, CheckpointStatus};
use headwater_types::ids::SubtaskId;
use std::collections::BTreeSet;

/// A checkpoint that is under way.
#[derive(Debug, Clone)]
pub(super) struct Pending {
    checkpoint: u64,
    pub(super) kind: Kind,
    triggered_ms: i64,
    latest_ack_ms: Option<i64>,
    waiting: BTreeSet<SubtaskId>,
    finished: BTreeSet<SubtaskId>,
    acknowledged: u32,
    storing: bool,
    stats: AckStatistics,
}

impl Pending {
    pub(super) fn new(
        checkpoint: u64,
        kind: Kind,
        triggered_ms: i64,
        waiting: BTreeSet<SubtaskId>,
        finished: BTreeSet<SubtaskId>,
    ) -> Self {
        let stats = AckStatistics::default();
        Self {
            checkpoint,
            kind,
            triggered_ms,
            latest_ack_ms: None,
            waiting,
            finished,
            acknowledged: 0,
            storing: false,
            stats,
        }
    }

    /// A subtask has handed over its part; whether it was the last one.
    pub(super) fn ack(&mut self, subtask: SubtaskId, stats: AckStatistics, now_ms: i64) -> bool {
        if !self.waiting.remove(&subtask) {
            return false;
        }
        self.acknowledged += 1;
        self.latest_ack_ms = Some(now_ms);
        self.stats.bytes += stats.bytes;
        self.stats.overtaken_bytes += stats.overtaken_bytes;
        self.stats.alignment_ms = self.stats.alignment_ms.max(stats.alignment_ms);
        self.stats.sync_us = self.stats.sync_us.max(stats.sync_us);
        self.waiting.is_empty()
    }

    /// A subtask finished without handing over its part; whether it was the last one.
    pub(super) fn finished(&mut self, subtask: SubtaskId) -> bool {
        if !self.waiting.remove(&subtask) {
            return false;
        }
        self.finished.insert(subtask);
        self.waiting.is_empty()
    }

    /// Starts storing.
    pub(super) fn store(&mut self, checkpoint: u64, now_ms: i64) -> Action {
        self.storing = true;
        self.latest_ack_ms.get_or_insert(now_ms);
        let (kind, triggered_ms, finished) = (self.kind, self.triggered_ms, self.finished.clone());
        Action::Store { checkpoint, kind, triggered_ms, finished }
    }

    pub(super) fn awaits(&self, subtask: SubtaskId) -> bool {
        self.waiting.contains(&subtask)
    }

    /// Whether it counts against the checkpoints that may be under way at once.
    pub(super) fn is_limited(&self) -> bool {
        !self.kind.is_savepoint()
    }

    /// Whether a newer checkpoint makes it pointless.
    pub(super) fn may_be_overtaken(&self) -> bool {
        !self.kind.is_savepoint() && !self.storing
    }

    /// Whether all parts are there.
    pub(super) fn is_storing(&self) -> bool {
        self.storing
    }

    /// When it expires. What is being stored may no longer be given up: its manifest may exist already.
    pub(super) fn expires(&self, timeout_ms: i64) -> i64 {
        if self.storing { i64::MAX } else { self.triggered_ms.saturating_add(timeout_ms) }
    }

    pub(super) fn expiry(&self, timeout_ms: i64) -> String {
        let missing: Vec<String> = self.waiting.iter().take(3).map(SubtaskId::to_string).collect();
        let (count, missing) = (self.waiting.len(), missing.join(", "));
        format!("it expired after {timeout_ms} ms: {count} subtasks had not reported ({missing})")
    }

    pub(super) fn statistics(&self, status: CheckpointStatus, now_ms: i64) -> CheckpointStatistics {
        CheckpointStatistics {
            checkpoint: self.checkpoint,
            status,
            savepoint: self.kind.is_savepoint(),
            triggered_ms: self.triggered_ms,
            latest_ack_ms: self.latest_ack_ms,
            duration_ms: now_ms.saturating_sub(self.triggered_ms).max(0),
            checkpointed_bytes: self.stats.bytes,
            state_bytes: 0,
            alignment_ms_max: self.stats.alignment_ms,
            sync_us_max: self.stats.sync_us,
            overtaken_bytes: self.stats.overtaken_bytes,
            subtasks: self.acknowledged + self.waiting.len() as u32,
            acknowledged: self.acknowledged,
            failure: None,
            path: None,
        }
    }
}
