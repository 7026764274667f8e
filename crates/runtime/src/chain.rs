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
//! A barrier is let in when the chain is empty and passes the operators one after the other. It waits for no room. Before
//! one that overtakes, what the chain holds waits for no room either, and is moved up to the tail. It passes operators
//! that are in the middle of a resumable call (a large window firing), whose snapshot holds what is left of it; and what
//! waits in front of a sink that takes no more may become part of the checkpoint ([`Tail::captures`]). So it waits for
//! nobody but a sink whose rows cannot be captured, and overdraws the room by the output of one call of each operator.
//!
//! The queues are buffers that are reused for ever; nothing is allocated per batch or per row.

mod output;
mod snapshot;

pub(crate) use output::{Item, OutputState, StageOutput};
pub(crate) use snapshot::Passed;

use crate::checkpoint::OperatorState;
use crate::tail::Tail;
use headwater_exchange::Barrier;
use headwater_operator_api::{OpenContext, Operator, OperatorMetrics, Progress};
use headwater_types::{MAX_WATERMARK, Result};
use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::Ordering;

/// An operator with its place in the chain.
struct Stage {
    uid: String,
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
    /// What the barrier on its way has collected.
    snapshots: Vec<OperatorState>,
    /// A barrier that was dropped with the input that an operator needed no more.
    dropped_barrier: Option<Barrier>,
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
            snapshots: vec![],
            dropped_barrier: None,
        }
    }

    /// Opens an operator and appends it, to be fed by `inputs` inputs.
    pub(crate) fn append(
        &mut self,
        uid: &str,
        mut operator: Box<dyn Operator>,
        inputs: u8,
        context: &OpenContext,
    ) -> Result<()> {
        operator.open(context)?;
        self.stages.push(Stage {
            uid: uid.to_owned(),
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

    /// Lets a barrier into a chain that is empty or [interruptible](Chain::is_interruptible).
    pub(crate) fn admit(&mut self, barrier: Barrier) -> Result<()> {
        match self.queues.iter().all(VecDeque::is_empty) {
            true => self.feed().barrier(barrier),
            false => self.interrupt(barrier)?,
        }
        Ok(())
    }

    /// Takes what the input of the chain has.
    pub(crate) fn feed(&mut self) -> StageOutput<'_> {
        StageOutput::new(&mut self.queues[0], &mut self.head, self.head_metrics.as_deref())
    }

    /// Whether the chain takes no more input, because an operator or all consumers need none.
    pub(crate) fn is_satisfied(&self) -> bool {
        self.first > 0 || self.head.is_ended()
    }

    /// Whether an operator wants news of the source's splits.
    pub(crate) fn wants_splits(&self) -> bool {
        self.stages.iter().any(|stage| stage.generates_watermarks)
    }

    /// A barrier that will not leave the chain because the chain ended before.
    pub(crate) fn take_dropped_barrier(&mut self) -> Option<Barrier> {
        let dropped = self.dropped_barrier.take();
        if dropped.is_some() {
            self.snapshots.clear();
        }
        dropped
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

    /// Processes what waits, at most `budget` operator calls. `urgent` waits for room only in the middle of
    /// resumable calls, and moves everything else up to a tail that takes no more.
    pub(crate) fn drain(&mut self, budget: &mut usize, now_ms: i64, urgent: bool) -> Result<Drained> {
        let tail = self.stages.len();
        let mut served = tail;
        while let Some(deepest) = self.queues[..=served].iter().rposition(|queue| !queue.is_empty()) {
            self.current = deepest;
            if deepest == tail {
                if self.tail.accept(&mut self.queues[tail], now_ms)? {
                    self.end_without_consumers();
                    continue;
                }
                if !urgent || tail == 0 {
                    return Ok(Drained::Blocked);
                }
                served = tail - 1;
                continue;
            }
            if *budget == 0 {
                return Ok(Drained::Budget);
            }
            if !self.overdraws(deepest, urgent) && !self.tail.await_room() {
                return Ok(Drained::Blocked);
            }
            *budget -= 1;
            self.call(deepest)?;
        }
        match served == tail {
            true => Ok(Drained::Empty),
            false => self.drain_tail(now_ms),
        }
    }

    /// Lets the tail look again at what was moved up to it meanwhile.
    fn drain_tail(&mut self, now_ms: i64) -> Result<Drained> {
        self.current = self.stages.len();
        let accepted = self.tail.accept(&mut self.queues[self.current], now_ms)?;
        Ok(if accepted { Drained::Empty } else { Drained::Blocked })
    }

    /// Whether the next call of stage `index` needs no room.
    fn overdraws(&self, index: usize, urgent: bool) -> bool {
        urgent && !self.stages[index].resuming || matches!(self.queues[index].front(), Some(Item::Barrier(_)))
    }

    /// Calls the operator of stage `index` with the item at the front of its queue.
    fn call(&mut self, index: usize) -> Result<()> {
        let (inputs, outputs) = self.queues.split_at_mut(index + 1);
        let (input, output) = (&mut inputs[index], &mut outputs[0]);
        let stage = &mut self.stages[index];
        let Some(item) = input.pop_front() else { return Ok(()) };
        if let Item::Barrier(barrier) = item {
            self.snapshots.push(stage.snapshot(output)?);
            output.push_back(Item::Barrier(barrier));
            return Ok(());
        }
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
        let mut drain = None;
        for item in self.queues[..=index].iter_mut().flat_map(|queue| queue.drain(..)) {
            match item {
                Item::Barrier(barrier) => self.dropped_barrier = Some(barrier),
                Item::Drain(barrier) => drain = Some(barrier),
                _ => {}
            }
        }
        let (stage, queue) = (&mut self.stages[index], &mut self.queues[index]);
        stage.resuming = false;
        stage.satisfied = true;
        stage.open_inputs = 1;
        queue.extend(drain.map(Item::Drain));
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
            Item::Split(event) => {
                if self.generates_watermarks {
                    self.operator.split(event, out)?;
                } else {
                    out.split(event);
                }
                return Ok(None);
            }
            Item::Drain(barrier) => {
                out.drain(barrier);
                return Ok(None);
            }
            // Passed by [`Chain::call`], which collects the snapshot.
            Item::Barrier(_) => return Ok(None),
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
            Item::Watermark(MAX_WATERMARK) => out.watermark(MAX_WATERMARK),
            Item::Watermark(watermark) if !self.generates_watermarks => {
                out.watermark(self.operator.output_watermark(watermark));
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
