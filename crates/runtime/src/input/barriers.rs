//! Brings the barriers of a subtask's channels together. Pure bookkeeping.
//!
//! ```text
//!            first barrier                  last barrier, or end of the last open channel
//!   idle ─────────────────> aligning N ──────────────────────────────────────────────────> N is taken
//!     ^                       │  │  └─ time is up: the barrier overtakes ────────────────> N is taken
//!     └──── abort of N ───────┘  └─ barrier of a later checkpoint on a channel that left N out: N is given up
//! ```
//!
//! Where rows may count twice, channels do not wait for each other, so that those ahead deliver barriers of later
//! checkpoints while those behind have yet to deliver N's: several are under way then. Channels deliver barriers in
//! order, so they are complete in order, too.
//!
//! Barriers of checkpoints that were taken, given up or aborted are late and ignored.
//!
//! A barrier that may overtake rows overtakes no other barrier: it waits until the checkpoints before it, which may be
//! savepoints that overtake nothing, have been taken or aborted.

use headwater_exchange::{Alignment, Barrier};
use std::collections::{BTreeSet, VecDeque};

/// Aborted checkpoints that are remembered in case their barriers still come.
const ABORTED_MAX: usize = 64;
/// Checkpoints under way at most. There are as many as the controller takes at once, unless it gave some up unheard.
const UNDER_WAY_MAX: usize = 16;

/// The barriers of all channels of a subtask.
#[derive(Debug)]
pub(crate) struct Barriers {
    /// Channels on which barriers may overtake.
    overtakable: Vec<bool>,
    ended: Vec<bool>,
    /// The checkpoints under way, by rising number. At most one of them blocks channels.
    under_way: VecDeque<Aligning>,
    /// Barriers that are queued, of checkpoints after those under way. Those that may not overtake hold back later ones.
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

impl Aligning {
    fn is_of(&self, checkpoint: u64) -> bool {
        self.barrier.checkpoint == checkpoint
    }
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
    /// These checkpoints are given up in favour of a later one.
    pub(crate) cancelled: Vec<u64>,
    /// One of them blocked channels: all go on.
    pub(crate) unblock: bool,
    /// The channel waits.
    pub(crate) block: bool,
    /// All barriers have arrived: the channels that wait for them go on, behind the subtask's snapshot.
    pub(crate) taken: Option<Taken>,
}

impl Taken {
    /// Whether channels waited for it.
    pub(crate) fn blocked(&self) -> bool {
        blocks(self.barrier)
    }
}

/// Whether channels wait for the barriers of the others.
fn blocks(barrier: Barrier) -> bool {
    barrier.alignment != Alignment::AtLeastOnce
}

impl Barriers {
    /// Barriers for channels of which these let barriers overtake.
    pub(crate) fn new(overtakable: Vec<bool>) -> Self {
        let ended = vec![false; overtakable.len()];
        let (under_way, announced, aborted) = (VecDeque::new(), vec![], BTreeSet::new());
        Self { overtakable, ended, under_way, announced, last: 0, aborted }
    }

    /// A barrier was taken from a channel.
    pub(crate) fn on_barrier(&mut self, channel: usize, barrier: Barrier, now_ms: i64) -> Outcome {
        let mut outcome = Outcome::default();
        if self.is_late(barrier.checkpoint) {
            return outcome;
        }
        self.give_up_left_out(channel, barrier, &mut outcome);
        let Some(at) = self.begin(barrier, now_ms) else { return outcome };
        self.under_way[at].arrived[channel] = true;
        outcome.taken = self.take_complete();
        outcome.block = blocks(barrier) && outcome.taken.is_none();
        outcome
    }

    /// Gives up the checkpoints whose barriers the channel should have delivered before this one.
    fn give_up_left_out(&mut self, channel: usize, barrier: Barrier, outcome: &mut Outcome) {
        let number = barrier.checkpoint;
        let is_left_out = |aligning: &Aligning| aligning.barrier.checkpoint < number && !aligning.arrived[channel];
        let is_surplus = self.under_way.len() >= UNDER_WAY_MAX && !self.under_way.iter().any(|a| a.is_of(number));
        let mut surplus = usize::from(is_surplus);
        self.under_way.retain(|aligning| {
            let goes = is_left_out(aligning) || std::mem::take(&mut surplus) > 0;
            if goes {
                outcome.cancelled.push(aligning.barrier.checkpoint);
                outcome.unblock |= blocks(aligning.barrier);
            }
            !goes
        });
        for checkpoint in &outcome.cancelled {
            match self.under_way.front().is_some_and(|first| first.barrier.checkpoint < *checkpoint) {
                true => self.forget(*checkpoint),
                false => self.last = self.last.max(*checkpoint),
            }
        }
    }

    /// Where the checkpoint of a barrier is under way; `None` when a channel has left it out.
    fn begin(&mut self, barrier: Barrier, now_ms: i64) -> Option<usize> {
        if let Some(at) = self.under_way.iter().position(|aligning| aligning.is_of(barrier.checkpoint)) {
            return Some(at);
        }
        if self.under_way.back().is_some_and(|last| last.barrier.checkpoint > barrier.checkpoint) {
            return None;
        }
        self.under_way.push_back(self.aligning(barrier, now_ms));
        Some(self.under_way.len() - 1)
    }

    fn aligning(&self, barrier: Barrier, now_ms: i64) -> Aligning {
        Aligning { barrier, since_ms: now_ms, arrived: vec![false; self.ended.len()] }
    }

    /// A channel ended.
    pub(crate) fn on_end(&mut self, channel: usize) -> Outcome {
        self.ended[channel] = true;
        Outcome { taken: self.take_complete(), ..Outcome::default() }
    }

    /// The next checkpoint whose barriers have all arrived: the end of a channel may complete several.
    pub(crate) fn take_complete(&mut self) -> Option<Taken> {
        let Self { under_way, ended, .. } = self;
        let complete = |a: &mut Aligning| a.arrived.iter().zip(ended).all(|(arrived, ended)| *arrived || *ended);
        let first = under_way.pop_front_if(complete)?;
        Some(self.done(&first))
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
        if open && self.under_way.is_empty() && self.announced.is_empty() && !self.is_late(barrier.checkpoint) {
            self.under_way.push_back(self.aligning(barrier, now_ms));
        }
    }

    /// From when on the barrier under way overtakes, if it does.
    pub(crate) fn overtakes_from_ms(&self) -> Option<i64> {
        let current = self.under_way.front()?;
        let waits = |channel: usize| !self.overtakable[channel] && !self.ended[channel] && !current.arrived[channel];
        if (0..self.ended.len()).any(waits) {
            return None;
        }
        current.barrier.overtakes_from_ms()
    }

    /// Lets the barrier under way overtake: the channels whose barriers have not been taken.
    pub(crate) fn overtake(&mut self) -> Option<(Taken, Vec<bool>)> {
        let current = self.under_way.pop_front()?;
        let awaited = current.arrived.iter().zip(&self.ended).map(|(arrived, ended)| !arrived && !ended).collect();
        Some((self.done(&current), awaited))
    }

    /// A checkpoint was given up; whether channels waited for it, so that all go on.
    pub(crate) fn abort(&mut self, checkpoint: u64) -> bool {
        if self.is_late(checkpoint) {
            return false;
        }
        self.announced.retain(|barrier| barrier.checkpoint != checkpoint);
        self.forget(checkpoint);
        let at = self.under_way.iter().position(|aligning| aligning.is_of(checkpoint));
        at.and_then(|at| self.under_way.remove(at)).is_some_and(|aligning| blocks(aligning.barrier))
    }

    /// Barriers of a checkpoint are late from now on.
    fn forget(&mut self, checkpoint: u64) {
        self.aborted.insert(checkpoint);
        if self.aborted.len() > ABORTED_MAX {
            self.aborted.pop_first();
        }
    }

    fn is_late(&self, checkpoint: u64) -> bool {
        checkpoint <= self.last || self.aborted.contains(&checkpoint)
    }

    /// Begins the next announced checkpoint when none is under way, if its barrier may overtake. One that may not
    /// begins when it arrives.
    pub(crate) fn begin_announced(&mut self, now_ms: i64) {
        if self.announced.is_empty() || !self.under_way.is_empty() {
            return;
        }
        let last = self.last;
        self.announced.retain(|barrier| barrier.checkpoint > last);
        let next = self.announced.iter().min_by_key(|barrier| barrier.checkpoint);
        let next = next.filter(|barrier| barrier.overtakes_from_ms().is_some()).copied();
        let begun = next.map(|barrier| self.aligning(barrier, now_ms));
        self.under_way.extend(begun);
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
