//! Variance and standard deviation, by Welford's method (merged by the formula of Chan et al.).

use super::encoding::Reader;
use super::{Accumulator, Input, for_each, same, steps};
use crate::arrow_error;
use arrow::array::{Array, ArrayRef, ArrowPrimitiveType, AsArray, Float64Array, PrimitiveArray};
use arrow::compute::{CastOptions, cast, cast_with_options};
use arrow::datatypes::{DataType, Float64Type, Int8Type, Int16Type, Int32Type, Int64Type};
use headwater_types::Result;
use std::sync::Arc;

/// Which function of the moments is the result.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Spread {
    /// Divide by n - 1 instead of n.
    pub(super) sample: bool,
    /// Square root: a standard deviation.
    pub(super) root: bool,
}

#[derive(Debug, Clone, Copy, Default)]
struct Moments {
    count: i64,
    mean: f64,
    /// Sum of squared distances from the mean.
    m2: f64,
}

pub(super) struct Variance {
    spread: Spread,
    result: DataType,
    groups: Vec<Moments>,
}

impl Variance {
    pub(super) fn new(spread: Spread, result: DataType) -> Self {
        Self { spread, result, groups: vec![] }
    }

    fn result(&self, group: u32) -> Option<f64> {
        let moments = &self.groups[group as usize];
        let divisor = moments.count - i64::from(self.spread.sample);
        // As in Flink, a sum that rounding made negative while values were taken back is NULL.
        if divisor <= 0 || moments.m2 < 0.0 {
            return None;
        }
        let variance = moments.m2 / divisor as f64;
        Some(if self.spread.root { variance.sqrt() } else { variance })
    }
}

impl Moments {
    fn add(&mut self, value: f64) {
        self.count += 1;
        let distance = value - self.mean;
        self.mean += distance / self.count as f64;
        self.m2 += distance * (value - self.mean);
    }

    fn remove(&mut self, value: f64) {
        if self.count <= 1 {
            *self = Self { count: self.count - 1, ..Self::default() };
            return;
        }
        self.count -= 1;
        let distance = value - self.mean;
        self.mean -= distance / self.count as f64;
        self.m2 -= distance * (value - self.mean);
    }

    fn merge(&mut self, other: &Moments) {
        let count = self.count + other.count;
        if other.count == 0 || count == 0 {
            self.count = count;
            return;
        }
        let distance = other.mean - self.mean;
        let share = other.count as f64 / count as f64;
        self.m2 += other.m2 + distance * distance * self.count as f64 * share;
        self.mean += distance * share;
        self.count = count;
    }
}

/// Java's narrowing, as Flink does it: a variance too large for INT or BIGINT is their largest value.
fn narrowed<T: ArrowPrimitiveType>(values: &Float64Array, narrow: impl Fn(f64) -> T::Native) -> ArrayRef {
    let narrowed: PrimitiveArray<T> = values.unary(narrow);
    Arc::new(narrowed)
}

/// Results as a column of the result type.
fn narrow(values: &Float64Array, result: &DataType) -> Result<ArrayRef> {
    match result {
        DataType::Int8 => Ok(narrowed::<Int8Type>(values, |v| v as i32 as i8)),
        DataType::Int16 => Ok(narrowed::<Int16Type>(values, |v| v as i32 as i16)),
        DataType::Int32 => Ok(narrowed::<Int32Type>(values, |v| v as i32)),
        DataType::Int64 => Ok(narrowed::<Int64Type>(values, |v| v as i64)),
        _ => {
            let options = CastOptions { safe: true, ..Default::default() };
            cast_with_options(values, result, &options).map_err(arrow_error)
        }
    }
}

impl Accumulator for Variance {
    fn grow(&mut self, groups: usize) {
        self.groups.resize(groups.max(self.groups.len()), Moments::default());
    }

    fn update(&mut self, groups: &[u32], input: &Input<'_>) -> Result<()> {
        let wide = cast(&input.args[0], &DataType::Float64).map_err(arrow_error)?;
        let values = wide.as_primitive::<Float64Type>().values();
        for_each(groups, input.signs, wide.nulls(), |row, group, sign| match sign {
            1 => self.groups[group].add(values[row]),
            _ => self.groups[group].remove(values[row]),
        });
        Ok(())
    }

    fn scan(&mut self, groups: &[u32], input: &Input<'_>, resets: Option<&[bool]>) -> Result<ArrayRef> {
        let wide = cast(&input.args[0], &DataType::Float64).map_err(arrow_error)?;
        let values = wide.as_primitive::<Float64Type>().values();
        let result = self.result.clone();
        let results = steps(groups, input.signs, wide.nulls(), resets, |step| {
            let moments = &mut self.groups[step.group];
            if step.reset {
                *moments = Moments::default();
            }
            match step.sign {
                0 => {}
                1 => moments.add(values[step.row]),
                _ => moments.remove(values[step.row]),
            }
            self.result(step.group as u32)
        });
        narrow(&results.collect(), &result)
    }

    fn merge(&mut self, other: &dyn Accumulator, groups: &[u32]) -> Result<()> {
        for (theirs, group) in same::<Self>(other).groups.iter().zip(groups) {
            self.groups[*group as usize].merge(theirs);
        }
        Ok(())
    }

    fn evaluate(&self, groups: &[u32]) -> Result<ArrayRef> {
        let values: Float64Array = groups.iter().map(|group| self.result(*group)).collect();
        narrow(&values, &self.result)
    }

    fn encode(&self, group: u32, bytes: &mut Vec<u8>) {
        let moments = &self.groups[group as usize];
        bytes.extend_from_slice(&moments.count.to_le_bytes());
        bytes.extend_from_slice(&moments.mean.to_le_bytes());
        bytes.extend_from_slice(&moments.m2.to_le_bytes());
    }

    fn merge_encoded(&mut self, group: u32, bytes: &[u8]) -> Result<()> {
        let mut reader = Reader::new(bytes);
        let moments = Moments { count: reader.i64()?, mean: reader.f64()?, m2: reader.f64()? };
        self.groups[group as usize].merge(&moments);
        Ok(())
    }

    fn clear(&mut self, group: u32) {
        self.groups[group as usize] = Moments::default();
    }
}
