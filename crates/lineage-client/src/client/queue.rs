//! Events that wait for the worker: bounded in bytes.

use super::{Counters, Message};
use std::collections::VecDeque;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// The queue. Whoever pushes never waits for whoever takes.
pub(super) struct Queue {
    state: Mutex<State>,
    changed: Condvar,
    bytes_max: usize,
}

#[derive(Default)]
struct State {
    waiting: VecDeque<Message>,
    bytes: usize,
    closed: bool,
    counters: Counters,
}

impl Queue {
    pub(super) fn new(bytes_max: usize) -> Self {
        Self { state: Mutex::default(), changed: Condvar::new(), bytes_max }
    }

    /// Adds an event. Where there is no room, periodic ones make it, the oldest first; else this one is dropped.
    pub(super) fn push(&self, message: Message) {
        let mut state = self.lock();
        state.counters.emitted += 1;
        while state.bytes + message.json.len() > self.bytes_max {
            let Some(oldest) = state.waiting.iter().position(|waiting| waiting.periodic) else { break };
            if let Some(lost) = state.waiting.remove(oldest) {
                state.bytes -= lost.json.len();
                state.counters.dropped += 1;
            }
        }
        if state.closed || state.bytes + message.json.len() > self.bytes_max {
            state.counters.dropped += 1;
            return;
        }
        state.bytes += message.json.len();
        state.waiting.push_back(message);
        self.changed.notify_all();
    }

    /// The next event, waiting for it at most this long.
    pub(super) fn take(&self, timeout: Duration) -> Option<Message> {
        let state = self.lock();
        let idle = |state: &mut State| state.waiting.is_empty() && !state.closed;
        let waited = self.changed.wait_timeout_while(state, timeout, idle);
        let (mut state, _) = waited.unwrap_or_else(PoisonError::into_inner);
        let message = state.waiting.pop_front()?;
        state.bytes -= message.json.len();
        Some(message)
    }

    /// Rests, but not longer than until the queue is closed.
    pub(super) fn rest(&self, duration: Duration) {
        let waited = self.changed.wait_timeout_while(self.lock(), duration, |state| !state.closed);
        drop(waited.unwrap_or_else(PoisonError::into_inner));
    }

    /// There will be no more events.
    pub(super) fn close(&self) {
        self.lock().closed = true;
        self.changed.notify_all();
    }

    pub(super) fn is_closed(&self) -> bool {
        self.lock().closed
    }

    pub(super) fn counters(&self) -> Counters {
        self.lock().counters
    }

    /// Counts something.
    pub(super) fn count(&self, counted: impl FnOnce(&mut Counters)) {
        counted(&mut self.lock().counters);
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
