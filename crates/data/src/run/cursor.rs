//! Reading the rows of a block, one after the other or from a place on.

use super::{EntryRef, Place, RESTART_BYTES, VERSION_INDEXED, corrupt, take_bytes, take_u32, take_varint};
use headwater_types::Result;

/// Reads the rows of a block. Holds positions, not borrows, so that it can live beside the rows it reads.
#[derive(Debug, Default)]
pub(super) struct BlockCursor {
    indexed: bool,
    /// Rows of the block, and rows left.
    entries: u64,
    left: u64,
    /// Version 1: rows left of the current group.
    in_group: u64,
    /// Version 1.
    groups: Section,
    /// From version 2 on; and the next of them.
    restarts: Section,
    next_restart: usize,
    /// The row of the next restart.
    next_restart_entry: u64,
    lengths: Section,
    keys: Section,
    map_keys: Section,
    values: Section,
    group: u32,
    key: Vec<u8>,
    map_key: Vec<u8>,
    /// Where the value is within the rows; `None` for a deletion.
    value: Option<(usize, usize)>,
}

/// A section, and what is left of it.
#[derive(Debug, Default, Clone, Copy)]
struct Section {
    base: usize,
    start: usize,
    end: usize,
}

impl Section {
    fn new(base: usize, end: usize) -> Self {
        Self { base, start: base, end }
    }

    #[inline]
    fn of<'a>(&self, rows: &'a [u8]) -> &'a [u8] {
        &rows[self.start..self.end]
    }

    #[inline]
    fn take(&mut self, length: u64, what: &str) -> Result<(usize, usize)> {
        let start = self.start;
        let end = usize::try_from(length).ok().and_then(|n| start.checked_add(n)).filter(|end| *end <= self.end);
        self.start = end.ok_or_else(|| corrupt(format!("a block has too few bytes of {what}")))?;
        Ok((start, self.start))
    }

    fn jump(&mut self, position: u32) -> Result<()> {
        let start = self.base.checked_add(position as usize).filter(|start| *start <= self.end);
        self.start = start.ok_or_else(|| corrupt("a restart of a block is outside of it"))?;
        Ok(())
    }
}

/// Where rows can be read from without those before.
struct Restart {
    entry: u32,
    group: u32,
    /// In lengths, keys, map keys and values.
    positions: [u32; 4],
}

impl BlockCursor {
    /// Starts reading `rows` of a run of this version.
    pub fn start(&mut self, rows: &[u8], version: u8) -> Result<()> {
        self.indexed = version >= VERSION_INDEXED;
        let mut rest = rows;
        self.entries = take_varint(&mut rest)?;
        self.left = self.entries;
        self.in_group = 0;
        let mut lengths = [0u64; 4];
        for length in &mut lengths {
            *length = take_varint(&mut rest)?;
        }
        if self.indexed {
            lengths[0] = lengths[0].saturating_mul(RESTART_BYTES as u64);
        }
        let mut sections = [Section::default(); 4];
        for (section, length) in sections.iter_mut().zip(lengths) {
            let start = rows.len() - rest.len();
            take_bytes(&mut rest, length, "a section of a block")?;
            *section = Section::new(start, rows.len() - rest.len());
        }
        [self.groups, self.lengths, self.keys, self.map_keys] = sections;
        self.restarts = self.groups;
        self.values = Section::new(rows.len() - rest.len(), rows.len());
        self.next_restart = 0;
        self.next_restart_entry = 0;
        self.key.clear();
        self.map_key.clear();
        Ok(())
    }

    /// Moves to the next row; false at the end.
    #[inline]
    pub fn advance(&mut self, rows: &[u8]) -> Result<bool> {
        if self.left == 0 {
            return Ok(false);
        }
        match self.indexed {
            true => self.pass_restart(rows)?,
            false => self.next_group(rows)?,
        }
        self.left -= 1;
        let mut lengths = self.lengths.of(rows);
        let mut next = || take_varint(&mut lengths);
        let (key, map_key, value) = ([next()?, next()?], [next()?, next()?], next()?);
        self.lengths.start = self.lengths.end - lengths.len();
        extend(&mut self.key, key, &mut self.keys, rows)?;
        extend(&mut self.map_key, map_key, &mut self.map_keys, rows)?;
        self.value = match value.checked_sub(1) {
            Some(length) => Some(self.values.take(length, "values")?),
            None => None,
        };
        Ok(true)
    }

    /// The current row.
    #[inline]
    pub fn entry<'a>(&'a self, rows: &'a [u8]) -> EntryRef<'a> {
        let value = self.value.map(|(start, end)| &rows[start..end]);
        EntryRef { group: self.group, key: &self.key, map_key: &self.map_key, value }
    }

    /// The place of the current row.
    #[inline]
    pub fn place(&self) -> Place<'_> {
        Place { group: self.group, key: &self.key, map_key: &self.map_key }
    }

    /// Moves to the first row that is not before a place, of a block that was started; false when all are. From
    /// version 2 on it skips to the right restart.
    pub fn seek(&mut self, rows: &[u8], place: Place<'_>) -> Result<bool> {
        if self.indexed {
            let count = (self.restarts.end - self.restarts.base) / RESTART_BYTES;
            let (mut low, mut high) = (0, count);
            while low < high {
                let middle = low + (high - low) / 2;
                match self.place_of(rows, middle)? <= place {
                    true => low = middle + 1,
                    false => high = middle,
                }
            }
            self.jump(rows, low.saturating_sub(1))?;
        }
        while self.advance(rows)? {
            if self.place() >= place {
                return Ok(true);
            }
        }
        Ok(false)
    }

    fn restart(&self, rows: &[u8], index: usize) -> Result<Restart> {
        let bytes = rows[self.restarts.base..self.restarts.end].get(index * RESTART_BYTES..);
        let bytes: Option<&[u8; RESTART_BYTES]> = bytes.and_then(<[u8]>::first_chunk);
        let bytes = bytes.ok_or_else(|| corrupt("a block does not say where its entries start"))?;
        let (numbers, _) = bytes.as_chunks::<4>();
        let number = |at: usize| u32::from_le_bytes(numbers[at]);
        Ok(Restart { entry: number(0), group: number(1), positions: [number(2), number(3), number(4), number(5)] })
    }

    /// The place of the entry at a restart.
    #[inline]
    fn place_of<'a>(&self, rows: &'a [u8], index: usize) -> Result<Place<'a>> {
        let restart = self.restart(rows, index)?;
        let [mut lengths, mut keys, mut map_keys] = [self.lengths, self.keys, self.map_keys];
        lengths.jump(restart.positions[0])?;
        keys.jump(restart.positions[1])?;
        map_keys.jump(restart.positions[2])?;
        let mut lengths = lengths.of(rows);
        let mut part = |section: &mut Section| -> Result<&'a [u8]> {
            let (shared, rest) = (take_varint(&mut lengths)?, take_varint(&mut lengths)?);
            if shared != 0 {
                return Err(corrupt("an entry at a restart of a block is not whole"));
            }
            let (start, end) = section.take(rest, "keys")?;
            Ok(&rows[start..end])
        };
        Ok(Place { group: restart.group, key: part(&mut keys)?, map_key: part(&mut map_keys)? })
    }

    /// Goes to a restart: the next row is the one there.
    fn jump(&mut self, rows: &[u8], index: usize) -> Result<()> {
        let restart = self.restart(rows, index)?;
        let left = self.entries.checked_sub(u64::from(restart.entry));
        self.left = left.ok_or_else(|| corrupt("a restart of a block is behind its last entry"))?;
        self.lengths.jump(restart.positions[0])?;
        self.keys.jump(restart.positions[1])?;
        self.map_keys.jump(restart.positions[2])?;
        self.values.jump(restart.positions[3])?;
        self.next_restart = index;
        self.next_restart_entry = u64::from(restart.entry);
        self.key.clear();
        self.map_key.clear();
        Ok(())
    }

    /// Takes over the group of a restart that the next row is at.
    #[inline]
    fn pass_restart(&mut self, rows: &[u8]) -> Result<()> {
        let entry = self.entries - self.left;
        if entry != self.next_restart_entry {
            return Ok(());
        }
        let restart = self.restart(rows, self.next_restart)?;
        if u64::from(restart.entry) != entry {
            return Err(corrupt("the restarts of a block are out of order"));
        }
        self.group = restart.group;
        self.next_restart += 1;
        self.next_restart_entry = match self.restarts.base + self.next_restart * RESTART_BYTES < self.restarts.end {
            true => u64::from(self.restart(rows, self.next_restart)?.entry),
            false => u64::MAX,
        };
        Ok(())
    }

    fn next_group(&mut self, rows: &[u8]) -> Result<()> {
        if self.in_group == 0 {
            let mut groups = self.groups.of(rows);
            self.group = take_u32(&mut groups)?;
            self.in_group = take_varint(&mut groups)?;
            self.groups.start = self.groups.end - groups.len();
        }
        let left = self.in_group.checked_sub(1);
        self.in_group = left.ok_or_else(|| corrupt("a key group of a block has no entries"))?;
        Ok(())
    }
}

/// Replaces what follows the shared prefix of `bytes`.
#[inline]
fn extend(bytes: &mut Vec<u8>, [shared, rest]: [u64; 2], section: &mut Section, rows: &[u8]) -> Result<()> {
    if shared > bytes.len() as u64 {
        return Err(corrupt("a key shares more bytes with the key before than that has"));
    }
    bytes.truncate(shared as usize);
    let (start, end) = section.take(rest, "keys")?;
    bytes.extend_from_slice(&rows[start..end]);
    Ok(())
}
