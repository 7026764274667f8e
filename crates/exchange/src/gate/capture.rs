//! Keeps the rows that a barrier overtook.

use crate::Element;
use headwater_data::ChangeBatch;

/// Rows that were queued, or arrived, between a consumer's snapshot and the barrier of their channel.
#[derive(Debug)]
pub struct Captured {
    /// The checkpoint.
    pub checkpoint: u64,
    /// The rows of each channel, in order.
    pub channels: Vec<Vec<ChangeBatch>>,
    /// Whether the barriers of all channels arrived. Otherwise the checkpoint cannot complete.
    pub complete: bool,
}

/// A capture under way.
pub(super) struct Capture {
    checkpoint: u64,
    channels: Vec<Vec<ChangeBatch>>,
    /// Channels whose barrier has yet to arrive.
    awaited: Vec<bool>,
    missing: usize,
    /// A channel delivered the barrier of a later checkpoint.
    overrun: bool,
}

impl Capture {
    pub(super) fn new(checkpoint: u64, awaited: &[bool]) -> Self {
        Self {
            checkpoint,
            channels: vec![vec![]; awaited.len()],
            awaited: awaited.to_vec(),
            missing: awaited.iter().filter(|awaited| **awaited).count(),
            overrun: false,
        }
    }

    /// Whether all barriers arrived.
    pub(super) fn is_complete(&self) -> bool {
        self.missing == 0
    }

    /// Looks at the next element of a channel; `false` when it is the barrier, which has done its work.
    pub(super) fn pass(&mut self, channel: usize, element: &Element) -> bool {
        if !self.awaited[channel] {
            return true;
        }
        match element {
            Element::Batch(batch) => self.channels[channel].push(batch.clone()),
            Element::Barrier(barrier) if barrier.checkpoint == self.checkpoint => {
                self.arrived(channel);
                return false;
            }
            Element::Barrier(barrier) if barrier.checkpoint > self.checkpoint => {
                self.overrun = true;
                self.arrived(channel);
            }
            Element::End => self.arrived(channel),
            _ => {}
        }
        true
    }

    pub(super) fn finish(self) -> Captured {
        let complete = self.is_complete() && !self.overrun;
        Captured { checkpoint: self.checkpoint, channels: self.channels, complete }
    }

    fn arrived(&mut self, channel: usize) {
        self.awaited[channel] = false;
        self.missing -= 1;
    }
}
