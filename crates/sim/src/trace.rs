//! What happened, as a hash: two runs of one seed must agree on it.

use crate::process::lock;
use headwater_data::stable_hash;
use std::collections::VecDeque;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

/// Lines that are kept for whoever looks at a failed seed.
const LINES_KEPT: usize = 60;

/// The trace of a run.
pub(crate) struct Trace {
    hash: AtomicU64,
    lines: Mutex<VecDeque<String>>,
    printing: bool,
}

impl Trace {
    /// An empty trace, whose lines are also printed when `printing`.
    pub(crate) fn new(printing: bool) -> Self {
        Self { hash: AtomicU64::new(0), lines: Mutex::default(), printing }
    }

    /// Adds a line.
    #[allow(clippy::print_stdout, reason = "printing the trace is what was asked for")]
    pub(crate) fn line(&self, line: impl FnOnce() -> String) {
        let line = line();
        self.bytes(line.as_bytes());
        if self.printing {
            println!("{line}");
        }
        let mut lines = lock(&self.lines);
        if lines.len() == LINES_KEPT {
            lines.pop_front();
        }
        lines.push_back(line);
    }

    /// Adds bytes that nobody wants to read.
    pub(crate) fn bytes(&self, bytes: &[u8]) {
        let before = self.hash.load(Ordering::Relaxed);
        let both = [before, stable_hash(bytes)].map(u64::to_le_bytes).concat();
        self.hash.store(stable_hash(&both), Ordering::Relaxed);
    }

    /// Hash of everything so far.
    pub(crate) fn hash(&self) -> u64 {
        self.hash.load(Ordering::Relaxed)
    }

    /// The last lines.
    pub(crate) fn last(&self) -> Vec<String> {
        lock(&self.lines).iter().cloned().collect()
    }
}
