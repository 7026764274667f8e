//! Measurements, in the text format of Prometheus.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::sync::Mutex;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};

/// Upper bounds of the histogram of request durations, in milliseconds.
const BUCKETS_MS: [u64; 10] = [5, 10, 25, 50, 100, 250, 500, 1000, 2500, 10_000];
/// Most different series of requests; what is asked for is up to clients.
const SERIES_MAX: usize = 1000;

/// Method, path and status.
type Series = (String, String, u16);

#[derive(Debug, Default, Clone)]
struct Requests {
    count: u64,
    sum_us: u64,
    buckets: [u64; BUCKETS_MS.len()],
}

/// All of them.
#[derive(Debug, Default)]
pub struct Metrics {
    requests: Mutex<BTreeMap<Series, Requests>>,
    in_progress: AtomicI64,
    stored: AtomicU64,
    quarantined: AtomicU64,
    last_age_us: AtomicI64,
    webhooks_delivered: AtomicU64,
    webhooks_failed: AtomicU64,
    stale_runs: AtomicI64,
}

impl Metrics {
    /// A request begins.
    pub fn begin(&self) {
        self.in_progress.fetch_add(1, Ordering::Relaxed);
    }

    /// A request ends.
    pub fn end(&self, method: &str, path: &str, status: u16, took_us: u64) {
        self.in_progress.fetch_sub(1, Ordering::Relaxed);
        let Ok(mut requests) = self.requests.lock() else { return };
        let series = (method.to_owned(), path.to_owned(), status);
        if requests.len() >= SERIES_MAX && !requests.contains_key(&series) {
            return;
        }
        let entry = requests.entry(series).or_default();
        entry.count += 1;
        entry.sum_us += took_us;
        for (bucket, bound) in entry.buckets.iter_mut().zip(BUCKETS_MS) {
            *bucket += u64::from(took_us <= bound * 1000);
        }
    }

    /// Events landed.
    pub fn stored(&self, events: usize) {
        self.stored.fetch_add(events as u64, Ordering::Relaxed);
    }

    /// Events were put aside.
    pub fn quarantined(&self, events: usize) {
        self.quarantined.fetch_add(events as u64, Ordering::Relaxed);
    }

    /// An event was this old when it landed.
    pub fn age(&self, age_us: i64) {
        self.last_age_us.store(age_us, Ordering::Relaxed);
    }

    /// A webhook was called, or could not be.
    pub fn webhook(&self, delivered: bool) {
        let counter = if delivered { &self.webhooks_delivered } else { &self.webhooks_failed };
        counter.fetch_add(1, Ordering::Relaxed);
    }

    /// So many runs are stale.
    pub fn stale(&self, runs: i64) {
        self.stale_runs.store(runs, Ordering::Relaxed);
    }

    /// Everything as text.
    pub fn text(&self) -> String {
        let mut out = String::new();
        let mut plain = |name: &str, kind: &str, help: &str, value: i64| {
            writeln!(out, "# HELP {name} {help}\n# TYPE {name} {kind}\n{name} {value}").ok();
        };
        let counter = |counter: &AtomicU64| i64::try_from(counter.load(Ordering::Relaxed)).unwrap_or(i64::MAX);
        plain("lineage_events_stored_total", "counter", "Events stored", counter(&self.stored));
        plain("lineage_events_quarantined_total", "counter", "Events put aside", counter(&self.quarantined));
        let age = self.last_age_us.load(Ordering::Relaxed) / 1000;
        plain("lineage_event_age_ms", "gauge", "Age of the latest event when it was stored", age);
        let stale = self.stale_runs.load(Ordering::Relaxed);
        plain("lineage_stale_runs", "gauge", "Runs that should have been heard of", stale);
        plain("lineage_webhooks_delivered_total", "counter", "Webhook calls", counter(&self.webhooks_delivered));
        plain("lineage_webhooks_failed_total", "counter", "Webhook calls given up", counter(&self.webhooks_failed));
        let now = self.in_progress.load(Ordering::Relaxed);
        plain("http_requests_in_progress", "gauge", "Requests being answered", now);
        self.requests_text(&mut out);
        out
    }

    fn requests_text(&self, out: &mut String) {
        let requests = self.requests.lock().map(|requests| requests.clone()).unwrap_or_default();
        out.push_str("# HELP http_requests_total Requests answered\n# TYPE http_requests_total counter\n");
        for ((method, path, status), r) in &requests {
            let labels = format!("method=\"{method}\",path=\"{path}\",status_code=\"{status}\"");
            writeln!(out, "http_requests_total{{{labels}}} {}", r.count).ok();
        }
        let name = "http_request_duration_seconds";
        writeln!(out, "# HELP {name} Time to answer\n# TYPE {name} histogram").ok();
        for ((method, path, status), r) in &requests {
            let labels = format!("method=\"{method}\",path=\"{path}\",status_code=\"{status}\"");
            for (count, bound) in r.buckets.iter().zip(BUCKETS_MS) {
                let bound = bound as f64 / 1000.0;
                writeln!(out, "{name}_bucket{{{labels},le=\"{bound}\"}} {count}").ok();
            }
            writeln!(out, "{name}_bucket{{{labels},le=\"+Inf\"}} {}", r.count).ok();
            writeln!(out, "{name}_sum{{{labels}}} {}", r.sum_us as f64 / 1e6).ok();
            writeln!(out, "{name}_count{{{labels}}} {}", r.count).ok();
        }
    }
}
