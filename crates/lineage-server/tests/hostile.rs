//! Bad input: what cannot be taken is put aside with a reason, the rest lands, and the server lives.

#![allow(clippy::unwrap_used, clippy::print_stderr, reason = "tests")]

mod support;

use serde_json::{Value, json};
use std::io::Write;
use support::{Running, server};

fn event(name: &str) -> Value {
    json!({
        "eventTime": "2026-01-01T10:00:00Z", "eventType": "COMPLETE",
        "run": {"runId": "019b7700-0000-7000-8000-000000000001"},
        "job": {"namespace": "http://j:1", "name": name},
        "inputs": [{"namespace": "kafka://k:1", "name": name}],
        "outputs": [{"namespace": "kafka://k:1", "name": "out"}],
    })
}

async fn lives(running: &Running) {
    assert_eq!(running.get("/monitoring/ping").await, json!({"status": "ok"}));
    let (status, _) = running.post("/api/v1/lineage", &event("still-alive")).await;
    assert_eq!(status, 201);
}

async fn bytes(running: &Running, body: Vec<u8>, encoding: Option<&str>) -> (u16, Value) {
    let mut request = running.client.post(running.url("/v1/openlineage")).body(body);
    if let Some(encoding) = encoding {
        request = request.header("content-encoding", encoding);
    }
    let response = request.send().await.unwrap();
    (response.status().as_u16(), response.json().await.unwrap_or(Value::Null))
}

fn gzip(body: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(vec![], flate2::Compression::best());
    encoder.write_all(body).unwrap();
    encoder.finish().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn half_a_batch_is_bad() {
    let running = server(|_| {}).await;
    let mut no_time = event("b");
    no_time["eventTime"] = json!(null);
    let batch = json!([event("a"), no_time, "text", event("c")]);
    let (status, answer) = running.post("/api/v1/lineage/batch", &batch).await;
    assert_eq!(status, 200);
    assert_eq!(answer["status"], "partial_success");
    assert_eq!(answer["summary"]["successful"], 2);
    let failed: Vec<&Value> = answer["failed_events"].as_array().unwrap().iter().map(|f| &f["index"]).collect();
    assert_eq!(failed, [&json!(1), &json!(2)]);
    let names: Vec<Value> =
        running.get("/v1/jobs").await["items"].as_array().unwrap().iter().map(|j| j["data"]["name"].clone()).collect();
    assert_eq!(names, ["a", "c"]);
    let aside = running.get("/v1/quarantine").await;
    assert_eq!(aside["meta"]["total_count"], 2);
    assert_eq!(aside["items"][1]["code"], "no-event-time");
    lives(&running).await;
    running.server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn hostile_names_are_only_names() {
    let running = server(|_| {}).await;
    let names = [
        "'; DROP TABLE dataset; --".to_owned(),
        "<script>alert(1)</script>".to_owned(),
        "x\u{0}y".to_owned(),
        "%_\\".to_owned(),
        "\u{202e}evil\u{feff}".to_owned(),
        "n".repeat(4000),
        "ß".repeat(2000),
    ];
    for (n, name) in names.iter().enumerate() {
        let mut event = event(name);
        event["run"]["runId"] = json!(format!("019b7700-0000-7000-8000-00000000001{n}"));
        event["job"]["facets"] = json!({"tags": {"tags": [{"key": name, "value": name}]}});
        event["inputs"][0]["facets"] = json!({"tags": {"tags": [{"key": name, "value": name, "field": name}]}});
        let (status, answer) = running.post("/v1/openlineage", &event).await;
        assert_eq!(status, 201, "{answer}");
    }
    let found = running.get("/v1/datasets?page_size=50").await;
    assert_eq!(found["meta"]["total_count"], names.len() + 1);
    for query in ["%27%3B%20DROP", "%3Cscript", "%25_%5C", "%5Cx%5C", "nnnnnn"] {
        running.get(&format!("/v1/datasets?search_query={query}")).await;
    }
    let sql = running.get("/v1/datasets?search_query=DROP+TABLE").await;
    assert_eq!(sql["meta"]["total_count"], 1);
    let wildcard = running.get("/v1/datasets?search_query=%25_%5C").await;
    assert_eq!(wildcard["meta"]["total_count"], 0, "wildcards stand for nothing");
    let script = running.get("/v1/datasets?search_query=script").await["items"][0]["id"].as_str().unwrap().to_owned();
    let path = format!("/v1/lineage/export?start_node_id={script}&at=2026-01-01T10:00:00Z&format=mermaid&depth=2");
    let response = running.client.get(running.url(&path)).send().await.unwrap();
    assert_eq!(response.headers()["x-content-type-options"], "nosniff");
    let text = response.text().await.unwrap();
    assert!(text.contains("&lt;script&gt;") && !text.contains("<script>"), "{text}");
    lives(&running).await;
    running.server.stop().await;
}

/// Texts that try to become SQL, in every parameter of every question.
#[tokio::test(flavor = "multi_thread")]
async fn parameters_are_only_values() {
    let running = server(|_| {}).await;
    running.send(&[event("kept")]).await;
    let texts =
        ["1'; DROP TABLE run; --", "1) OR (1=1", "\" UNION SELECT secret FROM webhook --", "$1", "%", "?", "{}", "\\"];
    for spec in headwater_lineage_server::api::specs().iter().filter(|spec| spec.method == "GET") {
        let path = spec.path.replace("{id}", "1").replace("{dataset_id}", "1");
        for parameter in spec.query {
            for text in texts {
                // What else the question needs, so that the text gets as far as it can.
                let others = spec.query.iter().filter(|other| other.required && other.name != parameter.name);
                let others = others.map(|other| match other.name {
                    "since" | "from" => (other.name, "2026-01-01T00:00:00Z"),
                    _ => (other.name, "1"),
                });
                let query: Vec<(&str, &str)> = others.chain([(parameter.name, text)]).collect();
                let response = running.client.get(running.url(&path)).query(&query).send().await.unwrap();
                let status = response.status().as_u16();
                // 501: there is no provider to come back from.
                assert!(status < 500 || status == 501, "{path} {}={text}: {status}", parameter.name);
            }
        }
    }
    assert_eq!(running.get("/v1/runs").await["meta"]["total_count"], 1);
    assert_eq!(running.get("/v1/webhooks").await["items"], json!([]));
    lives(&running).await;
    running.server.stop().await;
}

/// Texts from events never come back as a page: neither as an answer nor as a message.
#[tokio::test(flavor = "multi_thread")]
async fn nothing_of_an_event_is_served_as_a_page() {
    let running = server(|_| {}).await;
    let script = "<script>alert(1)</script>";
    let mut bad = event(script);
    bad["eventType"] = json!(script);
    running.post("/v1/openlineage", &bad).await;
    running.send(&[event(script)]).await;
    for path in
        ["/v1/datasets", "/v1/jobs", "/v1/quarantine", "/v1/events", "/v1/events/export", "/v1/nothing/%3Cscript%3E"]
    {
        let response = running.client.get(running.url(path)).send().await.unwrap();
        let kind = response.headers()["content-type"].to_str().unwrap().to_owned();
        assert!(!kind.contains("html"), "{path} is {kind}");
        assert_eq!(response.headers()["x-content-type-options"], "nosniff", "{path}");
    }
    let unknown = running.client.get(running.url("/%3Cscript%3Ealert(1)%3C/script%3E")).send().await.unwrap();
    assert!(!unknown.text().await.unwrap().contains(script), "a path comes back as text of a page");
    running.server.stop().await;
}

/// Many small members that unpack to a lot together, and a bomb within a bomb.
#[tokio::test(flavor = "multi_thread")]
async fn bombs_of_other_builds() {
    let running = server(|options| options.unpacked_bytes_max = 1 << 20).await;
    let members = gzip(&vec![b' '; 1 << 19]).repeat(500);
    let (status, answer) = bytes(&running, members, Some("gzip")).await;
    assert_eq!((status, answer["error"]["code"].as_str()), (400, Some("bad_encoding")));
    let twice = gzip(&gzip(&vec![b' '; 64 << 20]));
    assert_eq!(bytes(&running, twice.clone(), Some("gzip")).await.0, 422, "what is inside is not JSON");
    assert_eq!(bytes(&running, twice, Some("gzip, gzip")).await.0, 400);
    let metrics = running.client.get(running.url("/monitoring/metrics")).send().await.unwrap();
    assert!(metrics.status().is_success());
    lives(&running).await;
    running.server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn bodies_have_limits() {
    let running = server(|options| options.unpacked_bytes_max = 1 << 20).await;
    let bomb = gzip(&vec![b' '; 64 << 20]);
    let (status, answer) = bytes(&running, bomb, Some("gzip")).await;
    assert_eq!((status, answer["error"]["code"].as_str()), (400, Some("bad_encoding")));
    assert_eq!(bytes(&running, gzip(event("a").to_string().as_bytes()), Some("gzip")).await.0, 201);
    assert_eq!(bytes(&running, b"junk".to_vec(), Some("gzip")).await.0, 400);
    assert_eq!(bytes(&running, b"junk".to_vec(), Some("br")).await.0, 400);
    let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
    let (status, answer) = bytes(&running, deep.into_bytes(), None).await;
    assert_eq!((status, &answer["summary"]["failed"]), (200, &json!(1)), "a list of one that is broken: {answer}");
    assert_eq!(bytes(&running, vec![0xff, 0xfe, 0x00], None).await.0, 422);
    let mut large = event("large");
    large["run"]["facets"] = json!({"environment-properties": {"x": "y".repeat(2 << 20)}});
    large["job"]["facets"] = json!({"sql": {"query": format!("select '{}'", "z".repeat(2 << 20))}});
    assert_eq!(running.post("/v1/openlineage", &large).await.0, 201);
    let (status, answer) = bytes(&running, vec![b' '; (64 << 20) + 1], None).await;
    assert_eq!((status, answer["error"]["code"].as_str()), (413, Some("too_large")));
    lives(&running).await;
    running.server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_put_aside_can_be_tried_again() {
    let running = server(|_| {}).await;
    let mut bad = event("a");
    bad["eventType"] = json!("EXPLODE");
    assert_eq!(running.post("/v1/openlineage", &bad).await.0, 422);
    let aside = running.get("/v1/quarantine").await;
    let id = aside["items"][0]["id"].as_str().unwrap();
    assert!(aside["items"][0]["body"].as_str().unwrap().contains("EXPLODE"));
    let (_, answer) = running.post(&format!("/v1/quarantine/{id}/replay"), &json!({})).await;
    assert_eq!(answer["taken"], false);
    // A newer server understands what an older one did not; here the stored text is what changes.
    let mended = headwater_lineage_server::ingest::pack(event("a").to_string().as_bytes());
    let params = vec![headwater_lineage_server::store::Param::Bytes(mended)];
    running.server.app().db().execute("UPDATE quarantine SET body = $1", params).await.unwrap();
    let (_, answer) = running.post(&format!("/v1/quarantine/{id}/replay"), &json!({})).await;
    assert_eq!(answer["taken"], true);
    assert_eq!(running.get("/v1/quarantine").await["meta"]["total_count"], 0);
    assert_eq!(running.get("/v1/jobs").await["meta"]["total_count"], 1);
    running.server.stop().await;
}
