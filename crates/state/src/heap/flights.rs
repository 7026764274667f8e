//! Which records of an overlay are on their way to the engine.
//!
//! Changes travel in batches: one is collected while the one before is written. A record in either must not be
//! evicted, as the engine cannot answer for it yet; so it carries the mark of its batch. Two marks take turns.
//! Invariant: a mark is gone from all records before another batch uses it, so a place that was freed and used
//! again never loses the mark of its new record.

use super::arena::{FLIGHT_A, FLIGHT_B};
use super::{Arena, Ref};

/// The batches of an overlay.
#[derive(Default)]
pub(crate) struct Flights {
    turn: bool,
    collected: Vec<Ref>,
    /// Of the batch before; shrinks once it is written.
    aloft: Vec<Ref>,
}

impl Flights {
    /// Adds a record to the batch that is collected.
    #[inline]
    pub fn board(&mut self, arena: &mut Arena, record: Ref) {
        arena.set_flags(record, arena.flags(record) | mark(self.turn));
        self.collected.push(record);
    }

    /// The collected batch is being written, another one is collected. The batch before must have landed.
    pub fn depart(&mut self) {
        debug_assert!(self.aloft.is_empty(), "one batch is written at a time");
        std::mem::swap(&mut self.aloft, &mut self.collected);
        self.turn = !self.turn;
    }

    /// The batch before is written: takes the mark off at most `limit` records; whether there are no more.
    pub fn land(&mut self, arena: &mut Arena, limit: usize) -> bool {
        let mark = mark(!self.turn);
        let rest = self.aloft.len().saturating_sub(limit);
        for record in self.aloft.drain(rest..) {
            arena.set_flags(record, arena.flags(record) & !mark);
        }
        self.aloft.is_empty()
    }

    /// Memory in use, bytes.
    pub fn bytes(&self) -> usize {
        (self.collected.capacity() + self.aloft.capacity()) * size_of::<Ref>()
    }
}

fn mark(turn: bool) -> u8 {
    if turn { FLIGHT_B } else { FLIGHT_A }
}
