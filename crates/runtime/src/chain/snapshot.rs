//! What a barrier collects on its way through a chain.

use super::{Chain, Stage, StageOutput};
use crate::checkpoint::OperatorState;
use crate::tail::SinkSnapshot;
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
