//! Sources whose rows are a function of their number: generators.
//!
//! Reader `i` of `p` produces every `p`-th block of row numbers, so all readers advance through the sequence together
//! and any parallelism gives the same rows. A rate is kept over the whole sequence: row `n` is due `n / rate`
//! seconds after the reader started, or was restored.

use arrow::array::RecordBatch;
use headwater_connector_api::{
    Boundedness, ReaderContext, ReaderPoll, Source, SourceReader, Split, SplitAssignment, SplitEnumerator,
};
use headwater_data::ChangeBatch;
use headwater_env::Env;
use headwater_types::{Error, ErrorKind, Result};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// Shortest pause of a reader that is ahead of its rate: fewer, larger batches.
const PAUSE_MS: i64 = 10;

/// Rows of a batch at most, whatever the driver asks for: texts of a batch have 32-bit offsets.
const BATCH_ROWS_MAX: usize = 1 << 16;
/// Bytes of a batch, about: with wide rows it has fewer of them.
const BATCH_BYTES: u64 = 4 << 20;

/// Makes rows from their numbers.
pub(crate) trait RowGenerator: Send {
    /// The rows with these numbers. `now_ms` is the wall clock, for columns that show it.
    fn rows(&mut self, numbers: &[u64], now_ms: i64) -> Result<RecordBatch>;
}

/// A source of numbered rows.
pub(crate) struct NumberedSource<F> {
    /// Rows in all; endless without.
    pub(crate) total: Option<u64>,
    /// Rows per second in all; as fast as possible without.
    pub(crate) rate: Option<u64>,
    /// Row numbers that stay together.
    pub(crate) block: u64,
    /// Rows a reader stops after.
    pub(crate) limit: Option<u64>,
    /// Makes the generator of a reader.
    pub(crate) generator: F,
}

impl<F> Source for NumberedSource<F>
where
    F: Fn() -> Result<Box<dyn RowGenerator>> + Send + Sync,
{
    fn boundedness(&self) -> Boundedness {
        if self.total.is_some() { Boundedness::Bounded } else { Boundedness::Unbounded }
    }

    fn enumerator(&self, _env: &Env) -> Result<Box<dyn SplitEnumerator>> {
        Ok(Box::new(OncePerReader::default()))
    }

    fn restore_enumerator(&self, _env: &Env, state: &[u8]) -> Result<Box<dyn SplitEnumerator>> {
        let corrupt = |e| Error::new(ErrorKind::Corruption, "bad-split", format!("stored splits cannot be read: {e}"));
        let stored: OncePerReader = postcard::from_bytes(state).map_err(corrupt)?;
        // Before the first request the parallelism is free to change.
        let restored = stored.parallelism.is_some();
        Ok(Box::new(OncePerReader { restored, ..stored }))
    }

    fn reader(&self, context: ReaderContext) -> Result<Box<dyn SourceReader>> {
        Ok(Box::new(NumberedReader {
            total: self.total.unwrap_or(u64::MAX),
            rate: self.rate,
            block: self.block,
            rows_left: self.limit.unwrap_or(u64::MAX),
            generator: (self.generator)()?,
            context,
            strides: vec![],
            started: None,
            numbers: vec![],
            row_bytes: 0,
        }))
    }
}

/// Gives each reader one split: which blocks are its own. Restored, it gives what was left to whoever asks.
#[derive(Default, Serialize, Deserialize)]
struct OncePerReader {
    /// Who was served.
    served: BTreeSet<u32>,
    /// Parallelism of the sequence; known from the first request on.
    parallelism: Option<u32>,
    #[serde(skip)]
    restored: bool,
}

impl OncePerReader {
    /// Whose blocks this reader is to be given.
    fn choose(&self, subtask: u32, parallelism: u32) -> Option<u32> {
        match self.restored {
            false => Some(subtask).filter(|own| !self.served.contains(own)),
            true => (0..parallelism).find(|index| !self.served.contains(index)),
        }
    }
}

impl SplitEnumerator for OncePerReader {
    fn next_split(&mut self, subtask: u32, parallelism: u32) -> Result<SplitAssignment> {
        let parallelism = *self.parallelism.get_or_insert(parallelism);
        let Some(index) = self.choose(subtask, parallelism) else { return Ok(SplitAssignment::NoMoreSplits) };
        self.served.insert(index);
        let stride = Stride { first: index.into(), distance: parallelism.max(1).into(), next: 0 };
        stride.encode().map(SplitAssignment::Split)
    }

    fn snapshot(&mut self) -> Result<Vec<u8>> {
        postcard::to_allocvec(self).map_err(|e| Error::internal(format!("a generator's splits cannot be written: {e}")))
    }
}

/// Every `distance`-th block from block `first` on.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
struct Stride {
    first: u64,
    distance: u64,
    /// Position of the next row within the stride.
    next: u64,
}

impl Stride {
    fn encode(self) -> Result<Split> {
        let bytes = postcard::to_allocvec(&self);
        bytes.map(Split).map_err(|e| Error::internal(format!("a generator split cannot be written: {e}")))
    }

    fn decode(split: &Split) -> Result<Self> {
        let corrupt =
            |e| Error::new(ErrorKind::Corruption, "bad-split", format!("a generator split cannot be read: {e}"));
        postcard::from_bytes(&split.0).map_err(corrupt)
    }

    /// The number of the next row.
    fn number(&self, block: u64) -> u64 {
        let at = self.first.saturating_add((self.next / block).saturating_mul(self.distance));
        at.saturating_mul(block).saturating_add(self.next % block)
    }
}

struct NumberedReader {
    total: u64,
    rate: Option<u64>,
    block: u64,
    rows_left: u64,
    generator: Box<dyn RowGenerator>,
    context: ReaderContext,
    /// What is to be read; of several strides (of a restored job) the block with the smallest numbers is next.
    strides: Vec<Stride>,
    /// When the first row was asked for, and its number: the rate counts from there.
    started: Option<(i64, u64)>,
    numbers: Vec<u64>,
    /// Memory of a row of the last batch, bytes; 0 before the first.
    row_bytes: u64,
}

impl NumberedReader {
    /// The stride whose next row has the smallest number.
    fn foremost(&mut self) -> Option<&mut Stride> {
        let block = self.block;
        self.strides.iter_mut().min_by_key(|stride| stride.number(block))
    }

    fn next_number(&mut self) -> Option<u64> {
        let block = self.block;
        self.foremost().map(|stride| stride.number(block))
    }

    /// Rows that are due now: those with smaller numbers than the result.
    fn due(&self, (started_ms, first): (i64, u64), now_ms: i64) -> u64 {
        let Some(rate) = self.rate else { return u64::MAX };
        // The first row is due at once.
        let rows = (now_ms - started_ms).max(0) as u128 * u128::from(rate) / 1_000 + 1;
        (u128::from(first) + rows).min(u128::from(u64::MAX)) as u64
    }

    /// Collects the numbers of the next rows below `end`.
    fn collect_numbers(&mut self, end: u64, rows_max: u64) {
        self.numbers.clear();
        let block = self.block;
        while (self.numbers.len() as u64) < rows_max {
            let room = rows_max - self.numbers.len() as u64;
            let Some(stride) = self.foremost() else { return };
            let first = stride.number(block);
            // Rows of a block are neighbours.
            let count = (block - stride.next % block).min(room).min(end.saturating_sub(first));
            if count == 0 {
                return;
            }
            stride.next += count;
            self.numbers.extend(first..first + count);
        }
    }
}

impl SourceReader for NumberedReader {
    fn add_split(&mut self, split: Split) -> Result<()> {
        self.strides.push(Stride::decode(&split)?);
        Ok(())
    }

    fn snapshot(&mut self) -> Result<Vec<Split>> {
        let (block, total) = (self.block, self.total);
        self.strides.iter().filter(|stride| stride.number(block) < total).map(|stride| stride.encode()).collect()
    }

    fn poll(&mut self) -> Result<ReaderPoll> {
        let Some(next) = self.next_number() else { return Ok(ReaderPoll::NeedSplit) };
        let now_ms = self.context.env.now_ms();
        let started = *self.started.get_or_insert((now_ms, next));
        let end = self.total.min(self.due(started, now_ms));
        let rows_max = self.rows_left.min(self.context.batch_rows.clamp(1, BATCH_ROWS_MAX) as u64);
        self.collect_numbers(end, rows_max.min((BATCH_BYTES / self.row_bytes.max(1)).max(1)));
        if !self.numbers.is_empty() {
            let count = self.numbers.len() as u64;
            self.rows_left -= count;
            let rows = self.generator.rows(&self.numbers, now_ms)?;
            self.row_bytes = rows.get_array_memory_size() as u64 / count;
            return Ok(ReaderPoll::Batch(ChangeBatch::append(rows)));
        }
        match self.rate {
            Some(rate) if next < self.total && self.rows_left > 0 => {
                let (started_ms, first) = started;
                let wait_ms = (u128::from(next - first) * 1_000).div_ceil(u128::from(rate.max(1))) as i64;
                Ok(ReaderPoll::Pending(Some((started_ms + wait_ms).max(now_ms + PAUSE_MS))))
            }
            _ => Ok(ReaderPoll::Finished),
        }
    }
}

/// Sixty-four bits that depend on nothing but the arguments (SplitMix64 over a counter).
#[inline]
pub(crate) fn random(seed: u64, number: u64, salt: u64) -> u64 {
    let mut z = seed
        .wrapping_add(number.wrapping_add(1).wrapping_mul(0x9E37_79B9_7F4A_7C15))
        .wrapping_add(salt.wrapping_mul(0xD1B5_4A32_D192_ED03));
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}

/// A random number below `bound`, from 64 random bits.
#[inline]
pub(crate) fn below(bits: u64, bound: u64) -> u64 {
    ((u128::from(bits) * u128::from(bound)) >> 64) as u64
}
