//! Join of two inputs window by window.
//!
//! Rows of both sides are kept until their window ends and then joined ([`HashJoin`]).

#[cfg(test)]
mod tests;

use crate::columns::schema_of;
use crate::hash_join::{HashJoin, Probing};
use crate::joined::Condition;
use crate::mirror::Position;
use crate::window::WallClock;
use crate::window_buffer::{WindowBuffer, WindowId};
use headwater_data::ChangeBatch;
use headwater_expressions::ExprContext;
use headwater_operator_api::{Collector, OpenContext, Operator, Progress};
use headwater_plan::OperatorNode;
use headwater_plan::operators::WindowJoinSpec;
use headwater_state::Snapshot;
use headwater_types::{Error, MIN_WATERMARK, Result};

pub(crate) struct WindowJoin {
    clock: WallClock,
    proctime: bool,
    join: HashJoin,
    left: WindowBuffer,
    right: WindowBuffer,
    progress: i64,
    position: Position,
    firing: Option<Probing>,
    context: Option<OpenContext>,
    batch_rows: usize,
}

impl WindowJoin {
    pub(crate) fn new(spec: &WindowJoinSpec, node: &OperatorNode, context: &ExprContext) -> Result<Self> {
        let [left, right] = node.inputs.as_slice() else {
            return Err(Error::internal("a window join has two inputs"));
        };
        let condition = spec.condition.as_ref().map(|expr| Condition::new(expr, left, right, context));
        let join = HashJoin {
            kind: spec.kind,
            left_keys: spec.left_keys.clone(),
            right_keys: spec.right_keys.clone(),
            null_safe: vec![],
            condition: condition.transpose()?,
            output: schema_of(&node.output),
        };
        Ok(Self {
            clock: WallClock::new(spec.zone.as_deref())?,
            proctime: spec.proctime,
            join,
            left: WindowBuffer::new("left-rows", left, spec.left_window, &spec.left_keys)?,
            right: WindowBuffer::new("right-rows", right, spec.right_window, &spec.right_keys)?,
            position: Position::default(),
            progress: MIN_WATERMARK,
            firing: None,
            context: None,
            batch_rows: 4096,
        })
    }

    fn fire(&mut self, progress: i64, out: &mut dyn Collector) -> Result<Progress> {
        self.progress = self.progress.max(progress);
        loop {
            if let Some(mut firing) = self.firing.take()
                && self.join.step(&mut firing, self.batch_rows, out)?
            {
                self.firing = Some(firing);
                return Ok(Progress::More);
            }
            let Some(window) = self.first_window().filter(|window| self.fired(window.0)) else {
                return Ok(Progress::Done);
            };
            let (left, right) = (self.left.take(window)?, self.right.take(window)?);
            self.firing = Some(self.join.start(left, right)?);
        }
    }

    fn first_window(&self) -> Option<WindowId> {
        [self.left.first(), self.right.first()].into_iter().flatten().min()
    }

    fn fired(&self, window_end: i64) -> bool {
        self.progress >= self.clock.timer_instant(window_end - 1)
    }
}

impl Operator for WindowJoin {
    fn open(&mut self, context: &OpenContext) -> Result<()> {
        self.batch_rows = context.batch_rows.max(1);
        self.context = Some(context.clone());
        (self.progress, _) = self.position.open(&context.state)?;
        self.left.open(&context.state)?;
        self.right.open(&context.state)
    }

    fn process(&mut self, input: u8, batch: ChangeBatch, _out: &mut dyn Collector) -> Result<()> {
        if !batch.is_append() {
            return Err(Error::unsupported("a window join over a changelog"));
        }
        let (progress, clock) = (self.progress, &self.clock);
        let fired = |end: i64| progress >= clock.timer_instant(end - 1);
        let side = if input == 0 { &mut self.left } else { &mut self.right };
        let late = side.push(batch.rows(), clock, fired)?;
        if let (Some(context), true) = (&self.context, late > 0) {
            context.metrics.add_late(late as u64);
        }
        Ok(())
    }

    fn watermark(&mut self, watermark: i64, out: &mut dyn Collector) -> Result<Progress> {
        if self.proctime { Ok(Progress::Done) } else { self.fire(watermark, out) }
    }

    fn next_timer_ms(&self) -> Option<i64> {
        let window = self.first_window().filter(|_| self.proctime)?;
        Some(self.clock.proctime_timer(window.0))
    }

    fn processing_time(&mut self, now_ms: i64, out: &mut dyn Collector) -> Result<Progress> {
        if self.proctime { self.fire(WallClock::over_by(now_ms), out) } else { Ok(Progress::Done) }
    }

    fn snapshot(&mut self, snapshot: &mut Snapshot, out: &mut dyn Collector) -> Result<()> {
        // A checkpoint never holds half a window.
        if self.firing.is_some() {
            while self.fire(self.progress, out)? == Progress::More {}
        }
        self.left.snapshot(snapshot)?;
        self.right.snapshot(snapshot)?;
        self.position.snapshot(self.progress, 0, snapshot);
        Ok(())
    }
}
