//! The consumer's end of a channel from another process.

use crate::frame::bad;
use headwater_exchange::{ChannelSender, Element, Grammar, LocalSender, Waker};
use headwater_types::Result;
use std::collections::VecDeque;

/// Elements kept for a consumer that is not deployed yet: control elements only, since rows need credit.
const EARLY_MAX: usize = 1024;

/// Passes the elements of a channel on to a gate, and counts what the consumer has taken.
pub(crate) struct Inlet {
    grammar: Grammar,
    gate: Option<LocalSender>,
    early: Vec<(Element, u32)>,
    /// What is queued in the gate, oldest first: bytes there, and what they counted for the producer.
    queued: VecDeque<(usize, u32)>,
    queued_bytes: usize,
    ended: bool,
}

impl Inlet {
    pub(crate) fn new() -> Self {
        Self {
            grammar: Grammar::new(),
            gate: None,
            early: vec![],
            queued: VecDeque::new(),
            queued_bytes: 0,
            ended: false,
        }
    }

    /// The consumer is deployed. `taken` is called, from any thread, when it may have taken something.
    pub(crate) fn connect(&mut self, mut gate: LocalSender, taken: Waker) {
        gate.set_waker(taken);
        self.gate = Some(gate);
        for (element, cost) in std::mem::take(&mut self.early) {
            self.push(element, cost);
        }
    }

    /// Whether the channel has ended and everything was taken.
    pub(crate) fn is_over(&self) -> bool {
        self.ended && self.is_connected() && self.queued.is_empty()
    }

    pub(crate) fn is_connected(&self) -> bool {
        self.gate.is_some()
    }

    /// Whether the consumer needs no more.
    pub(crate) fn is_closed(&self) -> bool {
        self.gate.as_ref().is_some_and(ChannelSender::is_closed)
    }

    /// Takes an element.
    ///
    /// # Errors
    /// When it is out of order.
    pub(crate) fn receive(&mut self, element: Element, cost: u32) -> Result<()> {
        self.grammar.accept(&element).map_err(bad)?;
        self.ended |= matches!(element, Element::End);
        if self.is_connected() {
            self.push(element, cost);
            return Ok(());
        }
        if matches!(element, Element::Batch(_)) || self.early.len() == EARLY_MAX {
            return Err(bad("rows came before there was room for them"));
        }
        self.early.push((element, cost));
        Ok(())
    }

    /// What the consumer has taken since the last call, as the producer counts it. Arranges for the next call.
    pub(crate) fn take_credit(&mut self) -> u32 {
        let Some(gate) = &self.gate else { return 0 };
        // Whatever happens between asking and counting is counted now or told by the waker.
        gate.await_room();
        gate.await_drained();
        let left = gate.queued_bytes();
        let mut taken = 0u32;
        while let Some((bytes, cost)) = self.queued.front().copied()
            && self.queued_bytes - bytes >= left
        {
            self.queued.pop_front();
            self.queued_bytes -= bytes;
            taken = taken.saturating_add(cost);
        }
        taken
    }

    fn push(&mut self, element: Element, cost: u32) {
        let Some(gate) = &mut self.gate else { return };
        let bytes = element.bytes();
        self.queued.push_back((bytes, cost));
        self.queued_bytes += bytes;
        gate.send(element);
    }
}
