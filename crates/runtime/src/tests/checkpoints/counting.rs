//! Operators with state whose output tells of every row that was lost or counted twice.

use crate::testing::{CountByKey, FnOperator, ToyFactory, batch};
use headwater_data::ChangeBatch;
use headwater_operator_api::{Collector, OpenContext, Operator, Progress};
use headwater_state::{OperatorList, Redistribution, Snapshot};
use headwater_types::{MAX_WATERMARK, Result};

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
