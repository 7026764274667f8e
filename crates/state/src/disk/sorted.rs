//! A sorted run of a tree: files behind each other, of which it shows what lies within their bounds.

use headwater_data::run::{EntryRef, EntryStream, KeyHashes, Place, Run, RunStream};
use headwater_types::Result;
use std::sync::Arc;

/// Entries in the order of a run, in one file or several. Immutable; a change makes another.
#[derive(Clone)]
pub(super) struct SortedRun {
    /// Tells the runs of a tree apart.
    pub id: u64,
    /// In the order of their entries.
    pub slots: Vec<Slot>,
    /// Whether the files are those of a checkpoint.
    pub is_restored: bool,
    /// Whether a merge is adding files to it.
    pub is_growing: bool,
}

/// A file, and from where on and up to where it counts.
#[derive(Clone)]
pub(super) struct Slot {
    pub run: Run,
    /// Size of the file.
    pub bytes: u64,
    pub first: OwnedPlace,
    /// Key groups from this one on do not count.
    pub end_group: u32,
}

/// A place that owns its keys.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct OwnedPlace {
    group: u32,
    key: Box<[u8]>,
    map_key: Box<[u8]>,
}

impl OwnedPlace {
    pub fn of(place: Place<'_>) -> Self {
        Self { group: place.group, key: place.key.into(), map_key: place.map_key.into() }
    }

    #[inline]
    pub fn as_place(&self) -> Place<'_> {
        Place { group: self.group, key: &self.key, map_key: &self.map_key }
    }
}

impl SortedRun {
    /// Size of its files, bytes.
    pub fn bytes(&self) -> u64 {
        self.slots.iter().map(|slot| slot.bytes).sum()
    }

    /// The file that may have an entry.
    #[inline]
    pub fn slot_of(&self, place: Place<'_>, hashes: KeyHashes) -> Option<&Slot> {
        // Of one file the filter is the cheaper look.
        if let [one] = self.slots.as_slice()
            && !one.run.may_contain(hashes)
        {
            return None;
        }
        let at = self.slots.partition_point(|slot| slot.first.as_place() <= place).checked_sub(1)?;
        self.slots.get(at).filter(|slot| place.group < slot.end_group)
    }

    /// The files that may have entries of a key.
    pub fn slots_of(&self, group: u32, key: &[u8]) -> &[Slot] {
        let start = Place { group, key, map_key: &[] };
        let first = self.slots.partition_point(|slot| slot.first.as_place() <= start).saturating_sub(1);
        let end = self.slots.partition_point(|slot| {
            let first = slot.first.as_place();
            (first.group, first.key) <= (group, key)
        });
        &self.slots[first.min(end)..end]
    }

    /// The same run from a place on.
    pub fn from(&self, place: &OwnedPlace) -> Self {
        let before = self.slots.partition_point(|slot| slot.first.as_place() <= place.as_place());
        let mut slots = self.slots[before.saturating_sub(1)..].to_vec();
        if before > 0 {
            slots[0].first = place.clone();
            if slots[0].end_group <= place.group {
                slots.remove(0);
            }
        }
        Self { id: self.id, slots, is_restored: self.is_restored, is_growing: self.is_growing }
    }

    /// Its entries; about `read_bytes` are read at once.
    pub fn read(self: &Arc<Self>, read_bytes: u64) -> SlotsStream {
        SlotsStream { sorted: self.clone(), next: 0, stream: None, read_bytes }
    }
}

/// The entries of a [`SortedRun`].
pub(super) struct SlotsStream {
    sorted: Arc<SortedRun>,
    /// The next slot.
    next: usize,
    stream: Option<RunStream>,
    read_bytes: u64,
}

impl EntryStream for SlotsStream {
    fn advance(&mut self) -> Result<bool> {
        loop {
            if let Some(stream) = &mut self.stream
                && stream.advance()?
            {
                return Ok(true);
            }
            let Some(slot) = self.sorted.slots.get(self.next) else {
                self.stream = None;
                return Ok(false);
            };
            self.next += 1;
            self.stream = Some(slot.run.read_from(slot.first.as_place(), slot.end_group, self.read_bytes));
        }
    }

    fn entry(&self) -> EntryRef<'_> {
        match &self.stream {
            Some(stream) => stream.entry(),
            None => EntryRef { group: 0, key: &[], map_key: &[], value: None },
        }
    }
}
