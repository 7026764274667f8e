//! What is measured, and how it is printed.

use std::time::{SystemTime, UNIX_EPOCH};

/// Nanoseconds since the epoch: both processes read one clock.
pub fn now_ns() -> i64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_nanos() as i64)
}

/// What arrives.
#[derive(Default)]
pub struct Received {
    started_ns: Option<i64>,
    rows: u64,
    bytes: u64,
    latencies_ns: Vec<i64>,
}

impl Received {
    /// Notes an arrival. `sent_ns` is 0 where it is not known.
    pub fn take(&mut self, rows: usize, bytes: usize, sent_ns: i64) {
        let now_ns = now_ns();
        // The first marks the begin: it waited for the connection.
        if self.started_ns.is_none() {
            self.started_ns = Some(now_ns);
        } else {
            self.bytes += bytes as u64;
            if sent_ns > 0 {
                self.latencies_ns.push(now_ns - sent_ns);
            }
        }
        self.rows += rows as u64;
    }

    /// Prints the figures.
    pub fn print(mut self) {
        let seconds = (now_ns() - self.started_ns.unwrap_or(0)) as f64 / 1e9;
        self.latencies_ns.sort_unstable();
        let quantile_us = |share: f64| {
            let at = (self.latencies_ns.len() as f64 * share).ceil() as usize;
            self.latencies_ns.get(at.max(1) - 1).map_or(0, |ns| ns / 1000)
        };
        println!(
            "rows={} bytes={} seconds={seconds} p50_us={} p99_us={} max_us={} cpu_s={}",
            self.rows,
            self.bytes,
            quantile_us(0.5),
            quantile_us(0.99),
            quantile_us(1.0),
            cpu_s()
        );
    }
}

/// CPU seconds of this process; 0 where the system does not tell.
pub fn cpu_s() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    // Behind the name, which may hold anything: state is field 3, user and system ticks are 14 and 15.
    let fields: Vec<&str> = stat.rsplit(')').next().unwrap_or_default().split_whitespace().collect();
    let ticks = |at: usize| fields.get(at - 3).and_then(|text| text.parse::<f64>().ok()).unwrap_or(0.0);
    (ticks(14) + ticks(15)) / 100.0
}
