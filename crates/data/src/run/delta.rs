//! Making unsorted runs: entries in the order they come, in the form they are stored in.
//!
//! What changes between two checkpoints is taken while the work waits, so an entry costs one copy here: it is packed
//! into the block it will be stored in. Whoever writes the run adds checksums and the directory, and nothing else.

use super::directory::{WrittenBlock, directory, put_block, put_footer};
use super::unsorted::BlockEntries;
use super::{CODEC_RAW, EntryRef, VERSION_UNSORTED, WritePart, checksum};
use headwater_types::Result;

/// Size of a block. All are of one size, so that allocators hand out the same memory over and over, and small enough
/// to be in a CPU's cache from one step of writing to the next.
pub(super) const BLOCK_BYTES: usize = if cfg!(test) { 512 } else { 256 << 10 };
/// Most that the numbers before an entry take.
const NUMBERS_BYTES: usize = 32;
/// Size of the first block when it is not known how much will come.
const FIRST_BYTES: usize = 256;
/// Keys that are remembered to be named again.
const NAMED_KEYS: usize = if cfg!(test) { 4 } else { 1 << 10 };

/// Collects the entries of an unsorted run. When an entry comes several times, the last counts.
#[derive(Debug, Clone, Default)]
pub struct DeltaBuilder {
    full: Vec<Block>,
    /// The block that is being filled. Its rows have room behind `used`.
    last: Block,
    used: usize,
    /// Names of keys so far, of all blocks.
    names: u32,
    /// The first name of the last block.
    first_name: u32,
    /// Keys that were named lately, by the caller's number modulo their count; empty until there is one.
    named: Vec<Named>,
    len: usize,
}

/// A block as it is stored.
#[derive(Debug, Clone, Default)]
pub(super) struct Block {
    rows: Vec<u8>,
    entries: u64,
    deletions: u64,
    first_group: u32,
    last_group: u32,
}

/// What the directory of an unsorted run says of the blocks that were written.
#[derive(Debug, Default)]
pub(super) struct WrittenBlocks {
    infos: Vec<u8>,
    blocks: u64,
    bytes: u64,
}

impl WrittenBlocks {
    /// Adds a block; its bytes, which follow those of the block before.
    pub fn put<'b>(&mut self, block: &'b Block) -> &'b [u8] {
        let length = block.rows.len() as u64;
        let info = WrittenBlock {
            stored_len: length,
            raw_len: length,
            codec: CODEC_RAW,
            first_group: block.first_group,
            last_group: block.last_group,
            entries: block.entries,
            deletions: block.deletions,
            checksum: checksum(&block.rows),
        };
        put_block(&info, &mut self.infos);
        // There is no first key.
        self.infos.extend_from_slice(&[0, 0]);
        self.blocks += 1;
        self.bytes += length;
        &block.rows
    }

    /// What follows the blocks.
    pub fn finish(&self, header: &[u8]) -> Result<Vec<u8>> {
        let mut end = directory(header, (self.blocks, &self.infos), (0, &[]));
        let mut footer = vec![];
        put_footer(&end, self.bytes, VERSION_UNSORTED, &mut footer)?;
        end.append(&mut footer);
        Ok(end)
    }
}

/// A key by the caller's number, and its name.
#[derive(Debug, Clone, Copy)]
struct Named {
    number: u32,
    name: u32,
}

/// Names no key: no block has so many.
const NO_NAME: Named = Named { number: u32::MAX, name: 0 };

/// An entry whose parts stand behind each other.
#[derive(Debug, Clone, Copy)]
pub struct PackedEntry<'a> {
    /// Key group of the key.
    pub group: u32,
    /// The first part, then the value if there is one.
    pub bytes: &'a [u8],
    /// Length of the first part.
    pub first: usize,
    /// Whether there is a value; else the entry is deleted.
    pub has_value: bool,
}

impl PackedEntry<'_> {
    fn stored_value(&self) -> u64 {
        if self.has_value { (self.bytes.len() - self.first) as u64 + 1 } else { 0 }
    }
}

impl DeltaBuilder {
    /// No entries.
    pub fn new() -> Self {
        Self::default()
    }

    /// Number of entries; those that came several times count several times.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Memory in use, bytes.
    pub fn memory_bytes(&self) -> usize {
        self.blocks().map(|block| block.rows.capacity()).sum::<usize>() + self.named.capacity() * size_of::<Named>()
    }

    /// Expects entries of so many bytes together, so that few of them need no large block.
    pub fn reserve(&mut self, entries: usize, bytes: usize) {
        if self.last.entries == 0 && self.last.rows.is_empty() {
            let bytes = bytes.saturating_add(entries.saturating_mul(NUMBERS_BYTES));
            self.last.rows = vec![0; bytes.clamp(FIRST_BYTES, BLOCK_BYTES)];
        }
    }

    /// Adds an entry.
    pub fn push(&mut self, entry: EntryRef<'_>) {
        let (value, has_value) = (entry.value.unwrap_or_default(), entry.value.is_some());
        self.make_room(entry.key.len() + entry.map_key.len() + value.len());
        let stored_value = if has_value { value.len() as u64 + 1 } else { 0 };
        self.put_key(entry.group, entry.key.len());
        self.put_numbers(entry.map_key.len() as u64, stored_value);
        [entry.key, entry.map_key, value].into_iter().for_each(|part| self.put_bytes(part));
        self.count(entry.group, has_value);
    }

    /// Adds an entry without a map key, whose first part is its key.
    #[inline]
    pub fn push_value(&mut self, entry: PackedEntry<'_>) {
        self.make_room(entry.bytes.len());
        self.put_key(entry.group, entry.first);
        self.put_numbers(0, entry.stored_value());
        self.put_bytes(entry.bytes);
        self.count(entry.group, entry.has_value);
    }

    /// Adds an entry whose first part is its map key, of a key that the caller has a number for, so that not every
    /// entry needs to repeat it. `key` is asked for it where it is needed.
    #[inline]
    pub fn push_of_key<'k>(&mut self, number: u32, key: impl FnOnce() -> &'k [u8], entry: PackedEntry<'_>) {
        self.make_room(entry.bytes.len());
        let mut new_key: &[u8] = &[];
        match self.name_of(number) {
            Some(name) => self.put_varint(u64::from(name)),
            None => {
                new_key = key();
                self.make_room(new_key.len() + entry.bytes.len());
                self.name(number);
                self.put_key(entry.group, new_key.len());
            }
        }
        self.put_numbers(entry.first as u64, entry.stored_value());
        self.put_bytes(new_key);
        self.put_bytes(entry.bytes);
        self.count(entry.group, entry.has_value);
    }

    /// Whether the key with this number will not be asked for, unless a block ends.
    #[inline]
    pub fn knows(&self, number: u32) -> bool {
        self.name_of(number).is_some()
    }

    /// All entries as they came.
    pub fn iter(&self) -> impl Iterator<Item = EntryRef<'_>> {
        let last = (&self.last.rows[..self.used], &self.last);
        let blocks = self.full.iter().map(|block| (block.rows.as_slice(), block)).chain([last]);
        blocks.flat_map(|(rows, block)| {
            let mut entries = BlockEntries::new(rows);
            (0..block.entries).map(move |_| {
                let entry = entries.next().expect("rows are as they were packed");
                entry.expect("there are as many entries as were counted")
            })
        })
    }

    /// Writes the run with this header to `out`, in parts that follow each other. Copies nothing, and can be done
    /// again.
    ///
    /// # Errors
    /// When its directory is too large; what `out` returns.
    pub fn write(&mut self, header: &[u8], out: WritePart<'_>) -> Result<()> {
        let mut blocks = WrittenBlocks::default();
        self.finish_last();
        self.full.iter().try_for_each(|block| out(blocks.put(block)))?;
        out(&blocks.finish(header)?)
    }

    /// The run with this header in one piece.
    ///
    /// # Errors
    /// When its directory is too large.
    pub fn finish(mut self, header: &[u8]) -> Result<Vec<u8>> {
        let mut run = vec![];
        self.write(header, &mut |part| {
            run.extend_from_slice(part);
            Ok(())
        })?;
        Ok(run)
    }

    /// Whether a block is full.
    #[inline]
    pub(super) fn has_full(&self) -> bool {
        !self.full.is_empty()
    }

    /// Takes away the blocks that are full.
    pub(super) fn take_full(&mut self) -> std::vec::Drain<'_, Block> {
        self.full.drain(..)
    }

    /// Nothing comes behind what there is.
    pub(super) fn finish_last(&mut self) {
        if self.last.entries > 0 {
            self.finish_block();
        }
    }

    fn blocks(&self) -> impl Iterator<Item = &Block> {
        self.full.iter().chain([&self.last])
    }

    /// The name of a key in the last block.
    #[inline]
    fn name_of(&self, number: u32) -> Option<u32> {
        let named = self.named.get(number as usize % NAMED_KEYS)?;
        let is_here = named.number == number && named.name >= self.first_name;
        is_here.then(|| named.name - self.first_name + 1)
    }

    /// Remembers that a key gets the next name.
    fn name(&mut self, number: u32) {
        if self.named.is_empty() {
            self.named = vec![NO_NAME; NAMED_KEYS];
        }
        self.named[number as usize % NAMED_KEYS] = Named { number, name: self.names };
    }

    /// Makes room for an entry with this much content.
    #[inline]
    fn make_room(&mut self, content: usize) {
        if self.last.rows.len() - self.used < content + NUMBERS_BYTES {
            self.grow(content + NUMBERS_BYTES);
        }
    }

    #[cold]
    fn grow(&mut self, bytes: usize) {
        if self.last.entries > 0 && self.used + bytes > BLOCK_BYTES {
            self.finish_block();
        }
        let (length, needed) = (self.last.rows.len(), self.used + bytes);
        let grown = if self.full.is_empty() { (length * 4).clamp(FIRST_BYTES, BLOCK_BYTES) } else { BLOCK_BYTES };
        self.last.rows.resize(grown.max(needed), 0);
    }

    fn finish_block(&mut self) {
        let mut block = std::mem::take(&mut self.last);
        block.rows.truncate(self.used);
        self.full.push(block);
        self.used = 0;
        if self.names > u32::MAX / 2 {
            // Names start over, and nobody may find those before.
            self.named.fill(NO_NAME);
            self.names = 0;
        }
        self.first_name = self.names;
    }

    /// A key that is named for the first time in the block.
    #[inline]
    fn put_key(&mut self, group: u32, length: usize) {
        self.names += 1;
        self.put_varint(0);
        self.put_numbers(u64::from(group), length as u64);
    }

    #[inline]
    fn put_numbers(&mut self, first: u64, second: u64) {
        self.put_varint(first);
        self.put_varint(second);
    }

    /// There is room for it.
    #[inline]
    fn put_varint(&mut self, mut value: u64) {
        while value >= 0x80 {
            self.last.rows[self.used] = value as u8 | 0x80;
            self.used += 1;
            value >>= 7;
        }
        self.last.rows[self.used] = value as u8;
        self.used += 1;
    }

    #[inline]
    fn put_bytes(&mut self, bytes: &[u8]) {
        let end = self.used + bytes.len();
        self.last.rows[self.used..end].copy_from_slice(bytes);
        self.used = end;
    }

    #[inline]
    fn count(&mut self, group: u32, has_value: bool) {
        let block = &mut self.last;
        if block.entries == 0 {
            (block.first_group, block.last_group) = (group, group);
        }
        block.first_group = block.first_group.min(group);
        block.last_group = block.last_group.max(group);
        block.entries += 1;
        block.deletions += u64::from(!has_value);
        self.len += 1;
    }
}

impl<'a> Extend<EntryRef<'a>> for DeltaBuilder {
    fn extend<I: IntoIterator<Item = EntryRef<'a>>>(&mut self, entries: I) {
        entries.into_iter().for_each(|entry| self.push(entry));
    }
}
