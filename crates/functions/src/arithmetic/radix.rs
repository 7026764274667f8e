//! Numbers and bytes in binary and hexadecimal notation.

use crate::kernel::{kernel, map1, strings};
use crate::{Bound, BuildContext, Call, Function, Kernel};
use arrow::array::{BinaryArray, BinaryBuilder, Int64Array, StringArray, StringBuilder};
use headwater_types::logical_type::LENGTH_MAX;
use headwater_types::{Error, LogicalType, Result, TypeRoot};
use std::fmt::Write;

/// The functions of this group.
pub const FUNCTIONS: &[Function] = &[
    Function::new("BIN", "BIN(<INTEGER_NUMERIC>)", bind_bin, build_bin),
    Function::new("HEX", "HEX(<INTEGER_NUMERIC>), HEX(<CHARACTER_STRING>), HEX(<BINARY_STRING>)", bind_hex, build_hex),
    Function::new("UNHEX", "UNHEX(expr <CHARACTER_STRING>)", bind_unhex, build_unhex),
];

fn bind_bin(call: &Call<'_>) -> Result<Bound> {
    call.arity(1..=1)?;
    call.returns(vec![call.bigint(0)?], LogicalType::string().root)
}

fn build_bin(_: &BuildContext<'_>) -> Result<Box<dyn Kernel>> {
    kernel(|args, rows| map1::<Int64Array, _>(args, rows, strings(rows), |v, out| push(out, format_args!("{v:b}"))))
}

fn bind_hex(call: &Call<'_>) -> Result<Bound> {
    call.arity(1..=1)?;
    let ty = call.ty(0);
    let wanted = if ty.is_character() || ty.is_binary() { ty.clone() } else { call.bigint(0)? };
    call.returns(vec![wanted], LogicalType::string().root)
}

fn build_hex(context: &BuildContext<'_>) -> Result<Box<dyn Kernel>> {
    let ty = &context.arg_types[0];
    if ty.is_character() {
        return kernel(|args, rows| {
            map1::<StringArray, _>(args, rows, strings(rows), |v, out| push_hex(out, v.as_bytes()))
        });
    }
    if ty.is_binary() {
        return kernel(|args, rows| map1::<BinaryArray, _>(args, rows, strings(rows), |v, out| push_hex(out, v)));
    }
    kernel(|args, rows| map1::<Int64Array, _>(args, rows, strings(rows), |v, out| push(out, format_args!("{v:X}"))))
}

fn push_hex(out: &mut StringBuilder, bytes: &[u8]) -> Result<()> {
    for byte in bytes {
        write!(out, "{byte:02X}").map_err(|_| refused())?;
    }
    out.append_value("");
    Ok(())
}

fn push(out: &mut StringBuilder, text: std::fmt::Arguments<'_>) -> Result<()> {
    out.write_fmt(text).map_err(|_| refused())?;
    out.append_value("");
    Ok(())
}

fn refused() -> Error {
    Error::internal("a text builder refused text")
}

fn bind_unhex(call: &Call<'_>) -> Result<Bound> {
    call.arity(1..=1)?;
    call.returns_nullable(vec![call.string(0)?], TypeRoot::VarBinary(LENGTH_MAX))
}

fn build_unhex(_: &BuildContext<'_>) -> Result<Box<dyn Kernel>> {
    kernel(|args, rows| {
        map1::<StringArray, _>(args, rows, BinaryBuilder::new(), |text, out: &mut BinaryBuilder| {
            out.append_option(unhex(text));
            Ok(())
        })
    })
}

/// The bytes of a hexadecimal text. Of an odd number of digits the first stands alone, for a zero byte.
fn unhex(text: &str) -> Option<Vec<u8>> {
    let digit = |byte: &u8| (*byte as char).to_digit(16).map(|d| d as u8);
    let (alone, pairs) = text.as_bytes().split_at(text.len() % 2);
    let alone = alone.iter().map(|byte| digit(byte).map(|_| 0));
    let pairs = pairs.chunks_exact(2).map(|pair| Some(digit(&pair[0])? << 4 | digit(&pair[1])?));
    alone.chain(pairs).collect()
}
