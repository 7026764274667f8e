//! Drops `-U` rows: the consumer identifies rows by their key and needs only the new ones.
//!
//! A filter may take one half of a change. With a key given, a `-U` whose `+U` is not right behind it leaves as `-D`,
//! so that a consumer without `-U` still learns that the row is gone.

use crate::arrow_error;
use arrow::array::{BooleanArray, RecordBatch};
use arrow::compute::{and, kernels::cmp::not_distinct};
use headwater_data::{ChangeBatch, RowKinds};
use headwater_operator_api::{Collector, Operator};
use headwater_plan::operators::DropUpdateBeforeSpec;
use headwater_types::{Result, RowKind};

const BEFORE: i8 = RowKind::UpdateBefore as i8;
const AFTER: i8 = RowKind::UpdateAfter as i8;

/// The operator; it keeps no state.
pub(crate) struct DropUpdateBefore {
    keys: Option<Vec<usize>>,
}

impl DropUpdateBefore {
    /// The operator of a specification.
    pub(crate) fn new(spec: &DropUpdateBeforeSpec) -> Self {
        Self { keys: spec.keys.clone() }
    }

    /// For each row, whether it is a `-U` that nothing replaces.
    fn orphans(&self, rows: &RecordBatch, kinds: &[i8]) -> Result<Vec<bool>> {
        let Some(keys) = &self.keys else { return Ok(vec![false; kinds.len()]) };
        let same = same_as_next(rows, keys)?;
        let replaced = |row: usize| {
            let next_is_after = kinds.get(row + 1) == Some(&AFTER);
            next_is_after && same.as_ref().is_none_or(|same| same.value(row))
        };
        Ok(kinds.iter().enumerate().map(|(row, kind)| *kind == BEFORE && !replaced(row)).collect())
    }
}

/// For each row but the last, whether its key is that of the row behind it; `None` without key columns.
fn same_as_next(rows: &RecordBatch, keys: &[usize]) -> Result<Option<BooleanArray>> {
    let pairs = rows.num_rows() - 1;
    let mut all: Option<BooleanArray> = None;
    for key in keys {
        let column = rows.column(*key);
        let same = not_distinct(&column.slice(0, pairs), &column.slice(1, pairs)).map_err(arrow_error)?;
        all = Some(match all {
            None => same,
            Some(before) => and(&before, &same).map_err(arrow_error)?,
        });
    }
    Ok(all)
}

impl Operator for DropUpdateBefore {
    fn process(&mut self, _input: u8, batch: ChangeBatch, out: &mut dyn Collector) -> Result<()> {
        let RowKinds::Mixed(kinds) = batch.kinds() else {
            out.emit(batch);
            return Ok(());
        };
        if !kinds.contains(&BEFORE) {
            out.emit(batch);
            return Ok(());
        }
        let orphans = self.orphans(batch.rows(), kinds)?;
        let kept: Vec<bool> = kinds.iter().zip(&orphans).map(|(kind, orphan)| *kind != BEFORE || *orphan).collect();
        let kinds = kinds.iter().map(|kind| if *kind == BEFORE { RowKind::Delete as i8 } else { *kind }).collect();
        let batch = ChangeBatch::mixed(batch.rows().clone(), kinds);
        out.emit(batch.filter(&kept.into()).map_err(arrow_error)?);
        Ok(())
    }
}

#[cfg(test)]
mod tests;
