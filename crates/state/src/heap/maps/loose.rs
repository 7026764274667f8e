//! Keys whose order nobody asked for.
//!
//! To insert into the order of many entries is a search with a cache miss a step, and worth nothing where entries are
//! only looked up, as distinct values are. So the entries of a key that are found by the index stand in the order
//! they came, until a scan or a deletion needs their places: then they are sorted, once, and stay so.

use super::{HeapMaps, KeyId, Order, Place, Ref};

impl HeapMaps {
    /// Whether the entries of a key stand as they came.
    #[inline]
    fn is_loose(&self, key: KeyId) -> bool {
        let key = &self.keys[key.0 as usize];
        key.indexed && !key.ordered
    }

    /// From now on the entries of a key are in order.
    #[inline]
    pub fn put_in_order(&mut self, key: KeyId) {
        if !self.keys[key.0 as usize].ordered {
            if self.is_loose(key) {
                self.sort_entries(key);
            }
            self.keys[key.0 as usize].ordered = true;
        }
    }

    /// Where an entry of an indexed key is, or would be, when it is known whether it is there.
    pub(super) fn place_of_point(&mut self, key: KeyId, map_key: &[u8], known: Option<Ref>) -> (Place, Option<Ref>) {
        if known.is_none() && self.is_loose(key) {
            return (self.keys[key.0 as usize].order.end(), None);
        }
        self.put_in_order(key);
        self.place(key, map_key)
    }

    fn sort_entries(&mut self, key: KeyId) {
        // The first bytes decide most comparisons without a look at the records.
        let head = |entry: Ref| {
            let map_key = self.map_key(entry);
            map_key.first_chunk().map_or_else(|| short_head(map_key), |bytes| u64::from_be_bytes(*bytes))
        };
        let mut entries: Vec<(u64, Ref)> =
            self.keys[key.0 as usize].order.entries().map(|entry| (head(entry), entry)).collect();
        entries.sort_unstable_by(|a, b| a.0.cmp(&b.0).then_with(|| self.map_key(a.1).cmp(self.map_key(b.1))));
        let sorted = Order::of_sorted(entries.into_iter().map(|(_, entry)| entry));
        self.change_order(key, |order| *order = sorted);
    }
}

/// The head of a map key of less than 8 bytes: padded, so that it is not greater than that of a longer one.
fn short_head(map_key: &[u8]) -> u64 {
    let mut bytes = [0; 8];
    bytes[..map_key.len()].copy_from_slice(map_key);
    u64::from_be_bytes(bytes)
}
