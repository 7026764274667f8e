//! Reading arrays and comparing their elements.

use crate::Operand;
use crate::kernel::{arrow_error, downcast};
use arrow::array::{Array, ArrayRef, ListArray, MapArray};
use arrow::row::{RowConverter, Rows, SortField};
use headwater_types::{Error, Result};
use std::ops::Range;

/// An operand of ARRAY or MAP type: ranges of a column of elements.
pub(super) struct Lists<'a> {
    operand: &'a Operand,
    offsets: &'a [i32],
}

fn operand(args: &[Operand], index: usize) -> Result<&Operand> {
    args.get(index).ok_or_else(|| Error::internal(format!("argument {index} of a bound call is missing")))
}

impl<'a> Lists<'a> {
    /// The array argument at `index`, and its elements.
    pub(super) fn of(args: &'a [Operand], index: usize) -> Result<(Self, &'a ArrayRef)> {
        let operand = operand(args, index)?;
        let array: &ListArray = downcast(operand.array().as_ref())?;
        Ok((Self { operand, offsets: array.value_offsets() }, array.values()))
    }

    /// The map argument at `index`, its keys and its values.
    pub(super) fn of_map(args: &'a [Operand], index: usize) -> Result<(Self, &'a ArrayRef, &'a ArrayRef)> {
        let operand = operand(args, index)?;
        let array: &MapArray = downcast(operand.array().as_ref())?;
        Ok((Self { operand, offsets: array.value_offsets() }, array.keys(), array.values()))
    }

    /// Where the elements of a row are; `None` when the row is NULL.
    pub(super) fn range(&self, row: usize) -> Option<Range<usize>> {
        let at = self.operand.index(row);
        if self.operand.array().is_null(at) {
            return None;
        }
        Some(self.offsets[at] as usize..self.offsets[at + 1] as usize)
    }
}

/// Encodes columns of one type so that their values can be compared with each other.
pub(super) fn encode<const N: usize>(columns: [&ArrayRef; N]) -> Result<[Rows; N]> {
    let rows = encode_all(&columns)?;
    rows.try_into().map_err(|_| Error::internal("one encoding per column"))
}

/// [`encode`] for any number of columns.
pub(super) fn encode_all(columns: &[&ArrayRef]) -> Result<Vec<Rows>> {
    let Some(first) = columns.first() else { return Ok(Vec::new()) };
    let converter = RowConverter::new(vec![SortField::new(first.data_type().clone())]).map_err(arrow_error)?;
    let encode = |column: &&ArrayRef| converter.convert_columns(&[(*column).clone()]).map_err(arrow_error);
    columns.iter().map(encode).collect()
}
