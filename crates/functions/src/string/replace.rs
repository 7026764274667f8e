//! `REPLACE` and `TRANSLATE`.

use crate::kernel::{Column, TextBuilder, kernel, text_bytes, texts};
use crate::{Function, Operand};
use arrow::array::{ArrayRef, StringArray};
use headwater_types::{LogicalType, Result};
use memchr::memmem::Finder;
use std::collections::HashMap;

/// `REPLACE(string, search, replacement)`: every occurrence, from the left, without overlaps.
pub const REPLACE: Function = Function::new(
    "REPLACE",
    "REPLACE(string <CHARACTER_STRING>, search <CHARACTER_STRING>, replacement <CHARACTER_STRING>)",
    |call| call.returns(call.all_strings(3..=3)?, LogicalType::string().root),
    |ctx| match ctx.text(1) {
        Some(search) if !search.is_empty() => {
            let finder = Finder::new(search).into_owned();
            kernel(move |args, rows| replace(args, rows, Some(&finder)))
        }
        _ => kernel(|args, rows| replace(args, rows, None)),
    },
);

/// `TRANSLATE(expr, from, to)`: every character of `from` becomes the one at the same place of `to`, or is
/// removed when `to` is shorter. The first of equal characters in `from` counts.
pub const TRANSLATE: Function = Function::new(
    "TRANSLATE",
    "TRANSLATE(expr <CHARACTER_STRING>, fromStr <CHARACTER_STRING>, toStr <CHARACTER_STRING>)",
    |call| {
        let types = call.all_strings(3..=3)?;
        let nullable = call.ty(0).nullable;
        let mut bound = call.returns(types, LogicalType::string().root)?;
        bound.return_type.nullable = nullable;
        Ok(bound)
    },
    |ctx| {
        let fixed = match (ctx.text(1), ctx.text(2)) {
            (Some(from), Some(to)) => Some(Translation::new(from, to)),
            _ => None,
        };
        kernel(move |args, rows| translate(args, rows, fixed.as_ref()))
    },
);

fn replace(args: &[Operand], rows: usize, finder: Option<&Finder<'_>>) -> Result<ArrayRef> {
    let text = Column::<StringArray>::of(args, 0)?;
    let search = Column::<StringArray>::of(args, 1)?;
    let replacement = Column::<StringArray>::of(args, 2)?;
    texts(rows, text_bytes(text.array()).len(), |row, out| {
        let (text, search, replacement) = (text.get(row)?, search.get(row)?, replacement.get(row)?);
        match finder {
            Some(finder) => replace_found(text, finder, replacement, out),
            None if search.is_empty() => replace_empty(text, replacement, out),
            None => replace_found(text, &Finder::new(search), replacement, out),
        }
        Some(())
    })
}

fn replace_found(text: &str, finder: &Finder<'_>, replacement: &str, out: &mut TextBuilder) {
    let mut end = 0;
    for at in finder.find_iter(text.as_bytes()) {
        out.push_str(&text[end..at]);
        out.push_str(replacement);
        end = at + finder.needle().len();
    }
    out.push_str(&text[end..]);
}

/// The empty string is found before every character and at the end.
fn replace_empty(text: &str, replacement: &str, out: &mut TextBuilder) {
    out.push_str(replacement);
    for c in text.chars() {
        out.push(c);
        out.push_str(replacement);
    }
}

/// What each character becomes; `None` removes it.
struct Translation(HashMap<char, Option<char>>);

impl Translation {
    fn new(from: &str, to: &str) -> Self {
        let mut map = HashMap::new();
        let mut to = to.chars();
        for c in from.chars() {
            let target = to.next();
            map.entry(c).or_insert(target);
        }
        Self(map)
    }

    fn apply(&self, text: &str, out: &mut TextBuilder) {
        for c in text.chars() {
            if let Some(c) = self.0.get(&c).copied().unwrap_or(Some(c)) {
                out.push(c);
            }
        }
    }
}

fn translate(args: &[Operand], rows: usize, fixed: Option<&Translation>) -> Result<ArrayRef> {
    let text = Column::<StringArray>::of(args, 0)?;
    let (from, to) = (Column::<StringArray>::of(args, 1)?, Column::<StringArray>::of(args, 2)?);
    texts(rows, text_bytes(text.array()).len(), |row, out| {
        let text = text.get(row)?;
        match fixed {
            Some(translation) => translation.apply(text, out),
            None => {
                let (from, to) = (from.get(row).unwrap_or(""), to.get(row).unwrap_or(""));
                Translation::new(from, to).apply(text, out);
            }
        }
        Some(())
    })
}
