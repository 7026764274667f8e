//! One value per key in memory.

use super::arena::{ABSENT, DIRTY, FLIGHT, FREE, PERSISTED, UNFLUSHED, USED};
use super::{Arena, ChangeSink, Flights, KeyHash, Ref, spread};
use crate::disk::Overlay;
use crate::engine::{Expired, VisitValues};
use hashbrown::HashTable;
use headwater_data::key_codec::EncodedKeys;
use headwater_data::run::{Entries, EntryRef, PackedEntry};
use headwater_types::Result;
use std::collections::VecDeque;

/// Values by key. As the overlay and cache of an engine ([`HeapValues::caching`]) it also knows keys that are
/// absent, and lists what the engine has not seen.
#[derive(Default)]
pub(crate) struct HeapValues {
    groups: u32,
    caching: bool,
    table: HashTable<Bucket>,
    arena: Arena,
    /// Records with [`DIRTY`]; also some that are gone or listed twice.
    dirty: Vec<Ref>,
    /// Deletions since the last snapshot of what it holds; not while caching.
    graves: Entries,
    /// Records with [`UNFLUSHED`], oldest first; also some that are gone or listed twice.
    unflushed: VecDeque<Ref>,
    flights: Flights,
    /// Next bucket that is swept.
    hand: usize,
}

/// Changes that are taken together: their records are brought into the CPU's caches first.
pub(super) const TAKEN_TOGETHER: usize = 256;

/// Tables of less fit into the caches, bytes.
const WARMED_ABOVE: usize = if cfg!(test) { 1 } else { 1 << 20 };

#[derive(Clone, Copy)]
struct Bucket {
    tag: u32,
    record: Ref,
}

/// A record's place during a sweep.
pub(crate) enum Swept {
    /// Leave it.
    Keep,
    /// Delete it; the deletion is a change.
    Delete,
    /// Forget it; the engine has it.
    Evict,
}

impl HeapValues {
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
        self.arena.bytes() + self.table.allocation_size() + self.dirty.capacity() * 4 + self.graves.memory_bytes()
    }

    #[inline]
    pub fn find(&self, hash: KeyHash, key: &[u8]) -> Option<Ref> {
        let same = |bucket: &Bucket| bucket.tag == hash.tag && self.arena.key(bucket.record) == key;
        self.table.find(spread(hash.tag), same).map(|bucket| bucket.record)
    }

    /// Brings what a batch of keys is about to use into the CPU's caches, as [`super::HeapMaps::warm`] does.
    pub fn warm(&self, keys: &EncodedKeys) {
        if self.arena.bytes() < WARMED_ABOVE {
            return;
        }
        let likely = |key| {
            let tag = self.hash(key).tag;
            self.table.find(spread(tag), |bucket| bucket.tag == tag).map(|bucket| bucket.record)
        };
        let records: Vec<Ref> = keys.iter().filter_map(likely).collect();
        self.arena.warm(records.iter());
    }

    /// The value of a record; `None` when the key is known to be absent.
    #[inline]
    pub fn value(&self, record: Ref) -> Option<&[u8]> {
        (self.arena.flags(record) & ABSENT == 0).then(|| self.arena.value(record))
    }

    /// The value of a key.
    #[inline]
    pub fn get(&self, hash: KeyHash, key: &[u8]) -> Option<&[u8]> {
        self.find(hash, key).and_then(|record| self.value(record))
    }

    /// Sets a value, given in two parts.
    #[inline]
    pub fn put(&mut self, hash: KeyHash, key: &[u8], value: [&[u8]; 2]) -> Result<()> {
        let record = match self.find(hash, key) {
            Some(record) => self.overwrite(hash, record, value)?,
            // A snapshot may hold what is not in memory: its deletion will have to be told.
            None => self.insert(hash, key, value, if self.caching { PERSISTED } else { 0 })?,
        };
        self.mark(record, false);
        Ok(())
    }

    /// Removes a value.
    pub fn delete(&mut self, hash: KeyHash, key: &[u8]) -> Result<()> {
        match (self.find(hash, key), self.caching) {
            (Some(record), false) => self.bury(hash, record),
            (Some(record), true) if self.arena.flags(record) & ABSENT == 0 => {
                self.arena.value_mut(record, 0);
                self.mark(record, true);
            }
            (None, true) => {
                let record = self.insert(hash, key, [&[], &[]], PERSISTED)?;
                self.mark(record, true);
            }
            _ => {}
        }
        Ok(())
    }

    /// Takes over what a checkpoint or the engine holds: no change.
    pub fn load(&mut self, hash: KeyHash, key: &[u8], value: Option<&[u8]>) -> Result<Ref> {
        let absent = if value.is_none() { ABSENT } else { PERSISTED };
        self.insert(hash, key, [value.unwrap_or_default(), &[]], absent | USED)
    }

    /// Takes over what a newer run of a checkpoint holds in the place of what there is: no change.
    pub fn replace(&mut self, hash: KeyHash, key: &[u8], value: Option<&[u8]>) -> Result<()> {
        match (self.find(hash, key), value) {
            (Some(record), Some(value)) => self.overwrite(hash, record, [value, &[]]).map(drop),
            (None, Some(_)) => self.load(hash, key, value).map(drop),
            (Some(record), None) => {
                self.forget(hash, record);
                Ok(())
            }
            (None, None) => Ok(()),
        }
    }

    /// Takes the oldest `limit` changes since the last call. Of a value that is `expired` it takes the deletion.
    pub fn take_changes(&mut self, limit: usize, expired: Expired<'_>, changes: &mut impl ChangeSink) {
        let rest = self.dirty.split_off(limit.min(self.dirty.len()));
        let mut dirty = std::mem::replace(&mut self.dirty, rest);
        let average = self.arena.live_bytes() / self.table.len().max(1);
        changes.reserve(dirty.len() + self.graves.len(), dirty.len() * average + self.graves.bytes());
        // A record that came back after its deletion is dirty, and what comes later counts.
        std::mem::take(&mut self.graves).iter().for_each(|grave| changes.push(grave));
        for together in dirty.chunks(TAKEN_TOGETHER) {
            self.arena.warm(together.iter());
            together.iter().for_each(|record| self.take_change(*record, expired, changes));
        }
        if self.dirty.is_empty() {
            dirty.clear();
            self.dirty = dirty;
        }
    }

    #[inline]
    fn take_change(&mut self, record: Ref, expired: Expired<'_>, changes: &mut impl ChangeSink) {
        let flags = self.arena.flags(record);
        if flags & (FREE | DIRTY) != DIRTY {
            return;
        }
        let (content, key) = self.arena.content(record);
        let is_live = flags & ABSENT == 0 && !expired(&content[key..]);
        if is_live || flags & PERSISTED != 0 {
            let bytes = if is_live { content } else { &content[..key] };
            let group = u32::from(self.arena.group(record));
            changes.push_value(PackedEntry { group, bytes, first: key, has_value: is_live });
        }
        let persisted = if is_live { PERSISTED } else { 0 };
        self.arena.set_flags(record, flags & !(DIRTY | PERSISTED) | persisted);
    }

    /// Calls `visit` with every value in memory.
    pub fn for_each(&self, visit: VisitValues<'_>) -> Result<()> {
        self.table.iter().try_for_each(|bucket| match self.value(bucket.record) {
            Some(value) => visit(self.arena.key(bucket.record), value),
            None => Ok(()),
        })
    }

    /// Looks at the records in the next `buckets` buckets, and does what `look` says of them.
    pub fn sweep(&mut self, buckets: usize, look: &mut dyn FnMut(Option<&[u8]>, u8) -> Swept) -> Result<()> {
        for _ in 0..buckets.min(self.table.num_buckets()) {
            self.hand = (self.hand + 1) % self.table.num_buckets();
            let Some(Bucket { tag, record }) = self.table.get_bucket(self.hand).copied() else { continue };
            let hash = KeyHash { tag, group: self.arena.group(record) };
            let flags = self.arena.flags(record);
            match look(self.value(record), flags) {
                Swept::Keep => self.arena.set_flags(record, flags & !USED),
                Swept::Evict => self.forget(hash, record),
                Swept::Delete => {
                    let key = self.arena.key(record).to_vec();
                    self.delete(hash, &key)?;
                }
            }
        }
        Ok(())
    }

    /// Notes that a record was used.
    #[inline]
    pub fn touch(&mut self, record: Ref) {
        self.arena.set_flags(record, self.arena.flags(record) | USED);
    }

    /// Number of records that changed since the last snapshot; some may count twice.
    pub fn dirty(&self) -> usize {
        self.dirty.len()
    }

    /// Memory of records and their index, without what is free for others, bytes.
    pub fn live_bytes(&self) -> usize {
        self.arena.live_bytes() + self.table.len() * 2 * size_of::<Bucket>() + self.flights.bytes()
    }

    /// Number of records.
    pub fn len(&self) -> usize {
        self.table.len()
    }

    fn insert(&mut self, hash: KeyHash, key: &[u8], value: [&[u8]; 2], flags: u8) -> Result<Ref> {
        let length = value[0].len() + value[1].len();
        let record = self.arena.allocate([key, &[]], length, hash.group, flags)?;
        write(self.arena.value_mut(record, length), value);
        self.table.insert_unique(spread(hash.tag), Bucket { tag: hash.tag, record }, |b| spread(b.tag));
        Ok(record)
    }

    /// Gives a record another value; it may move.
    #[inline]
    fn overwrite(&mut self, hash: KeyHash, record: Ref, value: [&[u8]; 2]) -> Result<Ref> {
        let length = value[0].len() + value[1].len();
        if self.arena.fits(record, length) {
            write(self.arena.value_mut(record, length), value);
            return Ok(record);
        }
        let key = self.arena.key(record).to_vec();
        let flags = self.arena.flags(record);
        let moved = self.arena.allocate([&key, &[]], length, hash.group, flags & !(DIRTY | UNFLUSHED | FLIGHT))?;
        write(self.arena.value_mut(moved, length), value);
        if let Some(bucket) = self.table.find_mut(spread(hash.tag), |b| b.record == record) {
            bucket.record = moved;
        }
        self.arena.release(record);
        Ok(moved)
    }

    /// Notes that a record changed, and whether to be absent.
    #[inline]
    fn mark(&mut self, record: Ref, absent: bool) {
        let flags = self.arena.flags(record);
        let unflushed = if self.caching { UNFLUSHED | USED } else { 0 };
        let absent = if absent { ABSENT } else { 0 };
        self.arena.set_flags(record, flags & !ABSENT | DIRTY | unflushed | absent);
        if flags & DIRTY == 0 {
            self.list_dirty(record);
        }
        if self.caching && flags & UNFLUSHED == 0 {
            self.unflushed.push_back(record);
        }
    }

    fn list_dirty(&mut self, record: Ref) {
        self.dirty.push(record);
        // Without checkpoints nobody takes the list, so records that come and go must not fill it.
        if self.dirty.len() > 2 * self.table.len() + 1024 {
            self.dirty.sort_unstable_by_key(|record| record.0);
            self.dirty.dedup();
            self.dirty.retain(|record| self.arena.flags(*record) & (FREE | DIRTY) == DIRTY);
        }
    }

    /// Removes a record, and notes the deletion if a snapshot holds it.
    fn bury(&mut self, hash: KeyHash, record: Ref) {
        if self.arena.flags(record) & PERSISTED != 0 {
            let key = self.arena.key(record);
            self.graves.push(EntryRef { group: u32::from(hash.group), key, map_key: &[], value: None });
        }
        self.forget(hash, record);
    }

    fn forget(&mut self, hash: KeyHash, record: Ref) {
        if let Ok(entry) = self.table.find_entry(spread(hash.tag), |b| b.record == record) {
            entry.remove();
        }
        self.arena.release(record);
    }
}

impl Overlay for HeapValues {
    fn unflushed(&self) -> usize {
        self.unflushed.len()
    }

    fn count(&self) -> usize {
        self.len()
    }

    fn change_bytes(&self) -> usize {
        self.average_bytes()
    }

    fn average_bytes(&self) -> usize {
        self.live_bytes() / self.table.len().max(1)
    }

    fn take_unflushed(&mut self) -> Option<EntryRef<'_>> {
        loop {
            let record = self.unflushed.pop_front()?;
            let flags = self.arena.flags(record);
            if flags & (FREE | UNFLUSHED) == UNFLUSHED {
                self.arena.set_flags(record, flags & !UNFLUSHED);
                self.flights.board(&mut self.arena, record);
                let (group, key) = (u32::from(self.arena.group(record)), self.arena.key(record));
                return Some(EntryRef { group, key, map_key: &[], value: self.value(record) });
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

#[inline]
pub(super) fn write(place: &mut [u8], value: [&[u8]; 2]) {
    let (first, second) = place.split_at_mut(value[0].len());
    first.copy_from_slice(value[0]);
    second.copy_from_slice(value[1]);
}
