//! A subtask's part in checkpoints, from the trigger to the report.
//!
//! ```text
//! trigger or drain ─> pending ─┐
//! barriers of a gate ──────────┴─ begin ─> barrier in the chain ─ passed ─┬─> report
//!                                └─ capturing what it overtook ─ captured ┘
//! ```
//!
//! Triggers are acted on one after the other, in the order of their numbers: consumers give up a checkpoint when the
//! barrier of a later one arrives first, so a source that left one out would fail it for everybody.

use crate::chain::Passed;
use crate::checkpoint::{ChannelState, INTO_SINK, SnapshotStats, SubtaskSnapshot};
use crate::deploy::TaskEvents;
use crate::input::Taken;
use crate::metrics::SubtaskMetrics;
use headwater_connector_api::Split;
use headwater_exchange::Barrier;
use headwater_types::Error;
use headwater_types::ids::SubtaskId;
use std::collections::VecDeque;
use std::sync::Arc;

/// Triggers that wait for the subtask at most. There are as many as checkpoints under way, unless news of their ends gets
/// lost.
const PENDING_MAX: usize = 16;

/// What a subtask knows of checkpoints.
pub(crate) struct Checkpoints {
    subtask: SubtaskId,
    events: Arc<dyn TaskEvents>,
    metrics: Arc<SubtaskMetrics>,
    /// Triggers that nobody has acted on, by rising number.
    pending: VecDeque<Barrier>,
    /// The highest checkpoint that the subtask has taken part in or given up.
    last: u64,
    current: Option<Current>,
    /// The savepoint that all inputs end for, and what was left of the source's splits.
    drain: Option<Barrier>,
    drained_splits: Vec<Split>,
    /// The stopping savepoint behind which nothing happens.
    stopped_behind: Option<u64>,
    /// The first checkpoint that was taken behind the end of all input.
    ended_in: Option<u64>,
    /// The controller knows that the subtask waits.
    awaiting: bool,
}

/// A checkpoint whose barrier was let into the chain.
pub(crate) struct Current {
    snapshot: SubtaskSnapshot,
    /// The barrier has left the chain.
    passed: bool,
    /// Rows that it overtook are still arriving.
    capturing: bool,
}

impl Checkpoints {
    pub(crate) fn new(subtask: SubtaskId, events: Arc<dyn TaskEvents>, metrics: Arc<SubtaskMetrics>) -> Self {
        Self {
            subtask,
            events,
            metrics,
            pending: VecDeque::new(),
            last: 0,
            current: None,
            drain: None,
            drained_splits: vec![],
            stopped_behind: None,
            ended_in: None,
            awaiting: false,
        }
    }

    /// A checkpoint was triggered.
    pub(crate) fn trigger(&mut self, barrier: Barrier) {
        let latest = self.pending.back().map_or(self.last, |pending| pending.checkpoint.max(self.last));
        if barrier.checkpoint <= latest {
            return;
        }
        if self.pending.len() >= PENDING_MAX
            && let Some(oldest) = self.pending.front().copied()
        {
            self.overtaken_by_later(oldest.checkpoint);
        }
        self.pending.push_back(barrier);
    }

    /// The stopping savepoint that must have been given up, because a later checkpoint was triggered: behind one that
    /// is complete there is none, and none beside one that is under way.
    pub(crate) fn given_up_before(&self, barrier: Barrier) -> Option<u64> {
        let stops = self.stopped_behind.into_iter().chain(self.drain.map(|drain| drain.checkpoint));
        stops.filter(|checkpoint| *checkpoint < barrier.checkpoint).min()
    }

    /// All sources end for this savepoint; whether that is news.
    pub(crate) fn drain(&mut self, barrier: Barrier) -> bool {
        self.trigger(barrier);
        self.drain.replace(barrier).is_none()
    }

    /// The source ends for a savepoint; these splits were left.
    pub(crate) fn drain_source(&mut self, barrier: Barrier, splits: Vec<Split>) {
        self.drain(barrier);
        self.drained_splits = splits;
    }

    /// Whether all inputs end for a savepoint.
    pub(crate) fn is_draining(&self) -> bool {
        self.drain.is_some()
    }

    /// Whether all inputs end for the savepoint of this barrier.
    pub(crate) fn is_draining_for(&self, barrier: Barrier) -> bool {
        self.drain.is_some_and(|drain| drain.checkpoint == barrier.checkpoint)
    }

    /// The trigger to act on next, if there is one.
    pub(crate) fn pending(&self) -> Option<Barrier> {
        self.pending.front().copied()
    }

    /// Triggers up to this one are acted on, or need not be.
    fn settle(&mut self, checkpoint: u64) {
        self.pending.retain(|pending| pending.checkpoint > checkpoint);
    }

    /// The barrier is let into the chain.
    pub(crate) fn begin(&mut self, taken: Taken, now_ms: i64) -> &mut Current {
        let Taken { barrier, since_ms } = taken;
        self.last = barrier.checkpoint;
        self.settle(barrier.checkpoint);
        let between = |from: i64, to: i64| to.saturating_sub(from).max(0) as u64;
        let stats = SnapshotStats {
            start_delay_ms: between(barrier.triggered_at_ms, since_ms),
            alignment_ms: between(since_ms, now_ms),
            ..SnapshotStats::default()
        };
        if barrier.stops() {
            self.stopped_behind = Some(barrier.checkpoint);
        }
        let snapshot = new_snapshot(barrier, stats);
        self.current.insert(Current { snapshot, passed: false, capturing: false })
    }

    /// Whether a barrier is on its way through the chain.
    pub(crate) fn is_passing(&self) -> bool {
        self.current.as_ref().is_some_and(|current| !current.passed)
    }

    /// From when on the barrier on its way through the chain overtakes rows, if there is one and it does.
    pub(crate) fn overtakes_from_ms(&self) -> Option<i64> {
        self.current.as_ref().filter(|current| !current.passed)?.snapshot.barrier.overtakes_from_ms()
    }

    /// The barrier has left the chain.
    pub(crate) fn passed(&mut self, passed: Passed) {
        let Some(current) = &mut self.current else { return };
        current.passed = true;
        current.snapshot.operators = passed.operators;
        current.snapshot.writer = passed.sink.writer;
        current.snapshot.committables = passed.sink.committables;
        current.snapshot.stats.sync_us = passed.sync_ns / 1000;
        if !passed.sink.backlog.is_empty() {
            current.overtaking();
            current.add_channel_state(vec![ChannelState { edge: INTO_SINK, batches: passed.sink.backlog }]);
        }
        self.report_when_complete();
    }

    /// Whether rows of this checkpoint, or of any, are being captured.
    pub(crate) fn is_capturing(&self, checkpoint: Option<u64>) -> bool {
        let is = |c: &Current| c.capturing && checkpoint.is_none_or(|n| n == c.snapshot.barrier.checkpoint);
        self.current.as_ref().is_some_and(is)
    }

    /// The rows that the barrier overtook, or all there will be of them.
    pub(crate) fn captured(&mut self, checkpoint: u64, state: Vec<ChannelState>, complete: bool) {
        let is = |current: &&mut Current| current.snapshot.barrier.checkpoint == checkpoint;
        let Some(current) = self.current.as_mut().filter(is) else { return };
        current.capturing = false;
        current.snapshot.aborted |= !complete;
        current.add_channel_state(state);
        self.report_when_complete();
    }

    fn report_when_complete(&mut self) {
        if let Some(current) = self.current.take_if(|current| current.passed && !current.capturing) {
            self.report(current.snapshot);
        }
    }

    fn report(&mut self, snapshot: SubtaskSnapshot) {
        let (checkpoint, aborted) = (snapshot.barrier.checkpoint, snapshot.aborted);
        self.metrics.add_checkpoint(&snapshot.stats);
        self.events.snapshot(self.subtask, snapshot);
        if aborted {
            self.overtaken_by_later(checkpoint);
        }
    }

    /// Takes part in a checkpoint behind the end of all input.
    pub(crate) fn snapshot_ended(&mut self, barrier: Barrier, passed: Passed) {
        self.last = barrier.checkpoint;
        self.settle(barrier.checkpoint);
        self.ended_in.get_or_insert(barrier.checkpoint);
        let mut snapshot = new_snapshot(barrier, SnapshotStats::default());
        // Whoever ended by itself has nothing to go on with, whatever the others do.
        let drained = self.is_draining_for(barrier);
        snapshot.finished = !drained;
        snapshot.operators = passed.operators;
        snapshot.writer = passed.sink.writer;
        snapshot.committables = passed.sink.committables;
        if drained {
            snapshot.splits.clone_from(&self.drained_splits);
        }
        self.report(snapshot);
    }

    /// The subtask will not take part in a checkpoint.
    pub(crate) fn decline(&mut self, checkpoint: u64, reason: Error) {
        self.last = self.last.max(checkpoint);
        self.settle(checkpoint);
        self.events.declined(self.subtask, checkpoint, reason);
    }

    /// A checkpoint was given up in favour of a later one.
    pub(crate) fn overtaken_by_later(&mut self, checkpoint: u64) {
        let reason = Error::retryable("checkpoint-superseded", "the barrier of a later checkpoint came first");
        self.decline(checkpoint, reason);
    }

    /// A barrier was lost because the chain ended around it: the subtask answers behind the end.
    pub(crate) fn dropped(&mut self, barrier: Barrier) {
        self.current.take_if(|current| current.snapshot.barrier.checkpoint == barrier.checkpoint);
        if self.pending.front().is_none_or(|pending| pending.checkpoint > barrier.checkpoint) {
            self.pending.push_front(barrier);
        }
    }

    /// A checkpoint was given up by the controller. What passes the chain passes on.
    pub(crate) fn abort(&mut self, checkpoint: u64) {
        if self.pending.iter().any(|pending| pending.checkpoint == checkpoint) {
            self.pending.retain(|pending| pending.checkpoint != checkpoint);
            self.last = self.last.max(checkpoint);
        }
        self.stopped_behind.take_if(|stopped| *stopped == checkpoint);
        self.drain.take_if(|drain| drain.checkpoint == checkpoint);
    }

    /// A checkpoint is complete; whether the subtask ends with it.
    pub(crate) fn complete(&mut self, checkpoint: u64) -> bool {
        self.stopped_behind == Some(checkpoint) || self.ended_in.is_some_and(|first| first <= checkpoint)
    }

    /// Whether nothing may happen until the stopping savepoint is complete or given up.
    pub(crate) fn is_stopped(&self) -> bool {
        self.stopped_behind.is_some() && self.current.is_none()
    }

    /// The subtask waits for a last checkpoint. Reported once.
    pub(crate) fn await_last(&mut self) {
        if !std::mem::replace(&mut self.awaiting, true) {
            self.events.ended_awaiting_checkpoint(self.subtask);
        }
    }
}

impl Current {
    /// Its barrier overtakes; `rows` are the first that it overtakes.
    pub(crate) fn capturing(&mut self, rows: Vec<ChannelState>) {
        self.capturing = true;
        self.snapshot.stats.unaligned = true;
        self.add_channel_state(rows);
    }

    /// The source's splits at the barrier.
    pub(crate) fn splits(&mut self, splits: Vec<Split>) {
        self.snapshot.splits = splits;
    }

    /// The barrier waits for no room.
    pub(crate) fn overtaking(&mut self) {
        self.snapshot.stats.unaligned = true;
    }

    fn add_channel_state(&mut self, state: Vec<ChannelState>) {
        let stats = &mut self.snapshot.stats;
        for batch in state.iter().flat_map(|channel| &channel.batches) {
            stats.overtaken_rows += batch.num_rows() as u64;
            stats.overtaken_bytes += batch.bytes() as u64;
        }
        self.snapshot.channel_state.extend(state);
    }
}

fn new_snapshot(barrier: Barrier, stats: SnapshotStats) -> SubtaskSnapshot {
    SubtaskSnapshot {
        barrier,
        finished: false,
        aborted: false,
        splits: vec![],
        operators: vec![],
        writer: vec![],
        committables: vec![],
        channel_state: vec![],
        stats,
    }
}
