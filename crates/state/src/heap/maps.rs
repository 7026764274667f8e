//! An ordered map per key in memory.

mod changes;
mod loose;
mod points;
mod sweep;
mod warm;

use super::arena::{ABSENT, DIRTY, FLIGHT, FREE, PERSISTED, UNFLUSHED};
use super::order::{Order, Place};
use super::values::write;
use super::{Arena, Flights, KeyHash, Ref, spread};
use crate::disk::Overlay;
use crate::engine::VisitMaps;
use hashbrown::HashTable;
use headwater_data::run::{Entries, EntryRef};
use headwater_types::Result;
use points::Points;
use std::collections::VecDeque;
use std::ops::{Bound, ControlFlow};

/// A key that has, or had, entries.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct KeyId(u32);

/// Bounds of map keys.
pub(crate) type Bounds<'a> = (Bound<&'a [u8]>, Bound<&'a [u8]>);

/// Maps by key. As the overlay and cache of an engine ([`HeapMaps::caching`]) it also knows entries that are
/// absent and maps that are complete, and lists what the engine has not seen.
#[derive(Default)]
pub(crate) struct HeapMaps {
    groups: u32,
    caching: bool,
    table: HashTable<Bucket>,
    keys: Vec<Key>,
    free_keys: Vec<KeyId>,
    /// Records of keys (without values) and of entries, whose own key is the [`KeyId`] and the map key.
    arena: Arena,
    points: Points,
    dirty: Vec<Ref>,
    graves: Entries,
    unflushed: VecDeque<Ref>,
    flights: Flights,
    /// Number of entries, and heap bytes of their order.
    entries: usize,
    order_bytes: usize,
    /// Next key that is swept.
    hand: usize,
    /// Next list of a swept key with many entries.
    hand_list: usize,
}

#[derive(Clone, Copy)]
struct Bucket {
    tag: u32,
    key: KeyId,
}

struct Key {
    /// [`None`] when the place is free.
    record: Option<Ref>,
    tag: u32,
    /// While caching: all entries of the key are in memory.
    complete: bool,
    /// While caching: the engine was asked for the entries of the key.
    asked: bool,
    /// While caching: used since the hand last passed.
    used: bool,
    /// Whether its entries are in the index of points.
    indexed: bool,
    /// Whether the order of its entries matters: see [`loose`].
    ordered: bool,
    order: Order,
}

/// Is called with map key and value until it breaks; absent entries have no value.
type VisitEntries<'a> = &'a mut dyn FnMut(&[u8], Option<&[u8]>) -> ControlFlow<()>;

const ID_BYTES: usize = 4;

impl HeapMaps {
    pub fn new(groups: u32) -> Self {
        Self { groups, ..Self::default() }
    }

    pub fn caching(groups: u32) -> Self {
        Self { caching: true, ..Self::new(groups) }
    }

    #[inline]
    pub fn hash(&self, key: &[u8]) -> KeyHash {
        KeyHash::of(key, self.groups)
    }

    /// Memory in use, bytes.
    pub fn bytes(&self) -> usize {
        let tables = self.table.allocation_size() + self.keys.capacity() * size_of::<Key>();
        tables
            + self.points.bytes()
            + self.arena.bytes()
            + self.order_bytes
            + self.dirty.capacity() * 4
            + self.graves.memory_bytes()
    }

    /// Number of keys and entries.
    pub fn len(&self) -> usize {
        self.table.len() + self.entries
    }

    /// Number of entries.
    pub fn entries(&self) -> usize {
        self.entries
    }

    #[inline]
    pub fn find(&self, hash: KeyHash, key: &[u8]) -> Option<KeyId> {
        let same = |bucket: &Bucket| bucket.tag == hash.tag && self.key_bytes(bucket.key) == key;
        self.table.find(spread(hash.tag), same).map(|bucket| bucket.key)
    }

    /// Whether a key has this number.
    #[inline]
    pub fn is_key(&self, id: KeyId, key: &[u8]) -> bool {
        let record = self.keys.get(id.0 as usize).and_then(|slot| slot.record);
        record.is_some_and(|record| self.arena.key(record) == key)
    }

    /// Finds a key, or adds it without entries.
    pub fn find_or_add(&mut self, hash: KeyHash, key: &[u8]) -> Result<KeyId> {
        match self.find(hash, key) {
            Some(id) => Ok(id),
            None => self.add_key(hash, key),
        }
    }

    /// The entry of a key; absent ones too while caching.
    #[inline]
    pub fn entry(&self, key: KeyId, map_key: &[u8]) -> Option<Ref> {
        if self.is_indexed(key) { self.find_point(key, map_key) } else { self.place(key, map_key).1 }
    }

    /// The value of an entry; `None` when it is known to be absent.
    #[inline]
    pub fn value(&self, entry: Ref) -> Option<&[u8]> {
        (self.arena.flags(entry) & ABSENT == 0).then(|| self.arena.value(entry))
    }

    /// The value of an entry of a key.
    #[inline]
    pub fn get(&self, key: KeyId, map_key: &[u8]) -> Option<&[u8]> {
        self.entry(key, map_key).and_then(|entry| self.value(entry))
    }

    /// Sets an entry; the value is given in two parts.
    pub fn put(&mut self, key: KeyId, map_key: &[u8], value: [&[u8]; 2]) -> Result<()> {
        let (place, entry) = match self.is_indexed(key) {
            true => match self.find_point(key, map_key) {
                Some(entry) if self.arena.fits(entry, value[0].len() + value[1].len()) => {
                    return self.rewrite(entry, value);
                }
                known => self.place_of_point(key, map_key, known),
            },
            false => self.place(key, map_key),
        };
        let entry = match entry {
            Some(entry) => self.overwrite(key, place, entry, value)?,
            // A snapshot may hold what is not in memory: its deletion will have to be told.
            None if self.caching && !self.is_complete(key) => self.insert(key, place, map_key, value, PERSISTED)?,
            None => self.insert(key, place, map_key, value, 0)?,
        };
        self.mark(entry, false);
        Ok(())
    }

    /// Gives an entry a value that fits.
    fn rewrite(&mut self, entry: Ref, value: [&[u8]; 2]) -> Result<()> {
        write(self.arena.value_mut(entry, value[0].len() + value[1].len()), value);
        self.mark(entry, false);
        Ok(())
    }

    /// Removes an entry.
    pub fn delete(&mut self, key: KeyId, map_key: &[u8]) -> Result<()> {
        self.put_in_order(key);
        let (place, entry) = self.place(key, map_key);
        match (entry, self.caching) {
            (Some(entry), false) => self.bury(key, place, entry),
            (Some(entry), true) => self.mark_absent(entry),
            (None, true) => {
                let entry = self.insert(key, place, map_key, [&[], &[]], PERSISTED)?;
                self.mark(entry, true);
            }
            (None, false) => {}
        }
        Ok(())
    }

    /// Removes all entries of a key that are in memory.
    pub fn clear(&mut self, key: KeyId) {
        if self.caching {
            let order = std::mem::take(&mut self.keys[key.0 as usize].order);
            let mut place = order.start();
            while let Some(entry) = order.get(place) {
                self.mark_absent(entry);
                place = order.next(place);
            }
            self.keys[key.0 as usize].order = order;
            return;
        }
        // From the end, so that the order of the rest does not move; the key goes with its last entry.
        let group = self.group(key);
        while let Some((place, entry)) = self.last(key) {
            self.note_deletion(key, group, entry);
            self.remove_entry(key, place, entry);
        }
        self.remove_key(key);
    }

    /// Takes over what a checkpoint or the engine holds: no change.
    pub fn load(&mut self, key: KeyId, map_key: &[u8], value: Option<&[u8]>) -> Result<()> {
        let (place, entry) = self.place_to_load(key, map_key);
        if entry.is_none() {
            let flags = if value.is_none() { ABSENT } else { PERSISTED };
            self.insert(key, place, map_key, [value.unwrap_or_default(), &[]], flags)?;
        }
        Ok(())
    }

    /// Takes over what a newer run of a checkpoint holds in the place of what there is: no change.
    pub fn replace(&mut self, key: KeyId, map_key: &[u8], value: &[u8]) -> Result<()> {
        let (place, entry) = self.place_to_load(key, map_key);
        match entry {
            Some(entry) => self.overwrite(key, place, entry, [value, &[]]),
            None => self.insert(key, place, map_key, [value, &[]], PERSISTED),
        }?;
        Ok(())
    }

    /// Removes an entry that a newer run of a checkpoint deletes, and the key with its last entry: no change.
    pub fn forget(&mut self, key: KeyId, map_key: &[u8]) {
        self.put_in_order(key);
        if let (place, Some(entry)) = self.place(key, map_key) {
            self.remove_entry_and_key(key, place, entry);
        }
    }

    /// Visits entries of a key in order ([`HeapMaps::put_in_order`]), absent ones too while caching, until `visit`
    /// breaks.
    pub fn scan(&self, key: KeyId, bounds: Bounds<'_>, reverse: bool, visit: VisitEntries<'_>) {
        let order = &self.keys[key.0 as usize].order;
        let (start, end) = self.places(order, bounds);
        let (mut forward, mut backward) = (start, end);
        while forward < backward {
            let place = if reverse {
                let Some(before) = order.previous(backward) else { return };
                backward = before;
                before
            } else {
                let place = forward;
                forward = order.next(forward);
                place
            };
            let Some(entry) = order.get(place) else { return };
            let (stored, value) = self.arena.key_value(entry);
            let live = self.arena.flags(entry) & ABSENT == 0;
            if visit(&stored[ID_BYTES..], live.then_some(value)).is_break() {
                return;
            }
        }
    }

    /// Calls `visit` with every entry in memory.
    pub fn for_each(&self, visit: VisitMaps<'_>) -> Result<()> {
        for bucket in &self.table {
            let order = &self.keys[bucket.key.0 as usize].order;
            let mut place = order.start();
            while let Some(entry) = order.get(place) {
                if let Some(value) = self.value(entry) {
                    let map_key = &self.arena.key(entry)[ID_BYTES..];
                    visit(self.key_bytes(bucket.key), map_key, value)?;
                }
                place = order.next(place);
            }
        }
        Ok(())
    }

    /// The bytes of a key.
    pub fn key_bytes(&self, key: KeyId) -> &[u8] {
        self.keys[key.0 as usize].record.map_or(&[], |record| self.arena.key(record))
    }

    /// Notes that a key was used.
    pub fn touch(&mut self, key: KeyId) {
        self.keys[key.0 as usize].used = true;
    }

    /// Whether all entries of the key are in memory.
    pub fn is_complete(&self, key: KeyId) -> bool {
        self.keys[key.0 as usize].complete
    }

    /// Whether the engine was asked for the entries of the key.
    pub fn is_asked(&self, key: KeyId) -> bool {
        self.keys[key.0 as usize].asked
    }

    /// Notes that the engine was asked for the entries of the key, and whether all are in memory.
    pub fn set_asked(&mut self, key: KeyId, complete: bool) {
        let key = &mut self.keys[key.0 as usize];
        (key.asked, key.complete) = (true, complete);
    }

    /// Number of entries that changed since the last snapshot; some may count twice.
    pub fn dirty(&self) -> usize {
        self.dirty.len()
    }

    /// Memory of keys, entries and their order, without what is free for others, bytes.
    pub fn live_bytes(&self) -> usize {
        let keys = self.table.len() * (size_of::<Bucket>() + size_of::<Key>());
        self.arena.live_bytes() + self.points.bytes() + self.order_bytes + keys + self.flights.bytes()
    }

    fn group(&self, key: KeyId) -> u16 {
        self.keys[key.0 as usize].record.map_or(0, |record| self.arena.group(record))
    }

    /// Where a map key is in the order of its key, or would be, and its entry.
    #[inline]
    fn place(&self, key: KeyId, map_key: &[u8]) -> (Place, Option<Ref>) {
        let order = &self.keys[key.0 as usize].order;
        let place = order.lower_bound(|entry| self.map_key(entry).cmp(map_key));
        (place, order.get(place).filter(|entry| self.map_key(*entry) == map_key))
    }

    /// Where an entry of a checkpoint is, or will be.
    fn place_to_load(&mut self, key: KeyId, map_key: &[u8]) -> (Place, Option<Ref>) {
        match self.is_indexed(key) {
            true => self.place_of_point(key, map_key, self.find_point(key, map_key)),
            false => self.place(key, map_key),
        }
    }

    fn places(&self, order: &Order, bounds: Bounds<'_>) -> (Place, Place) {
        // "Behind" a map key is the bound of the first map key above it.
        let at = |map_key: &[u8]| order.lower_bound(|entry| self.map_key(entry).cmp(map_key));
        let behind = |map_key: &[u8]| {
            order.lower_bound(|entry| match self.map_key(entry) <= map_key {
                true => std::cmp::Ordering::Less,
                false => std::cmp::Ordering::Greater,
            })
        };
        let start = match bounds.0 {
            Bound::Unbounded => order.start(),
            Bound::Included(map_key) => at(map_key),
            Bound::Excluded(map_key) => behind(map_key),
        };
        let end = match bounds.1 {
            Bound::Unbounded => order.end(),
            Bound::Included(map_key) => behind(map_key),
            Bound::Excluded(map_key) => at(map_key),
        };
        (start, end)
    }

    #[inline]
    fn map_key(&self, entry: Ref) -> &[u8] {
        &self.arena.key(entry)[ID_BYTES..]
    }

    fn last(&self, key: KeyId) -> Option<(Place, Ref)> {
        let order = &self.keys[key.0 as usize].order;
        let place = order.previous(order.end())?;
        Some((place, order.get(place)?))
    }

    /// Adds a key that is not there.
    pub fn add_key(&mut self, hash: KeyHash, key: &[u8]) -> Result<KeyId> {
        let record = Some(self.arena.allocate([key, &[]], 0, hash.group, 0)?);
        let (tag, order) = (hash.tag, Order::Empty);
        let (complete, asked, indexed, ordered) = (false, false, false, self.caching);
        let key = Key { record, tag, complete, asked, used: true, indexed, ordered, order };
        let id = match self.free_keys.pop() {
            Some(id) => {
                self.keys[id.0 as usize] = key;
                id
            }
            None => {
                self.keys.push(key);
                KeyId(self.keys.len() as u32 - 1)
            }
        };
        self.table.insert_unique(spread(hash.tag), Bucket { tag: hash.tag, key: id }, |b| spread(b.tag));
        Ok(id)
    }

    fn remove_key(&mut self, key: KeyId) {
        let slot = &mut self.keys[key.0 as usize];
        let Some(record) = slot.record.take() else { return };
        if let Ok(bucket) = self.table.find_entry(spread(slot.tag), |b| b.key == key) {
            bucket.remove();
        }
        slot.indexed = false;
        self.arena.release(record);
        self.free_keys.push(key);
    }

    fn insert(&mut self, key: KeyId, place: Place, map_key: &[u8], value: [&[u8]; 2], flags: u8) -> Result<Ref> {
        let length = value[0].len() + value[1].len();
        let entry = self.arena.allocate([&key.0.to_le_bytes(), map_key], length, self.group(key), flags)?;
        write(self.arena.value_mut(entry, length), value);
        self.change_order(key, |order| order.insert(place, entry));
        self.add_point(key, entry);
        self.entries += 1;
        Ok(entry)
    }

    /// Gives an entry another value; it may move.
    fn overwrite(&mut self, key: KeyId, place: Place, entry: Ref, value: [&[u8]; 2]) -> Result<Ref> {
        let length = value[0].len() + value[1].len();
        if self.arena.fits(entry, length) {
            write(self.arena.value_mut(entry, length), value);
            return Ok(entry);
        }
        let stored = self.arena.key(entry).to_vec();
        let flags = self.arena.flags(entry) & !(DIRTY | UNFLUSHED | FLIGHT);
        let moved = self.arena.allocate([&stored, &[]], length, self.group(key), flags)?;
        write(self.arena.value_mut(moved, length), value);
        self.keys[key.0 as usize].order.set(place, moved);
        self.drop_point(entry);
        self.add_point(key, moved);
        self.arena.release(entry);
        Ok(moved)
    }

    fn mark_absent(&mut self, entry: Ref) {
        if self.arena.flags(entry) & ABSENT == 0 {
            self.arena.value_mut(entry, 0);
            self.mark(entry, true);
        }
    }

    /// Notes that an entry changed, and whether to be absent.
    #[inline]
    fn mark(&mut self, entry: Ref, absent: bool) {
        let flags = self.arena.flags(entry);
        let unflushed = if self.caching { UNFLUSHED } else { 0 };
        let absent = if absent { ABSENT } else { 0 };
        self.arena.set_flags(entry, flags & !ABSENT | DIRTY | unflushed | absent);
        if flags & DIRTY == 0 {
            self.list_dirty(entry);
        }
        if self.caching && flags & UNFLUSHED == 0 {
            self.unflushed.push_back(entry);
        }
    }

    fn list_dirty(&mut self, entry: Ref) {
        self.dirty.push(entry);
        // Without checkpoints nobody takes the list, so entries that come and go must not fill it.
        if self.dirty.len() > 2 * self.entries + 1024 {
            self.dirty.sort_unstable_by_key(|entry| entry.0);
            self.dirty.dedup();
            self.dirty.retain(|entry| self.arena.flags(*entry) & (FREE | DIRTY) == DIRTY);
        }
    }

    /// Removes an entry, notes the deletion if a snapshot holds it, and removes the key with its last entry.
    fn bury(&mut self, key: KeyId, place: Place, entry: Ref) {
        self.note_deletion(key, self.group(key), entry);
        self.remove_entry_and_key(key, place, entry);
    }

    fn remove_entry_and_key(&mut self, key: KeyId, place: Place, entry: Ref) {
        self.remove_entry(key, place, entry);
        if matches!(self.keys[key.0 as usize].order, Order::Empty) {
            self.remove_key(key);
        }
    }

    fn note_deletion(&mut self, key: KeyId, group: u16, entry: Ref) {
        if self.arena.flags(entry) & PERSISTED == 0 {
            return;
        }
        let Some(record) = self.keys[key.0 as usize].record else { return };
        let (key, map_key) = (self.arena.key(record), &self.arena.key(entry)[ID_BYTES..]);
        self.graves.push(EntryRef { group: u32::from(group), key, map_key, value: None });
    }

    fn remove_entry(&mut self, key: KeyId, place: Place, entry: Ref) {
        self.change_order(key, |order| order.remove(place));
        self.drop_point(entry);
        self.arena.release(entry);
        self.entries -= 1;
    }

    fn change_order(&mut self, key: KeyId, change: impl FnOnce(&mut Order)) {
        let order = &mut self.keys[key.0 as usize].order;
        let before = order.bytes();
        change(order);
        self.order_bytes = self.order_bytes + order.bytes() - before;
    }
}

impl Overlay for HeapMaps {
    fn unflushed(&self) -> usize {
        self.unflushed.len()
    }

    fn count(&self) -> usize {
        self.len()
    }

    fn change_bytes(&self) -> usize {
        self.live_bytes() / self.entries.max(1)
    }

    fn average_bytes(&self) -> usize {
        self.live_bytes() / self.len().max(1)
    }

    fn take_unflushed(&mut self) -> Option<EntryRef<'_>> {
        loop {
            let entry = self.unflushed.pop_front()?;
            let flags = self.arena.flags(entry);
            if flags & (FREE | UNFLUSHED) == UNFLUSHED {
                self.arena.set_flags(entry, flags & !UNFLUSHED);
                self.flights.board(&mut self.arena, entry);
                let (stored, value) = self.arena.key_value(entry);
                let value = (flags & ABSENT == 0).then_some(value);
                let (group, key) = (u32::from(self.arena.group(entry)), self.key_bytes(owner(stored)));
                return Some(EntryRef { group, key, map_key: &stored[ID_BYTES..], value });
            }
        }
    }

    fn depart(&mut self) {
        self.flights.depart();
    }

    fn land(&mut self, limit: usize) -> bool {
        self.flights.land(&mut self.arena, limit)
    }
}

/// The key that an entry's stored key names.
#[inline]
fn owner(stored: &[u8]) -> KeyId {
    KeyId(stored.first_chunk().map_or(0, |id: &[u8; ID_BYTES]| u32::from_le_bytes(*id)))
}
