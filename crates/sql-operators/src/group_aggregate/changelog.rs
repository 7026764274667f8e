//! Aggregation of unbounded input: rows update their groups and the changes of the results are emitted.
//!
//! | before | after | emitted |
//! |---|---|---|
//! | no group | group | `+I` new |
//! | group | group, another result | `-U` old, `+U` new |
//! | group | group, the same result | nothing; with a time to live the update, which keeps state alive downstream |
//! | group | no group: its last row was taken back | `-D` old |
//! | no group, the row takes back | no group | nothing |
//!
//! Each row is a change; with mini-batch each key of a bundle is. State is read and written once per key and batch.
//! Within a batch everything is columnar, however often a key occurs: accumulators scan the rows in order and return
//! the result after each.

use super::calls::{BatchRows, Calls, TableOptions};
use super::changes::{ChangeRules, Results, change_batch, results_before};
use super::lives::{self, Step};
use super::names::{accumulator_columns, call_texts};
use super::table::AccumulatorTable;
use crate::aggregate::factory::signs_of;
use crate::batch_keys::{BatchKeys, KeyGrouper};
use crate::columns::{schema_of, types_of};
use crate::mini_batch::BundleOperator;
use crate::row_values::state_columns;
use arrow::array::ArrayRef;
use arrow::datatypes::SchemaRef;
use headwater_data::ChangeBatch;
use headwater_data::key_codec::EncodedKeys;
use headwater_operator_api::{Collector, OpenContext};
use headwater_plan::OperatorNode;
use headwater_plan::operators::GroupAggregateSpec;
use headwater_state::Snapshot;
use headwater_types::Result;
use std::sync::Arc;

pub(super) struct ChangelogAggregate {
    keys: Vec<usize>,
    grouper: KeyGrouper,
    calls: Calls,
    table: AccumulatorTable,
    /// Whether a batch is a bundle, of which each key changes once.
    bundled: bool,
    rules: ChangeRules,
    output: SchemaRef,
    /// Arrival number of the next row; those in state came before all of them.
    sequence: u64,
}

impl ChangelogAggregate {
    /// `retract` when the input is a changelog.
    pub(super) fn new(spec: &GroupAggregateSpec, node: &OperatorNode, retract: bool) -> Result<Self> {
        let (input, ttl_ms) = (&node.inputs[0], spec.state_ttl_ms);
        let key = state_columns(input, &spec.keys);
        let bundled = spec.mini_batch.is_some();
        let types = types_of(input);
        let accumulators = accumulator_columns(call_texts(&spec.calls, input), &spec.calls, &types, retract);
        Ok(Self {
            keys: spec.keys.clone(),
            grouper: KeyGrouper::new(input, &spec.keys)?,
            calls: Calls::new(&spec.calls, input, retract, &TableOptions { key: &key, ttl_ms })?,
            table: AccumulatorTable::new(accumulators, &key, retract, ttl_ms)?,
            bundled,
            rules: ChangeRules { update_before: spec.emits_update_before, skip_unchanged: bundled || ttl_ms == 0 },
            output: schema_of(&node.output),
            sequence: 1,
        })
    }

    /// Adds the rows; the answer has the steps, a row for the key of each, and the results before and after.
    fn apply(&mut self, batch: &ChangeBatch, keys: &BatchKeys, counts: &mut [i64]) -> Result<Applied> {
        let initial = self.calls.results(keys.len())?;
        let signs = signs_of(batch.kinds());
        let lives = match self.bundled {
            true => lives::bundled(&keys.groups, signs.as_deref(), counts),
            false => lives::row_by_row(&keys.groups, signs.as_deref(), counts),
        };
        let rows = BatchRows {
            keys: &keys.keys,
            groups: &keys.groups,
            columns: batch.rows().columns(),
            signs: lives.signs.as_deref(),
            resets: lives.resets.as_deref(),
            sequence: self.sequence,
        };
        self.sequence += batch.num_rows() as u64;
        if self.bundled {
            self.calls.update(&rows)?;
            let after = self.calls.results(keys.len())?;
            return Ok(Applied { steps: lives.steps, rows: keys.first_rows(), before: initial, after });
        }
        let after = self.calls.scan(&rows)?;
        let before = match lives.steps.iter().all(|step| matches!(step, Step::Insert | Step::Nothing)) {
            true => after.clone(),
            false => results_before(&initial, &after, &keys.groups)?,
        };
        let rows = (0..batch.num_rows() as u32).collect();
        Ok(Applied { steps: lives.steps, rows, before, after })
    }

    /// Forgets what is kept for groups that are gone.
    fn forget_dead(&mut self, keys: &EncodedKeys, counts: &[i64]) -> Result<()> {
        let dead = keys.iter().zip(counts).filter(|(_, count)| **count <= 0);
        dead.map(|(key, _)| key).try_for_each(|key| self.calls.forget(key))
    }
}

struct Applied {
    steps: Vec<Step>,
    rows: Vec<u32>,
    before: Vec<ArrayRef>,
    after: Vec<ArrayRef>,
}

impl BundleOperator for ChangelogAggregate {
    fn open(&mut self, context: &OpenContext) -> Result<()> {
        self.table.open(&context.state)?;
        self.calls.open(&context.state)
    }

    fn process(&mut self, batch: ChangeBatch, out: &mut dyn Collector) -> Result<()> {
        let keys = self.grouper.read(batch.rows())?;
        let loaded = self.table.load(&keys.keys)?;
        self.calls.begin(&Arc::new(keys.keys.clone()))?;
        self.calls.load(&loaded.groups, &loaded.accumulators()?)?;
        let mut counts = loaded.counts.clone();
        let Applied { steps, rows, before, after } = self.apply(&batch, &keys, &mut counts)?;
        self.table.store(&keys.keys, &loaded, &counts, self.calls.states(keys.len()))?;
        self.forget_dead(&keys.keys, &counts)?;
        let results = Results { steps: &steps, rows: &rows, before, after };
        let columns: Vec<_> = self.keys.iter().map(|key| batch.rows().column(*key).clone()).collect();
        if let Some(changes) = change_batch(&columns, &results, &self.rules, &self.output)? {
            out.emit(changes);
        }
        Ok(())
    }

    fn snapshot(&mut self, snapshot: &mut Snapshot) {
        self.table.snapshot(snapshot);
        self.calls.snapshot(snapshot);
    }
}
