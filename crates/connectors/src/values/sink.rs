//! The sink: every row with its kind goes to the store.

use super::Store;
use headwater_connector_api::{Committer, Sink, SinkWriter, WriterContext};
use headwater_data::ChangeBatch;
use headwater_formats::values::value;
use headwater_types::Result;

pub(super) struct ValuesSink {
    pub(super) data_id: String,
}

impl Sink for ValuesSink {
    fn writer(&self, _context: WriterContext) -> Result<Box<dyn SinkWriter>> {
        Ok(Box::new(ValuesWriter { data_id: self.data_id.clone() }))
    }

    fn committer(&self) -> Result<Option<Box<dyn Committer>>> {
        Ok(None)
    }
}

struct ValuesWriter {
    data_id: String,
}

impl SinkWriter for ValuesWriter {
    fn write(&mut self, batch: ChangeBatch) -> Result<()> {
        let columns = batch.rows().columns();
        let row = |row: usize| (batch.kind(row), columns.iter().map(|c| value(c, row)).collect());
        Store::append(&self.data_id, (0..batch.num_rows()).map(row));
        Ok(())
    }
}
