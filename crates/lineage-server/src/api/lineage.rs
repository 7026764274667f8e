//! `/v1/{datasets,jobs,runs,operations}/lineage`.

use super::error::{Answer, ApiError};
use super::params::{Kind, Param, Params, UNTIL, default, required};
use super::{Access, Routes, Spec};
use crate::app::{App, User};
use crate::graph::answer::{self, Graph, Telling};
use crate::graph::edges::By;
use crate::graph::walk::{self, Plan, Start};
use crate::graph::{Direction, END_OF_TIME, Level, Window, datasets};
use crate::store::db::Param as Bound;
use axum::Json;
use axum::extract::{RawQuery, State};
use axum::http::HeaderName;
use serde_json::Value;

pub(super) const DIRECTIONS: Kind = Kind::Enum(&["DOWNSTREAM", "UPSTREAM", "BOTH"]);
const SINCE: Param = required("since", Kind::Time);
const DIRECTION: Param = default("direction", DIRECTIONS, "BOTH");
const DEPTH: Param = default("depth", Kind::Int(1, 10), "1");
const COLUMNS: Param = default("include_column_lineage", Kind::Bool, "false");

/// The parameters that all four share, then those of one.
macro_rules! question {
    ($($own:expr),* $(,)?) => {
        &[SINCE, UNTIL, DIRECTION, DEPTH, COLUMNS, $($own),*]
    };
}

const DATASETS: Spec = Spec {
    method: "GET",
    path: "/v1/datasets/lineage",
    summary: "Lineage of a dataset",
    group: "Lineage",
    query: question![
        required("start_node_id", Kind::Ints),
        default("granularity", Kind::Enum(&["OPERATION", "RUN", "JOB", "DATASET"]), "RUN"),
    ],
    access: Access::User,
};
const JOBS: Spec = Spec {
    path: "/v1/jobs/lineage",
    summary: "Lineage of a job",
    query: question![required("start_node_id", Kind::Ints), default("granularity", Kind::Enum(&["JOB", "RUN"]), "JOB"),],
    ..DATASETS
};
const RUNS: Spec = Spec {
    path: "/v1/runs/lineage",
    summary: "Lineage of a run",
    query: question![
        required("start_node_id", Kind::Uuid),
        default("granularity", Kind::Enum(&["OPERATION", "RUN"]), "RUN"),
    ],
    ..DATASETS
};
const OPERATIONS: Spec = Spec {
    path: "/v1/operations/lineage",
    summary: "Lineage of an operation",
    query: question![required("start_node_id", Kind::Uuid)],
    ..DATASETS
};

pub(super) const SPECS: &[Spec] = &[DATASETS, JOBS, RUNS, OPERATIONS];

pub(super) fn routes(routes: Routes) -> Routes {
    routes.add(&DATASETS, of_dataset).add(&JOBS, of_job).add(&RUNS, of_run).add(&OPERATIONS, of_operation)
}

/// An answer that says in a header whether it was cut.
type Told = ([(HeaderName, &'static str); 1], Json<Value>);

/// What all four have in common.
pub(super) struct Question {
    pub(super) direction: Direction,
    pub(super) depth: usize,
    pub(super) level: Option<Level>,
    pub(super) columns: bool,
    pub(super) window: Window,
}

impl Question {
    fn read(app: &App, params: &Params) -> Self {
        Self {
            direction: Direction::read(params.text("direction").unwrap_or_default()),
            depth: params.int("depth").and_then(|depth| usize::try_from(depth).ok()).unwrap_or(1),
            level: level(params.text("granularity").unwrap_or("OPERATION")),
            columns: params.flag("include_column_lineage"),
            window: Window {
                since: params.time("since").unwrap_or(0),
                until: params.time("until").unwrap_or(END_OF_TIME),
                silence_us: app.options().silence_us(),
            },
        }
    }
}

/// The level of a granularity; none is for datasets alone.
pub(super) fn level(granularity: &str) -> Option<Level> {
    match granularity {
        "DATASET" => None,
        "JOB" => Some(Level::Job),
        "RUN" => Some(Level::Run),
        _ => Some(Level::Operation),
    }
}

/// Walks from a start with some nodes that are shown in any case.
pub(super) async fn graph(app: &App, start: Start, mut graph: Graph, question: &Question) -> Result<Graph, ApiError> {
    let Question { direction, depth, window, .. } = *question;
    match question.level {
        None => {
            let start = start.ids.first().copied().unwrap_or(0);
            (graph.pairs, graph.found) = datasets::walk(app.db(), start, direction, depth, &window).await?;
        }
        Some(level) => {
            graph.found = walk::walk(app.db(), &start, &Plan { direction, depth, level, window }).await?;
        }
    }
    Ok(graph)
}

async fn told(app: &App, start: Start, nodes: Graph, question: &Question) -> Answer<Told> {
    let graph = graph(app, start, nodes, question).await?;
    let truncated = if graph.found.truncated { "true" } else { "false" };
    let telling = Telling { level: question.level, columns: question.columns, window: question.window };
    let value = answer::tell(app.db(), graph, &telling).await?;
    Ok(([(HeaderName::from_static("x-lineage-truncated"), truncated)], Json(value)))
}

async fn of_dataset(State(app): State<App>, _: User, RawQuery(query): RawQuery) -> Answer<Told> {
    let params = Params::read(DATASETS.query, query.as_deref())?;
    let start = Start { by: By::Dataset, ids: params.ints("start_node_id") };
    told(&app, start, Graph::default(), &Question::read(&app, &params)).await
}

async fn of_job(State(app): State<App>, _: User, RawQuery(query): RawQuery) -> Answer<Told> {
    let params = Params::read(JOBS.query, query.as_deref())?;
    let id = params.int("start_node_id").unwrap_or(0);
    let (start, nodes) = job_start(&app, id).await?;
    told(&app, start, nodes, &Question::read(&app, &params)).await
}

/// A walk from a job, if there is one of this id.
pub(super) async fn job_start(app: &App, id: i64) -> Result<(Start, Graph), ApiError> {
    let rows = app.db().rows("SELECT id FROM job WHERE id = $1", vec![id.into()]).await?;
    let ids: Vec<i64> = rows.iter().map(|row| row.int(0)).collect();
    let nodes = Graph { jobs: ids.iter().copied().collect(), ..Graph::default() };
    Ok((Start { by: By::Job, ids }, nodes))
}

async fn of_run(State(app): State<App>, _: User, RawQuery(query): RawQuery) -> Answer<Told> {
    let params = Params::read(RUNS.query, query.as_deref())?;
    let id = find(&app, "run", &params).await?;
    let ids: Vec<i64> = (id != 0).then_some(id).into_iter().collect();
    let nodes = Graph { runs: ids.iter().copied().collect(), ..Graph::default() };
    told(&app, Start { by: By::Run, ids }, nodes, &Question::read(&app, &params)).await
}

async fn of_operation(State(app): State<App>, _: User, RawQuery(query): RawQuery) -> Answer<Told> {
    let params = Params::read(OPERATIONS.query, query.as_deref())?;
    let id = find(&app, "operation", &params).await?;
    let ids: Vec<i64> = (id != 0).then_some(id).into_iter().collect();
    let nodes = Graph { operations: ids.iter().copied().collect(), ..Graph::default() };
    told(&app, Start { by: By::Operation, ids }, nodes, &Question::read(&app, &params)).await
}

/// The id of the start node's row, or 0.
async fn find(app: &App, table: &str, params: &Params) -> Result<i64, ApiError> {
    let uuid = params.uuid("start_node_id").unwrap_or_default();
    let rows = app.db().rows(&format!("SELECT id FROM {table} WHERE uuid = $1"), vec![Bound::from(uuid)]).await?;
    Ok(rows.first().map_or(0, |row| row.int(0)))
}
