//! The API: logins and scopes, errors, CORS, the document, and the questions beyond Data.Rentgen's.

#![allow(clippy::unwrap_used, clippy::print_stderr, reason = "tests")]

mod support;

use headwater_lineage_server::AuthOptions;
use headwater_lineage_server::api::{openapi, specs};
use serde_json::{Value, json};
use support::{Running, server};

fn transformation(kind: &str, subtype: &str, masking: bool, expression: &str) -> Value {
    json!([{"type": kind, "subtype": subtype, "masking": masking, "description": expression}])
}

fn id_of(list: &Value, name: &str) -> String {
    let items = list["items"].as_array().unwrap();
    items.iter().find(|i| i["data"]["name"] == name).unwrap_or_else(|| panic!("no {name} in {list}"))["id"]
        .as_str()
        .unwrap()
        .to_owned()
}

/// A run of a job between two datasets: `a.x` becomes `b.y`, masked or not, and `a.k` filters.
fn step(run: u8, job: &str, from: &str, to: &str, at: &str, masking: bool) -> Value {
    let input = |field: &str, transformations: Value| json!({"namespace": "kafka://k:1", "name": from, "field": field, "transformations": transformations});
    json!({
        "eventTime": at, "eventType": "START",
        "run": {"runId": format!("019b7700-0000-7000-8000-00000000001{run}")},
        "job": {"namespace": "http://j:1", "name": job, "facets": {"jobType":
            {"integration": "OWN", "jobType": "JOB", "processingType": "STREAMING"}}},
        "inputs": [{"namespace": "kafka://k:1", "name": from, "facets": {
            "schema": {"fields": [{"name": "x", "type": "INT"}, {"name": "k", "type": "INT"}]},
            "tags": {"tags": if from == "a" { json!([{"key": "pii", "value": "email", "field": "x"}]) } else { json!([]) }}}}],
        "outputs": [{"namespace": "kafka://k:1", "name": to, "facets": {
            "schema": {"fields": [{"name": "x", "type": "INT"}]},
            "columnLineage": {"fields": {"x": {"inputFields": [
                input("x", transformation("DIRECT", "TRANSFORMATION", masking, "UPPER(x)"))]}},
                "dataset": [input("k", transformation("INDIRECT", "FILTER", false, "k > 1"))]}}}],
    })
}

async fn token(running: &Running, name: &str) -> String {
    let form = [("username", name), ("password", "any")];
    let response = running.client.post(running.url("/v1/auth/token")).form(&form).send().await.unwrap();
    let answer: Value = response.json().await.unwrap();
    assert_eq!(answer["token_type"], "bearer");
    assert!(answer["expires_at"].is_f64());
    answer["access_token"].as_str().unwrap().to_owned()
}

async fn call(running: &Running, method: &str, path: &str, token: &str, body: Value) -> (u16, Value) {
    let method = reqwest::Method::from_bytes(method.as_bytes()).unwrap();
    let mut request = running.client.request(method, running.url(path)).bearer_auth(token);
    if !body.is_null() {
        request = request.json(&body);
    }
    let response = request.send().await.unwrap();
    (response.status().as_u16(), response.json().await.unwrap_or(Value::Null))
}

#[tokio::test(flavor = "multi_thread")]
async fn tokens_are_checked_and_revoked_at_once() {
    let running = server(|options| options.auth = AuthOptions::Dummy).await;
    let (status, answer) = running.try_get("/v1/datasets").await;
    assert_eq!((status, answer["error"]["code"].as_str()), (401, Some("unauthorized")));
    let login = token(&running, "jane").await;
    assert!(login.starts_with("access_token_"));
    assert_eq!(call(&running, "GET", "/v1/users/me", &login, Value::Null).await.1, json!({"name": "jane"}));
    let (_, made) =
        call(&running, "POST", "/v1/personal-tokens", &login, json!({"name": "ci", "scopes": ["all:read"]})).await;
    let personal = made["content"].as_str().unwrap().to_owned();
    assert_eq!(call(&running, "POST", "/v1/personal-tokens", &login, json!({"name": "ci"})).await.0, 409);
    assert_eq!(call(&running, "GET", "/v1/datasets", &personal, Value::Null).await.0, 200);
    let (status, answer) = call(&running, "PATCH", "/v1/locations/1", &personal, json!({"external_id": "x"})).await;
    assert_eq!((status, answer["error"]["code"].as_str()), (403, Some("forbidden")));
    assert_eq!(call(&running, "GET", "/v1/personal-tokens", &personal, Value::Null).await.0, 401);
    let id = made["id"].as_str().unwrap();
    assert_eq!(call(&running, "DELETE", &format!("/v1/personal-tokens/{id}"), &login, Value::Null).await.0, 204);
    assert_eq!(call(&running, "GET", "/v1/datasets", &personal, Value::Null).await.0, 401);
    let other = token(&running, "joe").await;
    assert_eq!(call(&running, "GET", "/v1/personal-tokens", &other, Value::Null).await.1["meta"]["total_count"], 0);
    let forged = format!("{}x", &login[..login.len() - 2]);
    assert_eq!(call(&running, "GET", "/v1/datasets", &forged, Value::Null).await.0, 401);
    assert_eq!(call(&running, "GET", "/v1/auth/logout", &login, Value::Null).await.0, 501);
    running.server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn requests_are_checked() {
    let running = server(|_| {}).await;
    let cases = [
        ("/v1/datasets?page=0", "page", "greater_than_equal"),
        ("/v1/datasets?page_size=51", "page_size", "less_than_equal"),
        ("/v1/datasets?nonsense=1", "nonsense", "extra_forbidden"),
        ("/v1/datasets?search_query=ab", "search_query", "string_too_short"),
        ("/v1/jobs/lineage?start_node_id=1", "since", "missing"),
        ("/v1/jobs/lineage?start_node_id=x&since=2026-01-01T00:00:00Z", "start_node_id", "int_parsing"),
        ("/v1/jobs/lineage?start_node_id=1&since=2026-01-01T00:00:00Z&granularity=DATASET", "granularity", "enum"),
        ("/v1/runs?run_id=nope", "run_id", "uuid_parsing"),
        ("/v1/operations", "run_id", "value_error"),
    ];
    for (path, name, code) in cases {
        let (status, answer) = running.try_get(path).await;
        assert_eq!(status, 422, "{path}");
        assert_eq!(answer["error"]["code"], "invalid_request");
        let detail = &answer["error"]["details"][0];
        assert_eq!((&detail["location"], detail["code"].as_str()), (&json!(["query", name]), Some(code)), "{path}");
    }
    assert_eq!(running.try_get("/v1/nothing").await, (404, json!({"detail": "Not Found"})));
    let empty = running.get("/v1/jobs/lineage?start_node_id=7&since=2026-01-01T00:00:00Z").await;
    assert_eq!(empty["nodes"]["jobs"], json!({}));
    running.server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_declared_route_is_there_and_in_the_document() {
    let running = server(|_| {}).await;
    let document = running.get("/v1/openapi.json").await;
    assert_eq!(document, openapi::document());
    for spec in specs() {
        let operation = &document["paths"][spec.path][spec.method.to_lowercase()];
        assert_eq!(
            operation["parameters"].as_array().unwrap().iter().filter(|p| p["in"] == "query").count(),
            spec.query.len()
        );
        let path = spec
            .path
            .replace("{token_id}", "x")
            .replace("{location_id}", "x")
            .replace("{dataset_id}", "x")
            .replace("{id}", "x");
        let method = reqwest::Method::from_bytes(spec.method.as_bytes()).unwrap();
        let response = running.client.request(method, running.url(&path)).send().await.unwrap();
        let status = response.status().as_u16();
        let body = response.text().await.unwrap();
        assert!(status != 405 && !body.contains("\"detail\":\"Not Found\""), "{} {}: {status}", spec.method, spec.path);
    }
    running.server.stop().await;
}

/// Data.Rentgen's own document: every path, method and parameter of it is ours too.
#[test]
fn the_api_of_data_rentgen_is_covered() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/spec/data-rentgen-openapi.json");
    let Ok(text) = std::fs::read_to_string(path) else {
        eprintln!("skipped: no ../shared/spec beside this checkout");
        return;
    };
    let theirs: Value = serde_json::from_str(&text).unwrap();
    let ours = openapi::document();
    for (path, methods) in theirs["paths"].as_object().unwrap() {
        for (method, operation) in methods.as_object().unwrap() {
            let own = &ours["paths"][path][method];
            assert!(own.is_object(), "{method} {path} is missing");
            for parameter in operation["parameters"].as_array().into_iter().flatten() {
                let found = own["parameters"].as_array().unwrap().iter().find(|p| p["name"] == parameter["name"]);
                let found = found.unwrap_or_else(|| panic!("{method} {path} lacks {}", parameter["name"]));
                let required = parameter["required"].as_bool().unwrap_or(false);
                assert_eq!(found["required"], json!(required), "{method} {path} {}", parameter["name"]);
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_of_listed_origins_may_call() {
    let running = server(|options| options.cors_origins = vec!["http://ui:3000".into()]).await;
    let ask = |origin: &'static str| {
        running
            .client
            .request(reqwest::Method::OPTIONS, running.url("/v1/datasets"))
            .header("origin", origin)
            .header("access-control-request-method", "GET")
            .header("access-control-request-headers", "authorization")
            .send()
    };
    let listed = ask("http://ui:3000").await.unwrap();
    assert_eq!(listed.status(), 200);
    assert_eq!(listed.headers()["access-control-allow-origin"], "http://ui:3000");
    assert_eq!(listed.headers()["access-control-allow-credentials"], "true");
    assert_eq!(listed.headers()["access-control-allow-headers"], "authorization");
    let stranger = ask("http://evil").await.unwrap();
    assert!(!stranger.headers().contains_key("access-control-allow-origin"));
    let answer = running.client.get(running.url("/monitoring/metrics")).send().await.unwrap();
    assert!(answer.headers().contains_key("x-request-id") && answer.headers().contains_key("x-application-version"));
    assert!(answer.text().await.unwrap().contains("http_requests_total"));
    running.server.stop().await;
}

/// A chain a → b → c, of which the second step may mask.
async fn chain(masking: bool) -> Running {
    let running = server(|options| options.silent_days = 3650).await;
    let first = step(1, "one", "a", "b", "2026-01-01T10:00:00Z", false);
    let second = step(2, "two", "b", "c", "2026-01-02T10:00:00Z", masking);
    running.send(&[first, second]).await;
    running
}

#[tokio::test(flavor = "multi_thread")]
async fn columns_are_followed_from_end_to_end() {
    let running = chain(false).await;
    let datasets = running.get("/v1/datasets").await;
    let (a, b, c) = (id_of(&datasets, "a"), id_of(&datasets, "b"), id_of(&datasets, "c"));
    let paths = running.get(&format!("/v1/columns/paths?dataset_id={a}&column=x")).await;
    let path = paths["paths"][0].as_array().unwrap();
    let found: Vec<(&str, &str)> =
        path.iter().map(|hop| (hop["dataset_id"].as_str().unwrap(), hop["expression"].as_str().unwrap())).collect();
    assert_eq!(found, [(b.as_str(), "UPPER(x)"), (c.as_str(), "UPPER(x)")]);
    let back = running.get(&format!("/v1/columns/paths?dataset_id={c}&column=x&direction=UPSTREAM")).await;
    assert_eq!(back["paths"][0][1]["dataset_id"].as_str(), Some(a.as_str()));
    let tags = running.get(&format!("/v1/columns/tags?dataset_id={c}")).await;
    assert_eq!(tags["columns"]["x"][0]["tag"], "pii");
    assert_eq!(tags["columns"]["x"][0]["distance"], 2);
    let impact = running.get(&format!("/v1/impact?dataset_id={a}&column=x")).await;
    let hit: Vec<&str> =
        impact["datasets"].as_array().unwrap().iter().map(|d| d["dataset"]["name"].as_str().unwrap()).collect();
    assert_eq!(hit, ["b", "c"]);
    assert_eq!(impact["jobs"].as_array().unwrap().len(), 2);
    let filtered = running.get(&format!("/v1/impact?dataset_id={a}&column=k&depth=1")).await;
    assert_eq!(filtered["datasets"][0]["dataset"]["name"], "b", "a filter hits the whole dataset");
    running.server.stop().await;
    let running = chain(true).await;
    let c = id_of(&running.get("/v1/datasets").await, "c");
    let tags = running.get(&format!("/v1/columns/tags?dataset_id={c}")).await;
    assert_eq!(tags["columns"]["x"], json!([]), "masking stops tags");
    running.server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn moments_and_their_difference() {
    let running = chain(false).await;
    let a = id_of(&running.get("/v1/datasets").await, "a");
    let at = |moment: &str| format!("/v1/lineage/snapshot?start_node_id={a}&depth=4&at={moment}");
    let names = |answer: &Value| {
        let nodes = answer["nodes"]["datasets"].as_object().unwrap();
        let mut names: Vec<String> = nodes.values().map(|n| n["name"].as_str().unwrap().to_owned()).collect();
        names.sort();
        names
    };
    assert_eq!(names(&running.get(&at("2026-01-01T12:00:00Z")).await), ["a", "b"]);
    assert_eq!(names(&running.get(&at("2026-01-03T12:00:00Z")).await), ["a", "b", "c"]);
    let diff = format!("/v1/lineage/diff?start_node_id={a}&depth=4&from=2026-01-01T12:00:00Z&to=2026-01-03T12:00:00Z");
    let diff = running.get(&diff).await;
    assert_eq!(names(&diff["added"]), ["c"]);
    assert_eq!(diff["removed"]["relations"]["inputs"], json!([]));
    for (format, sign) in [("dot", "digraph"), ("mermaid", "graph LR"), ("csv", "kind,from"), ("jsonl", "{\"node\"")] {
        let path = format!("/v1/lineage/export?start_node_id={a}&at=2026-01-03T12:00:00Z&format={format}");
        let text = running.client.get(running.url(&path)).send().await.unwrap().text().await.unwrap();
        assert!(text.starts_with(sign), "{text}");
    }
    running.server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn schemas_have_versions_and_verdicts() {
    let running = server(|_| {}).await;
    for (run, at, kind) in [(1, "2026-01-01T10:00:00Z", "INT"), (2, "2026-01-02T10:00:00Z", "STRING")] {
        let mut event = step(run, "one", "a", "b", at, false);
        event["outputs"][0]["facets"]["schema"]["fields"][0]["type"] = json!(kind);
        running.send(&[event]).await;
    }
    let b = id_of(&running.get("/v1/datasets").await, "b");
    let versions = running.get(&format!("/v1/datasets/{b}/schemas")).await;
    let verdicts: Vec<(&str, &str)> = versions["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|v| (v["verdict"].as_str().unwrap(), v["first_run_id"].as_str().unwrap()))
        .collect();
    let runs = ["019b7700-0000-7000-8000-000000000011", "019b7700-0000-7000-8000-000000000012"];
    assert_eq!(verdicts, [("INITIAL", runs[0]), ("BREAKING", runs[1])]);
    running.server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_flink_2_stream_stays_visible_and_ends() {
    let Some(cases) = support::cases() else {
        eprintln!("skipped: no ../shared/conformance beside this checkout");
        return;
    };
    let running = server(|_| {}).await;
    running.send(&support::events(&cases.join("events/flink2_shape_6h.jsonl"))).await;
    let job = id_of(&running.get("/v1/jobs").await, "flink2_job");
    let late = format!("/v1/jobs/lineage?start_node_id={job}&since=2026-11-01T15:30:00Z");
    assert_eq!(running.get(&late).await["relations"]["inputs"].as_array().unwrap().len(), 1);
    let after = format!("/v1/jobs/lineage?start_node_id={job}&since=2026-11-01T17:00:00Z");
    assert_eq!(running.get(&after).await["relations"]["inputs"], json!([]));
    let run = "01a1968d-3900-733f-9458-5666851beb13";
    let operations = running.get(&format!("/v1/operations?run_id={run}")).await;
    assert_eq!(operations["items"][0]["data"]["status"], "SUCCEEDED");
    assert_eq!(operations["items"][0]["data"]["ended_at"], "2026-11-01T16:00:00Z");
    let events = running.get(&format!("/v1/events?run_id={run}")).await;
    assert_eq!(events["meta"]["total_count"], 6);
    running.server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_whose_later_events_are_bare_is_found_in_its_later_hours() {
    let running = server(|_| {}).await;
    let first = step(1, "stream", "a", "b", "2026-01-01T00:00:00Z", false);
    // As Flink 2 tells it: neither job type nor datasets after the first event.
    let bare = |at: &str| {
        json!({"eventTime": at, "eventType": "RUNNING", "run": {"runId": first["run"]["runId"]},
            "job": {"namespace": "http://j:1", "name": "stream"}})
    };
    running.send(&[first.clone(), bare("2026-01-01T01:00:00Z"), bare("2026-01-01T03:00:00Z")]).await;
    let run = first["run"]["runId"].as_str().unwrap();
    for path in ["runs?".to_owned(), format!("operations?run_id={run}&")] {
        for (since, count) in [("02:30", 1), ("03:30", 0)] {
            let list = running.get(&format!("/v1/{path}since=2026-01-01T{since}:00Z")).await;
            assert_eq!(list["meta"]["total_count"], count, "{path} {since}");
        }
    }
}
