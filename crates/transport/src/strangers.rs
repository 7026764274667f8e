//! Connections whose peer has not introduced itself yet.
//!
//! A peer of this cluster does so in a few milliseconds. Whoever takes longer may be a slow host, or somebody who
//! opens connections and says nothing; so when too many wait, the one that has waited longest gives way. A flood of
//! those cannot keep out a peer that introduces itself while they do not.

use crate::lock;
use headwater_types::{Error, Result};
use std::collections::VecDeque;
use std::sync::Mutex;
use tokio::sync::oneshot;

/// Strangers at once.
pub(crate) const STRANGERS_MAX: usize = 256;

/// The strangers of a port, in the order they came.
#[derive(Default)]
pub(crate) struct Strangers(Mutex<Waiting>);

#[derive(Default)]
struct Waiting {
    last: u64,
    line: VecDeque<(u64, oneshot::Sender<()>)>,
}

impl Strangers {
    /// Waits for a stranger to introduce itself, unless it has to give way.
    pub(crate) async fn admit<T>(&self, introduced: impl Future<Output = Result<T>>) -> Result<T> {
        let (number, displaced) = self.enter();
        let _place = Place { strangers: self, number };
        tokio::select! {
            introduced = introduced => introduced,
            _ = displaced => {
                let message = format!("more than {STRANGERS_MAX} callers have not introduced themselves, this one longest");
                Err(Error::retryable("transport-crowded", message))
            }
        }
    }

    fn enter(&self) -> (u64, oneshot::Receiver<()>) {
        let (displace, displaced) = oneshot::channel();
        let mut waiting = lock(&self.0);
        waiting.last += 1;
        let number = waiting.last;
        if waiting.line.len() == STRANGERS_MAX {
            // Told by the end of its sender.
            waiting.line.pop_front();
        }
        waiting.line.push_back((number, displace));
        (number, displaced)
    }
}

/// A place in the line, left when dropped.
struct Place<'a> {
    strangers: &'a Strangers,
    number: u64,
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        lock(&self.strangers.0).line.retain(|(number, _)| *number != self.number);
    }
}
