//! The rows of a block: builder and cursor.

use super::{EntryRef, corrupt, put_varint, take_bytes, take_u32, take_varint};
use headwater_types::Result;

/// Collects the rows of a block, column by column.
#[derive(Debug, Default)]
pub(super) struct BlockBuilder {
    pub entries: u64,
    pub deletions: u64,
    pub first_group: u32,
    pub last_group: u32,
    /// Entries of `last_group` so far.
    in_group: u64,
    groups: Vec<u8>,
    lengths: Vec<u8>,
    keys: Vec<u8>,
    map_keys: Vec<u8>,
    values: Vec<u8>,
    last_key: Vec<u8>,
    last_map_key: Vec<u8>,
}

impl BlockBuilder {
    /// Size of the rows so far.
    pub fn bytes(&self) -> usize {
        self.lengths.len() + self.keys.len() + self.map_keys.len() + self.values.len()
    }

    /// Adds a row behind the others.
    pub fn push(&mut self, entry: EntryRef<'_>) {
        self.push_group(entry.group);
        push_trimmed(entry.key, &mut self.last_key, &mut self.lengths, &mut self.keys);
        push_trimmed(entry.map_key, &mut self.last_map_key, &mut self.lengths, &mut self.map_keys);
        put_varint(entry.value.map_or(0, |v| v.len() as u64 + 1), &mut self.lengths);
        self.values.extend_from_slice(entry.value.unwrap_or_default());
        self.deletions += u64::from(entry.value.is_none());
        self.entries += 1;
    }

    /// Writes the rows to `out` and starts over.
    pub fn finish(&mut self, out: &mut Vec<u8>) {
        self.close_group();
        put_varint(self.entries, out);
        for section in [&self.groups, &self.lengths, &self.keys, &self.map_keys] {
            put_varint(section.len() as u64, out);
        }
        for section in [&self.groups, &self.lengths, &self.keys, &self.map_keys, &self.values] {
            out.extend_from_slice(section);
        }
        self.clear();
    }

    fn push_group(&mut self, group: u32) {
        if self.entries == 0 {
            self.first_group = group;
        } else if group != self.last_group {
            self.close_group();
        }
        self.last_group = group;
        self.in_group += 1;
    }

    fn close_group(&mut self) {
        if self.in_group > 0 {
            put_varint(u64::from(self.last_group), &mut self.groups);
            put_varint(self.in_group, &mut self.groups);
            self.in_group = 0;
        }
    }

    fn clear(&mut self) {
        self.entries = 0;
        self.deletions = 0;
        let buffers = [&mut self.groups, &mut self.lengths, &mut self.keys, &mut self.map_keys, &mut self.values];
        buffers.into_iter().chain([&mut self.last_key, &mut self.last_map_key]).for_each(Vec::clear);
    }
}

/// Writes what `bytes` does not share with the start of `last`, and makes it the last.
fn push_trimmed(bytes: &[u8], last: &mut Vec<u8>, lengths: &mut Vec<u8>, out: &mut Vec<u8>) {
    let shared = bytes.iter().zip(last.iter()).take_while(|(a, b)| a == b).count();
    let rest = &bytes[shared..];
    put_varint(shared as u64, lengths);
    put_varint(rest.len() as u64, lengths);
    out.extend_from_slice(rest);
    last.truncate(shared);
    last.extend_from_slice(rest);
}

/// Reads the rows of a block one after the other. Holds positions, not borrows, so that it can live beside the
/// rows it reads.
#[derive(Debug, Default)]
pub(super) struct BlockCursor {
    /// Rows left.
    left: u64,
    /// Rows left of the current group.
    in_group: u64,
    groups: Section,
    lengths: Section,
    keys: Section,
    map_keys: Section,
    values: Section,
    pub group: u32,
    pub key: Vec<u8>,
    pub map_key: Vec<u8>,
    /// Where the value is within the rows; `None` for a deletion.
    pub value: Option<(usize, usize)>,
}

/// What is left of a section.
#[derive(Debug, Default, Clone, Copy)]
struct Section {
    start: usize,
    end: usize,
}

impl Section {
    fn of<'a>(&self, rows: &'a [u8]) -> &'a [u8] {
        &rows[self.start..self.end]
    }

    fn take(&mut self, length: u64, what: &str) -> Result<(usize, usize)> {
        let start = self.start;
        let end = usize::try_from(length).ok().and_then(|n| start.checked_add(n)).filter(|end| *end <= self.end);
        self.start = end.ok_or_else(|| corrupt(format!("a block has too few bytes of {what}")))?;
        Ok((start, self.start))
    }
}

impl BlockCursor {
    /// Starts reading `rows`.
    pub fn start(&mut self, rows: &[u8]) -> Result<()> {
        let mut rest = rows;
        self.left = take_varint(&mut rest)?;
        self.in_group = 0;
        let mut lengths = [0u64; 4];
        for length in &mut lengths {
            *length = take_varint(&mut rest)?;
        }
        let mut sections = [Section::default(); 4];
        for (section, length) in sections.iter_mut().zip(lengths) {
            section.start = rows.len() - rest.len();
            take_bytes(&mut rest, length, "a section of a block")?;
            section.end = rows.len() - rest.len();
        }
        [self.groups, self.lengths, self.keys, self.map_keys] = sections;
        self.values = Section { start: rows.len() - rest.len(), end: rows.len() };
        self.key.clear();
        self.map_key.clear();
        Ok(())
    }

    /// Moves to the next row; false at the end.
    pub fn advance(&mut self, rows: &[u8]) -> Result<bool> {
        if self.left == 0 {
            return Ok(false);
        }
        self.left -= 1;
        self.next_group(rows)?;
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
