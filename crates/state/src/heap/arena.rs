//! An arena of records: a few bytes of header, a key, a value.
//!
//! Records are handed out in size classes from chunks, and a freed record is used again for one of its class; so a
//! reference stays a valid place for as long as the arena lives, even when its record is gone ([`FREE`]).
//! Chunks are not given back, except those of large records.

use headwater_types::{Error, Result};

/// Refers to a record: 16 bits of chunk, 16 bits of place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Ref(pub u32);

/// The record is gone.
pub(crate) const FREE: u8 = 1;
/// It changed since the last snapshot, and is listed so.
pub(crate) const DIRTY: u8 = 2;
/// A snapshot holds it, so that its deletion must be told.
pub(crate) const PERSISTED: u8 = 4;
/// It changed since the disk engine last saw it, and is listed so.
pub(crate) const UNFLUSHED: u8 = 8;
/// It is known not to exist; the record remembers that.
pub(crate) const ABSENT: u8 = 16;
/// It was used since the eviction hand last passed.
pub(crate) const USED: u8 = 32;
/// It is in a batch on its way to the engine; see [`super::Flights`].
pub(super) const FLIGHT_A: u8 = 64;
pub(super) const FLIGHT_B: u8 = 128;
/// In either batch.
pub(crate) const FLIGHT: u8 = FLIGHT_A | FLIGHT_B;

const HEADER: usize = 12;
/// Records start at multiples of this.
const UNIT: usize = 16;
const CHUNK_UNITS: usize = 1 << 16;
/// Largest size with a class, units; larger records have a chunk of their own.
const CLASSED_UNITS_MAX: usize = 1 << 14;
/// Sizes up to this have a class each, units.
const EXACT_UNITS: usize = 32;
const CLASS_LARGE: u8 = u8::MAX;
/// First chunk of an arena, units; each next one is four times as large, up to the largest.
const FIRST_CHUNK_UNITS: usize = 1 << 8;

#[derive(Debug, Default)]
pub(crate) struct Arena {
    chunks: Vec<Box<[u8]>>,
    /// Freed records of each class.
    free: Vec<Vec<Ref>>,
    /// Chunks without a record: those of large records that are gone.
    free_chunks: Vec<u16>,
    /// Unused rest of the last chunk, units.
    bump: Bump,
    bytes: usize,
    live_bytes: usize,
}

#[derive(Debug, Default)]
struct Bump {
    chunk: usize,
    next: usize,
    end: usize,
}

impl Arena {
    /// Memory in use, bytes.
    pub fn bytes(&self) -> usize {
        self.bytes
    }

    /// Memory of the records there are, bytes.
    pub fn live_bytes(&self) -> usize {
        self.live_bytes
    }

    /// Makes a record with room for a value of `value_len` bytes.
    #[inline]
    pub fn allocate(&mut self, key: [&[u8]; 2], value_len: usize, group: u16, flags: u8) -> Result<Ref> {
        let key_len = key[0].len() + key[1].len();
        let bytes = HEADER + key_len + value_len;
        let class = class_of(bytes.div_ceil(UNIT));
        let record = match class {
            Some(class) => self.allocate_classed(class)?,
            None => self.allocate_large(bytes)?,
        };
        self.live_bytes += class.map_or(bytes.next_multiple_of(UNIT), |class| class_units(class) * UNIT);
        let place = self.place_mut(record);
        place[0..4].copy_from_slice(&(key_len as u32).to_le_bytes());
        place[4..8].copy_from_slice(&(value_len as u32).to_le_bytes());
        place[8..10].copy_from_slice(&group.to_le_bytes());
        place[10] = class.map_or(CLASS_LARGE, |c| c as u8);
        place[11] = flags;
        let split = HEADER + key[0].len();
        place[HEADER..split].copy_from_slice(key[0]);
        place[split..HEADER + key_len].copy_from_slice(key[1]);
        Ok(record)
    }

    /// Gives a record back.
    pub fn release(&mut self, record: Ref) {
        let class = self.place(record)[10];
        if class == CLASS_LARGE {
            let chunk = (record.0 >> 16) as usize;
            self.bytes -= self.chunks[chunk].len();
            self.live_bytes -= self.chunks[chunk].len();
            self.chunks[chunk] = vec![0; HEADER].into();
            self.free_chunks.push(chunk as u16);
        } else {
            self.live_bytes -= class_units(usize::from(class)) * UNIT;
            self.free[usize::from(class)].push(record);
        }
        self.set_flags(record, FREE);
    }

    /// Whether a value of this length fits into the record as it is, without wasting most of it.
    #[inline]
    pub fn fits(&self, record: Ref, value_len: usize) -> bool {
        let place = self.place(record);
        let units = (HEADER + read_u32(place, 0) + value_len).div_ceil(UNIT);
        match (class_of(units), place[10]) {
            (_, CLASS_LARGE) => units * UNIT <= place.len() && units * UNIT * 2 > place.len(),
            (Some(class), own) => class == usize::from(own),
            (None, _) => false,
        }
    }

    /// Sets the length of the value, which fits ([`Arena::fits`]), and gives its bytes.
    #[inline]
    pub fn value_mut(&mut self, record: Ref, value_len: usize) -> &mut [u8] {
        let place = self.place_mut(record);
        place[4..8].copy_from_slice(&(value_len as u32).to_le_bytes());
        let start = HEADER + read_u32(place, 0);
        &mut place[start..start + value_len]
    }

    #[inline]
    pub fn key(&self, record: Ref) -> &[u8] {
        let place = self.place(record);
        &place[HEADER..HEADER + read_u32(place, 0)]
    }

    #[inline]
    pub fn value(&self, record: Ref) -> &[u8] {
        self.key_value(record).1
    }

    #[inline]
    pub fn key_value(&self, record: Ref) -> (&[u8], &[u8]) {
        let place = self.place(record);
        let (key, value) = (read_u32(place, 0), read_u32(place, 4));
        place[HEADER..HEADER + key + value].split_at(key)
    }

    /// The key and, behind it, the value; and the length of the key.
    #[inline]
    pub fn content(&self, record: Ref) -> (&[u8], usize) {
        let place = self.place(record);
        let (key, value) = (read_u32(place, 0), read_u32(place, 4));
        (&place[HEADER..HEADER + key + value], key)
    }

    #[inline]
    pub fn group(&self, record: Ref) -> u16 {
        let place = self.place(record);
        u16::from_le_bytes([place[8], place[9]])
    }

    #[inline]
    pub fn flags(&self, record: Ref) -> u8 {
        self.place(record)[11]
    }

    #[inline]
    pub fn set_flags(&mut self, record: Ref, flags: u8) {
        self.place_mut(record)[11] = flags;
    }

    /// Brings records into the CPU's caches. No read waits for another one, so their cache misses overlap.
    pub fn warm<'a>(&self, records: impl Iterator<Item = &'a Ref>) {
        std::hint::black_box(records.fold(0, |sum, record| sum ^ self.flags(*record)));
    }

    #[inline]
    fn place(&self, record: Ref) -> &[u8] {
        &self.chunks[(record.0 >> 16) as usize][(record.0 & 0xFFFF) as usize * UNIT..]
    }

    #[inline]
    fn place_mut(&mut self, record: Ref) -> &mut [u8] {
        &mut self.chunks[(record.0 >> 16) as usize][(record.0 & 0xFFFF) as usize * UNIT..]
    }

    #[inline]
    fn allocate_classed(&mut self, class: usize) -> Result<Ref> {
        if let Some(record) = self.free.get_mut(class).and_then(Vec::pop) {
            return Ok(record);
        }
        let units = class_units(class);
        if self.bump.next + units > self.bump.end {
            self.new_bump_chunk(units)?;
        }
        let record = reference(self.bump.chunk, self.bump.next);
        self.bump.next += units;
        Ok(record)
    }

    fn allocate_large(&mut self, bytes: usize) -> Result<Ref> {
        let chunk = vec![0; bytes.next_multiple_of(UNIT)].into_boxed_slice();
        self.bytes += chunk.len();
        if let Some(index) = self.free_chunks.pop() {
            self.chunks[usize::from(index)] = chunk;
            return Ok(reference(usize::from(index), 0));
        }
        Ok(reference(self.add_chunk(chunk)?, 0))
    }

    fn new_bump_chunk(&mut self, units: usize) -> Result<()> {
        self.recycle_rest();
        let growing = FIRST_CHUNK_UNITS << (2 * self.chunks.len().min(8));
        let size = growing.clamp(units, CHUNK_UNITS);
        let chunk = self.add_chunk(vec![0; size * UNIT].into())?;
        self.bytes += size * UNIT;
        self.bump = Bump { chunk, next: 0, end: size };
        Ok(())
    }

    /// Makes free records of what is left of the last chunk.
    fn recycle_rest(&mut self) {
        while self.bump.next < self.bump.end {
            let left = self.bump.end - self.bump.next;
            let mut class = class_of(left.min(CLASSED_UNITS_MAX)).unwrap_or(0);
            if class_units(class) > left {
                class -= 1;
            }
            let record = reference(self.bump.chunk, self.bump.next);
            let place = self.place_mut(record);
            place[10] = class as u8;
            place[11] = FREE;
            self.bump.next += class_units(class);
            self.free_list(class).push(record);
        }
    }

    fn free_list(&mut self, class: usize) -> &mut Vec<Ref> {
        if self.free.len() <= class {
            self.free.resize_with(class_of(CLASSED_UNITS_MAX).map_or(class, |last| last.max(class)) + 1, Vec::new);
        }
        &mut self.free[class]
    }

    fn add_chunk(&mut self, chunk: Box<[u8]>) -> Result<usize> {
        if self.free.is_empty() {
            self.free_list(0);
        }
        if self.chunks.len() == 1 << 16 {
            let message = "a state table has outgrown memory tables (64 GiB, or 65,000 large values): \
                           set state.backend.type to 'rocksdb' or raise the parallelism";
            return Err(Error::user("state-table-full", message));
        }
        self.chunks.push(chunk);
        Ok(self.chunks.len() - 1)
    }
}

fn reference(chunk: usize, unit: usize) -> Ref {
    Ref((chunk << 16 | unit) as u32)
}

#[inline]
fn read_u32(place: &[u8], at: usize) -> usize {
    place[at..].first_chunk().map_or(0, |bytes| u32::from_le_bytes(*bytes) as usize)
}

/// The smallest class that holds so many units: exact sizes first, then four steps a doubling. `None` above the
/// largest.
#[inline]
fn class_of(units: usize) -> Option<usize> {
    if units <= EXACT_UNITS {
        return Some(units.max(1) - 1);
    }
    if units > CLASSED_UNITS_MAX {
        return None;
    }
    let doubling = (units - 1).ilog2() as usize;
    let step = (units - 1) >> (doubling - 2) & 3;
    Some(EXACT_UNITS + (doubling - 5) * 4 + step)
}

/// Size of the records of a class, units.
#[inline]
fn class_units(class: usize) -> usize {
    if class < EXACT_UNITS {
        return class + 1;
    }
    let (doubling, step) = ((class - EXACT_UNITS) / 4 + 5, (class - EXACT_UNITS) % 4);
    (5 + step) << (doubling - 2)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn classes_hold_their_sizes() {
        for units in 1..=CLASSED_UNITS_MAX {
            let class = class_of(units).unwrap();
            assert!(class_units(class) >= units, "{units}");
            assert!(class == 0 || class_units(class - 1) < units, "{units} has class {class}");
        }
        assert_eq!(class_of(CLASSED_UNITS_MAX + 1), None);
    }

    #[test]
    fn records_are_reused_and_keep_to_themselves() {
        let mut arena = Arena::default();
        let sizes = [0, 1, 3, 4, 20, 500, 5_000, 300_000, 2_000_000];
        let mut live: Vec<(Ref, Vec<u8>)> = vec![];
        for round in 0..200usize {
            for (i, size) in sizes.iter().enumerate() {
                let key = [round as u8, i as u8];
                let record = arena.allocate([&key, b"k"], *size, 7, DIRTY).unwrap();
                arena.value_mut(record, *size).fill(round as u8);
                live.push((record, key.to_vec()));
            }
            while live.len() > 20 {
                let (record, key) = live.swap_remove(round * 7 % live.len());
                let (stored, value) = arena.key_value(record);
                assert_eq!(&stored[..2], key);
                assert!(value.iter().all(|b| *b == key[0]) && arena.group(record) == 7);
                arena.release(record);
                assert_eq!(arena.flags(record), FREE);
            }
        }
        assert!(arena.bytes() < 40 << 20, "{}", arena.bytes());
    }
}
