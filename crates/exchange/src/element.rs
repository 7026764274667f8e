//! What travels on a channel, and in which order it may.

use crate::Barrier;
use headwater_data::ChangeBatch;

/// An element of a channel.
///
/// The elements of one channel match this regular expression, with `B` batch, `W` watermark (strictly
/// increasing), `C` barrier (of strictly increasing checkpoints), `D` drain, `I` idle, `A` active and `E` end:
///
/// ```text
/// channel := ( [BWCD] | I [BCD]* A )* ( I [BCD]* )? E
/// ```
///
/// Rows may travel on an idle channel (a processing-time operator may fire below an idle source), but event
/// time stands still there. `D` comes at most once. A channel that breaks off without `E` belongs to a producer
/// that failed.
///
/// # Barriers
///
/// A barrier has its place between the rows, always: what stands before it was sent before the producer's
/// snapshot, the rows that the producer held back for larger batches included. The consumer decides what to do:
///
/// * *Aligned*: it [blocks](crate::Gate::block) each channel whose barrier it took, until all have delivered theirs.
/// * *Unaligned*: it takes its snapshot at once, and [captures](crate::Gate::begin_capture) of every channel
///   what is queued or still arrives before the barrier, which is then dropped; the rows are processed in their
///   turn, behind the snapshot. So a barrier overtakes rows without any of them changing its place.
/// * *At least once*: it takes its snapshot when it took the last barrier.
///
/// On forward and broadcast edges a barrier never overtakes: captured rows could not be dealt to another number of
/// consumers.
#[derive(Debug, Clone)]
pub enum Element {
    /// Rows; never empty.
    Batch(ChangeBatch),
    /// Event time of the producer.
    Watermark(i64),
    /// The producer has no rows for now and must not hold back event time (`true`), or has again (`false`).
    Idle(bool),
    /// The barrier of a checkpoint.
    Barrier(Barrier),
    /// All sources end, for a savepoint behind the end: whoever ends must wait for it.
    Drain(Barrier),
    /// The producer is done: nothing follows.
    End,
}

/// Memory accounted for an element besides its rows.
const ELEMENT_BYTES: usize = 64;

impl Element {
    /// Bytes that the element occupies in a queue.
    pub fn bytes(&self) -> usize {
        match self {
            Self::Batch(batch) => batch.bytes() + ELEMENT_BYTES,
            _ => ELEMENT_BYTES,
        }
    }
}

/// Checks that the elements of one channel follow the grammar of [`Element`].
#[derive(Debug, Clone, Default)]
pub struct Grammar {
    watermark: Option<i64>,
    checkpoint: Option<u64>,
    idle: bool,
    draining: bool,
    ended: bool,
}

impl Grammar {
    /// The state before the first element.
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes the next element, or says which rule it breaks.
    pub fn accept(&mut self, element: &Element) -> Result<(), &'static str> {
        if self.ended {
            return Err("nothing follows the end");
        }
        match element {
            Element::Batch(batch) if batch.num_rows() == 0 => return Err("a batch has rows"),
            Element::Batch(_) => {}
            Element::Barrier(next) if self.checkpoint.is_some_and(|last| next.checkpoint <= last) => {
                return Err("checkpoints strictly increase");
            }
            Element::Barrier(next) => self.checkpoint = Some(next.checkpoint),
            Element::Drain(_) if self.draining => return Err("a channel drains once"),
            Element::Drain(_) => self.draining = true,
            Element::Watermark(_) if self.idle => return Err("an idle channel has no watermarks"),
            Element::Watermark(next) if self.watermark.is_some_and(|last| *next <= last) => {
                return Err("watermarks strictly increase");
            }
            Element::Watermark(next) => self.watermark = Some(*next),
            Element::Idle(idle) if *idle == self.idle => return Err("idle and active alternate"),
            Element::Idle(idle) => self.idle = *idle,
            Element::End => self.ended = true,
        }
        Ok(())
    }
}
