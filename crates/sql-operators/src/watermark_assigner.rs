//! Event-time watermarks from a rowtime column.
//!
//! The watermark is the largest value of the watermark expression so far. It is emitted when it has moved
//! further than the interval since the last emission, and by a timer of the same interval, as in Flink.
//!
//! Flink decides that after every row, so a late row is late even against rows of the same batch. To
//! keep that meaning without cutting batches at every emission, a batch is cut only before a row that lies
//! behind a watermark Flink would have emitted by then; otherwise the watermark follows the batch.

use crate::columns::{timestamps_ms, types_of};
use headwater_data::ChangeBatch;
use headwater_env::Env;
use headwater_expressions::{Evaluator, ExprContext, compile};
use headwater_operator_api::{Collector, OpenContext, Operator, OperatorMetrics, Progress};
use headwater_plan::OperatorNode;
use headwater_plan::operators::WatermarkSpec;
use headwater_types::{Error, MAX_WATERMARK, MIN_WATERMARK, Result};
use std::sync::Arc;
use std::sync::atomic::Ordering;

pub(crate) struct WatermarkAssigner {
    expr: Evaluator,
    rowtime: usize,
    interval_ms: i64,
    idle_timeout_ms: i64,
    env: Env,
    metrics: Option<Arc<OperatorMetrics>>,
    /// Largest value of the expression so far.
    current: i64,
    emitted: i64,
    emitted_at_ms: i64,
    last_row_at_ms: i64,
    idle: bool,
}

impl WatermarkAssigner {
    pub(crate) fn new(spec: &WatermarkSpec, node: &OperatorNode, context: &ExprContext) -> Result<Self> {
        Ok(Self {
            expr: compile(&spec.expr, &types_of(&node.inputs[0]), context)?,
            rowtime: spec.rowtime,
            interval_ms: spec.interval_ms as i64,
            idle_timeout_ms: spec.idle_timeout_ms as i64,
            env: context.env.clone(),
            metrics: None,
            current: MIN_WATERMARK,
            emitted: MIN_WATERMARK,
            emitted_at_ms: 0,
            last_row_at_ms: 0,
            idle: false,
        })
    }

    fn advance(&mut self, out: &mut dyn Collector) {
        if self.current <= self.emitted {
            return;
        }
        self.emitted = self.current;
        self.emitted_at_ms = self.env.now_ms();
        if let Some(metrics) = &self.metrics {
            metrics.watermark.store(self.emitted, Ordering::Relaxed);
        }
        out.emit_watermark(self.emitted);
    }

    /// Emits the rows of `batch`, cut where a watermark makes a difference. Returns with `current` at
    /// the value after the last row.
    fn emit_rows(&mut self, batch: ChangeBatch, out: &mut dyn Collector) -> Result<()> {
        let rowtime = timestamps_ms(batch.rows().column(self.rowtime))?;
        if rowtime.nulls.is_some() {
            let message = "RowTime field should not be null, please convert it to a non-null long value.";
            return Err(Error::user("null-rowtime", message));
        }
        let values = timestamps_ms(&self.expr.evaluate(batch.rows())?)?;
        let valid = |row: usize| values.nulls.as_ref().is_none_or(|n| n.is_valid(row));
        let mut due = self.emitted;
        let mut start = 0;
        for (row, (time, value)) in rowtime.ms.iter().zip(values.ms.iter()).enumerate() {
            if *time <= due && due > self.emitted {
                out.emit(batch.slice(start, row - start));
                start = row;
                let current = std::mem::replace(&mut self.current, due);
                self.advance(out);
                self.current = current;
            }
            if *value > self.current && valid(row) {
                self.current = *value;
                if self.current.saturating_sub(due) > self.interval_ms || self.interval_ms == 0 {
                    due = self.current;
                }
            }
        }
        out.emit(if start == 0 { batch } else { batch.slice(start, batch.num_rows() - start) });
        Ok(())
    }

    fn idle_at_ms(&self) -> Option<i64> {
        (self.idle_timeout_ms > 0 && !self.idle).then(|| self.last_row_at_ms + self.idle_timeout_ms)
    }

    fn emit_at_ms(&self) -> Option<i64> {
        (self.interval_ms > 0 && self.current > self.emitted).then(|| self.emitted_at_ms + self.interval_ms)
    }
}

impl Operator for WatermarkAssigner {
    fn open(&mut self, context: &OpenContext) -> Result<()> {
        self.env = context.env.clone();
        self.metrics = Some(context.metrics.clone());
        self.emitted_at_ms = self.env.now_ms();
        self.last_row_at_ms = self.emitted_at_ms;
        Ok(())
    }

    fn process(&mut self, _input: u8, batch: ChangeBatch, out: &mut dyn Collector) -> Result<()> {
        if batch.num_rows() == 0 {
            return Ok(());
        }
        if self.idle {
            self.idle = false;
            out.emit_idle(false);
        }
        if self.idle_timeout_ms > 0 {
            self.last_row_at_ms = self.env.now_ms();
        }
        self.emit_rows(batch, out)?;
        if self.current.saturating_sub(self.emitted) > self.interval_ms || self.interval_ms == 0 {
            self.advance(out);
        }
        Ok(())
    }

    fn watermark(&mut self, watermark: i64, _out: &mut dyn Collector) -> Result<Progress> {
        if watermark == MAX_WATERMARK {
            // The driver forwards the final watermark; nothing may follow it.
            (self.current, self.emitted) = (MAX_WATERMARK, MAX_WATERMARK);
        }
        Ok(Progress::Done)
    }

    fn next_timer_ms(&self) -> Option<i64> {
        [self.idle_at_ms(), self.emit_at_ms()].into_iter().flatten().min()
    }

    fn processing_time(&mut self, now_ms: i64, out: &mut dyn Collector) -> Result<Progress> {
        if self.emit_at_ms().is_some_and(|due| due <= now_ms) {
            self.advance(out);
        }
        if self.idle_at_ms().is_some_and(|due| due <= now_ms) {
            self.idle = true;
            out.emit_idle(true);
        }
        Ok(Progress::Done)
    }

    fn generates_watermarks(&self) -> bool {
        true
    }
}
