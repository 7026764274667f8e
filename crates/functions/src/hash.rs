//! Message digests, as lower-case hexadecimal text. They take texts (their UTF-8 bytes) and bytes.

use crate::kernel::{Call, Column, TextBuilder, as_binary, kernel, try_texts};
use crate::{Bound, Function, Kernel, Operand};
use arrow::array::{ArrayRef, BinaryArray, Int64Array};
use headwater_types::{Error, LogicalType, Result, TypeRoot};
use md5::Md5;
use sha1::Sha1;
use sha2::{Digest, Sha224, Sha256, Sha384, Sha512};

#[cfg(test)]
mod tests;

/// The functions of this group.
pub const FUNCTIONS: &[Function] = &[
    Function::new("MD5", "MD5(<CHARACTER_STRING> or <BINARY_STRING>)", bind::<Md5>, |_| digest(push::<Md5>)),
    Function::new("SHA1", "SHA1(<CHARACTER_STRING> or <BINARY_STRING>)", bind::<Sha1>, |_| digest(push::<Sha1>)),
    Function::new("SHA224", "SHA224(<CHARACTER_STRING> or <BINARY_STRING>)", bind::<Sha224>, |_| {
        digest(push::<Sha224>)
    }),
    Function::new("SHA256", "SHA256(<CHARACTER_STRING> or <BINARY_STRING>)", bind::<Sha256>, |_| {
        digest(push::<Sha256>)
    }),
    Function::new("SHA384", "SHA384(<CHARACTER_STRING> or <BINARY_STRING>)", bind::<Sha384>, |_| {
        digest(push::<Sha384>)
    }),
    Function::new("SHA512", "SHA512(<CHARACTER_STRING> or <BINARY_STRING>)", bind::<Sha512>, |_| {
        digest(push::<Sha512>)
    }),
    Function::new("SHA2", "SHA2(<CHARACTER_STRING> or <BINARY_STRING>, hashLength <INTEGER>)", bind_sha2, |_| {
        kernel(sha2)
    }),
];

/// Longest digest in hexadecimal digits: SHA-512.
const HEX_DIGITS_MAX: u32 = 128;

/// Appends the digest of some bytes.
type Push = fn(&[u8], &mut TextBuilder);

fn data(call: &Call<'_>) -> Result<LogicalType> {
    if call.ty(0).is_binary() { call.binary(0) } else { call.string(0) }
}

/// Digests have a fixed length: two digits for each byte.
fn bind<D: Digest>(call: &Call<'_>) -> Result<Bound> {
    call.arity(1..=1)?;
    call.returns(vec![data(call)?], TypeRoot::Char(<D as Digest>::output_size() as u32 * 2))
}

fn bind_sha2(call: &Call<'_>) -> Result<Bound> {
    call.arity(2..=2)?;
    call.returns(vec![data(call)?, call.bigint(1)?], TypeRoot::VarChar(HEX_DIGITS_MAX))
}

fn push<D: Digest>(bytes: &[u8], out: &mut TextBuilder) {
    const HEX: &[u8; 16] = b"0123456789abcdef";
    let mut digits = [0; HEX_DIGITS_MAX as usize];
    let digest = D::digest(bytes);
    for (pair, byte) in digits.chunks_exact_mut(2).zip(digest.as_slice()) {
        pair.copy_from_slice(&[HEX[usize::from(byte >> 4)], HEX[usize::from(byte & 15)]]);
    }
    out.push_str(std::str::from_utf8(&digits[..digest.len() * 2]).expect("hexadecimal digits are ASCII"));
}

fn digest(push: Push) -> Result<Box<dyn Kernel>> {
    kernel(move |args, rows| {
        let args = [as_binary(&args[0])];
        let data = Column::<BinaryArray>::of(&args, 0)?;
        try_texts(rows, rows * 64, |row, out| Ok(data.get(row).map(|bytes| push(bytes, out))))
    })
}

fn sha2(args: &[Operand], rows: usize) -> Result<ArrayRef> {
    let args = [as_binary(&args[0]), args[1].clone()];
    let (data, length) = (Column::<BinaryArray>::of(&args, 0)?, Column::<Int64Array>::of(&args, 1)?);
    try_texts(rows, rows * 64, |row, out| {
        let (Some(bytes), Some(length)) = (data.get(row), length.get(row)) else { return Ok(None) };
        let push: Push = match length {
            224 => push::<Sha224>,
            256 => push::<Sha256>,
            384 => push::<Sha384>,
            512 => push::<Sha512>,
            _ => {
                let message = format!("SHA2: the hash length must be 224, 256, 384 or 512, but was {length}");
                return Err(Error::user("bad-argument", message));
            }
        };
        push(bytes, out);
        Ok(Some(()))
    })
}
