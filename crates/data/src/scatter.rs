//! Hash partitioning: splits a change batch by the subtask that owns each row's key group.
//!
//! A counting sort over target indices, then one `take` per target, so that every part owns its memory
//! and no part keeps the whole batch alive. The order of rows within a target is kept. A `-U/+U` pair whose
//! two halves go to different targets (the key itself changed) becomes `-D` and `+I`, since neither target
//! could make sense of half a pair; pairs that stay together stay adjacent.
//!
//! This module does not queue, coalesce or send anything.

use crate::key_codec::{EncodedKeys, KeyEncoder};
use crate::{ChangeBatch, RowKinds, stable_hash};
use arrow::array::{ArrayRef, UInt32Array};
use arrow::buffer::ScalarBuffer;
use arrow::datatypes::DataType;
use headwater_types::key_group::{key_group, owner};
use headwater_types::{Error, Result, RowKind};

/// Splits batches of one edge. Keeps its buffers from batch to batch.
pub struct Scatter {
    columns: Vec<usize>,
    encoder: KeyEncoder,
    targets: u32,
    /// Target of each key group: a lookup is cheaper than a division per row.
    owner_of: Vec<u32>,
    keys: EncodedKeys,
    /// Target of each row of the current batch.
    target_of: Vec<u32>,
    /// Rows per target; then, during the sort, the next free position of each target.
    positions: Vec<u32>,
    /// Key columns of the current batch.
    key_columns: Vec<ArrayRef>,
}

impl Scatter {
    /// A splitter by the key `columns` of rows with the given column types, over `targets` subtasks and
    /// `groups` key groups.
    ///
    /// # Errors
    /// When a key column does not exist or cannot be encoded, or when there are more targets than groups.
    pub fn new(columns: Vec<usize>, types: &[DataType], targets: u32, groups: u32) -> Result<Self> {
        if targets == 0 || targets > groups {
            let message = format!("the parallelism {targets} must be between 1 and the max parallelism {groups}");
            return Err(Error::user("bad-parallelism", message));
        }
        let key_type =
            |c: &usize| types.get(*c).cloned().ok_or_else(|| Error::internal(format!("there is no key column {c}")));
        let key_types = columns.iter().map(key_type).collect::<Result<Vec<_>>>()?;
        Ok(Self {
            encoder: KeyEncoder::new(&key_types)?,
            columns,
            targets,
            owner_of: (0..groups).map(|group| owner(group, targets, groups)).collect(),
            keys: EncodedKeys::new(),
            target_of: vec![],
            positions: vec![],
            key_columns: vec![],
        })
    }

    /// Splits `batch` and appends `(target, rows)` to `parts`, in target order, empty parts left out.
    pub fn scatter(&mut self, batch: ChangeBatch, parts: &mut Vec<(u32, ChangeBatch)>) -> Result<()> {
        if batch.num_rows() == 0 {
            return Ok(());
        }
        if self.targets == 1 {
            parts.push((0, batch));
            return Ok(());
        }
        self.assign_targets(&batch)?;
        let first = self.target_of[0];
        if self.positions[first as usize] as usize == batch.num_rows() {
            parts.push((first, batch));
            return Ok(());
        }
        let batch = rewrite_separated_pairs(batch, &self.target_of);
        let counts = self.positions.clone();
        let indices = ScalarBuffer::from(self.sorted_rows());
        let mut start = 0;
        for (target, count) in counts.into_iter().enumerate().filter(|(_, count)| *count > 0) {
            let rows = UInt32Array::new(indices.slice(start, count as usize), None);
            let part = batch.take(&rows).map_err(|e| Error::internal("a batch could not be split").with_source(e))?;
            parts.push((target as u32, part));
            start += count as usize;
        }
        Ok(())
    }

    /// Fills `target_of`, and `positions` with the number of rows per target.
    fn assign_targets(&mut self, batch: &ChangeBatch) -> Result<()> {
        self.key_columns.clear();
        self.key_columns.extend(self.columns.iter().map(|c| batch.rows().column(*c).clone()));
        self.encoder.encode(&self.key_columns, batch.num_rows(), &mut self.keys)?;
        self.key_columns.clear();
        self.positions.clear();
        self.positions.resize(self.targets as usize, 0);
        self.target_of.clear();
        self.target_of.reserve(batch.num_rows());
        let groups = self.owner_of.len() as u32;
        for key in self.keys.iter() {
            let target = self.owner_of[key_group(stable_hash(key), groups) as usize];
            self.positions[target as usize] += 1;
            self.target_of.push(target);
        }
        Ok(())
    }

    /// Row numbers ordered by target; turns the counts in `positions` into end positions.
    fn sorted_rows(&mut self) -> Vec<u32> {
        let mut next = 0;
        for position in &mut self.positions {
            next += std::mem::replace(position, next);
        }
        let mut sorted = vec![0; self.target_of.len()];
        for (row, target) in self.target_of.iter().enumerate() {
            let position = &mut self.positions[*target as usize];
            sorted[*position as usize] = row as u32;
            *position += 1;
        }
        sorted
    }
}

/// Turns `-U/+U` pairs with different targets into `-D/+I`.
fn rewrite_separated_pairs(batch: ChangeBatch, target_of: &[u32]) -> ChangeBatch {
    let RowKinds::Mixed(kinds) = batch.kinds() else { return batch };
    let separated = |row: usize| {
        kinds[row] == RowKind::UpdateBefore as i8
            && kinds[row + 1] == RowKind::UpdateAfter as i8
            && target_of[row] != target_of[row + 1]
    };
    let last = kinds.len().saturating_sub(1);
    if !(0..last).any(separated) {
        return batch;
    }
    let mut rewritten = kinds.to_vec();
    for row in (0..last).filter(|row| separated(*row)) {
        rewritten[row] = RowKind::Delete as i8;
        rewritten[row + 1] = RowKind::Insert as i8;
    }
    let (rows, _) = batch.into_parts();
    ChangeBatch::mixed(rows, rewritten.into())
}

#[cfg(test)]
mod tests;
