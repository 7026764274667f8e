//! Sources whose rows are a function of their number: generators.
//!
//! Reader `i` of `p` produces every `p`-th block of row numbers, so all readers advance through the sequence together
//! and any parallelism gives the same rows. A rate is kept over the whole sequence: row `n` is due `n / rate`
//! seconds after the reader started.

use arrow::array::RecordBatch;
use headwater_connector_api::{
    Boundedness, ReaderContext, ReaderPoll, Source, SourceReader, Split, SplitAssignment, SplitEnumerator,
};
use headwater_data::ChangeBatch;
use headwater_env::Env;
use headwater_types::{Error, ErrorKind, Result};
use std::collections::HashSet;

/// Shortest pause of a reader that is ahead of its rate: fewer, larger batches.
const PAUSE_MS: i64 = 10;

/// Rows of a batch at most, whatever the driver asks for: texts of a batch have 32-bit offsets.
const BATCH_ROWS_MAX: usize = 1 << 16;

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
        Ok(Box::new(OncePerReader { served: HashSet::new() }))
    }

    fn reader(&self, context: ReaderContext) -> Result<Box<dyn SourceReader>> {
        Ok(Box::new(NumberedReader {
            total: self.total.unwrap_or(u64::MAX),
            rate: self.rate,
            block: self.block,
            rows_left: self.limit.unwrap_or(u64::MAX),
            generator: (self.generator)()?,
            context,
            stride: None,
            next: 0,
            started_ms: None,
            numbers: vec![],
        }))
    }
}

/// Gives each reader one split: which blocks are its own.
struct OncePerReader {
    served: HashSet<u32>,
}

impl SplitEnumerator for OncePerReader {
    fn next_split(&mut self, subtask: u32, parallelism: u32) -> Result<SplitAssignment> {
        if !self.served.insert(subtask) {
            return Ok(SplitAssignment::NoMoreSplits);
        }
        let mut bytes = subtask.to_le_bytes().to_vec();
        bytes.extend(parallelism.to_le_bytes());
        Ok(SplitAssignment::Split(Split(bytes)))
    }
}

struct NumberedReader {
    total: u64,
    rate: Option<u64>,
    block: u64,
    rows_left: u64,
    generator: Box<dyn RowGenerator>,
    context: ReaderContext,
    /// First block and distance of blocks, once a split said so.
    stride: Option<(u64, u64)>,
    /// Own rows produced so far.
    next: u64,
    started_ms: Option<i64>,
    numbers: Vec<u64>,
}

impl NumberedReader {
    /// The number of the reader's own row at this position.
    fn number(&self, (first, distance): (u64, u64), position: u64) -> u64 {
        let block = first.saturating_add((position / self.block).saturating_mul(distance));
        block.saturating_mul(self.block).saturating_add(position % self.block)
    }

    /// Rows that are due at this time: those with smaller numbers than the result.
    fn due(&self, elapsed_ms: i64) -> u64 {
        match self.rate {
            None => u64::MAX,
            // The first row is due at once.
            Some(rate) => (elapsed_ms.max(0) as u128 * u128::from(rate) / 1_000 + 1).min(u128::from(u64::MAX)) as u64,
        }
    }
}

impl SourceReader for NumberedReader {
    fn add_split(&mut self, split: Split) -> Result<()> {
        let corrupt = || Error::new(ErrorKind::Corruption, "bad-split", "a generator split has not eight bytes");
        let bytes: [u8; 8] = split.0.try_into().map_err(|_| corrupt())?;
        let packed = u64::from_le_bytes(bytes);
        self.stride = Some((packed & 0xFFFF_FFFF, (packed >> 32).max(1)));
        Ok(())
    }

    fn poll(&mut self) -> Result<ReaderPoll> {
        let Some(stride) = self.stride else { return Ok(ReaderPoll::NeedSplit) };
        let now_ms = self.context.env.now_ms();
        let started_ms = *self.started_ms.get_or_insert(now_ms);
        let end = self.total.min(self.due(now_ms - started_ms));
        let rows_max = self.rows_left.min(self.context.batch_rows.clamp(1, BATCH_ROWS_MAX) as u64);
        self.numbers.clear();
        while (self.numbers.len() as u64) < rows_max {
            let number = self.number(stride, self.next);
            if number >= end {
                break;
            }
            self.numbers.push(number);
            self.next += 1;
        }
        if !self.numbers.is_empty() {
            self.rows_left -= self.numbers.len() as u64;
            return Ok(ReaderPoll::Batch(ChangeBatch::append(self.generator.rows(&self.numbers, now_ms)?)));
        }
        let number = self.number(stride, self.next);
        match self.rate {
            Some(rate) if number < self.total && self.rows_left > 0 => {
                let due_ms = started_ms + (u128::from(number) * 1_000).div_ceil(u128::from(rate.max(1))) as i64;
                Ok(ReaderPoll::Pending(Some(due_ms.max(now_ms + PAUSE_MS))))
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
