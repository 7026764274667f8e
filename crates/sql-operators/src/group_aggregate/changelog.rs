//! Aggregation of unbounded input: every row updates its group and emits the change of the result.
//!
//! | before the row | after | emitted |
//! |---|---|---|
//! | no group | group | `+I` new |
//! | group | group, another result | `-U` old, `+U` new |
//! | group | group, the same result | nothing |
//! | group | no group: its last row was taken back | `-D` old |
//! | no group, the row takes back | no group | nothing |
//!
//! The rows of a batch are taken in rounds such that a group has at most one row per round; within a round
//! everything is columnar. The changes are then emitted in the order of the rows.

use crate::aggregate::Count;
use crate::aggregate::factory::{Rows, signs_of};
use crate::arrow_error;
use crate::columns::{record_batch, schema_of};
use crate::pane::{Pane, PaneLayout};
use arrow::array::{Array, ArrayRef, UInt32Array};
use arrow::compute::kernels::cmp::not_distinct;
use arrow::compute::{interleave, take};
use arrow::datatypes::SchemaRef;
use headwater_data::ChangeBatch;
use headwater_data::key_codec::{EncodedKeys, KeyEncoder};
use headwater_operator_api::{Collector, Operator};
use headwater_plan::OperatorNode;
use headwater_plan::operators::GroupAggregateSpec;
use headwater_types::{Result, RowKind};

pub(super) struct ChangelogAggregate {
    keys: Vec<usize>,
    layout: PaneLayout,
    pane: Pane,
    output: SchemaRef,
    rows_seen: u64,
}

/// A change of a result: its row in the batch, and where the result is.
struct Change {
    row: u32,
    kind: RowKind,
    /// Index into the chunks of results, and the position within it.
    place: (usize, usize),
}

/// The changes of a batch with the result columns they point into.
#[derive(Default)]
struct Changes {
    chunks: Vec<Vec<ArrayRef>>,
    changes: Vec<Change>,
    /// Groups of the last round, whose results are the last chunk.
    last_groups: Vec<u32>,
}

impl Changes {
    /// The results of these groups, when the last round was over the same: a batch that is all about few
    /// groups then evaluates them once per round instead of twice.
    fn last_results(&self, groups: &[u32]) -> Option<Vec<ArrayRef>> {
        if self.last_groups == groups { self.chunks.last().cloned() } else { None }
    }

    /// Records the change of one group in the round whose results before and after are the next chunks.
    fn record(&mut self, row: u32, position: usize, existed: bool, exists: bool, same: bool) {
        let before = self.chunks.len();
        let mut push = |kind, chunk| self.changes.push(Change { row, kind, place: (chunk, position) });
        match (existed, exists) {
            (false, true) => push(RowKind::Insert, before + 1),
            (true, false) => push(RowKind::Delete, before),
            (true, true) if !same => {
                push(RowKind::UpdateBefore, before);
                push(RowKind::UpdateAfter, before + 1);
            }
            _ => {}
        }
    }
}

impl ChangelogAggregate {
    pub(super) fn new(spec: &GroupAggregateSpec, node: &OperatorNode, layout: PaneLayout) -> Result<Self> {
        Ok(Self {
            keys: spec.keys.clone(),
            // Rows are always counted here: a group without rows does not exist.
            pane: Pane { live: Some(Count::default()), ..layout.pane()? },
            layout,
            output: schema_of(&node.output),
            rows_seen: 0,
        })
    }

    fn results(&self, groups: &[u32]) -> Result<Vec<ArrayRef>> {
        self.pane.accumulators.iter().map(|a| a.evaluate(groups)).collect()
    }

    /// Applies rows of distinct groups and records their changes.
    fn round(
        &mut self,
        rows: &[u32],
        groups: &[u32],
        columns: &[ArrayRef],
        signs: Option<&[i8]>,
        changes: &mut Changes,
    ) -> Result<()> {
        let existed: Vec<bool> = groups.iter().map(|g| self.pane.is_live(*g)).collect();
        // There is nothing to take back from a group that does not exist.
        let sign = |(row, existed): (&u32, &bool)| match signs.map_or(1, |s| s[*row as usize]) {
            -1 if !existed => 0,
            sign => sign,
        };
        let signs: Option<Vec<i8>> = signs.map(|_| rows.iter().zip(&existed).map(sign).collect());
        let before = match changes.last_results(groups) {
            Some(known) => known,
            None => self.results(groups)?,
        };
        let input = Rows { columns, range: 0..rows.len(), signs: signs.as_deref(), sequence: self.rows_seen };
        self.layout.update_groups(&mut self.pane, groups, &input)?;
        self.rows_seen += rows.len() as u64;
        let after = self.results(groups)?;
        let same = equal_rows(&before, &after, rows.len())?;
        for (position, (row, group)) in rows.iter().zip(groups).enumerate() {
            let exists = self.pane.is_live(*group);
            changes.record(*row, position, existed[position], exists, same[position]);
            if existed[position] && !exists {
                self.pane.clear(*group);
            }
        }
        changes.chunks.extend([before, after]);
        changes.last_groups.clear();
        changes.last_groups.extend_from_slice(groups);
        Ok(())
    }

    fn emit(&self, mut changes: Changes, columns: &[ArrayRef], out: &mut dyn Collector) -> Result<()> {
        if changes.changes.is_empty() {
            return Ok(());
        }
        changes.changes.sort_by_key(|change| change.row);
        let rows: UInt32Array = changes.changes.iter().map(|change| change.row).collect::<Vec<_>>().into();
        let key = |key: &usize| take(&columns[*key], &rows, None).map_err(arrow_error);
        let mut output = self.keys.iter().map(key).collect::<Result<Vec<_>>>()?;
        let places: Vec<(usize, usize)> = changes.changes.iter().map(|change| change.place).collect();
        for call in 0..self.layout.aggregates.len() {
            let parts: Vec<&dyn Array> = changes.chunks.iter().map(|chunk| chunk[call].as_ref()).collect();
            output.push(interleave(&parts, &places).map_err(arrow_error)?);
        }
        let batch = record_batch(&self.output, output, places.len())?;
        out.emit(ChangeBatch::from_kinds(batch, changes.changes.iter().map(|change| change.kind)));
        Ok(())
    }
}

impl Operator for ChangelogAggregate {
    fn process(&mut self, _input: u8, batch: ChangeBatch, out: &mut dyn Collector) -> Result<()> {
        let columns = batch.rows().columns();
        let key_columns: Vec<_> = self.keys.iter().map(|key| columns[*key].clone()).collect();
        let keys = self.layout.reader.read(&key_columns, batch.num_rows())?;
        let mut groups = vec![];
        self.pane.index.intern(&keys, 0..batch.num_rows(), &mut groups);
        self.pane.grow_to(self.pane.groups());
        let signs = signs_of(batch.kinds());
        let mut changes = Changes::default();
        for rows in rounds(&groups, self.pane.groups()) {
            let of_round: Vec<u32> = rows.iter().map(|row| groups[*row as usize]).collect();
            if rows.len() == batch.num_rows() {
                self.round(&rows, &of_round, columns, signs.as_deref(), &mut changes)?;
                continue;
            }
            let picked = pick_rows(columns, &rows)?;
            self.round(&rows, &of_round, &picked, signs.as_deref(), &mut changes)?;
        }
        self.emit(changes, columns, out)
    }
}

/// The rows of a round; a single one without copying.
fn pick_rows(columns: &[ArrayRef], rows: &[u32]) -> Result<Vec<ArrayRef>> {
    if let [row] = rows {
        return Ok(columns.iter().map(|column| column.slice(*row as usize, 1)).collect());
    }
    let indices = UInt32Array::from(rows.to_vec());
    columns.iter().map(|column| take(column, &indices, None).map_err(arrow_error)).collect()
}

/// Splits rows such that a group occurs at most once per part and keeps the order of its rows.
fn rounds(groups: &[u32], group_count: usize) -> Vec<Vec<u32>> {
    let mut occurrences = vec![0u32; group_count];
    let mut rounds: Vec<Vec<u32>> = vec![];
    for (row, group) in groups.iter().enumerate() {
        let round = occurrences[*group as usize] as usize;
        occurrences[*group as usize] += 1;
        if round == rounds.len() {
            rounds.push(vec![]);
        }
        rounds[round].push(row as u32);
    }
    rounds
}

/// Which rows are equal in all columns, NULL being equal to NULL.
fn equal_rows(left: &[ArrayRef], right: &[ArrayRef], rows: usize) -> Result<Vec<bool>> {
    let mut equal = vec![true; rows];
    for (left, right) in left.iter().zip(right) {
        if left.data_type().is_nested() {
            let (left, right) = (encoded(left)?, encoded(right)?);
            equal.iter_mut().enumerate().for_each(|(row, equal)| *equal &= left.key(row) == right.key(row));
        } else {
            let same = not_distinct(left, right).map_err(arrow_error)?;
            equal.iter_mut().enumerate().for_each(|(row, equal)| *equal &= same.value(row));
        }
    }
    Ok(equal)
}

fn encoded(column: &ArrayRef) -> Result<EncodedKeys> {
    let mut keys = EncodedKeys::new();
    let encoder = KeyEncoder::new(&[column.data_type().clone()])?;
    encoder.encode(std::slice::from_ref(column), column.len(), &mut keys)?;
    Ok(keys)
}
