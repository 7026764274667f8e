//! The local half of a two-phase aggregation of unbounded input: sums up a bundle of rows before the exchange.
//!
//! Of a key with many rows in a bundle one row goes to the global half: the key, the number of rows (those taken back
//! count negative) where rows may be taken back, and one accumulator per call. There is no state: a barrier takes the
//! bundle along.

use crate::aggregate::factory::{Rows, signs_of};
use crate::columns::{record_batch, schema_of};
use crate::mini_batch::BundleOperator;
use crate::pane::PaneLayout;
use arrow::array::{ArrayRef, Int64Array};
use arrow::datatypes::SchemaRef;
use headwater_data::ChangeBatch;
use headwater_operator_api::{Collector, OpenContext};
use headwater_plan::OperatorNode;
use headwater_plan::operators::GroupAggregateSpec;
use headwater_state::Snapshot;
use headwater_types::Result;
use std::sync::Arc;

pub(super) struct LocalAggregate {
    keys: Vec<usize>,
    layout: PaneLayout,
    output: SchemaRef,
    groups: Vec<u32>,
}

impl LocalAggregate {
    pub(super) fn new(spec: &GroupAggregateSpec, node: &OperatorNode, layout: PaneLayout) -> Self {
        Self { keys: spec.keys.clone(), layout, output: schema_of(&node.output), groups: vec![] }
    }
}

impl BundleOperator for LocalAggregate {
    fn open(&mut self, _context: &OpenContext) -> Result<()> {
        Ok(())
    }

    fn process(&mut self, batch: ChangeBatch, out: &mut dyn Collector) -> Result<()> {
        let rows = batch.rows();
        let key_columns: Vec<_> = self.keys.iter().map(|key| rows.column(*key).clone()).collect();
        let keys = self.layout.reader.read(&key_columns, rows.num_rows())?;
        let signs = signs_of(batch.kinds());
        let input = Rows { columns: rows.columns(), range: 0..rows.num_rows(), signs: signs.as_deref(), sequence: 0 };
        let mut pane = self.layout.pane()?;
        self.layout.update(&mut pane, &keys, &input, &mut self.groups)?;
        let groups = pane.groups();
        let (mut columns, partials) = self.layout.partials(&pane, 0..groups)?;
        if let Some(live) = &pane.live {
            let counts = (0..groups).map(|group| live.count(group));
            columns.push(Arc::new(counts.collect::<Int64Array>()) as ArrayRef);
        }
        columns.extend(partials);
        out.emit(ChangeBatch::append(record_batch(&self.output, columns, groups)?));
        Ok(())
    }

    fn snapshot(&mut self, _snapshot: &mut Snapshot) {}
}
