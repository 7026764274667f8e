//! Where a subtask's elements come from: a gate, a source, or nowhere (VALUES).

mod gate;
mod source;

pub(crate) use gate::GateInput;
pub(crate) use source::SourceInput;

use crate::chain::Chain;
use headwater_types::{MAX_WATERMARK, Result};

/// The input of a chain.
pub(crate) enum Input {
    /// Other subtasks.
    Gate(GateInput),
    /// The outside world.
    Source(Box<SourceInput>),
    /// Nothing: the first operator makes rows by itself when its input ends.
    Nothing,
    /// Nothing, and no operator either: ends at once.
    Empty,
    /// It has ended.
    Ended,
}

/// What came of asking an input.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fed {
    /// The chain was given something.
    Some,
    /// There is nothing now. The waker will be called, or it is worth asking again at this wall clock time.
    Nothing(Option<i64>),
}

impl Input {
    /// Gives the chain the next element.
    pub(crate) fn feed(&mut self, chain: &mut Chain, now_ms: i64) -> Result<Fed> {
        match self {
            Self::Gate(gate) => return gate.feed(chain),
            Self::Source(source) => return source.feed(chain, now_ms),
            Self::Ended => return Ok(Fed::Nothing(None)),
            Self::Nothing => chain.feed().end(0),
            Self::Empty => {
                chain.feed().watermark(MAX_WATERMARK);
                chain.feed().end(0);
            }
        }
        *self = Self::Ended;
        Ok(Fed::Some)
    }

    /// The source, if it is one.
    pub(crate) fn source(&mut self) -> Option<&mut SourceInput> {
        match self {
            Self::Source(source) => Some(source),
            _ => None,
        }
    }
}
