//! `CHAR_LENGTH`, `ASCII`, `CHR`.

use crate::kernel::{Column, kernel, primitive1, text_bytes, texts};
use crate::{Function, Operand};
use arrow::array::{Array, ArrayRef, Int32Array, Int64Array, StringArray};
use arrow::datatypes::{DataType, Int32Type};
use headwater_types::{LogicalType, Result, TypeRoot};
use std::sync::Arc;

/// `CHAR_LENGTH(string)`: characters, not bytes.
pub const CHAR_LENGTH: Function = Function::new(
    "CHAR_LENGTH",
    "CHAR_LENGTH(string <CHARACTER_STRING>)",
    |call| call.returns(call.all_strings(1..=1)?, TypeRoot::Int),
    |_| kernel(char_length),
)
.aliases(&["CHARACTER_LENGTH"]);

/// `ASCII(string)`: the first byte, 0 for the empty string. Bytes are signed, as in Java.
pub const ASCII: Function = Function::new(
    "ASCII",
    "ASCII(string <CHARACTER_STRING>)",
    |call| call.returns(call.all_strings(1..=1)?, TypeRoot::Int),
    |_| {
        let first = |text: &str| text.bytes().next().map_or(0, |byte| i32::from(byte as i8));
        kernel(move |args, rows| primitive1::<StringArray, Int32Type>(args, rows, &DataType::Int32, first))
    },
);

/// `CHR(integer)`: the Latin-1 character of the number modulo 256; empty for negative numbers.
pub const CHR: Function = Function::new(
    "CHR",
    "CHR(number <INTEGER>)",
    |call| {
        call.arity(1..=1)?;
        call.returns_nullable(vec![call.bigint(0)?], LogicalType::string().root)
    },
    |_| kernel(chr),
);

fn char_length(args: &[Operand], rows: usize) -> Result<ArrayRef> {
    let column = Column::<StringArray>::of(args, 0)?;
    let array = column.array();
    if array.len() == rows && text_bytes(array).is_ascii() {
        let lengths: Vec<i32> = array.value_offsets().windows(2).map(|w| w[1] - w[0]).collect();
        return Ok(Arc::new(Int32Array::new(lengths.into(), array.nulls().cloned())));
    }
    primitive1::<StringArray, Int32Type>(args, rows, &DataType::Int32, |text| text.chars().count() as i32)
}

fn chr(args: &[Operand], rows: usize) -> Result<ArrayRef> {
    let column = Column::<Int64Array>::of(args, 0)?;
    texts(rows, rows, |row, out| {
        let code = column.get(row)?;
        if code >= 0 {
            out.push(char::from(code as u8));
        }
        Some(())
    })
}
