//! Strings within strings: `POSITION`, `LOCATE`, `INSTR`, `STARTSWITH`, `ENDSWITH`.

use crate::kernel::{Call, Column, as_binary, boolean2, kernel};
use crate::{Bound, Function, Operand};
use arrow::array::{ArrayRef, BinaryArray, Int32Array, Int64Array, StringArray};
use headwater_types::{Error, Result, TypeRoot};
use std::sync::Arc;

/// `POSITION(needle, haystack[, from])`, the form of `POSITION(needle IN haystack FROM from)`: 0 when absent.
pub const POSITION: Function = Function::new(
    "POSITION",
    "LOCATE(needle <CHARACTER_STRING>, haystack <CHARACTER_STRING>[, from <INTEGER>])",
    |call| {
        call.arity(2..=3)?;
        let mut types = vec![call.string(0)?, call.string(1)?];
        if call.len() == 3 {
            types.push(call.bigint(2)?);
        }
        call.returns(types, TypeRoot::Int)
    },
    |ctx| {
        let with_from = ctx.arg_types.len() == 3;
        kernel(move |args, rows| locate(args, rows, with_from))
    },
)
.aliases(&["LOCATE"]);

/// `INSTR(haystack, needle[, start[, nth]])`: a negative start searches backwards from that far before the end.
pub const INSTR: Function = Function::new(
    "INSTR",
    "INSTR(haystack <CHARACTER_STRING>, needle <CHARACTER_STRING>[, start <INTEGER>[, nth <INTEGER>]])",
    |call| {
        call.arity(2..=4)?;
        let mut types = vec![call.string(0)?, call.string(1)?];
        for index in 2..call.len() {
            types.push(call.bigint(index)?);
        }
        call.returns(types, TypeRoot::Int)
    },
    |_| kernel(instr),
);

/// `STARTSWITH(expr, start)` over texts or over bytes.
pub const STARTSWITH: Function = Function::new(
    "STARTSWITH",
    "STARTSWITH(expr <CHARACTER_STRING>, startExpr <CHARACTER_STRING>)\n\
     STARTSWITH(expr <BINARY_STRING>, startExpr <BINARY_STRING>)",
    bind_affix,
    |_| kernel(|args, rows| affix(args, rows, |value, part| value.starts_with(part))),
);

/// `ENDSWITH(expr, end)` over texts or over bytes.
pub const ENDSWITH: Function = Function::new(
    "ENDSWITH",
    "ENDSWITH(expr <CHARACTER_STRING>, endExpr <CHARACTER_STRING>)\n\
     ENDSWITH(expr <BINARY_STRING>, endExpr <BINARY_STRING>)",
    bind_affix,
    |_| kernel(|args, rows| affix(args, rows, |value, part| value.ends_with(part))),
);

fn bind_affix(call: &Call<'_>) -> Result<Bound> {
    call.arity(2..=2)?;
    let types = if call.ty(0).is_binary() || call.ty(1).is_binary() {
        vec![call.binary(0)?, call.binary(1)?]
    } else {
        vec![call.string(0)?, call.string(1)?]
    };
    call.returns(types, TypeRoot::Boolean)
}

fn affix(args: &[Operand], rows: usize, test: fn(&[u8], &[u8]) -> bool) -> Result<ArrayRef> {
    let args: Vec<Operand> = args.iter().map(as_binary).collect();
    boolean2::<BinaryArray, BinaryArray>(&args, rows, test)
}

/// Index in characters of the first `needle` at or after character `from` (from 0). The empty needle is
/// found at 0 whatever `from` is.
fn index_of(haystack: &str, needle: &str, from: i64) -> Option<i64> {
    if needle.is_empty() {
        return Some(0);
    }
    let from = usize::try_from(from).unwrap_or(0);
    let start = if from == 0 { 0 } else { haystack.char_indices().nth(from)?.0 };
    let found = memchr::memmem::find(&haystack.as_bytes()[start..], needle.as_bytes())?;
    Some(haystack[..start + found].chars().count() as i64)
}

/// Position from 1, or 0 when not found.
fn position(index: Option<i64>) -> i32 {
    index.map_or(0, |index| i32::try_from(index + 1).unwrap_or(i32::MAX))
}

fn locate(args: &[Operand], rows: usize, with_from: bool) -> Result<ArrayRef> {
    let (needle, haystack) = (Column::<StringArray>::of(args, 0)?, Column::<StringArray>::of(args, 1)?);
    let from = if with_from { Some(Column::<Int64Array>::of(args, 2)?) } else { None };
    let positions = (0..rows).map(|row| {
        let from = match from {
            Some(from) => from.get(row)?.saturating_sub(1),
            None => 0,
        };
        Some(position(index_of(haystack.get(row)?, needle.get(row)?, from)))
    });
    Ok(Arc::new(positions.collect::<Int32Array>()))
}

/// Position of the `nth` occurrence at or after position `start` (from 1).
fn nth_position(haystack: &str, needle: &str, start: i64, nth: i64) -> i32 {
    let mut index = index_of(haystack, needle, start - 1);
    for _ in 1..nth {
        let Some(previous) = index else { break };
        // The empty needle is found at the same place again and again.
        if needle.is_empty() {
            break;
        }
        index = index_of(haystack, needle, previous + 1);
    }
    position(index)
}

fn instr_value(haystack: &str, needle: &str, start: i64, nth: i64) -> Result<i32> {
    if nth <= 0 {
        return Err(Error::user("bad-argument", format!("INSTR: the occurrence must be positive, but was {nth}")));
    }
    if start >= 0 {
        return Ok(if start == 0 { 0 } else { nth_position(haystack, needle, start, nth) });
    }
    let backwards = |text: &str| text.chars().rev().collect::<String>();
    let found = nth_position(&backwards(haystack), &backwards(needle), start.saturating_neg(), nth);
    if found == 0 {
        return Ok(0);
    }
    Ok(haystack.chars().count() as i32 + 2 - found - needle.chars().count() as i32)
}

fn instr(args: &[Operand], rows: usize) -> Result<ArrayRef> {
    let (haystack, needle) = (Column::<StringArray>::of(args, 0)?, Column::<StringArray>::of(args, 1)?);
    let numbers = (2..args.len()).map(|i| Column::<Int64Array>::of(args, i)).collect::<Result<Vec<_>>>()?;
    let number = |index: usize, row: usize| numbers.get(index).map_or(Some(1), |column| column.get(row));
    let positions = (0..rows).map(|row| {
        let present = || Some((haystack.get(row)?, needle.get(row)?, number(0, row)?, number(1, row)?));
        present().map(|(haystack, needle, start, nth)| instr_value(haystack, needle, start, nth)).transpose()
    });
    Ok(Arc::new(positions.collect::<Result<Int32Array>>()?))
}
