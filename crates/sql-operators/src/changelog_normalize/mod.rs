//! Turns an upsert stream into a full changelog: the last row of every key is kept, so that updates and deletions
//! leave with the whole row they take back.
//!
//! | kept row | arrives | emitted |
//! |---|---|---|
//! | none | `+I`, `+U` | `+I` |
//! | a row | the same row | nothing; with a time to live the update, which keeps state alive downstream |
//! | a row | another row | `-U` kept, `+U` new |
//! | a row | `-D`, `-U`, or a row that fails the condition | `-D` kept: the arriving row may hold the key only |
//! | none | `-D`, `-U`, or a row that fails the condition | nothing |

use crate::batch_keys::KeyGrouper;
use crate::build::{BuildContext, expr_context};
use crate::change_rows::{ChangeRows, RowRef};
use crate::columns::{schema_of, types_of};
use crate::keyed_rows::{CurrentRows, KeyedRows};
use crate::mini_batch::{BundleOperator, Bundled};
use crate::row_values::state_columns;
use arrow::array::{Array, BooleanArray};
use arrow::datatypes::SchemaRef;
use headwater_data::ChangeBatch;
use headwater_expressions::{Evaluator, compile};
use headwater_operator_api::{Collector, OpenContext, Operator};
use headwater_plan::OperatorNode;
use headwater_plan::operators::ChangelogNormalizeSpec;
use headwater_state::Snapshot;
use headwater_types::{Result, RowKind};

/// Builds the operator.
pub(crate) fn build(
    spec: &ChangelogNormalizeSpec,
    node: &OperatorNode,
    context: &BuildContext<'_>,
) -> Result<Box<dyn Operator>> {
    let input = &node.inputs[0];
    let compile = |condition| compile(condition, &types_of(input), &expr_context(context)?);
    let normalize = ChangelogNormalize {
        grouper: KeyGrouper::new(input, &spec.keys)?,
        rows: KeyedRows::new("rows", state_columns(input, &spec.keys), input, spec.state_ttl_ms)?,
        condition: spec.condition.as_ref().map(compile).transpose()?,
        output: schema_of(&node.output),
        bundled: spec.mini_batch.is_some(),
        update_before: spec.emits_update_before,
        skip_unchanged: spec.state_ttl_ms == 0,
    };
    Ok(Box::new(Bundled::new(normalize, spec.mini_batch)))
}

struct ChangelogNormalize {
    grouper: KeyGrouper,
    rows: KeyedRows,
    condition: Option<Evaluator>,
    output: SchemaRef,
    /// Whether only the last row of a key counts in each batch.
    bundled: bool,
    update_before: bool,
    skip_unchanged: bool,
}

impl ChangelogNormalize {
    /// The key gets a row.
    fn upsert(&self, group: u32, row: u32, rows: &mut CurrentRows, changes: &mut ChangeRows) {
        match rows.get(group) {
            None => changes.push(RowKind::Insert, RowRef::Input(row)),
            Some(_) if self.skip_unchanged && rows.is_same(group, row) => return,
            Some(kept) => {
                if self.update_before {
                    changes.push(RowKind::UpdateBefore, kept);
                }
                changes.push(RowKind::UpdateAfter, RowRef::Input(row));
            }
        }
        rows.set(group, row);
    }
}

/// The key loses its row.
fn delete(group: u32, rows: &mut CurrentRows, changes: &mut ChangeRows) {
    if let Some(kept) = rows.get(group) {
        changes.push(RowKind::Delete, kept);
        rows.remove(group);
    }
}

/// For each row, whether it is the last one of its key.
pub(crate) fn last_of_keys(groups: &[u32], keys: usize) -> Vec<bool> {
    let mut seen = vec![false; keys];
    let mut last = vec![false; groups.len()];
    for (row, group) in groups.iter().enumerate().rev() {
        last[row] = !std::mem::replace(&mut seen[*group as usize], true);
    }
    last
}

impl BundleOperator for ChangelogNormalize {
    fn open(&mut self, context: &OpenContext) -> Result<()> {
        self.rows.open(&context.state)
    }

    fn process(&mut self, batch: ChangeBatch, out: &mut dyn Collector) -> Result<()> {
        let keys = self.grouper.read(batch.rows())?;
        let mut rows = self.rows.load(&keys.keys, batch.rows())?;
        let passes = match &self.condition {
            Some(condition) => Some(condition.evaluate_predicate(batch.rows())?),
            None => None,
        };
        let passes =
            |row: usize| passes.as_ref().is_none_or(|mask: &BooleanArray| mask.is_valid(row) && mask.value(row));
        let last = self.bundled.then(|| last_of_keys(&keys.groups, keys.len()));
        let mut changes = ChangeRows::default();
        for (row, group) in keys.groups.iter().enumerate() {
            if last.as_ref().is_some_and(|last| !last[row]) {
                continue;
            }
            match batch.kind(row).is_add() && passes(row) {
                true => self.upsert(*group, row as u32, &mut rows, &mut changes),
                false => delete(*group, &mut rows, &mut changes),
            }
        }
        self.rows.store(&keys.keys, &rows)?;
        changes.emit(batch.rows(), self.rows.codec(), &self.output, out)
    }

    fn snapshot(&mut self, snapshot: &mut Snapshot) {
        self.rows.snapshot(snapshot);
    }
}

#[cfg(test)]
mod tests;
