//! Sets of 32-bit integers in the portable serialisation of Roaring bitmaps.
//!
//! A value of type BITMAP is these bytes. A set is split by the upper half of its members; each part is stored as
//! a sorted list, as bits, or as runs. Operations go part by part and copy a part that only one side has, so that
//! no set is ever expanded as a whole.

use headwater_types::{Error, Result};
use std::borrow::Cow;
use std::cmp::Ordering;

/// Cookie of a set without runs; the number of parts follows.
const COOKIE_PLAIN: u32 = 12346;
/// Lower half of the cookie of a set with runs; the upper half is the number of parts less one.
const COOKIE_RUNS: u32 = 12347;
/// With runs, offsets are left out when there are fewer parts.
const OFFSETS_FROM: usize = 4;
/// The longest list; more members are stored as bits.
const LIST_MAX: usize = 4096;
/// Bytes of a part stored as bits.
const BITS_LENGTH: usize = 8192;

/// A set, read in place.
#[derive(Debug)]
pub struct Bitmap<'a> {
    parts: Vec<Part<'a>>,
}

#[derive(Debug, Clone)]
struct Part<'a> {
    key: u16,
    cardinality: u32,
    form: Form,
    bytes: Cow<'a, [u8]>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    List,
    Bits,
    Runs,
}

/// Which members of two sets are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Operation {
    /// Members of both.
    And,
    /// Members of either.
    Or,
    /// Members of exactly one.
    Xor,
    /// Members of the first that are not in the second.
    AndNot,
}

impl Operation {
    fn keeps(self, left: bool, right: bool) -> bool {
        match self {
            Self::And => left && right,
            Self::Or => left || right,
            Self::Xor => left != right,
            Self::AndNot => left && !right,
        }
    }
}

/// The error of bytes that are no bitmap.
fn malformed() -> Error {
    Error::user("bad-bitmap", "Failed to deserialize bitmap from bytes.")
}

/// Takes `length` bytes off the front.
fn take<'a>(rest: &mut &'a [u8], length: usize) -> Result<&'a [u8]> {
    let (front, back) = rest.split_at_checked(length).ok_or_else(malformed)?;
    *rest = back;
    Ok(front)
}

fn u16_at(bytes: &[u8], index: usize) -> u16 {
    u16::from_le_bytes([bytes[2 * index], bytes[2 * index + 1]])
}

fn u32_of(bytes: &[u8]) -> u32 {
    bytes.iter().rev().fold(0, |number, byte| (number << 8) | u32::from(*byte))
}

impl<'a> Bitmap<'a> {
    /// Reads a set; bytes behind it are ignored.
    pub fn parse(mut rest: &'a [u8]) -> Result<Self> {
        let cookie = u32_of(take(&mut rest, 4)?);
        let (count, runs) = match cookie {
            COOKIE_PLAIN => (u32_of(take(&mut rest, 4)?) as usize, None),
            _ if cookie & 0xFFFF == COOKIE_RUNS => {
                let count = (cookie >> 16) as usize + 1;
                (count, Some(take(&mut rest, count.div_ceil(8))?))
            }
            _ => return Err(malformed()),
        };
        if count > 1 << 16 {
            return Err(malformed());
        }
        let headers = take(&mut rest, count * 4)?;
        if runs.is_none() || count >= OFFSETS_FROM {
            take(&mut rest, count * 4)?;
        }
        let mut parts: Vec<Part<'a>> = Vec::with_capacity(count);
        for index in 0..count {
            let key = u16_at(headers, 2 * index);
            if parts.last().is_some_and(|last| last.key >= key) {
                return Err(malformed());
            }
            let is_runs = runs.is_some_and(|runs| (runs[index / 8] >> (index % 8)) & 1 == 1);
            let cardinality = u32::from(u16_at(headers, 2 * index + 1)) + 1;
            parts.push(Part::parse(key, cardinality, is_runs, &mut rest)?);
        }
        Ok(Self { parts })
    }

    /// How many members there are.
    pub fn cardinality(&self) -> u64 {
        self.parts.iter().map(|part| u64::from(part.cardinality)).sum()
    }

    /// The members in the order of unsigned numbers.
    pub fn members(&self) -> impl Iterator<Item = u32> {
        self.parts.iter().flat_map(|part| part.members().into_iter().map(move |low| member(part.key, low)))
    }

    /// The bytes of the set that an operation with another one makes.
    pub fn combine(&self, other: &Self, operation: Operation) -> Vec<u8> {
        let mut out = Writer::default();
        let (mut left, mut right) = (self.parts.iter().peekable(), other.parts.iter().peekable());
        loop {
            let order = match (left.peek(), right.peek()) {
                (None, None) => return out.finish(),
                (Some(_), None) => Ordering::Less,
                (None, Some(_)) => Ordering::Greater,
                (Some(left), Some(right)) => left.key.cmp(&right.key),
            };
            let left = if order.is_le() { left.next() } else { None };
            let right = if order.is_ge() { right.next() } else { None };
            match (left, right) {
                (Some(left), Some(right)) => {
                    out.members(left.key, &merge(&left.members(), &right.members(), operation));
                }
                (Some(part), None) if operation.keeps(true, false) => out.parts.push(part.clone()),
                (None, Some(part)) if operation.keeps(false, true) => out.parts.push(part.clone()),
                _ => {}
            }
        }
    }
}

/// The bytes of a set of these members, in any order and with repetitions.
pub fn build(mut members: Vec<u32>) -> Vec<u8> {
    members.sort_unstable();
    members.dedup();
    let mut out = Writer::default();
    for part in members.chunk_by(|a, b| a >> 16 == b >> 16) {
        let lows: Vec<u16> = part.iter().map(|member| (member & 0xFFFF) as u16).collect();
        out.members((part[0] >> 16) as u16, &lows);
    }
    out.finish()
}

fn member(key: u16, low: u16) -> u32 {
    (u32::from(key) << 16) | u32::from(low)
}

/// The members that an operation keeps of two sorted lists.
fn merge(left: &[u16], right: &[u16], operation: Operation) -> Vec<u16> {
    let mut kept = Vec::with_capacity(left.len().max(right.len()));
    let (mut i, mut j) = (0, 0);
    while i < left.len() || j < right.len() {
        let in_left = i < left.len() && (j >= right.len() || left[i] <= right[j]);
        let in_right = j < right.len() && (i >= left.len() || right[j] <= left[i]);
        let low = if in_left { left[i] } else { right[j] };
        if operation.keeps(in_left, in_right) {
            kept.push(low);
        }
        i += usize::from(in_left);
        j += usize::from(in_right);
    }
    kept
}

impl<'a> Part<'a> {
    fn parse(key: u16, cardinality: u32, is_runs: bool, rest: &mut &'a [u8]) -> Result<Self> {
        let length = cardinality as usize;
        let (form, bytes) = match is_runs {
            true => {
                let count = rest.split_at_checked(2).ok_or_else(malformed)?.0;
                (Form::Runs, take(rest, 2 + 4 * usize::from(u16_at(count, 0)))?)
            }
            false if length <= LIST_MAX => (Form::List, take(rest, 2 * length)?),
            false => (Form::Bits, take(rest, BITS_LENGTH)?),
        };
        let part = Self { key, cardinality, form, bytes: Cow::Borrowed(bytes) };
        let lows = part.members();
        let fits = lows.len() == length && lows.is_sorted_by(|a, b| a < b);
        if fits { Ok(part) } else { Err(malformed()) }
    }

    /// The lower halves of the members, sorted.
    fn members(&self) -> Vec<u16> {
        match self.form {
            Form::List => (0..self.bytes.len() / 2).map(|index| u16_at(&self.bytes, index)).collect(),
            Form::Bits => {
                let bit = |low: &u16| (self.bytes[usize::from(*low) / 8] >> (low % 8)) & 1 == 1;
                (0..=u16::MAX).filter(bit).collect()
            }
            Form::Runs => {
                let run = |index: usize| (u16_at(&self.bytes, 1 + 2 * index), u16_at(&self.bytes, 2 + 2 * index));
                let runs = (0..usize::from(u16_at(&self.bytes, 0))).map(run);
                runs.flat_map(|(start, more)| start..=start.saturating_add(more)).collect()
            }
        }
    }
}

/// Parts to be written behind one header.
#[derive(Default)]
struct Writer<'a> {
    parts: Vec<Part<'a>>,
}

impl Writer<'_> {
    fn members(&mut self, key: u16, lows: &[u16]) {
        if lows.is_empty() {
            return;
        }
        let (form, bytes) = match lows.len() <= LIST_MAX {
            true => (Form::List, lows.iter().flat_map(|low| low.to_le_bytes()).collect()),
            false => {
                let mut bits = vec![0; BITS_LENGTH];
                lows.iter().for_each(|low| bits[usize::from(*low) / 8] |= 1 << (low % 8));
                (Form::Bits, bits)
            }
        };
        self.parts.push(Part { key, cardinality: lows.len() as u32, form, bytes: Cow::Owned(bytes) });
    }

    fn finish(self) -> Vec<u8> {
        let count = self.parts.len();
        let has_runs = self.parts.iter().any(|part| part.form == Form::Runs);
        let mut out = vec![];
        if has_runs {
            out.extend_from_slice(&(COOKIE_RUNS | ((count as u32 - 1) << 16)).to_le_bytes());
            let mut marks = vec![0_u8; count.div_ceil(8)];
            let runs = self.parts.iter().enumerate().filter(|(_, part)| part.form == Form::Runs);
            runs.for_each(|(index, _)| marks[index / 8] |= 1 << (index % 8));
            out.extend_from_slice(&marks);
        } else {
            out.extend_from_slice(&COOKIE_PLAIN.to_le_bytes());
            out.extend_from_slice(&(count as u32).to_le_bytes());
        }
        for part in &self.parts {
            out.extend_from_slice(&part.key.to_le_bytes());
            out.extend_from_slice(&((part.cardinality - 1) as u16).to_le_bytes());
        }
        if !has_runs || count >= OFFSETS_FROM {
            let mut offset = out.len() + 4 * count;
            for part in &self.parts {
                out.extend_from_slice(&(offset as u32).to_le_bytes());
                offset += part.bytes.len();
            }
        }
        self.parts.iter().for_each(|part| out.extend_from_slice(&part.bytes));
        out
    }
}
