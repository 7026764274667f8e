//! Event time of the splits that a source reads together.
//!
//! The watermark is the minimum over the splits that have rows: neither finished nor idle. Without news of splits all
//! rows are one split. While all splits are idle the watermark stands still, as in Flink.

use headwater_types::MIN_WATERMARK;

/// One split.
#[derive(Debug, Clone)]
struct Split {
    /// Its number; `None` when the source tells nothing of splits.
    number: Option<u32>,
    /// Largest watermark of its rows.
    current: i64,
    last_row_at_ms: i64,
    idle: bool,
}

/// The splits of a subtask.
#[derive(Debug)]
pub(super) struct Splits {
    /// Those that are not finished.
    live: Vec<Split>,
    /// The one that the following rows come from.
    reading: usize,
    /// After how long without rows a split is idle; 0 is never.
    idle_timeout_ms: i64,
}

impl Splits {
    pub(super) fn new(idle_timeout_ms: i64, now_ms: i64) -> Self {
        let mut splits = Self { live: vec![], reading: 0, idle_timeout_ms };
        splits.add(None, now_ms);
        splits
    }

    /// The following rows come from this split. A new one holds back event time from now on.
    pub(super) fn read(&mut self, number: u32, now_ms: i64) {
        self.live.retain(|split| split.number.is_some());
        let known = self.live.iter().position(|split| split.number == Some(number));
        match known {
            Some(at) => self.reading = at,
            None => self.add(Some(number), now_ms),
        }
    }

    /// A split ended.
    pub(super) fn finish(&mut self, number: u32) {
        self.live.retain(|split| split.number != Some(number));
        self.reading = 0;
    }

    /// Rows of the current split came; whether it was idle.
    pub(super) fn touch(&mut self, now_ms: i64) -> bool {
        if self.live.is_empty() {
            self.add(None, now_ms);
        }
        let split = &mut self.live[self.reading];
        if self.idle_timeout_ms > 0 {
            split.last_row_at_ms = now_ms;
        }
        std::mem::take(&mut split.idle)
    }

    /// Largest watermark of the current split, and the minimum over the others, which stays while it is read.
    pub(super) fn current_and_others(&self) -> (i64, i64) {
        let others = self.live.iter().enumerate().filter(|(at, split)| *at != self.reading && !split.idle);
        let others = others.map(|(_, split)| split.current).min();
        (self.live[self.reading].current, others.unwrap_or(i64::MAX))
    }

    /// Sets the largest watermark of the current split.
    pub(super) fn set_current(&mut self, current: i64) {
        self.live[self.reading].current = current;
    }

    /// The watermark; `None` when no split has rows.
    pub(super) fn watermark(&self) -> Option<i64> {
        self.live.iter().filter(|split| !split.idle).map(|split| split.current).min()
    }

    /// Whether there are splits and none of them has rows.
    pub(super) fn all_idle(&self) -> bool {
        !self.live.is_empty() && self.live.iter().all(|split| split.idle)
    }

    /// When the next split turns idle.
    pub(super) fn idle_at_ms(&self) -> Option<i64> {
        let active = self.live.iter().filter(|split| self.idle_timeout_ms > 0 && !split.idle);
        active.map(|split| split.last_row_at_ms.saturating_add(self.idle_timeout_ms)).min()
    }

    /// Turns splits idle whose time has come; whether there were any.
    pub(super) fn turn_idle(&mut self, now_ms: i64) -> bool {
        let timeout_ms = self.idle_timeout_ms;
        let mut any = false;
        for split in self.live.iter_mut().filter(|split| timeout_ms > 0 && !split.idle) {
            split.idle = split.last_row_at_ms.saturating_add(timeout_ms) <= now_ms;
            any |= split.idle;
        }
        any
    }

    fn add(&mut self, number: Option<u32>, now_ms: i64) {
        self.reading = self.live.len();
        self.live.push(Split { number, current: MIN_WATERMARK, last_row_at_ms: now_ms, idle: false });
    }
}
