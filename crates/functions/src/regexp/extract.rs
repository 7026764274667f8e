//! `REGEXP_EXTRACT`, `REGEXP_EXTRACT_ALL`, `REGEXP_SUBSTR`.

use super::pattern::{Matcher, PatternCache, next_start};
use crate::kernel::{Call, Column, kernel, text_bytes, try_texts};
use crate::{Function, Operand};
use arrow::array::{ArrayRef, Int64Array, ListBuilder, StringArray, StringBuilder};
use arrow::datatypes::{DataType, Field};
use headwater_types::{LogicalType, Result, TypeRoot};
use std::sync::Arc;

/// `REGEXP_EXTRACT(str, regex[, group])`: what the group (default 0) of the first match matched.
pub const REGEXP_EXTRACT: Function = Function::new(
    "REGEXP_EXTRACT",
    "REGEXP_EXTRACT(str <CHARACTER_STRING>, regex <CHARACTER_STRING>[, extractIndex <INTEGER_NUMERIC>])",
    |call| call.returns_nullable(with_group(call)?, LogicalType::string().root),
    |ctx| {
        let patterns = PatternCache::of(ctx, 1);
        kernel(move |args, rows| regexp_extract(args, rows, &patterns))
    },
);

/// `REGEXP_EXTRACT_ALL(str, regex[, group])`: what the group (default 1) of each match matched.
pub const REGEXP_EXTRACT_ALL: Function = Function::new(
    "REGEXP_EXTRACT_ALL",
    "REGEXP_EXTRACT_ALL(str <CHARACTER_STRING>, regex <CHARACTER_STRING>)\n\
     REGEXP_EXTRACT_ALL(str <CHARACTER_STRING>, regex <CHARACTER_STRING>, extractIndex <INTEGER_NUMERIC>)",
    |call| call.returns_nullable(with_group(call)?, TypeRoot::Array(Box::new(LogicalType::string()))),
    |ctx| {
        let patterns = PatternCache::of(ctx, 1);
        kernel(move |args, rows| regexp_extract_all(args, rows, &patterns))
    },
);

/// `REGEXP_SUBSTR(str, regex)`: the first match.
pub const REGEXP_SUBSTR: Function = Function::new(
    "REGEXP_SUBSTR",
    "REGEXP_SUBSTR(str <CHARACTER_STRING>, regex <CHARACTER_STRING>)",
    |call| call.returns_nullable(call.all_strings(2..=2)?, LogicalType::string().root),
    |ctx| {
        let patterns = PatternCache::of(ctx, 1);
        kernel(move |args, rows| regexp_extract(args, rows, &patterns))
    },
);

fn with_group(call: &Call<'_>) -> Result<Vec<LogicalType>> {
    call.arity(2..=3)?;
    let mut types = vec![call.string(0)?, call.string(1)?];
    if call.len() == 3 {
        types.push(call.bigint(2)?);
    }
    Ok(types)
}

/// The group argument of each row.
struct Groups<'a> {
    column: Option<Column<'a, Int64Array>>,
    default: usize,
}

impl<'a> Groups<'a> {
    fn of(args: &'a [Operand], default: usize) -> Result<Self> {
        let column = if args.len() > 2 { Some(Column::of(args, 2)?) } else { None };
        Ok(Self { column, default })
    }

    /// The group of a row; `None` for NULL and negative numbers.
    fn get(&self, row: usize) -> Option<usize> {
        match self.column {
            Some(column) => usize::try_from(column.get(row)?).ok(),
            None => Some(self.default),
        }
    }
}

fn regexp_extract(args: &[Operand], rows: usize, patterns: &PatternCache) -> Result<ArrayRef> {
    let (text, pattern) = (Column::<StringArray>::of(args, 0)?, Column::<StringArray>::of(args, 1)?);
    let groups = Groups::of(args, 0)?;
    let mut matcher = patterns.matcher();
    try_texts(rows, text_bytes(text.array()).len() / 4, |row, out| {
        let (Some(text), Some(pattern), Some(group)) = (text.get(row), pattern.get(row), groups.get(row)) else {
            return Ok(None);
        };
        if !matcher.select(pattern)? {
            return Ok(None);
        }
        let found = match group {
            0 => matcher.find(text, 0)?,
            _ => matcher.find_group(text, 0, group)?.and_then(|found| found.group),
        };
        Ok(found.map(|range| out.push_str(&text[range])))
    })
}

fn regexp_extract_all(args: &[Operand], rows: usize, patterns: &PatternCache) -> Result<ArrayRef> {
    let (text, pattern) = (Column::<StringArray>::of(args, 0)?, Column::<StringArray>::of(args, 1)?);
    let groups = Groups::of(args, 1)?;
    let mut matcher = patterns.matcher();
    let mut out = ListBuilder::new(StringBuilder::new()).with_field(Field::new("item", DataType::Utf8, true));
    for row in 0..rows {
        let extracted = match (text.get(row), pattern.get(row), groups.get(row)) {
            (Some(text), Some(pattern), Some(group)) if matcher.select(pattern)? => {
                extract_all(&mut matcher, text, group, out.values())?
            }
            _ => false,
        };
        out.append(extracted);
    }
    Ok(Arc::new(out.finish()))
}

/// Appends what the group matched in every match. Answers false when the pattern has no such group.
fn extract_all(matcher: &mut Matcher<'_>, text: &str, group: usize, out: &mut StringBuilder) -> Result<bool> {
    if group > matcher.group_count() {
        return Ok(false);
    }
    let mut at = Some(0);
    while let Some(from) = at {
        let Some(found) = matcher.find_group(text, from, group)? else { break };
        out.append_option(found.group.map(|range| &text[range]));
        at = next_start(text, &found.whole);
    }
    Ok(true)
}
