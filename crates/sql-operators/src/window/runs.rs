//! Arranging the rows of a batch by the slice they belong to.

use crate::arrow_error;
use arrow::array::{ArrayRef, UInt32Array};
use arrow::compute::take;
use headwater_types::Result;
use std::ops::Range;

/// The end of rows that belong to no slice: late, or without a time.
pub(crate) const DROPPED: i64 = i64::MIN;

/// The rows of a batch in an order in which every slice is one range.
pub(crate) struct Runs {
    /// Input columns in the new order; columns that nobody needs are left as they were.
    pub(crate) columns: Vec<ArrayRef>,
    /// Signs in the new order.
    pub(crate) signs: Option<Vec<i8>>,
    /// The slices (end and start) with their rows.
    pub(crate) ranges: Vec<((i64, i64), Range<usize>)>,
    /// Number of rows that belong to no slice.
    pub(crate) dropped: usize,
}

/// Arranges rows by slice, keeping the order within a slice. `starts` is empty unless slices are told apart
/// by their start, too.
pub(crate) fn arrange(
    columns: &[ArrayRef],
    needed: &[bool],
    signs: Option<Vec<i8>>,
    ends: &[i64],
    starts: &[i64],
) -> Result<Runs> {
    let slice = |row: usize| (ends[row], starts.get(row).copied().unwrap_or(0));
    let sorted = ends.is_sorted() && starts.is_sorted();
    if sorted {
        let (ranges, dropped) = ranges((0..ends.len()).map(slice));
        return Ok(Runs { columns: columns.to_vec(), signs, ranges, dropped });
    }
    let mut order: Vec<u32> = (0..ends.len() as u32).collect();
    order.sort_by_key(|row| slice(*row as usize));
    let (ranges, dropped) = ranges(order.iter().map(|row| slice(*row as usize)));
    let signs = signs.map(|signs| order.iter().map(|row| signs[*row as usize]).collect());
    let order = UInt32Array::from(order);
    let reorder = |(column, needed): (&ArrayRef, &bool)| match needed {
        true => take(column, &order, None).map_err(arrow_error),
        false => Ok(column.clone()),
    };
    let columns = columns.iter().zip(needed).map(reorder).collect::<Result<_>>()?;
    Ok(Runs { columns, signs, ranges, dropped })
}

type Ranges = Vec<((i64, i64), Range<usize>)>;

fn ranges(slices: impl Iterator<Item = (i64, i64)>) -> (Ranges, usize) {
    let mut ranges: Ranges = vec![];
    let mut dropped = 0;
    for (row, slice) in slices.enumerate() {
        match ranges.last_mut() {
            _ if slice.0 == DROPPED => dropped += 1,
            Some((known, range)) if *known == slice && range.end == row => range.end = row + 1,
            _ => ranges.push((slice, row..row + 1)),
        }
    }
    (ranges, dropped)
}
