//! The first row of a key to arrive: what is kept is that the key was there.

use crate::arrow_error;
use crate::batch_keys::KeyGrouper;
use crate::columns::{relabelled, schema_of};
use crate::mini_batch::BundleOperator;
use crate::row_values::state_columns;
use arrow::datatypes::SchemaRef;
use headwater_data::ChangeBatch;
use headwater_operator_api::{Collector, OpenContext};
use headwater_plan::OperatorNode;
use headwater_plan::operators::DeduplicateSpec;
use headwater_state::{Snapshot, TableDescriptor, Ttl, ValueTable};
use headwater_types::Result;

pub(super) struct KeepFirst {
    grouper: KeyGrouper,
    descriptor: TableDescriptor,
    table: Option<ValueTable>,
    output: SchemaRef,
}

impl KeepFirst {
    pub(super) fn new(spec: &DeduplicateSpec, node: &OperatorNode) -> Result<Self> {
        let input = &node.inputs[0];
        let descriptor = TableDescriptor::value("seen", state_columns(input, &spec.keys), vec![]);
        Ok(Self {
            grouper: KeyGrouper::new(input, &spec.keys)?,
            descriptor: descriptor.with_ttl(Ttl::of_sql(spec.state_ttl_ms)),
            table: None,
            output: schema_of(&node.output),
        })
    }
}

impl BundleOperator for KeepFirst {
    fn open(&mut self, context: &OpenContext) -> Result<()> {
        self.table = Some(context.state.value_table(self.descriptor.clone())?);
        Ok(())
    }

    fn process(&mut self, batch: ChangeBatch, out: &mut dyn Collector) -> Result<()> {
        let keys = self.grouper.read(batch.rows())?;
        let table = self.table.as_mut().expect("the operator was opened");
        table.prefetch(&keys.keys)?;
        let mut first = vec![];
        for (key, row) in keys.keys.iter().zip(keys.first_rows()) {
            if table.get(key)?.is_none() {
                table.put(key, &[])?;
                first.push(row);
            }
        }
        if first.is_empty() {
            return Ok(());
        }
        let rows = batch.take(&first.into()).map_err(arrow_error)?;
        out.emit(ChangeBatch::append(relabelled(rows.into_parts().0, &self.output)?));
        Ok(())
    }

    fn snapshot(&mut self, snapshot: &mut Snapshot) {
        if let Some(table) = &mut self.table {
            table.snapshot(snapshot);
        }
    }
}
