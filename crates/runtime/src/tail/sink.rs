//! Drives a sink writer: back-pressure, flush when idle, committables at the end.

use crate::chain::Item;
use crate::deploy::TaskEvents;
use headwater_connector_api::SinkWriter;
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
    /// Rows were written since the last flush.
    unflushed: bool,
    finished: bool,
}

impl SinkTail {
    pub(crate) fn new(
        writer: Box<dyn SinkWriter>,
        subtask: SubtaskId,
        metrics: Arc<OperatorMetrics>,
        events: Arc<dyn TaskEvents>,
    ) -> Self {
        Self { writer, subtask, metrics, events, unflushed: false, finished: false }
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
            if matches!(item, Item::Batch(..)) && !self.writer.is_ready() {
                return Ok(false);
            }
            match queue.pop_front() {
                Some(Item::Batch(_, batch)) => {
                    self.metrics.rows_in.fetch_add(batch.num_rows() as u64, Ordering::Relaxed);
                    self.unflushed = true;
                    self.writer.write(batch)?;
                }
                Some(Item::Watermark(watermark)) => self.metrics.watermark.store(watermark, Ordering::Relaxed),
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

    fn end(&mut self) -> Result<()> {
        self.flush()?;
        let committables = self.writer.take_committables(true)?;
        if !committables.is_empty() {
            self.events.committables(self.subtask, committables);
        }
        self.finished = true;
        Ok(())
    }
}
