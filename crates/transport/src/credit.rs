//! What a producer may still send on a channel.

use crate::lock;
use headwater_exchange::Waker;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

/// The producer's view of a channel. Asked on a lane, told by I/O threads.
#[derive(Default)]
pub(crate) struct Credit {
    /// What the consumer takes at a time; 0 until it has answered.
    window: AtomicUsize,
    /// What was sent and not yet taken.
    in_flight: AtomicUsize,
    closed: AtomicBool,
    wishes: Mutex<Wishes>,
}

#[derive(Default)]
struct Wishes {
    waker: Option<Waker>,
    room: bool,
    drained: bool,
}

impl Credit {
    pub(crate) fn has_room(&self) -> bool {
        self.in_flight.load(Ordering::Acquire) < self.window.load(Ordering::Acquire) || self.is_closed()
    }

    pub(crate) fn await_room(&self) -> bool {
        if self.has_room() {
            return true;
        }
        let mut wishes = lock(&self.wishes);
        // Asked again under the lock, which every change takes: no wake-up can be lost.
        wishes.room = !self.has_room();
        !wishes.room
    }

    pub(crate) fn await_drained(&self) -> bool {
        if self.is_drained() {
            return true;
        }
        let mut wishes = lock(&self.wishes);
        wishes.drained = !self.is_drained();
        !wishes.drained
    }

    pub(crate) fn is_closed(&self) -> bool {
        self.closed.load(Ordering::Acquire)
    }

    pub(crate) fn set_waker(&self, waker: Waker) {
        lock(&self.wishes).waker = Some(waker);
    }

    /// Bytes were sent.
    pub(crate) fn sent(&self, cost: usize) {
        self.in_flight.fetch_add(cost, Ordering::AcqRel);
    }

    /// The consumer takes rows.
    pub(crate) fn opened(&self, window: usize) {
        self.window.store(window, Ordering::Release);
        self.wake();
    }

    /// The consumer took bytes. More than were sent is a peer's mistake, which harms nobody else.
    pub(crate) fn granted(&self, cost: usize) {
        let less = |bytes: usize| Some(bytes.saturating_sub(cost));
        let _ = self.in_flight.fetch_update(Ordering::AcqRel, Ordering::Acquire, less);
        self.wake();
    }

    /// Nobody takes anything any more.
    pub(crate) fn close(&self) {
        self.closed.store(true, Ordering::Release);
        // Also a producer that waits for something else must hear that its rows are not wanted.
        let waker = lock(&self.wishes).waker.clone();
        if let Some(waker) = waker {
            waker();
        }
    }

    fn is_drained(&self) -> bool {
        self.in_flight.load(Ordering::Acquire) == 0 || self.is_closed()
    }

    /// Wakes the producer if what it waits for is true now.
    fn wake(&self) {
        let waker = {
            let mut wishes = lock(&self.wishes);
            // As in a gate: room means half of the window, so that producers do not wake for every batch.
            let half = self.in_flight.load(Ordering::Acquire) <= self.window.load(Ordering::Acquire) / 2;
            let room = wishes.room && self.has_room() && (half || self.is_closed());
            let drained = wishes.drained && self.is_drained();
            if !room && !drained {
                return;
            }
            wishes.room = false;
            wishes.drained = false;
            wishes.waker.clone()
        };
        if let Some(waker) = waker {
            waker();
        }
    }
}
