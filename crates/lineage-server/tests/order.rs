//! However events are ordered, repeated and grouped, the catalog is the same; so it is after a rebuild.

#![allow(clippy::unwrap_used, clippy::print_stderr, reason = "tests")]

mod support;

use headwater_lineage_server::ingest::read;
use headwater_lineage_server::store::{Database, Writer};
use headwater_test_servers::Postgres;
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::{Config, TestRunner};
use serde_json::{Value, json};
use std::sync::atomic::{AtomicU32, Ordering};
use support::dump;

const NOW: i64 = 1_800_000_000_000_000;
const KINDS: [&str; 6] = ["START", "RUNNING", "RUNNING", "COMPLETE", "FAIL", "OTHER"];
/// Hosts that turn out to be one cluster only when an event names several of them.
const PLACES: [&str; 5] = ["kafka://a:1", "kafka://b:1", "kafka://c:1,b:1", "KAFKA://A:1,c:1", "s3://bucket"];

/// An event from a small world, so that events meet.
fn event() -> impl Strategy<Value = Value> {
    let parts = (0..4_u8, 0..6_usize, 0..400_i64, 0..3_u8, 0..5_usize, 0..5_usize, 0..8_u8, any::<bool>());
    parts.prop_map(|(run, kind, minute, job, from, to, flags, bare)| {
        let version = if run == 3 { "4" } else { "7" };
        let at = format!("2026-01-01T{:02}:{:02}:{:02}Z", minute / 60, minute % 60, (run * 7 + flags) % 60);
        let mut event = json!({
            "eventTime": at,
            "eventType": KINDS[kind],
            "run": {"runId": format!("019b7700-0000-{version}000-8000-00000000000{run}"), "facets": {
                "processing_engine": {"name": "spark", "version": format!("{}", minute % 3)},
            }},
            "job": {"namespace": "http://j:1", "name": (["j1", "J1", "j2"][usize::from(job)]), "facets": {}},
        });
        if flags & 1 != 0 {
            event["run"]["facets"]["parent"] =
                json!({"run": {"runId": "019b7700-0000-7000-8000-000000000009"}, "job": {"namespace": "airflow", "name": "dag"}});
        }
        if flags & 2 != 0 {
            let integration = ["FLINK", "SPARK", "DBT", "OWN"][usize::from(job) + usize::from(run == 0)];
            event["job"]["facets"]["jobType"] = json!({"integration": integration, "jobType": "JOB", "processingType": "STREAMING"});
        }
        if !bare {
            add_datasets(&mut event, PLACES[from], PLACES[to], minute, flags);
        }
        event
    })
}

fn add_datasets(event: &mut Value, from: &str, to: &str, minute: i64, flags: u8) {
    let field = json!({"name": "x", "type": if minute % 2 == 0 { "INT" } else { "BIGINT" }});
    let input = json!({"namespace": from, "name": if flags & 4 != 0 { "In" } else { "in" },
        "facets": {"schema": {"fields": [field]}, "tags": {"tags": [{"key": "pii", "value": "yes", "field": "x"}]},
                   "symlinks": {"identifiers": [{"namespace": "hive://h:1", "name": "t", "type": "TABLE"}]}}});
    let column = json!({"namespace": from, "name": "in", "field": "x",
                        "transformations": [{"type": "DIRECT", "subtype": "IDENTITY"}]});
    let output = json!({"namespace": to, "name": "out",
        "facets": {"columnLineage": {"fields": {"y": {"inputFields": [column]}}}},
        "outputFacets": {"outputStatistics": {"rowCount": minute}}});
    event["inputs"] = json!([input]);
    event["outputs"] = json!([output]);
}

/// Applies batches to a new catalog and tells what it holds.
async fn catalog(database: &Database, batches: &[Vec<Value>]) -> Vec<String> {
    let mut writer = Writer::new(database.clone(), "test".into());
    for batch in batches {
        let reading = read(Value::Array(batch.clone()).to_string().as_bytes(), NOW);
        assert!(reading.bad.is_empty(), "{:?}", reading.bad);
        let entries: Vec<_> = reading.good.into_iter().map(|(_, entry)| entry).collect();
        writer.apply(&entries).await.unwrap();
        // A restarted server knows only what is stored.
        if batch.len() % 3 == 0 {
            writer.forget();
        }
    }
    dump(database).await
}

async fn sqlite() -> (Database, tempfile::TempDir) {
    let directory = tempfile::tempdir().unwrap();
    let url = format!("sqlite:{}", directory.path().join("l.db").display());
    (Database::open(&url).await.unwrap(), directory)
}

/// Events, and the same events in another order, some of them twice, in batches of some size.
fn two_ways() -> impl Strategy<Value = (Vec<Value>, Vec<Vec<Value>>)> {
    proptest::collection::vec(event(), 1..14).prop_flat_map(|events| {
        let mut twice = events.clone();
        twice.extend(events.iter().step_by(2).cloned());
        (Just(events), Just(twice).prop_shuffle(), 1..6_usize)
            .prop_map(|(events, other, size)| (events, other.chunks(size).map(<[Value]>::to_vec).collect()))
    })
}

fn assert_same(first: &[String], second: &[String]) {
    let missing: Vec<&String> = first.iter().filter(|line| !second.contains(line)).collect();
    let extra: Vec<&String> = second.iter().filter(|line| !first.contains(line)).collect();
    assert!(missing.is_empty() && extra.is_empty(), "only in order:\n{missing:#?}\nonly shuffled:\n{extra:#?}");
    assert_eq!(first.len(), second.len());
}

#[test]
fn order_repetition_and_grouping_do_not_matter() {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let mut runner = TestRunner::new(Config { cases: 48, failure_persistence: None, ..Config::default() });
    let done = runner.run(&two_ways(), |(events, other)| {
        runtime.block_on(async {
            let ((one, _kept), (two, _also)) = (sqlite().await, sqlite().await);
            let events: Vec<Vec<Value>> = events.into_iter().map(|event| vec![event]).collect();
            let (first, second) = (catalog(&one, &events).await, catalog(&two, &other).await);
            assert_same(&first, &second);
        });
        Ok(())
    });
    if let Err(error) = done {
        panic!("{error}");
    }
}

#[test]
fn both_databases_hold_the_same() {
    let postgres = Postgres::start().unwrap();
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let mut runner = TestRunner::new(Config { cases: 6, failure_persistence: None, ..Config::default() });
    let number = AtomicU32::new(0);
    let done = runner.run(&two_ways(), |(events, other)| {
        runtime.block_on(async {
            let name = format!("catalog_{}", number.fetch_add(1, Ordering::Relaxed));
            let admin = sqlx::postgres::PgPool::connect(&postgres.url()).await.unwrap();
            sqlx::raw_sql(sqlx::AssertSqlSafe(format!("CREATE DATABASE {name}"))).execute(&admin).await.unwrap();
            let url = format!("{}{name}", postgres.url().trim_end_matches("postgres"));
            let server = Database::open(&url).await.unwrap();
            let (file, _kept) = sqlite().await;
            let events: Vec<Vec<Value>> = vec![events];
            let (first, second) = (catalog(&file, &events).await, catalog(&server, &other).await);
            assert_same(&first, &second);
            server.close().await;
            admin.close().await;
        });
        Ok(())
    });
    if let Err(error) = done {
        panic!("{error}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rebuilt_catalog_is_the_same_and_keeps_its_ids() {
    let running = support::server(|_| {}).await;
    let mut runner = TestRunner::deterministic();
    for _ in 0..60 {
        let event = event().new_tree(&mut runner).unwrap().current();
        assert_eq!(running.post("/api/v1/lineage", &event).await.0, 201);
    }
    let before = dump(running.server.app().db()).await;
    let datasets = running.get("/v1/datasets").await;
    let (status, answer) = running.post("/v1/admin/rebuild", &json!({})).await;
    assert_eq!((status, &answer["events"]), (200, &json!(60)));
    assert_same(&before, &dump(running.server.app().db()).await);
    assert_eq!(datasets, running.get("/v1/datasets").await);
    running.server.stop().await;
}
