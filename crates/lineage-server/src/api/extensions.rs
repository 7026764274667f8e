//! Questions beyond Data.Rentgen's: moments, differences, exports, impact, freshness, columns from end to end.

use super::error::{Answer, ApiError};
use super::lineage::{DIRECTIONS, Question, graph, job_start, level};
use super::params::{Kind, Param, Params, SINCE, default, optional, required};
use super::{Access, Routes, Spec};
use crate::app::{App, User};
use crate::graph::answer::{Graph, Telling, tell};
use crate::graph::edges::By;
use crate::graph::export::{Format, write};
use crate::graph::paths::{Column, Hop, PATHS_MAX, walk};
use crate::graph::walk::Start;
use crate::graph::{Direction, END_OF_TIME, Level, Window, columns, datasets, freshness};
use crate::names::{MASKING, RELATION_TYPES, bits};
use crate::read::{self, iso, iso_or_null};
use axum::Json;
use axum::extract::{RawQuery, State};
use axum::http::{HeaderName, header};
use serde_json::{Map, Value, json};
use std::collections::{BTreeMap, BTreeSet};

const KIND: Param = default("start_node_kind", Kind::Enum(&["DATASET", "JOB"]), "DATASET");
const START: Param = required("start_node_id", Kind::Ints);
const DIRECTION: Param = default("direction", DIRECTIONS, "BOTH");
const DEPTH: Param = default("depth", Kind::Int(1, 50), "3");
const DEEP: Param = default("depth", Kind::Int(1, TO_THE_END), "1000");
/// Steps after which everything has an end; answers are bounded by what they hold before that.
const TO_THE_END: i64 = 1000;
/// Most datasets that are hit.
const HIT_MAX: usize = 20_000;
const GRANULARITY: Param = default("granularity", Kind::Enum(&["OPERATION", "RUN", "JOB", "DATASET"]), "JOB");
const COLUMNS: Param = default("include_column_lineage", Kind::Bool, "false");
/// What was seen so many hours before a moment belongs to it: batch jobs run now and then.
const LOOKBACK: Param = default("lookback_hours", Kind::Int(0, 24 * 366), "0");
const DATASET: Param = required("dataset_id", Kind::Ints);

const SNAPSHOT: Spec = Spec {
    method: "GET",
    path: "/v1/lineage/snapshot",
    summary: "Lineage as of a moment; now unless told",
    group: "Lineage",
    query: &[KIND, START, optional("at", Kind::Time), LOOKBACK, DIRECTION, DEPTH, GRANULARITY, COLUMNS],
    access: Access::User,
};
const DIFF: Spec = Spec {
    path: "/v1/lineage/diff",
    summary: "What came and what went between two moments",
    query: &[
        KIND,
        START,
        required("from", Kind::Time),
        optional("to", Kind::Time),
        LOOKBACK,
        DIRECTION,
        DEPTH,
        GRANULARITY,
        COLUMNS,
    ],
    ..SNAPSHOT
};
const EXPORT: Spec = Spec {
    path: "/v1/lineage/export",
    summary: "Lineage as of a moment, for other tools",
    query: &[
        KIND,
        START,
        optional("at", Kind::Time),
        LOOKBACK,
        DIRECTION,
        DEPTH,
        GRANULARITY,
        default("format", Kind::Enum(&["dot", "mermaid", "csv", "jsonl"]), "dot"),
    ],
    ..SNAPSHOT
};
const IMPACT: Spec = Spec {
    path: "/v1/impact",
    summary: "Who is hit when a dataset or one of its columns changes or stops",
    query: &[DATASET, optional("column", Kind::Text), SINCE, DEEP],
    ..SNAPSHOT
};
const FRESHNESS: Spec = Spec {
    path: "/v1/freshness",
    summary: "When edges were last heard of, and up to when data is complete",
    query: &[optional("dataset_id", Kind::Ints), optional("job_id", Kind::Ints)],
    ..SNAPSHOT
};
const PATHS: Spec = Spec {
    path: "/v1/columns/paths",
    summary: "Where a column ends up, or comes from, through all jobs, with the expressions",
    query: &[
        DATASET,
        required("column", Kind::Text),
        default("direction", Kind::Enum(&["DOWNSTREAM", "UPSTREAM"]), "DOWNSTREAM"),
        SINCE,
        DEEP,
    ],
    ..SNAPSHOT
};
const TAGS: Spec = Spec {
    path: "/v1/columns/tags",
    summary: "Tags that flow into a dataset's columns; masking stops them",
    query: &[DATASET, SINCE, DEEP],
    ..SNAPSHOT
};

pub(super) const SPECS: &[Spec] = &[SNAPSHOT, DIFF, EXPORT, IMPACT, FRESHNESS, PATHS, TAGS];

pub(super) fn routes(routes: Routes) -> Routes {
    let routes = routes.add(&SNAPSHOT, snapshot).add(&DIFF, diff).add(&EXPORT, export);
    routes.add(&IMPACT, impact).add(&FRESHNESS, fresh).add(&PATHS, paths).add(&TAGS, tags)
}

const HOUR_US: i64 = 3600 * 1_000_000;

/// The graph at one moment.
async fn at(app: &App, params: &Params, moment: i64) -> Result<Value, ApiError> {
    let lookback_us = params.int("lookback_hours").unwrap_or(0) * HOUR_US;
    let question = Question {
        direction: Direction::read(params.text("direction").unwrap_or_default()),
        depth: depth(params),
        level: level(params.text("granularity").unwrap_or("JOB")),
        columns: params.flag("include_column_lineage"),
        window: Window { since: moment - lookback_us, until: moment, silence_us: app.options().silence_us() },
    };
    let id = params.int("start_node_id").unwrap_or(0);
    let (start, nodes) = match params.text("start_node_kind") {
        Some("JOB") => job_start(app, id).await?,
        _ => (Start { by: By::Dataset, ids: vec![id] }, Graph::default()),
    };
    // From a job there is no walk from dataset to dataset.
    let question = if start.by == By::Job && question.level.is_none() {
        Question { level: Some(Level::Job), ..question }
    } else {
        question
    };
    let graph = graph(app, start, nodes, &question).await?;
    let telling = Telling { level: question.level, columns: question.columns, window: question.window };
    Ok(tell(app.db(), graph, &telling).await?)
}

fn depth(params: &Params) -> usize {
    params.int("depth").and_then(|depth| usize::try_from(depth).ok()).unwrap_or(1)
}

fn moment(app: &App, params: &Params, name: &str) -> i64 {
    params.time(name).unwrap_or_else(|| app.signals().now_us())
}

async fn snapshot(State(app): State<App>, _: User, RawQuery(query): RawQuery) -> Answer {
    let params = Params::read(SNAPSHOT.query, query.as_deref())?;
    Ok(Json(at(&app, &params, moment(&app, &params, "at")).await?))
}

async fn export(
    State(app): State<App>,
    _: User,
    RawQuery(query): RawQuery,
) -> Answer<([(HeaderName, &'static str); 1], String)> {
    let params = Params::read(EXPORT.query, query.as_deref())?;
    let answer = at(&app, &params, moment(&app, &params, "at")).await?;
    let format = Format::read(params.text("format").unwrap_or_default());
    Ok(([(header::CONTENT_TYPE, format.media_type())], write(&answer, format)))
}

async fn diff(State(app): State<App>, _: User, RawQuery(query): RawQuery) -> Answer {
    let params = Params::read(DIFF.query, query.as_deref())?;
    let before = at(&app, &params, moment(&app, &params, "from")).await?;
    let after = at(&app, &params, moment(&app, &params, "to")).await?;
    Ok(Json(json!({"added": without(&after, &before), "removed": without(&before, &after)})))
}

/// What the first answer has and the second has not. Counts and times of edges do not matter, schemas do.
fn without(left: &Value, right: &Value) -> Value {
    let key = |relation: &Value| {
        let mut parts = vec![relation["from"].to_string(), relation["to"].to_string(), relation["type"].to_string()];
        match &relation["fields"] {
            Value::Object(fields) => parts.extend(fields.iter().map(|(to, from)| format!("{to}<{}", sources(from)))),
            list => parts.push(sources(list)),
        }
        parts.join("\u{1}")
    };
    let mut relations = Map::new();
    for (list, all) in left["relations"].as_object().into_iter().flatten() {
        let there: BTreeSet<String> = right["relations"][list].as_array().into_iter().flatten().map(key).collect();
        let all = all.as_array().into_iter().flatten();
        relations.insert(list.clone(), all.filter(|relation| !there.contains(&key(relation))).cloned().collect());
    }
    let mut nodes = Map::new();
    for (list, all) in left["nodes"].as_object().into_iter().flatten() {
        let differs = |(id, node): &(&String, &Value)| {
            let other = &right["nodes"][list][id.as_str()];
            other.is_null() || node["schema"]["id"] != other["schema"]["id"]
        };
        let kept = all.as_object().into_iter().flatten().filter(differs);
        nodes.insert(list.clone(), Value::Object(kept.map(|(id, node)| (id.clone(), node.clone())).collect()));
    }
    json!({"relations": relations, "nodes": nodes})
}

/// Columns and kinds of a list of source columns.
fn sources(list: &Value) -> String {
    let all = list.as_array().into_iter().flatten();
    all.map(|source| format!("{}{}", source["field"], source["types"])).collect::<Vec<_>>().join(",")
}

/// From `since`, or, as a rule, what holds now.
fn window(app: &App, params: &Params) -> Window {
    let since = params.time("since").unwrap_or_else(|| app.signals().now_us() - app.options().silence_us());
    Window { since, until: END_OF_TIME, silence_us: app.options().silence_us() }
}

async fn impact(State(app): State<App>, _: User, RawQuery(query): RawQuery) -> Answer {
    let params = Params::read(IMPACT.query, query.as_deref())?;
    let (start, window) = (params.int("dataset_id").unwrap_or(0), window(&app, &params));
    let (hit, truncated) = match params.text("column") {
        None => by_dataset(&app, start, depth(&params), &window).await?,
        Some(column) => by_column(&app, (start, column.to_owned()), depth(&params), &window).await?,
    };
    let mut answer = told(&app, start, hit, &window).await?;
    answer["truncated"] = truncated.into();
    Ok(Json(answer))
}

/// Datasets that are hit: how far away, and which of their columns (none: all of it).
type Hit = BTreeMap<i64, (usize, BTreeSet<String>)>;

/// Also says whether there is more.
async fn by_dataset(app: &App, start: i64, depth: usize, window: &Window) -> Result<(Hit, bool), ApiError> {
    let mut hit = Hit::from([(start, (0, BTreeSet::new()))]);
    let mut frontier = vec![start];
    for distance in 1..=depth {
        let (names, _) = crate::graph::symlinks::closure(app.db(), frontier.into_iter().collect()).await?;
        let pairs = datasets::step(app.db(), names.into_iter().collect(), false, window).await?;
        frontier = pairs.keys().map(|(_, target)| *target).filter(|id| !hit.contains_key(id)).collect();
        frontier.sort_unstable();
        frontier.dedup();
        hit.extend(frontier.iter().map(|id| (*id, (distance, BTreeSet::new()))));
        if frontier.is_empty() || hit.len() > HIT_MAX {
            break;
        }
    }
    Ok((hit, !frontier.is_empty()))
}

/// Through columns that carry the value; a column that decides which rows there are hits the whole dataset.
async fn by_column(app: &App, start: Column, depth: usize, window: &Window) -> Result<(Hit, bool), ApiError> {
    let web = walk(app.db(), BTreeSet::from([start.clone()]), false, depth, window, |_| false).await?;
    let mut hit = Hit::new();
    for ((dataset, column), distance) in &web.distance {
        let entry = hit.entry(*dataset).or_insert((*distance, BTreeSet::new()));
        entry.0 = entry.0.min(*distance);
        entry.1.insert(column.clone());
    }
    let sources: BTreeSet<i64> = hit.keys().copied().collect();
    let found = columns::find(app.db(), Some(&sources), None, None, window).await?;
    for ((source, target), relations) in found {
        let Some((distance, columns)) = hit.get(&source).cloned() else { continue };
        if relations.keys().any(|(to, from)| to.is_empty() && columns.contains(from)) && distance < depth {
            hit.entry(target).or_insert((distance + 1, BTreeSet::new()));
        }
    }
    Ok((hit, web.truncated))
}

async fn told(app: &App, start: i64, hit: Hit, window: &Window) -> Result<Value, ApiError> {
    let db = app.db();
    let ids: Vec<i64> = hit.keys().copied().collect();
    let shown = read::datasets(db, ids.clone()).await?;
    let complete = freshness::complete(db, ids.clone()).await?;
    let writers = crate::graph::edges::find(db, By::Dataset, ids.clone(), true, Level::Job, window).await?;
    let readers = crate::graph::edges::find(db, By::Dataset, ids, false, Level::Job, window).await?;
    let mut via: BTreeMap<i64, BTreeSet<String>> = BTreeMap::new();
    for edge in &writers {
        via.entry(edge.dataset).or_default().insert(edge.unit.job.to_string());
    }
    let jobs: BTreeSet<i64> = readers.iter().map(|edge| edge.unit.job).collect();
    let jobs = read::jobs(db, jobs.into_iter().collect()).await?;
    let now = app.signals().now_us();
    let mut datasets: Vec<(usize, i64, Value)> = vec![];
    for (id, (distance, columns)) in hit.into_iter().filter(|(id, _)| *id != start) {
        let complete = complete.get(&id).copied();
        let value = json!({
            "dataset": shown.get(&id),
            "distance": distance,
            "columns": columns,
            "via_jobs": via.get(&id),
            "complete_up_to": iso_or_null(complete),
            "behind_ms": complete.map(|at| (now - at).max(0) / 1000),
        });
        datasets.push((distance, id, value));
    }
    datasets.sort_by_key(|(distance, id, _)| (*distance, *id));
    let datasets: Vec<Value> = datasets.into_iter().map(|(_, _, value)| value).collect();
    let jobs: BTreeMap<i64, Value> = jobs.into_iter().collect();
    Ok(json!({"datasets": datasets, "jobs": jobs.into_values().collect::<Vec<_>>()}))
}

async fn fresh(State(app): State<App>, _: User, RawQuery(query): RawQuery) -> Answer {
    let params = Params::read(FRESHNESS.query, query.as_deref())?;
    let (now, stale) = (app.signals().now_us(), app.options().stale_us());
    let answer = freshness::ask(app.db(), params.ints("dataset_id"), params.ints("job_id"), now, stale).await?;
    Ok(Json(answer))
}

async fn paths(State(app): State<App>, _: User, RawQuery(query): RawQuery) -> Answer {
    let params = Params::read(PATHS.query, query.as_deref())?;
    let upstream = params.text("direction") == Some("UPSTREAM");
    let start = (params.int("dataset_id").unwrap_or(0), params.text("column").unwrap_or_default().to_owned());
    let window = window(&app, &params);
    let web = walk(app.db(), BTreeSet::from([start.clone()]), upstream, depth(&params), &window, |_| false).await?;
    let step = |hop: &&Hop| {
        let (dataset, column) = if upstream { &hop.from } else { &hop.to };
        json!({"dataset_id": dataset.to_string(), "column": column, "types": bits(&RELATION_TYPES, hop.types),
               "expression": hop.expression, "job_id": hop.job.to_string()})
    };
    let paths: Vec<Value> =
        web.paths(&start, upstream).iter().map(|path| Value::Array(path.iter().map(step).collect())).collect();
    let ids: BTreeSet<i64> = web.distance.keys().map(|(dataset, _)| *dataset).collect();
    let datasets: BTreeMap<i64, Value> =
        read::datasets(app.db(), ids.into_iter().collect()).await?.into_iter().collect();
    let datasets: Map<String, Value> = datasets.into_iter().map(|(id, node)| (id.to_string(), node)).collect();
    let truncated = web.truncated || paths.len() >= PATHS_MAX;
    Ok(Json(json!({"paths": paths, "nodes": {"datasets": datasets}, "truncated": truncated})))
}

async fn tags(State(app): State<App>, _: User, RawQuery(query): RawQuery) -> Answer {
    let params = Params::read(TAGS.query, query.as_deref())?;
    let (dataset, window) = (params.int("dataset_id").unwrap_or(0), window(&app, &params));
    let own = columns::find(app.db(), None, Some(&BTreeSet::from([dataset])), None, &window).await?;
    let mut names: BTreeSet<String> = own
        .values()
        .flat_map(|relations| relations.keys().map(|(to, _)| to.clone()))
        .filter(|to| !to.is_empty())
        .collect();
    let sql = "SELECT DISTINCT field FROM dataset_tag WHERE dataset_id = $1 AND field_key <> ''";
    names.extend(app.db().rows(sql, vec![dataset.into()]).await?.iter().map(|row| row.text(0)));
    let mut told: Map<String, Value> = Map::new();
    for name in names {
        let stop = |hop: &Hop| hop.types & MASKING != 0;
        let start = BTreeSet::from([(dataset, name.clone())]);
        let web = walk(app.db(), start, true, depth(&params), &window, stop).await?;
        told.insert(name, Value::Array(column_tags(&app, &web.distance).await?));
    }
    let mut whole = read::tags(app.db(), "dataset_tag", "dataset_id", vec![dataset]).await?;
    let whole = whole.remove(&dataset).unwrap_or_else(|| json!([]));
    Ok(Json(json!({"columns": told, "dataset": whole, "as_of": iso(app.signals().now_us())})))
}

/// The tags that the columns have themselves.
async fn column_tags(app: &App, columns: &BTreeMap<Column, usize>) -> Result<Vec<Value>, ApiError> {
    let ids: BTreeSet<i64> = columns.keys().map(|(dataset, _)| *dataset).collect();
    let sql = format!(
        "SELECT x.dataset_id, x.field, t.value, v.value FROM dataset_tag x JOIN tag_value v ON v.id = x.tag_value_id \
         JOIN tag t ON t.id = v.tag_id WHERE x.field_key <> '' AND {} ORDER BY t.value, v.value",
        app.db().within_ints("x.dataset_id", 1)
    );
    let rows = app.db().rows(&sql, vec![ids.into_iter().collect::<Vec<i64>>().into()]).await?;
    let tag = |row: &crate::store::Row| {
        let distance = columns.get(&(row.int(0), row.text(1)))?;
        Some(json!({"tag": row.text(2), "value": row.text(3), "from_dataset_id": row.int(0).to_string(),
                    "from_column": row.text(1), "distance": distance}))
    };
    Ok(rows.iter().filter_map(tag).collect())
}
