//! `PRINTF`, with the format language of Java's `Formatter`.
//!
//! A format that is malformed, or does not suit its arguments, gives NULL. Arguments are what Flink hands to
//! Java: a DATE is its number of days, a TIME its milliseconds, an interval its months or milliseconds, a
//! timestamp a text. Conversions: `b s c d o x e f g %` and `n`; not `h` and `a` (NULL).

mod directive;
mod number;
mod value;

use crate::kernel::{Call, Column, kernel, texts};
use crate::{Bound, BuildContext, Function, Kernel, Operand};
use arrow::array::{ArrayRef, StringArray};
use directive::{Piece, Which};
use headwater_types::{LogicalType, Result};
use value::{Reader, Value};

/// `PRINTF(format, obj, …)`.
pub const PRINTF: Function = Function::new("PRINTF", "PRINTF(format <CHARACTER_STRING>, obj <ANY>...)", bind, build);

fn bind(call: &Call<'_>) -> Result<Bound> {
    call.arity(1..=usize::MAX)?;
    let mut types = vec![call.string(0)?];
    for index in 1..call.len() {
        types.push(call.matching(index, LogicalType::string().root, |_| true)?);
    }
    call.returns_nullable(types, LogicalType::string().root)
}

fn build(ctx: &BuildContext<'_>) -> Result<Box<dyn Kernel>> {
    let types = ctx.arg_types.to_vec();
    kernel(move |args, rows| printf(args, rows, &types))
}

fn printf(args: &[Operand], rows: usize, types: &[LogicalType]) -> Result<ArrayRef> {
    let format = Column::<StringArray>::of(args, 0)?;
    let readers = args.iter().zip(types).skip(1).map(|(arg, ty)| Reader::new(arg, ty)).collect::<Result<Vec<_>>>()?;
    let (mut pieces, mut parsed) = (None, None);
    let mut line = String::new();
    texts(rows, rows * 16, |row, out| {
        let format = format.get(row)?;
        if parsed != Some(format) {
            (pieces, parsed) = (directive::parse(format), Some(format));
        }
        line.clear();
        print(pieces.as_deref()?, &readers, row, &mut line)?;
        // Only a whole line goes out: a failed one is NULL.
        out.push_str(&line);
        Some(())
    })
}

fn print(pieces: &[Piece<'_>], values: &[Reader<'_>], row: usize, out: &mut String) -> Option<()> {
    let (mut ordinary, mut last) = (0, None);
    for piece in pieces {
        match piece {
            Piece::Text(text) => out.push_str(text),
            Piece::Directive(directive) => {
                let value = if directive.takes_argument() {
                    let index = match directive.which {
                        Which::Next => {
                            ordinary += 1;
                            ordinary - 1
                        }
                        Which::Same => last?,
                        Which::Number(number) => number.checked_sub(1)?,
                    };
                    last = Some(index);
                    values.get(index)?.value(row)
                } else {
                    Value::Null
                };
                directive.print(&value, out)?;
            }
        }
    }
    Some(())
}
