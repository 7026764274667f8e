//! Where a heap hands what changed.

use headwater_data::run::{DeltaBuilder, Entries, EntryRef, PackedEntry};

/// Takes changes; of those with the same key the last counts.
pub(crate) trait ChangeSink {
    /// So many entries will come, of about so many bytes together.
    fn reserve(&mut self, entries: usize, bytes: usize);
    /// Takes a change.
    fn push(&mut self, entry: EntryRef<'_>);
    /// Takes a change of a table of one value per key: key and value stand behind each other.
    fn push_value(&mut self, entry: PackedEntry<'_>);
    /// Takes a change of the map of a key, by the heap's number: map key and value stand behind each other.
    fn push_of_key<'k>(&mut self, number: u32, key: impl FnOnce() -> &'k [u8], entry: PackedEntry<'_>);
    /// Whether the bytes of a key will hardly be asked for.
    fn knows(&self, number: u32) -> bool;
}

/// In the order of change, as they will be stored.
impl ChangeSink for DeltaBuilder {
    fn reserve(&mut self, entries: usize, bytes: usize) {
        self.reserve(entries, bytes);
    }

    fn push(&mut self, entry: EntryRef<'_>) {
        self.push(entry);
    }

    #[inline]
    fn push_value(&mut self, entry: PackedEntry<'_>) {
        self.push_value(entry);
    }

    #[inline]
    fn push_of_key<'k>(&mut self, number: u32, key: impl FnOnce() -> &'k [u8], entry: PackedEntry<'_>) {
        self.push_of_key(number, key, entry);
    }

    #[inline]
    fn knows(&self, number: u32) -> bool {
        self.knows(number)
    }
}

/// To be sorted.
impl ChangeSink for Entries {
    fn reserve(&mut self, entries: usize, bytes: usize) {
        self.reserve(entries, bytes);
    }

    fn push(&mut self, entry: EntryRef<'_>) {
        self.push(entry);
    }

    fn push_value(&mut self, entry: PackedEntry<'_>) {
        let (key, value) = entry.bytes.split_at(entry.first);
        self.push(EntryRef { group: entry.group, key, map_key: &[], value: entry.has_value.then_some(value) });
    }

    fn push_of_key<'k>(&mut self, _number: u32, key: impl FnOnce() -> &'k [u8], entry: PackedEntry<'_>) {
        let (map_key, value) = entry.bytes.split_at(entry.first);
        self.push(EntryRef { group: entry.group, key: key(), map_key, value: entry.has_value.then_some(value) });
    }

    fn knows(&self, _number: u32) -> bool {
        false
    }
}
