//! Heartbeats from service to service: a connection that lives says nothing about the thread that should answer.

use crate::wire::{Downward, encode};
use headwater_transport::Liveness;
use headwater_transport::messages::MessageWriter;
use headwater_types::{Error, Result};
use std::sync::atomic::{AtomicU64, Ordering};

/// The heartbeats of a TaskManager, as its JobManager counts them.
#[derive(Default)]
pub(crate) struct Pulse {
    answered: AtomicU64,
}

impl Pulse {
    /// The TaskManager has answered a heartbeat.
    pub(crate) fn answered(&self, number: u64) {
        self.answered.fetch_max(number, Ordering::AcqRel);
    }

    /// Asks for answers until they stay out for too long, or the connection ends.
    pub(crate) async fn watch(&self, writer: &MessageWriter, liveness: Liveness) -> Error {
        let missed_max = missed_max(liveness);
        let mut number = 0;
        loop {
            number += 1;
            if let Err(error) = ask(writer, number) {
                return error;
            }
            tokio::time::sleep(liveness.interval).await;
            if number - self.answered.load(Ordering::Acquire).min(number) >= missed_max {
                let message = format!("it did not answer heartbeats for {} ms", liveness.timeout.as_millis());
                return Error::retryable("heartbeat-timeout", message);
            }
        }
    }
}

fn ask(writer: &MessageWriter, number: u64) -> Result<()> {
    writer.send(encode(&Downward::Heartbeat(number))?)
}

/// Heartbeats in a row that may stay unanswered; at least one.
fn missed_max(liveness: Liveness) -> u64 {
    let missed = liveness.timeout.as_millis().div_ceil(liveness.interval.as_millis().max(1));
    u64::try_from(missed).unwrap_or(u64::MAX).max(1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn a_timeout_is_so_many_heartbeats() {
        for (interval, timeout, missed) in [(1_000, 3_000, 3), (1_000, 3_001, 4), (1_000, 10, 1), (0, 5, 5)] {
            let (interval, timeout) = (Duration::from_millis(interval), Duration::from_millis(timeout));
            assert_eq!(missed_max(Liveness { interval, timeout }), missed);
        }
    }
}
