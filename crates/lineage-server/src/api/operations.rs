//! `/v1/operations`.

use super::error::{Answer, ApiError, Problem};
use super::params::{Kind, PAGE, PAGE_SIZE, Params, SINCE, UNTIL, optional};
use super::runs::{io, io_statistics};
use super::{Access, Routes, Spec};
use crate::app::{App, User};
use crate::read::{self, list::List};
use axum::Json;
use axum::extract::{RawQuery, State};
use serde_json::{Value, json};

const LIST: Spec = Spec {
    method: "GET",
    path: "/v1/operations",
    summary: "Operations by id or run, newest first",
    group: "Operations",
    query: &[PAGE, PAGE_SIZE, SINCE, UNTIL, optional("operation_id", Kind::Uuids), optional("run_id", Kind::Uuids)],
    access: Access::User,
};

pub(super) const SPECS: &[Spec] = &[LIST];

pub(super) fn routes(routes: Routes) -> Routes {
    routes.add(&LIST, list)
}

async fn list(State(app): State<App>, _: User, RawQuery(query): RawQuery) -> Answer {
    let params = Params::read(LIST.query, query.as_deref())?;
    let (operations, runs) = (params.uuids("operation_id"), params.uuids("run_id"));
    if operations.is_empty() && runs.is_empty() {
        let message = "Value error, input should contain either 'run_id' or 'operation_id' field";
        return Err(ApiError::invalid(vec![Problem::query("run_id", "value_error", message, Value::Null)]));
    }
    let mut list = List::new(app.db(), "operation o");
    list.texts("o.uuid", operations);
    if !runs.is_empty() {
        let n = list.param(runs);
        let within = list.within("r.uuid", n);
        list.condition(format!("o.run_id IN (SELECT r.id FROM run r WHERE {within})"));
    }
    if let Some(since) = params.time("since") {
        let n = list.param(since);
        list.condition(format!("(o.created_at >= ${n} OR o.last_at >= ${n} OR o.ended_at >= ${n})"));
    }
    list.compare("o.created_at", "<=", params.time("until"));
    let order = "o.created_at DESC, o.uuid DESC";
    let page = list.page("o.id", order, params.page()).await?;
    let mut operations = read::operations(app.db(), page.ids.clone()).await?;
    let statistics = io_statistics(&app, "operation_id", &page.ids).await?;
    let item = |id: &i64| {
        let (row, operation) = operations.remove(id)?;
        let statistics = json!({"outputs": io(&statistics, *id, 1), "inputs": io(&statistics, *id, 0)});
        Some(json!({"id": row.uuid, "data": operation, "statistics": statistics}))
    };
    let items: Vec<Value> = page.ids.iter().filter_map(item).collect();
    Ok(Json(json!({"meta": page.meta, "items": items})))
}
