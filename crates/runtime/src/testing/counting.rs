//! An operator whose output tells of every row that was lost or counted twice.

use super::batch;
use arrow::array::AsArray;
use arrow::datatypes::{DataType, Int64Type};
use headwater_data::ChangeBatch;
use headwater_data::key_codec::{EncodedKeys, KeyEncoder};
use headwater_operator_api::{Collector, OpenContext, Operator};
use headwater_state::{Snapshot, TableDescriptor, ValueTable};
use headwater_types::Result;

/// Emits `(count, k)` for every row of key `k`, with the number of rows of `k` so far, which is its state.
#[derive(Default)]
pub struct CountByKey {
    counts: Option<ValueTable>,
}

impl CountByKey {
    fn table(&mut self) -> &mut ValueTable {
        self.counts.as_mut().expect("the operator is open")
    }

    fn count(&mut self, key: &[u8]) -> Result<i64> {
        let table = self.table();
        let before = table.get(key)?.map_or(0, |bytes| i64::from_le_bytes(bytes.try_into().expect("a number")));
        table.put(key, &(before + 1).to_le_bytes())?;
        Ok(before + 1)
    }
}

impl Operator for CountByKey {
    fn open(&mut self, context: &OpenContext) -> Result<()> {
        self.counts = Some(context.state.value_table(TableDescriptor::value("counts", vec![], vec![]))?);
        Ok(())
    }

    fn process(&mut self, _input: u8, rows: ChangeBatch, out: &mut dyn Collector) -> Result<()> {
        let columns = vec![rows.rows().column(1).clone()];
        let mut keys = EncodedKeys::new();
        KeyEncoder::new(&[DataType::Int64])?.encode(&columns, rows.num_rows(), &mut keys)?;
        let k = columns[0].as_primitive::<Int64Type>();
        let mut counted = vec![];
        for (key, k) in keys.iter().zip(k.values()) {
            counted.push((self.count(key)?, *k));
        }
        out.emit(batch(counted));
        Ok(())
    }

    fn snapshot(&mut self, snapshot: &mut Snapshot, _out: &mut dyn Collector) -> Result<()> {
        self.table().snapshot(snapshot);
        Ok(())
    }
}
