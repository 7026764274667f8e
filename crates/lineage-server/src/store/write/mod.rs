//! The one writer of the catalog.
//!
//! A batch of facts is one transaction: names become ids, what the catalog knows of the touched rows is loaded (or
//! found in bounded caches), facts are merged into it in memory, and what changed is written in bulk. Taking the lock
//! of `last_writer` first makes writers of several servers on one PostgreSQL take turns; who finds that another one
//! wrote in between forgets its caches.

mod dictionary;
mod ids;
mod names;
mod operations;
mod places;
mod related;
mod runs;

use super::cache::Cache;
use super::db::{Database, Tx};
use super::record::{Record, insert, upsert};
use super::rows::{DatasetRow, JobRow, LocationRow, RawEventRow, RunRow, SchemaUseRow};
use crate::error::Result;
use crate::facts::{Facts, Name, Place};
use ids::Ids;
use operations::OperationState;
use std::collections::{HashMap, HashSet};
use uuid::Uuid;

/// Datasets, jobs, uses of schemas and dictionary entries kept in memory, each.
const CACHED: usize = 100_000;
/// Runs and operations that have not ended kept in memory, each.
const CACHED_OPEN: usize = 25_000;

/// An event as it came.
#[derive(Debug, Clone)]
pub struct Raw {
    /// When: microseconds since the epoch.
    pub received_at: i64,
    /// Compressed JSON.
    pub body: Vec<u8>,
}

/// Facts, and the event they come from unless that is stored already.
#[derive(Debug, Clone)]
pub struct Entry {
    /// What it says.
    pub facts: Facts,
    /// The event.
    pub raw: Option<Raw>,
}

/// A row with what the database holds of it.
#[derive(Debug, Clone)]
struct Tracked<R> {
    row: R,
    /// Apart, since new rows, which are most, have none.
    stored: Option<Box<R>>,
}

impl<R: PartialEq + Clone> Tracked<R> {
    fn new(row: R) -> Self {
        Self { row, stored: None }
    }

    fn loaded(row: R) -> Self {
        Self { stored: Some(Box::new(row.clone())), row }
    }

    /// Whether the database does not hold the row as it is.
    fn is_changed(&self) -> bool {
        self.stored.as_deref() != Some(&self.row)
    }

    /// From now on the database holds the row as it is.
    fn mark_stored(&mut self) {
        if self.is_changed() {
            self.stored = Some(Box::new(self.row.clone()));
        }
    }
}

/// Rows on their way into a table, in the order of its key, which is kinder to the pages. New ones are spared the
/// search for what they would replace.
struct Writes<'t, R> {
    new: Vec<&'t R>,
    changed: Vec<&'t R>,
}

impl<'t, R: Record + PartialEq + Clone> Writes<'t, R> {
    /// Those of the rows that the database does not hold as they are.
    fn of<K: Ord>(rows: impl Iterator<Item = &'t Tracked<R>>, key: impl Fn(&R) -> K) -> Self {
        let (mut new, mut changed) = (vec![], vec![]);
        for tracked in rows {
            match &tracked.stored {
                None => new.push(&tracked.row),
                Some(_) if tracked.is_changed() => changed.push(&tracked.row),
                Some(_) => {}
            }
        }
        new.sort_unstable_by_key(|row| key(row));
        changed.sort_unstable_by_key(|row| key(row));
        Self { new, changed }
    }

    async fn write(self, tx: &mut Tx) -> Result<()> {
        insert(tx, self.new).await?;
        upsert(tx, self.changed).await
    }
}

/// What the writer remembers of the database between batches.
#[derive(Debug)]
struct Caches {
    addresses: Cache<String, i64>,
    locations: Cache<i64, Tracked<LocationRow>>,
    datasets: Cache<(i64, String), DatasetRow>,
    jobs: Cache<(i64, String), JobRow>,
    runs: Cache<Uuid, RunRow>,
    operations: Cache<Uuid, OperationState>,
    schema_uses: Cache<(i64, i64, i64), SchemaUseRow>,
    words: Cache<(&'static str, String), (i64, String)>,
    /// Rows that are only ever added: table and key.
    known: Cache<String, ()>,
}

impl Caches {
    fn new() -> Self {
        Self {
            addresses: Cache::new(CACHED),
            locations: Cache::new(CACHED),
            datasets: Cache::new(CACHED),
            jobs: Cache::new(CACHED),
            runs: Cache::new(CACHED_OPEN),
            operations: Cache::new(CACHED_OPEN),
            schema_uses: Cache::new(CACHED),
            words: Cache::new(CACHED),
            known: Cache::new(CACHED),
        }
    }
}

/// See the module.
#[derive(Debug)]
pub struct Writer {
    database: Database,
    name: String,
    ids: Ids,
    caches: Caches,
    new_schemas: Vec<(i64, i64)>,
}

/// Most schemas that wait to be looked at.
const NEW_SCHEMAS_MAX: usize = 1000;

impl Writer {
    /// A writer with a name that no other server has.
    pub fn new(database: Database, name: String) -> Self {
        Self { database, name, ids: Ids::default(), caches: Caches::new(), new_schemas: vec![] }
    }

    /// Merges facts into the catalog, all or none.
    ///
    /// # Errors
    /// Those of the database; then nothing has changed.
    pub async fn apply(&mut self, entries: &[Entry]) -> Result<()> {
        let done = self.try_apply(entries).await;
        if done.is_err() {
            self.forget();
        }
        done
    }

    async fn try_apply(&mut self, entries: &[Entry]) -> Result<()> {
        let mut tx = self.begin().await?;
        self.merge(&mut tx, entries).await?;
        tx.commit().await
    }

    /// Datasets and schemas that were seen together for the first time since the last question.
    pub fn take_new_schemas(&mut self) -> Vec<(i64, i64)> {
        std::mem::take(&mut self.new_schemas)
    }

    /// Forgets what it remembers of the database.
    pub fn forget(&mut self) {
        self.caches = Caches::new();
        self.ids = Ids::default();
    }

    /// Begins a transaction as the only writer.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn begin(&mut self) -> Result<Tx> {
        let mut tx = self.database.begin().await?;
        let lock = if self.database.is_postgres() { " FOR UPDATE" } else { "" };
        let rows = tx.rows(&format!("SELECT name FROM last_writer WHERE id = 1{lock}"), vec![]).await?;
        if rows.first().is_none_or(|row| row.text(0) != self.name) {
            self.forget();
            tx.execute("UPDATE last_writer SET name = $1 WHERE id = 1", vec![self.name.as_str().into()]).await?;
        }
        Ok(tx)
    }

    /// Merges facts within a transaction of [`Writer::begin`].
    ///
    /// # Errors
    /// Those of the database.
    pub async fn merge(&mut self, tx: &mut Tx, entries: &[Entry]) -> Result<()> {
        let mut batch = Batch {
            tx,
            ids: &mut self.ids,
            caches: &mut self.caches,
            places: HashMap::new(),
            dataset_ids: HashMap::new(),
            job_ids: HashMap::new(),
            jobs: HashMap::new(),
            datasets: HashMap::new(),
            retagged: HashSet::new(),
            new_schemas: &mut self.new_schemas,
        };
        batch.resolve_places(entries).await?;
        batch.resolve_datasets(entries).await?;
        batch.resolve_jobs(entries).await?;
        batch.merge_names(entries).await?;
        batch.merge_runs(entries).await?;
        batch.merge_related(entries).await?;
        batch.keep_raw(entries).await
    }
}

/// One batch on its way into the database.
struct Batch<'b> {
    tx: &'b mut Tx,
    ids: &'b mut Ids,
    caches: &'b mut Caches,
    places: HashMap<&'b Place, i64>,
    dataset_ids: HashMap<&'b Name, i64>,
    job_ids: HashMap<&'b Name, i64>,
    jobs: HashMap<i64, Tracked<JobRow>>,
    datasets: HashMap<i64, Tracked<DatasetRow>>,
    /// Jobs whose tags changed.
    retagged: HashSet<i64>,
    new_schemas: &'b mut Vec<(i64, i64)>,
}

impl Batch<'_> {
    async fn keep_raw(&mut self, entries: &[Entry]) -> Result<()> {
        let mut rows = vec![];
        for Entry { facts, raw } in entries {
            let Some(raw) = raw else { continue };
            rows.push(RawEventRow {
                id: self.ids.next(self.tx, "raw_event").await?,
                received_at: raw.received_at,
                event_at: facts.at,
                run_uuid: facts.run.map(|run| run.to_string()),
                body: raw.body.clone(),
            });
        }
        insert(self.tx, &rows).await
    }
}
