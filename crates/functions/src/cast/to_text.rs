//! Casts to character and binary strings.

use super::CastFn;
use crate::Operand;
use crate::kernel::{downcast, map1, strings};
use crate::text::Formatter;
use arrow::array::{Array, ArrayRef, BinaryArray, BinaryBuilder, StringArray, StringBuilder};
use chrono_tz::Tz;
use headwater_types::logical_type::LENGTH_MAX;
use headwater_types::{LogicalType, Result, TypeRoot};
use std::sync::Arc;

/// The length rule of a string type.
#[derive(Debug, Clone, Copy)]
pub(super) struct Length {
    max: usize,
    /// Whether shorter values are padded.
    fixed: bool,
}

impl Length {
    pub(super) fn of(ty: &LogicalType) -> Self {
        match ty.root {
            TypeRoot::Char(n) | TypeRoot::Binary(n) => Self { max: n as usize, fixed: true },
            TypeRoot::VarChar(n) | TypeRoot::VarBinary(n) => Self { max: n as usize, fixed: false },
            _ => Self { max: LENGTH_MAX as usize, fixed: false },
        }
    }

    fn is_unlimited(self) -> bool {
        self.max == LENGTH_MAX as usize && !self.fixed
    }

    /// Cuts or pads a text, counted in characters.
    fn apply(self, text: &mut String) {
        if text.len() > self.max
            && let Some((cut, _)) = text.char_indices().nth(self.max)
        {
            text.truncate(cut);
        }
        if self.fixed {
            let length = text.chars().count();
            text.extend(std::iter::repeat_n(' ', self.max.saturating_sub(length)));
        }
    }

    /// Cuts or pads bytes.
    fn apply_bytes(self, bytes: &mut Vec<u8>) {
        bytes.truncate(self.max);
        if self.fixed {
            bytes.resize(self.max, 0);
        }
    }
}

/// The cast of any type to a character string.
pub(super) fn cast(from: &LogicalType, to: &LogicalType, zone: Tz) -> CastFn {
    let (from, length) = (from.clone(), Length::of(to));
    if from.is_character() {
        return Box::new(move |array| resized(array, length));
    }
    Box::new(move |array| formatted(array, &from, length, zone))
}

fn resized(array: &ArrayRef, length: Length) -> Result<ArrayRef> {
    let texts = downcast::<StringArray>(array)?;
    let fits = |row: usize| texts.value_length(row) as usize <= length.max;
    if length.is_unlimited() || !length.fixed && (0..texts.len()).all(fits) {
        return Ok(array.clone());
    }
    let mut scratch = String::new();
    map1::<StringArray, _>(&[Operand::Array(array.clone())], array.len(), strings(array.len()), |text, out| {
        scratch.clear();
        scratch.push_str(text);
        length.apply(&mut scratch);
        out.append_value(&scratch);
        Ok(())
    })
}

fn formatted(array: &ArrayRef, from: &LogicalType, length: Length, zone: Tz) -> Result<ArrayRef> {
    let formatter = Formatter::for_cast(array.as_ref(), from, zone)?;
    let mut out: StringBuilder = strings(array.len());
    let mut scratch = String::new();
    for row in 0..array.len() {
        if array.is_null(row) {
            out.append_null();
            continue;
        }
        scratch.clear();
        formatter.push(&mut scratch, row);
        if !length.is_unlimited() {
            length.apply(&mut scratch);
        }
        out.append_value(&scratch);
    }
    Ok(Arc::new(out.finish()))
}

/// The cast between binary strings.
pub(super) fn binary_cast(to: &LogicalType) -> CastFn {
    let length = Length::of(to);
    Box::new(move |array| resized_bytes(array, length))
}

/// The cast of a character string to a binary one.
pub(super) fn bytes_cast(to: &LogicalType) -> CastFn {
    let length = Length::of(to);
    Box::new(move |array| {
        let bytes: ArrayRef = Arc::new(BinaryArray::from(downcast::<StringArray>(array)?.clone()));
        resized_bytes(&bytes, length)
    })
}

fn resized_bytes(array: &ArrayRef, length: Length) -> Result<ArrayRef> {
    if length.is_unlimited() {
        return Ok(array.clone());
    }
    let mut scratch = Vec::new();
    let out = BinaryBuilder::with_capacity(array.len(), array.len() * length.max.min(64));
    map1::<BinaryArray, _>(&[Operand::Array(array.clone())], array.len(), out, |value, out| {
        scratch.clear();
        scratch.extend_from_slice(value);
        length.apply_bytes(&mut scratch);
        out.append_value(&scratch);
        Ok(())
    })
}
