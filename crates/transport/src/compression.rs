//! Rows that are compressed on their way.
//!
//! ```text
//! payload := length:u32 block        length: bytes of the payload before it was compressed
//! ```
//!
//! Compression costs processor time of the producer's lane and of the consumer's I/O threads, and saves network; within
//! a host it only costs. So it is off by default. Small payloads, and those that hardly shrink, travel as they are.

use crate::frame::{Frame, Header, MAX_PAYLOAD_BYTES, bad};
use arrow::buffer::{Buffer, MutableBuffer};
use headwater_types::{Error, Result};
use zstd::bulk::Compressor;

/// The level of Zstandard: the fastest but for those that trade most of the effect away.
const LEVEL: i32 = 1;
/// Payloads below this travel as they are.
const BYTES_MIN: usize = 512;
/// The least saving that is worth the work of the other side: one part in so many.
const SAVING_MIN: usize = 8;
const LENGTH_BYTES: usize = 4;

/// How a payload is compressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[repr(u8)]
pub enum Codec {
    /// Not at all.
    #[default]
    None = 0,
    /// By Zstandard.
    Zstd = 1,
}

impl Codec {
    /// The codec of a header.
    pub(crate) fn from_byte(byte: u8) -> Option<Self> {
        [Self::None, Self::Zstd].into_iter().find(|codec| *codec as u8 == byte)
    }
}

impl std::str::FromStr for Codec {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        match text.trim().to_ascii_lowercase().as_str() {
            "none" | "" => Ok(Self::None),
            "zstd" => Ok(Self::Zstd),
            other => Err(Error::user("bad-option", format!("'{other}' is no compression: expected none or zstd"))),
        }
    }
}

/// Compresses the frames of a channel; its memory is taken with the first that is worth it.
#[derive(Default)]
pub(crate) struct Packer {
    codec: Codec,
    zstd: Option<Compressor<'static>>,
}

impl Packer {
    pub(crate) fn new(codec: Codec) -> Self {
        Self { codec, zstd: None }
    }

    /// The same frame, smaller if that is worth it.
    ///
    /// # Errors
    /// When it cannot be compressed.
    pub(crate) fn pack(&mut self, frame: Frame) -> Result<Frame> {
        let length = frame.payload_bytes();
        // One that is too large is refused where it is encoded, in the same words as without compression.
        if self.codec == Codec::None || !(BYTES_MIN..=MAX_PAYLOAD_BYTES).contains(&length) {
            return Ok(frame);
        }
        let failed = |e: std::io::Error| Error::internal("rows could not be compressed").with_source(e);
        let zstd = match &mut self.zstd {
            Some(zstd) => zstd,
            none => none.insert(Compressor::new(LEVEL).map_err(failed)?),
        };
        let whole = frame.payload.iter().map(Buffer::as_slice).collect::<Vec<_>>().concat();
        let mut packed = vec![0; LENGTH_BYTES + zstd::zstd_safe::compress_bound(length)];
        packed[..LENGTH_BYTES].copy_from_slice(&(length as u32).to_le_bytes());
        let written = zstd.compress_to_buffer(&whole, &mut packed[LENGTH_BYTES..]).map_err(failed)?;
        packed.truncate(LENGTH_BYTES + written);
        if packed.len() > length - length / SAVING_MIN {
            return Ok(frame);
        }
        Ok(Frame { header: Header { codec: self.codec, ..frame.header }, payload: vec![Buffer::from_vec(packed)] })
    }
}

/// The payload as it was.
///
/// # Errors
/// When it is not what it says.
pub(crate) fn unpack(payload: Buffer, codec: Codec) -> Result<Buffer> {
    if codec == Codec::None {
        return Ok(payload);
    }
    let (length, block) =
        payload.split_first_chunk::<LENGTH_BYTES>().ok_or_else(|| bad("it is too short to be compressed"))?;
    let length = u32::from_le_bytes(*length) as usize;
    if length > MAX_PAYLOAD_BYTES || length > bound(block)? {
        return Err(bad(format!("it is said to hold {length} bytes, which it does not")));
    }
    let mut whole = MutableBuffer::from_len_zeroed(length);
    let written = zstd::bulk::decompress_to_buffer(block, whole.as_slice_mut())
        .map_err(|e| bad("it cannot be decompressed").with_source(e))?;
    match written == length {
        true => Ok(whole.into()),
        false => Err(bad(format!("it holds {written} bytes, and says {length}"))),
    }
}

/// What a block may hold, by its own header: memory is taken for no more.
fn bound(block: &[u8]) -> Result<usize> {
    let content = zstd::zstd_safe::get_frame_content_size(block).ok().flatten();
    let content = content.ok_or_else(|| bad("it is not compressed as it says"))?;
    Ok(usize::try_from(content).unwrap_or(usize::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::frame::Kind;

    fn frame(bytes: Vec<u8>) -> Frame {
        let (head, tail) = bytes.split_at(bytes.len() / 3);
        let payload = vec![Buffer::from_vec(head.to_vec()), Buffer::from_vec(tail.to_vec())];
        Frame { header: Header { cost: 7, ..Header::new(Kind::Batch, 3) }, payload }
    }

    #[test]
    fn what_shrinks_is_compressed_and_comes_back() {
        let repeated: Vec<u8> = (0..20_000u32).flat_map(|n| (n / 100).to_le_bytes()).collect();
        let noise: Vec<u8> = {
            let mut state = 1u64;
            let mut next = || {
                state ^= state << 13;
                state ^= state >> 7;
                state ^= state << 17;
                state as u8
            };
            (0..20_000).map(|_| next()).collect()
        };
        for (bytes, expected) in
            [(repeated.clone(), Codec::Zstd), (noise, Codec::None), (repeated[..500].to_vec(), Codec::None)]
        {
            let packed = Packer::new(Codec::Zstd).pack(frame(bytes.clone())).unwrap();
            assert_eq!((packed.header.codec, packed.header.cost, packed.header.channel), (expected, 7, 3));
            let whole: Vec<u8> = packed.payload.iter().flat_map(|part| part.to_vec()).collect();
            assert!(expected == Codec::None || whole.len() * 4 < bytes.len(), "{}", whole.len());
            assert_eq!(unpack(Buffer::from_vec(whole), expected).unwrap().as_slice(), bytes);
        }
        assert_eq!(Packer::default().pack(frame(repeated)).unwrap().header.codec, Codec::None);
    }

    #[test]
    fn what_is_not_compressed_as_it_says_is_refused() {
        let packed = Packer::new(Codec::Zstd).pack(frame(vec![9; 4096])).unwrap().payload[0].to_vec();
        let longer = [&5000u32.to_le_bytes()[..], &packed[4..]].concat();
        let huge = [&u32::MAX.to_le_bytes()[..], &packed[4..]].concat();
        let cut = packed[..packed.len() - 2].to_vec();
        for bytes in [vec![], vec![1, 0, 0], vec![0; 64], longer, huge, cut] {
            let error = unpack(Buffer::from_vec(bytes), Codec::Zstd).unwrap_err();
            assert_eq!(error.code(), "bad-frame");
        }
    }
}
