//! Columns of text, built row by row without an allocation per row.
//!
//! Arrow's text arrays have 32-bit offsets. Functions that make text longer (`REPEAT`, `LPAD`, `REPLACE`, …)
//! could pass that limit on a user's input, so they write through [`TextBuilder`], which stops at the
//! limit and turns it into an error instead of a panic.

use crate::Operand;
use arrow::array::{Array, ArrayRef, BinaryArray, StringArray, StringBuilder};
use headwater_types::{Error, Result};
use std::fmt::Write;
use std::sync::Arc;

/// The most text one result column can hold.
pub const COLUMN_BYTES_MAX: usize = i32::MAX as usize;

/// A column of text under construction. What is pushed since the last row was ended forms the next row.
pub struct TextBuilder {
    inner: StringBuilder,
    overflow: bool,
}

impl TextBuilder {
    fn with_capacity(rows: usize, bytes: usize) -> Self {
        Self { inner: StringBuilder::with_capacity(rows, bytes), overflow: false }
    }

    /// Appends to the current row.
    #[inline]
    pub fn push_str(&mut self, text: &str) {
        if self.reserve(text.len()) {
            self.inner.write_str(text).expect("writing to a string builder does not fail");
        }
    }

    /// Appends a character to the current row.
    #[inline]
    pub fn push(&mut self, c: char) {
        self.push_str(c.encode_utf8(&mut [0; 4]));
    }

    /// Whether `bytes` more fit; if they do not, the column fails when the row ends.
    #[inline]
    pub fn reserve(&mut self, bytes: usize) -> bool {
        let fits = bytes <= COLUMN_BYTES_MAX - self.inner.values_slice().len();
        self.overflow |= !fits;
        fits
    }

    #[inline]
    fn end_row(&mut self, present: Option<()>) -> Result<()> {
        if self.overflow {
            let message = "the result of a string function is longer than 2 GiB; use shorter arguments";
            return Err(Error::user("text-too-long", message));
        }
        match present {
            Some(()) => self.inner.append_value(""),
            None => self.inner.append_null(),
        }
        Ok(())
    }
}

impl Write for TextBuilder {
    fn write_str(&mut self, text: &str) -> std::fmt::Result {
        self.push_str(text);
        Ok(())
    }
}

/// A text column of `rows` rows, expected to hold `bytes` bytes. `each` writes a row, or answers `None` for NULL.
#[inline]
pub fn texts(
    rows: usize,
    bytes: usize,
    mut each: impl FnMut(usize, &mut TextBuilder) -> Option<()>,
) -> Result<ArrayRef> {
    try_texts(rows, bytes, |row, out| Ok(each(row, out)))
}

/// [`texts`] for functions that fail on some values.
#[inline]
pub fn try_texts(
    rows: usize,
    bytes: usize,
    mut each: impl FnMut(usize, &mut TextBuilder) -> Result<Option<()>>,
) -> Result<ArrayRef> {
    let mut out = TextBuilder::with_capacity(rows, bytes.min(COLUMN_BYTES_MAX));
    for row in 0..rows {
        let present = each(row, &mut out)?;
        out.end_row(present)?;
    }
    Ok(Arc::new(out.inner.finish()))
}

/// The bytes of all values of a text array, also when the array is a slice of a larger one.
pub fn text_bytes(array: &StringArray) -> &[u8] {
    let offsets = array.value_offsets();
    let (start, end) = (offsets[0] as usize, offsets[array.len()] as usize);
    &array.value_data()[start..end]
}

/// A text or binary operand seen as binary, without copying.
pub fn as_binary(operand: &Operand) -> Operand {
    let binary = |array: &ArrayRef| -> ArrayRef {
        match array.as_any().downcast_ref::<StringArray>() {
            Some(text) => Arc::new(BinaryArray::from(text.clone())),
            None => array.clone(),
        }
    };
    match operand {
        Operand::Array(array) => Operand::Array(binary(array)),
        Operand::Scalar(array) => Operand::Scalar(binary(array)),
    }
}
