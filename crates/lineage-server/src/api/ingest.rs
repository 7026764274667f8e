//! The ways in for events.

use super::error::{Answer, ApiError, Problem};
use super::{Access, Routes, Spec};
use crate::app::{App, User};
use crate::ingest::{Bad, Reading, read, unpack};
use axum::Json;
use axum::body::Bytes;
use axum::extract::{FromRequestParts, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

const RENTGEN: Spec = Spec {
    method: "POST",
    path: "/v1/openlineage",
    summary: "An OpenLineage event, a list of them, or JSON lines; 201 when all are stored",
    group: "Events",
    query: &[],
    access: Access::Ingest,
};
const MARQUEZ: Spec = Spec { path: "/api/v1/lineage", ..RENTGEN };
const BATCH: Spec = Spec {
    path: "/api/v1/lineage/batch",
    summary: "A list of OpenLineage events; 200 with a summary that names the refused ones",
    ..RENTGEN
};

pub(super) const SPECS: &[Spec] = &[RENTGEN, MARQUEZ, BATCH];

pub(super) fn routes(routes: Routes) -> Routes {
    routes.add(&RENTGEN, events).add(&MARQUEZ, events).add(&BATCH, batch)
}

/// Bodies larger than this are read on a thread of their own.
const SMALL_BYTES: usize = 256 << 10;

/// Somebody who may send events.
struct Sender;

impl FromRequestParts<App> for Sender {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, ApiError> {
        if app.options().ingest_auth {
            User::from_request_parts(parts, app).await?;
        }
        Ok(Self)
    }
}

/// A JSON body that must be an object.
pub(super) fn json_body(body: &[u8]) -> Result<Value, ApiError> {
    match serde_json::from_slice::<Value>(body) {
        Ok(value) if value.is_object() => Ok(value),
        Ok(other) => {
            let message = "Input should be a valid dictionary or object";
            Err(ApiError::invalid(vec![Problem::body("", "model_attributes_type", message, other)]))
        }
        Err(error) => {
            let message = format!("JSON decode error: {error}");
            Err(ApiError::invalid(vec![Problem::body("", "json_invalid", message, Value::Null)]))
        }
    }
}

async fn reading(app: &App, headers: &HeaderMap, body: Bytes) -> Result<Reading, ApiError> {
    let encoding = headers.get(header::CONTENT_ENCODING).map(|value| value.to_str().unwrap_or("?").to_owned());
    let (max, now) = (app.options().unpacked_bytes_max, app.signals().now_us());
    let is_small = body.len() <= SMALL_BYTES && encoding.is_none();
    let work = move || {
        let body = if encoding.is_some() { unpack(body.to_vec(), encoding.as_deref(), max)?.into() } else { body };
        Ok(read(&body, now))
    };
    let done =
        if is_small { work() } else { tokio::task::spawn_blocking(work).await.map_err(|_| crate::Error::Stopping)? };
    done.map_err(|error: crate::ingest::UnpackError| {
        ApiError::new(StatusCode::BAD_REQUEST, "bad_encoding", error.to_string())
    })
}

/// Stores what came and returns what could not be taken, by place.
async fn store(app: &App, reading: Reading) -> Result<(usize, Vec<(usize, Bad)>), ApiError> {
    let total = reading.good.len() + reading.bad.len();
    let mut bad = reading.bad.clone();
    bad.extend(app.ingest().store(reading, "http").await?);
    bad.sort_by_key(|(place, _)| *place);
    Ok((total, bad))
}

async fn events(State(app): State<App>, _: Sender, headers: HeaderMap, body: Bytes) -> Answer<Response> {
    let reading = reading(&app, &headers, body).await?;
    let is_list = reading.is_list;
    let (total, bad) = store(&app, reading).await?;
    if bad.is_empty() {
        return Ok(StatusCode::CREATED.into_response());
    }
    if is_list {
        return Ok((StatusCode::OK, Json(summary(total, &bad))).into_response());
    }
    let problems = bad.into_iter().map(|(_, bad)| Problem::body("event", bad.code, bad.reason, Value::Null));
    Err(ApiError::invalid(problems.collect()))
}

async fn batch(State(app): State<App>, _: Sender, headers: HeaderMap, body: Bytes) -> Answer {
    let reading = reading(&app, &headers, body).await?;
    let (total, bad) = store(&app, reading).await?;
    Ok(Json(summary(total, &bad)))
}

fn summary(total: usize, bad: &[(usize, Bad)]) -> Value {
    let status = match bad.len() {
        0 => "success",
        n if n == total => "failure",
        _ => "partial_success",
    };
    let failed: Vec<Value> = bad
        .iter()
        .map(|(index, bad)| json!({"index": index, "code": bad.code, "reason": bad.reason, "retriable": false}))
        .collect();
    json!({
        "status": status,
        "summary": {"received": total, "successful": total - bad.len(), "failed": bad.len(), "retriable": 0,
                    "non_retriable": bad.len()},
        "failed_events": failed,
    })
}
