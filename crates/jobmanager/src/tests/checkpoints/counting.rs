//! Counters that fail, once in the life of their factory.

use headwater_data::ChangeBatch;
use headwater_operator_api::{Collector, OpenContext, Operator};
use headwater_runtime::testing::{CountByKey, ToyFactory};
use headwater_state::Snapshot;
use headwater_types::{Error, Result};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// When a counter fails.
#[derive(Clone, Copy, PartialEq)]
enum Break {
    Never,
    /// When it has taken part in three checkpoints.
    Checkpoints,
    /// After some rows.
    Rows,
}

/// Counts until it fails.
struct Count {
    counts: CountByKey,
    breaks: Break,
    broken: Arc<AtomicU64>,
    snapshots: u32,
    rows: usize,
}

impl Count {
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
        self.counts.open(context)
    }

    fn process(&mut self, input: u8, rows: ChangeBatch, out: &mut dyn Collector) -> Result<()> {
        self.maybe_break()?;
        self.rows += rows.num_rows();
        self.counts.process(input, rows, out)
    }

    fn snapshot(&mut self, snapshot: &mut Snapshot, out: &mut dyn Collector) -> Result<()> {
        self.snapshots += 1;
        self.counts.snapshot(snapshot, out)
    }
}

/// Counters that never fail (`count`), fail after some checkpoints (`break`) or some rows (`break-at-row`).
pub(super) fn factory() -> ToyFactory {
    let broken = Arc::new(AtomicU64::new(0));
    let counters = [("count", Break::Never), ("break", Break::Checkpoints), ("break-at-row", Break::Rows)];
    counters.into_iter().fold(ToyFactory::new(), |factory, (uid, breaks)| {
        let broken = broken.clone();
        let count =
            move || Count { counts: CountByKey::default(), breaks, broken: broken.clone(), snapshots: 0, rows: 0 };
        factory.with(uid, move |_| count())
    })
}
