//! Strings that hold several values: `SPLIT_INDEX`, `SPLIT`, `STR_TO_MAP`.

use crate::kernel::{Call, Column, kernel, text_bytes, texts};
use crate::regexp::{Matcher, PatternCache};
use crate::{Bound, BuildContext, Function, Kernel, Operand};
use arrow::array::{ArrayRef, Int64Array, ListBuilder, MapBuilder, MapFieldNames, StringArray, StringBuilder};
use arrow::datatypes::{DataType, Field};
use headwater_types::{Error, LogicalType, Result, TypeRoot};
use std::sync::Arc;

/// `SPLIT_INDEX(string, separator, index)`: the part at `index`, from 0. The separator is a text, or the code
/// of a Latin-1 character. The empty separator splits at spaces; the empty string has no parts.
pub const SPLIT_INDEX: Function = Function::new(
    "SPLIT_INDEX",
    "SPLIT_INDEX(string <CHARACTER_STRING>, separator <CHARACTER_STRING>, index <INTEGER>)\n\
     SPLIT_INDEX(string <CHARACTER_STRING>, separator <INTEGER>, index <INTEGER>)",
    |call| {
        call.arity(3..=3)?;
        let separator = if call.ty(1).is_integer() { call.bigint(1)? } else { call.string(1)? };
        call.returns_nullable(vec![call.string(0)?, separator, call.bigint(2)?], LogicalType::string().root)
    },
    |ctx| if ctx.arg_types[1].is_integer() { kernel(split_index_char) } else { kernel(split_index_text) },
);

/// `SPLIT(string, delimiter)`: all parts; the empty delimiter splits into characters.
pub const SPLIT: Function = Function::new(
    "SPLIT",
    "SPLIT(<CHARACTER_STRING>, <CHARACTER_STRING>)",
    |call| {
        let types = call.all_strings(2..=2)?;
        call.returns(types, TypeRoot::Array(Box::new(LogicalType::string())))
    },
    |_| kernel(split),
);

/// `STR_TO_MAP(string[, listDelimiter, keyValueDelimiter])`: delimiters are regular expressions, `,` and `=` by
/// default. A key without a value maps to NULL; the last of equal keys counts.
pub const STR_TO_MAP: Function = Function::new(
    "STR_TO_MAP",
    "STR_TO_MAP(string <CHARACTER_STRING>[, listDelimiter <CHARACTER_STRING>, keyValueDelimiter <CHARACTER_STRING>])",
    bind_str_to_map,
    build_str_to_map,
);

/// Part `index` of `text`.
fn part<'a>(text: &'a str, separator: &str, index: i64) -> Option<&'a str> {
    let index = usize::try_from(index).ok()?;
    if text.is_empty() {
        return None;
    }
    match separator.as_bytes() {
        [] => byte_part(text, b' ', index),
        [byte] => byte_part(text, *byte, index),
        _ => text.split(separator).nth(index),
    }
}

/// [`part`] for the usual separator of one ASCII character.
fn byte_part(text: &str, separator: u8, index: usize) -> Option<&str> {
    let mut ends = memchr::memchr_iter(separator, text.as_bytes());
    let start = if index == 0 { 0 } else { ends.nth(index - 1)? + 1 };
    Some(&text[start..ends.next().unwrap_or(text.len())])
}

fn split_index_text(args: &[Operand], rows: usize) -> Result<ArrayRef> {
    let (text, separator) = (Column::<StringArray>::of(args, 0)?, Column::<StringArray>::of(args, 1)?);
    let index = Column::<Int64Array>::of(args, 2)?;
    texts(rows, text_bytes(text.array()).len() / 2, |row, out| {
        out.push_str(part(text.get(row)?, separator.get(row)?, index.get(row)?)?);
        Some(())
    })
}

fn split_index_char(args: &[Operand], rows: usize) -> Result<ArrayRef> {
    let (text, separator) = (Column::<StringArray>::of(args, 0)?, Column::<Int64Array>::of(args, 1)?);
    let index = Column::<Int64Array>::of(args, 2)?;
    texts(rows, text_bytes(text.array()).len() / 2, |row, out| {
        let separator = u8::try_from(separator.get(row)?).ok().filter(|code| *code > 0)?;
        let separator = char::from(separator);
        out.push_str(part(text.get(row)?, separator.encode_utf8(&mut [0; 4]), index.get(row)?)?);
        Some(())
    })
}

fn split(args: &[Operand], rows: usize) -> Result<ArrayRef> {
    let (text, delimiter) = (Column::<StringArray>::of(args, 0)?, Column::<StringArray>::of(args, 1)?);
    let item = Field::new("item", DataType::Utf8, true);
    let mut out = ListBuilder::new(StringBuilder::new()).with_field(item);
    for row in 0..rows {
        let (Some(text), Some(delimiter)) = (text.get(row), delimiter.get(row)) else {
            out.append_null();
            continue;
        };
        if delimiter.is_empty() {
            text.chars().for_each(|c| out.values().append_value(c.encode_utf8(&mut [0; 4])));
        } else {
            text.split(delimiter).for_each(|part| out.values().append_value(part));
        }
        out.append(true);
    }
    Ok(Arc::new(out.finish()))
}

fn bind_str_to_map(call: &Call<'_>) -> Result<Bound> {
    if call.len() == 2 {
        return Err(call.error());
    }
    let types = call.all_strings(1..=3)?;
    let map = TypeRoot::Map(Box::new(LogicalType::string()), Box::new(LogicalType::string()));
    call.returns(types, map)
}

fn build_str_to_map(ctx: &BuildContext<'_>) -> Result<Box<dyn Kernel>> {
    let (list, pair) = match ctx.arg_types.len() {
        3 => (PatternCache::of(ctx, 1), PatternCache::of(ctx, 2)),
        _ => (PatternCache::fixed(","), PatternCache::fixed("=")),
    };
    kernel(move |args, rows| str_to_map(args, rows, &list, &pair))
}

fn str_to_map(args: &[Operand], rows: usize, list: &PatternCache, pair: &PatternCache) -> Result<ArrayRef> {
    let text = Column::<StringArray>::of(args, 0)?;
    let delimiters = if args.len() == 3 {
        Some((Column::<StringArray>::of(args, 1)?, Column::<StringArray>::of(args, 2)?))
    } else {
        None
    };
    let (mut list, mut pair) = (list.matcher(), pair.matcher());
    let names = MapFieldNames { entry: "entries".into(), key: "key".into(), value: "value".into() };
    let mut out = MapBuilder::new(Some(names), StringBuilder::new(), StringBuilder::new());
    for row in 0..rows {
        let delimiters = match delimiters {
            Some((list, pair)) => list.get(row).zip(pair.get(row)),
            None => Some((",", "=")),
        };
        let Some((text, (list_delimiter, pair_delimiter))) = text.get(row).zip(delimiters) else {
            append(&mut out, false)?;
            continue;
        };
        if !list.select(list_delimiter)? || !pair.select(pair_delimiter)? {
            return Err(bad_delimiters(list_delimiter, pair_delimiter));
        }
        for (key, value) in pairs(text, &list, &pair)? {
            out.keys().append_value(key);
            out.values().append_option(value);
        }
        append(&mut out, true)?;
    }
    Ok(Arc::new(out.finish()))
}

fn append(out: &mut MapBuilder<StringBuilder, StringBuilder>, present: bool) -> Result<()> {
    out.append(present).map_err(crate::kernel::arrow_error)
}

fn bad_delimiters(list: &str, pair: &str) -> Error {
    Error::user("bad-pattern", format!("STR_TO_MAP: '{list}' and '{pair}' must be regular expressions"))
}

/// The key-value pairs of a text, in order of first appearance.
fn pairs<'a>(text: &'a str, list: &Matcher<'_>, pair: &Matcher<'_>) -> Result<Vec<(&'a str, Option<&'a str>)>> {
    let mut pairs: Vec<(&str, Option<&str>)> = Vec::new();
    for entry in list.split(text)?.into_iter().filter(|entry| !entry.is_empty()) {
        let (key, value) = match pair.find(entry, 0)? {
            Some(found) => (&entry[..found.start], Some(&entry[found.end..])),
            None => (entry, None),
        };
        match pairs.iter_mut().find(|(existing, _)| *existing == key) {
            Some(existing) => existing.1 = value,
            None => pairs.push((key, value)),
        }
    }
    Ok(pairs)
}
