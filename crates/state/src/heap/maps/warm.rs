//! Reading ahead: what a batch is about to use is brought into the CPU's caches.
//!
//! A table larger than the caches costs a miss at every step from a key to its entries, and each step waits for the one
//! before. Here the steps of many keys are made side by side: no read of a loop waits for another one of it, so their
//! misses overlap.

use super::{HeapMaps, KeyId, Order, Ref};
use crate::heap::spread;
use headwater_data::key_codec::EncodedKeys;

/// Keys that are warmed together: what they need fits into the cache.
const TOGETHER: usize = if cfg!(test) { 4 } else { 1024 };
/// Entries of a key that are warmed.
const ENTRIES_MAX: usize = 8;
/// Tables of less are warm anyway, bytes.
const LARGE: usize = if cfg!(test) { 1 } else { 1 << 20 };

/// An entry of a table: key and map key.
pub(crate) type Entry<'a> = (&'a [u8], &'a [u8]);

impl HeapMaps {
    /// Warms keys and their first entries.
    pub fn warm(&self, keys: &EncodedKeys) {
        if self.arena.bytes() < LARGE {
            return;
        }
        let mut ids = Vec::with_capacity(keys.len().min(TOGETHER));
        let mut keys = keys.iter();
        loop {
            ids.clear();
            ids.extend(keys.by_ref().take(TOGETHER).map(|key| self.likely(key)));
            if ids.is_empty() {
                return;
            }
            self.warm_keys(ids.iter().flatten());
        }
    }

    /// Warms entries of indexed keys.
    pub fn warm_entries<'a>(&self, entries: &mut dyn Iterator<Item = Entry<'a>>) {
        if self.arena.bytes() < LARGE {
            return;
        }
        let find = |(key, map_key)| self.find(self.hash(key), key).and_then(|key| self.likely_point(key, map_key));
        loop {
            let mut seen = 0;
            let found: Vec<Ref> = entries.take(TOGETHER).inspect(|_| seen += 1).filter_map(find).collect();
            self.arena.warm(found.iter());
            if seen < TOGETHER {
                return;
            }
        }
    }

    /// A key, by its hash alone: it may be another one.
    #[inline]
    fn likely(&self, key: &[u8]) -> Option<KeyId> {
        let tag = self.hash(key).tag;
        self.table.find(spread(tag), |bucket| bucket.tag == tag).map(|bucket| bucket.key)
    }

    fn warm_keys<'a>(&self, ids: impl Iterator<Item = &'a KeyId>) {
        let (mut records, mut lists): (Vec<Ref>, Vec<&[Ref]>) = (vec![], vec![]);
        for id in ids {
            let key = &self.keys[id.0 as usize];
            records.extend(key.record);
            match &key.order {
                Order::Empty | Order::Many(_) => {}
                Order::One(entry) => records.push(*entry),
                Order::Few(list) => lists.push(list),
            }
        }
        lists.iter().for_each(|list| records.extend(list.iter().take(ENTRIES_MAX)));
        self.arena.warm(records.iter());
    }
}
