//! The source: splits are ranges of positions.
//!
//! Rows are never late: splits are handed out in rising order, and a reader reads those it has in rising order.

use super::Troubles;
use super::rows::Rows;
use headwater_connector_api::{
    Boundedness, Options, ReaderContext, ReaderPoll, Source, SourceReader, Split, SplitAssignment, SplitEnumerator,
};
use headwater_env::Env;
use headwater_plan::SourceSpec;
use headwater_types::{Error, ErrorKind, Result};
use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

/// A source of positions.
#[derive(Clone)]
pub(super) struct Positions {
    rows: Rows,
    count: i64,
    splits: i64,
    batch: i64,
    pause_ms: i64,
    troubles: Arc<Troubles>,
}

impl Positions {
    pub(super) fn new(scan: &SourceSpec, troubles: Arc<Troubles>) -> Result<Self> {
        let options = Options(&scan.table.options);
        let number = |name: &str, default: i64| -> Result<i64> { Ok(options.integer(name)?.unwrap_or(default)) };
        Ok(Self {
            rows: Rows { columns: scan.produced.clone(), keys: number("keys", 7)?, salt: number("salt", 0)? },
            count: number("rows", 100)?,
            splits: number("splits", 4)?,
            batch: number("batch", 8)?,
            pause_ms: number("pause-ms", 0)?,
            troubles,
        })
    }
}

impl Source for Positions {
    fn boundedness(&self) -> Boundedness {
        Boundedness::Unbounded
    }

    fn enumerator(&self, _env: &Env) -> Result<Box<dyn SplitEnumerator>> {
        let bound = |split: i64| self.count * split / self.splits;
        let ranges = (0..self.splits).map(|split| (bound(split), bound(split + 1)));
        Ok(Box::new(Ranges(ranges.collect())))
    }

    fn restore_enumerator(&self, _env: &Env, state: &[u8]) -> Result<Box<dyn SplitEnumerator>> {
        Ok(Box::new(Ranges(state.chunks(SPLIT_BYTES).map(decode).collect::<Result<_>>()?)))
    }

    fn reader(&self, context: ReaderContext) -> Result<Box<dyn SourceReader>> {
        Ok(Box::new(Reader { source: self.clone(), env: context.env, ranges: BTreeMap::new(), next_ms: i64::MIN }))
    }
}

const SPLIT_BYTES: usize = 16;

fn encode((from, to): (i64, i64)) -> Vec<u8> {
    [from, to].map(i64::to_le_bytes).concat()
}

fn decode(bytes: &[u8]) -> Result<(i64, i64)> {
    let number = |at: usize| bytes.get(at..at + 8)?.try_into().ok().map(i64::from_le_bytes);
    let corrupt = || Error::new(ErrorKind::Corruption, "bad-split", "a simulated split is two numbers");
    Ok((number(0).ok_or_else(corrupt)?, number(8).ok_or_else(corrupt)?))
}

struct Ranges(VecDeque<(i64, i64)>);

impl SplitEnumerator for Ranges {
    fn next_split(&mut self, _subtask: u32, _parallelism: u32) -> Result<SplitAssignment> {
        let next = self.0.pop_front();
        Ok(next.map_or(SplitAssignment::NoMoreSplits, |range| SplitAssignment::Split(Split(encode(range)))))
    }

    fn snapshot(&mut self) -> Result<Vec<u8>> {
        Ok(self.0.iter().copied().flat_map(encode).collect())
    }
}

struct Reader {
    source: Positions,
    env: Env,
    /// Ends of ranges by their next positions.
    ranges: BTreeMap<i64, i64>,
    next_ms: i64,
}

impl SourceReader for Reader {
    fn add_split(&mut self, split: Split) -> Result<()> {
        let (from, to) = decode(&split.0)?;
        if self.ranges.insert(from, to).is_some() {
            self.source.troubles.violation(format!("the rows from {from} on were given to a reader twice"));
        }
        Ok(())
    }

    fn poll(&mut self) -> Result<ReaderPoll> {
        self.source.troubles.read.call("the simulated reader")?;
        let now_ms = self.env.now_ms();
        if now_ms < self.next_ms {
            return Ok(ReaderPoll::Pending(Some(self.next_ms)));
        }
        let Some((from, to)) = self.ranges.pop_first() else { return Ok(ReaderPoll::NeedSplit) };
        let until = to.min(from + self.source.batch);
        if until < to {
            self.ranges.insert(until, to);
        }
        self.next_ms = now_ms + self.source.pause_ms;
        Ok(ReaderPoll::Batch(self.source.rows.batch(from..until)?))
    }

    fn snapshot(&mut self) -> Result<Vec<Split>> {
        Ok(self.ranges.iter().map(|(from, to)| Split(encode((*from, *to)))).collect())
    }
}
