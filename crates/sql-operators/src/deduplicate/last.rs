//! The row of a key that is best by arrival or by event time: it is kept, and replaced when a better one comes.

use crate::batch_keys::{BatchKeys, KeyGrouper};
use crate::change_rows::{ChangeRows, RowRef};
use crate::columns::{schema_of, timestamps_ms};
use crate::keyed_rows::{CurrentRows, KeyedRows};
use crate::mini_batch::BundleOperator;
use crate::row_values::state_columns;
use arrow::array::RecordBatch;
use arrow::buffer::ScalarBuffer;
use arrow::datatypes::SchemaRef;
use headwater_data::ChangeBatch;
use headwater_operator_api::{Collector, OpenContext};
use headwater_plan::OperatorNode;
use headwater_plan::operators::DeduplicateSpec;
use headwater_state::Snapshot;
use headwater_types::{Error, Result, RowKind};

pub(super) struct KeepBest {
    spec: DeduplicateSpec,
    grouper: KeyGrouper,
    rows: KeyedRows,
    output: SchemaRef,
}

/// The event times of the rows of a batch and of the kept rows.
struct Times {
    input: ScalarBuffer<i64>,
    /// Of the row that each key has now.
    kept: Vec<Option<i64>>,
}

/// Which row of a key is stored.
fn kept(spec: &DeduplicateSpec) -> &'static str {
    match (spec.keep_last, spec.rowtime) {
        (false, Some(_)) => "the first rows of their keys by event time",
        (true, Some(_)) => "the last rows of their keys by event time",
        (false, None) => "the first rows of their keys",
        (true, None) => "the last rows of their keys",
    }
}

impl KeepBest {
    pub(super) fn new(spec: &DeduplicateSpec, node: &OperatorNode) -> Result<Self> {
        let input = &node.inputs[0];
        Ok(Self {
            spec: spec.clone(),
            grouper: KeyGrouper::new(input, &spec.keys)?,
            rows: KeyedRows::new("rows", state_columns(input, &spec.keys), input, spec.state_ttl_ms)?
                .cut_by(kept(spec)),
            output: schema_of(&node.output),
        })
    }

    /// Whether rows need no state: consumers take the last row to arrive as it comes.
    fn passes_all(&self) -> bool {
        self.spec.rowtime.is_none() && !self.spec.emits_update_before && !self.spec.emits_insert
    }

    /// The rows of a batch that replace what their key had; in a bundle only the last that does.
    fn replacing(&self, keys: &BatchKeys, mut times: Option<Times>) -> Vec<u32> {
        let bundled = self.spec.mini_batch.is_some();
        let mut rows = vec![];
        let mut last: Vec<Option<u32>> = vec![None; keys.len()];
        for (row, group) in keys.groups.iter().enumerate() {
            if times.as_mut().is_some_and(|times| !times.wins(row, *group as usize, self.spec.keep_last)) {
                continue;
            }
            match bundled {
                true => last[*group as usize] = Some(row as u32),
                false => rows.push(row as u32),
            }
        }
        rows.extend(last.into_iter().flatten());
        rows
    }

    fn times(&self, input: &RecordBatch, kept: &RecordBatch, rows: &CurrentRows, keys: usize) -> Result<Option<Times>> {
        let Some(rowtime) = self.spec.rowtime else { return Ok(None) };
        let input = timestamps_ms(input.column(rowtime))?;
        if input.nulls.is_some() {
            let message = "RowTime field should not be null, please convert it to a non-null long value.";
            return Err(Error::user("null-rowtime", message));
        }
        let stored = timestamps_ms(kept.column(rowtime))?.ms;
        let kept = (0..keys as u32).map(|group| rows.stored_number(group).map(|number| stored[number as usize]));
        Ok(Some(Times { input: input.ms, kept: kept.collect() }))
    }

    fn replace(&self, group: u32, row: u32, rows: &mut CurrentRows, changes: &mut ChangeRows) {
        let tells_first = self.spec.emits_update_before || self.spec.emits_insert;
        let unchanged_is_nothing = self.spec.rowtime.is_none() && self.spec.state_ttl_ms == 0;
        match rows.get(group) {
            _ if !tells_first => changes.push(RowKind::UpdateAfter, RowRef::Input(row)),
            None => changes.push(RowKind::Insert, RowRef::Input(row)),
            Some(_) if unchanged_is_nothing && rows.is_same(group, row) => return,
            Some(kept) => {
                if self.spec.emits_update_before {
                    changes.push(RowKind::UpdateBefore, kept);
                }
                changes.push(RowKind::UpdateAfter, RowRef::Input(row));
            }
        }
        rows.set(group, row);
    }
}

impl Times {
    /// Whether a row replaces the one its key has, and if so that it does.
    fn wins(&mut self, row: usize, group: usize, keep_last: bool) -> bool {
        let time = self.input[row];
        let wins = self.kept[group].is_none_or(|kept| if keep_last { kept <= time } else { time < kept });
        if wins {
            self.kept[group] = Some(time);
        }
        wins
    }
}

impl BundleOperator for KeepBest {
    fn open(&mut self, context: &OpenContext) -> Result<()> {
        self.rows.open(&context.state)
    }

    fn process(&mut self, batch: ChangeBatch, out: &mut dyn Collector) -> Result<()> {
        let keys = self.grouper.read(batch.rows())?;
        let mut changes = ChangeRows::default();
        if self.passes_all() {
            for row in self.replacing(&keys, None) {
                changes.push(RowKind::UpdateAfter, RowRef::Input(row));
            }
            return changes.emit(batch.rows(), self.rows.codec(), &self.output, out);
        }
        let mut rows = self.rows.load(&keys.keys, batch.rows())?;
        let kept = match self.spec.rowtime {
            Some(_) => self.rows.decode_stored(&rows)?,
            None => RecordBatch::new_empty(self.rows.codec().schema().clone()),
        };
        let times = self.times(batch.rows(), &kept, &rows, keys.len())?;
        for row in self.replacing(&keys, times) {
            self.replace(keys.groups[row as usize], row, &mut rows, &mut changes);
        }
        self.rows.store(&keys.keys, &rows)?;
        changes.emit(batch.rows(), self.rows.codec(), &self.output, out)
    }

    fn snapshot(&mut self, snapshot: &mut Snapshot) {
        self.rows.snapshot(snapshot);
    }
}
