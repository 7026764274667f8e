//! A transactional sink: rows are seen when their checkpoint is committed.

use crate::lock;
use arrow::array::AsArray;
use arrow::datatypes::Int64Type;
use headwater_connector_api::{
    Committable, Committer, Connector, DatasetIdentity, OptionSpec, Sink, SinkWriter, Source, WriterContext,
};
use headwater_data::ChangeBatch;
use headwater_exchange::Waker;
use headwater_plan::{SinkSpec, SourceSpec, TableSpec};
use headwater_types::{Error, Result};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

/// Rows by the checkpoint and the writer that staged them.
type Transactions = BTreeMap<(u64, Vec<u8>), Vec<(i64, i64)>>;

/// What was committed.
#[derive(Default)]
pub struct Ledger {
    transactions: Mutex<Transactions>,
    /// Writers that wait for the ledger to open; `None` while it is open.
    closed: Mutex<Option<Vec<Waker>>>,
}

impl Ledger {
    /// All committed rows, sorted.
    pub fn rows(&self) -> Vec<(i64, i64)> {
        let mut rows: Vec<_> = lock(&self.transactions).values().flatten().copied().collect();
        rows.sort_unstable();
        rows
    }

    /// No writer is ready until the ledger is opened.
    pub fn close(&self) {
        lock(&self.closed).get_or_insert_default();
    }

    /// Lets writers write again.
    pub fn open(&self) {
        let wakers = lock(&self.closed).take().unwrap_or_default();
        wakers.iter().for_each(|wake| wake());
    }

    /// Whether the ledger is open; otherwise the waker is called once it is.
    fn await_open(&self, waker: &Waker) -> bool {
        let mut closed = lock(&self.closed);
        if let Some(wakers) = &mut *closed {
            wakers.push(waker.clone());
        }
        closed.is_none()
    }

    /// A committer into this ledger.
    pub fn committer(self: &Arc<Self>) -> impl Committer + use<> {
        LedgerCommitter { ledger: self.clone() }
    }
}

/// The `ledger` sink. Options: `every`: a writer is ready for one batch in so many questions; `account`:
/// tells several sinks apart.
pub struct LedgerConnector {
    /// Where rows go.
    pub ledger: Arc<Ledger>,
}

impl Connector for LedgerConnector {
    fn name(&self) -> &'static str {
        "ledger"
    }

    fn options(&self, _table: &TableSpec) -> Vec<OptionSpec> {
        vec![]
    }

    fn dataset(&self, table: &TableSpec) -> Result<DatasetIdentity> {
        Ok(DatasetIdentity { namespace: "toy".to_owned(), name: table.path[2].clone(), schema: vec![] })
    }

    fn source(&self, _scan: &SourceSpec) -> Result<Option<Box<dyn Source>>> {
        Ok(None)
    }

    fn sink(&self, write: &SinkSpec) -> Result<Option<Box<dyn Sink>>> {
        let number = |name: &str, default: u64| {
            write.table.options.get(name).map_or(default, |text| text.parse().expect("toy options are numbers"))
        };
        let (every, account) = (number("every", 1), number("account", 0));
        Ok(Some(Box::new(LedgerSink { ledger: self.ledger.clone(), every, account })))
    }
}

struct LedgerSink {
    ledger: Arc<Ledger>,
    every: u64,
    account: u64,
}

impl Sink for LedgerSink {
    fn writer(&self, context: WriterContext) -> Result<Box<dyn SinkWriter>> {
        let rows = context.restored.iter().flat_map(|state| decode(state)).collect();
        Ok(Box::new(LedgerWriter {
            ledger: self.ledger.clone(),
            context,
            rows,
            every: self.every,
            account: self.account,
            asked: 0,
            ended: false,
        }))
    }

    fn committer(&self) -> Result<Option<Box<dyn Committer>>> {
        Ok(Some(Box::new(LedgerCommitter { ledger: self.ledger.clone() })))
    }
}

struct LedgerWriter {
    ledger: Arc<Ledger>,
    context: WriterContext,
    rows: Vec<(i64, i64)>,
    every: u64,
    account: u64,
    asked: u64,
    ended: bool,
}

impl SinkWriter for LedgerWriter {
    fn is_ready(&mut self) -> bool {
        if !self.ledger.await_open(&self.context.waker) {
            return false;
        }
        self.asked += 1;
        let ready = self.asked.is_multiple_of(self.every);
        if !ready {
            (self.context.waker)();
        }
        ready
    }

    fn write(&mut self, batch: ChangeBatch) -> Result<()> {
        assert!(!self.ended, "no rows follow the end");
        let column = |index: usize| batch.rows().column(index).as_primitive::<Int64Type>().values().clone();
        self.rows.extend(column(0).iter().zip(column(1).iter()).map(|(n, k)| (*n, *k)));
        Ok(())
    }

    /// Keeps the newest row for the state, so that writer state matters too.
    fn take_committables(&mut self, _checkpoint: u64, end: bool) -> Result<Vec<Committable>> {
        self.ended |= end;
        let kept = if end { None } else { self.rows.pop() };
        let staged = std::mem::replace(&mut self.rows, kept.into_iter().collect());
        if staged.is_empty() {
            return Ok(vec![]);
        }
        let id = [self.account.to_le_bytes(), u64::from(self.context.subtask).to_le_bytes()].concat();
        Ok(vec![Committable([id, encode(&staged)].concat())])
    }

    fn snapshot(&mut self) -> Result<Vec<Vec<u8>>> {
        Ok(if self.rows.is_empty() { vec![] } else { vec![encode(&self.rows)] })
    }
}

fn encode(rows: &[(i64, i64)]) -> Vec<u8> {
    rows.iter().flat_map(|(n, k)| [n.to_le_bytes(), k.to_le_bytes()].concat()).collect()
}

fn decode(bytes: &[u8]) -> Vec<(i64, i64)> {
    let number = |bytes: &[u8]| i64::from_le_bytes(bytes.try_into().expect("a row is two numbers"));
    bytes.chunks_exact(16).map(|row| (number(&row[..8]), number(&row[8..]))).collect()
}

struct LedgerCommitter {
    ledger: Arc<Ledger>,
}

impl Committer for LedgerCommitter {
    fn commit(&mut self, checkpoint: u64, committables: &[Committable]) -> Result<()> {
        let mut transactions = lock(&self.ledger.transactions);
        for Committable(bytes) in committables {
            let (id, rows) = bytes.split_at(16);
            let rows = decode(rows);
            let before = transactions.insert((checkpoint, id.to_vec()), rows.clone());
            if before.is_some_and(|before| before != rows) {
                return Err(Error::internal(format!("checkpoint {checkpoint} was committed with other rows")));
            }
        }
        Ok(())
    }
}
