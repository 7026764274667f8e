//! Drives a sink writer: back-pressure, flush when idle, committables at barriers and at the end.

use crate::chain::Item;
use crate::deploy::TaskEvents;
use headwater_connector_api::{Committable, SinkWriter};
use headwater_operator_api::OperatorMetrics;
use headwater_types::Result;
use headwater_types::ids::SubtaskId;
use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::Ordering;

/// A sink writer at the end of a chain.
pub(crate) struct SinkTail {
    writer: Box<dyn SinkWriter>,
    subtask: SubtaskId,
    metrics: Arc<OperatorMetrics>,
    events: Arc<dyn TaskEvents>,
    /// Whether a checkpoint commits what is left at the end.
    checkpointing: bool,
    /// Rows were written since the last flush.
    unflushed: bool,
    finished: bool,
    /// The writer has given its last committables.
    gave_last: bool,
    /// Committables by checkpoint, until it is known to be complete: an aborted checkpoint leaves them to the next.
    staged: Vec<(u64, Vec<Committable>)>,
    passed: Option<SinkSnapshot>,
}

/// The part of a sink in a checkpoint.
#[derive(Debug, Default)]
pub(crate) struct SinkSnapshot {
    /// State of the writer.
    pub(crate) writer: Vec<Vec<u8>>,
    /// Committables by the checkpoint they were staged for.
    pub(crate) committables: Vec<(u64, Vec<Committable>)>,
}

impl SinkTail {
    pub(crate) fn new(
        writer: Box<dyn SinkWriter>,
        subtask: SubtaskId,
        metrics: Arc<OperatorMetrics>,
        events: Arc<dyn TaskEvents>,
        checkpointing: bool,
    ) -> Self {
        Self {
            writer,
            subtask,
            metrics,
            events,
            checkpointing,
            unflushed: false,
            finished: false,
            gave_last: false,
            staged: vec![],
            passed: None,
        }
    }

    pub(crate) fn is_finished(&self) -> bool {
        self.finished
    }

    pub(crate) fn is_ready(&mut self) -> bool {
        self.writer.is_ready()
    }

    /// Writes what waits; `false` when the writer is not ready for more rows.
    pub(crate) fn accept(&mut self, queue: &mut VecDeque<Item>) -> Result<bool> {
        while let Some(item) = queue.front() {
            let must_wait = match item {
                Item::Batch(..) => !self.writer.is_ready(),
                Item::Barrier(_) | Item::End(_) => !self.is_flushed()?,
                _ => false,
            };
            if must_wait {
                return Ok(false);
            }
            match queue.pop_front() {
                Some(Item::Batch(_, batch)) => {
                    self.metrics.rows_in.fetch_add(batch.num_rows() as u64, Ordering::Relaxed);
                    self.unflushed = true;
                    self.writer.write(batch)?;
                }
                Some(Item::Watermark(watermark)) => self.metrics.watermark.store(watermark, Ordering::Relaxed),
                Some(Item::Barrier(barrier)) => self.passed = Some(self.snapshot(barrier.checkpoint, false)?),
                Some(Item::End(_)) => self.end()?,
                _ => {}
            }
        }
        Ok(true)
    }

    pub(crate) fn flush(&mut self) -> Result<()> {
        if std::mem::take(&mut self.unflushed) {
            self.writer.flush()?;
        }
        Ok(())
    }

    /// Flushes, and tells whether everything has arrived.
    fn is_flushed(&mut self) -> Result<bool> {
        self.flush()?;
        self.writer.is_flushed()
    }

    /// Takes the writer's part in a checkpoint; with `end`, no rows follow.
    pub(crate) fn snapshot(&mut self, checkpoint: u64, end: bool) -> Result<SinkSnapshot> {
        self.flush()?;
        if !self.gave_last {
            let committables = self.writer.take_committables(checkpoint, end)?;
            if !committables.is_empty() {
                self.staged.push((checkpoint, committables));
            }
            self.gave_last = end;
        }
        Ok(SinkSnapshot { writer: self.writer.snapshot()?, committables: self.staged.clone() })
    }

    pub(crate) fn take_passed(&mut self) -> Option<SinkSnapshot> {
        self.passed.take()
    }

    pub(crate) fn checkpoint_complete(&mut self, checkpoint: u64) {
        self.staged.retain(|(staged_for, _)| *staged_for > checkpoint);
    }

    pub(crate) fn needs_last_checkpoint(&self) -> bool {
        self.checkpointing
    }

    fn end(&mut self) -> Result<()> {
        self.flush()?;
        self.finished = true;
        if self.checkpointing {
            return Ok(());
        }
        // Savepoints that were not completed may have left some.
        let mut committables: Vec<_> = self.staged.drain(..).flat_map(|(_, staged)| staged).collect();
        committables.extend(self.writer.take_committables(0, true)?);
        self.gave_last = true;
        if !committables.is_empty() {
            self.events.committables(self.subtask, committables);
        }
        Ok(())
    }
}
