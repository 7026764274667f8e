//! `/v1/runs`.

use super::error::{Answer, ApiError};
use super::params::{Kind, PAGE, PAGE_SIZE, Params, SINCE, UNTIL, optional};
use super::{Access, Routes, Spec};
use crate::app::{App, User};
use crate::graph::edges::of_runs;
use crate::names::status_of;
use crate::read::{
    self,
    list::List,
    search::{Of, Search},
};
use axum::Json;
use axum::extract::{RawQuery, State};
use serde_json::{Value, json};
use std::collections::HashMap;

const LIST: Spec = Spec {
    method: "GET",
    path: "/v1/runs",
    summary: "Runs, newest first; since and until find those that were going on",
    group: "Runs",
    query: &[
        PAGE,
        PAGE_SIZE,
        SINCE,
        UNTIL,
        optional("run_id", Kind::Uuids),
        optional("search_query", Kind::Search),
        optional("parent_run_id", Kind::Uuids),
        optional("job_id", Kind::Ints),
        optional("job_type", Kind::Texts),
        optional("job_location_id", Kind::Ints),
        optional("status", Kind::Enums(&["UNKNOWN", "STARTED", "SUCCEEDED", "FAILED", "KILLED"])),
        optional("started_by_user", Kind::Texts),
        optional("started_since", Kind::Time),
        optional("started_until", Kind::Time),
        optional("ended_since", Kind::Time),
        optional("ended_until", Kind::Time),
    ],
    access: Access::User,
};

pub(super) const SPECS: &[Spec] = &[LIST];

pub(super) fn routes(routes: Routes) -> Routes {
    routes.add(&LIST, list)
}

async fn list(State(app): State<App>, _: User, RawQuery(query): RawQuery) -> Answer {
    let params = Params::read(LIST.query, query.as_deref())?;
    // The plain list needs no join, which counting a million runs feels.
    let joined = params.text("search_query").is_some()
        || params.text("job_type").is_some()
        || params.text("job_location_id").is_some();
    let from = if joined { "run r JOIN job j ON j.id = r.job_id" } else { "run r" };
    let mut list = List::new(app.db(), from);
    conditions(&params, &mut list);
    let order = "r.created_at DESC, r.uuid DESC";
    let page = match params.text("search_query") {
        Some(text) => Search::new(Of::Runs, text).page(app.db(), list, "r.id", order, params.page()).await?,
        None => list.page("r.id", order, params.page()).await?,
    };
    let items = items(&app, page.ids).await?;
    Ok(Json(json!({"meta": page.meta, "items": items})))
}

fn conditions(params: &Params, list: &mut List<'_>) {
    if let Some(since) = params.time("since") {
        let n = list.param(since);
        list.condition(format!("(r.created_at >= ${n} OR r.last_at >= ${n} OR r.ended_at >= ${n})"));
    }
    list.compare("r.created_at", "<=", params.time("until"));
    list.texts("r.uuid", params.uuids("run_id"));
    let parents = params.uuids("parent_run_id");
    if !parents.is_empty() {
        let n = list.param(parents);
        let within = list.within("p.uuid", n);
        list.condition(format!("r.parent_id IN (SELECT p.id FROM run p WHERE {within})"));
    }
    list.ints("r.job_id", params.ints("job_id"));
    list.texts("j.kind", params.texts("job_type"));
    list.ints("j.location_id", params.ints("job_location_id"));
    list.ints("r.status", params.texts("status").iter().filter_map(|name| status_of(name)).collect());
    list.texts("LOWER(r.started_by)", params.texts("started_by_user").iter().map(|n| n.to_lowercase()).collect());
    list.compare("r.started_at", ">=", params.time("started_since"));
    list.compare("r.started_at", "<=", params.time("started_until"));
    list.compare("r.ended_at", ">=", params.time("ended_since"));
    list.compare("r.ended_at", "<=", params.time("ended_until"));
}

async fn items(app: &App, ids: Vec<i64>) -> Result<Vec<Value>, ApiError> {
    let db = app.db();
    let mut runs = read::runs(db, ids.clone()).await?;
    let jobs = read::jobs(db, runs.values().map(|(row, _)| row.job_id).collect()).await?;
    let statistics = io_statistics(app, "run_id", &ids).await?;
    let sql = format!("SELECT run_id, COUNT(*) FROM operation WHERE {} GROUP BY run_id", db.within_ints("run_id", 1));
    let rows = db.rows(&sql, vec![ids.clone().into()]).await?;
    let operations: HashMap<i64, i64> = rows.iter().map(|row| (row.int(0), row.int(1))).collect();
    let item = |id: i64| {
        let (row, run) = runs.remove(&id)?;
        Some(json!({
            "id": row.uuid,
            "data": run,
            "job": jobs.get(&row.job_id),
            "statistics": {
                "outputs": io(&statistics, id, 1),
                "inputs": io(&statistics, id, 0),
                "operations": {"total_operations": operations.get(&id).copied().unwrap_or(0)},
            },
        }))
    };
    Ok(ids.into_iter().filter_map(item).collect())
}

/// Totals by owner and direction.
pub(super) type Statistics = HashMap<(i64, i64), [i64; 4]>;

/// Datasets, bytes, rows and files that runs or operations read and wrote.
pub(super) async fn io_statistics(app: &App, owner: &str, ids: &[i64]) -> Result<Statistics, ApiError> {
    if ids.is_empty() {
        return Ok(Statistics::new());
    }
    let sum = |column: &str| format!("CAST(COALESCE(SUM({column}), 0) AS BIGINT)");
    let sql = format!(
        "SELECT {owner}, direction, COUNT(DISTINCT dataset_id), {}, {}, {} FROM edge WHERE {} GROUP BY {owner}, direction",
        sum("num_bytes"),
        sum("num_rows"),
        sum("num_files"),
        if owner == "run_id" { of_runs(app.db(), "operation_id") } else { app.db().within_ints(owner, 1) }
    );
    let rows = app.db().rows(&sql, vec![ids.to_vec().into()]).await?;
    Ok(rows.iter().map(|row| ((row.int(0), row.int(1)), [row.int(2), row.int(3), row.int(4), row.int(5)])).collect())
}

/// The totals of one owner and direction.
pub(super) fn io(statistics: &Statistics, id: i64, direction: i64) -> Value {
    let [datasets, bytes, rows, files] = statistics.get(&(id, direction)).copied().unwrap_or_default();
    json!({"total_datasets": datasets, "total_bytes": bytes, "total_rows": rows, "total_files": files})
}
