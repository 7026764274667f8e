//! Changes as inserted rows.

use crate::arrow_error;
use crate::columns::{record_batch, schema_of};
use arrow::array::{ArrayRef, BooleanArray, StringArray};
use arrow::compute::nullif;
use arrow::datatypes::SchemaRef;
use headwater_data::{ChangeBatch, RowKinds};
use headwater_operator_api::{Collector, Operator};
use headwater_plan::OperatorNode;
use headwater_plan::operators::ToChangelogSpec;
use headwater_types::{Result, RowKind};
use std::sync::Arc;

/// The operator.
pub(crate) struct ToChangelog {
    spec: ToChangelogSpec,
    output: SchemaRef,
}

impl ToChangelog {
    /// The operator of a specification.
    pub(crate) fn new(spec: &ToChangelogSpec, node: &OperatorNode) -> Self {
        Self { spec: spec.clone(), output: schema_of(&node.output) }
    }

    /// The columns of a batch, those of deletions without what a deletion does not tell.
    fn columns(&self, batch: &ChangeBatch) -> Result<Vec<ArrayRef>> {
        let columns = batch.rows().columns();
        let Some(deletion) = &self.spec.deletion else { return Ok(columns.to_vec()) };
        let deleted = (0..batch.num_rows()).map(|row| Some(batch.kind(row) == RowKind::Delete));
        let deleted = BooleanArray::from_iter(deleted);
        let column = |(position, column): (usize, &ArrayRef)| match deletion.keys.contains(&position) {
            true => Ok(column.clone()),
            false => nullif(column, &deleted).map_err(arrow_error),
        };
        columns.iter().enumerate().map(column).collect()
    }
}

impl Operator for ToChangelog {
    fn process(&mut self, _input: u8, batch: ChangeBatch, out: &mut dyn Collector) -> Result<()> {
        let known = |row: usize| self.spec.code(batch.kind(row)).is_some();
        let batch = match (0..batch.num_rows()).all(known) {
            true => batch,
            false => {
                let mask: Vec<bool> = (0..batch.num_rows()).map(known).collect();
                // Halves of changes are told one by one, so kinds must stay what they are.
                let rows = batch.filter(&mask.clone().into()).map_err(arrow_error)?.into_parts().0;
                let kinds = (0..mask.len()).filter(|row| mask[*row]).map(|row| batch.kind(row) as i8);
                crate::kinds::with_kinds(rows, RowKinds::Mixed(kinds.collect::<Vec<_>>().into()))
            }
        };
        if batch.num_rows() == 0 {
            return Ok(());
        }
        let codes = (0..batch.num_rows()).map(|row| self.spec.code(batch.kind(row)));
        let mut columns: Vec<ArrayRef> = vec![Arc::new(StringArray::from_iter(codes))];
        columns.extend(self.columns(&batch)?);
        out.emit(ChangeBatch::append(record_batch(&self.output, columns, batch.num_rows())?));
        Ok(())
    }
}
