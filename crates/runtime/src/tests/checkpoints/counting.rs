//! Operators with state whose output tells of every row that was lost or counted twice.

use crate::testing::{FnOperator, ToyFactory, batch};
use arrow::array::AsArray;
use arrow::datatypes::{DataType, Int64Type};
use headwater_data::ChangeBatch;
use headwater_data::key_codec::{EncodedKeys, KeyEncoder};
use headwater_operator_api::{Collector, OpenContext, Operator, Progress};
use headwater_state::{OperatorList, Redistribution, Snapshot, TableDescriptor, ValueTable};
use headwater_types::{MAX_WATERMARK, Result};

/// Emits `(count, k)` for every row of key `k`, with the number of rows of `k` so far.
#[derive(Default)]
struct CountByKey {
    counts: Option<ValueTable>,
}

impl CountByKey {
    fn count(&mut self, key: &[u8]) -> Result<i64> {
        let table = self.counts.as_mut().expect("the operator is open");
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
        self.counts.as_mut().expect("the operator is open").snapshot(snapshot);
        Ok(())
    }
}

/// Rows that [`Burst`] emits at the end.
pub(super) const BURST: i64 = 10;

/// Passes rows on in bundles that wait for a barrier or the end; at the end emits `(i, -1)` one by one.
#[derive(Default)]
struct Burst {
    bundle: Vec<ChangeBatch>,
    fired: Option<OperatorList>,
}

impl Burst {
    fn flush(&mut self, out: &mut dyn Collector) {
        self.bundle.drain(..).for_each(|rows| out.emit(rows));
    }
}

impl Operator for Burst {
    fn open(&mut self, context: &OpenContext) -> Result<()> {
        self.fired = Some(context.state.operator_list("fired", Redistribution::Split)?);
        Ok(())
    }

    fn process(&mut self, _input: u8, rows: ChangeBatch, out: &mut dyn Collector) -> Result<()> {
        self.bundle.push(rows);
        if self.bundle.len() > 3 {
            self.flush(out);
        }
        Ok(())
    }

    fn watermark(&mut self, watermark: i64, out: &mut dyn Collector) -> Result<Progress> {
        self.flush(out);
        let fired = &mut self.fired.as_mut().expect("the operator is open").items;
        if watermark == MAX_WATERMARK && (fired.len() as i64) < BURST {
            out.emit(batch([(fired.len() as i64, -1)]));
            fired.push(vec![]);
            return Ok(Progress::More);
        }
        Ok(Progress::Done)
    }

    fn snapshot(&mut self, snapshot: &mut Snapshot, out: &mut dyn Collector) -> Result<()> {
        self.flush(out);
        self.fired.as_ref().expect("the operator is open").snapshot(snapshot);
        Ok(())
    }
}

/// Passes on batches until there were 100 rows.
#[derive(Default)]
struct Limit {
    passed: Option<OperatorList>,
}

impl Limit {
    fn batches(&mut self) -> &mut Vec<Vec<u8>> {
        &mut self.passed.as_mut().expect("the operator is open").items
    }
}

impl Operator for Limit {
    fn open(&mut self, context: &OpenContext) -> Result<()> {
        self.passed = Some(context.state.operator_list("passed", Redistribution::Split)?);
        Ok(())
    }

    fn process(&mut self, _input: u8, rows: ChangeBatch, out: &mut dyn Collector) -> Result<()> {
        let wanted = rows.num_rows().min(100 - self.batches().len());
        out.emit(rows.slice(0, wanted));
        self.batches().extend((0..wanted).map(|_| vec![]));
        Ok(())
    }

    fn snapshot(&mut self, snapshot: &mut Snapshot, _out: &mut dyn Collector) -> Result<()> {
        self.passed.as_ref().expect("the operator is open").snapshot(snapshot);
        Ok(())
    }

    fn is_satisfied(&self) -> bool {
        self.passed.as_ref().is_some_and(|passed| passed.items.len() == 100)
    }
}

/// Emits `(0, 0)`, `(0, 1)` and `(0, 2)` in three calls.
fn rows() -> FnOperator {
    let mut next = 0;
    FnOperator {
        on_end: Some(Box::new(move |_, out| {
            out.emit(batch([(0, next)]));
            next += 1;
            Ok(if next < 3 { Progress::More } else { Progress::Done })
        })),
        ..FnOperator::default()
    }
}

/// A factory of the operators above.
pub(super) fn factory() -> ToyFactory {
    ToyFactory::new()
        .with("count", |_| CountByKey::default())
        .with("burst", |_| Burst::default())
        .with("limit", |_| Limit::default())
        .with("rows", |_| rows())
}
