//! `REGEXP_REPLACE`.

use super::pattern::{Matcher, PatternCache, next_start};
use crate::kernel::{Column, TextBuilder, kernel, text_bytes, try_texts};
use crate::{Function, Operand};
use arrow::array::{ArrayRef, StringArray};
use headwater_types::{LogicalType, Result};

/// `REGEXP_REPLACE(str, regex, replacement)`: replaces every match by the literal text `replacement`.
pub const REGEXP_REPLACE: Function = Function::new(
    "REGEXP_REPLACE",
    "REGEXP_REPLACE(str <CHARACTER_STRING>, regex <CHARACTER_STRING>, replacement <CHARACTER_STRING>)",
    |call| call.returns_nullable(call.all_strings(3..=3)?, LogicalType::string().root),
    |ctx| {
        let patterns = PatternCache::of(ctx, 1);
        kernel(move |args, rows| regexp_replace(args, rows, &patterns))
    },
);

fn regexp_replace(args: &[Operand], rows: usize, patterns: &PatternCache) -> Result<ArrayRef> {
    let (text, pattern) = (Column::<StringArray>::of(args, 0)?, Column::<StringArray>::of(args, 1)?);
    let replacement = Column::<StringArray>::of(args, 2)?;
    let mut matcher = patterns.matcher();
    try_texts(rows, text_bytes(text.array()).len(), |row, out| {
        match (text.get(row), pattern.get(row), replacement.get(row)) {
            (Some(text), Some(pattern), Some(replacement)) if matcher.select(pattern)? => {
                replace(&matcher, text, replacement, out).map(Some)
            }
            _ => Ok(None),
        }
    })
}

fn replace(matcher: &Matcher<'_>, text: &str, replacement: &str, out: &mut TextBuilder) -> Result<()> {
    let (mut end, mut at) = (0, Some(0));
    while let Some(from) = at {
        let Some(found) = matcher.find(text, from)? else { break };
        out.push_str(&text[end..found.start]);
        out.push_str(replacement);
        end = found.end;
        at = next_start(text, &found);
    }
    out.push_str(&text[end..]);
    Ok(())
}
