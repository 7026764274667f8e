//! Making the rows of a block.

use super::{EntryRef, RESTART_ENTRIES, put_varint};

/// Collects the rows of a block, column by column.
#[derive(Debug, Default)]
pub(super) struct BlockBuilder {
    pub entries: u64,
    pub deletions: u64,
    pub first_group: u32,
    pub last_group: u32,
    /// Key and map key of the first row.
    pub first_key: Vec<u8>,
    pub first_map_key: Vec<u8>,
    /// Rows since the last restart.
    since_restart: u64,
    restarts: Vec<[u32; 6]>,
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
        if self.entries == 0 {
            self.first_group = entry.group;
            self.first_key.extend_from_slice(entry.key);
            self.first_map_key.extend_from_slice(entry.map_key);
        }
        if self.entries == 0 || entry.group != self.last_group || self.since_restart == RESTART_ENTRIES {
            self.restart(entry.group);
        }
        self.last_group = entry.group;
        self.since_restart += 1;
        push_trimmed(entry.key, &mut self.last_key, &mut self.lengths, &mut self.keys);
        push_trimmed(entry.map_key, &mut self.last_map_key, &mut self.lengths, &mut self.map_keys);
        put_varint(entry.value.map_or(0, |v| v.len() as u64 + 1), &mut self.lengths);
        self.values.extend_from_slice(entry.value.unwrap_or_default());
        self.deletions += u64::from(entry.value.is_none());
        self.entries += 1;
    }

    /// Writes the rows to `out` and starts over.
    pub fn finish(&mut self, out: &mut Vec<u8>) {
        put_varint(self.entries, out);
        put_varint(self.restarts.len() as u64, out);
        for section in [&self.lengths, &self.keys, &self.map_keys] {
            put_varint(section.len() as u64, out);
        }
        self.restarts.iter().flatten().for_each(|number| out.extend_from_slice(&number.to_le_bytes()));
        for section in [&self.lengths, &self.keys, &self.map_keys, &self.values] {
            out.extend_from_slice(section);
        }
        self.clear();
    }

    /// Lets the next row share nothing with the one before. Sections are short here: a block ends with the entry
    /// that fills it, and this is before that entry.
    fn restart(&mut self, group: u32) {
        let sections = [&self.lengths, &self.keys, &self.map_keys, &self.values].map(|section| section.len() as u32);
        let [lengths, keys, map_keys, values] = sections;
        self.restarts.push([self.entries as u32, group, lengths, keys, map_keys, values]);
        self.since_restart = 0;
        self.last_key.clear();
        self.last_map_key.clear();
    }

    fn clear(&mut self) {
        self.entries = 0;
        self.deletions = 0;
        self.since_restart = 0;
        self.restarts.clear();
        let sections = [&mut self.lengths, &mut self.keys, &mut self.map_keys, &mut self.values];
        let firsts = [&mut self.first_key, &mut self.first_map_key];
        let lasts = [&mut self.last_key, &mut self.last_map_key];
        sections.into_iter().chain(firsts).chain(lasts).for_each(Vec::clear);
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
