//! Records as bytes, one after the other: how they wait to be produced.
//!
//! ```text
//! frames = frame*
//! frame  = flags:u8 [key] [value] [timestamp:i64-le] [headers]
//! key, value = length:varint bytes
//! headers    = count:varint (name-length:varint name has-value:u8 [length:varint bytes])*
//! ```

use headwater_types::{Error, ErrorKind, Result};

const KEY: u8 = 1;
const VALUE: u8 = 2;
const TIMESTAMP: u8 = 4;
const HEADERS: u8 = 8;
/// Bytes of a record on the wire beside its key, value and headers, at most.
const RECORD_OVERHEAD: usize = 36;
/// Bytes of a header beside its name and value, at most.
const HEADER_OVERHEAD: usize = 10;

/// A header: its name and its value, if it has one.
pub(crate) type Header<'a> = (&'a str, Option<&'a [u8]>);

/// A record to be produced.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Record<'a> {
    pub(crate) key: Option<&'a [u8]>,
    /// `None` is a tombstone.
    pub(crate) value: Option<&'a [u8]>,
    pub(crate) timestamp: Option<i64>,
    pub(crate) headers: Vec<Header<'a>>,
}

impl Record<'_> {
    /// Appends the frame of the record.
    pub(crate) fn write(&self, out: &mut Vec<u8>) {
        let flag = |is_set: bool, flag: u8| if is_set { flag } else { 0 };
        out.push(
            flag(self.key.is_some(), KEY)
                | flag(self.value.is_some(), VALUE)
                | flag(self.timestamp.is_some(), TIMESTAMP)
                | flag(!self.headers.is_empty(), HEADERS),
        );
        for bytes in [self.key, self.value].into_iter().flatten() {
            write_bytes(out, bytes);
        }
        if let Some(timestamp) = self.timestamp {
            out.extend_from_slice(&timestamp.to_le_bytes());
        }
        if !self.headers.is_empty() {
            write_varint(out, self.headers.len() as u64);
        }
        for (name, value) in &self.headers {
            write_bytes(out, name.as_bytes());
            out.push(value.is_some().into());
            if let Some(value) = value {
                write_bytes(out, value);
            }
        }
    }

    /// Bytes of key and value.
    pub(crate) fn bytes(&self) -> u64 {
        [self.key, self.value].into_iter().flatten().map(|part| part.len() as u64).sum()
    }

    /// Bytes on the wire, at most: what the client compares with the size that it takes.
    pub(crate) fn wire_bytes(&self) -> u64 {
        let header = |(name, value): &Header<'_>| name.len() + value.map_or(0, <[u8]>::len) + HEADER_OVERHEAD;
        self.bytes() + (RECORD_OVERHEAD + self.headers.iter().map(header).sum::<usize>()) as u64
    }
}

/// Reads frames.
pub(crate) struct Frames<'a> {
    rest: &'a [u8],
}

impl<'a> Frames<'a> {
    pub(crate) fn new(frames: &'a [u8]) -> Self {
        Self { rest: frames }
    }

    /// Bytes that are not read yet.
    pub(crate) fn left(&self) -> usize {
        self.rest.len()
    }

    fn read(&mut self) -> Option<Record<'a>> {
        let flags = self.byte()?;
        let mut record = Record::default();
        if flags & KEY != 0 {
            record.key = Some(self.bytes()?);
        }
        if flags & VALUE != 0 {
            record.value = Some(self.bytes()?);
        }
        if flags & TIMESTAMP != 0 {
            let (bytes, rest) = self.rest.split_first_chunk()?;
            record.timestamp = Some(i64::from_le_bytes(*bytes));
            self.rest = rest;
        }
        let headers = if flags & HEADERS != 0 { self.varint()? } else { 0 };
        for _ in 0..headers {
            let name = std::str::from_utf8(self.bytes()?).ok()?;
            let value = if self.byte()? == 0 { None } else { Some(self.bytes()?) };
            record.headers.push((name, value));
        }
        Some(record)
    }

    fn byte(&mut self) -> Option<u8> {
        let (byte, rest) = self.rest.split_first()?;
        self.rest = rest;
        Some(*byte)
    }

    fn bytes(&mut self) -> Option<&'a [u8]> {
        let length = usize::try_from(self.varint()?).ok()?;
        let (bytes, rest) = self.rest.split_at_checked(length)?;
        self.rest = rest;
        Some(bytes)
    }

    fn varint(&mut self) -> Option<u64> {
        let mut value = 0;
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?;
            value |= u64::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                return Some(value);
            }
        }
        None
    }
}

impl<'a> Iterator for Frames<'a> {
    type Item = Result<Record<'a>>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.rest.is_empty() {
            return None;
        }
        let record = self.read();
        if record.is_none() {
            // Nothing that follows can be trusted.
            self.rest = &[];
        }
        let corrupt =
            || Error::new(ErrorKind::Corruption, "bad-committable", "staged records of a Kafka sink are cut short");
        Some(record.ok_or_else(corrupt))
    }
}

fn write_bytes(out: &mut Vec<u8>, bytes: &[u8]) {
    write_varint(out, bytes.len() as u64);
    out.extend_from_slice(bytes);
}

fn write_varint(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}
