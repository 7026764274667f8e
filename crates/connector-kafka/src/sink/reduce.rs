//! The buffer of an upsert sink: of the records of one key, only the last is written.

use super::frame::Record;
use super::settings::BufferFlush;
use hashbrown::HashMap;

/// Records that wait, by key.
pub(super) struct Reduce {
    limits: BufferFlush,
    frames: HashMap<Vec<u8>, Vec<u8>>,
    since_ms: i64,
}

impl Reduce {
    pub(super) fn new(limits: BufferFlush) -> Self {
        Self { limits, frames: HashMap::new(), since_ms: 0 }
    }

    /// Adds a record, which replaces one of the same key.
    pub(super) fn add(&mut self, record: &Record<'_>, now_ms: i64) {
        if self.frames.is_empty() {
            self.since_ms = now_ms;
        }
        let frame = self.frames.entry_ref(record.key.unwrap_or_default()).or_default();
        frame.clear();
        record.write(frame);
    }

    /// Records that wait.
    pub(super) fn len(&self) -> usize {
        self.frames.len()
    }

    /// When the records have waited long enough, if there are any.
    pub(super) fn due_ms(&self) -> Option<i64> {
        (!self.frames.is_empty()).then(|| self.since_ms.saturating_add(self.limits.interval_ms))
    }

    /// Whether the records are to be written: they are many, or have waited long enough.
    pub(super) fn is_due(&self, now_ms: i64) -> bool {
        self.due_ms().is_some_and(|due_ms| due_ms <= now_ms || self.frames.len() >= self.limits.rows_max)
    }

    /// Moves all frames to the end of a buffer.
    pub(super) fn drain_into(&mut self, out: &mut Vec<u8>) {
        for (_, frame) in self.frames.drain() {
            out.extend_from_slice(&frame);
        }
    }
}
