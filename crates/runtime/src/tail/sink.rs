//! Drives a sink writer: back-pressure, flush when idle, committables at barriers and at the end.
//!
//! A barrier that overtakes does not wait until a slow writer has taken the rows before it: they become part of the
//! checkpoint, and are written behind it. Only where any subtask may write them after a restore at another
//! parallelism: rows that are added and have no key. Changes of a key must stay in order.

use crate::chain::Item;
use crate::deploy::TaskEvents;
use headwater_connector_api::{Committable, SinkWriter};
use headwater_data::ChangeBatch;
use headwater_exchange::Barrier;
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
    /// Rows that wait may become part of a checkpoint.
    captures: bool,
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
    /// Rows that the barrier overtook in front of the writer.
    pub(crate) backlog: Vec<ChangeBatch>,
}

impl SinkTail {
    pub(crate) fn new(
        writer: Box<dyn SinkWriter>,
        subtask: SubtaskId,
        metrics: Arc<OperatorMetrics>,
        events: Arc<dyn TaskEvents>,
        checkpointing: bool,
        captures: bool,
    ) -> Self {
        Self {
            writer,
            subtask,
            metrics,
            events,
            checkpointing,
            captures,
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

    /// Whether rows that wait may become part of a checkpoint.
    pub(crate) fn captures(&self) -> bool {
        self.captures
    }

    /// When the writer takes rows again, if it knows.
    pub(crate) fn ready_at_ms(&self) -> Option<i64> {
        self.writer.ready_at_ms()
    }

    /// Writes what waits; `false` when the writer is not ready for more rows.
    pub(crate) fn accept(&mut self, queue: &mut VecDeque<Item>, now_ms: i64) -> Result<bool> {
        while let Some(item) = queue.front() {
            let must_wait = match item {
                Item::Batch(..) => !self.writer.is_ready(),
                Item::Barrier(_) => !self.is_flushed()?,
                Item::End(_) => !self.may_end()?,
                _ => false,
            };
            if must_wait {
                self.let_overtake(queue, now_ms)?;
                return Ok(false);
            }
            match queue.pop_front() {
                Some(Item::Batch(_, batch)) => {
                    self.metrics.rows_in.fetch_add(batch.num_rows() as u64, Ordering::Relaxed);
                    self.unflushed = true;
                    self.writer.write(batch)?;
                }
                Some(Item::Watermark(watermark)) => {
                    self.metrics.watermark.store(watermark, Ordering::Relaxed);
                    self.writer.watermark(watermark)?;
                }
                Some(Item::Barrier(barrier)) => self.passed = Some(self.snapshot(barrier.checkpoint, false)?),
                Some(Item::End(_)) => self.end()?,
                _ => {}
            }
        }
        Ok(true)
    }

    /// Lets a barrier pass the rows that wait before it, if it overtakes and they may be captured.
    fn let_overtake(&mut self, queue: &mut VecDeque<Item>, now_ms: i64) -> Result<()> {
        let overtakes = |barrier: &Barrier| barrier.overtakes_from_ms().is_some_and(|from_ms| from_ms <= now_ms);
        let Some(at) = queue.iter().position(|item| matches!(item, Item::Barrier(barrier) if overtakes(barrier)))
        else {
            return Ok(());
        };
        let may_wait = |item: &Item| matches!(item, Item::Batch(..) | Item::Watermark(_) | Item::Idle(_));
        if !self.captures || !queue.iter().take(at).all(may_wait) || !self.is_flushed()? {
            return Ok(());
        }
        if let Some(Item::Barrier(barrier)) = queue.remove(at) {
            let rows = queue.iter().take(at).filter_map(|item| match item {
                Item::Batch(_, batch) => Some(batch.clone()),
                _ => None,
            });
            let backlog = rows.collect();
            let snapshot = self.snapshot(barrier.checkpoint, false)?;
            self.passed = Some(SinkSnapshot { backlog, ..snapshot });
        }
        Ok(())
    }

    /// When the writer has something to do by the clock.
    pub(crate) fn next_tick_ms(&self) -> Option<i64> {
        if self.finished { None } else { self.writer.next_tick_ms() }
    }

    /// Lets the writer do what is due by the clock.
    pub(crate) fn tick(&mut self, now_ms: i64) -> Result<()> {
        match self.next_tick_ms() {
            Some(due_ms) if due_ms <= now_ms => self.writer.tick(now_ms),
            _ => Ok(()),
        }
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

    /// Flushes, and tells whether nothing more is waited for.
    fn may_end(&mut self) -> Result<bool> {
        self.flush()?;
        self.writer.may_end()
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
        Ok(SinkSnapshot { writer: self.writer.snapshot()?, committables: self.staged.clone(), backlog: vec![] })
    }

    pub(crate) fn take_passed(&mut self) -> Option<SinkSnapshot> {
        self.passed.take()
    }

    pub(crate) fn checkpoint_complete(&mut self, checkpoint: u64) {
        self.staged.retain(|(staged_for, _)| *staged_for > checkpoint);
        self.writer.checkpoint_complete(checkpoint);
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
