//! From changes to envelopes.

use crate::decoder::RowEncoder;
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
}

impl RowEncoder for DebeziumEncoder {
    fn encode(&mut self, batch: &ChangeBatch, out: &mut Vec<u8>) -> Result<()> {
        let fields = self.json.row_cells(batch)?;
        for row in 0..batch.num_rows() {
            let added = batch.kind(row).is_add();
            out.extend_from_slice(if added { b"{\"before\":null,\"after\":" } else { b"{\"before\":" });
            self.json.object(out, &fields, row)?;
            out.extend_from_slice(if added { b",\"op\":\"c\"}\n" } else { b",\"after\":null,\"op\":\"d\"}\n" });
        }
        Ok(())
    }
}
