//! Reads a gate: keeps event time over its channels, brings their barriers together, and turns elements into items
//! of the chain.

use crate::chain::Chain;
use crate::checkpoint::ChannelState;
use crate::input::barriers::{Barriers, Outcome, Taken};
use crate::input::{Fed, Pace};
use crate::subtask::Checkpoints;
use crate::watermark::{Change, ChannelEvent, WatermarkTracker};
use headwater_data::ChangeBatch;
use headwater_exchange::{Captured, Element, Gate};
use headwater_types::{MAX_WATERMARK, Result};
use std::collections::VecDeque;

/// A channel of a gate, as the plan knows it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ChannelInfo {
    /// Index of the edge in the job graph.
    pub(crate) edge: u32,
    /// Operator input that it feeds.
    pub(crate) input: u8,
    /// Whether barriers may overtake rows on it.
    pub(crate) overtakable: bool,
}

/// A batch that is the next to be processed.
pub(crate) struct InFlight {
    pub(crate) edge: u32,
    pub(crate) input: u8,
    pub(crate) batch: ChangeBatch,
}

/// A gate with the inputs its channels belong to.
pub(crate) struct GateInput {
    gate: Gate,
    channels: Vec<ChannelInfo>,
    /// Index of each channel within its input.
    index_in_input: Vec<usize>,
    watermarks: WatermarkTracker,
    barriers: Barriers,
    inputs: usize,
    started: bool,
    /// Rows that come before all others: of the restored checkpoint, or the rest of a batch.
    in_flight: VecDeque<InFlight>,
}

impl GateInput {
    /// The gate of a subtask whose head operator has `inputs` inputs.
    pub(crate) fn new(gate: Gate, channels: Vec<ChannelInfo>, inputs: usize, in_flight: Vec<InFlight>) -> Self {
        let mut counts = vec![0; inputs];
        let mut number = |channel: &ChannelInfo| {
            let count = &mut counts[usize::from(channel.input)];
            *count += 1;
            *count - 1
        };
        let index_in_input = channels.iter().map(&mut number).collect();
        Self {
            gate,
            index_in_input,
            watermarks: WatermarkTracker::new(&counts),
            barriers: Barriers::new(channels.iter().map(|channel| channel.overtakable).collect()),
            channels,
            inputs,
            started: false,
            in_flight: in_flight.into(),
        }
    }

    /// Gives the chain the next element.
    pub(crate) fn feed(
        &mut self,
        chain: &mut Chain,
        checkpoints: &mut Checkpoints,
        pace: &mut Pace,
        now_ms: i64,
    ) -> Result<Fed> {
        if let Some(rows) = self.in_flight.pop_front() {
            self.feed_rows(rows, chain, pace);
            return Ok(Fed::Some);
        }
        if !self.started {
            self.started = true;
            self.end_unconnected(chain);
            return Ok(Fed::Some);
        }
        if let Some(taken) = self.barriers.take_complete() {
            self.take(taken, chain, checkpoints, now_ms);
            return Ok(Fed::Some);
        }
        let Some((channel, element)) = self.gate.poll() else { return Ok(Fed::Nothing(None)) };
        let event = match element {
            Element::Batch(batch) => {
                let ChannelInfo { edge, input, .. } = self.channels[channel];
                self.feed_rows(InFlight { edge, input, batch }, chain, pace);
                return Ok(Fed::Some);
            }
            Element::Watermark(watermark) => ChannelEvent::Watermark(watermark),
            Element::Idle(idle) => ChannelEvent::Idle(idle),
            Element::Barrier(barrier) => {
                let outcome = self.barriers.on_barrier(channel, barrier, now_ms);
                self.settle(channel, outcome, chain, checkpoints, now_ms);
                return Ok(Fed::Some);
            }
            Element::Drain(barrier) => {
                if checkpoints.drain(barrier) {
                    chain.feed().drain(barrier);
                }
                return Ok(Fed::Some);
            }
            Element::End => {
                // The barrier goes first, because nothing follows the end of the last channel.
                let outcome = self.barriers.on_end(channel);
                self.settle(channel, outcome, chain, checkpoints, now_ms);
                ChannelEvent::End
            }
        };
        let input = self.channels[channel].input;
        let change = self.watermarks.on_event(usize::from(input), self.index_in_input[channel], event);
        forward(change, input, chain);
        Ok(Fed::Some)
    }

    /// Gives the chain rows, as many as it is due at a time. The others are next, and are in flight until then.
    fn feed_rows(&mut self, rows: InFlight, chain: &mut Chain, pace: &mut Pace) {
        let InFlight { edge, input, batch } = rows;
        let (now, later) = pace.split(batch);
        if let Some(batch) = later {
            self.in_flight.push_front(InFlight { edge, input, batch });
        }
        chain.feed().batch(input, now);
    }

    /// Looks for barriers that may overtake, and for the rest of what one has overtaken.
    pub(crate) fn look(&mut self, checkpoints: &mut Checkpoints, now_ms: i64) {
        self.look_for_trigger(checkpoints, now_ms);
        if !self.gate.has_news() {
            return;
        }
        for (channel, barrier) in self.gate.take_announced() {
            self.barriers.announce(channel, barrier, now_ms);
        }
        if let Some(captured) = self.gate.take_captured() {
            self.hand_over(captured, checkpoints);
        }
    }

    /// Nobody sends a barrier when all producers have ended, but rows of theirs may wait for long: the trigger does
    /// instead, if barriers of its checkpoint may overtake.
    fn look_for_trigger(&mut self, checkpoints: &Checkpoints, now_ms: i64) {
        if let Some(barrier) = checkpoints.pending()
            && barrier.overtakes_from_ms().is_some()
            && self.gate.is_ended()
        {
            self.barriers.trigger(barrier, now_ms);
        }
    }

    /// From when on the barrier under way overtakes, if it does. Not while rows are captured for the one before: what that
    /// one still waits for stands before this one in every channel.
    pub(crate) fn overtakes_from_ms(&self, checkpoints: &Checkpoints) -> Option<i64> {
        if checkpoints.is_capturing(None) { None } else { self.barriers.overtakes_from_ms() }
    }

    /// Lets the barrier under way overtake what is queued.
    pub(crate) fn overtake(&mut self, chain: &mut Chain, checkpoints: &mut Checkpoints, now_ms: i64) -> Result<()> {
        let Some((taken, awaited)) = self.barriers.overtake() else { return Ok(()) };
        self.give_up_capture(checkpoints);
        checkpoints.begin(taken, now_ms).capturing(self.take_in_flight());
        self.gate.begin_capture(taken.barrier.checkpoint, &awaited);
        self.gate.unblock_all();
        self.barriers.begin_announced(now_ms);
        chain.admit(taken.barrier)
    }

    /// A checkpoint was given up.
    pub(crate) fn abort(&mut self, checkpoint: u64, checkpoints: &mut Checkpoints, now_ms: i64) {
        if self.barriers.abort(checkpoint) {
            self.gate.unblock_all();
        }
        self.barriers.begin_announced(now_ms);
        if checkpoints.is_capturing(Some(checkpoint)) {
            self.give_up_capture(checkpoints);
        }
    }

    /// Nobody reads the gate any more, or another barrier is let in. What was captured of all channels is complete.
    pub(crate) fn give_up_capture(&mut self, checkpoints: &mut Checkpoints) {
        if !checkpoints.is_capturing(None) {
            return;
        }
        // It may have become complete since anybody looked.
        if let Some(captured) = self.gate.take_captured().or_else(|| self.gate.cancel_capture()) {
            self.hand_over(captured, checkpoints);
        }
    }

    fn hand_over(&self, captured: Captured, checkpoints: &mut Checkpoints) {
        let rows = self.channels.iter().zip(captured.channels).filter(|(_, batches)| !batches.is_empty());
        let state = rows.map(|(channel, batches)| ChannelState { edge: channel.edge, batches }).collect();
        checkpoints.captured(captured.checkpoint, state, captured.complete);
    }

    /// The rows in flight, which stay where they are.
    fn take_in_flight(&self) -> Vec<ChannelState> {
        let rows = |rows: &InFlight| ChannelState { edge: rows.edge, batches: vec![rows.batch.clone()] };
        self.in_flight.iter().map(rows).collect()
    }

    fn settle(
        &mut self,
        channel: usize,
        outcome: Outcome,
        chain: &mut Chain,
        checkpoints: &mut Checkpoints,
        now_ms: i64,
    ) {
        outcome.cancelled.iter().for_each(|checkpoint| checkpoints.overtaken_by_later(*checkpoint));
        if outcome.unblock {
            self.gate.unblock_all();
        }
        if outcome.block {
            self.gate.block(channel);
        }
        if let Some(taken) = outcome.taken {
            self.take(taken, chain, checkpoints, now_ms);
        }
    }

    fn take(&mut self, taken: Taken, chain: &mut Chain, checkpoints: &mut Checkpoints, now_ms: i64) {
        self.give_up_capture(checkpoints);
        if taken.blocked() {
            self.gate.unblock_all();
        }
        self.barriers.begin_announced(now_ms);
        checkpoints.begin(taken, now_ms);
        chain.feed().barrier(taken.barrier);
    }

    /// Ends the inputs that no producer of this subtask feeds (a global edge into another subtask).
    fn end_unconnected(&self, chain: &mut Chain) {
        let unconnected: Vec<_> = (0..self.inputs).filter(|input| self.watermarks.input_ended(*input)).collect();
        let all = unconnected.len() == self.inputs;
        if all {
            chain.feed().watermark(MAX_WATERMARK);
        }
        for input in &unconnected {
            let last = all && input + 1 == self.inputs;
            if last {
                chain.feed().end(*input as u8);
            } else {
                chain.feed().end_input(*input as u8);
            }
        }
    }
}

fn forward(change: Change, input: u8, chain: &mut Chain) {
    let mut feed = chain.feed();
    if change.idle == Some(false) {
        feed.idle(false);
    }
    if let Some(watermark) = change.watermark {
        feed.watermark(watermark);
    }
    if change.idle == Some(true) {
        feed.idle(true);
    }
    if change.ended {
        feed.watermark(MAX_WATERMARK);
        feed.end(input);
    } else if change.input_ended {
        feed.end_input(input);
    }
}
