//! Sums with their counts: the state of SUM, `$SUM0` and AVG.
//!
//! Integer sums wrap around in the width of the result, as in Flink; a decimal sum that leaves 38 digits is
//! NULL and stays so.

use super::average::Divide;
use super::encoding::Reader;
use super::{Accumulator, Input, for_each, same, steps};
use crate::arrow_error;
use crate::columns::with_type;
use arrow::array::{Array, ArrayRef, ArrowPrimitiveType, AsArray, PrimitiveArray};
use arrow::compute::cast;
use arrow::datatypes::{ArrowNativeType, DataType, Decimal128Type, Float32Type, Float64Type, Int64Type, IntervalUnit};
use headwater_types::Result;

/// A number that can be summed.
pub(super) trait Summand: ArrowNativeType + Divide {
    /// Arrow's type of such numbers.
    type Arrow: ArrowPrimitiveType<Native = Self>;
    /// The sum; `None` when it overflows in a way that SQL shows.
    fn plus(self, other: Self) -> Option<Self>;
    /// The difference.
    fn minus(self, other: Self) -> Option<Self>;
    /// Little-endian bytes.
    fn write(self, bytes: &mut Vec<u8>);
    /// Reads what [`Summand::write`] wrote.
    fn read(reader: &mut Reader<'_>) -> Result<Self>;
    /// An argument column as such numbers.
    fn column(array: &ArrayRef) -> Result<PrimitiveArray<Self::Arrow>>;
}

/// The state of a summing call.
pub(super) struct Sums<T> {
    finish: Finish,
    result: DataType,
    /// Scale of the argument, for decimals.
    scale: i8,
    sums: Vec<T>,
    counts: Vec<i64>,
    /// Groups whose decimal sum overflowed.
    overflowed: Vec<bool>,
}

/// What becomes of a sum and its count.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Finish {
    /// The sum; NULL without rows.
    Sum,
    /// The sum; zero without rows.
    SumZero,
    /// The sum divided by the count; NULL without rows.
    Average,
}

impl<T: Summand> Sums<T> {
    pub(super) fn new(finish: Finish, result: DataType, argument: &DataType) -> Self {
        let scale = if let DataType::Decimal128(_, scale) = argument { *scale } else { 0 };
        Self { finish, result, scale, sums: vec![], counts: vec![], overflowed: vec![] }
    }

    #[inline]
    fn apply(&mut self, group: usize, value: T, sign: i8) {
        let sum = if sign > 0 { self.sums[group].plus(value) } else { self.sums[group].minus(value) };
        match sum {
            Some(sum) => self.sums[group] = sum,
            None => self.overflowed[group] = true,
        }
        self.counts[group] += i64::from(sign);
    }

    fn result(&self, group: usize) -> Option<T> {
        let (sum, count) = (self.sums[group], self.counts[group]);
        match self.finish {
            _ if self.overflowed[group] => None,
            Finish::SumZero => Some(sum),
            _ if count == 0 => None,
            Finish::Sum => Some(sum),
            Finish::Average => sum.divide(count, self.scale, &self.result),
        }
    }
}

impl<T: Summand> Accumulator for Sums<T> {
    fn grow(&mut self, groups: usize) {
        let groups = groups.max(self.sums.len());
        self.sums.resize(groups, T::default());
        self.counts.resize(groups, 0);
        self.overflowed.resize(groups, false);
    }

    fn update(&mut self, groups: &[u32], input: &Input<'_>) -> Result<()> {
        let column = T::column(&input.args[0])?;
        let values = column.values();
        for_each(groups, input.signs, column.nulls(), |row, group, sign| self.apply(group, values[row], sign));
        Ok(())
    }

    fn scan(&mut self, groups: &[u32], input: &Input<'_>, resets: Option<&[bool]>) -> Result<ArrayRef> {
        let column = T::column(&input.args[0])?;
        let values = column.values();
        let result = self.result.clone();
        let results = steps(groups, input.signs, column.nulls(), resets, |step| {
            if step.reset {
                self.clear(step.group as u32);
            }
            if step.sign != 0 {
                self.apply(step.group, values[step.row], step.sign);
            }
            self.result(step.group)
        });
        T::finish(results, &result)
    }

    fn merge(&mut self, other: &dyn Accumulator, groups: &[u32]) -> Result<()> {
        let other = same::<Self>(other);
        for (from, to) in groups.iter().enumerate() {
            let to = *to as usize;
            self.apply(to, other.sums[from], 1);
            self.counts[to] += other.counts[from] - 1;
            self.overflowed[to] |= other.overflowed[from];
        }
        Ok(())
    }

    fn evaluate(&self, groups: &[u32]) -> Result<ArrayRef> {
        T::finish(groups.iter().map(|group| self.result(*group as usize)), &self.result)
    }

    fn encode(&self, group: u32, bytes: &mut Vec<u8>) {
        let group = group as usize;
        bytes.push(u8::from(self.overflowed[group]));
        bytes.extend_from_slice(&self.counts[group].to_le_bytes());
        self.sums[group].write(bytes);
    }

    fn merge_encoded(&mut self, group: u32, bytes: &[u8]) -> Result<()> {
        let mut reader = Reader::new(bytes);
        let overflowed = reader.array::<1>()?[0] != 0;
        let count = reader.i64()?;
        let group = group as usize;
        self.apply(group, T::read(&mut reader)?, 1);
        self.counts[group] += count - 1;
        self.overflowed[group] |= overflowed;
        Ok(())
    }

    fn clear(&mut self, group: u32) {
        let group = group as usize;
        (self.sums[group], self.counts[group], self.overflowed[group]) = (T::default(), 0, false);
    }
}

impl Summand for i64 {
    type Arrow = Int64Type;

    #[inline]
    fn plus(self, other: Self) -> Option<Self> {
        Some(self.wrapping_add(other))
    }

    #[inline]
    fn minus(self, other: Self) -> Option<Self> {
        Some(self.wrapping_sub(other))
    }

    fn write(self, bytes: &mut Vec<u8>) {
        bytes.extend_from_slice(&self.to_le_bytes());
    }

    fn read(reader: &mut Reader<'_>) -> Result<Self> {
        reader.i64()
    }

    fn column(array: &ArrayRef) -> Result<PrimitiveArray<Int64Type>> {
        let integers = match array.data_type() {
            DataType::Int64 => return Ok(array.as_primitive().clone()),
            DataType::Duration(_) => with_type(array, &DataType::Int64)?,
            DataType::Interval(IntervalUnit::YearMonth) => with_type(array, &DataType::Int32)?,
            _ => array.clone(),
        };
        Ok(cast(&integers, &DataType::Int64).map_err(arrow_error)?.as_primitive().clone())
    }
}

impl Summand for i128 {
    type Arrow = Decimal128Type;

    fn plus(self, other: Self) -> Option<Self> {
        self.checked_add(other)
    }

    fn minus(self, other: Self) -> Option<Self> {
        self.checked_sub(other)
    }

    fn write(self, bytes: &mut Vec<u8>) {
        bytes.extend_from_slice(&self.to_le_bytes());
    }

    fn read(reader: &mut Reader<'_>) -> Result<Self> {
        reader.array().map(i128::from_le_bytes)
    }

    fn column(array: &ArrayRef) -> Result<PrimitiveArray<Decimal128Type>> {
        Ok(array.as_primitive().clone())
    }
}

macro_rules! float_summand {
    ($native:ty, $arrow:ty) => {
        impl Summand for $native {
            type Arrow = $arrow;

            #[inline]
            fn plus(self, other: Self) -> Option<Self> {
                Some(self + other)
            }

            #[inline]
            fn minus(self, other: Self) -> Option<Self> {
                Some(self - other)
            }

            fn write(self, bytes: &mut Vec<u8>) {
                bytes.extend_from_slice(&self.to_le_bytes());
            }

            fn read(reader: &mut Reader<'_>) -> Result<Self> {
                reader.array().map(<$native>::from_le_bytes)
            }

            fn column(array: &ArrayRef) -> Result<PrimitiveArray<$arrow>> {
                if let Some(array) = array.as_primitive_opt::<$arrow>() {
                    return Ok(array.clone());
                }
                let wide = cast(array, &<$arrow as ArrowPrimitiveType>::DATA_TYPE).map_err(arrow_error)?;
                Ok(wide.as_primitive().clone())
            }
        }
    };
}

float_summand!(f32, Float32Type);
float_summand!(f64, Float64Type);
