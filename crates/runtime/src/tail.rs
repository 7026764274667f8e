//! The end of a chain: outputs to other subtasks, or a sink.

mod sink;

pub(crate) use sink::{SinkSnapshot, SinkTail};

use crate::chain::Item;
use headwater_exchange::{Element, Output, Waker};
use headwater_types::Result;
use std::collections::VecDeque;

/// Where the rows that leave a chain go.
pub(crate) enum Tail {
    /// To other vertices, one output per edge. Without edges rows are dropped.
    Outputs(Outputs),
    /// To the outside world.
    Sink(Box<SinkTail>),
}

/// The outgoing edges of a subtask.
pub(crate) struct Outputs {
    edges: Vec<Output>,
    finished: bool,
    /// A barrier was sent since the last [`Tail::take_passed`].
    passed: bool,
}

impl Outputs {
    /// Outputs that wake their producer with `waker`.
    pub(crate) fn new(mut edges: Vec<Output>, waker: &Waker) -> Self {
        edges.iter_mut().for_each(|edge| edge.set_waker(waker));
        Self { edges, finished: false, passed: false }
    }

    fn send(&mut self, item: Item, now_ms: i64) -> Result<()> {
        match item {
            Item::Batch(_, batch) => {
                let Some((last, others)) = self.edges.split_last_mut() else { return Ok(()) };
                others.iter_mut().try_for_each(|edge| edge.send(batch.clone(), now_ms))?;
                last.send(batch, now_ms)
            }
            Item::Watermark(watermark) => self.control(&Element::Watermark(watermark)),
            Item::Idle(idle) => self.control(&Element::Idle(idle)),
            Item::End(_) => {
                self.finished = true;
                self.control(&Element::End)
            }
            Item::Barrier(barrier) => {
                self.passed = true;
                self.control(&Element::Barrier(barrier))
            }
            Item::Drain(barrier) => self.control(&Element::Drain(barrier)),
            Item::Timer(_) | Item::Split(_) => Ok(()),
        }
    }

    fn control(&mut self, element: &Element) -> Result<()> {
        self.edges.iter_mut().try_for_each(|edge| edge.send_control(element))
    }
}

impl Tail {
    /// Takes the items of its queue, as many as it can; `false` when rows are left that it has no room for.
    /// Then the waker will be called.
    pub(crate) fn accept(&mut self, queue: &mut VecDeque<Item>, now_ms: i64) -> Result<bool> {
        match self {
            // The rows exist already and would use the same memory here: outputs take the overdraft.
            Self::Outputs(outputs) => {
                while let Some(item) = queue.pop_front() {
                    outputs.send(item, now_ms)?;
                }
                Ok(true)
            }
            Self::Sink(sink) => sink.accept(queue, now_ms),
        }
    }

    /// Whether rows that wait here may become part of a checkpoint, so that a barrier that overtakes passes them.
    pub(crate) fn captures(&self) -> bool {
        match self {
            Self::Outputs(_) => true,
            Self::Sink(sink) => sink.captures(),
        }
    }

    /// Whether there is room for the output of one more operator call; otherwise the waker will be called.
    pub(crate) fn await_room(&mut self) -> bool {
        match self {
            Self::Outputs(outputs) => outputs.edges.iter().all(Output::await_room),
            Self::Sink(sink) => sink.is_ready(),
        }
    }

    /// The subtask pauses for want of input: sends what was held back to consumers without work, or makes
    /// visible what was written.
    pub(crate) fn pause(&mut self) -> Result<()> {
        match self {
            Self::Outputs(_) => self.pause_blocked(),
            Self::Sink(sink) => sink.flush(),
        }
    }

    /// The subtask pauses for want of room: sends what was held back to consumers without work.
    pub(crate) fn pause_blocked(&mut self) -> Result<()> {
        match self {
            Self::Outputs(outputs) => outputs.edges.iter_mut().try_for_each(Output::flush_starving),
            Self::Sink(_) => Ok(()),
        }
    }

    /// When [`Tail::flush_due`] has something to do, or a sink takes rows again or has work by the clock.
    pub(crate) fn deadline_ms(&self) -> Option<i64> {
        match self {
            Self::Outputs(outputs) => outputs.edges.iter().filter_map(Output::deadline_ms).min(),
            Self::Sink(sink) => [sink.ready_at_ms(), sink.next_tick_ms()].into_iter().flatten().min(),
        }
    }

    /// Sends what was held back long enough; lets a sink do what is due by the clock.
    pub(crate) fn flush_due(&mut self, now_ms: i64) -> Result<()> {
        match self {
            Self::Outputs(outputs) => outputs.edges.iter_mut().try_for_each(|edge| edge.flush_due(now_ms)),
            Self::Sink(sink) => sink.tick(now_ms),
        }
    }

    /// What the tail has for the barrier that has passed it, if one has.
    pub(crate) fn take_passed(&mut self) -> Option<SinkSnapshot> {
        match self {
            Self::Outputs(outputs) => std::mem::take(&mut outputs.passed).then(SinkSnapshot::default),
            Self::Sink(sink) => sink.take_passed(),
        }
    }

    /// What the tail has for a checkpoint behind the end.
    pub(crate) fn snapshot_ended(&mut self, checkpoint: u64) -> Result<SinkSnapshot> {
        match self {
            Self::Outputs(_) => Ok(SinkSnapshot::default()),
            Self::Sink(sink) => sink.snapshot(checkpoint, true),
        }
    }

    /// A checkpoint is complete.
    pub(crate) fn checkpoint_complete(&mut self, checkpoint: u64) {
        if let Self::Sink(sink) = self {
            sink.checkpoint_complete(checkpoint);
        }
    }

    /// Whether a checkpoint must follow the end.
    pub(crate) fn needs_last_checkpoint(&self) -> bool {
        match self {
            Self::Outputs(_) => false,
            Self::Sink(sink) => sink.needs_last_checkpoint(),
        }
    }

    /// Whether the end has passed.
    pub(crate) fn is_finished(&self) -> bool {
        match self {
            Self::Outputs(outputs) => outputs.finished,
            Self::Sink(sink) => sink.is_finished(),
        }
    }

    /// Whether nobody reads the rows any more.
    pub(crate) fn is_unread(&self) -> bool {
        match self {
            Self::Outputs(outputs) => !outputs.edges.is_empty() && outputs.edges.iter().all(Output::is_closed),
            Self::Sink(_) => false,
        }
    }

    /// Ends without telling the consumers, who left.
    pub(crate) fn finish_unread(&mut self) {
        if let Self::Outputs(outputs) = self {
            outputs.finished = true;
        }
    }
}
