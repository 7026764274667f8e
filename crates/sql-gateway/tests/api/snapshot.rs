//! Every endpoint of Flink's four snapshots answers with its fields and types.

use crate::fixture::{Client, Fixture};
use headwater_rest::testing::schema;
use headwater_sql_gateway::{VERSIONS, endpoints};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};

/// What Headwater has not, and with which status it says so: see docs/sql-gateway.md.
const REFUSED: [(&str, u16); 6] = [
    ("/sessions/:session_handle/materialized-tables/:identifier/refresh", 501),
    ("/sessions/:session_handle/scripts", 501),
    ("/workflow/embedded-scheduler/create", 501),
    ("/workflow/embedded-scheduler/delete", 501),
    ("/workflow/embedded-scheduler/resume", 501),
    ("/workflow/embedded-scheduler/suspend", 501),
];

#[test]
fn every_endpoint_of_the_snapshots_answers_as_it_says() {
    let fixture = Fixture::new(&[]);
    let mut wrong = vec![];
    for version in VERSIONS {
        let name = format!("sql_gateway_rest_api_v{version}.snapshot");
        let Some(snapshot) = schema::snapshot(&name) else { return };
        let ids = schema::ids(&snapshot);
        let calls = snapshot["calls"].as_array().unwrap();
        let mut known = BTreeSet::new();
        for call in calls {
            let (method, url) = (call["method"].as_str().unwrap(), call["url"].as_str().unwrap());
            known.insert((method.to_owned(), url));
            check(&fixture, version, call, &ids, &mut wrong);
        }
        let of_version = endpoints().iter().filter(|endpoint| endpoint.versions.contains(&version));
        let ours: BTreeSet<_> = of_version.map(|endpoint| (endpoint.method.to_string(), endpoint.path)).collect();
        assert_eq!(ours, known, "version {version}");
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

fn check(fixture: &Fixture, version: u8, call: &Value, ids: &BTreeMap<String, Value>, wrong: &mut Vec<String>) {
    let (method, url) = (call["method"].as_str().unwrap(), call["url"].as_str().unwrap());
    let client = fixture.open();
    let mut prefixes = vec![format!("/v{version}")];
    if version == *VERSIONS.end() {
        prefixes.push(String::new());
    }
    for prefix in prefixes {
        let client = if method == "DELETE" { &fixture.open() } else { &client };
        let path = format!("{prefix}{}", filled(client, url, method));
        let (status, document) = fixture.call(method, &path, &body(&call["request"]).to_string());
        let at = format!("{method} {prefix}{url}");
        match REFUSED.iter().find(|(of, _)| *of == url) {
            Some((_, expected)) if status == *expected && document["errors"][0].is_string() => {}
            None if status == 200 => schema::compare(&document, &call["response"], ids, &at, wrong),
            _ => wrong.push(format!("{at}: {status} {document}")),
        }
        if url.ends_with("/result/:token") {
            result_info(version, &document, &at, wrong);
        }
    }
}

/// Its placeholders filled in: a query that was executed, so that it can be cancelled as well.
fn filled(client: &Client<'_>, url: &str, method: &str) -> String {
    let mut path = url.replace(":session_handle", &client.handle).replace(":token", "0").replace(":identifier", "t");
    if url.contains(":operation_handle") {
        client
            .run("CREATE TABLE IF NOT EXISTS t (id INT) WITH ('connector' = 'datagen', 'rows-per-second' = '1')")
            .unwrap();
        let operation = client.submit("SELECT id FROM t");
        client.page(&operation, 0);
        path = path.replace(":operation_handle", operation.rsplit('/').next().unwrap());
    }
    assert!(!path.contains(':'), "{method} {url}: what is {path}?");
    path
}

/// A body with all fields of a schema.
fn body(schema: &Value) -> Value {
    let Some(properties) = schema["properties"].as_object() else { return json!({}) };
    let field = |(key, of): (&String, &Value)| {
        let value = match (key.as_str(), of["type"].as_str()) {
            ("statement", _) => json!("CREATE TABLE IF NOT EXISTS u (id INT) WITH ('connector' = 'datagen')"),
            // Long enough for a statement on a busy machine.
            ("executionTimeout", _) => json!(60_000),
            (_, Some("integer")) => json!(3),
            (_, Some("boolean")) => json!(false),
            (_, Some("object")) => json!({ "parallelism.default": "2" }),
            _ => json!("a"),
        };
        (key.clone(), value)
    };
    Value::Object(properties.iter().map(field).collect())
}

/// The snapshots say of results only that there are some; the file of Flink's serializer test has their form.
fn result_info(version: u8, document: &Value, at: &str, wrong: &mut Vec<String>) {
    let keys = |value: &Value| -> Vec<String> {
        value.as_object().map(|fields| fields.keys().cloned().collect()).unwrap_or_default()
    };
    let known = schema::snapshot("result_info_json_format.txt").unwrap();
    let outer = ["resultType", "isQueryResult", "jobID", "resultKind", "results", "nextResultUri"];
    if keys(document) != outer || keys(&document["results"]) != keys(&known) {
        wrong.push(format!("{at}: {document}"));
    }
    if keys(&document["results"]["columns"][0]) != keys(&known["columns"][0]) {
        wrong.push(format!("{at}: {document}"));
    }
    let next = document["nextResultUri"].as_str().unwrap_or_default();
    if !next.starts_with(&format!("/v{version}/")) || next.contains("rowFormat=JSON") != (version > 1) {
        wrong.push(format!("{at}: {next}"));
    }
}
