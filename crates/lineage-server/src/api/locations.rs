//! `/v1/locations`.

use super::error::{Answer, ApiError, Problem};
use super::params::{Kind, PAGE, PAGE_SIZE, Params, optional};
use super::{Access, Routes, Spec};
use crate::app::{App, User};
use crate::read::{
    self,
    list::List,
    search::{Of, Search},
};
use axum::Json;
use axum::extract::{Path, RawQuery, State};
use serde_json::{Value, json};
use std::collections::HashMap;

const LIST: Spec = Spec {
    method: "GET",
    path: "/v1/locations",
    summary: "Locations, by name",
    group: "Locations",
    query: &[
        PAGE,
        PAGE_SIZE,
        optional("location_id", Kind::Ints),
        optional("location_type", Kind::Texts),
        optional("search_query", Kind::Search),
    ],
    access: Access::User,
};
const TYPES: Spec = Spec { path: "/v1/locations/types", summary: "Types of locations", query: &[], ..LIST };
const UPDATE: Spec = Spec {
    method: "PATCH",
    path: "/v1/locations/{location_id}",
    summary: "Set the external id of a location",
    query: &[],
    ..LIST
};

pub(super) const SPECS: &[Spec] = &[LIST, TYPES, UPDATE];

pub(super) fn routes(routes: Routes) -> Routes {
    routes.add(&LIST, list).add(&TYPES, types).add(&UPDATE, update)
}

async fn list(State(app): State<App>, _: User, RawQuery(query): RawQuery) -> Answer {
    let params = Params::read(LIST.query, query.as_deref())?;
    let mut list = List::new(app.db(), "location l");
    list.ints("l.id", params.ints("location_id"));
    list.texts("l.kind", params.texts("location_type"));
    let order = "l.name, l.kind, l.id";
    let page = match params.text("search_query") {
        Some(text) => Search::new(Of::Locations, text).page(app.db(), list, "l.id", order, params.page()).await?,
        None => list.page("l.id", order, params.page()).await?,
    };
    let items = items(&app, page.ids).await?;
    Ok(Json(json!({"meta": page.meta, "items": items})))
}

async fn items(app: &App, ids: Vec<i64>) -> Result<Vec<Value>, ApiError> {
    let mut locations = read::locations(app.db(), ids.clone()).await?;
    let datasets = count(app, "dataset", &ids).await?;
    let jobs = count(app, "job", &ids).await?;
    let item = |id: i64| {
        let total = |counts: &HashMap<i64, i64>| counts.get(&id).copied().unwrap_or(0);
        Some(json!({
            "id": id.to_string(),
            "data": locations.remove(&id)?,
            "statistics": {"datasets": {"total_datasets": total(&datasets)}, "jobs": {"total_jobs": total(&jobs)}},
        }))
    };
    Ok(ids.into_iter().filter_map(item).collect())
}

async fn count(app: &App, table: &str, ids: &[i64]) -> Result<HashMap<i64, i64>, ApiError> {
    let within = app.db().within_ints("location_id", 1);
    let sql = format!("SELECT location_id, COUNT(*) FROM {table} WHERE {within} GROUP BY location_id");
    let rows = app.db().rows(&sql, vec![ids.to_vec().into()]).await?;
    Ok(rows.iter().map(|row| (row.int(0), row.int(1))).collect())
}

async fn types(State(app): State<App>, _: User, RawQuery(query): RawQuery) -> Answer {
    Params::read(TYPES.query, query.as_deref())?;
    let rows = app.db().rows("SELECT DISTINCT kind FROM location ORDER BY kind", vec![]).await?;
    let types: Vec<String> = rows.iter().map(|row| row.text(0)).collect();
    Ok(Json(json!({"location_types": types})))
}

async fn update(State(app): State<App>, _: User, Path(id): Path<String>, body: axum::body::Bytes) -> Answer {
    let id: i64 = id.parse().map_err(|_| {
        let message = "Input should be a valid integer, unable to parse string as an integer";
        ApiError::invalid(vec![Problem {
            location: ["path".into(), "location_id".into()],
            code: "int_parsing",
            message: message.into(),
            input: id.into(),
        }])
    })?;
    let body: Value = super::ingest::json_body(&body)?;
    let external_id = match body.get("external_id") {
        Some(Value::Null) => None,
        Some(Value::String(text)) => Some(crate::event::clean(text)),
        Some(other) => {
            let problem = Problem::body("external_id", "string_type", "Input should be a valid string", other.clone());
            return Err(ApiError::invalid(vec![problem]));
        }
        None => return Err(ApiError::invalid(vec![Problem::body("external_id", "missing", "Field required", body)])),
    };
    let sql = "UPDATE location SET external_id = $1 WHERE id = $2";
    if app.db().execute(sql, vec![external_id.into(), id.into()]).await? == 0 {
        return Err(ApiError::not_found("Location", "id", id));
    }
    app.db().execute(crate::store::NOBODY_WROTE, vec![]).await?;
    let item = items(&app, vec![id]).await?.pop();
    item.map(Json).ok_or_else(|| ApiError::not_found("Location", "id", id))
}
