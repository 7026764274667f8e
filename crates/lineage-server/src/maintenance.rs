//! What is done now and then: finding runs that went silent, forgetting what is too old.

use crate::app::App;
use crate::error::Result;
use crate::read::iso;
use crate::store::Row;
use crate::webhooks::Notice;
use serde_json::json;
use std::collections::BTreeSet;
use std::time::Duration;
use tokio::sync::watch;

/// Pause between rounds.
const ROUND: Duration = Duration::from_secs(60);
/// Stale runs told of in one round.
const STALE_MAX: i64 = 1000;

/// Rows that are forgotten in one transaction.
const STEP: i64 = 5000;

const DAY_US: i64 = 24 * 3600 * 1_000_000;

/// What the rounds remember. The server makes one a minute; tests make their own.
#[derive(Debug, Default)]
pub struct Upkeep {
    /// Stale runs that were told of.
    told: BTreeSet<String>,
}

/// Works until told to stop.
pub(crate) async fn run(app: App, mut stopped: watch::Receiver<bool>) {
    let mut upkeep = Upkeep::default();
    loop {
        tokio::select! {
            _ = stopped.wait_for(|stop| *stop) => return,
            () = tokio::time::sleep(ROUND) => {}
        }
        if let Err(error) = upkeep.round(&app).await {
            tracing::warn!(%error, "the catalog's upkeep failed; it is tried again");
        }
    }
}

impl Upkeep {
    /// One round: tells of runs that went silent and forgets what is older than the retention.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn round(&mut self, app: &App) -> Result<()> {
        self.tell_stale(app).await?;
        if let Some(days) = app.options().retention_days {
            forget(app, app.signals().now_us() - i64::from(days) * DAY_US).await?;
        }
        Ok(())
    }

    async fn tell_stale(&mut self, app: &App) -> Result<()> {
        let stale = stale(app, STALE_MAX).await?;
        app.signals().metrics.stale(i64::try_from(stale.len()).unwrap_or(i64::MAX));
        let now: BTreeSet<String> = stale.iter().map(|run| run.uuid.clone()).collect();
        for run in stale.into_iter().filter(|run| !self.told.contains(&run.uuid)) {
            let body = json!({"run_id": run.uuid, "last_heard_at": iso(run.last_at)});
            app.signals().notices.send(Notice { event: "STALE", body });
        }
        self.told = now;
        Ok(())
    }
}

/// A run that did not end and should have been heard of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stale {
    /// Id of its row.
    pub id: i64,
    /// Its UUID.
    pub uuid: String,
    /// When it was last heard of.
    pub last_at: i64,
}

/// Runs that are stale now, the longest silent last.
///
/// # Errors
/// Those of the database.
pub async fn stale(app: &App, limit: i64) -> Result<Vec<Stale>> {
    let now = app.signals().now_us();
    let sql = "SELECT id, uuid, last_at FROM run WHERE ended_at IS NULL AND heard = 1 AND declared = 0 \
               AND last_at < $1 AND last_at >= $2 ORDER BY last_at DESC LIMIT $3";
    let params = vec![
        (now - app.options().stale_us()).into(),
        // Those beyond are gone from the graph too.
        (now - app.options().stale_us() - app.options().silence_us()).into(),
        limit.into(),
    ];
    let rows = app.db().rows(sql, params).await?;
    Ok(rows.iter().map(|row| Stale { id: row.int(0), uuid: row.text(1), last_at: row.int(2) }).collect())
}

/// Deletes events and runs that are older than a moment. Runs that did not end stay while they are heard of, and what is
/// declared stays; so do the events of both, from which a rebuild would make them again.
async fn forget(app: &App, before: i64) -> Result<()> {
    while forget_runs(app, before).await? {}
    let events = "DELETE FROM raw_event WHERE id IN (SELECT e.id FROM raw_event e WHERE e.received_at < $1 \
                  AND e.event_at < $1 AND e.run_uuid IS NOT NULL \
                  AND NOT EXISTS (SELECT 1 FROM run r WHERE r.uuid = e.run_uuid) \
                  AND NOT EXISTS (SELECT 1 FROM operation o WHERE o.uuid = e.run_uuid) LIMIT $2)";
    while app.db().execute(events, vec![before.into(), STEP.into()]).await? > 0 {}
    app.db().execute("DELETE FROM quarantine WHERE received_at < $1", vec![before.into()]).await.map(|_| ())
}

/// Runs that are older than moment `$1`.
const OLD: &str = "declared = 0 AND last_at < $1 AND COALESCE(ended_at, last_at) < $1 AND first_at < $1";

/// One step of it, so that events do not wait long for the database. Returns whether there was anything.
async fn forget_runs(app: &App, before: i64) -> Result<bool> {
    // Looked for by a reader: where nothing is old, nobody who writes has to wait.
    let sql = format!("SELECT id FROM run WHERE {OLD} LIMIT $2");
    let found = ids(&app.db().rows(&sql, vec![before.into(), STEP.into()]).await?);
    if found.is_empty() {
        return Ok(false);
    }
    let mut tx = app.db().begin().await?;
    // Those of them that nobody spoke of meanwhile.
    let sql = format!("SELECT id FROM run WHERE {OLD} AND {}", tx.within("id", 2));
    let runs = ids(&tx.rows(&sql, vec![before.into(), found.into()]).await?);
    if runs.is_empty() {
        return Ok(false);
    }
    let of_runs = tx.within("run_id", 1);
    let operations = format!("SELECT id FROM operation WHERE {of_runs}");
    for table in ["edge", "column_lineage", "flow"] {
        let sql = format!("DELETE FROM {table} WHERE operation_id IN ({operations})");
        tx.execute(&sql, vec![runs.clone().into()]).await?;
    }
    tx.execute(&format!("DELETE FROM operation WHERE {of_runs}"), vec![runs.clone().into()]).await?;
    let sql = format!("DELETE FROM run WHERE {}", tx.within("id", 1));
    tx.execute(&sql, vec![runs.into()]).await?;
    // What writers remember of these runs is no longer so.
    tx.execute(crate::store::NOBODY_WROTE, vec![]).await?;
    tx.commit().await?;
    Ok(true)
}

fn ids(rows: &[Row]) -> Vec<i64> {
    rows.iter().map(|row| row.int(0)).collect()
}
