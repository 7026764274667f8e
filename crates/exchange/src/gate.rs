//! The consumer's gate and the in-process transport into it.
//!
//! All channels of a gate share one mutex, held for a push or a pop of one element (never per row). Room is
//! tracked in one atomic per channel, so that producers ask for it without the lock.
//!
//! Fairness: channels with elements stand in a round-robin list; taking one element moves its channel to
//! the back. A channel with many small batches therefore does not starve the others.

use crate::{ChannelSender, Element, Grammar, Waker, lock};
use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

/// The input of a consumer subtask: a bounded queue per channel.
pub struct Gate {
    shared: Arc<Shared>,
}

/// The in-process sender into one channel of a gate.
pub struct LocalSender {
    shared: Arc<Shared>,
    channel: usize,
    grammar: Grammar,
}

struct Shared {
    state: Mutex<State>,
    /// Queued bytes per channel; written under the lock, read without it.
    queued_bytes: Vec<AtomicUsize>,
    capacity_bytes: usize,
    closed: AtomicBool,
}

struct State {
    channels: Vec<Channel>,
    /// Channels with elements, in the order they are served.
    ready: VecDeque<usize>,
    consumer: Option<Waker>,
}

#[derive(Default)]
struct Channel {
    elements: VecDeque<(Element, usize)>,
    producer: Option<Waker>,
    /// Whether the producer wants to be woken when there is room.
    awaits_room: bool,
    /// Whether the producer wants to be woken when the queue is empty.
    awaits_drained: bool,
}

impl Gate {
    /// A gate with `channels` channels that each hold `capacity_bytes`, and their senders in order.
    pub fn new(channels: usize, capacity_bytes: usize) -> (Self, Vec<LocalSender>) {
        let state = State {
            channels: (0..channels).map(|_| Channel::default()).collect(),
            ready: VecDeque::with_capacity(channels),
            consumer: None,
        };
        let shared = Arc::new(Shared {
            state: Mutex::new(state),
            queued_bytes: (0..channels).map(|_| AtomicUsize::new(0)).collect(),
            capacity_bytes,
            closed: AtomicBool::new(false),
        });
        let sender = |channel| LocalSender { shared: shared.clone(), channel, grammar: Grammar::new() };
        let senders = (0..channels).map(sender).collect();
        (Self { shared }, senders)
    }

    /// Number of channels.
    pub fn channels(&self) -> usize {
        self.shared.queued_bytes.len()
    }

    /// Sets the waker that is called when an element arrives at the empty gate.
    pub fn set_waker(&mut self, waker: Waker) {
        lock(&self.shared.state).consumer = Some(waker);
    }

    /// The next element with its channel; `None` when all channels are empty.
    pub fn poll(&mut self) -> Option<(usize, Element)> {
        let mut state = lock(&self.shared.state);
        let index = state.ready.pop_front()?;
        let channel = &mut state.channels[index];
        let (element, bytes) = channel.elements.pop_front().expect("ready channels have elements");
        let queued = self.shared.queued_bytes[index].fetch_sub(bytes, Ordering::AcqRel) - bytes;
        let wake = channel.take_waker(queued <= self.shared.capacity_bytes / 2, queued == 0);
        let more = !channel.elements.is_empty();
        if more {
            state.ready.push_back(index);
        }
        drop(state);
        if let Some(waker) = wake {
            waker();
        }
        Some((index, element))
    }

    /// Bytes queued in a channel.
    pub fn queued_bytes(&self, channel: usize) -> usize {
        self.shared.queued_bytes[channel].load(Ordering::Acquire)
    }

    /// Drops everything queued and to come, and wakes the producers that wait.
    pub fn close(&mut self) {
        let mut wakers = vec![];
        {
            let mut state = lock(&self.shared.state);
            self.shared.closed.store(true, Ordering::Release);
            state.ready.clear();
            for (index, channel) in state.channels.iter_mut().enumerate() {
                channel.elements.clear();
                self.shared.queued_bytes[index].store(0, Ordering::Release);
                wakers.extend(channel.producer.clone());
            }
        }
        wakers.iter().for_each(|wake| wake());
    }
}

impl Drop for Gate {
    fn drop(&mut self) {
        if !self.shared.closed.load(Ordering::Acquire) {
            self.close();
        }
    }
}

impl Channel {
    /// The producer's waker if it waits for what is true now. Its wishes are then forgotten.
    fn take_waker(&mut self, room: bool, drained: bool) -> Option<Waker> {
        if !(room && self.awaits_room || drained && self.awaits_drained) {
            return None;
        }
        self.awaits_room = false;
        self.awaits_drained = false;
        self.producer.clone()
    }
}

impl LocalSender {
    fn queued_bytes(&self) -> usize {
        self.shared.queued_bytes[self.channel].load(Ordering::Acquire)
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
        let bytes = element.bytes();
        let wake = {
            let mut state = lock(&self.shared.state);
            if self.shared.closed.load(Ordering::Acquire) {
                return;
            }
            self.shared.queued_bytes[self.channel].fetch_add(bytes, Ordering::AcqRel);
            let channel = &mut state.channels[self.channel];
            channel.elements.push_back((element, bytes));
            let newly_ready = channel.elements.len() == 1;
            let gate_was_empty = state.ready.is_empty();
            if newly_ready {
                state.ready.push_back(self.channel);
            }
            if gate_was_empty { state.consumer.clone() } else { None }
        };
        if let Some(waker) = wake {
            waker();
        }
    }

    fn set_waker(&mut self, waker: Waker) {
        lock(&self.shared.state).channels[self.channel].producer = Some(waker);
    }
}
