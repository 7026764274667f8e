//! The directory in memory: where blocks are, and which one has a place.

use super::Place;

/// What the directory says about a block.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct BlockInfo {
    /// Where its stored bytes start; not stored, blocks leave no gaps.
    pub offset: u64,
    pub raw_len: u64,
    pub checksum: u64,
    pub first_group: u32,
    pub last_group: u32,
    /// Where its first key starts among those of all blocks, and where the map key does.
    pub key_at: u32,
    pub map_key_at: u32,
    pub codec: u8,
}

/// The blocks of a run.
#[derive(Debug, Default)]
pub(super) struct Index {
    blocks: Vec<BlockInfo>,
    /// Where the last block ends.
    end: u64,
    /// First keys and map keys of all blocks.
    keys: Vec<u8>,
    /// What all first keys start with.
    prefix: Vec<u8>,
    /// The order of blocks in a nutshell, see [`Index::head`]. Small, so that a search misses few cache lines.
    heads: Vec<u64>,
}

const HEAD_KEY_BYTES: usize = 6;

impl Index {
    /// The index of blocks. `keys` has the first keys of the blocks, or nothing in version 1.
    pub fn new(blocks: Vec<BlockInfo>, end: u64, keys: Vec<u8>) -> Self {
        let mut index = Self { blocks, end, keys, prefix: vec![], heads: vec![] };
        if let Some(last) = index.len().checked_sub(1) {
            let mut prefix = index.first(0).key.to_vec();
            for block in 1..=last {
                let key = index.first(block).key;
                prefix.truncate(prefix.iter().zip(key).take_while(|(a, b)| a == b).count());
            }
            index.prefix = prefix;
        }
        index.heads = (0..index.len()).map(|block| index.head(index.first(block))).collect();
        index
    }

    /// Number of blocks.
    pub fn len(&self) -> usize {
        self.blocks.len()
    }

    pub fn block(&self, block: usize) -> &BlockInfo {
        &self.blocks[block]
    }

    pub fn blocks(&self) -> &[BlockInfo] {
        &self.blocks
    }

    /// Where the stored bytes of a block end.
    pub fn end_of(&self, block: usize) -> u64 {
        self.blocks.get(block + 1).map_or(self.end, |next| next.offset)
    }

    /// Where the last block ends.
    pub fn end(&self) -> u64 {
        self.end
    }

    /// The place of a block's first entry.
    #[inline]
    pub fn first(&self, block: usize) -> Place<'_> {
        let info = &self.blocks[block];
        let end = self.blocks.get(block + 1).map_or(self.keys.len(), |next| next.key_at as usize);
        let (key_at, map_key_at) = (info.key_at as usize, info.map_key_at as usize);
        Place { group: info.first_group, key: &self.keys[key_at..map_key_at], map_key: &self.keys[map_key_at..end] }
    }

    /// The only block that may have an entry at a place; `None` when the place is before all.
    #[inline]
    pub fn find(&self, place: Place<'_>) -> Option<usize> {
        self.last_where(self.head(place), |first| first <= place)
    }

    /// The last block that starts with a key that is not behind this one, whatever the map key.
    pub fn find_last_of_key(&self, group: u32, key: &[u8]) -> Option<usize> {
        let head = self.head(Place { group, key, map_key: &[] });
        self.last_where(head, |first| (first.group, first.key) <= (group, key))
    }

    /// The last block of whose first place `is_before` is true, which must be true of all with a lesser head and
    /// false of all with a greater.
    #[inline]
    fn last_where(&self, head: u64, is_before: impl Fn(Place<'_>) -> bool) -> Option<usize> {
        let mut low = self.heads.partition_point(|other| *other < head);
        // Most often no other block has this head, or one.
        let mut high = low;
        if self.heads.get(low) == Some(&head) {
            high += self.heads[low..].partition_point(|other| *other == head);
        }
        while low < high {
            let middle = low + (high - low) / 2;
            match is_before(self.first(middle)) {
                true => low = middle + 1,
                false => high = middle,
            }
        }
        low.checked_sub(1)
    }

    /// A number that is in the order of places: group, and what follows the common prefix of keys. Different places
    /// may have the same.
    #[inline]
    fn head(&self, place: Place<'_>) -> u64 {
        if place.group > u32::from(u16::MAX) {
            return u64::MAX;
        }
        let shared = place.key.len().min(self.prefix.len());
        let rest = match place.key[..shared].cmp(&self.prefix) {
            std::cmp::Ordering::Less => [0; HEAD_KEY_BYTES],
            std::cmp::Ordering::Greater => [u8::MAX; HEAD_KEY_BYTES],
            std::cmp::Ordering::Equal => {
                let (mut rest, key) = ([0; HEAD_KEY_BYTES], &place.key[shared..]);
                let length = key.len().min(HEAD_KEY_BYTES);
                rest[..length].copy_from_slice(&key[..length]);
                rest
            }
        };
        let [a, b, c, d, e, f] = rest;
        u64::from(place.group) << 48 | u64::from_be_bytes([0, 0, a, b, c, d, e, f])
    }

    /// Memory in use, bytes.
    pub fn bytes(&self) -> usize {
        self.blocks.capacity() * size_of::<BlockInfo>() + self.keys.capacity() + self.heads.capacity() * 8
    }
}
