//! The global half of a two-phase aggregation of unbounded input: adds what local halves have summed up.
//!
//! Each bundle changes a key once. Its state is that of an aggregation in one phase, so a job may change between the two.

use super::changes::{ChangeRules, Results, change_batch};
use super::lives::Step;
use super::names::accumulator_columns;
use super::table::AccumulatorTable;
use crate::aggregate::factory::plain_accumulator;
use crate::aggregate::{Accumulator, encoded_column};
use crate::batch_keys::KeyGrouper;
use crate::columns::schema_of;
use crate::mini_batch::BundleOperator;
use crate::row_values::state_columns;
use arrow::array::{Array, ArrayRef, AsArray, BinaryArray, RecordBatch};
use arrow::datatypes::{Int64Type, SchemaRef};
use headwater_data::ChangeBatch;
use headwater_operator_api::{Collector, OpenContext};
use headwater_plan::OperatorNode;
use headwater_plan::operators::{AggregateCall, GroupAggregateSpec};
use headwater_state::Snapshot;
use headwater_types::{LogicalType, Result};

pub(super) struct GlobalAggregate {
    keys: Vec<usize>,
    grouper: KeyGrouper,
    calls: Vec<AggregateCall>,
    /// Types of the rows that the local halves aggregate.
    row: Vec<LogicalType>,
    table: AccumulatorTable,
    /// Whether rows may be taken back: the input then says how many rows a key gained or lost.
    retract: bool,
    rules: ChangeRules,
    output: SchemaRef,
}

impl GlobalAggregate {
    pub(super) fn new(spec: &GroupAggregateSpec, node: &OperatorNode, retract: bool) -> Result<Self> {
        let input = &node.inputs[0];
        let first = spec.keys.len() + usize::from(retract);
        let texts = input.iter().skip(first).map(|(name, _)| name.clone());
        let accumulators = accumulator_columns(texts, &spec.calls, &spec.input_types, retract);
        let key = state_columns(input, &spec.keys);
        Ok(Self {
            keys: spec.keys.clone(),
            grouper: KeyGrouper::new(input, &spec.keys)?,
            calls: spec.calls.clone(),
            row: spec.input_types.clone(),
            table: AccumulatorTable::new(accumulators, &key, retract, spec.state_ttl_ms)?,
            retract,
            rules: ChangeRules { update_before: spec.emits_update_before, skip_unchanged: true },
            output: schema_of(&node.output),
        })
    }

    fn accumulators(&self, groups: usize) -> Result<Vec<Box<dyn Accumulator>>> {
        let empty = |call: &AggregateCall| {
            let mut accumulator = plain_accumulator(call, &self.row, self.retract)?;
            accumulator.grow(groups);
            Ok(accumulator)
        };
        self.calls.iter().map(empty).collect()
    }

    /// Adds rows to accumulators and to the counts of the groups' rows.
    fn merge(
        &self,
        rows: &RecordBatch,
        groups: &[u32],
        accumulators: &mut [Box<dyn Accumulator>],
        counts: &mut [i64],
    ) -> Result<()> {
        let gained = self.retract.then(|| rows.column(self.keys.len()).as_primitive::<Int64Type>());
        for (row, group) in groups.iter().enumerate() {
            counts[*group as usize] += gained.map_or(1, |gained| gained.value(row));
        }
        let first = self.keys.len() + usize::from(self.retract);
        for (accumulator, partials) in accumulators.iter_mut().zip(&rows.columns()[first..]) {
            let partials: &BinaryArray = super::calls::binary(partials)?;
            for (row, group) in groups.iter().enumerate().filter(|(row, _)| partials.is_valid(*row)) {
                accumulator.merge_encoded(*group, partials.value(row))?;
            }
        }
        Ok(())
    }

    fn emit(&self, rows: &RecordBatch, results: &Results<'_>, out: &mut dyn Collector) -> Result<()> {
        let columns: Vec<_> = self.keys.iter().map(|key| rows.column(*key).clone()).collect();
        if let Some(changes) = change_batch(&columns, results, &self.rules, &self.output)? {
            out.emit(changes);
        }
        Ok(())
    }
}

impl BundleOperator for GlobalAggregate {
    fn open(&mut self, context: &OpenContext) -> Result<()> {
        self.table.open(&context.state)
    }

    fn process(&mut self, batch: ChangeBatch, out: &mut dyn Collector) -> Result<()> {
        let keys = self.grouper.read(batch.rows())?;
        let loaded = self.table.load(&keys.keys)?;
        let mut accumulators = self.accumulators(keys.len())?;
        for (accumulator, stored) in accumulators.iter_mut().zip(loaded.accumulators()?) {
            for (position, group) in loaded.groups.iter().enumerate().filter(|(at, _)| stored.is_valid(*at)) {
                accumulator.load(*group, stored.value(position))?;
            }
        }
        let all: Vec<u32> = (0..keys.len() as u32).collect();
        let before = evaluate(&accumulators, &all)?;
        let mut counts = loaded.counts.clone();
        self.merge(batch.rows(), &keys.groups, &mut accumulators, &mut counts)?;
        let lives = loaded.counts.iter().zip(&counts);
        let steps: Vec<Step> = lives.map(|(before, after)| Step::of(*before > 0, *after > 0)).collect();
        let after = evaluate(&accumulators, &all)?;
        self.table.store(&keys.keys, &loaded, &counts, encode(&accumulators, &all))?;
        self.emit(batch.rows(), &Results { steps: &steps, rows: &keys.first_rows(), before, after }, out)
    }

    fn snapshot(&mut self, snapshot: &mut Snapshot) {
        self.table.snapshot(snapshot);
    }
}

fn evaluate(accumulators: &[Box<dyn Accumulator>], groups: &[u32]) -> Result<Vec<ArrayRef>> {
    accumulators.iter().map(|accumulator| accumulator.evaluate(groups)).collect()
}

/// The accumulators, to be stored.
fn encode(accumulators: &[Box<dyn Accumulator>], groups: &[u32]) -> Vec<ArrayRef> {
    accumulators.iter().map(|accumulator| encoded_column(accumulator.as_ref(), groups.iter().copied())).collect()
}
