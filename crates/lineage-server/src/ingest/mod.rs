//! Events on their way into the catalog.
//!
//! Many requests, one writer: each request reads and understands its events on its own ([`read`]), then queues them
//! and waits. The writer takes what has queued up, merges it in one transaction and tells every request: the more come
//! at once, the larger the transactions. What waits is bounded in bytes. A batch that the database refuses is halved
//! until the culprit is found; that one event goes to quarantine, the rest lands.

#[cfg(feature = "kafka")]
pub mod kafka;
mod read;
pub mod rebuild;
mod split;
mod unpack;

pub use read::{Bad, Reading, pack, read, unpack_event};
pub use unpack::{UnpackError, unpack};

use crate::app::Signals;
use crate::error::{Error, Result};
use crate::store::record::insert;
use crate::store::rows::QuarantineRow;
use crate::store::{Database, Entry, Writer};
use crate::webhooks::Notice;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{Semaphore, mpsc, oneshot};

/// Requests that wait.
const QUEUE: usize = 1024;
/// KiB of events that wait or are being written.
const WAITING_KIB: usize = 256 << 10;
/// Events of one transaction, as far as they are there.
const BATCH: usize = 4000;
/// Tries of a batch while the database has a passing trouble.
const TRIES: u32 = 6;
/// Pause before the second try; it doubles.
const PAUSE: Duration = Duration::from_millis(50);
/// Longest quarantined text.
pub const QUARANTINED_BYTES_MAX: usize = 4 << 20;

/// What a request wants of the writer.
enum Work {
    Events { reading: Reading, source: &'static str, done: oneshot::Sender<Result<Vec<(usize, Bad)>>> },
    Rebuild { done: oneshot::Sender<Result<u64>> },
}

/// Gives events to the writer. Cheap to clone.
#[derive(Clone)]
pub struct Handle {
    work: mpsc::Sender<Work>,
    waiting: Arc<Semaphore>,
}

impl Handle {
    /// Stores events; afterwards they are in the database. Returns what the database refused, by place in the request.
    ///
    /// # Errors
    /// When the database is in trouble or the server stops.
    pub async fn store(&self, reading: Reading, source: &'static str) -> Result<Vec<(usize, Bad)>> {
        let kib = u32::try_from(reading.bytes / 1024 + 1).unwrap_or(u32::MAX).min(WAITING_KIB as u32);
        let _permit = self.waiting.acquire_many(kib).await.map_err(|_| Error::Stopping)?;
        let (done, answer) = oneshot::channel();
        self.work.send(Work::Events { reading, source, done }).await.map_err(|_| Error::Stopping)?;
        answer.await.map_err(|_| Error::Stopping)?
    }

    /// Makes the catalog again from the stored events and returns how many there were. Readers see the old one
    /// meanwhile.
    ///
    /// # Errors
    /// Those of the database; then nothing has changed.
    pub async fn rebuild(&self) -> Result<u64> {
        let (done, answer) = oneshot::channel();
        self.work.send(Work::Rebuild { done }).await.map_err(|_| Error::Stopping)?;
        answer.await.map_err(|_| Error::Stopping)?
    }
}

/// Owns the writer.
pub struct Service {
    database: Database,
    writer: Writer,
    work: mpsc::Receiver<Work>,
    signals: Signals,
}

/// The writer's service and the way to it.
pub fn service(database: Database, name: String, signals: Signals) -> (Service, Handle) {
    let (sender, work) = mpsc::channel(QUEUE);
    let writer = Writer::new(database.clone(), name);
    let waiting = Arc::new(Semaphore::new(WAITING_KIB));
    (Service { database, writer, work, signals }, Handle { work: sender, waiting })
}

/// Requests of one transaction.
#[derive(Default)]
struct Group {
    entries: Vec<Entry>,
    quarantine: Vec<QuarantineRow>,
    waiting: Vec<Waiting>,
}

struct Waiting {
    /// Its entries in the group, from and to, with their places in the request.
    places: Vec<usize>,
    first: usize,
    source: &'static str,
    done: oneshot::Sender<Result<Vec<(usize, Bad)>>>,
}

impl Service {
    /// Works until every handle is gone.
    pub async fn run(mut self) {
        while let Some(work) = self.work.recv().await {
            let mut group = Group::default();
            let mut next = Some(work);
            while let Some(work) = next.take() {
                match work {
                    Work::Events { reading, source, done } => group.add(reading, source, done),
                    Work::Rebuild { done } => {
                        self.write(std::mem::take(&mut group)).await;
                        done.send(rebuild::run(&mut self.writer).await).ok();
                    }
                }
                if group.entries.len() < BATCH {
                    next = self.work.try_recv().ok();
                }
            }
            self.write(group).await;
        }
        self.database.close().await;
    }

    async fn write(&mut self, group: Group) {
        let Group { entries, mut quarantine, waiting } = group;
        let refused = match self.apply(&entries).await {
            Ok(refused) => refused,
            Err(error) => {
                tracing::error!(%error, events = entries.len(), "events could not be stored");
                for waiting in waiting {
                    waiting.done.send(Err(Error::Stopping)).ok();
                }
                return;
            }
        };
        for (index, reason) in &refused {
            let Some(waiting) = waiting.iter().rev().find(|w| w.first <= *index) else { continue };
            let bad = Bad { code: "refused-by-database", reason: reason.clone(), body: vec![] };
            let body = entries[*index].raw.as_ref().map(|raw| raw.body.clone()).unwrap_or_default();
            quarantine.push(bad.row(waiting.source, self.signals.now_us(), body));
        }
        if let Err(error) = self.quarantine(quarantine).await {
            tracing::error!(%error, "bad events could not be quarantined");
        }
        self.notify(&entries, &refused);
        for Waiting { places, first, done, .. } in waiting {
            let own = refused.iter().filter(|(index, _)| (first..first + places.len()).contains(index));
            let own = own.map(|(index, reason)| {
                (places[index - first], Bad { code: "refused-by-database", reason: reason.clone(), body: vec![] })
            });
            done.send(Ok(own.collect())).ok();
        }
    }

    /// Merges entries; returns those that the database refuses, by place.
    async fn apply(&mut self, entries: &[Entry]) -> Result<Vec<(usize, String)>> {
        let mut refused = vec![];
        let mut parts = vec![(0, entries.len())];
        while let Some((from, to)) = parts.pop() {
            if from == to {
                continue;
            }
            match self.try_apply(&entries[from..to]).await {
                Ok(()) => self.signals.metrics.stored(to - from),
                Err(error) if error.is_transient() => return Err(error),
                Err(error) if to - from == 1 => refused.push((from, error.to_string())),
                Err(_) => {
                    let middle = from + (to - from) / 2;
                    parts.extend([(middle, to), (from, middle)]);
                }
            }
        }
        Ok(refused)
    }

    async fn try_apply(&mut self, entries: &[Entry]) -> Result<()> {
        let mut pause = PAUSE;
        let mut tries = 1;
        loop {
            match self.writer.apply(entries).await {
                Err(error) if error.is_transient() && tries < TRIES => {
                    tracing::warn!(%error, tries, "the database has a passing trouble");
                    tokio::time::sleep(pause).await;
                    pause *= 2;
                    tries += 1;
                }
                done => return done,
            }
        }
    }

    async fn quarantine(&mut self, mut rows: Vec<QuarantineRow>) -> Result<()> {
        if rows.is_empty() {
            return Ok(());
        }
        self.signals.metrics.quarantined(rows.len());
        for row in &rows {
            self.signals.notices.send(Notice::quarantine(&row.code, &row.reason));
        }
        let mut tx = self.writer.begin().await?;
        let last = tx.rows("SELECT COALESCE(MAX(id), 0) FROM quarantine", vec![]).await?;
        let last = last.first().map_or(0, |row| row.int(0));
        for (id, row) in (last + 1..).zip(&mut rows) {
            row.id = id;
        }
        insert(&mut tx, &rows).await?;
        tx.commit().await
    }

    fn notify(&mut self, entries: &[Entry], refused: &[(usize, String)]) {
        for (dataset, schema) in self.writer.take_new_schemas() {
            self.signals.notices.send(Notice::new_schema(dataset, schema));
        }
        for (index, entry) in entries.iter().enumerate() {
            if refused.iter().any(|(bad, _)| *bad == index) {
                continue;
            }
            self.signals.metrics.age(self.signals.now_us() - entry.facts.at);
            for run in entry.facts.runs.iter().filter(|run| run.status == crate::facts::status::FAILED) {
                self.signals.notices.send(Notice::run_failed(run));
            }
        }
    }
}

impl Group {
    fn add(&mut self, reading: Reading, source: &'static str, done: oneshot::Sender<Result<Vec<(usize, Bad)>>>) {
        let first = self.entries.len();
        let mut places = vec![];
        for (place, entry) in reading.good {
            places.push(place);
            self.entries.push(entry);
        }
        self.quarantine.extend(reading.bad.into_iter().map(|(_, bad)| {
            let body = pack(&bad.body);
            bad.row(source, reading.received_at, body)
        }));
        self.waiting.push(Waiting { places, first, source, done });
    }
}
