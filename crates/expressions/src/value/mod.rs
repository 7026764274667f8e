//! Literal values as Arrow arrays and DataFusion scalars, and back.
//!
//! The conversions are exact inverses for every type but NULL: an array made of values yields the same
//! values. They are for literals, inline rows and tests, not for the per-batch path.

mod from_array;
mod to_array;

pub use from_array::value_at;
pub use to_array::array_from_values;

use arrow::array::ArrayRef;
use datafusion_common::ScalarValue;
use headwater_plan::Value;
use headwater_types::{Error, LogicalType, Result};

/// The array of length one that holds `value`.
pub fn array_of_one(value: &Value, ty: &LogicalType) -> Result<ArrayRef> {
    array_from_values(std::slice::from_ref(value), ty)
}

/// A literal as a DataFusion scalar of the type's Arrow type.
pub fn to_scalar(value: &Value, ty: &LogicalType) -> Result<ScalarValue> {
    let array = array_of_one(value, ty)?;
    ScalarValue::try_from_array(&array, 0).map_err(scalar_error)
}

/// A DataFusion scalar as a literal of logical type `ty`.
pub fn from_scalar(scalar: &ScalarValue, ty: &LogicalType) -> Result<Value> {
    let array = scalar.to_array().map_err(scalar_error)?;
    value_at(&array, 0, ty)
}

fn scalar_error(error: datafusion_common::DataFusionError) -> Error {
    Error::internal(format!("a literal could not be converted: {error}"))
}
