//! Upkeep on request.

use super::error::Answer;
use super::{Access, Routes, Spec};
use crate::app::{App, Login, User};
use crate::maintenance;
use crate::read::{self, iso};
use axum::Json;
use axum::extract::State;
use serde_json::{Value, json};

const REBUILD: Spec = Spec {
    method: "POST",
    path: "/v1/admin/rebuild",
    summary: "Make the catalog again from the stored events; readers see the old one meanwhile",
    group: "Upkeep",
    query: &[],
    access: Access::Login,
};
const STALE: Spec = Spec {
    method: "GET",
    path: "/v1/stale",
    summary: "Runs that should have been heard of",
    access: Access::User,
    ..REBUILD
};

pub(super) const SPECS: &[Spec] = &[REBUILD, STALE];

pub(super) fn routes(routes: Routes) -> Routes {
    routes.add(&REBUILD, rebuild).add(&STALE, stale)
}

/// Runs of one answer.
const STALE_MAX: i64 = 500;

async fn rebuild(State(app): State<App>, _: Login) -> Answer {
    let events = app.ingest().rebuild().await?;
    Ok(Json(json!({"events": events})))
}

async fn stale(State(app): State<App>, _: User) -> Answer {
    let stale = maintenance::stale(&app, STALE_MAX).await?;
    let runs = read::runs(app.db(), stale.iter().map(|run| run.id).collect()).await?;
    let items: Vec<Value> = stale
        .iter()
        .filter_map(|run| {
            let (_, shown) = runs.get(&run.id)?;
            Some(json!({"id": run.uuid, "data": shown, "last_heard_at": iso(run.last_at)}))
        })
        .collect();
    Ok(Json(json!({"items": items})))
}
