//! From sums and counts to result columns.

use crate::arrow_error;
use crate::columns::with_type;
use arrow::array::{
    ArrayRef, Decimal128Array, Float32Array, Float64Array, Int8Array, Int16Array, Int32Array, Int64Array,
};
use arrow::compute::cast;
use arrow::datatypes::{DataType, i256};
use headwater_types::Result;
use std::sync::Arc;

/// Division by a count and conversion to the result type.
pub(super) trait Divide: Sized {
    /// The sum divided by a count that is not zero.
    fn divide(self, count: i64, scale: i8, result: &DataType) -> Option<Self>;
    /// Results as a column of the result type.
    fn finish(values: impl Iterator<Item = Option<Self>>, result: &DataType) -> Result<ArrayRef>;
}

impl Divide for i64 {
    /// Towards zero.
    fn divide(self, count: i64, _scale: i8, _result: &DataType) -> Option<Self> {
        Some(self.wrapping_div(count))
    }

    /// Wraps into the width of the result.
    fn finish(values: impl Iterator<Item = Option<Self>>, result: &DataType) -> Result<ArrayRef> {
        match result.primitive_width() {
            Some(1) => Ok(Arc::new(values.map(|v| v.map(|v| v as i8)).collect::<Int8Array>())),
            Some(2) => Ok(Arc::new(values.map(|v| v.map(|v| v as i16)).collect::<Int16Array>())),
            Some(4) => with_type(&values.map(|v| v.map(|v| v as i32)).collect::<Int32Array>(), result),
            _ => with_type(&values.collect::<Int64Array>(), result),
        }
    }
}

impl Divide for f64 {
    fn divide(self, count: i64, _scale: i8, _result: &DataType) -> Option<Self> {
        Some(self / count as f64)
    }

    fn finish(values: impl Iterator<Item = Option<Self>>, result: &DataType) -> Result<ArrayRef> {
        cast(&values.collect::<Float64Array>(), result).map_err(arrow_error)
    }
}

impl Divide for f32 {
    fn divide(self, count: i64, _scale: i8, _result: &DataType) -> Option<Self> {
        Some(self / count as f32)
    }

    fn finish(values: impl Iterator<Item = Option<Self>>, result: &DataType) -> Result<ArrayRef> {
        cast(&values.collect::<Float32Array>(), result).map_err(arrow_error)
    }
}

impl Divide for i128 {
    /// Rounds half away from zero to the scale of the result.
    fn divide(self, count: i64, scale: i8, result: &DataType) -> Option<Self> {
        let DataType::Decimal128(_, result_scale) = result else { return None };
        let shift = u32::try_from(result_scale - scale).ok()?;
        let scaled = i256::from_i128(self).checked_mul(i256::from_i128(10i128.checked_pow(shift)?))?;
        let count = i256::from_i128(i128::from(count));
        let (quotient, remainder) = (scaled.checked_div(count)?, scaled.checked_rem(count)?);
        let away = if scaled.is_negative() { i256::MINUS_ONE } else { i256::ONE };
        let double = remainder.wrapping_abs().checked_mul(i256::from_i128(2))?;
        let rounded = if double >= count.wrapping_abs() { quotient.wrapping_add(away) } else { quotient };
        rounded.to_i128()
    }

    /// NULL where the value does not fit the precision.
    fn finish(values: impl Iterator<Item = Option<Self>>, result: &DataType) -> Result<ArrayRef> {
        let DataType::Decimal128(precision, scale) = result else {
            return cast(&values.collect::<Decimal128Array>(), result).map_err(arrow_error);
        };
        let bound = 10u128.pow(u32::from(*precision));
        let fitting = values.map(|v| v.filter(|v| v.unsigned_abs() < bound));
        let array = fitting.collect::<Decimal128Array>().with_precision_and_scale(*precision, *scale);
        Ok(Arc::new(array.map_err(arrow_error)?))
    }
}
