//! How long things took, by what they were.

use std::collections::BTreeMap;

/// Measured times.
#[derive(Debug, Default)]
pub struct Times {
    times_ms: BTreeMap<String, Vec<i64>>,
}

impl Times {
    /// Notes a time.
    pub fn add(&mut self, what: &str, ms: i64) {
        self.times_ms.entry(what.to_owned()).or_default().push(ms);
    }

    /// Prints the median and the longest of each.
    pub fn print(&self) {
        for (what, times_ms) in &self.times_ms {
            let mut sorted = times_ms.clone();
            sorted.sort_unstable();
            let (p50, max) = (sorted.get(sorted.len() / 2), sorted.last());
            let runs = sorted.len();
            println!("chaos: {what}: p50 {} ms, max {} ms of {runs}", p50.unwrap_or(&0), max.unwrap_or(&0));
        }
    }
}
