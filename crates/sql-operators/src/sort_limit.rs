//! ORDER BY with LIMIT over a stream of inserts: the first rows so far, as a changelog.
//!
//! The kept rows are few, so they are copied out of their batches one by one; a row that does not enter costs one
//! comparison.

use crate::arrow_error;
use crate::columns::schema_of;
use arrow::array::{RecordBatch, UInt32Array};
use arrow::compute::{SortOptions, concat_batches, take_record_batch};
use arrow::datatypes::SchemaRef;
use arrow::row::{OwnedRow, RowConverter, SortField};
use headwater_data::ChangeBatch;
use headwater_operator_api::{Collector, Operator};
use headwater_plan::OperatorNode;
use headwater_plan::operators::{SortKey, SortLimitSpec};
use headwater_types::{Error, Result, RowKind};

/// Keeps the first `fetch` rows.
pub(crate) struct SortLimit {
    order: Vec<SortKey>,
    fetch: usize,
    schema: SchemaRef,
    /// In-memory order only: these keys are never stored or sent.
    keys: RowConverter,
    first: Vec<(OwnedRow, RecordBatch)>,
}

impl SortLimit {
    pub(crate) fn new(spec: &SortLimitSpec, node: &OperatorNode) -> Result<Self> {
        let schema = schema_of(&node.output);
        let field = |key: &SortKey| {
            let options = SortOptions { descending: !key.ascending, nulls_first: key.nulls_first };
            SortField::new_with_options(schema.field(key.column).data_type().clone(), options)
        };
        let keys = RowConverter::new(spec.order.iter().map(field).collect()).map_err(arrow_error)?;
        Ok(Self { order: spec.order.clone(), fetch: spec.fetch as usize, schema, keys, first: vec![] })
    }
}

impl Operator for SortLimit {
    fn process(&mut self, _input: u8, batch: ChangeBatch, out: &mut dyn Collector) -> Result<()> {
        if !batch.is_append() {
            return Err(Error::unsupported("sorting a changelog"));
        }
        let (rows, _) = batch.into_parts();
        let rows = rows.with_schema(self.schema.clone()).map_err(arrow_error)?;
        let columns: Vec<_> = self.order.iter().map(|k| rows.column(k.column).clone()).collect();
        let keys = self.keys.convert_columns(&columns).map_err(arrow_error)?;
        let mut changes = vec![];
        let mut kinds = vec![];
        for (position, key) in keys.iter().enumerate() {
            let place = self.first.partition_point(|(kept, _)| kept.row() <= key);
            if place >= self.fetch {
                continue;
            }
            let index = UInt32Array::from(vec![position as u32]);
            let row = take_record_batch(&rows, &index).map_err(arrow_error)?;
            self.first.insert(place, (key.owned(), row.clone()));
            if self.first.len() > self.fetch
                && let Some((_, pushed_out)) = self.first.pop()
            {
                changes.push(pushed_out);
                kinds.push(RowKind::Delete);
            }
            changes.push(row);
            kinds.push(RowKind::Insert);
        }
        if !changes.is_empty() {
            let rows = concat_batches(&self.schema, &changes).map_err(arrow_error)?;
            out.emit(ChangeBatch::from_kinds(rows, kinds));
        }
        Ok(())
    }
}
