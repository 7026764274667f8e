//! Sweeping over the keys of a table: expired entries are deleted, entries that an engine has are forgotten.

use super::{DIRTY, FLIGHT, HeapMaps, KeyId, Order, UNFLUSHED};
use headwater_types::Result;

impl HeapMaps {
    /// The next key under the sweeping hand, and whether it was used since the hand last passed.
    pub fn next_swept(&mut self) -> Option<(KeyId, bool)> {
        if self.keys.is_empty() {
            return None;
        }
        self.hand = (self.hand + 1) % self.keys.len();
        let key = &mut self.keys[self.hand];
        key.record?;
        Some((KeyId(self.hand as u32), std::mem::take(&mut key.used)))
    }

    /// Forgets some entries of a key, except those that changed and that the engine or a snapshot has not seen; and
    /// the key with its last entry. Returns the number of entries looked at.
    pub fn evict_some(&mut self, key: KeyId) -> usize {
        self.hand_list = self.hand_list.wrapping_add(1);
        let (list, mut evicted) = (self.hand_list, vec![]);
        let (arena, slot) = (&self.arena, &mut self.keys[key.0 as usize]);
        let before = slot.order.bytes();
        let looked_at = slot.order.retain_in_list(list, |entry| {
            let keep = arena.flags(entry) & (DIRTY | UNFLUSHED | FLIGHT) != 0;
            if !keep {
                evicted.push(entry);
            }
            keep
        });
        self.order_bytes = self.order_bytes + slot.order.bytes() - before;
        slot.complete &= evicted.is_empty();
        let empty = matches!(slot.order, Order::Empty);
        self.entries -= evicted.len();
        for entry in evicted {
            self.drop_point(entry);
            self.arena.release(entry);
        }
        if empty {
            self.remove_key(key);
        }
        looked_at.max(1)
    }

    /// Deletes the first few entries of a key whose value is `expired`.
    pub fn delete_some(&mut self, key: KeyId, expired: &dyn Fn(&[u8]) -> bool) -> Result<()> {
        const LOOKED_AT: usize = 8;
        let order = &self.keys[key.0 as usize].order;
        let (mut place, mut found) = (order.start(), vec![]);
        for _ in 0..LOOKED_AT {
            let Some(entry) = order.get(place) else { break };
            if self.value(entry).is_some_and(expired) {
                found.push(self.map_key(entry).to_vec());
            }
            place = order.next(place);
        }
        found.iter().try_for_each(|map_key| self.delete(key, map_key))
    }
}
