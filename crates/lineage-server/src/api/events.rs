//! Events as they came, and those that could not be taken.

use super::error::{Answer, ApiError};
use super::params::{Kind, PAGE, PAGE_SIZE, Params, SINCE, UNTIL, optional};
use super::schemas::path_id;
use super::{Access, Routes, Spec};
use crate::app::{App, User};
use crate::ingest::{read, unpack_event};
use crate::read::{iso, list::List};
use axum::Json;
use axum::body::Body;
use axum::extract::{Path, RawQuery, State};
use axum::http::{HeaderName, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

const LIST: Spec = Spec {
    method: "GET",
    path: "/v1/events",
    summary: "Events as they came, newest first",
    group: "Events",
    query: &[PAGE, PAGE_SIZE, optional("run_id", Kind::Uuids), SINCE, UNTIL],
    access: Access::User,
};
const EXPORT: Spec = Spec {
    path: "/v1/events/export",
    summary: "Events as OpenLineage JSON lines, in the order they came",
    query: &[SINCE, UNTIL, optional("after_id", Kind::Int(0, i64::MAX))],
    ..LIST
};
const QUARANTINE: Spec = Spec {
    path: "/v1/quarantine",
    summary: "What could not be taken, and why, newest first",
    query: &[PAGE, PAGE_SIZE, optional("code", Kind::Texts)],
    ..LIST
};
const REPLAY: Spec = Spec {
    method: "POST",
    path: "/v1/quarantine/{id}/replay",
    summary: "Try once more to take something from quarantine",
    query: &[],
    ..LIST
};
const DROP: Spec =
    Spec { method: "DELETE", path: "/v1/quarantine/{id}", summary: "Throw something in quarantine away", ..REPLAY };

pub(super) const SPECS: &[Spec] = &[LIST, EXPORT, QUARANTINE, REPLAY, DROP];

pub(super) fn routes(routes: Routes) -> Routes {
    let routes = routes.add(&LIST, list).add(&EXPORT, export);
    routes.add(&QUARANTINE, quarantine).add(&REPLAY, replay).add(&DROP, throw_away)
}

/// Events of one answer of the export; the next begins after the id in `X-Next-After-Id`.
const EXPORTED_MAX: i64 = 10_000;
/// How much of something in quarantine is shown.
const SHOWN_BYTES_MAX: usize = 64 << 10;

async fn list(State(app): State<App>, _: User, RawQuery(query): RawQuery) -> Answer {
    let params = Params::read(LIST.query, query.as_deref())?;
    let mut list = List::new(app.db(), "raw_event e");
    list.texts("e.run_uuid", params.uuids("run_id"));
    list.compare("e.event_at", ">=", params.time("since"));
    list.compare("e.event_at", "<=", params.time("until"));
    let page = list.page("e.id", "e.id DESC", params.page()).await?;
    let sql =
        format!("SELECT id, received_at, body FROM raw_event WHERE {} ORDER BY id DESC", app.db().within_ints("id", 1));
    let rows = app.db().rows(&sql, vec![page.ids.into()]).await?;
    let items: Vec<Value> = rows
        .iter()
        .map(|row| json!({"id": row.int(0).to_string(), "received_at": iso(row.int(1)), "event": unpack_event(row.bytes(2))}))
        .collect();
    Ok(Json(json!({"meta": page.meta, "items": items})))
}

async fn export(State(app): State<App>, _: User, RawQuery(query): RawQuery) -> Answer<Response> {
    let params = Params::read(EXPORT.query, query.as_deref())?;
    let sql = "SELECT id, body FROM raw_event WHERE event_at >= $1 AND event_at <= $2 AND id > $3 ORDER BY id LIMIT $4";
    let bounds = vec![
        params.time("since").unwrap_or(0).into(),
        params.time("until").unwrap_or(i64::MAX).into(),
        params.int("after_id").unwrap_or(0).into(),
        EXPORTED_MAX.into(),
    ];
    let rows = app.db().rows(sql, bounds).await?;
    let mut out = String::new();
    for event in rows.iter().filter_map(|row| unpack_event(row.bytes(1))) {
        out.push_str(&event.to_string());
        out.push('\n');
    }
    let mut response = ([(header::CONTENT_TYPE, "application/x-ndjson")], Body::from(out)).into_response();
    if rows.len() as i64 == EXPORTED_MAX {
        let next = rows.last().map(|row| row.int(0)).unwrap_or_default();
        response.headers_mut().insert(HeaderName::from_static("x-next-after-id"), next.into());
    }
    Ok(response)
}

async fn quarantine(State(app): State<App>, _: User, RawQuery(query): RawQuery) -> Answer {
    let params = Params::read(QUARANTINE.query, query.as_deref())?;
    let mut list = List::new(app.db(), "quarantine q");
    list.texts("q.code", params.texts("code"));
    let page = list.page("q.id", "q.id DESC", params.page()).await?;
    let sql = format!(
        "SELECT id, received_at, source, code, reason, body, tries FROM quarantine WHERE {} ORDER BY id DESC",
        app.db().within_ints("id", 1)
    );
    let rows = app.db().rows(&sql, vec![page.ids.into()]).await?;
    let items: Vec<Value> = rows
        .iter()
        .map(|row| {
            let body = zstd::stream::decode_all(row.bytes(5)).unwrap_or_default();
            let shown = String::from_utf8_lossy(&body[..body.len().min(SHOWN_BYTES_MAX)]).into_owned();
            json!({"id": row.int(0).to_string(), "received_at": iso(row.int(1)), "source": row.text(2),
                   "code": row.text(3), "reason": row.text(4), "body": shown, "bytes": body.len(), "tries": row.int(6)})
        })
        .collect();
    Ok(Json(json!({"meta": page.meta, "items": items})))
}

async fn replay(State(app): State<App>, _: User, Path(id): Path<String>) -> Answer {
    let id = path_id(&id, "id")?;
    let rows = app.db().rows("SELECT body FROM quarantine WHERE id = $1", vec![id.into()]).await?;
    let Some(row) = rows.first() else { return Err(ApiError::not_found("Quarantine", "id", id)) };
    let body = zstd::stream::decode_all(row.bytes(0)).unwrap_or_default();
    let mut reading = read(&body, app.signals().now_us());
    // What is still bad stays the one row it is.
    let mut bad = std::mem::take(&mut reading.bad);
    let good = reading.good.len();
    if bad.is_empty() {
        bad.extend(app.ingest().store(reading, "replay").await?);
    }
    let reason = bad.first().map(|(_, bad)| bad.reason.clone());
    let sql = match &reason {
        None => "DELETE FROM quarantine WHERE id = $1",
        Some(_) => "UPDATE quarantine SET tries = tries + 1 WHERE id = $1",
    };
    app.db().execute(sql, vec![id.into()]).await?;
    Ok(Json(json!({"taken": reason.is_none(), "events": if reason.is_none() { good } else { 0 }, "reason": reason})))
}

async fn throw_away(State(app): State<App>, _: User, Path(id): Path<String>) -> Answer<StatusCode> {
    let id = path_id(&id, "id")?;
    match app.db().execute("DELETE FROM quarantine WHERE id = $1", vec![id.into()]).await? {
        0 => Err(ApiError::not_found("Quarantine", "id", id)),
        _ => Ok(StatusCode::NO_CONTENT),
    }
}
