//! `/v1/datasets/{dataset_id}/schemas`.

use super::error::{Answer, ApiError, Problem};
use super::{Access, Routes, Spec};
use crate::app::{App, User};
use crate::graph::schemas::{Version, versions};
use crate::read::{fields, iso};
use axum::Json;
use axum::extract::{Path, State};
use serde_json::{Value, json};

const LIST: Spec = Spec {
    method: "GET",
    path: "/v1/datasets/{dataset_id}/schemas",
    summary: "Every schema a dataset had, with what each change means for readers and which run brought it",
    group: "Datasets",
    query: &[],
    access: Access::User,
};

pub(super) const SPECS: &[Spec] = &[LIST];

pub(super) fn routes(routes: Routes) -> Routes {
    routes.add(&LIST, list)
}

/// The number in a path.
pub(super) fn path_id(text: &str, name: &str) -> Result<i64, ApiError> {
    text.parse().map_err(|_| {
        ApiError::invalid(vec![Problem {
            location: ["path".into(), name.into()],
            code: "int_parsing",
            message: "Input should be a valid integer, unable to parse string as an integer".into(),
            input: text.into(),
        }])
    })
}

async fn list(State(app): State<App>, _: User, Path(id): Path<String>) -> Answer {
    let id = path_id(&id, "dataset_id")?;
    let items: Vec<Value> = versions(app.db(), id).await?.iter().map(shown).collect();
    Ok(Json(json!({"items": items})))
}

fn shown(version: &Version) -> Value {
    let Version { seen, canonical, verdict } = version;
    json!({
        "schema_id": seen.schema_id.to_string(),
        "fields": fields(canonical),
        "direction": if seen.direction == 1 { "OUTPUT" } else { "INPUT" },
        "first_seen_at": iso(seen.first_at),
        "last_seen_at": iso(seen.last_at.max(seen.first_at)),
        "first_run_id": (!seen.first_run.is_empty()).then_some(&seen.first_run),
        "verdict": verdict.as_ref().map_or("INITIAL", |verdict| verdict.name()),
        "changes": verdict.as_ref().map(|verdict| verdict.changes.clone()).unwrap_or_default(),
    })
}
