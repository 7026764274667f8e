//! Aggregate functions over many groups at once.
//!
//! An [`Accumulator`] holds the state of one call for groups `0..n` in vectors and takes whole columns
//! together with the group of every row. Two accumulators of the same call can be merged group by group
//! (slices into windows), and a group can be written to bytes and merged from them (two-phase aggregation).
//!
//! Rows carry a sign: `+1` adds, `-1` takes a row back, `0` is ignored (a filter said no). Accumulators
//! that cannot take rows back cheaply exist twice; [`Aggregates::new`] picks by whether the input is a changelog.

mod average;
mod bitmap;
mod count;
mod distinct;
pub(crate) mod encoding;
pub(crate) mod factory;
mod json;
pub(crate) mod min_max;
mod percentile;
mod sequence;
mod sum;
#[cfg(test)]
mod tests;
mod variance;

pub(crate) use count::Count;
pub(crate) use factory::Aggregates;

use arrow::array::{ArrayRef, BinaryBuilder};
use arrow::buffer::NullBuffer;
use headwater_types::Result;
use std::any::Any;
use std::sync::Arc;

/// The rows of one update.
pub(crate) struct Input<'a> {
    /// Argument columns, one value per row.
    pub(crate) args: &'a [ArrayRef],
    /// One sign per row; all `+1` when absent.
    pub(crate) signs: Option<&'a [i8]>,
    /// Arrival number of the first row: later rows of the operator have greater numbers.
    pub(crate) sequence: u64,
}

/// The state of one aggregate call for many groups.
pub(crate) trait Accumulator: Send + Any {
    /// Makes room for groups `0..groups`; new groups are empty.
    fn grow(&mut self, groups: usize);
    /// Adds rows; `groups[i]` is the group of row `i`.
    fn update(&mut self, groups: &[u32], input: &Input<'_>) -> Result<()>;
    /// Adds the groups of an accumulator of the same call; its group `i` belongs to group `groups[i]` here.
    fn merge(&mut self, other: &dyn Accumulator, groups: &[u32]) -> Result<()>;
    /// Adds rows one after the other; the answer holds for every row the result of its group right after it.
    /// Where `resets` is set, the group is emptied before the row.
    fn scan(&mut self, groups: &[u32], input: &Input<'_>, resets: Option<&[bool]>) -> Result<ArrayRef> {
        scan_by_rows(self, groups, input, resets)
    }
    /// The results of some groups.
    fn evaluate(&self, groups: &[u32]) -> Result<ArrayRef>;
    /// Appends the state of a group to `bytes`.
    fn encode(&self, group: u32, bytes: &mut Vec<u8>);
    /// Merges a state written by [`Accumulator::encode`] into a group.
    fn merge_encoded(&mut self, group: u32, bytes: &[u8]) -> Result<()>;
    /// Takes over a state of the same group that was written by [`Accumulator::encode`] before any row that is
    /// still to come.
    fn load(&mut self, group: u32, bytes: &[u8]) -> Result<()> {
        self.merge_encoded(group, bytes)
    }
    /// Empties a group.
    fn clear(&mut self, group: u32);
}

/// The states of some groups as a column, to be stored.
pub(crate) fn encoded_column(accumulator: &dyn Accumulator, groups: impl ExactSizeIterator<Item = u32>) -> ArrayRef {
    let mut state = vec![];
    let mut builder = BinaryBuilder::with_capacity(groups.len(), groups.len() * 16);
    for group in groups {
        state.clear();
        accumulator.encode(group, &mut state);
        builder.append_value(&state);
    }
    Arc::new(builder.finish())
}

/// One row of a scan.
pub(crate) struct Step {
    pub(crate) row: usize,
    pub(crate) group: usize,
    /// What the row does to the group; 0 when it does not count.
    pub(crate) sign: i8,
    /// Whether the group is emptied first.
    reset: bool,
}

/// Visits the rows of a scan in order; rows with NULLs do not count.
pub(crate) fn steps<'a, T>(
    groups: &'a [u32],
    signs: Option<&'a [i8]>,
    nulls: Option<&'a NullBuffer>,
    resets: Option<&'a [bool]>,
    mut each: impl FnMut(Step) -> T + 'a,
) -> impl Iterator<Item = T> + 'a {
    let nulls = nulls.filter(|n| n.null_count() > 0);
    groups.iter().enumerate().map(move |(row, group)| {
        let valid = nulls.is_none_or(|n| n.is_valid(row));
        let sign = if valid { signs.map_or(1, |signs| signs[row]) } else { 0 };
        each(Step { row, group: *group as usize, sign, reset: resets.is_some_and(|resets| resets[row]) })
    })
}

/// A scan that updates and evaluates row by row: for functions whose results cost more than that.
fn scan_by_rows<A: Accumulator + ?Sized>(
    accumulator: &mut A,
    groups: &[u32],
    input: &Input<'_>,
    resets: Option<&[bool]>,
) -> Result<ArrayRef> {
    let mut results = Vec::with_capacity(groups.len().max(1));
    for (row, group) in groups.iter().enumerate() {
        if resets.is_some_and(|resets| resets[row]) {
            accumulator.clear(*group);
        }
        let args: Vec<ArrayRef> = input.args.iter().map(|arg| arg.slice(row, 1)).collect();
        let signs = input.signs.map(|signs| &signs[row..=row]);
        let one = Input { args: &args, signs, sequence: input.sequence + row as u64 };
        accumulator.update(std::slice::from_ref(group), &one)?;
        results.push(accumulator.evaluate(std::slice::from_ref(group))?);
    }
    if results.is_empty() {
        return accumulator.evaluate(&[]);
    }
    let parts: Vec<_> = results.iter().map(AsRef::as_ref).collect();
    arrow::compute::concat(&parts).map_err(crate::arrow_error)
}

/// `other` as the same accumulator type as the one it is merged into.
fn same<T: Accumulator>(other: &dyn Accumulator) -> &T {
    let other: &dyn Any = other;
    other.downcast_ref().expect("accumulators of one call have one type")
}

/// Calls `each(row, group, sign)` for every row that counts: sign not zero, value not NULL.
#[inline]
fn for_each(groups: &[u32], signs: Option<&[i8]>, nulls: Option<&NullBuffer>, mut each: impl FnMut(usize, usize, i8)) {
    match (signs, nulls.filter(|n| n.null_count() > 0)) {
        (None, None) => groups.iter().enumerate().for_each(|(row, group)| each(row, *group as usize, 1)),
        (None, Some(nulls)) => nulls.valid_indices().for_each(|row| each(row, groups[row] as usize, 1)),
        (Some(signs), nulls) => {
            for (row, (group, sign)) in groups.iter().zip(signs).enumerate() {
                if *sign != 0 && nulls.is_none_or(|n| n.is_valid(row)) {
                    each(row, *group as usize, *sign);
                }
            }
        }
    }
}
