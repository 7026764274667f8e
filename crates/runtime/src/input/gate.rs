//! Reads a gate: keeps event time over its channels and turns elements into items of the chain.

use crate::chain::Chain;
use crate::input::Fed;
use crate::watermark::{Change, ChannelEvent, WatermarkTracker};
use headwater_exchange::{Element, Gate};
use headwater_types::{Error, MAX_WATERMARK, Result};

/// A gate with the inputs its channels belong to.
pub(crate) struct GateInput {
    gate: Gate,
    /// Input, and index within the input, of each channel.
    channels: Vec<(u8, usize)>,
    watermarks: WatermarkTracker,
    inputs: usize,
    started: bool,
}

impl GateInput {
    /// `input_of[c]` is the operator input that channel `c` feeds, below `inputs`.
    pub(crate) fn new(gate: Gate, input_of: &[u8], inputs: usize) -> Self {
        let mut counts = vec![0; inputs];
        let mut number = |input: &u8| {
            let count = &mut counts[usize::from(*input)];
            *count += 1;
            (*input, *count - 1)
        };
        let channels = input_of.iter().map(&mut number).collect();
        Self { gate, channels, watermarks: WatermarkTracker::new(&counts), inputs, started: false }
    }

    /// Gives the chain the next element.
    pub(crate) fn feed(&mut self, chain: &mut Chain) -> Result<Fed> {
        if !self.started {
            self.started = true;
            self.end_unconnected(chain);
            return Ok(Fed::Some);
        }
        let Some((channel, element)) = self.gate.poll() else { return Ok(Fed::Nothing(None)) };
        let (input, index) = self.channels[channel];
        let event = match element {
            Element::Batch(batch) => {
                chain.feed().batch(input, batch);
                return Ok(Fed::Some);
            }
            Element::Watermark(watermark) => ChannelEvent::Watermark(watermark),
            Element::Idle(idle) => ChannelEvent::Idle(idle),
            Element::End => ChannelEvent::End,
            Element::Barrier(_) => return Err(Error::unsupported("checkpoint barriers are not supported yet")),
        };
        let change = self.watermarks.on_event(usize::from(input), index, event);
        forward(change, input, chain);
        Ok(Fed::Some)
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
