//! `JSON_QUOTE` and `JSON_UNQUOTE`.

use crate::kernel::{Column, TextBuilder, kernel, text_bytes, texts};
use crate::{Function, Operand};
use arrow::array::{ArrayRef, StringArray};
use headwater_types::{LogicalType, Result};
use std::fmt::Write;

/// `JSON_QUOTE(string)`: a JSON string literal in ASCII.
pub(super) const JSON_QUOTE: Function = Function::new(
    "JSON_QUOTE",
    "JSON_QUOTE(<CHARACTER_STRING>)",
    |call| call.returns(call.all_strings(1..=1)?, LogicalType::string().root),
    |_| kernel(json_quote),
);

/// `JSON_UNQUOTE(string)`: the text of a JSON string literal; other texts are left as they are.
pub(super) const JSON_UNQUOTE: Function = Function::new(
    "JSON_UNQUOTE",
    "JSON_UNQUOTE(<CHARACTER_STRING>)",
    |call| call.returns(call.all_strings(1..=1)?, LogicalType::string().root),
    |_| kernel(json_unquote),
);

fn json_quote(args: &[Operand], rows: usize) -> Result<ArrayRef> {
    let text = Column::<StringArray>::of(args, 0)?;
    texts(rows, text_bytes(text.array()).len() + 2 * rows, |row, out| {
        let text = text.get(row)?;
        out.push('"');
        text.chars().try_for_each(|c| quote_char(c, out)).ok()?;
        out.push('"');
        Some(())
    })
}

fn quote_char(c: char, out: &mut TextBuilder) -> std::fmt::Result {
    let escaped = match c {
        '"' | '\\' | '/' => c,
        '\u{8}' => 'b',
        '\u{c}' => 'f',
        '\n' => 'n',
        '\r' => 'r',
        '\t' => 't',
        _ if c.is_ascii() => {
            out.push(c);
            return Ok(());
        }
        _ => return c.encode_utf16(&mut [0; 2]).iter().try_for_each(|unit| write!(out, "\\u{unit:04x}")),
    };
    out.push('\\');
    out.push(escaped);
    Ok(())
}

fn json_unquote(args: &[Operand], rows: usize) -> Result<ArrayRef> {
    let text = Column::<StringArray>::of(args, 0)?;
    texts(rows, text_bytes(text.array()).len(), |row, out| {
        let text = text.get(row)?;
        match unquote(text) {
            Some(unquoted) => out.push_str(&unquoted),
            None => out.push_str(text),
        }
        Some(())
    })
}

/// What stands between the first and the last quote, without escapes; `None` when it is not a literal. Quotes
/// within need no escape: Flink checks the text only up to the second one.
fn unquote(text: &str) -> Option<String> {
    let inner = text.strip_prefix('"')?.strip_suffix('"')?;
    let (mut units, mut chars) = (Vec::with_capacity(inner.len()), inner.chars());
    while let Some(c) = chars.next() {
        let plain = match c {
            '\\' => match chars.next()? {
                c @ ('"' | '\\' | '/') => c,
                'b' => '\u{8}',
                'f' => '\u{c}',
                'n' => '\n',
                'r' => '\r',
                't' => '\t',
                'u' => {
                    let (digits, rest) = chars.as_str().split_at_checked(4)?;
                    units.push(u16::from_str_radix(digits, 16).ok()?);
                    chars = rest.chars();
                    continue;
                }
                _ => return None,
            },
            '\0'..'\u{20}' => return None,
            c => c,
        };
        units.extend_from_slice(plain.encode_utf16(&mut [0; 2]));
    }
    Some(String::from_utf16_lossy(&units))
}
