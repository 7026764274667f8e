//! The open sessions of every key.
//!
//! A row at time `t` spans `[t, t + gap)` and joins every session of its key that it overlaps or touches;
//! sessions it connects become one. Each session owns a slot number, under which its operator keeps what
//! belongs to it. The table is the same for aggregation and for the window table function.

use hashbrown::HashMap;
use std::cmp::Reverse;
use std::collections::BinaryHeap;

/// The open sessions of an operator.
pub(crate) struct SessionTable {
    gap_ms: i64,
    sessions: HashMap<Box<[u8]>, Vec<Session>>,
    /// One timer per session, at an end it once had: at or before its present end.
    timers: BinaryHeap<Reverse<(i64, Box<[u8]>)>>,
    free: Vec<u32>,
    slots: u32,
}

#[derive(Debug, Clone, Copy)]
struct Session {
    start: i64,
    end: i64,
    slot: u32,
    /// The time of its timer.
    timer: i64,
}

/// A session that ended.
pub(crate) struct Ended {
    pub(crate) key: Box<[u8]>,
    pub(crate) start: i64,
    pub(crate) end: i64,
    pub(crate) slot: u32,
}

/// Sessions that became one while a batch was assigned: slot, and the slot it went into.
pub(crate) type Merges = Vec<(u32, u32)>;

impl SessionTable {
    pub(crate) fn new(gap_ms: i64) -> Self {
        Self { gap_ms, sessions: HashMap::new(), timers: BinaryHeap::new(), free: vec![], slots: 0 }
    }

    /// Slots handed out so far: slots are below this.
    pub(crate) fn slots(&self) -> usize {
        self.slots as usize
    }

    /// The slot of the session that takes a row, or `None` when the session would be late. Merged slots are
    /// appended to `merges`; they stay taken until [`SessionTable::release`].
    pub(crate) fn assign(
        &mut self,
        key: &[u8],
        time_ms: i64,
        is_late: impl Fn(i64) -> bool,
        merges: &mut Merges,
    ) -> Option<u32> {
        let (start, end) = (time_ms, time_ms.saturating_add(self.gap_ms));
        if let Some(sessions) = self.sessions.get_mut(key) {
            if let Some(slot) = join(sessions, start, end, merges) {
                return Some(slot);
            }
            if is_late(end) {
                return None;
            }
        } else if is_late(end) {
            return None;
        }
        let slot = self.free.pop().unwrap_or_else(|| {
            self.slots += 1;
            self.slots - 1
        });
        self.sessions.entry_ref(key).or_default().push(Session { start, end, slot, timer: end });
        self.timers.push(Reverse((end, key.into())));
        Some(slot)
    }

    /// Opens a session that a checkpoint held; the answer is its slot.
    pub(crate) fn restore(&mut self, key: &[u8], start: i64, end: i64) -> u32 {
        let slot = self.slots;
        self.slots += 1;
        self.sessions.entry_ref(key).or_default().push(Session { start, end, slot, timer: end });
        self.timers.push(Reverse((end, key.into())));
        slot
    }

    /// Start and end of the session of a key in a slot, if it is there.
    pub(crate) fn window(&self, key: &[u8], slot: u32) -> Option<(i64, i64)> {
        let session = self.sessions.get(key)?.iter().find(|session| session.slot == slot)?;
        Some((session.start, session.end))
    }

    /// All open sessions: key and slot.
    pub(crate) fn all(&self) -> impl Iterator<Item = (&[u8], u32)> {
        self.sessions.iter().flat_map(|(key, sessions)| sessions.iter().map(move |s| (key.as_ref(), s.slot)))
    }

    /// Gives a slot back.
    pub(crate) fn release(&mut self, slot: u32) {
        self.free.push(slot);
    }

    /// No session ends before this; `None` without sessions.
    pub(crate) fn next_end(&self) -> Option<i64> {
        self.timers.peek().map(|Reverse((end, _))| *end)
    }

    /// The next session whose end is due.
    pub(crate) fn pop_due(&mut self, is_due: impl Fn(i64) -> bool) -> Option<Ended> {
        while self.next_end().is_some_and(&is_due) {
            let Reverse((timer, key)) = self.timers.pop()?;
            let Some(sessions) = self.sessions.get_mut(&key) else { continue };
            let Some(position) = sessions.iter().position(|s| s.timer == timer) else { continue };
            let session = &mut sessions[position];
            if session.end > timer {
                session.timer = session.end;
                self.timers.push(Reverse((session.end, key)));
                continue;
            }
            let Session { start, end, slot, .. } = sessions.swap_remove(position);
            if sessions.is_empty() {
                self.sessions.remove(&key);
            }
            return Some(Ended { key, start, end, slot });
        }
        None
    }
}

/// Joins `[start, end)` to the sessions it overlaps or touches; `None` when there are none.
fn join(sessions: &mut Vec<Session>, start: i64, end: i64, merges: &mut Merges) -> Option<u32> {
    let touches = |s: &Session| s.start <= end && s.end >= start;
    let first = sessions.iter().position(touches)?;
    let mut joined = sessions[first];
    (joined.start, joined.end) = (joined.start.min(start), joined.end.max(end));
    let mut position = first + 1;
    while position < sessions.len() {
        let other = sessions[position];
        if other.start <= joined.end && other.end >= joined.start {
            merges.push((other.slot, joined.slot));
            (joined.start, joined.end) = (joined.start.min(other.start), joined.end.max(other.end));
            joined.timer = joined.timer.min(other.timer);
            sessions.swap_remove(position);
            position = first + 1;
        } else {
            position += 1;
        }
    }
    sessions[first] = joined;
    Some(joined.slot)
}

/// The slot that finally holds what was put under `slot` before the merges.
pub(crate) fn resolve(slot: u32, merges: &Merges) -> u32 {
    merges.iter().fold(slot, |slot, (from, to)| if slot == *from { *to } else { slot })
}
