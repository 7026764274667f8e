//! Reading the catalog: entities by id, in the shape the API shows them.

pub mod list;
pub mod search;

use crate::error::Result;
use crate::names::status;
use crate::store::db::{Database, Param};
use crate::store::record::{Record, select};
use crate::store::rows::{AddressRow, DatasetRow, JobRow, LocationRow, OperationRow, RunRow};
use chrono::DateTime;
use serde_json::{Value, json};
use std::collections::{BTreeSet, HashMap};

/// Entities by id.
pub type ById = HashMap<i64, Value>;

/// A time as the API shows it: UTC, with microseconds only when there are any.
pub fn iso(micros: i64) -> String {
    let Some(time) = DateTime::from_timestamp_micros(micros) else { return String::new() };
    let format = if micros.rem_euclid(1_000_000) == 0 { "%Y-%m-%dT%H:%M:%SZ" } else { "%Y-%m-%dT%H:%M:%S%.6fZ" };
    time.format(format).to_string()
}

/// A time, or null.
pub fn iso_or_null(micros: Option<i64>) -> Value {
    micros.map_or(Value::Null, |micros| iso(micros).into())
}

/// Rows of a table by a list of ids.
///
/// # Errors
/// Those of the database.
pub async fn rows_in<R: Record>(db: &Database, column: &str, ids: Vec<i64>) -> Result<Vec<R>> {
    if ids.is_empty() {
        return Ok(vec![]);
    }
    let sql = format!("{} WHERE {}", select::<R>(), db.within_ints(column, 1));
    Ok(db.rows(&sql, vec![Param::Ints(ids)]).await?.iter().map(R::read).collect())
}

fn distinct(ids: impl Iterator<Item = i64>) -> Vec<i64> {
    ids.collect::<BTreeSet<i64>>().into_iter().collect()
}

/// Locations with their addresses.
///
/// # Errors
/// Those of the database.
pub async fn locations(db: &Database, ids: Vec<i64>) -> Result<ById> {
    let mut addresses: HashMap<i64, Vec<String>> = HashMap::new();
    for row in rows_in::<AddressRow>(db, "location_id", ids.clone()).await? {
        addresses.entry(row.location_id).or_default().push(row.url);
    }
    let mut found = ById::new();
    for row in rows_in::<LocationRow>(db, "id", ids).await? {
        let mut urls = addresses.remove(&row.id).unwrap_or_default();
        urls.sort();
        let urls: Vec<Value> = urls.into_iter().map(|url| json!({"url": url})).collect();
        let value = json!({"id": row.id.to_string(), "type": row.kind, "name": row.name, "addresses": urls,
                           "external_id": row.external_id});
        found.insert(row.id, value);
    }
    Ok(found)
}

/// Datasets with their locations; `schema` is null.
///
/// # Errors
/// Those of the database.
pub async fn datasets(db: &Database, ids: Vec<i64>) -> Result<ById> {
    let rows = rows_in::<DatasetRow>(db, "id", ids).await?;
    let locations = locations(db, distinct(rows.iter().map(|row| row.location_id))).await?;
    let shown = rows.into_iter().map(|row| {
        let value = json!({"id": row.id.to_string(), "location": locations.get(&row.location_id), "name": row.name,
                           "external_id": row.external_id, "external_url": row.external_url, "schema": null});
        (row.id, value)
    });
    Ok(shown.collect())
}

/// Jobs with their locations.
///
/// # Errors
/// Those of the database.
pub async fn jobs(db: &Database, ids: Vec<i64>) -> Result<ById> {
    let rows = rows_in::<JobRow>(db, "id", ids).await?;
    let locations = locations(db, distinct(rows.iter().map(|row| row.location_id))).await?;
    let shown = rows.into_iter().map(|row| {
        let value = json!({"id": row.id.to_string(), "parent_job_id": row.parent_id.map(|id| id.to_string()),
                           "location": locations.get(&row.location_id), "name": row.name, "type": row.kind});
        (row.id, value)
    });
    Ok(shown.collect())
}

/// The UUIDs of runs by their ids.
///
/// # Errors
/// Those of the database.
pub async fn run_uuids(db: &Database, ids: Vec<i64>) -> Result<HashMap<i64, String>> {
    if ids.is_empty() {
        return Ok(HashMap::new());
    }
    let sql = format!("SELECT id, uuid FROM run WHERE {}", db.within_ints("id", 1));
    Ok(db.rows(&sql, vec![ids.into()]).await?.iter().map(|row| (row.int(0), row.text(1))).collect())
}

/// Runs, with the rows they come from.
///
/// # Errors
/// Those of the database.
pub async fn runs(db: &Database, ids: Vec<i64>) -> Result<HashMap<i64, (RunRow, Value)>> {
    let rows = rows_in::<RunRow>(db, "id", ids).await?;
    let parents = run_uuids(db, distinct(rows.iter().filter_map(|row| row.parent_id))).await?;
    let shown = rows.into_iter().map(|row| {
        let value = run(&row, row.parent_id.and_then(|id| parents.get(&id)));
        (row.id, (row, value))
    });
    Ok(shown.collect())
}

fn run(row: &RunRow, parent: Option<&String>) -> Value {
    json!({
        "id": row.uuid,
        "created_at": iso(row.created_at),
        "job_id": row.job_id.to_string(),
        "parent_run_id": parent,
        "status": status(row.status),
        "external_id": row.external_id,
        "attempt": row.attempt,
        "persistent_log_url": row.persistent_log_url,
        "running_log_url": row.running_log_url,
        "started_at": iso_or_null(row.started_at),
        "started_by_user": row.started_by.as_ref().map(|name| json!({"name": name})),
        "start_reason": row.start_reason,
        "ended_at": iso_or_null(row.ended_at),
        "end_reason": row.end_reason,
        "expected_start_at": iso_or_null(row.expected_start_at),
        "expected_end_at": iso_or_null(row.expected_end_at),
    })
}

/// Operations, with the rows they come from.
///
/// # Errors
/// Those of the database.
pub async fn operations(db: &Database, ids: Vec<i64>) -> Result<HashMap<i64, (OperationRow, Value)>> {
    let rows = rows_in::<OperationRow>(db, "id", ids).await?;
    let runs = run_uuids(db, distinct(rows.iter().map(|row| row.run_id))).await?;
    let sql = texts(db, "sql_query", distinct(rows.iter().filter_map(|row| row.sql_id))).await?;
    let shown = rows.into_iter().map(|row| {
        let value = operation(&row, runs.get(&row.run_id), row.sql_id.and_then(|id| sql.get(&id)));
        (row.id, (row, value))
    });
    Ok(shown.collect())
}

fn operation(row: &OperationRow, run: Option<&String>, sql: Option<&String>) -> Value {
    json!({
        "id": row.uuid,
        "created_at": iso(row.created_at),
        "run_id": run,
        "status": status(row.status),
        "name": row.name,
        "type": row.kind,
        "position": row.position,
        "group": row.group_name,
        "description": row.description,
        "sql_query": sql,
        "started_at": iso_or_null(row.started_at),
        "ended_at": iso_or_null(row.ended_at),
    })
}

/// Texts of a dictionary by id.
///
/// # Errors
/// Those of the database.
pub async fn texts(db: &Database, table: &'static str, ids: Vec<i64>) -> Result<HashMap<i64, String>> {
    if ids.is_empty() {
        return Ok(HashMap::new());
    }
    let sql = format!("SELECT id, value FROM {table} WHERE {}", db.within_ints("id", 1));
    Ok(db.rows(&sql, vec![ids.into()]).await?.iter().map(|row| (row.int(0), row.text(1))).collect())
}

/// A stored schema as the API shows it: every field has type, description and fields.
pub fn fields(canonical: &Value) -> Value {
    let all = canonical.as_array().map_or(&[][..], Vec::as_slice);
    let shown = all.iter().map(|field| {
        json!({"name": field["name"], "type": field.get("type"), "description": field.get("description"),
               "fields": fields(field.get("fields").unwrap_or(&Value::Null))})
    });
    Value::Array(shown.collect())
}

/// Tags of jobs or datasets: a list of `{id, name, values}` for each owner.
///
/// # Errors
/// Those of the database.
pub async fn tags(db: &Database, table: &str, owner: &str, ids: Vec<i64>) -> Result<ById> {
    if ids.is_empty() {
        return Ok(ById::new());
    }
    let whole = if table == "dataset_tag" { "AND x.field_key = ''" } else { "" };
    let sql = format!(
        "SELECT x.{owner}, t.id, t.value, v.id, v.value FROM {table} x JOIN tag_value v ON v.id = x.tag_value_id \
         JOIN tag t ON t.id = v.tag_id WHERE {} {whole} ORDER BY t.value, v.value",
        db.within_ints(&format!("x.{owner}"), 1)
    );
    let mut found: HashMap<i64, Vec<Value>> = HashMap::new();
    for row in db.rows(&sql, vec![ids.into()]).await? {
        let tags = found.entry(row.int(0)).or_default();
        if tags.last().is_none_or(|tag| tag["id"] != row.int(1)) {
            tags.push(json!({"id": row.int(1), "name": row.text(2), "values": []}));
        }
        if let Some(values) = tags.last_mut().and_then(|tag| tag["values"].as_array_mut()) {
            values.push(json!({"id": row.int(3), "value": row.text(4)}));
        }
    }
    Ok(found.into_iter().map(|(id, tags)| (id, Value::Array(tags))).collect())
}
