//! Where a subtask's elements come from: a gate, a source, or nowhere (VALUES).

mod barriers;
mod gate;
mod pace;
mod source;

pub(crate) use barriers::Taken;
pub(crate) use gate::{ChannelInfo, GateInput, InFlight};
pub(crate) use pace::Pace;
pub(crate) use source::SourceInput;

use crate::chain::Chain;
use crate::subtask::Checkpoints;
use headwater_types::{MAX_WATERMARK, Result};

/// The input of a chain.
pub(crate) enum Input {
    /// Other subtasks.
    Gate(Box<GateInput>),
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
    pub(crate) fn feed(
        &mut self,
        chain: &mut Chain,
        checkpoints: &mut Checkpoints,
        pace: &mut Pace,
        now_ms: i64,
    ) -> Result<Fed> {
        match self {
            Self::Gate(gate) => return gate.feed(chain, checkpoints, pace, now_ms),
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

    /// Takes note of barriers that cannot wait for their turn.
    pub(crate) fn look(&mut self, checkpoints: &mut Checkpoints, now_ms: i64) {
        if let Self::Gate(gate) = self {
            gate.look(checkpoints, now_ms);
        }
    }

    /// From when on the barrier to come waits for nothing, if there is one and it does.
    pub(crate) fn overtakes_from_ms(&self, checkpoints: &Checkpoints) -> Option<i64> {
        match self {
            Self::Gate(gate) => gate.overtakes_from_ms(checkpoints),
            Self::Source(_) => checkpoints.pending()?.overtakes_from_ms(),
            Self::Nothing | Self::Empty | Self::Ended => None,
        }
    }

    /// Lets a barrier into the chain, which is empty or can be interrupted: one that overtakes if it is time, or that of an input
    /// without channels. Whether the chain was given something.
    pub(crate) fn admit_barrier(
        &mut self,
        overtakes: bool,
        chain: &mut Chain,
        checkpoints: &mut Checkpoints,
        now_ms: i64,
    ) -> Result<bool> {
        if let Self::Gate(gate) = self {
            if overtakes {
                gate.overtake(chain, checkpoints, now_ms)?;
            }
            return Ok(overtakes);
        }
        let Some(barrier) = checkpoints.pending() else { return Ok(false) };
        match self {
            Self::Source(source) => source.admit_barrier(barrier, overtakes, chain, checkpoints, now_ms),
            // Its rows are either behind the barrier, all of them, or it has ended.
            Self::Nothing if !barrier.drains() => {
                checkpoints.begin(Taken { barrier, since_ms: now_ms }, now_ms);
                chain.feed().barrier(barrier);
                Ok(true)
            }
            Self::Nothing | Self::Empty | Self::Gate(_) | Self::Ended => Ok(false),
        }
    }

    /// A checkpoint was given up.
    pub(crate) fn abort(&mut self, checkpoint: u64, checkpoints: &mut Checkpoints, now_ms: i64) {
        if let Self::Gate(gate) = self {
            gate.abort(checkpoint, checkpoints, now_ms);
        }
    }

    /// Nobody needs the input any more. Producers are told.
    pub(crate) fn leave(&mut self, checkpoints: &mut Checkpoints) {
        if let Self::Gate(gate) = self {
            gate.give_up_capture(checkpoints);
        }
        *self = Self::Ended;
    }
}
