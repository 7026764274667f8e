//! `HASH_CODE`: the hash code Java gives the value.

use crate::kernel::{Call, Input, kernel, primitive1};
use crate::{Bound, BuildContext, Function, Kernel};
use arrow::array::{
    BooleanArray, Date32Array, DurationMillisecondArray, Float32Array, Float64Array, Int8Array, Int16Array, Int32Array,
    Int64Array, StringArray, Time32MillisecondArray,
};
use arrow::datatypes::{DataType, Int32Type};
use headwater_types::{Error, LogicalType, Result, TypeRoot};

#[cfg(test)]
mod tests;

/// The functions of this group.
pub const FUNCTIONS: &[Function] = &[Function::new("HASH_CODE", "HASH_CODE(<ANY>)", bind, build)];

fn bind(call: &Call<'_>) -> Result<Bound> {
    call.arity(1..=1)?;
    let ty = call.matching(0, LogicalType::string().root, is_hashed)?;
    call.returns(vec![ty], TypeRoot::Int)
}

fn is_hashed(ty: &LogicalType) -> bool {
    let float = matches!(ty.root, TypeRoot::Float | TypeRoot::Double | TypeRoot::Boolean);
    let days = matches!(ty.root, TypeRoot::Date | TypeRoot::Time(_) | TypeRoot::IntervalDayTime);
    float || days || ty.is_character() || ty.is_integer()
}

fn build(context: &BuildContext<'_>) -> Result<Box<dyn Kernel>> {
    use TypeRoot as T;
    match context.arg_types[0].root {
        T::Char(_) | T::VarChar(_) => hashed::<StringArray>(of_text),
        T::Boolean => hashed::<BooleanArray>(|b| if b { 1231 } else { 1237 }),
        T::TinyInt => hashed::<Int8Array>(i32::from),
        T::SmallInt => hashed::<Int16Array>(i32::from),
        T::Int => hashed::<Int32Array>(|i| i),
        T::Date => hashed::<Date32Array>(|i| i),
        T::Time(_) => hashed::<Time32MillisecondArray>(|i| i),
        T::BigInt => hashed::<Int64Array>(of_long),
        T::IntervalDayTime => hashed::<DurationMillisecondArray>(of_long),
        T::Float => hashed::<Float32Array>(|f| if f.is_nan() { 0x7fc0_0000 } else { f.to_bits() as i32 }),
        T::Double => hashed::<Float64Array>(of_double),
        _ => Err(Error::internal("HASH_CODE was bound to a type it has no hash for")),
    }
}

fn hashed<A: Input + 'static>(hash: fn(A::Item<'_>) -> i32) -> Result<Box<dyn Kernel>> {
    kernel(move |args, rows| primitive1::<A, Int32Type>(args, rows, &DataType::Int32, hash))
}

/// A polynomial in 31 over the UTF-16 units.
fn of_text(text: &str) -> i32 {
    text.encode_utf16().fold(0, |hash: i32, unit| hash.wrapping_mul(31).wrapping_add(i32::from(unit)))
}

fn of_long(value: i64) -> i32 {
    (value ^ ((value as u64) >> 32) as i64) as i32
}

/// All NaNs are one.
fn of_double(value: f64) -> i32 {
    of_long(if value.is_nan() { 0x7ff8_0000_0000_0000 } else { value.to_bits() as i64 })
}
