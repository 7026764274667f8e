//! The `numbers` source and the `collect` sink.

use super::batch;
use crate::lock;
use arrow::array::AsArray;
use arrow::datatypes::Int64Type;
use headwater_connector_api::{
    Boundedness, Committable, Committer, Connector, DatasetIdentity, OptionSpec, ReaderContext, ReaderPoll, Sink,
    SinkWriter, Source, SourceReader, Split, SplitAssignment, SplitEnumerator, WriterContext,
};
use headwater_data::ChangeBatch;
use headwater_env::Env;
use headwater_exchange::Waker;
use headwater_plan::{SinkSpec, SourceSpec, TableSpec};
use headwater_types::{Error, Result};
use std::collections::VecDeque;
use std::sync::{Arc, Condvar, Mutex};

/// Counts from 0. Options: `rows` (-1 for ever; -2 none, but no reader ever ends), `splits`, `batch` (rows), `keys`
/// (`k = n % keys`), `wait-ms` (the first request is told to wait), `fail-at` (a number that fails the reader).
pub struct NumbersConnector;

#[derive(Clone)]
struct Numbers {
    rows: i64,
    splits: i64,
    batch: i64,
    keys: i64,
    wait_ms: u64,
    fail_at: i64,
}

impl Numbers {
    fn new(table: &TableSpec) -> Self {
        let number = |name: &str, default: i64| {
            table.options.get(name).map_or(default, |text| text.parse().expect("toy options are numbers"))
        };
        Self {
            rows: number("rows", 10),
            splits: number("splits", 1),
            batch: number("batch", 4),
            keys: number("keys", 7),
            wait_ms: number("wait-ms", 0) as u64,
            fail_at: number("fail-at", -1),
        }
    }
}

impl Connector for NumbersConnector {
    fn name(&self) -> &'static str {
        "numbers"
    }

    fn options(&self, _table: &TableSpec) -> Vec<OptionSpec> {
        vec![]
    }

    fn dataset(&self, table: &TableSpec) -> Result<DatasetIdentity> {
        Ok(DatasetIdentity { namespace: "toy".to_owned(), name: table.path[2].clone(), schema: vec![] })
    }

    fn source(&self, scan: &SourceSpec) -> Result<Option<Box<dyn Source>>> {
        Ok(Some(Box::new(Numbers::new(&scan.table))))
    }

    fn sink(&self, _write: &SinkSpec) -> Result<Option<Box<dyn Sink>>> {
        Ok(None)
    }
}

impl Source for Numbers {
    fn boundedness(&self) -> Boundedness {
        if self.rows < 0 { Boundedness::Unbounded } else { Boundedness::Bounded }
    }

    fn enumerator(&self, _env: &Env) -> Result<Box<dyn SplitEnumerator>> {
        let per_split = self.rows.max(0).div_euclid(self.splits);
        let bound = |split: i64| if split == self.splits { self.rows } else { split * per_split };
        let splits = match self.rows {
            ..-1 => return Ok(Box::new(EndlessSplits)),
            -1 => [(0, -1)].into(),
            _ => (0..self.splits).map(|split| (bound(split), bound(split + 1))).collect(),
        };
        Ok(Box::new(NumberSplits { splits, wait_ms: self.wait_ms }))
    }

    fn restore_enumerator(&self, _env: &Env, state: &[u8]) -> Result<Box<dyn SplitEnumerator>> {
        if self.rows < -1 {
            return Ok(Box::new(EndlessSplits));
        }
        let splits = state.chunks_exact(16).map(decode_split).collect();
        Ok(Box::new(NumberSplits { splits, wait_ms: 0 }))
    }

    fn reader(&self, _context: ReaderContext) -> Result<Box<dyn SourceReader>> {
        Ok(Box::new(NumbersReader { numbers: self.clone(), splits: VecDeque::new() }))
    }
}

/// Gives every reader a split without rows or end.
struct EndlessSplits;

impl SplitEnumerator for EndlessSplits {
    fn next_split(&mut self, _subtask: u32, _parallelism: u32) -> Result<SplitAssignment> {
        Ok(SplitAssignment::Split(Split(encode_split(&(0, -2)))))
    }

    fn snapshot(&mut self) -> Result<Vec<u8>> {
        Ok(vec![])
    }
}

struct NumberSplits {
    splits: VecDeque<(i64, i64)>,
    wait_ms: u64,
}

impl SplitEnumerator for NumberSplits {
    fn next_split(&mut self, _subtask: u32, _parallelism: u32) -> Result<SplitAssignment> {
        if self.wait_ms > 0 {
            return Ok(SplitAssignment::Wait(std::mem::take(&mut self.wait_ms)));
        }
        Ok(match self.splits.pop_front() {
            Some(split) => SplitAssignment::Split(Split(encode_split(&split))),
            None => SplitAssignment::NoMoreSplits,
        })
    }

    fn snapshot(&mut self) -> Result<Vec<u8>> {
        Ok(self.splits.iter().flat_map(encode_split).collect())
    }
}

/// A split is the next number and the end.
fn encode_split((from, to): &(i64, i64)) -> Vec<u8> {
    [from.to_le_bytes(), to.to_le_bytes()].concat()
}

fn decode_split(bytes: &[u8]) -> (i64, i64) {
    let number = |at: usize| i64::from_le_bytes(bytes[at..at + 8].try_into().expect("a split is two numbers"));
    (number(0), number(8))
}

struct NumbersReader {
    numbers: Numbers,
    splits: VecDeque<(i64, i64)>,
}

impl SourceReader for NumbersReader {
    fn add_split(&mut self, split: Split) -> Result<()> {
        self.splits.push_back(decode_split(&split.0));
        Ok(())
    }

    fn snapshot(&mut self) -> Result<Vec<Split>> {
        Ok(self.splits.iter().map(|split| Split(encode_split(split))).collect())
    }

    fn poll(&mut self) -> Result<ReaderPoll> {
        let Some((next, end)) = self.splits.front_mut() else { return Ok(ReaderPoll::NeedSplit) };
        let last = match *end {
            -1 => *next + self.numbers.batch,
            ..-1 => return Ok(ReaderPoll::Pending(None)),
            end => end.min(*next + self.numbers.batch),
        };
        let range = *next..last;
        if range.contains(&self.numbers.fail_at) {
            return Err(Error::user("toy-failure", format!("cannot read {}", self.numbers.fail_at)));
        }
        *next = last;
        if last == *end {
            self.splits.pop_front();
        }
        Ok(ReaderPoll::Batch(batch(range.map(|n| (n, n % self.numbers.keys)))))
    }
}

/// Collects rows in [`Collected`]. Option `gated`: writers take a batch only when [`SinkGate`] lets them.
/// Option `fail-commit`: the committer fails.
pub struct CollectConnector {
    /// Where rows go.
    pub collected: Arc<Collected>,
}

/// What `collect` sinks saw.
#[derive(Default)]
pub struct Collected {
    /// Written rows with the subtask that wrote them.
    written: Mutex<Vec<(u32, i64, i64)>>,
    written_changed: Condvar,
    /// Number of rows in committed committables.
    committed: Mutex<u64>,
    events: Mutex<Vec<&'static str>>,
    /// Holds back gated writers.
    pub gate: SinkGate,
}

/// Lets gated writers write a number of batches.
#[derive(Default)]
pub struct SinkGate {
    state: Mutex<(usize, Vec<Waker>)>,
}

impl SinkGate {
    /// Allows this many more batches.
    pub fn allow(&self, batches: usize) {
        let wakers = {
            let mut state = lock(&self.state);
            state.0 = state.0.saturating_add(batches);
            std::mem::take(&mut state.1)
        };
        wakers.iter().for_each(|wake| wake());
    }

    fn is_open(&self, waker: &Waker) -> bool {
        let mut state = lock(&self.state);
        if state.0 == 0 {
            state.1.push(waker.clone());
        }
        state.0 > 0
    }

    fn take(&self) {
        let mut state = lock(&self.state);
        state.0 = state.0.saturating_sub(1);
    }
}

impl Collected {
    /// Everything written, sorted by subtask and value.
    pub fn rows(&self) -> Vec<(u32, i64, i64)> {
        let mut rows = lock(&self.written).clone();
        rows.sort_unstable();
        rows
    }

    /// Everything written, in the order of writing.
    pub fn in_order(&self) -> Vec<(u32, i64, i64)> {
        lock(&self.written).clone()
    }

    /// The written `n`, sorted.
    pub fn numbers(&self) -> Vec<i64> {
        let mut numbers: Vec<_> = lock(&self.written).iter().map(|(_, n, _)| *n).collect();
        numbers.sort_unstable();
        numbers
    }

    /// Rows in committed committables.
    pub fn committed(&self) -> u64 {
        *lock(&self.committed)
    }

    /// `commit`, `finish` and `abort` calls in order.
    pub fn events(&self) -> Vec<&'static str> {
        lock(&self.events).clone()
    }

    /// Waits until this many rows were written.
    pub fn wait_for_rows(&self, rows: usize) {
        let mut written = lock(&self.written);
        while written.len() < rows {
            written = self.written_changed.wait(written).unwrap_or_else(std::sync::PoisonError::into_inner);
        }
    }
}

impl Connector for CollectConnector {
    fn name(&self) -> &'static str {
        "collect"
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
        Ok(Some(Box::new(CollectSink {
            collected: self.collected.clone(),
            gated: write.table.options.contains_key("gated"),
            fail_commit: write.table.options.contains_key("fail-commit"),
        })))
    }
}

struct CollectSink {
    collected: Arc<Collected>,
    gated: bool,
    fail_commit: bool,
}

impl Sink for CollectSink {
    fn writer(&self, context: WriterContext) -> Result<Box<dyn SinkWriter>> {
        Ok(Box::new(CollectWriter { collected: self.collected.clone(), gated: self.gated, context, rows: 0 }))
    }

    fn committer(&self) -> Result<Option<Box<dyn Committer>>> {
        Ok(Some(Box::new(CollectCommitter { collected: self.collected.clone(), fail: self.fail_commit })))
    }
}

struct CollectWriter {
    collected: Arc<Collected>,
    gated: bool,
    context: WriterContext,
    rows: u64,
}

impl SinkWriter for CollectWriter {
    fn is_ready(&mut self) -> bool {
        !self.gated || self.collected.gate.is_open(&self.context.waker)
    }

    fn write(&mut self, batch: ChangeBatch) -> Result<()> {
        if self.gated {
            self.collected.gate.take();
        }
        let column = |index: usize| batch.rows().column(index).as_primitive::<Int64Type>().values().clone();
        let (n, k) = (column(0), column(1));
        let rows = n.iter().zip(k.iter()).map(|(n, k)| (self.context.subtask, *n, *k));
        lock(&self.collected.written).extend(rows);
        self.collected.written_changed.notify_all();
        self.rows += batch.num_rows() as u64;
        (self.context.on_bytes)(batch.bytes() as u64);
        Ok(())
    }

    fn take_committables(&mut self, _checkpoint: u64, _end: bool) -> Result<Vec<Committable>> {
        Ok(vec![Committable(std::mem::take(&mut self.rows).to_le_bytes().to_vec())])
    }
}

struct CollectCommitter {
    collected: Arc<Collected>,
    fail: bool,
}

impl Committer for CollectCommitter {
    fn commit(&mut self, _checkpoint: u64, committables: &[Committable]) -> Result<()> {
        lock(&self.collected.events).push("commit");
        if self.fail {
            return Err(Error::user("toy-failure", "cannot commit"));
        }
        let rows = |c: &Committable| u64::from_le_bytes(c.0.as_slice().try_into().expect("a count of rows"));
        *lock(&self.collected.committed) += committables.iter().map(rows).sum::<u64>();
        Ok(())
    }

    fn finish(&mut self) -> Result<()> {
        lock(&self.collected.events).push("finish");
        Ok(())
    }

    fn abort(&mut self) -> Result<()> {
        lock(&self.collected.events).push("abort");
        Ok(())
    }
}
