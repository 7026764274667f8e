//! The API over a cluster with a job that runs: every endpoint of Flink's snapshot answers with its fields and types.

mod bounds;
mod fixture;
mod garbage;
mod observability;
mod plausible;
mod random;
mod roles;
mod scripts;
mod secure;
mod semantics;

use fixture::Fixture;
use headwater_rest::testing::{http, schema};
use serde_json::Value;
use std::collections::BTreeMap;
use std::path::Path;

/// What a native engine answers with an error, and which: see docs/rest-api.md.
const REFUSED: [(&str, &str, u16); 14] = [
    ("DELETE", "/cluster", 501),
    ("GET", "/datasets/delete/:triggerid", 404),
    ("DELETE", "/datasets/:datasetid", 404),
    ("POST", "/jars/upload", 403),
    ("DELETE", "/jars/:jarid", 404),
    ("GET", "/jars/:jarid/plan", 404),
    ("POST", "/jars/:jarid/plan", 404),
    ("POST", "/jars/:jarid/run", 404),
    ("POST", "/jars/:jarid/run-application", 404),
    ("POST", "/jobs", 501),
    ("POST", "/jobs/:jobid/coordinators/:operatorUid", 404),
    ("GET", "/jobs/:jobid/rescales/details/:rescaleuuid", 404),
    ("PATCH", "/jobs/:jobid/rescaling", 503),
    ("GET", "/jobs/:jobid/rescaling/:triggerid", 503),
];

#[test]
fn every_endpoint_of_the_snapshot_answers_as_it_says() {
    let Some(snapshot) = schema::snapshot("rest_api_v1.snapshot") else { return };
    let fixture = Fixture::new(&[]);
    let values = values(&fixture);
    let ids = schema::ids(&snapshot);
    let calls = snapshot["calls"].as_array().expect("the snapshot lists calls");
    let mut wrong = vec![];
    // What ends the job comes last.
    let ends = |call: &&Value| matches!(call["url"].as_str(), Some("/applications/:applicationid/cancel"));
    let patches = |call: &&Value| call["method"] == "PATCH" && call["url"] == "/jobs/:jobid";
    let (last, first): (Vec<&Value>, Vec<&Value>) = calls.iter().partition(|call| ends(call) || patches(call));
    for call in first.into_iter().chain(last.into_iter().rev()) {
        check(&fixture, call, &values, &ids, &mut wrong);
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert_eq!(calls.len(), 83);
}

/// What placeholders and bodies stand for: a job, a vertex, a checkpoint, operations that have ended.
fn values(fixture: &Fixture) -> BTreeMap<&'static str, String> {
    let job = fixture.job.id().to_string();
    let savepoints = format!("/jobs/{job}/savepoints");
    let (savepoint, outcome) = fixture.operate(&savepoints, "{}", &savepoints);
    let location = outcome["operation"]["location"].as_str().expect("savepoints have a location").to_owned();
    let checkpoints = format!("/jobs/{job}/checkpoints");
    let (checkpoint, _) = fixture.operate(&checkpoints, "", &checkpoints);
    let disposal = format!("{{\"savepoint-path\": \"{location}\"}}");
    let (disposal, outcome) = fixture.operate("/savepoint-disposal", &disposal, "/savepoint-disposal");
    assert_eq!(outcome["operation"], serde_json::json!({}), "the savepoint is removed");
    assert!(!Path::new(&location).join("_metadata").exists(), "{location}");
    let id = fixture.get(&checkpoints)["latest"]["completed"]["id"].to_string();
    BTreeMap::from([
        (":applicationid", job.clone()),
        (":jobid", job),
        (":vertexid", fixture.vertex()),
        (":checkpointid", id),
        (":taskmanagerid", "local".to_owned()),
        ("savepoints/:triggerid", savepoint),
        ("checkpoints/:triggerid", checkpoint),
        ("savepoint-disposal/:triggerid", disposal),
        (":triggerid", "0".repeat(32)),
        (":datasetid", "0".repeat(32)),
        (":subtaskindex", "1".to_owned()),
        (":attempt", "0".to_owned()),
        (":rescaleuuid", "0".to_owned()),
        (":operatorUid", "uid".to_owned()),
        (":jarid", "a.jar".to_owned()),
    ])
}

fn check(
    fixture: &Fixture,
    call: &Value,
    values: &BTreeMap<&str, String>,
    ids: &BTreeMap<String, Value>,
    wrong: &mut Vec<String>,
) {
    let (method, url) = (text(call, "method"), text(call, "url"));
    let path = filled(url, values);
    let body = match url {
        "/savepoint-disposal" => r#"{"savepoint-path": "/nowhere/savepoint-1-2"}"#.to_owned(),
        "/jobs/:jobid/resource-requirements" if method == "PUT" => fixture.get(&path).to_string(),
        // It would end the job: its answer is the same when the savepoint fails.
        "/jobs/:jobid/stop" => r#"{"targetDirectory": "/proc/nowhere"}"#.to_owned(),
        _ => "{}".to_owned(),
    };
    let refused = REFUSED.iter().find(|(of, at, _)| *of == method && *at == url);
    for prefix in ["", "/v1"] {
        let (status, document) = http::json(fixture.address(), method, &format!("{prefix}{path}"), &body);
        let at = format!("{method} {prefix}{url}");
        let expected = match refused {
            Some((_, _, status)) => *status,
            None => text(call, "status-code").split(' ').next().and_then(|code| code.parse().ok()).expect("a status"),
        };
        // Ending what has ended is a conflict.
        let is_repeated = prefix == "/v1" && method == "PATCH" && url == "/jobs/:jobid" && status == 409;
        if status != expected && !is_repeated {
            wrong.push(format!("{at}: {status} instead of {expected}: {document}"));
        }
        match refused.is_some() || is_repeated {
            true if document["errors"][0].is_string() => {}
            true => wrong.push(format!("{at}: {document} holds no errors")),
            false => schema::compare(&document, of_answer(call), ids, &at, wrong),
        }
    }
}

/// The schema of an answer. That of bounds shows a map as a field, which in Flink's answers is all there is: its message
/// has `JsonAnyGetter`, at which the generator of the snapshot does not look.
fn of_answer(call: &Value) -> &Value {
    match text(call, "url").ends_with("/resource-requirements") && call["method"] == "GET" {
        true => &call["response"]["properties"]["jobVertexResourceRequirements"],
        false => &call["response"],
    }
}

/// A path with its placeholders filled in.
fn filled(url: &str, values: &BTreeMap<&str, String>) -> String {
    let mut before = "";
    let mut path = String::new();
    for segment in url.split('/').skip(1) {
        let value = match segment.strip_prefix(':') {
            None => segment.to_owned(),
            Some(_) => {
                let own = values.get(format!("{before}/{segment}").as_str());
                own.or_else(|| values.get(segment)).unwrap_or_else(|| panic!("{url}: what is {segment}?")).clone()
            }
        };
        before = segment;
        path.push('/');
        path.push_str(&value);
    }
    if url.ends_with("/rescaling") {
        path.push_str("?parallelism=2");
    }
    path
}

fn text<'a>(value: &'a Value, key: &str) -> &'a str {
    value[key].as_str().unwrap_or_else(|| panic!("{key} is no text in {value}"))
}
