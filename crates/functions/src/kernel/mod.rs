//! The toolkit that functions are written with.
//!
//! [`Call`] types a call site: arity, argument types, error messages. [`Column`] reads an operand as a typed
//! column, whether it is an array or a scalar. The mappers ([`map1`] and friends) turn a function of values
//! into a function of columns: NULL when any argument is NULL, otherwise the closure's result.
//!
//! Choose the mapper by the result: [`primitive1`] for infallible primitives (no branch per row),
//! [`boolean1`] for predicates, [`map1`] with a builder for everything else (text, NULL results, errors).

mod call;
mod column;
mod map;
#[cfg(test)]
mod tests;
mod text;

pub use call::Call;
pub use column::{Column, Input, downcast, operand_nulls};
pub use map::{
    NullableBuilder, boolean1, boolean2, map1, map2, map3, merged_nulls, primitive1, primitive2, primitives, strings,
};
pub use text::{COLUMN_BYTES_MAX, TextBuilder, as_binary, text_bytes, texts, try_texts};

use crate::{BuildContext, Kernel, Operand};
use arrow::array::ArrayRef;
use headwater_plan::Value;
use headwater_types::{Error, Result};

/// A kernel made of a closure.
struct FnKernel<F>(F);

impl<F> Kernel for FnKernel<F>
where
    F: Fn(&[Operand], usize) -> Result<ArrayRef> + Send + Sync,
{
    fn eval(&self, args: &[Operand], rows: usize) -> Result<ArrayRef> {
        (self.0)(args, rows)
    }
}

/// Boxes a closure as a kernel.
pub fn kernel<F>(f: F) -> Result<Box<dyn Kernel>>
where
    F: Fn(&[Operand], usize) -> Result<ArrayRef> + Send + Sync + 'static,
{
    Ok(Box::new(FnKernel(f)))
}

/// An error of an Arrow kernel, which only a bug of ours can cause.
pub fn arrow_error(error: arrow::error::ArrowError) -> Error {
    Error::internal(format!("columnar kernel failed: {error}"))
}

impl BuildContext<'_> {
    /// The value of argument `index` when it is a literal.
    pub fn literal(&self, index: usize) -> Option<&Value> {
        self.literals.get(index)?.as_ref()
    }

    /// The text of argument `index` when it is a non-NULL string literal.
    pub fn text(&self, index: usize) -> Option<&str> {
        match self.literal(index)? {
            Value::String(text) => Some(text),
            _ => None,
        }
    }

    /// The number of argument `index` when it is a non-NULL integer literal.
    pub fn integer(&self, index: usize) -> Option<i64> {
        match self.literal(index)? {
            Value::Int(number) => Some(*number),
            _ => None,
        }
    }
}
