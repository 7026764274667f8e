//! Brings the barriers of a subtask's channels together. Pure bookkeeping.
//!
//! ```text
//!            first barrier                  last barrier, or end of the last open channel
//!   idle ─────────────────> aligning N ──────────────────────────────────────────────────> N is taken
//!     ^                       │  │  └─ time is up: the barrier overtakes ────────────────> N is taken
//!     └──── abort of N ───────┘  └─ barrier of a later checkpoint: N is given up, and that one is aligned
//! ```
//!
//! Barriers of checkpoints that were taken, given up or aborted are late and ignored.
//!
//! A barrier that may overtake rows overtakes no other barrier: it waits until the checkpoints before it, which may be
//! savepoints that overtake nothing, have been taken or aborted.

use headwater_exchange::{Alignment, Barrier};
use std::collections::BTreeSet;

/// Aborted checkpoints that are remembered in case their barriers still come.
const ABORTED_MAX: usize = 64;

/// The barriers of all channels of a subtask.
#[derive(Debug)]
pub(crate) struct Barriers {
    /// Channels on which barriers may overtake.
    overtakable: Vec<bool>,
    ended: Vec<bool>,
    current: Option<Aligning>,
    /// Barriers that are queued, of checkpoints after the current one. Those that may not overtake hold back later ones.
    announced: Vec<Barrier>,
    /// Barriers up to this checkpoint are late.
    last: u64,
    aborted: BTreeSet<u64>,
}

#[derive(Debug)]
struct Aligning {
    barrier: Barrier,
    since_ms: i64,
    arrived: Vec<bool>,
}

/// A checkpoint whose barrier the subtask may let into its chain.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Taken {
    /// The barrier.
    pub(crate) barrier: Barrier,
    /// When the first barrier arrived.
    pub(crate) since_ms: i64,
}

/// What follows from the barrier or the end of a channel.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Outcome {
    /// This checkpoint is given up in favour of a later one: all channels go on.
    pub(crate) cancelled: Option<u64>,
    /// The channel waits.
    pub(crate) block: bool,
    /// All barriers have arrived: all channels go on, behind the subtask's snapshot.
    pub(crate) taken: Option<Taken>,
}

impl Barriers {
    /// Barriers for channels of which these let barriers overtake.
    pub(crate) fn new(overtakable: Vec<bool>) -> Self {
        let ended = vec![false; overtakable.len()];
        Self { overtakable, ended, current: None, announced: vec![], last: 0, aborted: BTreeSet::new() }
    }

    /// A barrier was taken from a channel.
    pub(crate) fn on_barrier(&mut self, channel: usize, barrier: Barrier, now_ms: i64) -> Outcome {
        let mut outcome = Outcome::default();
        if self.is_late(barrier.checkpoint) {
            return outcome;
        }
        if let Some(older) = self.current.take_if(|c| c.barrier.checkpoint < barrier.checkpoint) {
            self.last = older.barrier.checkpoint;
            outcome.cancelled = Some(self.last);
        }
        let channels = self.ended.len();
        let begin = || Aligning { barrier, since_ms: now_ms, arrived: vec![false; channels] };
        let current = self.current.get_or_insert_with(begin);
        if current.barrier.checkpoint > barrier.checkpoint {
            return outcome;
        }
        current.arrived[channel] = true;
        outcome.taken = self.take_if_complete();
        outcome.block = outcome.taken.is_none() && barrier.alignment != Alignment::AtLeastOnce;
        outcome
    }

    /// A channel ended.
    pub(crate) fn on_end(&mut self, channel: usize) -> Outcome {
        self.ended[channel] = true;
        Outcome { taken: self.take_if_complete(), ..Outcome::default() }
    }

    /// A barrier was queued.
    pub(crate) fn announce(&mut self, channel: usize, barrier: Barrier, now_ms: i64) {
        let is_known = self.announced.iter().any(|known| known.checkpoint == barrier.checkpoint);
        if self.overtakable[channel] && !is_known && !self.is_late(barrier.checkpoint) {
            self.announced.push(barrier);
            self.begin_announced(now_ms);
        }
    }

    /// A checkpoint was triggered whose barrier nobody will send.
    pub(crate) fn trigger(&mut self, barrier: Barrier, now_ms: i64) {
        let open = self.ended.iter().any(|ended| !ended);
        if open && self.current.is_none() && self.announced.is_empty() && !self.is_late(barrier.checkpoint) {
            let arrived = vec![false; self.ended.len()];
            self.current = Some(Aligning { barrier, since_ms: now_ms, arrived });
        }
    }

    /// From when on the current barrier overtakes, if it does.
    pub(crate) fn overtakes_from_ms(&self) -> Option<i64> {
        let current = self.current.as_ref()?;
        let waits = |channel: usize| !self.overtakable[channel] && !self.ended[channel] && !current.arrived[channel];
        if (0..self.ended.len()).any(waits) {
            return None;
        }
        current.barrier.overtakes_from_ms()
    }

    /// Lets the current barrier overtake: the channels whose barriers have not been taken.
    pub(crate) fn overtake(&mut self) -> Option<(Taken, Vec<bool>)> {
        let current = self.current.take()?;
        let awaited = current.arrived.iter().zip(&self.ended).map(|(arrived, ended)| !arrived && !ended).collect();
        Some((self.done(&current), awaited))
    }

    /// A checkpoint was given up; whether it was being aligned, so that all channels go on.
    pub(crate) fn abort(&mut self, checkpoint: u64) -> bool {
        if self.is_late(checkpoint) {
            return false;
        }
        self.announced.retain(|barrier| barrier.checkpoint != checkpoint);
        self.aborted.insert(checkpoint);
        if self.aborted.len() > ABORTED_MAX {
            self.aborted.pop_first();
        }
        self.current.take_if(|current| current.barrier.checkpoint == checkpoint).is_some()
    }

    fn is_late(&self, checkpoint: u64) -> bool {
        checkpoint <= self.last || self.aborted.contains(&checkpoint)
    }

    /// Begins the next announced checkpoint when there is no current one, if its barrier may overtake. One that may not
    /// begins when it arrives.
    pub(crate) fn begin_announced(&mut self, now_ms: i64) {
        if self.announced.is_empty() || self.current.is_some() {
            return;
        }
        let last = self.last;
        self.announced.retain(|barrier| barrier.checkpoint > last);
        let next = self.announced.iter().min_by_key(|barrier| barrier.checkpoint);
        let next = next.filter(|barrier| barrier.overtakes_from_ms().is_some()).copied();
        let begin = |barrier| Aligning { barrier, since_ms: now_ms, arrived: vec![false; self.ended.len()] };
        self.current = next.map(begin);
    }

    fn take_if_complete(&mut self) -> Option<Taken> {
        let Self { current, ended, .. } = self;
        let complete = |c: &mut Aligning| c.arrived.iter().zip(ended).all(|(arrived, ended)| *arrived || *ended);
        let current = current.take_if(complete)?;
        Some(self.done(&current))
    }

    fn done(&mut self, current: &Aligning) -> Taken {
        self.last = current.barrier.checkpoint;
        self.announced.retain(|barrier| barrier.checkpoint > self.last);
        self.aborted = self.aborted.split_off(&self.last);
        Taken { barrier: current.barrier, since_ms: current.since_ms }
    }
}

#[cfg(test)]
mod tests;
