//! What a barrier collects on its way through a chain.

use super::{Chain, Item, Stage, StageOutput};
use crate::checkpoint::OperatorState;
use crate::tail::SinkSnapshot;
use headwater_data::ChangeBatch;
use headwater_exchange::Barrier;
use headwater_state::Snapshot;
use headwater_types::{MAX_WATERMARK, MIN_WATERMARK, Result};
use std::collections::VecDeque;

/// What a barrier has collected when it leaves the chain.
pub(crate) struct Passed {
    /// State of the operators, in chain order.
    pub(crate) operators: Vec<OperatorState>,
    /// State of the sink; empty for other tails.
    pub(crate) sink: SinkSnapshot,
    /// Nanoseconds on the way.
    pub(crate) sync_ns: u64,
}

impl Stage {
    /// Takes the operator's snapshot. What it emits goes before the barrier.
    pub(super) fn snapshot(&mut self, out: &mut VecDeque<super::Item>) -> Result<OperatorState> {
        let mut snapshot = Snapshot::new();
        let out = &mut StageOutput::new(out, &mut self.output, Some(&self.metrics));
        self.operator.snapshot(&mut snapshot, out)?;
        Ok(OperatorState { uid: self.uid.clone(), snapshot, watermark: self.output.watermark() })
    }
}

impl Chain {
    /// What the barrier collected, once it has left the chain.
    pub(crate) fn take_passed(&mut self) -> Option<Passed> {
        let sink = self.tail.take_passed()?;
        Some(Passed { operators: std::mem::take(&mut self.snapshots), sink, sync_ns: 0 })
    }

    /// Whether an overtaking barrier may pass now: what the operators hold is in the middle of a resumable call, and what
    /// waits in front of the tail can be captured.
    pub(crate) fn is_interruptible(&self) -> bool {
        let passable = |(stage, queue): (&Stage, &VecDeque<Item>)| match queue.front() {
            None => true,
            Some(Item::Watermark(_) | Item::Timer(_)) => stage.resuming && queue.len() == 1,
            Some(_) => false,
        };
        let waiting = self.queues.last().is_some_and(|queue| !queue.is_empty());
        self.stages.iter().zip(&self.queues).all(passable) && (!waiting || self.tail.captures())
    }

    /// Lets a barrier pass operators that are in the middle of resumable calls, which go on behind it: their snapshots
    /// hold what is left to do.
    pub(super) fn interrupt(&mut self, barrier: Barrier) -> Result<()> {
        for index in 0..self.stages.len() {
            self.current = index;
            // What the operator before emitted with its snapshot is processed first.
            if self.queues[index].len() > usize::from(self.stages[index].resuming) {
                while !self.queues[index].is_empty() {
                    self.call(index)?;
                }
            }
            if self.stages[index].output.is_ended() {
                self.dropped_barrier = Some(barrier);
                return Ok(());
            }
            let snapshot = self.stages[index].snapshot(&mut self.queues[index + 1])?;
            self.snapshots.push(snapshot);
        }
        self.current = self.stages.len();
        self.queues[self.current].push_back(Item::Barrier(barrier));
        Ok(())
    }

    /// Puts rows in front of the tail that a restored checkpoint holds.
    pub(crate) fn restore_backlog(&mut self, batches: Vec<ChangeBatch>) {
        if let Some(queue) = self.queues.last_mut() {
            queue.extend(batches.into_iter().map(|batch| Item::Batch(0, batch)));
        }
    }

    /// The snapshot of a chain whose input has ended and is processed. The operators are asked only when their
    /// state still `matters`.
    pub(crate) fn snapshot_ended(&mut self, checkpoint: u64, matters: bool) -> Result<Passed> {
        let mut operators = vec![];
        for (at, stage) in self.stages.iter_mut().enumerate().filter(|_| matters) {
            self.current = at;
            operators.push(stage.snapshot(&mut self.queues[at + 1])?);
        }
        self.current = self.stages.len();
        Ok(Passed { operators, sink: self.tail.snapshot_ended(checkpoint)?, sync_ns: 0 })
    }

    /// Sets event time to what it was at a checkpoint: `watermarks` are those of the operators' outputs. Every
    /// operator is told, and so are the consumers.
    pub(crate) fn restore_watermarks(&mut self, watermarks: &[i64], fed_by_gate: bool) {
        // After the final watermark nothing follows: rows that come again have a new event time.
        let known = |watermark: i64| watermark > MIN_WATERMARK && watermark < MAX_WATERMARK;
        for (at, stage) in self.stages.iter_mut().enumerate() {
            let watermark = watermarks[at];
            if !known(watermark) {
                continue;
            }
            StageOutput::new(&mut self.queues[at + 1], &mut stage.output, Some(&stage.metrics)).watermark(watermark);
            if at == 0 && fed_by_gate && !stage.generates_watermarks {
                StageOutput::new(&mut self.queues[0], &mut self.head, None).watermark(watermark);
            }
        }
    }
}
