//! Putting strings together: `||`, `CONCAT`, `CONCAT_WS`, `REPEAT`.

use crate::kernel::{Call, Column, as_binary, kernel, text_bytes, texts};
use crate::{Bound, Function, Operand};
use arrow::array::{ArrayRef, BinaryArray, BinaryBuilder, Int64Array, StringArray};
use headwater_types::logical_type::LENGTH_MAX;
use headwater_types::{LogicalType, Result, TypeRoot};
use std::sync::Arc;

/// `a || b`: texts or bytes; NULL when either is.
pub const CONCAT_OPERATOR: Function = Function::new(
    "||",
    "<CHARACTER_STRING> || <CHARACTER_STRING>\n<BINARY_STRING> || <BINARY_STRING>",
    bind_operator,
    |ctx| if ctx.return_type.is_binary() { kernel(concat_binary) } else { kernel(concat) },
);

/// `CONCAT(string, …)`: NULL when any argument is.
pub const CONCAT: Function = Function::new(
    "CONCAT",
    "CONCAT(string <CHARACTER_STRING>, strings <CHARACTER_STRING>...)",
    |call| call.returns(call.all_strings(1..=usize::MAX)?, LogicalType::string().root),
    |_| kernel(concat),
);

/// `CONCAT_WS(separator, string, …)`: skips NULLs; NULL only when the separator is.
pub const CONCAT_WS: Function = Function::new(
    "CONCAT_WS",
    "CONCAT_WS(separator <CHARACTER_STRING>, strings <CHARACTER_STRING>...)",
    |call| call.returns(call.all_strings(1..=usize::MAX)?, LogicalType::string().root),
    |_| kernel(concat_ws),
);

/// `REPEAT(string, times)`: empty for fewer than 1.
pub const REPEAT: Function = Function::new(
    "REPEAT",
    "REPEAT(string <CHARACTER_STRING>, times <INTEGER>)",
    |call| {
        call.arity(2..=2)?;
        call.returns(vec![call.string(0)?, call.bigint(1)?], LogicalType::string().root)
    },
    |_| kernel(repeat),
);

/// The lengths add up; two CHARs make a CHAR.
fn bind_operator(call: &Call<'_>) -> Result<Bound> {
    call.arity(2..=2)?;
    let binary = call.ty(0).is_binary() || call.ty(1).is_binary();
    let types = if binary { vec![call.binary(0)?, call.binary(1)?] } else { vec![call.string(0)?, call.string(1)?] };
    let root = match (&types[0].root, &types[1].root) {
        (TypeRoot::Char(a), TypeRoot::Char(b)) => TypeRoot::Char(sum(*a, *b)),
        (TypeRoot::Binary(a), TypeRoot::Binary(b)) => TypeRoot::Binary(sum(*a, *b)),
        (a, b) if binary => TypeRoot::VarBinary(sum(length(a), length(b))),
        (a, b) => TypeRoot::VarChar(sum(length(a), length(b))),
    };
    call.returns(types, root)
}

fn sum(a: u32, b: u32) -> u32 {
    a.saturating_add(b).min(LENGTH_MAX)
}

fn length(root: &TypeRoot) -> u32 {
    match root {
        TypeRoot::Char(n) | TypeRoot::VarChar(n) | TypeRoot::Binary(n) | TypeRoot::VarBinary(n) => *n,
        _ => LENGTH_MAX,
    }
}

/// All operands as text columns, and the bytes their concatenation will have at most.
fn columns<'a>(args: &'a [Operand], rows: usize) -> Result<(Vec<Column<'a, StringArray>>, usize)> {
    let columns = (0..args.len()).map(|i| Column::of(args, i)).collect::<Result<Vec<Column<'a, StringArray>>>>()?;
    let bytes = columns.iter().map(|c| text_bytes(c.array()).len() * if c.is_scalar() { rows } else { 1 }).sum();
    Ok((columns, bytes))
}

fn concat(args: &[Operand], rows: usize) -> Result<ArrayRef> {
    let (columns, bytes) = columns(args, rows)?;
    texts(rows, bytes, |row, out| {
        if columns.iter().any(|c| c.is_null(row)) {
            return None;
        }
        columns.iter().for_each(|c| out.push_str(c.value(row)));
        Some(())
    })
}

fn concat_binary(args: &[Operand], rows: usize) -> Result<ArrayRef> {
    let args: Vec<Operand> = args.iter().map(as_binary).collect();
    let (a, b) = (Column::<BinaryArray>::of(&args, 0)?, Column::<BinaryArray>::of(&args, 1)?);
    let mut out = BinaryBuilder::new();
    for row in 0..rows {
        match (a.get(row), b.get(row)) {
            (Some(a), Some(b)) => out.append_value([a, b].concat()),
            _ => out.append_null(),
        }
    }
    Ok(Arc::new(out.finish()))
}

fn concat_ws(args: &[Operand], rows: usize) -> Result<ArrayRef> {
    let (columns, bytes) = columns(args, rows)?;
    let (separator, parts) = (columns[0], &columns[1..]);
    texts(rows, bytes, |row, out| {
        let separator = separator.get(row)?;
        for (i, part) in parts.iter().filter_map(|c| c.get(row)).enumerate() {
            if i > 0 {
                out.push_str(separator);
            }
            out.push_str(part);
        }
        Some(())
    })
}

fn repeat(args: &[Operand], rows: usize) -> Result<ArrayRef> {
    let (text, times) = (Column::<StringArray>::of(args, 0)?, Column::<Int64Array>::of(args, 1)?);
    texts(rows, text_bytes(text.array()).len(), |row, out| {
        let text = text.get(row)?;
        let times = usize::try_from(times.get(row)?).unwrap_or(0);
        if !text.is_empty() && out.reserve(text.len().saturating_mul(times)) {
            (0..times).for_each(|_| out.push_str(text));
        }
        Some(())
    })
}
