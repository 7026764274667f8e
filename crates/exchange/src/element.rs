//! What travels on a channel, and in which order it may.

use headwater_data::ChangeBatch;

/// An element of a channel.
///
/// The elements of one channel match this regular expression, with `B` batch, `W` watermark (strictly
/// increasing), `C` barrier, `I` idle, `A` active and `E` end:
///
/// ```text
/// channel := ( [BWC] | I [BC]* A )* ( I [BC]* )? E
/// ```
///
/// Rows may travel on an idle channel (a processing-time operator may fire below an idle source), but event
/// time stands still there. A channel that breaks off without `E` belongs to a producer that failed.
#[derive(Debug, Clone)]
pub enum Element {
    /// Rows; never empty.
    Batch(ChangeBatch),
    /// Event time of the producer.
    Watermark(i64),
    /// The producer has no rows for now and must not hold back event time (`true`), or has again (`false`).
    Idle(bool),
    /// The barrier of the checkpoint with this number. Reserved: no producer sends it yet.
    Barrier(u64),
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
    idle: bool,
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
            Element::Batch(_) | Element::Barrier(_) => {}
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
