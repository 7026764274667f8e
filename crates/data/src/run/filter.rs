//! Filters: what keys and entries a run may have, so that most looks for what it has not need no block.
//!
//! A blocked Bloom filter (Putze, Sanders, Singler: "Cache-, hash- and space-efficient Bloom filters", 2007): a hash
//! chooses a line of 32 bytes and in each of its 8 words a bit, so a look costs one cache miss. At 10 bits a hash about
//! one in a hundred looks in vain is not answered. Hashes of keys are in it, and those of entries with a map key.
//!
//! ```text
//! filter := line+      line := word:u32 * 8
//! ```

use super::corrupt;
use headwater_types::Result;

const BITS_PER_HASH: usize = 10;
const WORDS: usize = 8;
const LINE_BYTES: usize = WORDS * 4;

/// A filter in memory.
#[derive(Debug)]
pub(super) struct Filter {
    lines: Box<[[u32; WORDS]]>,
}

impl Filter {
    /// The filter of these hashes.
    pub fn of(hashes: &[u64]) -> Self {
        let lines = (hashes.len() * BITS_PER_HASH).div_ceil(LINE_BYTES * 8).max(1);
        let mut lines = vec![[0; WORDS]; lines].into_boxed_slice();
        for hash in hashes {
            let line = &mut lines[line_of(*hash, lines.len())];
            for (word, bit) in line.iter_mut().zip(bits_of(*hash)) {
                *word |= bit;
            }
        }
        Self { lines }
    }

    /// Reads what [`Filter::write`] wrote.
    pub fn read(bytes: &[u8]) -> Result<Self> {
        let (lines, rest) = bytes.as_chunks::<LINE_BYTES>();
        if lines.is_empty() || !rest.is_empty() {
            return Err(corrupt("a filter has an impossible length"));
        }
        let line = |bytes: &[u8; LINE_BYTES]| {
            let (words, _) = bytes.as_chunks::<4>();
            std::array::from_fn(|at| u32::from_le_bytes(words[at]))
        };
        Ok(Self { lines: lines.iter().map(line).collect() })
    }

    /// Appends the filter to `out`.
    pub fn write(&self, out: &mut Vec<u8>) {
        self.lines.iter().flatten().for_each(|word| out.extend_from_slice(&word.to_le_bytes()));
    }

    /// Whether the hash may be one of those the filter was made of.
    #[inline]
    pub fn may_contain(&self, hash: u64) -> bool {
        let line = &self.lines[line_of(hash, self.lines.len())];
        let missing = line.iter().zip(bits_of(hash)).fold(0, |missing, (word, bit)| missing | (!word & bit));
        missing == 0
    }

    /// Memory in use, bytes.
    pub fn bytes(&self) -> usize {
        self.lines.len() * LINE_BYTES
    }
}

#[inline]
fn line_of(hash: u64, lines: usize) -> usize {
    (((hash >> 32) * lines as u64) >> 32) as usize
}

/// A bit for each word, of the lower half of the hash, which the line does not depend on.
#[inline]
fn bits_of(hash: u64) -> [u32; WORDS] {
    let mixed = (hash & 0xFFFF_FFFF).wrapping_mul(0x9E37_79B9_7F4A_7C15) >> (64 - 5 * WORDS);
    std::array::from_fn(|word| 1 << ((mixed >> (5 * word)) & 31))
}

/// The filter's hash of a key.
#[inline]
pub(super) fn hash_key(key: &[u8]) -> u64 {
    // Keys of a run have key groups, that is upper bits of their hash, in common.
    mix(crate::stable_hash(key))
}

/// The filter's hash of an entry, given that of its key.
#[inline]
pub(super) fn hash_entry(key: u64, map_key: &[u8]) -> u64 {
    if map_key.is_empty() { key } else { mix(key.rotate_left(23) ^ crate::stable_hash(map_key)) }
}

#[inline]
fn mix(hash: u64) -> u64 {
    let hash = (hash ^ (hash >> 32)).wrapping_mul(0xD6E8_FEB8_6659_FD93);
    hash ^ (hash >> 32)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_in_it_is_found_and_little_else() {
        let hash = |n: u32| hash_key(&n.to_be_bytes());
        let hashes: Vec<u64> = (0..20_000).map(hash).collect();
        let mut bytes = vec![];
        Filter::of(&hashes).write(&mut bytes);
        let filter = Filter::read(&bytes).unwrap();
        assert!(hashes.iter().all(|hash| filter.may_contain(*hash)));
        let wrong = (20_000..120_000).filter(|n| filter.may_contain(hash(*n))).count();
        assert!(wrong < 2_500, "{wrong} of 100000");
        assert!(Filter::read(&bytes[1..]).is_err());
    }
}
