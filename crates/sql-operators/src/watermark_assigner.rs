//! Event-time watermarks from a rowtime column.
//!
//! The watermark is the largest value of the watermark expression so far. It is emitted when it has moved
//! further than the interval since the last emission, and by a timer of the same interval, as in Flink.
//!
//! Flink decides that after every row, so a late row is late even against rows of the same batch. To
//! keep that meaning without cutting batches at every emission, a batch is cut only before a row that lies
//! behind a watermark Flink would have emitted by then; otherwise the watermark follows the batch.
//!
//! When the source reads several splits together (the partitions of a topic), each has its own largest value, and
//! the watermark is their minimum; see [`splits`].

mod splits;

use crate::columns::{timestamps_ms, types_of};
use headwater_data::ChangeBatch;
use headwater_env::Env;
use headwater_expressions::{Evaluator, ExprContext, compile};
use headwater_operator_api::{Collector, OpenContext, Operator, OperatorMetrics, Progress, SplitEvent};
use headwater_plan::OperatorNode;
use headwater_plan::operators::WatermarkSpec;
use headwater_types::{Error, MAX_WATERMARK, MIN_WATERMARK, Result};
use splits::Splits;
use std::sync::Arc;
use std::sync::atomic::Ordering;

pub(crate) struct WatermarkAssigner {
    expr: Evaluator,
    rowtime: usize,
    interval_ms: i64,
    env: Env,
    metrics: Option<Arc<OperatorMetrics>>,
    idle_timeout_ms: i64,
    /// Largest values of the expression so far.
    splits: Splits,
    emitted: i64,
    emitted_at_ms: i64,
    /// All splits are idle.
    idle: bool,
}

impl WatermarkAssigner {
    pub(crate) fn new(spec: &WatermarkSpec, node: &OperatorNode, context: &ExprContext) -> Result<Self> {
        Ok(Self {
            expr: compile(&spec.expr, &types_of(&node.inputs[0]), context)?,
            rowtime: spec.rowtime,
            interval_ms: spec.interval_ms as i64,
            env: context.env.clone(),
            metrics: None,
            idle_timeout_ms: spec.idle_timeout_ms as i64,
            splits: Splits::new(spec.idle_timeout_ms as i64, 0),
            emitted: MIN_WATERMARK,
            emitted_at_ms: 0,
            idle: false,
        })
    }

    /// Emits the watermark of the splits if it rose.
    fn advance(&mut self, out: &mut dyn Collector) {
        if let Some(watermark) = self.splits.watermark() {
            self.emit(watermark, out);
        }
    }

    fn emit(&mut self, watermark: i64, out: &mut dyn Collector) {
        if watermark <= self.emitted {
            return;
        }
        self.emitted = watermark;
        self.emitted_at_ms = self.env.now_ms();
        if let Some(metrics) = &self.metrics {
            metrics.watermark.store(watermark, Ordering::Relaxed);
        }
        out.emit_watermark(watermark);
    }

    /// Emits the rows of `batch`, cut where a watermark makes a difference. The split then has the value after the
    /// last row.
    fn emit_rows(&mut self, batch: ChangeBatch, out: &mut dyn Collector) -> Result<()> {
        let rowtime = timestamps_ms(batch.rows().column(self.rowtime))?;
        if rowtime.nulls.is_some() {
            let message = "RowTime field should not be null, please convert it to a non-null long value.";
            return Err(Error::user("null-rowtime", message));
        }
        let values = timestamps_ms(&self.expr.evaluate(batch.rows())?)?;
        let valid = |row: usize| values.nulls.as_ref().is_none_or(|n| n.is_valid(row));
        let (mut current, others) = self.splits.current_and_others();
        let mut due = self.emitted;
        let mut start = 0;
        for (row, (time, value)) in rowtime.ms.iter().zip(values.ms.iter()).enumerate() {
            if *time <= due && due > self.emitted {
                out.emit(batch.slice(start, row - start));
                start = row;
                self.emit(due, out);
            }
            if *value > current && valid(row) {
                current = *value;
                let watermark = current.min(others);
                if watermark.saturating_sub(due) > self.interval_ms || self.interval_ms == 0 {
                    due = due.max(watermark);
                }
            }
        }
        self.splits.set_current(current);
        out.emit(if start == 0 { batch } else { batch.slice(start, batch.num_rows() - start) });
        Ok(())
    }

    fn emit_at_ms(&self) -> Option<i64> {
        let risen = self.interval_ms > 0 && self.splits.watermark().is_some_and(|w| w > self.emitted);
        risen.then(|| self.emitted_at_ms + self.interval_ms)
    }

    /// Emits the watermark if it moved further than the interval.
    fn advance_if_far(&mut self, out: &mut dyn Collector) {
        let watermark = self.splits.watermark().unwrap_or(MIN_WATERMARK);
        if self.interval_ms == 0 || watermark.saturating_sub(self.emitted) > self.interval_ms {
            self.advance(out);
        }
    }
}

impl Operator for WatermarkAssigner {
    fn open(&mut self, context: &OpenContext) -> Result<()> {
        self.env = context.env.clone();
        self.metrics = Some(context.metrics.clone());
        self.emitted_at_ms = self.env.now_ms();
        self.splits = Splits::new(self.idle_timeout_ms, self.emitted_at_ms);
        Ok(())
    }

    fn process(&mut self, _input: u8, batch: ChangeBatch, out: &mut dyn Collector) -> Result<()> {
        if batch.num_rows() == 0 {
            return Ok(());
        }
        self.splits.touch(self.env.now_ms());
        if std::mem::take(&mut self.idle) {
            out.emit_idle(false);
        }
        self.emit_rows(batch, out)?;
        self.advance_if_far(out);
        Ok(())
    }

    fn watermark(&mut self, watermark: i64, _out: &mut dyn Collector) -> Result<Progress> {
        if watermark == MAX_WATERMARK {
            // The driver forwards the final watermark; nothing may follow it.
            self.emitted = MAX_WATERMARK;
        }
        Ok(Progress::Done)
    }

    fn next_timer_ms(&self) -> Option<i64> {
        [self.splits.idle_at_ms(), self.emit_at_ms()].into_iter().flatten().min()
    }

    fn processing_time(&mut self, now_ms: i64, out: &mut dyn Collector) -> Result<Progress> {
        if self.emit_at_ms().is_some_and(|due| due <= now_ms) {
            self.advance(out);
        }
        if self.splits.turn_idle(now_ms) {
            // Those that are left may be further.
            self.advance(out);
            self.idle = self.splits.all_idle();
            if self.idle {
                out.emit_idle(true);
            }
        }
        Ok(Progress::Done)
    }

    fn split(&mut self, event: SplitEvent, out: &mut dyn Collector) -> Result<()> {
        match event {
            SplitEvent::Rows(split) => {
                self.splits.read(split, self.env.now_ms());
                if self.idle && !self.splits.all_idle() {
                    self.idle = false;
                    out.emit_idle(false);
                }
            }
            SplitEvent::Finished(split) => {
                self.splits.finish(split);
                self.advance_if_far(out);
            }
        }
        Ok(())
    }

    fn generates_watermarks(&self) -> bool {
        true
    }
}

#[cfg(test)]
mod tests;
