//! Bytes as UTF-8: `IS_VALID_UTF8`, `MAKE_VALID_UTF8`.

use crate::kernel::{Column, boolean1, kernel, texts};
use crate::{Function, Operand};
use arrow::array::{ArrayRef, BinaryArray};
use headwater_types::{LogicalType, Result, TypeRoot};
use std::borrow::Cow;

/// `IS_VALID_UTF8(bytes)`.
pub const IS_VALID_UTF8: Function = Function::new(
    "IS_VALID_UTF8",
    "IS_VALID_UTF8(bytes <BINARY_STRING>)",
    |call| {
        call.arity(1..=1)?;
        call.returns(vec![call.binary(0)?], TypeRoot::Boolean)
    },
    |_| kernel(|args, rows| boolean1::<BinaryArray>(args, rows, |bytes| std::str::from_utf8(bytes).is_ok())),
);

/// `MAKE_VALID_UTF8(bytes)`: malformed sequences become U+FFFD.
pub const MAKE_VALID_UTF8: Function = Function::new(
    "MAKE_VALID_UTF8",
    "MAKE_VALID_UTF8(bytes <BINARY_STRING>)",
    |call| {
        call.arity(1..=1)?;
        call.returns(vec![call.binary(0)?], LogicalType::string().root)
    },
    |_| kernel(make_valid),
);

fn make_valid(args: &[Operand], rows: usize) -> Result<ArrayRef> {
    let bytes = Column::<BinaryArray>::of(args, 0)?;
    texts(rows, bytes.array().value_data().len(), |row, out| {
        out.push_str(&decode(bytes.get(row)?));
        Some(())
    })
}

/// Decodes as Java does: one U+FFFD per malformed sequence, where an encoded surrogate is one sequence.
pub(super) fn decode(bytes: &[u8]) -> Cow<'_, str> {
    let Err(error) = std::str::from_utf8(bytes) else {
        return String::from_utf8_lossy(bytes);
    };
    let (mut text, mut rest) = (String::with_capacity(bytes.len()), bytes);
    let mut valid = error.valid_up_to();
    loop {
        text.push_str(&String::from_utf8_lossy(&rest[..valid]));
        text.push('\u{FFFD}');
        rest = &rest[valid..];
        rest = &rest[malformed_length(rest)..];
        match std::str::from_utf8(rest) {
            Ok(end) => {
                text.push_str(end);
                return Cow::Owned(text);
            }
            Err(error) => valid = error.valid_up_to(),
        }
    }
}

/// Length of the malformed sequence that `bytes` starts with.
fn malformed_length(bytes: &[u8]) -> usize {
    match bytes {
        [0xED, 0xA0..=0xBF, 0x80..=0xBF, ..] => 3,
        _ => match std::str::from_utf8(bytes) {
            Err(error) => error.error_len().unwrap_or(bytes.len()),
            Ok(_) => bytes.len(),
        },
    }
}
