//! IPv4 addresses as numbers: `INET_ATON`, `INET_NTOA`.

use crate::kernel::{Column, kernel, texts};
use crate::{Function, Operand};
use arrow::array::{ArrayRef, Int64Array, StringArray};
use headwater_types::{LogicalType, Result, TypeRoot};
use std::fmt::Write;
use std::net::Ipv4Addr;
use std::sync::Arc;

/// `INET_ATON(address)`: also short forms, whose last part is the last byte (`127.1` is `127.0.0.1`). NULL for
/// other texts.
pub const INET_ATON: Function = Function::new(
    "INET_ATON",
    "INET_ATON(address <CHARACTER_STRING>)",
    |call| call.returns_nullable(call.all_strings(1..=1)?, TypeRoot::BigInt),
    |_| kernel(inet_aton),
);

/// `INET_NTOA(number)`: NULL outside of 32 bits without sign.
pub const INET_NTOA: Function = Function::new(
    "INET_NTOA",
    "INET_NTOA(number <INTEGER_NUMERIC>)",
    |call| {
        call.arity(1..=1)?;
        call.returns_nullable(vec![call.bigint(0)?], LogicalType::string().root)
    },
    |_| kernel(inet_ntoa),
);

fn number(address: &str) -> Option<i64> {
    let mut parts = [0_i64; 4];
    let mut count = 0;
    for part in address.split('.') {
        if part.is_empty() || part.len() > 3 || !part.bytes().all(|b| b.is_ascii_digit()) {
            return None;
        }
        *parts.get_mut(count)? = part.parse::<u8>().ok()?.into();
        count += 1;
    }
    // A short form leaves out bytes before the last one.
    parts.swap(count - 1, 3);
    Some(parts.iter().fold(0, |number, part| number << 8 | part))
}

fn inet_aton(args: &[Operand], rows: usize) -> Result<ArrayRef> {
    let address = Column::<StringArray>::of(args, 0)?;
    Ok(Arc::new((0..rows).map(|row| number(address.get(row)?)).collect::<Int64Array>()))
}

fn inet_ntoa(args: &[Operand], rows: usize) -> Result<ArrayRef> {
    let number = Column::<Int64Array>::of(args, 0)?;
    texts(rows, rows * 15, |row, out| {
        let address = u32::try_from(number.get(row)?).ok()?;
        write!(out, "{}", Ipv4Addr::from_bits(address)).ok()
    })
}
