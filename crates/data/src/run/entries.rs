//! Entries in memory: packed into two buffers, and as streams.

use headwater_types::Result;
use std::cmp::Ordering;
use std::sync::Arc;

/// A state entry, borrowed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EntryRef<'a> {
    /// Key group of the key.
    pub group: u32,
    /// Encoded key.
    pub key: &'a [u8],
    /// Encoded map key; empty in tables of one value per key. Timers: the time, order-preserving.
    pub map_key: &'a [u8],
    /// The value; `None` when the entry was deleted.
    pub value: Option<&'a [u8]>,
}

/// Where an entry is in the order of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place<'a> {
    /// Key group of the key.
    pub group: u32,
    /// Encoded key.
    pub key: &'a [u8],
    /// Encoded map key.
    pub map_key: &'a [u8],
}

impl<'a> EntryRef<'a> {
    /// Its place in the order of a run.
    #[inline]
    pub fn place(&self) -> Place<'a> {
        Place { group: self.group, key: self.key, map_key: self.map_key }
    }

    /// The order of entries in a run: by group, key and map key.
    #[inline]
    pub fn order(&self, other: &EntryRef<'_>) -> Ordering {
        (self.group, self.key, self.map_key).cmp(&(other.group, other.key, other.map_key))
    }
}

/// Entries one after the other, each borrowed until the next is asked for.
pub trait EntryStream {
    /// Moves to the next entry; false at the end. Must be called before the first entry.
    ///
    /// # Errors
    /// When the entries cannot be read.
    fn advance(&mut self) -> Result<bool>;

    /// The entry that [`EntryStream::advance`] moved to. Unspecified before the first and after the last.
    fn entry(&self) -> EntryRef<'_>;
}

/// Entries in contiguous memory: 24 bytes and their content each.
#[derive(Debug, Clone, Default)]
pub struct Entries {
    slots: Vec<Slot>,
    bytes: Vec<u8>,
}

/// Where an entry is within the bytes: key, map key and value stand one after the other.
#[derive(Debug, Clone, Copy)]
struct Slot {
    start: u64,
    group: u32,
    key: u32,
    map_key: u32,
    /// Length of the value, [`DELETED`] for none.
    value: u32,
}

const DELETED: u32 = u32::MAX;

/// An entry that is being sorted.
#[derive(Debug, Clone, Copy)]
struct Sorting {
    /// What decides most comparisons.
    head: [u64; 2],
    /// Where its slot is; later entries have higher ones.
    index: usize,
}

impl Entries {
    /// No entries.
    pub fn new() -> Self {
        Self::default()
    }

    /// No entries, with room for some.
    pub fn with_capacity(entries: usize, bytes: usize) -> Self {
        Self { slots: Vec::with_capacity(entries), bytes: Vec::with_capacity(bytes) }
    }

    /// Makes room for more.
    pub fn reserve(&mut self, entries: usize, bytes: usize) {
        self.slots.reserve(entries);
        self.bytes.reserve(bytes);
    }

    /// Number of entries.
    pub fn len(&self) -> usize {
        self.slots.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.slots.is_empty()
    }

    /// Memory of the entries, without what is reserved for more, bytes.
    pub fn bytes(&self) -> usize {
        self.bytes.len() + self.slots.len() * size_of::<Slot>()
    }

    /// Memory in use, bytes.
    pub fn memory_bytes(&self) -> usize {
        self.bytes.capacity() + self.slots.capacity() * size_of::<Slot>()
    }

    /// Adds an entry.
    ///
    /// # Panics
    /// When a part is 4 GiB long or longer: Arrow's byte columns end at 2 GiB.
    #[inline]
    pub fn push(&mut self, entry: EntryRef<'_>) {
        let length = |part: &[u8]| u32::try_from(part.len()).ok().filter(|n| *n != DELETED).expect("below 4 GiB");
        let slot = Slot {
            start: self.bytes.len() as u64,
            group: entry.group,
            key: length(entry.key),
            map_key: length(entry.map_key),
            value: entry.value.map_or(DELETED, length),
        };
        self.bytes.extend_from_slice(entry.key);
        self.bytes.extend_from_slice(entry.map_key);
        self.bytes.extend_from_slice(entry.value.unwrap_or_default());
        self.slots.push(slot);
    }

    /// The entry at a position.
    ///
    /// # Panics
    /// When there are fewer entries.
    #[inline]
    pub fn get(&self, position: usize) -> EntryRef<'_> {
        self.entry(&self.slots[position])
    }

    /// All entries.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = EntryRef<'_>> {
        self.slots.iter().map(|slot| self.entry(slot))
    }

    /// Brings the entries into the order of a run.
    pub fn sort(&mut self) {
        self.slots = self.sorted(false);
    }

    /// Brings the entries into the order of a run, and keeps the last of those with the same key.
    pub fn sort_latest(&mut self) {
        self.slots = self.sorted(true);
    }

    /// The slots in the order of a run; those of entries with the same key as they came, or the latest only.
    ///
    /// First bytes decide nearly all comparisons, and lie beside each other: to look at the entries themselves is a
    /// cache miss each.
    fn sorted(&self, latest: bool) -> Vec<Slot> {
        let place = |(index, slot): (usize, &Slot)| {
            let entry = self.entry(slot);
            Sorting { head: key_head(entry.group, entry.key), index }
        };
        let mut places: Vec<Sorting> = self.slots.iter().enumerate().map(place).collect();
        places.sort_unstable_by_key(|place| (place.head, place.index));
        for alike in places.chunk_by_mut(|a, b| a.head == b.head).filter(|alike| alike.len() > 1) {
            self.sort_alike(alike, latest);
        }
        // Indices that stand for nothing are those of entries with a later version.
        places.iter().filter_map(|place| self.slots.get(place.index)).copied().collect()
    }

    /// Sorts entries whose keys have the same head; with `latest`, takes out those that come again.
    fn sort_alike(&self, places: &mut [Sorting], latest: bool) {
        let entry = |place: &Sorting| self.get(place.index);
        let key = entry(&places[0]).key;
        if places[1..].iter().all(|place| entry(place).key == key) {
            places.iter_mut().for_each(|place| place.head = bytes_head(entry(place).map_key));
        }
        let order = |a: &Sorting, b: &Sorting| a.head.cmp(&b.head).then_with(|| entry(a).order(&entry(b)));
        places.sort_unstable_by(|a, b| order(a, b).then(a.index.cmp(&b.index)));
        if latest {
            for earlier in 0..places.len() - 1 {
                if order(&places[earlier], &places[earlier + 1]).is_eq() {
                    places[earlier].index = usize::MAX;
                }
            }
        }
    }

    /// Keeps the entries of which `keep` is true; does not give back their bytes.
    pub fn retain(&mut self, mut keep: impl FnMut(EntryRef<'_>) -> bool) {
        let mut slots = std::mem::take(&mut self.slots);
        slots.retain(|slot| keep(self.entry(slot)));
        self.slots = slots;
    }

    /// Removes all entries and keeps the buffers.
    pub fn clear(&mut self) {
        self.slots.clear();
        self.bytes.clear();
    }

    /// The entries as a stream, in the order they have.
    pub fn into_stream(self) -> EntriesStream {
        EntriesStream::of(Arc::new(self))
    }

    /// Memory that the entries take while they are sorted, without what is reserved for more, bytes.
    pub fn sorting_bytes(&self) -> usize {
        self.bytes() + self.slots.len() * (size_of::<Sorting>() + size_of::<Slot>())
    }

    #[inline]
    fn entry(&self, slot: &Slot) -> EntryRef<'_> {
        let key = slot.start as usize;
        let map_key = key + slot.key as usize;
        let value = map_key + slot.map_key as usize;
        EntryRef {
            group: slot.group,
            key: &self.bytes[key..map_key],
            map_key: &self.bytes[map_key..value],
            value: (slot.value != DELETED).then(|| &self.bytes[value..value + slot.value as usize]),
        }
    }
}

/// What decides the order of most entries: the group and the first bytes of the key.
pub(super) fn key_head(group: u32, key: &[u8]) -> [u64; 2] {
    let [first, second] = bytes_head(key);
    [u64::from(group) << 32 | first >> 32, first << 32 | second >> 32]
}

/// The first 16 bytes, padded: not greater than those of what comes later.
fn bytes_head(bytes: &[u8]) -> [u64; 2] {
    let mut head = [0; 16];
    let length = bytes.len().min(16);
    head[..length].copy_from_slice(&bytes[..length]);
    let (first, second) = head.split_at(8);
    [first, second].map(|half| u64::from_be_bytes(half.try_into().expect("a half of sixteen bytes")))
}

impl<'a> FromIterator<EntryRef<'a>> for Entries {
    fn from_iter<I: IntoIterator<Item = EntryRef<'a>>>(entries: I) -> Self {
        let mut packed = Self::new();
        entries.into_iter().for_each(|entry| packed.push(entry));
        packed
    }
}

impl PartialEq for Entries {
    fn eq(&self, other: &Self) -> bool {
        self.iter().eq(other.iter())
    }
}

impl Eq for Entries {}

/// [`Entries`] as a stream.
#[derive(Debug)]
pub struct EntriesStream {
    entries: Arc<Entries>,
    next: usize,
}

impl EntriesStream {
    /// Entries that others read as well, in the order they have.
    pub fn of(entries: Arc<Entries>) -> Self {
        Self { entries, next: 0 }
    }
}

impl EntryStream for EntriesStream {
    fn advance(&mut self) -> Result<bool> {
        let more = self.next < self.entries.len();
        self.next += usize::from(more);
        Ok(more)
    }

    fn entry(&self) -> EntryRef<'_> {
        self.entries.get(self.next - 1)
    }
}
