//! A hash index over the entries of keys that have many.
//!
//! Their order finds an entry in logarithmic time, which is a cache miss per step; the index finds it with one look.
//! Keys with few entries do without, so that they pay no memory for it. Invariant: the index holds every entry of an
//! indexed key, and no other.

use super::{HeapMaps, ID_BYTES, KeyId, owner};
use crate::heap::{Ref, spread};
use hashbrown::HashTable;

/// A key with more entries than this is indexed. Small in tests, so that they see both kinds.
const INDEXED_ABOVE: usize = if cfg!(test) { 4 } else { 32 };

/// The index.
#[derive(Default)]
pub(super) struct Points {
    table: HashTable<Point>,
}

#[derive(Clone, Copy)]
struct Point {
    tag: u32,
    entry: Ref,
}

impl Points {
    /// Memory in use, bytes.
    pub(super) fn bytes(&self) -> usize {
        self.table.allocation_size()
    }

    fn insert(&mut self, tag: u32, entry: Ref) {
        self.table.insert_unique(spread(tag), Point { tag, entry }, |point| spread(point.tag));
    }

    fn remove(&mut self, tag: u32, entry: Ref) {
        if let Ok(point) = self.table.find_entry(spread(tag), |point| point.entry == entry) {
            point.remove();
        }
    }
}

/// The hash of an entry.
#[inline]
fn tag_of(key: KeyId, map_key: &[u8]) -> u32 {
    headwater_data::stable_hash(map_key) as u32 ^ key.0.wrapping_mul(0x9E37_79B1)
}

impl HeapMaps {
    /// Whether the entries of a key are indexed.
    #[inline]
    pub(super) fn is_indexed(&self, key: KeyId) -> bool {
        self.keys[key.0 as usize].indexed
    }

    /// The entry of an indexed key.
    #[inline]
    pub(super) fn find_point(&self, key: KeyId, map_key: &[u8]) -> Option<Ref> {
        let tag = tag_of(key, map_key);
        let same = |point: &Point| {
            let stored = self.arena.key(point.entry);
            point.tag == tag && owner(stored) == key && &stored[ID_BYTES..] == map_key
        };
        self.points.table.find(spread(tag), same).map(|point| point.entry)
    }

    /// The entry of an indexed key, by its hash alone: it may be another one.
    #[inline]
    pub(super) fn likely_point(&self, key: KeyId, map_key: &[u8]) -> Option<Ref> {
        let tag = tag_of(key, map_key);
        self.points.table.find(spread(tag), |point| point.tag == tag).map(|point| point.entry)
    }

    /// Takes a new entry into the index; all entries of a key that now has many.
    pub(super) fn add_point(&mut self, key: KeyId, entry: Ref) {
        if self.is_indexed(key) {
            self.points.insert(self.tag_of_entry(entry), entry);
            return;
        }
        if !self.keys[key.0 as usize].order.has_more_than(INDEXED_ABOVE) {
            return;
        }
        let order = std::mem::take(&mut self.keys[key.0 as usize].order);
        let mut place = order.start();
        while let Some(entry) = order.get(place) {
            self.points.insert(self.tag_of_entry(entry), entry);
            place = order.next(place);
        }
        let key = &mut self.keys[key.0 as usize];
        (key.order, key.indexed) = (order, true);
    }

    /// Forgets an entry that is about to be released.
    pub(super) fn drop_point(&mut self, entry: Ref) {
        if self.is_indexed(owner(self.arena.key(entry))) {
            self.points.remove(self.tag_of_entry(entry), entry);
        }
    }

    fn tag_of_entry(&self, entry: Ref) -> u32 {
        let stored = self.arena.key(entry);
        tag_of(owner(stored), &stored[ID_BYTES..])
    }
}
