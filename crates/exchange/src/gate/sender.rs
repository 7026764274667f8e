//! The in-process transport into a gate.

use super::{Shared, State};
use crate::{ChannelSender, Element, Grammar, Waker, lock};
use std::sync::Arc;
use std::sync::atomic::Ordering;

/// The in-process sender into one channel of a gate.
pub struct LocalSender {
    pub(super) shared: Arc<Shared>,
    pub(super) channel: usize,
    pub(super) grammar: Grammar,
}

impl LocalSender {
    /// Bytes that the gate holds per channel before producers must wait.
    pub fn capacity_bytes(&self) -> usize {
        self.shared.capacity_bytes
    }

    /// Bytes that wait in the channel.
    pub fn queued_bytes(&self) -> usize {
        self.shared.queued_bytes[self.channel].load(Ordering::Acquire)
    }

    /// Queues an element; whether the consumer must be woken.
    fn push(&self, state: &mut State, element: Element) -> bool {
        // Barriers may have to overtake what keeps the consumer from looking at its gate; those that may not hold back
        // later ones that may.
        let mut news = false;
        if let Element::Barrier(barrier) = &element {
            state.announced.push((self.channel, *barrier));
            news = true;
        }
        if matches!(element, Element::End) {
            state.ended += 1;
            news |= state.ended == state.channels.len();
        }
        if let Some(capture) = &mut state.capture {
            let keep = capture.pass(self.channel, &element);
            news |= capture.is_complete();
            if !keep {
                self.shared.announce(news);
                return news;
            }
        }
        self.shared.announce(news);
        let bytes = element.bytes();
        self.shared.queued_bytes[self.channel].fetch_add(bytes, Ordering::AcqRel);
        let channel = &mut state.channels[self.channel];
        channel.elements.push_back((element, bytes));
        let newly_ready = channel.elements.len() == 1 && !channel.blocked;
        let gate_was_empty = state.ready.is_empty();
        if newly_ready {
            state.ready.push_back(self.channel);
        }
        news || gate_was_empty && newly_ready
    }
}

impl ChannelSender for LocalSender {
    fn has_room(&self) -> bool {
        self.queued_bytes() < self.shared.capacity_bytes || self.is_closed()
    }

    fn await_room(&self) -> bool {
        if self.has_room() {
            return true;
        }
        let mut state = lock(&self.shared.state);
        // Asked again under the lock, which every pop and close takes: no wake-up can be lost.
        let room = self.has_room();
        state.channels[self.channel].awaits_room = !room;
        room
    }

    fn is_closed(&self) -> bool {
        self.shared.closed.load(Ordering::Acquire)
    }

    fn await_drained(&self) -> bool {
        if self.queued_bytes() == 0 {
            return true;
        }
        let mut state = lock(&self.shared.state);
        let drained = self.queued_bytes() == 0;
        state.channels[self.channel].awaits_drained = !drained;
        drained
    }

    fn send(&mut self, element: Element) {
        if cfg!(debug_assertions) {
            let broken = self.grammar.accept(&element).err();
            assert!(broken.is_none(), "{broken:?} on channel {}: {element:?}", self.channel);
        }
        let wake = {
            let mut state = lock(&self.shared.state);
            if self.shared.closed.load(Ordering::Acquire) {
                return;
            }
            let wake = self.push(&mut state, element);
            if wake { state.consumer.clone() } else { None }
        };
        if let Some(waker) = wake {
            waker();
        }
    }

    fn set_waker(&mut self, waker: Waker) {
        lock(&self.shared.state).channels[self.channel].producer = Some(waker);
    }
}
