//! An operator whose output tells of every row that was lost or counted twice.

use arrow::array::AsArray;
use arrow::datatypes::{DataType, Int64Type};
use headwater_data::ChangeBatch;
use headwater_data::key_codec::{EncodedKeys, KeyEncoder};
use headwater_operator_api::{Collector, OpenContext, Operator};
use headwater_runtime::testing::{ToyFactory, batch};
use headwater_state::{Snapshot, TableDescriptor, ValueTable};
use headwater_types::{Error, Result};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// When a counter fails, once in the life of the factory.
#[derive(Clone, Copy, PartialEq)]
enum Break {
    Never,
    /// When it has taken part in three checkpoints.
    Checkpoints,
    /// After some rows.
    Rows,
}

/// Emits `(count, k)` for every row of key `k`, with the number of rows of `k` so far.
struct Count {
    counts: Option<ValueTable>,
    breaks: Break,
    broken: Arc<AtomicU64>,
    snapshots: u32,
    rows: usize,
}

impl Count {
    fn count(&mut self, key: &[u8]) -> Result<i64> {
        let table = self.counts.as_mut().expect("the operator is open");
        let before = table.get(key)?.map_or(0, |bytes| i64::from_le_bytes(bytes.try_into().expect("a number")));
        table.put(key, &(before + 1).to_le_bytes())?;
        Ok(before + 1)
    }

    fn maybe_break(&self) -> Result<()> {
        let due = match self.breaks {
            Break::Never => false,
            Break::Checkpoints => self.snapshots >= 3,
            Break::Rows => self.rows > 5000,
        };
        if due && self.broken.swap(1, Ordering::SeqCst) == 0 {
            return Err(Error::user("toy-failure", "broken on purpose"));
        }
        Ok(())
    }
}

impl Operator for Count {
    fn open(&mut self, context: &OpenContext) -> Result<()> {
        self.counts = Some(context.state.value_table(TableDescriptor::value("counts", vec![], vec![]))?);
        Ok(())
    }

    fn process(&mut self, _input: u8, rows: ChangeBatch, out: &mut dyn Collector) -> Result<()> {
        self.maybe_break()?;
        self.rows += rows.num_rows();
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
        self.snapshots += 1;
        self.counts.as_mut().expect("the operator is open").snapshot(snapshot);
        Ok(())
    }
}

/// Counters that never fail (`count`), fail after some checkpoints (`break`) or some rows (`break-at-row`).
pub(super) fn factory() -> ToyFactory {
    let broken = Arc::new(AtomicU64::new(0));
    let counters = [("count", Break::Never), ("break", Break::Checkpoints), ("break-at-row", Break::Rows)];
    counters.into_iter().fold(ToyFactory::new(), |factory, (uid, breaks)| {
        let broken = broken.clone();
        factory.with(uid, move |_| Count { counts: None, breaks, broken: broken.clone(), snapshots: 0, rows: 0 })
    })
}
