//! `LOWER`, `UPPER`, `INITCAP`.

use crate::kernel::{Column, kernel, text_bytes, texts};
use crate::{Function, Operand};
use arrow::array::{Array, ArrayRef, StringArray};
use arrow::buffer::{Buffer, OffsetBuffer};
use headwater_types::{Error, Result};
use std::sync::Arc;

/// `LOWER(string)`.
pub const LOWER: Function = Function::new("LOWER", "LOWER(string <CHARACTER_STRING>)", super::same_type, |_| {
    kernel(|args, rows| convert(args, rows, u8::is_ascii_uppercase, str::to_lowercase))
});

/// `UPPER(string)`.
pub const UPPER: Function = Function::new("UPPER", "UPPER(string <CHARACTER_STRING>)", super::same_type, |_| {
    kernel(|args, rows| convert(args, rows, u8::is_ascii_lowercase, str::to_uppercase))
});

/// `INITCAP(string)`.
pub const INITCAP: Function =
    Function::new("INITCAP", "INITCAP(string <CHARACTER_STRING>)", super::same_type, |_| kernel(initcap));

/// The bit between an ASCII letter's cases.
const CASE_BIT: u8 = 0x20;

/// Changes case. `moves` tells the ASCII letters that change, `unicode` changes a text that is not ASCII.
fn convert(
    args: &[Operand],
    rows: usize,
    moves: impl Fn(&u8) -> bool,
    unicode: impl Fn(&str) -> String,
) -> Result<ArrayRef> {
    let column = Column::<StringArray>::of(args, 0)?;
    let bytes = text_bytes(column.array());
    if column.array().len() == rows && bytes.is_ascii() {
        // Whole chunks without an early exit, so that the test is vectorised.
        let changes = bytes.chunks(64).any(|chunk| chunk.iter().fold(false, |any, byte| any | moves(byte)));
        return if changes { convert_ascii(column.array(), moves) } else { Ok(args[0].array().clone()) };
    }
    texts(rows, bytes.len(), |row, out| {
        out.push_str(&unicode(column.get(row)?));
        Some(())
    })
}

/// Converts the bytes of all values at once; lengths and NULLs stay as they are.
fn convert_ascii(array: &StringArray, moves: impl Fn(&u8) -> bool) -> Result<ArrayRef> {
    let start = array.value_offsets()[0];
    let offsets = if start == 0 {
        array.offsets().clone()
    } else {
        OffsetBuffer::new(array.offsets().iter().map(|offset| offset - start).collect())
    };
    let values: Vec<u8> = text_bytes(array).iter().map(|byte| byte ^ (u8::from(moves(byte)) * CASE_BIT)).collect();
    let converted = StringArray::try_new(offsets, Buffer::from_vec(values), array.nulls().cloned());
    Ok(Arc::new(converted.map_err(|e| Error::internal(format!("change of case: {e}")))?))
}

/// Words are runs of ASCII letters and digits; other characters are kept and separate words.
fn initcap(args: &[Operand], rows: usize) -> Result<ArrayRef> {
    let column = Column::<StringArray>::of(args, 0)?;
    texts(rows, text_bytes(column.array()).len(), |row, out| {
        let mut in_word = false;
        for c in column.get(row)?.chars() {
            out.push(if in_word { c.to_ascii_lowercase() } else { c.to_ascii_uppercase() });
            in_word = c.is_ascii_alphanumeric();
        }
        Some(())
    })
}
