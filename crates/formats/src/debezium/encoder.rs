//! From changes to envelopes.

use crate::cells::Cells;
use crate::decoder::{Messages, RowEncoder};
use crate::json::JsonEncoder;
use crate::json::options::EncodeOptions;
use headwater_data::ChangeBatch;
use headwater_types::Result;

/// Encodes changes as envelopes.
pub struct DebeziumEncoder {
    json: JsonEncoder,
}

impl DebeziumEncoder {
    /// An encoder of columns with these names.
    pub fn new(names: impl IntoIterator<Item = String>, options: EncodeOptions) -> Self {
        Self { json: JsonEncoder::new(names, options) }
    }

    fn envelope(&self, out: &mut Vec<u8>, fields: &[(&str, Cells<'_>)], row: usize, is_added: bool) -> Result<()> {
        out.extend_from_slice(if is_added { b"{\"before\":null,\"after\":" } else { b"{\"before\":" });
        self.json.object(out, fields, row)?;
        out.extend_from_slice(if is_added { b",\"op\":\"c\"}" } else { b",\"after\":null,\"op\":\"d\"}" });
        Ok(())
    }
}

impl RowEncoder for DebeziumEncoder {
    fn encode(&mut self, batch: &ChangeBatch, out: &mut Vec<u8>) -> Result<()> {
        let fields = self.json.row_cells(batch)?;
        for row in 0..batch.num_rows() {
            self.envelope(out, &fields, row, batch.kind(row).is_add())?;
            out.push(b'\n');
        }
        Ok(())
    }

    fn encode_messages(&mut self, batch: &ChangeBatch, out: &mut Messages) -> Result<()> {
        let fields = self.json.row_cells(batch)?;
        for row in 0..batch.num_rows() {
            self.envelope(out.buffer(), &fields, row, batch.kind(row).is_add())?;
            out.end_message();
        }
        Ok(())
    }
}
