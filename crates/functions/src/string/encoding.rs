//! Texts as bytes: `TO_BASE64`, `FROM_BASE64`, `ENCODE`, `DECODE`.

use crate::kernel::{Call, Column, as_binary, kernel, text_bytes, try_texts};
use crate::{Bound, Function, Operand};
use arrow::array::{ArrayRef, BinaryArray, BinaryBuilder, StringArray};
use base64::Engine;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use headwater_types::logical_type::LENGTH_MAX;
use headwater_types::{Error, LogicalType, Result, TypeRoot};
use std::sync::Arc;

/// Java's basic decoder: padding may be absent, and the bits behind the last byte are not looked at.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true),
);

/// `TO_BASE64(string)`, also over bytes.
pub const TO_BASE64: Function =
    Function::new("TO_BASE64", "TO_BASE64(<CHARACTER_STRING>)\nTO_BASE64(<BINARY_STRING>)", bind_base64, |_| {
        kernel(to_base64)
    });

/// `FROM_BASE64(string)`, also over bytes: the decoded bytes as UTF-8 text.
pub const FROM_BASE64: Function =
    Function::new("FROM_BASE64", "FROM_BASE64(<CHARACTER_STRING>)\nFROM_BASE64(<BINARY_STRING>)", bind_base64, |_| {
        kernel(from_base64)
    });

/// `ENCODE(string, charset)`; what the charset lacks becomes `?`.
pub const ENCODE: Function = Function::new(
    "ENCODE",
    "ENCODE(<CHARACTER_STRING>, <CHARACTER_STRING>)",
    |call| call.returns(call.all_strings(2..=2)?, TypeRoot::VarBinary(LENGTH_MAX)),
    |_| kernel(encode),
);

/// `DECODE(bytes, charset)`; malformed bytes become U+FFFD.
pub const DECODE: Function = Function::new(
    "DECODE",
    "DECODE(<BINARY_STRING>, <CHARACTER_STRING>)",
    |call| {
        call.arity(2..=2)?;
        call.returns_nullable(vec![call.binary(0)?, call.string(1)?], LogicalType::string().root)
    },
    |_| kernel(decode),
);

fn bind_base64(call: &Call<'_>) -> Result<Bound> {
    call.arity(1..=1)?;
    let ty = if call.ty(0).is_binary() { call.binary(0)? } else { call.string(0)? };
    call.returns(vec![ty], LogicalType::string().root)
}

fn to_base64(args: &[Operand], rows: usize) -> Result<ArrayRef> {
    let args = [as_binary(&args[0])];
    let column = Column::<BinaryArray>::of(&args, 0)?;
    let mut buffer = String::new();
    try_texts(rows, column.array().value_data().len() / 3 * 4, |row, out| {
        let Some(bytes) = column.get(row) else { return Ok(None) };
        buffer.clear();
        BASE64.encode_string(bytes, &mut buffer);
        out.push_str(&buffer);
        Ok(Some(()))
    })
}

fn from_base64(args: &[Operand], rows: usize) -> Result<ArrayRef> {
    let args = [as_binary(&args[0])];
    let column = Column::<BinaryArray>::of(&args, 0)?;
    let mut buffer = Vec::new();
    try_texts(rows, column.array().value_data().len(), |row, out| {
        let Some(encoded) = column.get(row) else { return Ok(None) };
        buffer.clear();
        BASE64
            .decode_vec(encoded, &mut buffer)
            .map_err(|e| Error::user("bad-argument", format!("FROM_BASE64: {e}")))?;
        out.push_str(&String::from_utf8_lossy(&buffer));
        Ok(Some(()))
    })
}

/// The charsets every Java platform has.
#[derive(Clone, Copy)]
enum Charset {
    Ascii,
    Latin1,
    Utf8,
    /// UTF-16 with a byte order mark, big-endian without one.
    Utf16,
    Utf16Be,
    Utf16Le,
}

impl Charset {
    fn named(name: &str) -> Result<Self> {
        Ok(match name.to_ascii_uppercase().as_str() {
            "US-ASCII" | "ASCII" => Self::Ascii,
            "ISO-8859-1" | "LATIN1" => Self::Latin1,
            "UTF-8" | "UTF8" => Self::Utf8,
            "UTF-16" => Self::Utf16,
            "UTF-16BE" => Self::Utf16Be,
            "UTF-16LE" => Self::Utf16Le,
            _ => {
                let known = "US-ASCII, ISO-8859-1, UTF-8, UTF-16, UTF-16BE or UTF-16LE";
                return Err(Error::user("bad-argument", format!("Unsupported encoding: '{name}'; use {known}")));
            }
        })
    }

    fn encode(self, text: &str, out: &mut Vec<u8>) {
        let limited = |limit: u32| move |c: char| if u32::from(c) < limit { c as u8 } else { b'?' };
        match self {
            Self::Ascii => out.extend(text.chars().map(limited(0x80))),
            Self::Latin1 => out.extend(text.chars().map(limited(0x100))),
            Self::Utf8 => out.extend_from_slice(text.as_bytes()),
            Self::Utf16 => {
                out.extend([0xFE, 0xFF]);
                out.extend(text.encode_utf16().flat_map(u16::to_be_bytes));
            }
            Self::Utf16Be => out.extend(text.encode_utf16().flat_map(u16::to_be_bytes)),
            Self::Utf16Le => out.extend(text.encode_utf16().flat_map(u16::to_le_bytes)),
        }
    }

    fn decode(self, bytes: &[u8]) -> String {
        match self {
            Self::Ascii => bytes.iter().map(|b| if b.is_ascii() { char::from(*b) } else { '\u{FFFD}' }).collect(),
            Self::Latin1 => bytes.iter().map(|b| char::from(*b)).collect(),
            Self::Utf8 => super::utf8::decode(bytes).into_owned(),
            Self::Utf16 => match bytes {
                [0xFF, 0xFE, rest @ ..] => decode_utf16(rest, u16::from_le_bytes),
                [0xFE, 0xFF, rest @ ..] => decode_utf16(rest, u16::from_be_bytes),
                _ => decode_utf16(bytes, u16::from_be_bytes),
            },
            Self::Utf16Be => decode_utf16(bytes, u16::from_be_bytes),
            Self::Utf16Le => decode_utf16(bytes, u16::from_le_bytes),
        }
    }
}

fn decode_utf16(bytes: &[u8], unit: fn([u8; 2]) -> u16) -> String {
    let (pairs, rest) = bytes.as_chunks::<2>();
    let units = pairs.iter().map(|pair| unit(*pair));
    let mut text: String = char::decode_utf16(units).map(|c| c.unwrap_or('\u{FFFD}')).collect();
    if !rest.is_empty() {
        text.push('\u{FFFD}');
    }
    text
}

fn encode(args: &[Operand], rows: usize) -> Result<ArrayRef> {
    let (text, charset) = (Column::<StringArray>::of(args, 0)?, Column::<StringArray>::of(args, 1)?);
    let mut out = BinaryBuilder::with_capacity(rows, text_bytes(text.array()).len());
    let mut buffer = Vec::new();
    for row in 0..rows {
        match (text.get(row), charset.get(row)) {
            (Some(text), Some(charset)) => {
                buffer.clear();
                Charset::named(charset)?.encode(text, &mut buffer);
                out.append_value(&buffer);
            }
            _ => out.append_null(),
        }
    }
    Ok(Arc::new(out.finish()))
}

fn decode(args: &[Operand], rows: usize) -> Result<ArrayRef> {
    let (bytes, charset) = (Column::<BinaryArray>::of(args, 0)?, Column::<StringArray>::of(args, 1)?);
    try_texts(rows, bytes.array().value_data().len(), |row, out| {
        let (Some(bytes), Some(charset)) = (bytes.get(row), charset.get(row)) else { return Ok(None) };
        out.push_str(&Charset::named(charset)?.decode(bytes));
        Ok(Some(()))
    })
}
