//! COUNT.

use super::encoding::Reader;
use super::{Accumulator, Input, for_each, same, steps};
use arrow::array::{Array, ArrayRef, Int64Array};
use arrow::buffer::NullBuffer;
use headwater_types::Result;
use std::sync::Arc;

/// `COUNT(*)` without arguments; otherwise counts rows whose arguments are all not NULL.
#[derive(Default)]
pub(crate) struct Count {
    counts: Vec<i64>,
}

impl Count {
    /// The count of a group.
    pub(crate) fn count(&self, group: usize) -> i64 {
        self.counts[group]
    }
}

/// The rows where an argument is NULL.
fn any_null(args: &[ArrayRef]) -> Option<NullBuffer> {
    let union =
        |nulls: Option<NullBuffer>, arg: &ArrayRef| NullBuffer::union(nulls.as_ref(), arg.logical_nulls().as_ref());
    args.iter().fold(None, union)
}

impl Accumulator for Count {
    fn grow(&mut self, groups: usize) {
        self.counts.resize(groups.max(self.counts.len()), 0);
    }

    fn update(&mut self, groups: &[u32], input: &Input<'_>) -> Result<()> {
        let nulls = any_null(input.args);
        let counts = self.counts.as_mut_slice();
        for_each(groups, input.signs, nulls.as_ref(), |_, group, sign| counts[group] += i64::from(sign));
        Ok(())
    }

    fn scan(&mut self, groups: &[u32], input: &Input<'_>, resets: Option<&[bool]>) -> Result<ArrayRef> {
        let nulls = any_null(input.args);
        let counts = self.counts.as_mut_slice();
        let results = steps(groups, input.signs, nulls.as_ref(), resets, |step| {
            let count = &mut counts[step.group];
            *count = if step.reset { 0 } else { *count } + i64::from(step.sign);
            *count
        });
        Ok(Arc::new(Int64Array::from_iter_values(results)))
    }

    fn merge(&mut self, other: &dyn Accumulator, groups: &[u32]) -> Result<()> {
        for (count, group) in same::<Self>(other).counts.iter().zip(groups) {
            self.counts[*group as usize] += count;
        }
        Ok(())
    }

    fn evaluate(&self, groups: &[u32]) -> Result<ArrayRef> {
        Ok(Arc::new(
            groups.iter().map(|g| self.counts[*g as usize]).collect::<Vec<_>>().into_iter().collect::<Int64Array>(),
        ))
    }

    fn encode(&self, group: u32, bytes: &mut Vec<u8>) {
        bytes.extend_from_slice(&self.counts[group as usize].to_le_bytes());
    }

    fn merge_encoded(&mut self, group: u32, bytes: &[u8]) -> Result<()> {
        self.counts[group as usize] += Reader::new(bytes).i64()?;
        Ok(())
    }

    fn clear(&mut self, group: u32) {
        self.counts[group as usize] = 0;
    }
}
