//! What Data.Rentgen's questions mean where its samples of answers do not show it, as found by asking both the same.

#![allow(clippy::unwrap_used, reason = "tests")]

mod support;

use serde_json::{Value, json};
use support::{Running, server};

const ALL: &str = "since=2000-01-01T00:00:00Z";

/// A run: number, job, what it reads and writes, the run and job that started it.
struct Told<'a> {
    run: u8,
    job: &'a str,
    reads: &'a [&'a str],
    writes: &'a [&'a str],
    parent: Option<(u8, &'a str)>,
}

fn uuid(run: u8) -> String {
    format!("019b7700-0000-7000-8000-0000000000{run:02}")
}

fn event(told: &Told<'_>) -> Value {
    let dataset = |name: &&str| {
        json!({"namespace": "postgres://db:5432", "name": name,
               "facets": {"schema": {"fields": [{"name": format!("column_of_{name}"), "type": "INT"}]}}})
    };
    let parent =
        told.parent.map(|(run, job)| json!({"run": {"runId": uuid(run)}, "job": {"namespace": "n://h", "name": job}}));
    json!({
        "eventTime": "2025-12-31T23:59:00.500Z", "eventType": "COMPLETE", "producer": "p", "schemaURL": "s",
        "run": {"runId": uuid(told.run), "facets": {"parent": parent}},
        "job": {"namespace": "n://h", "name": told.job},
        "inputs": told.reads.iter().map(dataset).collect::<Vec<_>>(),
        "outputs": told.writes.iter().map(dataset).collect::<Vec<_>>(),
    })
}

/// `raw -> load -> clean -> sum -> report`, where `nightly` started `load`.
async fn shop() -> Running {
    let running = server(|_| {}).await;
    let told = [
        Told { run: 1, job: "nightly", reads: &[], writes: &[], parent: None },
        Told {
            run: 2,
            job: "load",
            reads: &["shop.raw_orders"],
            writes: &["shop.clean"],
            parent: Some((1, "nightly")),
        },
        Told { run: 3, job: "sum", reads: &["shop.clean"], writes: &["shop.report"], parent: None },
    ];
    running.send(&told.map(|told| event(&told))).await;
    running
}

async fn id(running: &Running, list: &str, name: &str) -> String {
    let all = running.get(&format!("/v1/{list}?page_size=50")).await;
    let found = all["items"].as_array().unwrap().iter().find(|item| item["data"]["name"] == name);
    found.unwrap()["id"].as_str().unwrap().to_owned()
}

fn names(nodes: &Value) -> Vec<String> {
    let mut names: Vec<String> =
        nodes.as_object().unwrap().values().map(|node| node["name"].as_str().unwrap().to_owned()).collect();
    names.sort();
    names
}

#[tokio::test(flavor = "multi_thread")]
async fn a_schema_is_shown_where_an_answer_has_an_edge_of_the_dataset() {
    let running = shop().await;
    let raw = id(&running, "datasets", "shop.raw_orders").await;
    let path = |direction: &str, granularity: &str| {
        format!(
            "/v1/datasets/lineage?{ALL}&start_node_id={raw}&direction={direction}&granularity={granularity}&depth=3"
        )
    };
    for granularity in ["RUN", "DATASET"] {
        let upstream = running.get(&path("UPSTREAM", granularity)).await;
        assert!(upstream["nodes"]["datasets"][&raw]["schema"].is_null(), "{granularity}: nobody writes it");
        let downstream = running.get(&path("DOWNSTREAM", granularity)).await;
        let schema = &downstream["nodes"]["datasets"][&raw]["schema"];
        assert_eq!(schema["fields"][0]["name"], "column_of_shop.raw_orders", "{granularity}");
    }
    running.server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_operation_is_shown_whole_whatever_the_window() {
    let running = shop().await;
    let window = "since=2030-01-01T00:00:00Z";
    let path = format!("/v1/operations/lineage?{window}&start_node_id={}&direction=BOTH", uuid(2));
    assert_eq!(names(&running.get(&path).await["nodes"]["datasets"]), ["shop.clean", "shop.raw_orders"]);
    let load = id(&running, "jobs", "load").await;
    let path = format!("/v1/jobs/lineage?{window}&start_node_id={load}");
    assert_eq!(names(&running.get(&path).await["nodes"]["datasets"]), Vec::<String>::new());
    running.server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_brings_its_family_and_those_who_wait_for_it() {
    let running = shop().await;
    let nightly = id(&running, "jobs", "nightly").await;
    for direction in ["UPSTREAM", "DOWNSTREAM", "BOTH"] {
        let path = format!("/v1/jobs/hierarchy?start_node_id={nightly}&direction={direction}");
        let answer = running.get(&path).await;
        assert_eq!(names(&answer["nodes"]["jobs"]), ["load", "nightly"], "{direction}");
        assert_eq!(answer["relations"]["parents"].as_array().unwrap().len(), 1, "{direction}");
    }
    let path = format!("/v1/jobs/hierarchy?start_node_id={nightly}&infer_from_lineage=true&{ALL}");
    let answer = running.get(&path).await;
    assert_eq!(names(&answer["nodes"]["jobs"]), ["load", "nightly", "sum"], "its child's readers count");
    assert_eq!(answer["relations"]["dependencies"][0]["type"], "INFERRED_FROM_LINEAGE");
    let path = format!("/v1/jobs/lineage?{ALL}&start_node_id={nightly}&depth=4&direction=DOWNSTREAM");
    let answer = running.get(&path).await;
    assert_eq!(names(&answer["nodes"]["datasets"]), ["shop.clean", "shop.report"]);
    assert_eq!(names(&answer["nodes"]["jobs"]), ["load", "nightly", "sum"]);
    running.server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn search_goes_by_the_beginnings_of_words() {
    let running = shop().await;
    let found = async |list: &str, query: &str| -> Vec<String> {
        let answer = running.get(&format!("/v1/{list}?search_query={query}")).await;
        answer["items"]
            .as_array()
            .unwrap()
            .iter()
            .map(|item| item["data"]["name"].as_str().unwrap().to_owned())
            .collect()
    };
    assert_eq!(found("datasets", "ORD").await, ["shop.raw_orders"]);
    assert_eq!(found("datasets", "raw%20ord").await, ["shop.raw_orders"]);
    assert_eq!(found("datasets", "shop.raw").await, ["shop.raw_orders"]);
    assert_eq!(found("datasets", "ders").await, Vec::<String>::new(), "the middle of a word is no beginning");
    assert_eq!(found("datasets", "shop").await, ["shop.clean", "shop.report", "shop.raw_orders"], "short names first");
    assert_eq!(found("datasets", "5432").await.len(), 3, "the place counts");
    assert_eq!(found("locations", "postg").await, ["db:5432"]);
    assert_eq!(found("jobs", "nigh").await, ["nightly"]);
    let runs = running.get(&format!("/v1/runs?{ALL}&search_query=nightly")).await;
    assert_eq!(runs["meta"]["total_count"], 1);
    running.server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn impact_goes_to_the_end_and_says_when_it_does_not() {
    let running = server(|_| {}).await;
    let name = |n: usize| format!("stage{n}");
    let chain: Vec<Value> = (0..30_usize)
        .map(|n| {
            let (from, to) = (name(n), name(n + 1));
            let (run, job) = (u8::try_from(n + 1).unwrap(), format!("step{n}"));
            event(&Told { run, job: &job, reads: &[&from], writes: &[&to], parent: None })
        })
        .collect();
    running.send(&chain).await;
    let start = id(&running, "datasets", "stage0").await;
    let path = format!("/v1/impact?dataset_id={start}&{ALL}");
    let answer = running.get(&path).await;
    assert_eq!((answer["datasets"].as_array().unwrap().len(), &answer["truncated"]), (30, &json!(false)));
    let cut = running.get(&format!("{path}&depth=3")).await;
    assert_eq!((cut["datasets"].as_array().unwrap().len(), &cut["truncated"]), (3, &json!(true)));
    running.server.stop().await;
}

#[cfg(unix)]
#[tokio::test(flavor = "multi_thread")]
async fn the_database_is_for_its_owner_only() {
    use std::os::unix::fs::PermissionsExt;
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("lineage.db");
    let running = server(|options| options.database = format!("sqlite:{}", path.display())).await;
    running.send(&[event(&Told { run: 1, job: "j", reads: &[], writes: &["t"], parent: None })]).await;
    for file in std::fs::read_dir(directory.path()).unwrap() {
        let file = file.unwrap();
        assert_eq!(file.metadata().unwrap().permissions().mode() & 0o777, 0o600, "{:?}", file.path());
    }
    running.server.stop().await;
}
