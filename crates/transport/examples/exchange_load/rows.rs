//! Rows as an exchange carries them: fixed-width columns and a text.

use arrow::array::{ArrayRef, Float64Array, Int64Array, RecordBatch, StringArray};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use headwater_data::ChangeBatch;
use headwater_types::{Error, Result};
use std::sync::Arc;

/// Batches made beforehand, so that the measurement does not include making them.
const PREPARED: usize = 16;

/// Where batches come from.
pub struct Rows {
    schema: SchemaRef,
    prepared: Vec<Vec<ArrayRef>>,
    rows: usize,
}

impl Rows {
    pub fn new(rows: usize) -> Self {
        let field = |name: &str, data_type: DataType| Field::new(name, data_type, false);
        let fields = vec![
            field("sent_ns", DataType::Int64),
            field("auction", DataType::Int64),
            field("bidder", DataType::Int64),
            field("price", DataType::Float64),
            field("channel", DataType::Utf8),
        ];
        let prepared = (0..PREPARED).map(|batch| columns((batch * rows) as i64, rows as i64)).collect();
        Self { schema: Arc::new(Schema::new(fields)), prepared, rows }
    }

    /// A batch whose rows say when they are sent.
    pub fn batch(&self, number: usize, sent_ns: i64) -> Result<ChangeBatch> {
        let mut columns: Vec<ArrayRef> = vec![Arc::new(Int64Array::from_value(sent_ns, self.rows))];
        columns.extend(self.prepared[number % PREPARED].iter().cloned());
        let rows = RecordBatch::try_new(self.schema.clone(), columns);
        Ok(ChangeBatch::append(rows.map_err(|e| Error::internal("rows of another type").with_source(e))?))
    }
}

fn columns(from: i64, count: i64) -> Vec<ArrayRef> {
    let numbers = || from..from + count;
    vec![
        Arc::new(Int64Array::from_iter_values(numbers())),
        Arc::new(Int64Array::from_iter_values(numbers().map(|n| n * 31 % 10_007))),
        Arc::new(Float64Array::from_iter_values(numbers().map(|n| n as f64 * 1.5))),
        Arc::new(StringArray::from_iter_values(numbers().map(|n| format!("channel-{}", n % 1000)))),
    ]
}

/// When the rows of a batch were sent.
pub fn sent_ns(batch: &ChangeBatch) -> i64 {
    let column = batch.rows().column(0).as_any().downcast_ref::<Int64Array>();
    column.map_or(0, |column| column.value(0))
}
