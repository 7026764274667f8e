//! Schemas of datasets in time.

use super::Window;
use super::compat::{self, Verdict};
use crate::error::Result;
use crate::read::{fields, texts};
use crate::store::db::Database;
use crate::store::rows::SchemaUseRow;
use serde_json::{Value, json};
use std::collections::{BTreeMap, HashMap};

/// Uses of schemas are kept by the hour.
const HOUR_US: i64 = 3600 * 1_000_000;

/// Whether a dataset is read and whether it is written in an answer.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Uses {
    /// Somebody reads it.
    pub read: bool,
    /// Somebody writes it.
    pub written: bool,
}

impl Uses {
    fn has(self, direction: i64) -> bool {
        if direction == 0 { self.read } else { self.written }
    }
}

/// The schema of each dataset that an answer shows edges of: the last one seen in the window, and whether it was the first
/// one too. What is written counts more than what is read; without any use in the window the last one before counts.
///
/// # Errors
/// Those of the database.
pub async fn in_window(db: &Database, shown: &BTreeMap<i64, Uses>, window: &Window) -> Result<HashMap<i64, Value>> {
    let rows = crate::read::rows_in::<SchemaUseRow>(db, "dataset_id", shown.keys().copied().collect()).await?;
    let mut by_dataset: HashMap<i64, Vec<SchemaUseRow>> = HashMap::new();
    let is_shown = |row: &SchemaUseRow| shown.get(&row.dataset_id).is_some_and(|uses| uses.has(row.direction));
    for row in rows.into_iter().filter(is_shown) {
        by_dataset.entry(row.dataset_id).or_default().push(row);
    }
    let chosen: HashMap<i64, (i64, bool)> =
        by_dataset.into_iter().filter_map(|(dataset, rows)| Some((dataset, choose(&rows, window)?))).collect();
    let texts = texts(db, "dataset_schema", chosen.values().map(|(id, _)| *id).collect()).await?;
    let shown = chosen.into_iter().filter_map(|(dataset, (schema, exact))| {
        let canonical: Value = serde_json::from_str(texts.get(&schema)?).ok()?;
        let relevance = if exact { "EXACT_MATCH" } else { "LATEST_KNOWN" };
        let value = json!({"id": schema.to_string(), "fields": fields(&canonical), "relevance_type": relevance});
        Some((dataset, value))
    });
    Ok(shown.collect())
}

/// The schema to show, and whether it is the only one of the window's ends.
fn choose(rows: &[SchemaUseRow], window: &Window) -> Option<(i64, bool)> {
    let direction = rows.iter().map(|row| row.direction).max()?;
    let mut rows: Vec<&SchemaUseRow> = rows.iter().filter(|row| row.direction == direction).collect();
    rows.sort_by_key(|row| (row.first_at, row.schema_id));
    // An edge counts from the beginning of its operation, which is a little before the event with the schema.
    let known = rows.partition_point(|row| row.first_at <= window.until).max(1).min(rows.len());
    rows.truncate(known);
    let inside: Vec<&SchemaUseRow> = rows.iter().copied().filter(|row| row.last_at + HOUR_US > window.since).collect();
    let all = if inside.is_empty() { &rows } else { &inside };
    let first = all.first()?;
    let last = all.iter().max_by_key(|row| (row.last_at, row.first_at, row.schema_id))?;
    Some((last.schema_id, !inside.is_empty() && first.schema_id == last.schema_id))
}

/// A version of a dataset's schema.
#[derive(Debug, Clone)]
pub struct Version {
    /// Its use.
    pub seen: SchemaUseRow,
    /// Its columns, as stored.
    pub canonical: Value,
    /// What the step from the version before means; none for the first.
    pub verdict: Option<Verdict>,
}

/// All schemas of a dataset, in the order they appeared. What is written is compared with what was written before,
/// and what is read with what was read.
///
/// # Errors
/// Those of the database.
pub async fn versions(db: &Database, dataset: i64) -> Result<Vec<Version>> {
    let mut uses = crate::read::rows_in::<SchemaUseRow>(db, "dataset_id", vec![dataset]).await?;
    uses.sort_by_key(|row| (row.direction, row.first_at, row.schema_id));
    let texts = texts(db, "dataset_schema", uses.iter().map(|row| row.schema_id).collect()).await?;
    let mut versions: Vec<Version> = vec![];
    for seen in uses {
        let canonical = texts.get(&seen.schema_id).and_then(|text| serde_json::from_str(text).ok());
        let canonical = canonical.unwrap_or(Value::Null);
        let before = versions.last().filter(|before| before.seen.direction == seen.direction);
        let verdict = before.map(|before| compat::compare(&before.canonical, &canonical));
        versions.push(Version { seen, canonical, verdict });
    }
    Ok(versions)
}

/// What a schema that a dataset has for the first time breaks, if it breaks readers.
///
/// # Errors
/// Those of the database.
pub async fn broken_by(db: &Database, dataset: i64, schema: i64) -> Result<Option<Value>> {
    let versions = versions(db, dataset).await?;
    let new = versions.into_iter().find(|version| version.seen.schema_id == schema);
    let Some((seen, verdict)) = new.and_then(|new| Some((new.seen, new.verdict?))) else { return Ok(None) };
    if verdict.forward {
        return Ok(None);
    }
    let shown = crate::read::datasets(db, vec![dataset]).await?;
    Ok(Some(json!({
        "dataset": shown.get(&dataset),
        "verdict": verdict.name(),
        "changes": verdict.changes,
        "run_id": seen.first_run,
        "first_seen_at": crate::read::iso(seen.first_at),
    })))
}
