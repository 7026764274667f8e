//! How many rows a chain is given at a time.
//!
//! A barrier can overtake what waits in a gate, but a sink that takes changes in order must first have taken those that
//! are in the chain already. So a chain whose sink is slow is given smaller slices of its batches: as many rows as it gets
//! rid of in [`SLICE_MS`]. The rest of a batch stays in front of the chain, where a barrier overtakes it. A chain that
//! never waits is given whole batches, and so is one whose barriers need not wait for the sink.

use crate::chain::Drained;
use headwater_data::ChangeBatch;
use headwater_types::RowKind;

/// Milliseconds that a chain may wait for its sink with one slice of rows. Not less: operators make fewer changes of
/// large batches than of many small ones.
const SLICE_MS: i64 = 300;
/// A slice has at least so many rows.
const ROWS_MIN: usize = 16;
/// Slices of more rows than this are not worth being cut: no limit.
const ROWS_MAX: usize = 1 << 16;

/// The rows that a chain is given at a time.
#[derive(Debug)]
pub(crate) struct Pace {
    limit: usize,
    /// Whether the sink decides how long barriers take.
    adapts: bool,
    /// Rows of the last slice.
    fed: usize,
    /// Since when the chain has been waiting for room.
    blocked_ms: Option<i64>,
}

impl Pace {
    /// Whole batches, for a start; for ever, unless it `adapts`.
    pub(crate) fn new(adapts: bool) -> Self {
        Self { limit: usize::MAX, adapts, fed: 0, blocked_ms: None }
    }

    /// The rows to process now, and those to be processed later.
    pub(crate) fn split(&mut self, batch: ChangeBatch) -> (ChangeBatch, Option<ChangeBatch>) {
        let rows = batch.num_rows();
        let mut cut = self.limit.min(rows);
        // An update stays in one piece.
        if cut < rows && batch.kind(cut - 1) == RowKind::UpdateBefore {
            cut += 1;
        }
        self.fed = cut;
        if cut == rows {
            return (batch, None);
        }
        (batch.slice(0, cut), Some(batch.slice(cut, rows - cut)))
    }

    /// What became of the slice so far.
    pub(crate) fn observe(&mut self, drained: Drained, now_ms: i64) {
        match drained {
            Drained::Blocked if self.fed > 0 => drop(self.blocked_ms.get_or_insert(now_ms)),
            Drained::Empty if self.fed > 0 => self.adapt(now_ms),
            _ => {}
        }
    }

    /// The chain is empty: the next slice is larger or smaller by what the last one took.
    fn adapt(&mut self, now_ms: i64) {
        let fed = std::mem::take(&mut self.fed);
        let waited_ms = self.blocked_ms.take().map_or(0, |since_ms| now_ms.saturating_sub(since_ms).max(0));
        if !self.adapts {
            return;
        }
        if waited_ms > SLICE_MS {
            let fits = fed as u128 * SLICE_MS as u128 / waited_ms as u128;
            self.limit = (fits as usize).max(ROWS_MIN);
        } else if waited_ms < SLICE_MS / 2 && fed >= self.limit {
            self.limit = if self.limit >= ROWS_MAX { usize::MAX } else { self.limit * 2 };
        }
    }
}

#[cfg(test)]
mod tests;
