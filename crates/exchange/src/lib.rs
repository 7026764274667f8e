//! How rows travel from the subtasks of one vertex to those of the next.
//!
//! A producer subtask has one [`Output`] per edge. The output routes each batch to its target subtasks,
//! coalesces small slices per target, and hands [`Element`]s to a [`ChannelSender`] per target. A consumer
//! subtask has one [`Gate`], which holds a queue per channel and offers the elements of all channels fairly.
//!
//! Invariants:
//! * Queues are bounded in bytes. A producer asks for room before it makes rows; what one call makes may
//!   overdraw the bound, once. Control elements never wait for room.
//! * Elements of one channel stay in order, and their order follows the grammar of [`Element`].
//! * Nobody polls: a consumer is woken when its empty gate receives an element, a producer when a channel
//!   it waits for has room again, or nobody reads it any more.
//!
//! [`ChannelSender`] is the transport seam. Here is the in-process transport only, which moves batches
//! without encoding them. The crate knows neither operators nor threads: it calls the [`Waker`]s it is given.

mod barrier;
mod coalesce;
mod element;
mod gate;
mod output;

pub use barrier::{Alignment, Barrier, BarrierKind};
pub use element::{Element, Grammar};
pub use gate::{Captured, Gate, LocalSender};
pub use output::{Output, OutputOptions, Route};

use std::sync::Arc;

/// Makes a subtask run again. Called from any thread; must not block.
pub type Waker = Arc<dyn Fn() + Send + Sync>;

/// The producer's end of a channel: the seam behind which transports differ.
pub trait ChannelSender: Send {
    /// Whether the channel takes more rows now. A closed channel always does (and drops them).
    fn has_room(&self) -> bool;

    /// Like [`ChannelSender::has_room`], but when there is none, arranges for the waker to be called once
    /// there is.
    fn await_room(&self) -> bool;

    /// Whether the consumer needs no more.
    fn is_closed(&self) -> bool;

    /// Whether everything sent was consumed; otherwise arranges for the waker to be called once it is.
    fn await_drained(&self) -> bool;

    /// Sends an element, whether there is room or not. Dropped when the channel is closed.
    fn send(&mut self, element: Element);

    /// Sets the waker of the producer. Called once, before anything is sent.
    fn set_waker(&mut self, waker: Waker);
}

/// Locks a mutex whose holders keep its data consistent even when they panic.
fn lock<T>(mutex: &std::sync::Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}

#[cfg(test)]
mod tests;
