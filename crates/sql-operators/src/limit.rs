//! LIMIT without an order: skips rows, passes rows, then wants no more.
//!
//! Over a changelog a row that is taken back makes room for the next, so all rows are kept, in the order they came.

use crate::rank;
use crate::row_values::{read_counts, write_counts};
use headwater_data::ChangeBatch;
use headwater_operator_api::{Collector, OpenContext, Operator};
use headwater_plan::OperatorNode;
use headwater_plan::operators::LimitSpec;
use headwater_state::{Column, Snapshot, TableDescriptor, ValueTable};
use headwater_types::{Error, Result, TypeRoot};

/// Builds the operator; `changes` when rows may be taken back.
pub(crate) fn build(spec: &LimitSpec, node: &OperatorNode, changes: bool) -> Result<Box<dyn Operator>> {
    if changes {
        return rank::build_global(&[], spec.offset, spec.fetch, node, true);
    }
    Ok(Box::new(Limit { spec: *spec, skipped: 0, passed: 0, table: None }))
}

struct Limit {
    spec: LimitSpec,
    skipped: u64,
    passed: u64,
    table: Option<ValueTable>,
}

impl Operator for Limit {
    fn open(&mut self, context: &OpenContext) -> Result<()> {
        let value = ["skipped", "passed"].map(|name| Column::new(name, TypeRoot::BigInt.into()));
        let mut table =
            context.state.value_table(TableDescriptor::value("limit", vec![], value.to_vec()).with_rows())?;
        if let Some(stored) = table.get(&[])? {
            let mut counts = [0, 0];
            read_counts(stored, &mut counts);
            (self.skipped, self.passed) = (counts[0].max(0) as u64, counts[1].max(0) as u64);
        }
        self.table = Some(table);
        Ok(())
    }

    fn process(&mut self, _input: u8, batch: ChangeBatch, out: &mut dyn Collector) -> Result<()> {
        let rows = batch.num_rows() as u64;
        let skipped = self.spec.offset.saturating_sub(self.skipped).min(rows);
        let room = self.spec.fetch.map_or(u64::MAX, |fetch| fetch.saturating_sub(self.passed));
        let passed = (rows - skipped).min(room);
        self.skipped += skipped;
        self.passed += passed;
        if passed > 0 {
            out.emit(batch.slice(skipped as usize, passed as usize));
        }
        Ok(())
    }

    fn snapshot(&mut self, snapshot: &mut Snapshot, _out: &mut dyn Collector) -> Result<()> {
        let table =
            self.table.as_mut().ok_or_else(|| Error::internal("a limit is asked for state before it is opened"))?;
        let mut counts = vec![];
        write_counts(&[self.skipped as i64, self.passed as i64], &mut counts);
        if table.get(&[])? != Some(counts.as_slice()) {
            table.put(&[], &counts)?;
        }
        table.snapshot(snapshot);
        Ok(())
    }

    fn is_satisfied(&self) -> bool {
        self.spec.fetch.is_some_and(|fetch| self.passed >= fetch)
    }
}
