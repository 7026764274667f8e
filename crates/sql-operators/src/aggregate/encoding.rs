//! Reading accumulator states back from bytes. All numbers are little-endian.

use headwater_types::{Error, ErrorKind, Result};

/// A cursor over an encoded state.
pub(crate) struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    pub(crate) fn new(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(crate) fn array<const N: usize>(&mut self) -> Result<[u8; N]> {
        let (head, tail) = self.0.split_first_chunk::<N>().ok_or_else(corrupt)?;
        self.0 = tail;
        Ok(*head)
    }

    pub(crate) fn i64(&mut self) -> Result<i64> {
        self.array().map(i64::from_le_bytes)
    }

    pub(crate) fn u64(&mut self) -> Result<u64> {
        self.array().map(u64::from_le_bytes)
    }

    pub(crate) fn f64(&mut self) -> Result<f64> {
        self.array().map(f64::from_le_bytes)
    }

    /// All that is left.
    pub(crate) fn rest(&mut self) -> &'a [u8] {
        std::mem::take(&mut self.0)
    }

    /// A byte string written by [`write_bytes`].
    pub(crate) fn bytes(&mut self) -> Result<&'a [u8]> {
        let length = self.array().map(u32::from_le_bytes)? as usize;
        let (head, tail) = self.0.split_at_checked(length).ok_or_else(corrupt)?;
        self.0 = tail;
        Ok(head)
    }
}

/// Appends a byte string with its length.
pub(crate) fn write_bytes(bytes: &mut Vec<u8>, value: &[u8]) {
    bytes.extend_from_slice(&(value.len() as u32).to_le_bytes());
    bytes.extend_from_slice(value);
}

pub(super) fn corrupt() -> Error {
    Error::new(ErrorKind::Corruption, "bad-accumulator", "a partial aggregate does not have the length of one")
}
