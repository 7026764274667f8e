//! Parts of strings by position: `SUBSTRING`, `LEFT`, `RIGHT`, `OVERLAY`, `REVERSE`.
//!
//! Positions count characters. Columns that are ASCII throughout are cut by byte arithmetic.

use crate::kernel::{Call, Column, kernel, text_bytes, texts};
use crate::{Bound, Function, Operand};
use arrow::array::{ArrayRef, Int64Array, StringArray};
use headwater_types::{LogicalType, Result};

/// `SUBSTRING(string, start[, length])`, also `SUBSTRING(string FROM start FOR length)`.
///
/// `start` counts from 1; 0 means 1; a negative one counts from the end, and one before the beginning
/// gives the empty string. A negative length gives NULL.
pub const SUBSTRING: Function = Function::new(
    "SUBSTRING",
    "SUBSTRING(string <CHARACTER_STRING>, start <INTEGER>[, length <INTEGER>])",
    |call| {
        call.arity(2..=3)?;
        let mut types = vec![call.string(0)?, call.bigint(1)?];
        if call.len() == 3 {
            types.push(call.bigint(2)?);
        }
        varying_nullable(call, types)
    },
    |ctx| {
        let with_length = ctx.arg_types.len() == 3;
        kernel(move |args, rows| substring(args, rows, with_length))
    },
)
.aliases(&["SUBSTR"]);

/// `LEFT(string, length)`: empty for lengths below 1.
pub const LEFT: Function = Function::new(
    "LEFT",
    "LEFT(string <CHARACTER_STRING>, length <INTEGER>)",
    |call| {
        call.arity(2..=2)?;
        varying_nullable(call, vec![call.string(0)?, call.bigint(1)?])
    },
    |_| kernel(|args, rows| cut(args, rows, |text, length, ascii| take(text, length, ascii))),
);

/// `RIGHT(string, length)`: empty for lengths below 1.
pub const RIGHT: Function = Function::new(
    "RIGHT",
    "RIGHT(string <CHARACTER_STRING>, length <INTEGER>)",
    |call| {
        call.arity(2..=2)?;
        varying_nullable(call, vec![call.string(0)?, call.bigint(1)?])
    },
    |_| kernel(|args, rows| cut(args, rows, |text, length, ascii| skip(text, count(text, ascii) - length, ascii))),
);

/// `OVERLAY(string, replacement, start[, length])`: puts `replacement` in the place of `length` characters
/// (by default as many as it has). A start outside the string leaves it as it is.
pub const OVERLAY: Function = Function::new(
    "OVERLAY",
    "OVERLAY(string <CHARACTER_STRING> PLACING replacement <CHARACTER_STRING> FROM start <INTEGER>[ FOR length <INTEGER>])",
    |call| {
        call.arity(3..=4)?;
        let mut types = vec![call.string(0)?, call.string(1)?, call.bigint(2)?];
        if call.len() == 4 {
            types.push(call.bigint(3)?);
        }
        let root = super::varying(&types[0]).root;
        call.returns(types, root)
    },
    |ctx| {
        let with_length = ctx.arg_types.len() == 4;
        kernel(move |args, rows| overlay(args, rows, with_length))
    },
);

/// `REVERSE(string)`: by characters.
pub const REVERSE: Function = Function::new(
    "REVERSE",
    "REVERSE(string <CHARACTER_STRING>)",
    |call| call.returns_nullable(call.all_strings(1..=1)?, LogicalType::string().root),
    |_| kernel(reverse),
);

fn varying_nullable(call: &Call<'_>, types: Vec<LogicalType>) -> Result<Bound> {
    let root = super::varying(&types[0]).root;
    call.returns_nullable(types, root)
}

/// Number of characters.
fn count(text: &str, ascii: bool) -> i64 {
    if ascii { text.len() as i64 } else { text.chars().count() as i64 }
}

/// Byte position after the first `chars` characters; the end when there are fewer, 0 when `chars` is negative.
fn boundary(text: &str, chars: i64, ascii: bool) -> usize {
    let chars = usize::try_from(chars.max(0)).unwrap_or(usize::MAX);
    if ascii { chars.min(text.len()) } else { text.char_indices().nth(chars).map_or(text.len(), |(at, _)| at) }
}

fn skip(text: &str, chars: i64, ascii: bool) -> &str {
    &text[boundary(text, chars, ascii)..]
}

fn take(text: &str, chars: i64, ascii: bool) -> &str {
    &text[..boundary(text, chars, ascii)]
}

/// The part of `text` from `start`, without an end.
fn from_start(text: &str, start: i64, ascii: bool) -> &str {
    if start >= 0 {
        return skip(text, start - 1, ascii);
    }
    let first = count(text, ascii).saturating_add(start);
    if first < 0 { "" } else { skip(text, first, ascii) }
}

fn substring(args: &[Operand], rows: usize, with_length: bool) -> Result<ArrayRef> {
    let (text, start) = (Column::<StringArray>::of(args, 0)?, Column::<Int64Array>::of(args, 1)?);
    let length = if with_length { Some(Column::<Int64Array>::of(args, 2)?) } else { None };
    let bytes = text_bytes(text.array());
    let ascii = bytes.is_ascii();
    texts(rows, bytes.len(), |row, out| {
        let (text, start) = (text.get(row)?, start.get(row)?);
        let length = match length {
            Some(length) => length.get(row).filter(|n| *n >= 0)?,
            None => i64::MAX,
        };
        out.push_str(take(from_start(text, start, ascii), length, ascii));
        Some(())
    })
}

/// Cuts strings to a length.
fn cut(args: &[Operand], rows: usize, part: fn(&str, i64, bool) -> &str) -> Result<ArrayRef> {
    let (text, length) = (Column::<StringArray>::of(args, 0)?, Column::<Int64Array>::of(args, 1)?);
    let bytes = text_bytes(text.array());
    let ascii = bytes.is_ascii();
    texts(rows, bytes.len(), |row, out| {
        let (text, length) = (text.get(row)?, length.get(row)?);
        if length > 0 {
            out.push_str(part(text, length, ascii));
        }
        Some(())
    })
}

fn overlay(args: &[Operand], rows: usize, with_length: bool) -> Result<ArrayRef> {
    let (text, replacement) = (Column::<StringArray>::of(args, 0)?, Column::<StringArray>::of(args, 1)?);
    let start = Column::<Int64Array>::of(args, 2)?;
    let length = if with_length { Some(Column::<Int64Array>::of(args, 3)?) } else { None };
    let bytes = text_bytes(text.array()).len() + text_bytes(replacement.array()).len();
    texts(rows, bytes, |row, out| {
        let (text, replacement, start) = (text.get(row)?, replacement.get(row)?, start.get(row)?);
        let length = match length {
            Some(length) => length.get(row)?,
            None => count(replacement, false),
        };
        if start <= 0 || start > count(text, false) {
            out.push_str(text);
            return Some(());
        }
        out.push_str(take(text, start - 1, false));
        out.push_str(replacement);
        // A length below 1 replaces the whole rest: Flink keeps a tail only behind a replaced part.
        if length > 0 {
            out.push_str(skip(text, start.saturating_add(length) - 1, false));
        }
        Some(())
    })
}

fn reverse(args: &[Operand], rows: usize) -> Result<ArrayRef> {
    let text = Column::<StringArray>::of(args, 0)?;
    texts(rows, text_bytes(text.array()).len(), |row, out| {
        text.get(row)?.chars().rev().for_each(|c| out.push(c));
        Some(())
    })
}
