//! The chain of operators of a subtask, driven without recursion.
//!
//! ```text
//! input ─> queue 0 ─> operator 0 ─> queue 1 ─> operator 1 ─> ... ─> queue n ─> tail
//! ```
//!
//! The driver always serves the deepest queue that holds something, so what an operator emits leaves the
//! chain before the operator is called again, and at most the output of one call of each operator is held.
//! Before every operator call the tail is asked for room; without room the chain stays as it is and goes on
//! later. A call that reports [`Progress::More`] keeps its item at the front of its queue, which holds back
//! everything behind it.
//!
//! The queues are buffers that are reused for ever; nothing is allocated per batch or per row.

mod output;

pub(crate) use output::{Item, OutputState, StageOutput};

use crate::tail::Tail;
use headwater_operator_api::{OpenContext, Operator, OperatorMetrics, Progress};
use headwater_types::{MAX_WATERMARK, Result};
use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::Ordering;

/// An operator with its place in the chain.
struct Stage {
    operator: Box<dyn Operator>,
    metrics: Arc<OperatorMetrics>,
    output: OutputState,
    generates_watermarks: bool,
    /// Inputs that have not ended.
    open_inputs: u8,
    /// The item at the front of the queue was begun and wants another call.
    resuming: bool,
    /// The final watermark was delivered.
    final_watermark: bool,
    /// The operator needs no more input and was told to end.
    satisfied: bool,
}

/// Where the driver stopped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Drained {
    /// Everything is processed.
    Empty,
    /// The tail has no room.
    Blocked,
    /// The budget of calls is used up.
    Budget,
}

/// Operators and their tail.
pub(crate) struct Chain {
    stages: Vec<Stage>,
    /// `queues[i]` is the input of stage `i`; the last one that of the tail.
    queues: Vec<VecDeque<Item>>,
    pub(crate) tail: Tail,
    /// Output of whatever feeds the first queue.
    head: OutputState,
    head_metrics: Option<Arc<OperatorMetrics>>,
    /// The first stage that still takes part: earlier ones ended because a later one needed no more.
    first: usize,
    /// The stage that was called last; the number of stages for the tail.
    current: usize,
}

impl Chain {
    /// A chain that ends in `tail`. `head_metrics` counts what is fed into it, for sources.
    pub(crate) fn new(tail: Tail, head_metrics: Option<Arc<OperatorMetrics>>) -> Self {
        Self {
            stages: vec![],
            queues: vec![VecDeque::new()],
            tail,
            head: OutputState::default(),
            head_metrics,
            first: 0,
            current: 0,
        }
    }

    /// Opens an operator and appends it, to be fed by `inputs` inputs.
    pub(crate) fn append(&mut self, mut operator: Box<dyn Operator>, inputs: u8, context: &OpenContext) -> Result<()> {
        operator.open(context)?;
        self.stages.push(Stage {
            generates_watermarks: operator.generates_watermarks(),
            operator,
            metrics: context.metrics.clone(),
            output: OutputState::default(),
            open_inputs: inputs,
            resuming: false,
            final_watermark: false,
            satisfied: false,
        });
        self.queues.push(VecDeque::new());
        Ok(())
    }

    /// The stage that is or was called; the number of stages for the tail.
    pub(crate) fn current(&self) -> usize {
        self.current
    }

    /// Takes what the input of the chain has.
    pub(crate) fn feed(&mut self) -> StageOutput<'_> {
        StageOutput::new(&mut self.queues[0], &mut self.head, self.head_metrics.as_deref())
    }

    /// Whether the chain takes no more input, because an operator or all consumers need none.
    pub(crate) fn is_satisfied(&self) -> bool {
        self.first > 0 || self.head.is_ended()
    }

    /// Whether everything has ended.
    pub(crate) fn is_finished(&self) -> bool {
        self.tail.is_finished()
    }

    /// Puts due processing-time timers in front of what waits. An operator that is in the middle of a
    /// resumable call finishes it first.
    pub(crate) fn fire_timers(&mut self, now_ms: i64) {
        for (stage, queue) in self.stages.iter().zip(&mut self.queues).skip(self.first) {
            let due = stage.next_timer_ms().is_some_and(|at_ms| at_ms <= now_ms);
            if due && !stage.resuming && !matches!(queue.front(), Some(Item::Timer(_))) {
                queue.push_front(Item::Timer(now_ms));
            }
        }
    }

    /// The wall clock of the next processing-time timer.
    pub(crate) fn next_timer_ms(&self) -> Option<i64> {
        self.stages.iter().skip(self.first).filter_map(Stage::next_timer_ms).min()
    }

    /// Processes what waits, at most `budget` operator calls.
    pub(crate) fn drain(&mut self, budget: &mut usize, now_ms: i64) -> Result<Drained> {
        while let Some(deepest) = self.queues.iter().rposition(|queue| !queue.is_empty()) {
            self.current = deepest;
            if deepest == self.stages.len() {
                if !self.tail.accept(&mut self.queues[deepest], now_ms)? {
                    return Ok(Drained::Blocked);
                }
                self.end_without_consumers();
                continue;
            }
            if *budget == 0 {
                return Ok(Drained::Budget);
            }
            if !self.tail.await_room() {
                return Ok(Drained::Blocked);
            }
            *budget -= 1;
            self.call(deepest)?;
        }
        Ok(Drained::Empty)
    }

    /// Calls the operator of stage `index` with the item at the front of its queue.
    fn call(&mut self, index: usize) -> Result<()> {
        let (inputs, outputs) = self.queues.split_at_mut(index + 1);
        let (input, output) = (&mut inputs[index], &mut outputs[0]);
        let stage = &mut self.stages[index];
        let Some(item) = input.pop_front() else { return Ok(()) };
        if let Some(unfinished) = stage.call(item, output)? {
            input.push_front(unfinished);
        }
        if !stage.output.is_ended() && !stage.satisfied && stage.operator.is_satisfied() {
            self.satisfy(index);
        }
        Ok(())
    }

    /// Stage `index` needs no more input: ends it and drops what was meant for it and those before it.
    fn satisfy(&mut self, index: usize) {
        self.first = index;
        self.head.end();
        self.queues[..=index].iter_mut().for_each(VecDeque::clear);
        let (stage, queue) = (&mut self.stages[index], &mut self.queues[index]);
        stage.resuming = false;
        stage.satisfied = true;
        stage.open_inputs = 1;
        if !stage.final_watermark {
            queue.push_back(Item::Watermark(MAX_WATERMARK));
        }
        queue.push_back(Item::End(0));
    }

    /// Ends everything when no consumer needs more rows.
    fn end_without_consumers(&mut self) {
        if !self.tail.is_finished() && self.tail.is_unread() {
            self.head.end();
            self.first = self.stages.len();
            self.queues.iter_mut().for_each(VecDeque::clear);
            self.tail.finish_unread();
        }
    }

    /// Ends everything if no consumer needs more rows; whether it does.
    pub(crate) fn check_consumers(&mut self) -> bool {
        self.end_without_consumers();
        self.is_finished()
    }
}

impl Stage {
    fn next_timer_ms(&self) -> Option<i64> {
        if self.open_inputs == 0 { None } else { self.operator.next_timer_ms() }
    }

    /// Processes one item; gives it back when the operator wants another call with it.
    fn call(&mut self, item: Item, queue: &mut VecDeque<Item>) -> Result<Option<Item>> {
        let out = &mut StageOutput::new(queue, &mut self.output, Some(&self.metrics));
        let progress = match item {
            Item::Batch(input, batch) => {
                self.metrics.rows_in.fetch_add(batch.num_rows() as u64, Ordering::Relaxed);
                self.operator.process(input, batch, out)?;
                return Ok(None);
            }
            Item::Idle(idle) => {
                if !self.generates_watermarks {
                    out.idle(idle);
                }
                return Ok(None);
            }
            Item::Watermark(watermark) => self.operator.watermark(watermark, out)?,
            Item::Timer(now_ms) => self.operator.processing_time(now_ms, out)?,
            Item::End(input) => self.operator.end_input(input, out)?,
        };
        self.resuming = progress == Progress::More;
        if self.resuming {
            return Ok(Some(item));
        }
        self.final_watermark |= matches!(item, Item::Watermark(MAX_WATERMARK));
        match item {
            Item::Watermark(watermark) if !self.generates_watermarks || watermark == MAX_WATERMARK => {
                out.watermark(watermark);
            }
            Item::End(_) => {
                self.open_inputs = self.open_inputs.saturating_sub(1);
                if self.open_inputs == 0 {
                    out.watermark(MAX_WATERMARK);
                    out.end(0);
                }
            }
            _ => {}
        }
        Ok(None)
    }
}
