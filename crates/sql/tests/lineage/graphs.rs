//! The lineage graphs that Flink's planner expects, from `../shared/conformance/flink-lineage`.

use crate::{run, session};
use headwater_lineage::JobLineage;
use serde_json::Value;
use std::collections::BTreeSet;
use std::path::Path;

fn expected(name: &str) -> Option<Value> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/conformance/flink-lineage").join(name);
    let text = std::fs::read_to_string(&path).ok();
    if text.is_none() {
        eprintln!("{} is not here: skipped", path.display());
    }
    Some(serde_json::from_str(&text?).expect("the case is JSON"))
}

/// Edges with what they join: source, boundedness, sink, kind of change.
fn edges_of(graph: &Value) -> BTreeSet<String> {
    let name = |vertex: &Value| vertex["datasets"][0]["name"].as_str().unwrap_or_default().to_owned();
    let edge = |edge: &Value| {
        let (source, sink) = (&edge["sourceLineageVertex"], &edge["sinkVertex"]);
        format!("{} {} -> {} {}", name(source), source["boundedness"], name(sink), sink["modifyType"])
    };
    graph["lineageEdges"].as_array().into_iter().flatten().map(edge).collect()
}

fn edges(lineage: &JobLineage) -> BTreeSet<String> {
    let mut edges = BTreeSet::new();
    for output in &lineage.outputs {
        for input in output.inputs.iter().map(|at| &lineage.inputs[*at]) {
            let bounded = if input.bounded { "\"BOUNDED\"" } else { "\"CONTINUOUS_UNBOUNDED\"" };
            let kind = if output.updates { "\"UPDATE\"" } else { "\"INSERT\"" };
            edges.insert(format!("{} {bounded} -> {} {kind}", input.dataset.path(), output.dataset.path()));
        }
    }
    edges
}

fn check(name: &str, script: &str) {
    let lineage = run(&mut session(false), script).remove(0);
    if let Some(expected) = expected(name) {
        assert_eq!(edges(&lineage), edges_of(&expected), "{name}");
    }
}

const FIRST: &str = "CREATE TABLE FirstTable (a BIGINT, b STRING) WITH ('connector' = 'datagen');
    CREATE TABLE SinkTable (a BIGINT, b STRING) WITH ('connector' = 'values', 'data-id' = 'x', 'sink-insert-only' = 'false');";

#[test]
fn a_query() {
    check("query-stream.json", &format!("{FIRST} INSERT INTO SinkTable SELECT a, b FROM FirstTable;"));
}

#[test]
fn a_union() {
    let second = "CREATE TABLE SecondTable (a BIGINT, b STRING) WITH ('connector' = 'datagen');";
    let insert = "INSERT INTO SinkTable SELECT a, b FROM FirstTable UNION ALL SELECT a, b FROM SecondTable;";
    check("union-stream.json", &format!("{FIRST} {second} {insert}"));
}

#[test]
fn another_catalog() {
    let script = "CREATE CATALOG MyPlainCat WITH ('type' = 'generic_in_memory', 'default-database' = 'MyDatabase');
        CREATE TABLE MyPlainCat.MyDatabase.Src (a BIGINT) WITH ('connector' = 'datagen');
        CREATE TABLE MyPlainCat.MyDatabase.Snk (a BIGINT) WITH ('connector' = 'values', 'data-id' = 'x', 'sink-insert-only' = 'true');
        INSERT INTO MyPlainCat.MyDatabase.Snk SELECT a FROM MyPlainCat.MyDatabase.Src;";
    check("plain-catalog-stream.json", script);
}
