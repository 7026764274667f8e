//! Drives a source reader: asks for splits, reads, ends.

use crate::chain::Chain;
use crate::deploy::TaskEvents;
use crate::input::Fed;
use headwater_connector_api::{ReaderPoll, SourceReader, SplitAssignment};
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
    pub(crate) fn new(reader: Box<dyn SourceReader>, subtask: SubtaskId, events: Arc<dyn TaskEvents>) -> Self {
        Self { reader: Some(reader), subtask, events, splits: Splits::Unknown }
    }

    /// Takes the answer to a request.
    pub(crate) fn assign(&mut self, assignment: SplitAssignment, now_ms: i64) -> Result<()> {
        self.splits = match assignment {
            SplitAssignment::Split(split) => {
                if let Some(reader) = &mut self.reader {
                    reader.add_split(split)?;
                }
                Splits::Unknown
            }
            SplitAssignment::Wait(wait_ms) => Splits::NotBefore(now_ms.saturating_add(wait_ms as i64)),
            SplitAssignment::NoMoreSplits => Splits::Exhausted,
        };
        Ok(())
    }

    /// Gives the chain the next rows, or the end.
    pub(crate) fn feed(&mut self, chain: &mut Chain, now_ms: i64) -> Result<Fed> {
        let Some(reader) = &mut self.reader else { return Ok(Fed::Nothing(None)) };
        match reader.poll()? {
            ReaderPoll::Batch(batch) => {
                chain.feed().batch(0, batch);
                Ok(Fed::Some)
            }
            ReaderPoll::Pending(again_ms) => Ok(Fed::Nothing(again_ms)),
            ReaderPoll::Finished => Ok(self.end(chain)),
            ReaderPoll::NeedSplit => Ok(self.need_split(chain, now_ms)),
        }
    }

    /// Ends the source: the final watermark, then the end. Nothing happens when it has ended before.
    pub(crate) fn end(&mut self, chain: &mut Chain) -> Fed {
        if self.reader.take().is_some() {
            chain.feed().watermark(MAX_WATERMARK);
            chain.feed().end(0);
        }
        Fed::Some
    }

    fn need_split(&mut self, chain: &mut Chain, now_ms: i64) -> Fed {
        match self.splits {
            Splits::Exhausted => self.end(chain),
            Splits::Requested => Fed::Nothing(None),
            Splits::NotBefore(at_ms) if now_ms < at_ms => Fed::Nothing(Some(at_ms)),
            Splits::NotBefore(_) | Splits::Unknown => {
                self.splits = Splits::Requested;
                self.events.request_split(self.subtask);
                Fed::Nothing(None)
            }
        }
    }
}
