//! Taking what changed since the last snapshot.

use super::{ABSENT, DIRTY, FREE, HeapMaps, ID_BYTES, PERSISTED, Ref, owner};
use crate::engine::Expired;
use crate::heap::ChangeSink;
use crate::heap::values::TAKEN_TOGETHER;
use headwater_data::run::PackedEntry;

impl HeapMaps {
    /// Takes the oldest `limit` changes since the last call. Of a value that is `expired` it takes the deletion.
    pub fn take_changes(&mut self, limit: usize, expired: Expired<'_>, changes: &mut impl ChangeSink) {
        let rest = self.dirty.split_off(limit.min(self.dirty.len()));
        let mut dirty = std::mem::replace(&mut self.dirty, rest);
        let average = self.arena.live_bytes() / self.entries.max(1);
        changes.reserve(dirty.len() + self.graves.len(), dirty.len() * average + self.graves.bytes());
        // An entry that came back after its deletion is dirty, and what comes later counts.
        std::mem::take(&mut self.graves).iter().for_each(|grave| changes.push(grave));
        let mut keys = Vec::with_capacity(TAKEN_TOGETHER);
        for together in dirty.chunks(TAKEN_TOGETHER) {
            self.warm_changes(together, changes, &mut keys);
            together.iter().for_each(|entry| self.take_change(*entry, expired, changes));
        }
        if self.dirty.is_empty() {
            dirty.clear();
            self.dirty = dirty;
        }
    }

    /// Brings entries and the keys that will be asked for into the CPU's caches. Entries that are gone do no harm.
    fn warm_changes(&self, entries: &[Ref], changes: &impl ChangeSink, keys: &mut Vec<Ref>) {
        self.arena.warm(entries.iter());
        keys.clear();
        keys.extend(entries.iter().filter_map(|entry| {
            let key = owner(self.arena.key(*entry));
            if changes.knows(key.0) { None } else { self.keys.get(key.0 as usize)?.record }
        }));
        self.arena.warm(keys.iter());
    }

    #[inline]
    fn take_change(&mut self, entry: Ref, expired: Expired<'_>, changes: &mut impl ChangeSink) {
        let flags = self.arena.flags(entry);
        if flags & (FREE | DIRTY) != DIRTY {
            return;
        }
        let (content, stored_key) = self.arena.content(entry);
        let is_live = flags & ABSENT == 0 && !expired(&content[stored_key..]);
        if is_live || flags & PERSISTED != 0 {
            let key = owner(content);
            let bytes = if is_live { &content[ID_BYTES..] } else { &content[ID_BYTES..stored_key] };
            let group = u32::from(self.arena.group(entry));
            let entry = PackedEntry { group, bytes, first: stored_key - ID_BYTES, has_value: is_live };
            changes.push_of_key(key.0, || self.key_bytes(key), entry);
        }
        let persisted = if is_live { PERSISTED } else { 0 };
        self.arena.set_flags(entry, flags & !(DIRTY | PERSISTED) | persisted);
    }
}
