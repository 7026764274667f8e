//! PERCENTILE: values at fractions of the sorted values of a group, interpolated between neighbours.

use crate::arrow_error;
use arrow::array::{Array, ArrayRef, AsArray, Float64Array, ListArray};
use arrow::buffer::{NullBuffer, OffsetBuffer};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Float64Type, Int64Type};
use headwater_plan::Value;
use headwater_types::{Error, Result};
use std::sync::Arc;

/// Which percentiles are wanted.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Percentiles {
    /// Fractions between 0 and 1.
    fractions: Vec<f64>,
    /// Whether they were given as an array, so that the result is one.
    listed: bool,
}

impl Percentiles {
    /// From the literal argument: a number or an array of numbers.
    pub(super) fn new(parameter: Option<&Value>) -> Result<Self> {
        let fraction = |value: &Value| match value {
            Value::Float(fraction) => Ok(*fraction),
            _ => Err(Error::internal("the percentages of PERCENTILE are doubles")),
        };
        match parameter {
            Some(Value::List(values)) => {
                Ok(Self { fractions: values.iter().map(fraction).collect::<Result<_>>()?, listed: true })
            }
            Some(value) => Ok(Self { fractions: vec![fraction(value)?], listed: false }),
            None => Err(Error::internal("PERCENTILE has no percentage")),
        }
    }

    /// The results for groups of so many entries each; `columns` holds the values of all entries, group after
    /// group, and how often each counts when that was given.
    pub(super) fn results(
        &self,
        columns: &[ArrayRef],
        lengths: impl Iterator<Item = usize>,
        result: &DataType,
    ) -> Result<ArrayRef> {
        let [values, frequencies @ ..] = columns else { return Err(Error::internal("PERCENTILE has no argument")) };
        let values = cast(values, &DataType::Float64).map_err(arrow_error)?;
        let values = values.as_primitive::<Float64Type>();
        let frequencies = frequencies.first().map(|f| cast(f, &DataType::Int64)).transpose().map_err(arrow_error)?;
        let counts = frequencies.as_ref().map(|f| f.as_primitive::<Int64Type>());
        let mut next = 0;
        let mut found: Vec<Option<Vec<f64>>> = vec![];
        for length in lengths {
            let entry = |i: usize| {
                let count = counts.map_or(1, |c| if c.is_valid(i) { c.value(i) } else { 0 });
                u64::try_from(count).ok().filter(|count| *count > 0).map(|count| (values.value(i), count))
            };
            let mut entries: Vec<(f64, u64)> = (next..next + length).filter_map(entry).collect();
            next += length;
            entries.sort_unstable_by(|a, b| a.0.total_cmp(&b.0));
            found.push(self.of_sorted(&entries));
        }
        self.column(&found, result)
    }

    fn of_sorted(&self, entries: &[(f64, u64)]) -> Option<Vec<f64>> {
        let total: u64 = entries.iter().map(|(_, count)| count).sum();
        let last = total.checked_sub(1)?;
        let at = |position: u64| {
            let mut passed = 0;
            let reached = entries.iter().find(|(_, count)| {
                passed += count;
                position < passed
            });
            reached.map_or(f64::NAN, |(value, _)| *value)
        };
        let interpolated = |fraction: &f64| {
            let position = fraction * last as f64;
            let (floor, ceiling) = (position.floor(), position.ceil());
            let (below, above) = (at(floor as u64), at(ceiling as u64));
            if below == above { below } else { (ceiling - position) * below + (position - floor) * above }
        };
        Some(self.fractions.iter().map(interpolated).collect())
    }

    fn column(&self, found: &[Option<Vec<f64>>], result: &DataType) -> Result<ArrayRef> {
        if !self.listed {
            let first = |values: &Option<Vec<f64>>| values.as_ref().and_then(|v| v.first().copied());
            return Ok(Arc::new(found.iter().map(first).collect::<Float64Array>()));
        }
        let DataType::List(field) = result else {
            return Err(Error::internal(format!("PERCENTILE of an array cannot have the type {result}")));
        };
        let values: Float64Array = found.iter().flatten().flatten().copied().collect::<Vec<_>>().into();
        let nulls: NullBuffer = found.iter().map(Option::is_some).collect();
        let offsets = OffsetBuffer::from_lengths(found.iter().map(|values| values.as_ref().map_or(0, Vec::len)));
        let array = ListArray::try_new(field.clone(), offsets, Arc::new(values), Some(nulls));
        Ok(Arc::new(array.map_err(arrow_error)?))
    }
}
