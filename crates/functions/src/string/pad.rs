//! `LPAD` and `RPAD`.

use crate::kernel::{Call, Column, TextBuilder, kernel, texts};
use crate::{Bound, Function, Operand};
use arrow::array::{ArrayRef, Int64Array, StringArray};
use headwater_types::{LogicalType, Result};

/// `LPAD(string, length, pad)`: fills up or cuts to `length` characters; NULL for a negative length or an
/// empty pad.
pub const LPAD: Function =
    Function::new("LPAD", "LPAD(string <CHARACTER_STRING>, length <INTEGER>, pad <CHARACTER_STRING>)", bind, |_| {
        kernel(|args, rows| pad(args, rows, Side::Left))
    });

/// `RPAD(string, length, pad)`: as [`LPAD`], on the other side.
pub const RPAD: Function =
    Function::new("RPAD", "RPAD(string <CHARACTER_STRING>, length <INTEGER>, pad <CHARACTER_STRING>)", bind, |_| {
        kernel(|args, rows| pad(args, rows, Side::Right))
    });

#[derive(Clone, Copy, PartialEq)]
enum Side {
    Left,
    Right,
}

fn bind(call: &Call<'_>) -> Result<Bound> {
    call.arity(3..=3)?;
    // NULL comes from values too, so nullability cannot follow the arguments.
    call.returns_nullable(vec![call.string(0)?, call.bigint(1)?, call.string(2)?], LogicalType::string().root)
}

fn pad(args: &[Operand], rows: usize, side: Side) -> Result<ArrayRef> {
    let (text, length) = (Column::<StringArray>::of(args, 0)?, Column::<Int64Array>::of(args, 1)?);
    let filler = Column::<StringArray>::of(args, 2)?;
    texts(rows, rows * 16, |row, out| {
        let (text, filler) = (text.get(row)?, filler.get(row)?);
        let length = usize::try_from(length.get(row)?).ok()?;
        if filler.is_empty() {
            return None;
        }
        pad_value(text, length, filler, side, out);
        Some(())
    })
}

fn pad_value(text: &str, length: usize, filler: &str, side: Side, out: &mut TextBuilder) {
    let kept = text.char_indices().nth(length).map_or(text, |(end, _)| &text[..end]);
    let missing = length - kept.chars().count();
    // At least a byte per character: refuse before filling gigabytes.
    if !out.reserve(missing) {
        return;
    }
    if side == Side::Right {
        out.push_str(kept);
    }
    filler.chars().cycle().take(missing).for_each(|c| out.push(c));
    if side == Side::Left {
        out.push_str(kept);
    }
}
