//! News for other systems: calls of URLs that somebody registered.
//!
//! News are queued, and dropped when the queue is full: telling them never holds up the catalog, and a URL that does not
//! answer holds up no other URL. Each call is tried a few times with growing pauses; with a secret its body is signed,
//! in `X-Lineage-Signature: sha256=<hex of HMAC>`.

use crate::error::{Error, Result};
use crate::facts::Run;
use crate::graph::schemas::broken_by;
use crate::metrics::Metrics;
use crate::read::iso;
use crate::store::{Database, Row};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::task::JoinSet;

/// News that wait.
const QUEUE: usize = 1000;
/// Calls of one URL that wait.
const CALLS: usize = 100;
/// Tries of a call.
const TRIES: u32 = 4;
/// Pause before the second try; it doubles.
const PAUSE: Duration = Duration::from_millis(500);
/// How long a call may take.
const TIMEOUT: Duration = Duration::from_secs(10);

/// Kinds of news.
pub const EVENTS: [&str; 4] = ["SCHEMA_BREAK", "STALE", "RUN_FAILED", "QUARANTINE"];

/// News for the server itself.
const NEW_SCHEMA: &str = "NEW_SCHEMA";

/// A piece of news.
#[derive(Debug, Clone, PartialEq)]
pub struct Notice {
    /// One of [`EVENTS`].
    pub event: &'static str,
    /// The facts.
    pub body: Value,
}

impl Notice {
    /// An event was put aside.
    pub fn quarantine(code: &str, reason: &str) -> Self {
        Self { event: "QUARANTINE", body: json!({"code": code, "reason": reason}) }
    }

    /// A dataset has a schema for the first time; whether that breaks anything is found out before anybody is told.
    pub fn new_schema(dataset: i64, schema: i64) -> Self {
        Self { event: NEW_SCHEMA, body: json!([dataset, schema]) }
    }

    /// A run failed.
    pub fn run_failed(run: &Run) -> Self {
        let job =
            json!({"location": {"type": run.job.place.kind, "name": run.job.place.hosts[0]}, "name": run.job.name});
        let body = json!({"run_id": run.id.to_string(), "job": job, "reason": run.details.end_reason,
                          "ended_at": run.ended_at.map(iso)});
        Self { event: "RUN_FAILED", body }
    }
}

/// Where news are told. Cheap to clone.
#[derive(Clone)]
pub struct Notices {
    sender: mpsc::Sender<Notice>,
}

impl Notices {
    /// Tells news; when too many wait already, they are dropped.
    pub fn send(&self, notice: Notice) {
        if self.sender.try_send(notice).is_err() {
            tracing::debug!("news for webhooks were dropped");
        }
    }
}

/// Finds out who wants which news. Each URL has a queue and a task of its own: one that does not answer holds up
/// nobody else.
pub struct Service {
    caller: Caller,
    notices: mpsc::Receiver<Notice>,
    lines: HashMap<i64, mpsc::Sender<(Hook, Arc<Notice>)>>,
    /// Ends with the service.
    tasks: JoinSet<()>,
}

/// The queue of news and who works it off.
///
/// # Errors
/// When there is no way to make calls.
pub fn service(database: Database, metrics: Arc<Metrics>) -> Result<(Service, Notices)> {
    let (sender, notices) = mpsc::channel(QUEUE);
    let client = reqwest::Client::builder().timeout(TIMEOUT).redirect(reqwest::redirect::Policy::none()).build();
    let client = client.map_err(|e| Error::Options(format!("no HTTP client: {e}")))?;
    let caller = Caller { database, metrics, client };
    Ok((Service { caller, notices, lines: HashMap::new(), tasks: JoinSet::new() }, Notices { sender }))
}

struct Hook {
    id: i64,
    url: String,
    secret: Option<String>,
    events: String,
}

impl Hook {
    fn wants(&self, event: &str) -> bool {
        self.events.split_whitespace().any(|known| known == event)
    }
}

impl Service {
    /// Works until nobody can tell news any more.
    pub async fn run(mut self) {
        while let Some(notice) = self.notices.recv().await {
            let Some(notice) = self.caller.examined(notice).await else { continue };
            match self.caller.hooks().await {
                Ok(hooks) => self.hand_out(hooks, &Arc::new(notice)),
                Err(error) => tracing::warn!(%error, "webhooks cannot be read"),
            }
        }
    }

    fn hand_out(&mut self, hooks: Vec<Hook>, notice: &Arc<Notice>) {
        // The task of a URL that is gone ends with its queue.
        self.lines.retain(|id, _| hooks.iter().any(|hook| hook.id == *id));
        while self.tasks.try_join_next().is_some() {}
        for hook in hooks.into_iter().filter(|hook| hook.wants(notice.event)) {
            let line = self.lines.entry(hook.id).or_insert_with(|| {
                let (line, calls) = mpsc::channel(CALLS);
                self.tasks.spawn(self.caller.clone().work_off(calls));
                line
            });
            if line.try_send((hook, notice.clone())).is_err() {
                self.caller.metrics.webhook(false);
            }
        }
    }
}

/// Makes the calls. Cheap to clone.
#[derive(Clone)]
struct Caller {
    database: Database,
    metrics: Arc<Metrics>,
    client: reqwest::Client,
}

impl Caller {
    async fn work_off(self, mut calls: mpsc::Receiver<(Hook, Arc<Notice>)>) {
        while let Some((hook, notice)) = calls.recv().await {
            let done = self.call(&hook, &notice).await;
            self.metrics.webhook(done.is_ok());
            if let Err(error) = self.note(&hook, done.err()).await {
                tracing::warn!(%error, "the outcome of a webhook cannot be noted");
            }
        }
    }

    /// The news to tell, if any.
    async fn examined(&self, notice: Notice) -> Option<Notice> {
        if notice.event != NEW_SCHEMA {
            return Some(notice);
        }
        let broken = broken_by(&self.database, notice.body[0].as_i64()?, notice.body[1].as_i64()?).await;
        let body = broken.inspect_err(|error| tracing::warn!(%error, "a schema cannot be compared")).ok()??;
        Some(Notice { event: "SCHEMA_BREAK", body })
    }

    async fn hooks(&self) -> Result<Vec<Hook>> {
        let rows = self.database.rows("SELECT id, url, secret, events FROM webhook ORDER BY id", vec![]).await?;
        let hook = |row: &Row| Hook { id: row.int(0), url: row.text(1), secret: row.opt_text(2), events: row.text(3) };
        Ok(rows.iter().map(hook).collect())
    }

    async fn call(&self, hook: &Hook, notice: &Notice) -> std::result::Result<(), String> {
        let body = json!({"event": notice.event, "data": notice.body}).to_string();
        let mut pause = PAUSE;
        let mut last = String::new();
        for attempt in 1..=TRIES {
            let mut request = self.client.post(&hook.url).header("content-type", "application/json").body(body.clone());
            if let Some(secret) = &hook.secret {
                request = request.header("x-lineage-signature", format!("sha256={}", sign(secret, &body)));
            }
            match request.send().await {
                Ok(response) if response.status().is_success() => return Ok(()),
                Ok(response) => last = format!("status {}", response.status()),
                Err(error) => last = error.without_url().to_string(),
            }
            if attempt < TRIES {
                tokio::time::sleep(pause).await;
                pause *= 2;
            }
        }
        Err(last)
    }

    async fn note(&self, hook: &Hook, error: Option<String>) -> Result<()> {
        let sql = match error {
            None => "UPDATE webhook SET delivered = delivered + 1, last_error = $2 WHERE id = $1",
            Some(_) => "UPDATE webhook SET failed = failed + 1, last_error = $2 WHERE id = $1",
        };
        self.database.execute(sql, vec![hook.id.into(), error.into()]).await.map(|_| ())
    }
}

/// HMAC-SHA256 (RFC 2104), in hex.
pub fn sign(secret: &str, body: &str) -> String {
    const BLOCK: usize = 64;
    let mut key = secret.as_bytes().to_vec();
    if key.len() > BLOCK {
        key = Sha256::digest(&key).to_vec();
    }
    key.resize(BLOCK, 0);
    let padded = |pad: u8| key.iter().map(|byte| byte ^ pad).collect::<Vec<u8>>();
    let inner = Sha256::new().chain_update(padded(0x36)).chain_update(body).finalize();
    let outer = Sha256::new().chain_update(padded(0x5c)).chain_update(inner).finalize();
    outer.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    #[test]
    fn signatures_are_those_of_rfc_4231() {
        let found = super::sign("Jefe", "what do ya want for nothing?");
        assert_eq!(found, "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
    }
}
