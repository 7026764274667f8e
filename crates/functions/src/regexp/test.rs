//! `REGEXP`, `REGEXP_COUNT`, `REGEXP_INSTR`.

use super::pattern::{Matcher, PatternCache, next_start};
use crate::kernel::{Column, kernel};
use crate::{Function, Operand};
use arrow::array::{ArrayRef, BooleanArray, Int32Array, StringArray};
use headwater_types::{Result, TypeRoot};
use std::sync::Arc;

/// `REGEXP(str, regex)`: whether the pattern is found; FALSE for the empty pattern.
pub const REGEXP: Function = Function::new(
    "REGEXP",
    "REGEXP(str <CHARACTER_STRING>, regex <CHARACTER_STRING>)",
    |call| call.returns(call.all_strings(2..=2)?, TypeRoot::Boolean),
    |ctx| {
        let patterns = PatternCache::of(ctx, 1);
        kernel(move |args, rows| regexp(args, rows, &patterns))
    },
);

/// `REGEXP_COUNT(str, regex)`: number of matches.
pub const REGEXP_COUNT: Function = Function::new(
    "REGEXP_COUNT",
    "REGEXP_COUNT(str <CHARACTER_STRING>, regex <CHARACTER_STRING>)",
    |call| call.returns_nullable(call.all_strings(2..=2)?, TypeRoot::Int),
    |ctx| {
        let patterns = PatternCache::of(ctx, 1);
        kernel(move |args, rows| number(args, rows, &patterns, count))
    },
);

/// `REGEXP_INSTR(str, regex)`: position of the first match, 0 when there is none.
pub const REGEXP_INSTR: Function = Function::new(
    "REGEXP_INSTR",
    "REGEXP_INSTR(str <CHARACTER_STRING>, regex <CHARACTER_STRING>)",
    |call| call.returns_nullable(call.all_strings(2..=2)?, TypeRoot::Int),
    |ctx| {
        let patterns = PatternCache::of(ctx, 1);
        kernel(move |args, rows| number(args, rows, &patterns, position))
    },
);

fn regexp(args: &[Operand], rows: usize, patterns: &PatternCache) -> Result<ArrayRef> {
    let (text, pattern) = (Column::<StringArray>::of(args, 0)?, Column::<StringArray>::of(args, 1)?);
    let mut matcher = patterns.matcher();
    let tests = (0..rows).map(|row| match (text.get(row), pattern.get(row)) {
        (Some(_), Some("")) => Ok(Some(false)),
        (Some(text), Some(pattern)) => Ok(Some(matcher.select(pattern)? && matcher.is_match(text)?)),
        _ => Ok(None),
    });
    Ok(Arc::new(tests.collect::<Result<BooleanArray>>()?))
}

/// A number per text, NULL for invalid patterns.
fn number(
    args: &[Operand],
    rows: usize,
    patterns: &PatternCache,
    measure: fn(&Matcher<'_>, &str) -> Result<i32>,
) -> Result<ArrayRef> {
    let (text, pattern) = (Column::<StringArray>::of(args, 0)?, Column::<StringArray>::of(args, 1)?);
    let mut matcher = patterns.matcher();
    let numbers = (0..rows).map(|row| match (text.get(row), pattern.get(row)) {
        (Some(text), Some(pattern)) if matcher.select(pattern)? => measure(&matcher, text).map(Some),
        _ => Ok(None),
    });
    Ok(Arc::new(numbers.collect::<Result<Int32Array>>()?))
}

fn count(matcher: &Matcher<'_>, text: &str) -> Result<i32> {
    let (mut count, mut at) = (0, Some(0));
    while let Some(from) = at {
        let Some(found) = matcher.find(text, from)? else { break };
        count += 1;
        at = next_start(text, &found);
    }
    Ok(count)
}

fn position(matcher: &Matcher<'_>, text: &str) -> Result<i32> {
    let found = matcher.find(text, 0)?;
    Ok(found.map_or(0, |found| text[..found.start].chars().count() as i32 + 1))
}
