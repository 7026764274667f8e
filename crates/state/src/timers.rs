//! Timers: a time and a key, read in the order of time.

use crate::context::StateContext;
use crate::snapshot::{Snapshot, TableDelta};
use crate::{TableDescriptor, group_of};
use headwater_data::run::{Entries, EntryRef};
use headwater_types::{Error, ErrorKind, Result};
use std::collections::{BTreeMap, HashSet};

type Timer = (i64, Box<[u8]>);

/// A set of (time, key) in the order of time. Kept in memory with every engine: a timer is small.
pub struct TimerTable {
    descriptor: TableDescriptor,
    max_parallelism: u32,
    /// The timers, and whether a snapshot holds them.
    timers: BTreeMap<Timer, bool>,
    /// Timers that no snapshot holds.
    fresh: HashSet<Timer>,
    /// Timers that a snapshot holds and that are gone.
    gone: Entries,
}

impl TimerTable {
    pub(crate) fn new(descriptor: TableDescriptor, context: &StateContext) -> Self {
        let (timers, fresh, gone) = (BTreeMap::new(), HashSet::new(), Entries::new());
        Self { descriptor, max_parallelism: context.max_parallelism, timers, fresh, gone }
    }

    pub(crate) fn load(&mut self, entry: EntryRef<'_>) -> Result<()> {
        let Ok(time) = <[u8; 8]>::try_from(entry.map_key) else {
            return Err(Error::new(ErrorKind::Corruption, "bad-timer", "a stored timer has no time"));
        };
        self.timers.insert((decode_time(time), entry.key.into()), true);
        Ok(())
    }

    /// What the table is.
    pub fn descriptor(&self) -> &TableDescriptor {
        &self.descriptor
    }

    /// Sets a timer; setting it twice is the same as once.
    pub fn register(&mut self, time_ms: i64, key: &[u8]) {
        let timer = (time_ms, key.into());
        if !self.timers.contains_key(&timer) {
            self.fresh.insert(timer.clone());
            self.timers.insert(timer, false);
        }
    }

    /// Removes a timer.
    pub fn delete(&mut self, time_ms: i64, key: &[u8]) {
        let timer = (time_ms, key.into());
        if let Some(persisted) = self.timers.remove(&timer) {
            self.note_gone(&timer, persisted);
        }
    }

    /// The time of the first timer.
    pub fn first_ms(&self) -> Option<i64> {
        self.timers.first_key_value().map(|((time, _), _)| *time)
    }

    /// Takes the first timer that is due at `now_ms`.
    pub fn pop_due(&mut self, now_ms: i64) -> Option<(i64, Box<[u8]>)> {
        if self.first_ms()? > now_ms {
            return None;
        }
        let (timer, persisted) = self.timers.pop_first()?;
        self.note_gone(&timer, persisted);
        Some(timer)
    }

    /// Number of timers.
    pub fn len(&self) -> usize {
        self.timers.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.timers.is_empty()
    }

    /// Hands what changed since the last call to a snapshot.
    pub fn snapshot(&mut self, snapshot: &mut Snapshot) {
        let mut entries = std::mem::take(&mut self.gone);
        // A timer that went and came back is in both; the last counts.
        for timer in self.fresh.drain() {
            let group = group_of(&timer.1, self.max_parallelism);
            entries.push(EntryRef { group, key: &timer.1, map_key: &encode_time(timer.0), value: Some(&[]) });
            self.timers.insert(timer, true);
        }
        snapshot.tables.push(TableDelta::new(self.descriptor.clone(), entries));
    }

    fn note_gone(&mut self, timer: &Timer, persisted: bool) {
        if persisted {
            let (group, map_key) = (group_of(&timer.1, self.max_parallelism), encode_time(timer.0));
            self.gone.push(EntryRef { group, key: &timer.1, map_key: &map_key, value: None });
        } else {
            self.fresh.remove(timer);
        }
    }
}

/// Times as bytes that sort as they do.
fn encode_time(time_ms: i64) -> [u8; 8] {
    ((time_ms as u64) ^ (1 << 63)).to_be_bytes()
}

fn decode_time(bytes: [u8; 8]) -> i64 {
    (u64::from_be_bytes(bytes) ^ (1 << 63)) as i64
}
