//! What is done now and then: finding runs that went silent, forgetting what is too old.

use crate::app::App;
use crate::error::Result;
use crate::read::iso;
use crate::webhooks::Notice;
use serde_json::json;
use std::collections::BTreeSet;
use std::time::Duration;
use tokio::sync::watch;

/// Pause between rounds.
const ROUND: Duration = Duration::from_secs(60);
/// Stale runs told of in one round.
const STALE_MAX: i64 = 1000;

const DAY_US: i64 = 24 * 3600 * 1_000_000;

/// Works until told to stop.
pub async fn run(app: App, mut stopped: watch::Receiver<bool>) {
    let mut told = BTreeSet::new();
    loop {
        tokio::select! {
            _ = stopped.wait_for(|stop| *stop) => return,
            () = tokio::time::sleep(ROUND) => {}
        }
        if let Err(error) = round(&app, &mut told).await {
            tracing::warn!(%error, "the catalog's upkeep failed; it is tried again");
        }
    }
}

async fn round(app: &App, told: &mut BTreeSet<String>) -> Result<()> {
    tell_stale(app, told).await?;
    if let Some(days) = app.options().retention_days {
        forget(app, app.signals().now_us() - i64::from(days) * DAY_US).await?;
    }
    Ok(())
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

async fn tell_stale(app: &App, told: &mut BTreeSet<String>) -> Result<()> {
    let stale = stale(app, STALE_MAX).await?;
    app.signals().metrics.stale(i64::try_from(stale.len()).unwrap_or(i64::MAX));
    let now: BTreeSet<String> = stale.iter().map(|run| run.uuid.clone()).collect();
    for run in stale.into_iter().filter(|run| !told.contains(&run.uuid)) {
        let body = json!({"run_id": run.uuid, "last_heard_at": iso(run.last_at)});
        app.signals().notices.send(Notice { event: "STALE", body });
    }
    *told = now;
    Ok(())
}

/// Deletes events and runs that are older than a moment. Runs that did not end stay while they are heard of.
///
/// # Errors
/// Those of the database.
pub async fn forget(app: &App, before: i64) -> Result<()> {
    let old = "SELECT id FROM run WHERE declared = 0 AND last_at < $1 AND COALESCE(ended_at, last_at) < $1 \
               AND first_at < $1";
    let mut tx = app.db().begin().await?;
    for table in ["edge", "column_lineage"] {
        tx.execute(&format!("DELETE FROM {table} WHERE run_id IN ({old})"), vec![before.into()]).await?;
    }
    let flows = format!("DELETE FROM flow WHERE operation_id IN (SELECT id FROM operation WHERE run_id IN ({old}))");
    tx.execute(&flows, vec![before.into()]).await?;
    tx.execute(&format!("DELETE FROM operation WHERE run_id IN ({old})"), vec![before.into()]).await?;
    tx.execute(&format!("DELETE FROM run WHERE id IN ({old})"), vec![before.into()]).await?;
    tx.execute("DELETE FROM raw_event WHERE received_at < $1 AND event_at < $1", vec![before.into()]).await?;
    tx.execute("DELETE FROM quarantine WHERE received_at < $1", vec![before.into()]).await?;
    tx.execute(crate::store::NOBODY_WROTE, vec![]).await?;
    tx.commit().await
}
