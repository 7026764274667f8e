//! `/v1/jobs`.

use super::error::{Answer, ApiError, Problem};
use super::params::{Kind, PAGE, PAGE_SIZE, Params, SINCE, UNTIL, default, optional, required};
use super::{Access, Routes, Spec};
use crate::app::{App, User};
use crate::graph::hierarchy::{self, Question};
use crate::graph::{Direction, END_OF_TIME, Window};
use crate::read::{
    self,
    list::List,
    search::{Of, Search},
};
use axum::Json;
use axum::extract::{RawQuery, State};
use serde_json::{Value, json};
use std::collections::{BTreeSet, HashMap};

const LIST: Spec = Spec {
    method: "GET",
    path: "/v1/jobs",
    summary: "Jobs, by name, with their latest runs",
    group: "Jobs",
    query: &[
        PAGE,
        PAGE_SIZE,
        optional("job_id", Kind::Ints),
        optional("parent_job_id", Kind::Ints),
        optional("search_query", Kind::Search),
        optional("job_type", Kind::Texts),
        optional("tag_value_id", Kind::Ints),
        optional("location_id", Kind::Ints),
        optional("location_type", Kind::Texts),
    ],
    access: Access::User,
};
const TYPES: Spec = Spec { path: "/v1/jobs/types", summary: "Types of jobs", query: &[], ..LIST };
const HIERARCHY: Spec = Spec {
    path: "/v1/jobs/hierarchy",
    summary: "Parents, children and dependencies of a job",
    query: &[
        required("start_node_id", Kind::Ints),
        default("direction", Kind::Enum(&["DOWNSTREAM", "UPSTREAM", "BOTH"]), "BOTH"),
        default("depth", Kind::Int(0, 1_000_000), "1"),
        default("infer_from_lineage", Kind::Bool, "false"),
        SINCE,
        UNTIL,
    ],
    ..LIST
};

pub(super) const SPECS: &[Spec] = &[LIST, TYPES, HIERARCHY];

pub(super) fn routes(routes: Routes) -> Routes {
    routes.add(&LIST, list).add(&TYPES, types).add(&HIERARCHY, hierarchy)
}

async fn list(State(app): State<App>, _: User, RawQuery(query): RawQuery) -> Answer {
    let params = Params::read(LIST.query, query.as_deref())?;
    let mut list = List::new(app.db(), "job j JOIN location l ON l.id = j.location_id");
    list.ints("j.id", params.ints("job_id"));
    list.ints("j.parent_id", params.ints("parent_job_id"));
    list.texts("j.kind", params.texts("job_type"));
    list.ints("j.location_id", params.ints("location_id"));
    list.texts("l.kind", params.texts("location_type"));
    list.tagged("job_tag", "job_id", "j.id", params.ints("tag_value_id"));
    let order = "j.key, j.id";
    let page = match params.text("search_query") {
        Some(text) => Search::new(Of::Jobs, text).page(app.db(), list, "j.id", order, params.page()).await?,
        None => list.page("j.id", order, params.page()).await?,
    };
    let items = items(&app, page.ids).await?;
    Ok(Json(json!({"meta": page.meta, "items": items})))
}

async fn items(app: &App, ids: Vec<i64>) -> Result<Vec<Value>, ApiError> {
    let db = app.db();
    let mut jobs = read::jobs(db, ids.clone()).await?;
    let mut tags = read::tags(db, "job_tag", "job_id", ids.clone()).await?;
    let sql = format!(
        "SELECT j.id, (SELECT r.id FROM run r WHERE r.job_id = j.id ORDER BY r.created_at DESC, r.uuid DESC LIMIT 1) \
         FROM job j WHERE {}",
        db.within_ints("j.id", 1)
    );
    let rows = db.rows(&sql, vec![ids.clone().into()]).await?;
    let last: HashMap<i64, i64> = rows.iter().filter_map(|row| Some((row.int(0), row.opt_int(1)?))).collect();
    let runs = read::runs(db, last.values().copied().collect()).await?;
    let item = |id: i64| {
        Some(json!({
            "id": id.to_string(),
            "data": jobs.remove(&id)?,
            "tags": tags.remove(&id).unwrap_or_else(|| json!([])),
            "last_run": last.get(&id).and_then(|run| runs.get(run)).map(|(_, run)| run),
        }))
    };
    Ok(ids.into_iter().filter_map(item).collect())
}

/// Types of jobs that clients may count on, whether or not there is a job of them.
const ALWAYS: [&str; 4] = ["AIRFLOW_DAG", "AIRFLOW_TASK", "SPARK_APPLICATION", "UNKNOWN"];

async fn types(State(app): State<App>, _: User, RawQuery(query): RawQuery) -> Answer {
    Params::read(TYPES.query, query.as_deref())?;
    let rows = app.db().rows("SELECT DISTINCT kind FROM job ORDER BY kind", vec![]).await?;
    let types = rows.iter().map(|row| row.text(0)).chain(ALWAYS.map(str::to_owned));
    Ok(Json(json!({"job_types": types.collect::<BTreeSet<String>>()})))
}

async fn hierarchy(State(app): State<App>, _: User, RawQuery(query): RawQuery) -> Answer {
    let params = Params::read(HIERARCHY.query, query.as_deref())?;
    let infer = match (params.flag("infer_from_lineage"), params.time("since")) {
        (false, _) => None,
        (true, Some(since)) => Some(Window {
            since,
            until: params.time("until").unwrap_or(END_OF_TIME),
            silence_us: app.options().silence_us(),
        }),
        (true, None) => {
            let message = "Value error, 'since' is required to infer from lineage";
            return Err(ApiError::invalid(vec![Problem::query("since", "value_error", message, Value::Null)]));
        }
    };
    let question = Question {
        start: params.int("start_node_id").unwrap_or(0),
        direction: Direction::read(params.text("direction").unwrap_or_default()),
        depth: params.int("depth").unwrap_or(1),
        infer,
    };
    Ok(Json(hierarchy::ask(app.db(), &question).await?))
}
