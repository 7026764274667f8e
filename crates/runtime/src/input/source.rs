//! Drives a source reader: asks for splits, reads, sends barriers, ends.

use crate::chain::Chain;
use crate::deploy::TaskEvents;
use crate::input::{Fed, Taken};
use crate::subtask::Checkpoints;
use headwater_connector_api::{ReaderPoll, SourceReader, SplitAssignment};
use headwater_data::ChangeBatch;
use headwater_exchange::Barrier;
use headwater_operator_api::SplitEvent;
use headwater_types::ids::SubtaskId;
use headwater_types::{MAX_WATERMARK, Result};
use std::sync::Arc;

/// A source reader and its outstanding request.
pub(crate) struct SourceInput {
    /// Gone when the source has ended.
    reader: Option<Box<dyn SourceReader>>,
    subtask: SubtaskId,
    events: Arc<dyn TaskEvents>,
    splits: Splits,
    /// Splits are asked for while others are read.
    reads_together: bool,
    /// Whether the first splits that are read together are not all here yet. Nothing is read before: rows of one
    /// would move event time on past those of the next.
    gathers: bool,
    /// An operator wants to know which split rows come from.
    tells_splits: bool,
    /// The split of the last rows.
    current_split: Option<u32>,
}

/// Whether there are more splits to be had.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Splits {
    /// Perhaps.
    Unknown,
    /// A request is under way.
    Requested,
    /// Not before this wall clock time.
    NotBefore(i64),
    /// No.
    Exhausted,
}

impl SourceInput {
    pub(crate) fn new(
        reader: Box<dyn SourceReader>,
        subtask: SubtaskId,
        events: Arc<dyn TaskEvents>,
        reads_together: bool,
    ) -> Self {
        let splits = Splits::Unknown;
        Self {
            reader: Some(reader),
            subtask,
            events,
            splits,
            reads_together,
            gathers: reads_together,
            tells_splits: false,
            current_split: None,
        }
    }

    /// Sets whether an operator of the chain wants to know which split rows come from.
    pub(crate) fn tell_splits(&mut self, tells_splits: bool) {
        self.tells_splits = tells_splits;
    }

    /// Takes the answer to a request.
    pub(crate) fn assign(&mut self, assignment: SplitAssignment, now_ms: i64) -> Result<()> {
        self.gathers &= matches!(assignment, SplitAssignment::Split(_));
        self.splits = match assignment {
            SplitAssignment::Split(split) => {
                if let Some(reader) = &mut self.reader {
                    reader.add_split(split)?;
                }
                Splits::Unknown
            }
            SplitAssignment::Wait(wait_ms) => Splits::NotBefore(now_ms.saturating_add_unsigned(wait_ms)),
            SplitAssignment::NoMoreSplits => Splits::Exhausted,
        };
        Ok(())
    }

    /// Gives the chain the next rows, or the end.
    pub(crate) fn feed(&mut self, chain: &mut Chain, now_ms: i64) -> Result<Fed> {
        if self.gathers {
            return Ok(Fed::Nothing(self.request(now_ms)));
        }
        let Some(reader) = &mut self.reader else { return Ok(Fed::Nothing(None)) };
        let polled = reader.poll()?;
        let asks_again = if self.reads_together { self.request(now_ms) } else { None };
        match polled {
            ReaderPoll::Batch(batch) => chain.feed().batch(0, batch),
            ReaderPoll::SplitBatch { split, batch } => self.feed_split(split, batch, chain),
            ReaderPoll::SplitFinished(split) => {
                if self.tells_splits {
                    chain.feed().split(SplitEvent::Finished(split));
                }
                self.current_split = None;
            }
            ReaderPoll::Pending(again_ms) => {
                return Ok(Fed::Nothing([again_ms, asks_again].into_iter().flatten().min()));
            }
            ReaderPoll::Finished => self.end(chain),
            ReaderPoll::NeedSplit => return Ok(self.need_split(chain, now_ms)),
        }
        Ok(Fed::Some)
    }

    /// Lets the barrier of a trigger into the chain; whether it did.
    pub(crate) fn admit_barrier(
        &mut self,
        barrier: Barrier,
        overtakes: bool,
        chain: &mut Chain,
        checkpoints: &mut Checkpoints,
        now_ms: i64,
    ) -> Result<bool> {
        // Behind the end the subtask answers by itself.
        let Some(reader) = &mut self.reader else { return Ok(false) };
        let splits = match reader.snapshot() {
            Ok(splits) => splits,
            Err(reason) => {
                checkpoints.decline(barrier.checkpoint, reason);
                return Ok(false);
            }
        };
        if barrier.drains() {
            checkpoints.drain_source(barrier, splits);
            chain.feed().drain(barrier);
            self.end(chain);
            return Ok(true);
        }
        let current = checkpoints.begin(Taken { barrier, since_ms: now_ms }, now_ms);
        current.splits(splits);
        if overtakes {
            current.overtaking();
        }
        chain.admit(barrier)?;
        Ok(true)
    }

    /// A checkpoint is complete.
    pub(crate) fn checkpoint_complete(&mut self, checkpoint: u64) -> Result<()> {
        self.reader.as_mut().map_or(Ok(()), |reader| reader.checkpoint_complete(checkpoint))
    }

    /// Ends the source: the final watermark, then the end. Nothing happens when it has ended before.
    pub(crate) fn end(&mut self, chain: &mut Chain) {
        if self.reader.take().is_some() {
            chain.feed().watermark(MAX_WATERMARK);
            chain.feed().end(0);
        }
    }

    fn feed_split(&mut self, split: u32, batch: ChangeBatch, chain: &mut Chain) {
        if self.tells_splits && self.current_split.replace(split) != Some(split) {
            chain.feed().split(SplitEvent::Rows(split));
        }
        chain.feed().batch(0, batch);
    }

    fn need_split(&mut self, chain: &mut Chain, now_ms: i64) -> Fed {
        if self.splits == Splits::Exhausted {
            self.end(chain);
            return Fed::Some;
        }
        Fed::Nothing(self.request(now_ms))
    }

    /// Asks for a split if it is time; when to ask again.
    fn request(&mut self, now_ms: i64) -> Option<i64> {
        match self.splits {
            Splits::Exhausted | Splits::Requested => None,
            Splits::NotBefore(at_ms) if now_ms < at_ms => Some(at_ms),
            Splits::NotBefore(_) | Splits::Unknown => {
                self.splits = Splits::Requested;
                self.events.request_split(self.subtask);
                None
            }
        }
    }
}
