//! Orders the changes of a primary key in front of an upsert sink.
//!
//! Rows of one primary key may come from rows with different upsert keys, and then their changes arrive in any order:
//! the `-D` of an old row after the `+I` of its successor. All rows of a primary key are therefore kept in the order
//! they came, and the last one is what the sink shows.
//!
//! | arrives | rows of the key | emitted |
//! |---|---|---|
//! | `+I`, `+U` | none | `+I` |
//! | `+I`, `+U` | some | `+U`; it replaces the row with its upsert key, or else comes last |
//! | `-D`, `-U` | it is the only one | `-D` |
//! | `-D`, `-U` | it is the last one | `+U` of the one before it |
//! | `-D`, `-U` | others come after it, or it is not there | nothing |
//!
//! A row is found by its upsert key, or by all its columns, through an index: the cost of a change does not depend on
//! how many rows the key has.

mod rows;
#[cfg(test)]
mod tests;

use crate::batch_keys::KeyGrouper;
use crate::build::BuildContext;
use crate::change_rows::{ChangeRows, RowRef};
use crate::columns::schema_of;
use crate::row_values::{KeyColumns, StoredRows};
use arrow::datatypes::SchemaRef;
use headwater_data::ChangeBatch;
use headwater_data::key_codec::EncodedKeys;
use headwater_operator_api::{Collector, OpenContext, Operator};
use headwater_plan::OperatorNode;
use headwater_plan::graph::RowType;
use headwater_plan::operators::SinkMaterializeSpec;
use headwater_state::{EncodedRows, Snapshot};
use headwater_types::{Error, Result, RowKind};
use rows::KeyRows;

/// Builds the operator.
pub(crate) fn build(
    spec: &SinkMaterializeSpec,
    node: &OperatorNode,
    _context: &BuildContext<'_>,
) -> Result<Box<dyn Operator>> {
    let input = node.inputs[0].clone();
    let identity = spec.upsert_key.clone().unwrap_or_else(|| (0..input.len()).collect());
    Ok(Box::new(SinkMaterialize {
        grouper: KeyGrouper::new(&input, &spec.keys)?,
        identity: KeyColumns::new(&input, &identity)?,
        codec: StoredRows::new(&input, 0)?,
        output: schema_of(&node.output),
        rows: None,
        spec: spec.clone(),
        input,
    }))
}

struct SinkMaterialize {
    spec: SinkMaterializeSpec,
    input: RowType,
    grouper: KeyGrouper,
    /// What identifies a row: its upsert key, or all its columns.
    identity: KeyColumns,
    codec: StoredRows,
    output: SchemaRef,
    rows: Option<KeyRows>,
}

/// One row to process.
struct Change<'a> {
    key: &'a [u8],
    identity: &'a [u8],
    bytes: &'a [u8],
    row: u32,
}

impl SinkMaterialize {
    fn add(&self, rows: &mut KeyRows, change: &Change<'_>, changes: &mut ChangeRows) -> Result<()> {
        let shown = rows.last(change.key)?;
        let known = match self.spec.upsert_key {
            Some(_) => rows.find(change.key, change.identity)?,
            None => None,
        };
        match known {
            Some(number) => rows.replace(change.key, &number, change.bytes)?,
            None => rows.push(change.key, change.identity, change.bytes)?,
        }
        match shown {
            None => changes.push(RowKind::Insert, RowRef::Input(change.row)),
            Some((_, shown)) => self.update(&shown, RowRef::Input(change.row), changes),
        }
        Ok(())
    }

    fn take_back(&self, rows: &mut KeyRows, change: &Change<'_>, changes: &mut ChangeRows) -> Result<()> {
        let Some(number) = rows.find(change.key, change.identity)? else { return Ok(()) };
        let shown = rows.last(change.key)?;
        rows.remove(change.key, change.identity, &number)?;
        match (shown, rows.last(change.key)?) {
            (_, None) => changes.push(RowKind::Delete, RowRef::Input(change.row)),
            (Some((last, shown)), Some((_, next))) if last == number => {
                self.update(&shown, RowRef::Stored(&next), changes);
            }
            _ => {}
        }
        Ok(())
    }

    fn update(&self, before: &[u8], after: RowRef<'_>, changes: &mut ChangeRows) {
        if self.spec.emits_update_before {
            changes.push(RowKind::UpdateBefore, RowRef::Stored(before));
        }
        changes.push(RowKind::UpdateAfter, after);
    }

    fn run(&self, rows: &mut KeyRows, batch: &ChangeBatch, out: &mut dyn Collector) -> Result<()> {
        let keys = self.grouper.read(batch.rows())?;
        rows.prefetch(&keys.keys)?;
        let (mut bytes, mut identities) = (EncodedRows::new(), EncodedKeys::new());
        self.codec.encode(batch.rows(), &mut bytes)?;
        self.identity.encode(batch.rows(), &mut identities)?;
        let mut changes = ChangeRows::default();
        for (row, group) in keys.groups.iter().enumerate() {
            let key = keys.keys.key(*group as usize);
            let change = Change { key, identity: identities.key(row), bytes: bytes.row(row), row: row as u32 };
            match batch.kind(row).is_add() {
                true => self.add(rows, &change, &mut changes)?,
                false => self.take_back(rows, &change, &mut changes)?,
            }
        }
        changes.emit(batch.rows(), &self.codec, &self.output, out)
    }
}

impl Operator for SinkMaterialize {
    fn open(&mut self, context: &OpenContext) -> Result<()> {
        self.rows = Some(KeyRows::open(&self.spec, &self.input, &context.state)?);
        Ok(())
    }

    fn process(&mut self, _input: u8, batch: ChangeBatch, out: &mut dyn Collector) -> Result<()> {
        let unopened = || Error::internal("a sink materializer processes rows before it is opened");
        let mut rows = self.rows.take().ok_or_else(unopened)?;
        let done = self.run(&mut rows, &batch, out);
        self.rows = Some(rows);
        done
    }

    fn snapshot(&mut self, snapshot: &mut Snapshot, _out: &mut dyn Collector) -> Result<()> {
        if let Some(rows) = &mut self.rows {
            rows.snapshot(snapshot);
        }
        Ok(())
    }
}
