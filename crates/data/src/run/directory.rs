//! The end of a run: directory and footer, written and read.

use super::index::{BlockInfo, Index};
use super::{
    CODEC_RAW, CODEC_ZSTD, FOOTER_BYTES, MAGIC, ReadAt, VERSION, VERSION_INDEXED, VERSION_MIN, checksum, corrupt,
    put_varint, take_bytes, take_u32, take_u64, take_varint,
};
use headwater_types::{Error, ErrorKind, Result};

/// Bytes read from the end of a run at once: the directory of most runs.
const TAIL_BYTES: u64 = 64 << 10;
/// More than any block can have: a block ends with the entry that fills it.
const RAW_BYTES_MAX: u64 = 16 << 30;

/// A filter in the run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct FilterInfo {
    /// Blocks that it is about: those after the blocks of the filter before.
    pub blocks: u64,
    pub length: u64,
    pub checksum: u64,
}

/// What the end of a run says.
#[derive(Debug)]
pub(super) struct Directory {
    pub version: u8,
    pub header: Vec<u8>,
    pub index: Index,
    pub filters: Vec<FilterInfo>,
    pub entries: u64,
    pub deletions: u64,
}

/// A block as it is written to the directory.
pub(super) struct WrittenBlock {
    pub stored_len: u64,
    pub raw_len: u64,
    pub codec: u8,
    pub first_group: u32,
    pub last_group: u32,
    pub entries: u64,
    pub deletions: u64,
    pub checksum: u64,
}

/// Appends what the directory says of a block, but for its first key.
pub(super) fn put_block(block: &WrittenBlock, out: &mut Vec<u8>) {
    put_varint(block.stored_len, out);
    put_varint(block.raw_len, out);
    out.push(block.codec);
    put_varint(u64::from(block.first_group), out);
    put_varint(u64::from(block.last_group), out);
    put_varint(block.entries, out);
    put_varint(block.deletions, out);
    out.extend_from_slice(&block.checksum.to_le_bytes());
}

/// A directory: the header, and the number of blocks and filters with what it says of them.
pub(super) fn directory(header: &[u8], blocks: (u64, &[u8]), filters: (u64, &[u8])) -> Vec<u8> {
    let mut out = Vec::with_capacity(header.len() + blocks.1.len() + filters.1.len() + 16);
    put_varint(header.len() as u64, &mut out);
    out.extend_from_slice(header);
    for (count, infos) in [blocks, filters] {
        put_varint(count, &mut out);
        out.extend_from_slice(infos);
    }
    out
}

/// Appends the footer of a directory that starts at `offset`.
pub(super) fn put_footer(directory: &[u8], offset: u64, version: u8, out: &mut Vec<u8>) -> Result<()> {
    let length = u32::try_from(directory.len()).map_err(|_| Error::internal("the directory of a run is too large"))?;
    out.extend_from_slice(&offset.to_le_bytes());
    out.extend_from_slice(&length.to_le_bytes());
    out.extend_from_slice(&checksum(directory).to_le_bytes());
    out.extend_from_slice(&[0; 4]);
    out.push(version);
    out.extend_from_slice(MAGIC);
    Ok(())
}

/// Reads the end of a run of `bytes` bytes.
pub(super) fn read(bytes: u64, source: &dyn ReadAt) -> Result<Directory> {
    if bytes < FOOTER_BYTES {
        return Err(corrupt(format!("it is truncated: it has {bytes} bytes, a run has at least {FOOTER_BYTES}")));
    }
    let tail_start = bytes.saturating_sub(TAIL_BYTES);
    let mut tail = vec![];
    source.read_at(tail_start..bytes, &mut tail)?;
    if tail.len() as u64 != bytes - tail_start {
        return Err(corrupt(format!("it is truncated: {bytes} bytes were expected")));
    }
    let mut footer = &tail[tail.len() - FOOTER_BYTES as usize..];
    let offset = take_u64(&mut footer)?;
    let length =
        u64::from(u32::from_le_bytes(take_bytes(&mut footer, 4, "the footer")?.try_into().unwrap_or_default()));
    let expected = take_u64(&mut footer)?;
    let version = version_of(footer)?;
    if offset.checked_add(length).and_then(|end| end.checked_add(FOOTER_BYTES)) != Some(bytes) {
        return Err(corrupt("it is truncated or damaged: its footer does not fit its length"));
    }
    let directory = if offset < tail_start {
        let mut directory = vec![];
        source.read_at(offset..offset + length, &mut directory)?;
        directory
    } else {
        tail.truncate(tail.len() - FOOTER_BYTES as usize);
        tail.split_off((offset - tail_start) as usize)
    };
    if checksum(&directory) != expected {
        return Err(corrupt("the checksum of its directory does not match"));
    }
    parse(&directory, version, offset)
}

/// Checks the end of the footer: reserved bytes, version, magic.
fn version_of(end: &[u8]) -> Result<u8> {
    let (reserved, rest) = end.split_at(4);
    let version = match rest.split_first() {
        Some((version, magic)) if magic == MAGIC => *version,
        _ => return Err(corrupt("it is truncated, or it is no run at all: it does not end as one")),
    };
    if !(VERSION_MIN..=VERSION).contains(&version) {
        let message = format!(
            "it has format version {version}, and this program reads versions {VERSION_MIN} to {VERSION}: \
             use the version of Headwater that wrote it"
        );
        return Err(Error::new(ErrorKind::User, "run-version", message));
    }
    if reserved == [0; 4] { Ok(version) } else { Err(corrupt("reserved bytes of its footer are set")) }
}

/// Blocks and filters must fill the run up to the directory.
fn parse(mut input: &[u8], version: u8, directory_offset: u64) -> Result<Directory> {
    let header_len = take_varint(&mut input)?;
    let header = take_bytes(&mut input, header_len, "the header")?.to_vec();
    let mut blocks = Blocks { version, ..Blocks::default() };
    for _ in 0..take_varint(&mut input)? {
        blocks.parse(&mut input)?;
    }
    let (mut filters, mut filtered, mut end) = (vec![], 0u64, blocks.end);
    let count = if version >= VERSION_INDEXED { take_varint(&mut input)? } else { 0 };
    for _ in 0..count {
        let (blocks, length, checksum) = (take_varint(&mut input)?, take_varint(&mut input)?, take_u64(&mut input)?);
        end = end.checked_add(length).ok_or_else(|| corrupt("a filter is too long"))?;
        filtered = filtered.saturating_add(blocks);
        filters.push(FilterInfo { blocks, length, checksum });
    }
    if !input.is_empty() || end != directory_offset {
        return Err(corrupt("its blocks do not add up to its length"));
    }
    if !filters.is_empty() && filtered != blocks.blocks.len() as u64 {
        return Err(corrupt("its filters do not cover its blocks"));
    }
    let Blocks { blocks, keys, end, entries, deletions, .. } = blocks;
    Ok(Directory { version, header, index: Index::new(blocks, end, keys), filters, entries, deletions })
}

/// Blocks of a directory, as far as they are parsed.
#[derive(Default)]
struct Blocks {
    version: u8,
    blocks: Vec<BlockInfo>,
    keys: Vec<u8>,
    end: u64,
    entries: u64,
    deletions: u64,
}

impl Blocks {
    fn parse(&mut self, input: &mut &[u8]) -> Result<()> {
        let (stored_len, raw_len) = (take_varint(input)?, take_varint(input)?);
        let codec = take_bytes(input, 1, "the directory")?[0];
        if ![CODEC_RAW, CODEC_ZSTD].contains(&codec) || raw_len > RAW_BYTES_MAX {
            return Err(corrupt(format!("a block has the unknown codec {codec} or the impossible length {raw_len}")));
        }
        let (first_group, last_group) = (take_u32(input)?, take_u32(input)?);
        let (entries, deletions, checksum) = (take_varint(input)?, take_varint(input)?, take_u64(input)?);
        let (key_at, map_key_at) = self.parse_first(input)?;
        let offset = self.end;
        self.end = offset.checked_add(stored_len).ok_or_else(|| corrupt("a block is too long"))?;
        self.entries = self.entries.saturating_add(entries);
        self.deletions = self.deletions.saturating_add(deletions);
        self.blocks.push(BlockInfo { offset, raw_len, checksum, first_group, last_group, key_at, map_key_at, codec });
        Ok(())
    }

    /// Takes over the first key and map key of a block.
    fn parse_first(&mut self, input: &mut &[u8]) -> Result<(u32, u32)> {
        if self.version < VERSION_INDEXED {
            return Ok((0, 0));
        }
        let (key_len, map_key_len) = (take_varint(input)?, take_varint(input)?);
        let key_at = self.keys.len();
        self.keys.extend_from_slice(take_bytes(input, key_len, "a key")?);
        let map_key_at = self.keys.len();
        self.keys.extend_from_slice(take_bytes(input, map_key_len, "a map key")?);
        // The directory is shorter than 4 GiB, and so is what it holds.
        Ok((key_at as u32, map_key_at as u32))
    }
}
