//! The breaker: after failures in a row nothing is tried for a while, longer each time.

use std::time::Duration;

/// A breaker over a clock of milliseconds.
#[derive(Debug)]
pub(super) struct Breaker {
    failures_max: u32,
    first: Duration,
    longest: Duration,
    failures: u32,
    /// When it closes for one attempt, and how long it was open.
    open: Option<(i64, Duration)>,
}

impl Breaker {
    pub(super) fn new(failures_max: u32, (first, longest): (Duration, Duration)) -> Self {
        Self { failures_max: failures_max.max(1), first, longest, failures: 0, open: None }
    }

    /// Whether something may be tried.
    pub(super) fn allows(&self, now_ms: i64) -> bool {
        self.open.is_none_or(|(until_ms, _)| now_ms >= until_ms)
    }

    /// Whether it has opened, and not closed since.
    pub(super) fn is_open(&self) -> bool {
        self.open.is_some()
    }

    /// How long until something may be tried.
    pub(super) fn remaining(&self, now_ms: i64) -> Duration {
        let left = self.open.map_or(0, |(until_ms, _)| until_ms - now_ms);
        Duration::from_millis(u64::try_from(left).unwrap_or(0))
    }

    /// It worked.
    pub(super) fn succeeded(&mut self) {
        self.failures = 0;
        self.open = None;
    }

    /// It failed; whether that has opened the breaker.
    pub(super) fn failed(&mut self, now_ms: i64) -> bool {
        self.failures += 1;
        let pause = match self.open {
            Some((_, before)) => (before * 2).min(self.longest),
            None if self.failures >= self.failures_max => self.first,
            None => return false,
        };
        let until_ms = now_ms.saturating_add(i64::try_from(pause.as_millis()).unwrap_or(i64::MAX));
        let opened = self.open.is_none();
        self.open = Some((until_ms, pause));
        opened
    }
}
