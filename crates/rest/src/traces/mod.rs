//! Traces of checkpoints and of the starts of jobs, sent to an OpenTelemetry collector (OTLP over HTTP, as JSON).
//!
//! A thread looks at the jobs about once a second, makes spans of what has ended since, and sends them. It is off unless
//! an endpoint is configured. Nothing waits for it: a collector that is slow or gone costs spans, never a job; how many
//! were lost is logged. All spans of a job share a trace, whose id is the job's.

mod otlp;
mod spans;

use crate::Cluster;
use headwater_types::config::{Configuration, Key, parse_duration};
use headwater_types::{Error, Result};
use spans::Reported;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::thread::JoinHandle;
use std::time::Duration;

const ENDPOINT: Key = Key { name: "traces.reporter.otel.exporter.endpoint", default: "" };
const PROTOCOL: Key = Key { name: "traces.reporter.otel.exporter.protocol", default: "http" };
const TIMEOUT: Key = Key { name: "traces.reporter.otel.exporter.timeout", default: "10 s" };
const SERVICE: Key = Key { name: "traces.reporter.otel.service.name", default: "headwater" };

/// Between two looks.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// Spans of one request.
const SPANS_MAX: usize = 512;

/// Sends traces until it is dropped.
pub struct Tracer {
    stop: Option<SyncSender<()>>,
    thread: Option<JoinHandle<()>>,
}

/// Where traces go.
struct Exporter {
    client: reqwest::blocking::Client,
    url: String,
    service: String,
    /// Spans that could not be sent.
    lost: u64,
}

impl Tracer {
    /// Starts to send the traces of a cluster; `None` where no endpoint is configured.
    ///
    /// # Errors
    /// When a value of the configuration is none, or no thread can be started.
    pub fn start(cluster: Arc<dyn Cluster>, config: &Configuration) -> Result<Option<Self>> {
        let Some(exporter) = Exporter::from_config(config)? else { return Ok(None) };
        let (stop, stopped) = sync_channel(1);
        let thread = std::thread::Builder::new()
            .name("traces".to_owned())
            .spawn(move || run(cluster.as_ref(), exporter, &stopped))
            .map_err(|e| Error::retryable("no-thread", "the thread for traces could not be started").with_source(e))?;
        Ok(Some(Self { stop: Some(stop), thread: Some(thread) }))
    }
}

impl Drop for Tracer {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn run(cluster: &dyn Cluster, mut exporter: Exporter, stopped: &Receiver<()>) {
    let mut reported = Reported::default();
    while stopped.recv_timeout(LOOK_EVERY) == Err(RecvTimeoutError::Timeout) {
        match reported.look(cluster) {
            Ok(spans) => spans.chunks(SPANS_MAX).for_each(|spans| exporter.send(spans)),
            // The JobManager is busy or ends; the next look tells.
            Err(error) => tracing::debug!(error = error.message(), "the jobs could not be traced"),
        }
    }
}

impl Exporter {
    fn from_config(config: &Configuration) -> Result<Option<Self>> {
        let endpoint = config.text(ENDPOINT).trim().trim_end_matches('/');
        if endpoint.is_empty() {
            return Ok(None);
        }
        let bad = |key: Key, expected: &str| {
            let message = format!("'{}' is '{}': expected {expected}", key.name, config.text(key));
            Error::user("bad-config-value", message)
        };
        if !config.text(PROTOCOL).trim().eq_ignore_ascii_case("http") {
            return Err(bad(PROTOCOL, "http; collectors take it at port 4318"));
        }
        if !endpoint.starts_with("http://") && !endpoint.starts_with("https://") {
            return Err(bad(ENDPOINT, "a URL such as http://localhost:4318"));
        }
        let timeout = parse_duration(config.text(TIMEOUT)).ok_or_else(|| bad(TIMEOUT, "a duration such as 10 s"))?;
        let client = reqwest::blocking::Client::builder().timeout(timeout).build();
        let client = client.map_err(|e| Error::internal("no HTTP client could be made").with_source(e))?;
        let url = if endpoint.ends_with("/v1/traces") { endpoint.to_owned() } else { format!("{endpoint}/v1/traces") };
        Ok(Some(Self { client, url, service: config.text(SERVICE).trim().to_owned(), lost: 0 }))
    }

    fn send(&mut self, spans: &[spans::Span]) {
        let sent = self.client.post(&self.url).json(&otlp::document(&self.service, spans)).send();
        let refused = match sent.and_then(reqwest::blocking::Response::error_for_status) {
            Ok(_) => return,
            Err(error) => error.without_url(),
        };
        let before = self.lost;
        self.lost += spans.len() as u64;
        // The first time, and then ever less often.
        if before == 0 || before.ilog2() != self.lost.ilog2() {
            tracing::warn!(error = %refused, lost = self.lost, "traces could not be sent");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn traces_are_off_unless_there_is_an_endpoint() {
        let url = |pairs: &[(&str, &str)]| {
            let mut config = Configuration::new();
            pairs.iter().for_each(|(key, value)| config.set(*key, *value));
            Exporter::from_config(&config).map(|exporter| exporter.map(|exporter| exporter.url)).map_err(|e| e.code())
        };
        let endpoint = |value| ("traces.reporter.otel.exporter.endpoint", value);
        assert_eq!(url(&[]), Ok(None));
        assert_eq!(url(&[endpoint("http://c:4318/")]), Ok(Some("http://c:4318/v1/traces".to_owned())));
        assert_eq!(url(&[endpoint("c:4317")]), Err("bad-config-value"));
        let grpc = ("traces.reporter.otel.exporter.protocol", "gRPC");
        assert_eq!(url(&[endpoint("http://c:4317"), grpc]), Err("bad-config-value"));
    }
}
