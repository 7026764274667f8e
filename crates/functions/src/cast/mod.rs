//! CAST and TRY_CAST between all types.
//!
//! | from | to | rule |
//! |---|---|---|
//! | text | anything | surrounding spaces are ignored; text that does not read as the type is a failure |
//! | anything | text | as [`crate::text`] shows it, then cut (VARCHAR) or padded (CHAR) to length |
//! | integers | integers | wrap around |
//! | floating point | integers | saturate, NaN is 0; narrower than INT by way of INT |
//! | numbers | DECIMAL | round half up; NULL when the value does not fit |
//! | TIMESTAMP | TIMESTAMP_LTZ and back | by the session time zone |
//! | timestamps | lower precision | cut off |
//! | ARRAY, MAP, ROW | the same | part by part; one failing part fails the whole |
//!
//! A failure is an error under CAST, NULL under TRY_CAST. A cast never changes whether a value is NULL otherwise.

mod from_text;
mod nested;
mod number;
mod temporal;
#[cfg(test)]
mod tests;
mod to_text;
mod variant;

use crate::types::supports_explicit_cast;
use crate::{Kernel, Operand};
use arrow::array::{Array, ArrayRef, UInt32Array, new_null_array};
use chrono_tz::Tz;
use headwater_data::arrow_type;
use headwater_types::{Error, LogicalType, Result, TypeRoot};

/// A compiled cast of arrays.
pub type CastFn = Box<dyn Fn(&ArrayRef) -> Result<ArrayRef> + Send + Sync>;

/// What a cast does with values it cannot convert.
#[derive(Debug, Clone)]
pub(crate) struct OnFailure {
    try_cast: bool,
    target: String,
}

impl OnFailure {
    fn new(to: &LogicalType, try_cast: bool) -> Self {
        Self { try_cast, target: to.clone().with_nullable(true).to_string() }
    }

    /// NULL under TRY_CAST, else an error that shows the value.
    fn fail<T>(&self, value: &str, reason: &str) -> Result<Option<T>> {
        if self.try_cast {
            return Ok(None);
        }
        let message = format!("Cannot cast '{value}' to {}: {reason}", self.target);
        Err(Error::user("cast-failed", message))
    }
}

/// The kernel of `CAST(from AS to)` or `TRY_CAST(from AS to)`, for one operand.
pub fn kernel(from: &LogicalType, to: &LogicalType, try_cast: bool, zone: Tz) -> Result<Box<dyn Kernel>> {
    let cast = array_cast(from, to, try_cast, zone)?;
    crate::kernel::kernel(move |args, rows| match &args[0] {
        Operand::Scalar(value) if rows != 1 => repeat(&cast(value)?, rows),
        operand => cast(operand.array()),
    })
}

/// The cast as a function of arrays.
pub fn array_cast(from: &LogicalType, to: &LogicalType, try_cast: bool, zone: Tz) -> Result<CastFn> {
    use TypeRoot as T;
    if !supports_explicit_cast(from, to) {
        let message = format!("Cast from {from} to {to} is not supported");
        return Err(Error::user("unsupported-cast", message));
    }
    if from.same_root(to) {
        return Ok(Box::new(|array| Ok(array.clone())));
    }
    let on_failure = OnFailure::new(to, try_cast);
    match (&from.root, &to.root) {
        (T::Null, _) => null_cast(to),
        (T::Variant, _) => variant::cast(to, on_failure),
        (_, T::Char(_) | T::VarChar(_)) => Ok(to_text::cast(from, to, zone)),
        (T::Char(_) | T::VarChar(_), _) => from_text::cast(to, on_failure, zone),
        (T::Binary(_) | T::VarBinary(_), _) => Ok(to_text::binary_cast(to)),
        (T::Array(_) | T::Map(..) | T::Multiset(_) | T::Row(_), _) => nested::cast(from, to, try_cast, zone),
        _ if from.is_temporal() => temporal::cast(from, to, zone),
        _ => number::cast(from, to, on_failure),
    }
}

fn null_cast(to: &LogicalType) -> Result<CastFn> {
    let ty = arrow_type(to);
    Ok(Box::new(move |array| Ok(new_null_array(&ty, array.len()))))
}

/// The one value of `array`, `rows` times.
pub(crate) fn repeat(array: &ArrayRef, rows: usize) -> Result<ArrayRef> {
    let indices = UInt32Array::from_value(0, rows);
    arrow::compute::take(array, &indices, None).map_err(crate::kernel::arrow_error)
}
