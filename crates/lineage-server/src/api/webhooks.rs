//! `/v1/webhooks`.

use super::error::{Answer, ApiError, Problem};
use super::schemas::path_id;
use super::{Access, Routes, Spec};
use crate::app::{App, Login};
use crate::read::iso;
use crate::webhooks::EVENTS;
use axum::Json;
use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use serde_json::{Value, json};

const LIST: Spec = Spec {
    method: "GET",
    path: "/v1/webhooks",
    summary: "URLs that are called with news, and how that went",
    group: "Webhooks",
    query: &[],
    access: Access::Login,
};
const CREATE: Spec =
    Spec { method: "POST", summary: "Have a URL called on SCHEMA_BREAK, STALE, RUN_FAILED or QUARANTINE", ..LIST };
const DELETE: Spec = Spec { method: "DELETE", path: "/v1/webhooks/{id}", summary: "Stop the calls", ..LIST };

pub(super) const SPECS: &[Spec] = &[LIST, CREATE, DELETE];

pub(super) fn routes(routes: Routes) -> Routes {
    routes.add(&LIST, list).add(&CREATE, create).add(&DELETE, delete)
}

/// Most webhooks.
const HOOKS_MAX: i64 = 100;

async fn list(State(app): State<App>, _: Login) -> Answer {
    let sql = "SELECT id, url, events, created_at, delivered, failed, last_error FROM webhook ORDER BY id";
    let rows = app.db().rows(sql, vec![]).await?;
    let items: Vec<Value> = rows
        .iter()
        .map(|row| {
            let events: Vec<String> = row.text(2).split_whitespace().map(str::to_owned).collect();
            json!({"id": row.int(0).to_string(), "url": row.text(1), "events": events, "created_at": iso(row.int(3)),
                   "delivered": row.int(4), "failed": row.int(5), "last_error": row.opt_text(6)})
        })
        .collect();
    Ok(Json(json!({"items": items})))
}

async fn create(State(app): State<App>, _: Login, body: Bytes) -> Answer {
    let body = super::ingest::json_body(&body)?;
    let url = body.get("url").and_then(Value::as_str).unwrap_or_default();
    let valid = reqwest::Url::parse(url).is_ok_and(|url| matches!(url.scheme(), "http" | "https"));
    if !valid {
        let problem = Problem::body("url", "url_parsing", "Input should be an http or https URL", body["url"].clone());
        return Err(ApiError::invalid(vec![problem]));
    }
    let asked: Vec<&str> = body["events"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    if asked.is_empty() || asked.iter().any(|event| !EVENTS.contains(event)) {
        let message = format!("Input should be a list of {}", EVENTS.join(", "));
        return Err(ApiError::invalid(vec![Problem::body("events", "enum", message, body["events"].clone())]));
    }
    let secret = body.get("secret").and_then(Value::as_str).map(str::to_owned);
    let sql = "INSERT INTO webhook (id, url, events, secret, created_at, delivered, failed) \
               SELECT COALESCE(MAX(id), 0) + 1, $1, $2, $3, $4, 0, 0 FROM webhook HAVING COUNT(*) < $5";
    let params =
        vec![url.into(), asked.join(" ").into(), secret.into(), app.signals().now_us().into(), HOOKS_MAX.into()];
    if app.db().execute(sql, params).await? == 0 {
        return Err(ApiError::new(StatusCode::CONFLICT, "conflict", format!("there are {HOOKS_MAX} webhooks already")));
    }
    list(State(app), Login(crate::app::User { name: String::new() })).await
}

async fn delete(State(app): State<App>, _: Login, Path(id): Path<String>) -> Answer<StatusCode> {
    let id = path_id(&id, "id")?;
    match app.db().execute("DELETE FROM webhook WHERE id = $1", vec![id.into()]).await? {
        0 => Err(ApiError::not_found("Webhook", "id", id)),
        _ => Ok(StatusCode::NO_CONTENT),
    }
}
