//! How fresh data is: when an edge was last heard of, and up to when its data is complete.
//!
//! A dataset is complete up to the least of its live writers, for the slowest of them decides. Where no writer tells,
//! nothing is claimed.

use crate::error::Result;
use crate::read::{iso, iso_or_null, run_uuids};
use crate::store::db::{Database, Param, Row};
use serde_json::{Map, Value, json};
use std::collections::{BTreeMap, BTreeSet};

/// Most edges of an answer.
const EDGES_MAX: i64 = 1000;

/// Answers for datasets and jobs; either list may be empty. `now` and `stale_us` decide what is stale.
///
/// # Errors
/// Those of the database.
pub async fn ask(db: &Database, datasets: Vec<i64>, jobs: Vec<i64>, now: i64, stale_us: i64) -> Result<Value> {
    let mut params: Vec<Param> = vec![];
    let mut conditions = vec![];
    for (column, ids) in [("dataset_id", datasets), ("job_id", jobs)] {
        if !ids.is_empty() {
            params.push(ids.into());
            conditions.push(db.within_ints(column, params.len()));
        }
    }
    if conditions.is_empty() {
        conditions.push("is_open = 1".into());
    }
    let sql = format!(
        "SELECT dataset_id, job_id, run_id, direction, heard_to, is_open, watermark, positions FROM edge WHERE {} \
         ORDER BY heard_to DESC LIMIT {EDGES_MAX}",
        conditions.join(" AND ")
    );
    let rows = db.rows(&sql, params).await?;
    let runs: BTreeSet<i64> = rows.iter().map(|row| row.int(2)).collect();
    let runs = run_uuids(db, runs.into_iter().collect()).await?;
    let mut complete: BTreeMap<i64, i64> = BTreeMap::new();
    for row in rows.iter().filter(|row| row.int(3) == 1 && row.int(5) == 1) {
        if let Some(watermark) = row.opt_int(6) {
            complete.entry(row.int(0)).and_modify(|least| *least = watermark.min(*least)).or_insert(watermark);
        }
    }
    let items: Vec<Value> = rows
        .iter()
        .map(|row| {
            json!({
                "dataset_id": row.int(0).to_string(),
                "job_id": row.int(1).to_string(),
                "run_id": runs.get(&row.int(2)),
                "direction": if row.int(3) == 1 { "OUTPUT" } else { "INPUT" },
                "last_heard_at": iso(row.int(4)),
                "complete_up_to": iso_or_null(row.opt_int(6)),
                "positions": row.opt_text(7).and_then(|text| serde_json::from_str::<Value>(&text).ok()),
                "status": status(row, now, stale_us),
            })
        })
        .collect();
    let datasets: Map<String, Value> =
        complete.into_iter().map(|(id, at)| (id.to_string(), json!({"complete_up_to": iso(at)}))).collect();
    Ok(json!({"items": items, "datasets": datasets}))
}

fn status(row: &Row, now: i64, stale_us: i64) -> &'static str {
    match row.int(5) {
        0 => "ENDED",
        _ if now - row.int(4) > stale_us => "STALE",
        _ => "LIVE",
    }
}

/// Up to when each dataset is complete, as far as its live writers tell.
///
/// # Errors
/// Those of the database.
pub async fn complete(db: &Database, datasets: Vec<i64>) -> Result<BTreeMap<i64, i64>> {
    let sql = format!(
        "SELECT dataset_id, MIN(watermark) FROM edge WHERE direction = 1 AND is_open = 1 AND watermark IS NOT NULL \
         AND {} GROUP BY dataset_id",
        db.within_ints("dataset_id", 1)
    );
    let rows = db.rows(&sql, vec![datasets.into()]).await?;
    Ok(rows.iter().map(|row| (row.int(0), row.int(1))).collect())
}
