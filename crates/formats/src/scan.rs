//! Finding the bytes that structure a record, sixteen at a time.
//!
//! Scans of JSON also stop at a line feed: its records are lines, so a line feed inside one means that it is cut
//! short. Sixteen bytes become a mask with one bit a byte; on x86-64 by SSE2, which every such
//! machine has, elsewhere by a loop the compiler vectorises.

const LANES: usize = 16;

/// The position of the first `"`, `\` or line feed at or after `from`, or the length.
#[inline]
pub(crate) fn string_stop(bytes: &[u8], from: usize) -> usize {
    stop_at(bytes, from, [b'"', b'\\', b'\n'])
}

/// The position of the first of three bytes at or after `from`, or the length.
#[inline]
pub(crate) fn stop_at(bytes: &[u8], from: usize, [a, b, c]: [u8; 3]) -> usize {
    scan(bytes, from, |chunk| three_mask(chunk, [a, b, c]), |byte| *byte == a || *byte == b || *byte == c)
}

/// The position of the first quote, bracket, brace or line feed at or after `from`, or the length.
#[inline]
pub(crate) fn structure_stop(bytes: &[u8], from: usize) -> usize {
    scan(bytes, from, structure_mask, |b| matches!(b, b'"' | b'{' | b'}' | b'[' | b']' | b'\n'))
}

#[inline(always)]
fn scan(bytes: &[u8], from: usize, mask: impl Fn(&[u8; LANES]) -> u32, stop: impl Fn(&u8) -> bool) -> usize {
    let mut at = from;
    while let Some(chunk) = bytes.get(at..).and_then(<[u8]>::first_chunk::<LANES>) {
        let stops = mask(chunk);
        if stops != 0 {
            return at + stops.trailing_zeros() as usize;
        }
        at += LANES;
    }
    let rest = bytes.get(at..).unwrap_or_default();
    at + rest.iter().position(stop).unwrap_or(rest.len())
}

#[cfg(target_arch = "x86_64")]
mod lanes {
    use super::LANES;
    use std::arch::x86_64::{__m128i, _mm_cmpeq_epi8, _mm_movemask_epi8, _mm_or_si128, _mm_set_epi64x, _mm_set1_epi8};

    #[inline(always)]
    fn load(chunk: &[u8; LANES]) -> __m128i {
        let word = u128::from_le_bytes(*chunk);
        // SAFETY: SSE2 belongs to every x86-64 processor, and the intrinsic reads no memory.
        unsafe { _mm_set_epi64x((word >> 64) as i64, word as i64) }
    }

    #[inline(always)]
    fn equals(lanes: __m128i, byte: u8) -> __m128i {
        // SAFETY: as in `load`.
        unsafe { _mm_cmpeq_epi8(lanes, _mm_set1_epi8(byte as i8)) }
    }

    #[inline(always)]
    fn or(left: __m128i, right: __m128i) -> __m128i {
        // SAFETY: as in `load`.
        unsafe { _mm_or_si128(left, right) }
    }

    #[inline(always)]
    fn bits(lanes: __m128i) -> u32 {
        // SAFETY: as in `load`.
        unsafe { _mm_movemask_epi8(lanes) as u32 }
    }

    #[inline(always)]
    pub(super) fn three_mask(chunk: &[u8; LANES], [a, b, c]: [u8; 3]) -> u32 {
        let lanes = load(chunk);
        bits(or(or(equals(lanes, a), equals(lanes, b)), equals(lanes, c)))
    }

    #[inline(always)]
    pub(super) fn structure_mask(chunk: &[u8; LANES]) -> u32 {
        let lanes = load(chunk);
        // Bit 5 is all that distinguishes a bracket from its brace.
        let folded = or(lanes, load(&[0x20; LANES]));
        let nesting = or(equals(folded, b'{'), equals(folded, b'}'));
        bits(or(nesting, or(equals(lanes, b'"'), equals(lanes, b'\n'))))
    }
}

#[cfg(not(target_arch = "x86_64"))]
mod lanes {
    use super::LANES;

    #[inline(always)]
    fn mask(chunk: &[u8; LANES], stop: impl Fn(u8) -> bool) -> u32 {
        chunk.iter().enumerate().fold(0, |mask, (i, b)| mask | (u32::from(stop(*b)) << i))
    }

    #[inline(always)]
    pub(super) fn three_mask(chunk: &[u8; LANES], [a, b, c]: [u8; 3]) -> u32 {
        mask(chunk, |byte| (byte == a) | (byte == b) | (byte == c))
    }

    #[inline(always)]
    pub(super) fn structure_mask(chunk: &[u8; LANES]) -> u32 {
        mask(chunk, |b| (b | 0x20 == b'{') | (b | 0x20 == b'}') | (b == b'"') | (b == b'\n'))
    }
}

use lanes::{structure_mask, three_mask};
