//! `TRIM`, `LTRIM`, `RTRIM`, `BTRIM`.

use crate::kernel::{Call, Column, kernel, text_bytes, texts};
use crate::{Bound, BuildContext, Function, Kernel, Operand};
use arrow::array::{ArrayRef, StringArray};
use headwater_types::{Error, LogicalType, Result};

/// `TRIM(side, characters, string)`, the form of `TRIM(side characters FROM string)`; `side` is the literal
/// `'BOTH'`, `'LEADING'` or `'TRAILING'`. Also `TRIM(string)`.
///
/// `characters` is a set: each of them is removed wherever it stands at the end.
pub const TRIM: Function = Function::new(
    "TRIM",
    "TRIM([BOTH | LEADING | TRAILING] [characters <CHARACTER_STRING>] FROM string <CHARACTER_STRING>)",
    |call| match call.len() {
        1 => bind(call, 0),
        3 if Sides::named(call.text(0)).is_some() => bind(call, 2),
        _ => Err(call.error()),
    },
    build_trim,
);

/// `LTRIM(string[, characters])`.
pub const LTRIM: Function = Function::new(
    "LTRIM",
    "LTRIM(str <CHARACTER_STRING>)\nLTRIM(str <CHARACTER_STRING>, trimStr <CHARACTER_STRING>)",
    |call| bind(call, 0),
    |_| kernel(|args, rows| trim(args, rows, Sides { start: true, end: false }, Order::TextFirst)),
);

/// `RTRIM(string[, characters])`.
pub const RTRIM: Function = Function::new(
    "RTRIM",
    "RTRIM(str <CHARACTER_STRING>)\nRTRIM(str <CHARACTER_STRING>, trimStr <CHARACTER_STRING>)",
    |call| bind(call, 0),
    |_| kernel(|args, rows| trim(args, rows, Sides { start: false, end: true }, Order::TextFirst)),
);

/// `BTRIM(string[, characters])`: both sides.
pub const BTRIM: Function = Function::new(
    "BTRIM",
    "BTRIM(str <CHARACTER_STRING>)\nBTRIM(str <CHARACTER_STRING>, trimStr <CHARACTER_STRING>)",
    |call| bind(call, 0),
    |_| kernel(|args, rows| trim(args, rows, Sides { start: true, end: true }, Order::TextFirst)),
);

/// The ends to trim.
#[derive(Clone, Copy)]
struct Sides {
    start: bool,
    end: bool,
}

impl Sides {
    fn named(name: Option<&str>) -> Option<Self> {
        match name? {
            "BOTH" => Some(Self { start: true, end: true }),
            "LEADING" => Some(Self { start: true, end: false }),
            "TRAILING" => Some(Self { start: false, end: true }),
            _ => None,
        }
    }
}

/// Where the arguments stand.
#[derive(Clone, Copy)]
enum Order {
    /// `(string[, characters])`
    TextFirst,
    /// `(side, characters, string)`
    SideFirst,
}

/// The result has the type of the string at `text`, as VARCHAR.
fn bind(call: &Call<'_>, text: usize) -> Result<Bound> {
    let types = call.all_strings(1..=if text == 0 { 2 } else { 3 })?;
    let root: LogicalType = super::varying(&types[text]);
    call.returns(types, root.root)
}

fn build_trim(ctx: &BuildContext<'_>) -> Result<Box<dyn Kernel>> {
    if ctx.arg_types.len() == 1 {
        return kernel(|args, rows| trim(args, rows, Sides { start: true, end: true }, Order::TextFirst));
    }
    let sides = Sides::named(ctx.text(0)).ok_or_else(|| Error::internal("TRIM: the side must be a literal"))?;
    kernel(move |args, rows| trim(args, rows, sides, Order::SideFirst))
}

fn trim(args: &[Operand], rows: usize, sides: Sides, order: Order) -> Result<ArrayRef> {
    let (text, characters) = match order {
        Order::TextFirst => (0, (args.len() > 1).then_some(1)),
        Order::SideFirst => (2, Some(1)),
    };
    let text = Column::<StringArray>::of(args, text)?;
    let characters = characters.map(|index| Column::<StringArray>::of(args, index)).transpose()?;
    texts(rows, text_bytes(text.array()).len(), |row, out| {
        let characters = match characters {
            Some(characters) => characters.get(row)?,
            None => " ",
        };
        out.push_str(trim_value(text.get(row)?, characters, sides));
        Some(())
    })
}

fn trim_value<'a>(mut text: &'a str, characters: &str, sides: Sides) -> &'a str {
    let removed = |c: char| characters.contains(c);
    if sides.start {
        text = text.trim_start_matches(removed);
    }
    if sides.end {
        text = text.trim_end_matches(removed);
    }
    text
}
