//! What happens to records that cannot be decoded: the option `errors.mode`, the same for every source.
//!
//! ```text
//! fail          the job fails with the place, the reason and the beginning of the record
//! skip          the record is counted and told in the log
//! dead-letter   as skip, and the record is kept as a JSON line with its place, the reason and its bytes
//! ```
//!
//! Invariant: a reader makes its letters durable before a checkpoint holds a position behind their records. After
//! a failure a letter may be written again, but none is missing.

mod letters;

#[cfg(test)]
mod tests;

pub use letters::{LetterFile, letter};

use headwater_connector_api::Options;
use headwater_types::Result;
use std::sync::Arc;

/// Bytes of a bad record that an error message shows.
const SHOWN_BYTES_MAX: usize = 120;

/// The mode.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ErrorMode {
    /// The job fails.
    Fail,
    /// The record is left out.
    Skip,
    /// The record is left out and kept elsewhere.
    DeadLetter,
}

impl ErrorMode {
    /// What the options of a table say.
    ///
    /// # Errors
    /// When the mode is none.
    pub fn from_options(options: Options<'_>) -> Result<Self> {
        let modes = [("fail", Self::Fail), ("skip", Self::Skip), ("dead-letter", Self::DeadLetter)];
        options.choice("errors.mode", Self::Fail, &modes)
    }
}

/// Counts bad records of a reader: in its metric, and in the log with ever larger pauses.
pub struct Counter {
    count: Arc<dyn Fn() + Send + Sync>,
    seen: u64,
}

impl Counter {
    /// Counts with `count`.
    pub fn new(count: Arc<dyn Fn() + Send + Sync>) -> Self {
        Self { count, seen: 0 }
    }

    /// Counts one. `place` is where it stands.
    pub fn add(&mut self, place: impl FnOnce() -> String, reason: &str) {
        (self.count)();
        self.seen += 1;
        // The first, the second, the fourth, the eighth ..: a file of nothing else must not fill the log.
        if self.seen.is_power_of_two() {
            tracing::warn!(
                place = place(),
                reason,
                bad_records = self.seen,
                "a record cannot be decoded, it is left out"
            );
        }
    }
}

/// The beginning of a record, for a message.
pub fn shown(raw: &[u8]) -> String {
    let text = String::from_utf8_lossy(&raw[..raw.len().min(SHOWN_BYTES_MAX)]);
    let more = if raw.len() > SHOWN_BYTES_MAX { "..." } else { "" };
    format!("{text}{more}")
}
