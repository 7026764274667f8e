//! The consumer's gate.
//!
//! All channels of a gate share one mutex, held for a push or a pop of one element (never per row). Room is
//! tracked in one atomic per channel, so that producers ask for it without the lock.
//!
//! Fairness: channels with elements stand in a round-robin list; taking one element moves its channel to
//! the back. A channel with many small batches therefore does not starve the others.
//!
//! For checkpoints a consumer may block channels, and capture rows that a barrier overtakes; the protocol stands
//! at [`Element`]. Neither costs anything while no checkpoint is under way. The gate knows nothing of when to do
//! so.

mod capture;
mod sender;

pub use capture::Captured;
pub use sender::LocalSender;

use crate::{Barrier, Element, Grammar, Waker, lock};
use capture::Capture;
use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

/// The input of a consumer subtask: a bounded queue per channel.
pub struct Gate {
    shared: Arc<Shared>,
}

struct Shared {
    state: Mutex<State>,
    /// Queued bytes per channel; written under the lock, read without it.
    queued_bytes: Vec<AtomicUsize>,
    capacity_bytes: usize,
    closed: AtomicBool,
    /// A barrier was announced, or a capture is complete.
    news: AtomicBool,
}

struct State {
    channels: Vec<Channel>,
    /// Channels with elements that are not blocked, in the order they are served.
    ready: VecDeque<usize>,
    consumer: Option<Waker>,
    /// Queued barriers that the consumer does not know yet. At most the checkpoints under way per channel.
    announced: Vec<(usize, Barrier)>,
    capture: Option<Capture>,
    /// Channels whose end was queued.
    ended: usize,
}

#[derive(Default)]
struct Channel {
    elements: VecDeque<(Element, usize)>,
    blocked: bool,
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
            announced: vec![],
            capture: None,
            ended: 0,
        };
        let shared = Arc::new(Shared {
            state: Mutex::new(state),
            queued_bytes: (0..channels).map(|_| AtomicUsize::new(0)).collect(),
            capacity_bytes,
            closed: AtomicBool::new(false),
            news: AtomicBool::new(false),
        });
        let sender = |channel| LocalSender { shared: shared.clone(), channel, grammar: Grammar::new() };
        let senders = (0..channels).map(sender).collect();
        (Self { shared }, senders)
    }

    /// Number of channels.
    pub fn channels(&self) -> usize {
        self.shared.queued_bytes.len()
    }

    /// Sets the waker that is called when an element arrives at the empty gate, a barrier is queued, a capture is complete, or all producers have ended.
    pub fn set_waker(&mut self, waker: Waker) {
        lock(&self.shared.state).consumer = Some(waker);
    }

    /// The next element with its channel; `None` when all channels are empty or blocked.
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

    /// Whether all producers have ended, so that nothing more is queued, no barrier either.
    pub fn is_ended(&self) -> bool {
        lock(&self.shared.state).ended == self.channels()
    }

    /// Holds back what a channel has and will have.
    pub fn block(&mut self, channel: usize) {
        let mut state = lock(&self.shared.state);
        state.channels[channel].blocked = true;
        state.ready.retain(|ready| *ready != channel);
    }

    /// Lets all channels go on.
    pub fn unblock_all(&mut self) {
        let state = &mut *lock(&self.shared.state);
        for (index, channel) in state.channels.iter_mut().enumerate() {
            if std::mem::take(&mut channel.blocked) && !channel.elements.is_empty() {
                state.ready.push_back(index);
            }
        }
    }

    /// Whether [`Gate::take_announced`] or [`Gate::take_captured`] may have something. Cheap.
    pub fn has_news(&self) -> bool {
        self.shared.news.load(Ordering::Acquire)
    }

    /// The barriers that were queued since the last call, with their channels.
    pub fn take_announced(&mut self) -> Vec<(usize, Barrier)> {
        let mut state = lock(&self.shared.state);
        self.shared.news.store(state.has_captured(), Ordering::Release);
        std::mem::take(&mut state.announced)
    }

    /// Keeps the rows of the `awaited` channels, those that are queued and those to come, up to the barrier of
    /// this checkpoint or their end. Replaces a capture under way.
    pub fn begin_capture(&mut self, checkpoint: u64, awaited: &[bool]) {
        let mut wakers = vec![];
        {
            let state = &mut *lock(&self.shared.state);
            let mut capture = Capture::new(checkpoint, awaited);
            for (index, channel) in state.channels.iter_mut().enumerate() {
                let removed = channel.capture_queued(index, &mut capture);
                if removed == 0 {
                    continue;
                }
                let queued = self.shared.queued_bytes[index].fetch_sub(removed, Ordering::AcqRel) - removed;
                wakers.extend(channel.take_waker(queued <= self.shared.capacity_bytes / 2, queued == 0));
                if channel.elements.is_empty() {
                    state.ready.retain(|ready| *ready != index);
                }
            }
            state.capture = Some(capture);
            self.shared.announce(state.has_captured());
        }
        wakers.iter().for_each(|wake| wake());
    }

    /// What was captured, once all barriers have arrived.
    pub fn take_captured(&mut self) -> Option<Captured> {
        let mut state = lock(&self.shared.state);
        if !state.has_captured() {
            return None;
        }
        self.shared.news.store(!state.announced.is_empty(), Ordering::Release);
        state.capture.take().map(Capture::finish)
    }

    /// Ends a capture under way, with what it has.
    pub fn cancel_capture(&mut self) -> Option<Captured> {
        let capture = lock(&self.shared.state).capture.take();
        capture.map(|capture| Captured { complete: false, ..capture.finish() })
    }

    /// Drops everything queued and to come, and wakes the producers that wait.
    pub fn close(&mut self) {
        let mut wakers = vec![];
        {
            let mut state = lock(&self.shared.state);
            self.shared.closed.store(true, Ordering::Release);
            state.ready.clear();
            state.announced.clear();
            state.capture = None;
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

impl Shared {
    fn announce(&self, news: bool) {
        if news {
            self.news.store(true, Ordering::Release);
        }
    }
}

impl State {
    fn has_captured(&self) -> bool {
        self.capture.as_ref().is_some_and(Capture::is_complete)
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

    /// Captures what is queued; the bytes of the barriers that were removed.
    fn capture_queued(&mut self, index: usize, capture: &mut Capture) -> usize {
        let mut removed = 0;
        self.elements.retain(|(element, bytes)| {
            let keep = capture.pass(index, element);
            removed += if keep { 0 } else { *bytes };
            keep
        });
        removed
    }
}
