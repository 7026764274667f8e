//! The same events give the same answers as Data.Rentgen 0.7, by name.
//!
//! Database ids differ between two servers; before answers are compared, every id of a location, dataset, job, schema,
//! tag and tag value becomes the name of what it is of.

#![allow(clippy::unwrap_used, clippy::print_stderr, reason = "tests")]

mod support;

use serde_json::{Map, Value, json};
use std::collections::HashMap;
use support::{cases, events, server};

/// Names by kind and id.
type Names = HashMap<(&'static str, String), String>;

fn names(answers: &Value) -> Names {
    let mut names = Names::new();
    for (list, kind) in [("locations", "location"), ("datasets", "dataset"), ("jobs", "job")] {
        for item in answers[list].as_array().unwrap() {
            let data = &item["data"];
            let place = data["location"]["name"].as_str().map(|n| format!("{n}/")).unwrap_or_default();
            let kind_of = if kind == "location" { format!("{}://", data["type"].as_str().unwrap()) } else { place };
            let name = format!("{kind_of}{}", data["name"].as_str().unwrap());
            names.insert((kind, item["id"].as_str().unwrap().to_owned()), name);
        }
    }
    names
}

fn text(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

fn named(names: &Names, kind: &'static str, id: &Value) -> Value {
    if id.is_null() {
        return Value::Null;
    }
    let found = names.get(&(kind, text(id)));
    Value::String(found.cloned().unwrap_or_else(|| panic!("no {kind} has id {id}: {names:?}")))
}

/// The answer with names for ids, and without what is no part of it.
fn neutral(value: &Value, names: &Names) -> Value {
    match value {
        Value::Array(all) => {
            let mut all: Vec<Value> = all.iter().map(|v| neutral(v, names)).collect();
            // Orders that follow from ids are no part of the answer.
            all.sort_by_key(ToString::to_string);
            Value::Array(all)
        }
        Value::Object(map) => object(map, names),
        other => other.clone(),
    }
}

fn object(map: &Map<String, Value>, names: &Names) -> Value {
    let mut out = Map::new();
    for (key, value) in map {
        let new = match (key.as_str(), value) {
            ("datasets", Value::Object(nodes)) => keyed(nodes, "dataset", names),
            ("jobs", Value::Object(nodes)) => keyed(nodes, "job", names),
            ("job_id" | "parent_job_id", id) => named(names, "job", id),
            ("id", Value::Number(_)) => json!("number"),
            ("id", id) => id_of(map, id, names),
            // Column order within a schema matters, so it is compared as it is.
            ("fields", Value::Array(_)) if map.contains_key("relevance_type") => value.clone(),
            (_, value) => neutral(value, names),
        };
        out.insert(key.clone(), new);
    }
    out.sort_keys();
    Value::Object(out)
}

fn keyed(nodes: &Map<String, Value>, kind: &'static str, names: &Names) -> Value {
    if nodes.contains_key("total_datasets") || nodes.contains_key("total_jobs") {
        return Value::Object(nodes.clone());
    }
    let mut out: Map<String, Value> =
        nodes.iter().map(|(id, node)| (text(&named(names, kind, &json!(id))), neutral(node, names))).collect();
    out.sort_keys();
    Value::Object(out)
}

fn id_of(map: &Map<String, Value>, id: &Value, names: &Names) -> Value {
    if id.as_str().is_some_and(|id| id.len() == 36) {
        return id.clone();
    }
    match map.get("kind").and_then(Value::as_str) {
        Some("DATASET") => return named(names, "dataset", id),
        Some("JOB") => return named(names, "job", id),
        _ => {}
    }
    if map.contains_key("relevance_type") {
        return json!("schema");
    }
    let inner = map.get("data").and_then(Value::as_object).unwrap_or(map);
    let kind = if inner.contains_key("addresses") {
        "location"
    } else if inner.contains_key("external_url") {
        "dataset"
    } else {
        "job"
    };
    named(names, kind, id)
}

async fn all(running: &support::Running, list: &str) -> Value {
    running.get(&format!("/v1/{list}?page_size=50")).await["items"].take()
}

async fn check(file: &str, input: &str) {
    check_on(file, input, None).await;
}

async fn check_on(file: &str, input: &str, database: Option<String>) {
    let Some(folder) = cases() else {
        eprintln!("skipped: no ../shared/conformance beside this checkout");
        return;
    };
    let expected: Value =
        serde_json::from_str(&std::fs::read_to_string(folder.join("data-rentgen-answers").join(file)).unwrap())
            .unwrap();
    let running = server(|options| options.database = database.unwrap_or_else(|| options.database.clone())).await;
    running.send(&events(&folder.join("events").join(input))).await;
    let mut found = json!({});
    for list in ["locations", "datasets", "jobs", "runs", "tags"] {
        found[list] = all(&running, list).await;
    }
    let (old, new) = (names(&expected), names(&found));
    for list in ["locations", "datasets", "jobs", "runs", "tags"] {
        assert_same(&format!("{file} {list}"), (&expected[list], &old), (&found[list], &new));
    }
    for (types, path) in [("job_types", "/v1/jobs/types"), ("location_types", "/v1/locations/types")] {
        assert_eq!(running.get(path).await, expected[types], "{file} {types}");
    }
    for (run, operations) in expected["operations"].as_object().unwrap() {
        let found = running.get(&format!("/v1/operations?run_id={run}")).await;
        assert_same(&format!("{file} operations"), (operations, &old), (&found["items"], &new));
    }
    for (path, answer) in expected["lineage"].as_object().unwrap() {
        let own = translate(path, &old, &new);
        let found = running.get(&own).await;
        assert_same(&format!("{file} {path}"), (answer, &old), (&found, &new));
    }
    running.server.stop().await;
}

fn assert_same(what: &str, (expected, old): (&Value, &Names), (found, new): (&Value, &Names)) {
    let expected = serde_json::to_string_pretty(&neutral(expected, old)).unwrap();
    let found = serde_json::to_string_pretty(&neutral(found, new)).unwrap();
    assert!(expected == found, "{what}\nexpected:\n{expected}\nfound:\n{found}");
}

/// The path with our ids.
fn translate(path: &str, old: &Names, new: &Names) -> String {
    let kind = if path.starts_with("/v1/datasets") { "dataset" } else { "job" };
    let (head, rest) = path.split_once("start_node_id=").unwrap();
    let (id, tail) = rest.split_once('&').unwrap_or((rest, ""));
    if id.len() == 36 {
        return path.to_owned();
    }
    let name = &old[&(kind, id.to_owned())];
    let own = new.iter().find(|((k, _), n)| *k == kind && *n == name).unwrap().0.1.clone();
    format!("{head}start_node_id={own}&{tail}")
}

#[tokio::test(flavor = "multi_thread")]
async fn flink() {
    check("dr_flink.json", "data-rentgen/events_flink.jsonl").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn flink_for_six_hours() {
    check("flink1_shape.json", "flink1_shape_6h.jsonl").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn spark() {
    check("dr_spark.json", "data-rentgen/events_spark.jsonl").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn unknown_producer() {
    check("dr_unknown.json", "data-rentgen/events_unknown.jsonl").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn spark_on_postgresql() {
    let postgres = headwater_test_servers::Postgres::start().unwrap();
    check_on("dr_spark.json", "data-rentgen/events_spark.jsonl", Some(postgres.url())).await;
}

/// Every other question is at least understood by PostgreSQL, which is stricter about types than SQLite.
#[tokio::test(flavor = "multi_thread")]
async fn all_questions_on_postgresql() {
    let Some(folder) = cases() else {
        eprintln!("skipped: no ../shared/conformance beside this checkout");
        return;
    };
    let postgres = headwater_test_servers::Postgres::start().unwrap();
    let running = server(|options| options.database = postgres.url()).await;
    running.send(&events(&folder.join("events/native_own_integration_full_events.jsonl"))).await;
    for path in [
        "/v1/locations?search_query=broker&location_type=kafka&location_id=1",
        "/v1/datasets?search_query=orders&location_type=kafka&location_id=1&location_id=2&tag_value_id=1",
        "/v1/jobs?search_query=orders&job_type=OURENGINE_JOB&tag_value_id=1&parent_job_id=1",
        "/v1/runs?search_query=orders&status=STARTED&since=2026-01-01T00:00:00Z&until=2027-01-01T00:00:00Z&started_by_user=x&parent_run_id=01a19b7c-a680-7754-82dc-bfc0f1a328ed&job_location_id=1&ended_since=2026-01-01T00:00:00Z",
        "/v1/tags?search_query=version",
        "/v1/datasets/1/schemas",
        "/v1/lineage/snapshot?start_node_id=1&at=2026-11-02T09:30:00Z&include_column_lineage=true",
        "/v1/lineage/diff?start_node_id=1&from=2026-11-01T00:00:00Z&start_node_kind=JOB",
        "/v1/impact?dataset_id=1&since=2026-01-01T00:00:00Z",
        "/v1/impact?dataset_id=1&column=amount&since=2026-01-01T00:00:00Z",
        "/v1/freshness",
        "/v1/freshness?dataset_id=1&job_id=1",
        "/v1/columns/paths?dataset_id=1&column=amount&since=2026-01-01T00:00:00Z",
        "/v1/columns/tags?dataset_id=2&since=2026-01-01T00:00:00Z",
        "/v1/events?since=2026-01-01T00:00:00Z",
        "/v1/quarantine?code=not-json",
        "/v1/stale",
        "/v1/webhooks",
    ] {
        running.get(path).await;
    }
    let (status, answer) =
        running.post("/v1/webhooks", &json!({"url": "http://127.0.0.1:9/", "events": ["STALE"]})).await;
    assert_eq!(status, 200, "{answer}");
    assert_eq!(running.post("/v1/admin/rebuild", &json!({})).await.0, 200);
    running.server.stop().await;
}
