//! Every answer of every path of Data.Rentgen 0.7 has the shape that its OpenAPI document declares: what its own web
//! interface is generated from. Each documented operation is called for each documented state that can be brought about.

#![allow(clippy::unwrap_used, clippy::print_stderr, reason = "tests")]

mod support;

use headwater_lineage_server::AuthOptions;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use support::{Running, cases, events, server};

/// Data.Rentgen's document, or none when this checkout has none beside it.
fn document() -> Option<Value> {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/spec/data-rentgen-openapi.json");
    let mut document: Value = serde_json::from_str(&std::fs::read_to_string(path).ok()?).unwrap();
    // It declares kinds as the numbers they are inside; Data.Rentgen's recorded answers, and ours, have their names.
    for schema in document["components"]["schemas"].as_object_mut().unwrap().values_mut() {
        if schema["type"] == "integer" && schema["enum"].is_array() {
            *schema = json!({"type": "string", "pattern": "^[A-Z_]+$"});
        }
    }
    Some(document)
}

/// A call and the state that it has to be answered with.
struct Call {
    method: &'static str,
    /// As the document has it.
    template: &'static str,
    /// What stands for the parameters of the path, and the query.
    path: String,
    body: Option<Value>,
    /// Who calls.
    token: Option<String>,
    status: u16,
}

fn get(template: &'static str, query: &str, token: &str) -> Call {
    let path = format!("{template}{query}");
    Call { method: "GET", template, path, body: None, token: Some(token.to_owned()), status: 200 }
}

impl Call {
    fn refused(mut self, status: u16) -> Self {
        self.status = status;
        self
    }

    fn by_nobody(mut self) -> Self {
        self.token = None;
        self.refused(401)
    }
}

/// A call that changes something.
fn change(method: &'static str, template: &'static str, id: &str, body: Value, token: &str) -> Call {
    let path = template.replace("{location_id}", id).replace("{token_id}", id);
    Call { method, template, path, body: Some(body), token: Some(token.to_owned()), status: 200 }
}

struct Contract {
    document: Value,
    seen: BTreeSet<(String, String, u16)>,
}

impl Contract {
    async fn call(&mut self, running: &Running, call: Call) -> Value {
        let method = reqwest::Method::from_bytes(call.method.as_bytes()).unwrap();
        let mut request = running.client.request(method, running.url(&call.path));
        if let Some(token) = &call.token {
            request = request.bearer_auth(token);
        }
        if let Some(body) = &call.body {
            request = request.json(body);
        }
        let response = request.send().await.unwrap();
        self.check(&call, response).await
    }

    async fn check(&mut self, call: &Call, response: reqwest::Response) -> Value {
        let what = format!("{} {}", call.method, call.path);
        let status = response.status().as_u16();
        let text = response.text().await.unwrap();
        assert_eq!(status, call.status, "{what}: {text}");
        let operation = &self.document["paths"][call.template][call.method.to_lowercase()];
        let declared = &operation["responses"][status.to_string()];
        assert!(declared.is_object(), "{what}: the document has no answer {status}");
        self.seen.insert((call.method.into(), call.template.into(), status));
        let schema = &declared["content"]["application/json"]["schema"];
        if schema.is_null() {
            return Value::Null;
        }
        let answer: Value = serde_json::from_str(&text).unwrap();
        let mut root = schema.as_object().unwrap().clone();
        if status == 401 {
            // The document has room for one of two answers; which it is, the way to log in decides.
            let either = ["NotAuthorizedSchema", "NotAuthorizedRedirectSchema"];
            let either = either.map(|name| json!({"$ref": format!("#/components/schemas/APIErrorSchema_{name}_")}));
            root = json!({"anyOf": either}).as_object().unwrap().clone();
        }
        root.insert("$schema".into(), json!("https://json-schema.org/draft/2020-12/schema"));
        root.insert("components".into(), self.document["components"].clone());
        let validator = jsonschema::options().should_validate_formats(true).build(&Value::Object(root)).unwrap();
        let errors: Vec<String> =
            validator.iter_errors(&answer).map(|e| format!("{} at {}", e, e.instance_path())).collect();
        assert!(errors.is_empty(), "{what}: {errors:#?}\n{answer:#}");
        answer
    }
}

async fn login(contract: &mut Contract, running: &Running) -> String {
    let call = Call {
        method: "POST",
        template: "/v1/auth/token",
        path: "/v1/auth/token".into(),
        body: None,
        token: None,
        status: 200,
    };
    let form = [("grant_type", "password"), ("username", "jane"), ("password", "any")];
    let response = running.client.post(running.url(&call.path)).form(&form).send().await.unwrap();
    let answer = contract.check(&call, response).await;
    contract.call(running, call.refused(422)).await;
    answer["access_token"].as_str().unwrap().to_owned()
}

/// Lists with every filter that the web interface has, and with none.
fn lists(token: &str) -> Vec<Call> {
    let times = "since=2026-01-01T00:00:00Z&until=2027-12-01T00:00:00Z";
    let mut calls = vec![];
    for (template, queries) in [
        ("/v1/datasets", vec!["", "?page=1&page_size=50", "?search_query=orders&location_type=kafka", "?page=9999"]),
        (
            "/v1/jobs",
            vec!["", "?page_size=50", "?search_query=orders", "?job_type=FLINK_JOB&job_type=SPARK_APPLICATION"],
        ),
        ("/v1/jobs/types", vec![""]),
        ("/v1/locations", vec!["", "?page_size=50", "?search_query=broker", "?location_type=kafka"]),
        ("/v1/tags", vec!["", "?search_query=version"]),
        ("/v1/users/me", vec![""]),
        ("/v1/personal-tokens", vec![""]),
    ] {
        calls.extend(queries.into_iter().map(|query| get(template, query, token)));
        calls.push(get(template, "", token).by_nobody());
    }
    calls.push(get("/v1/locations/types", "", token));
    calls.push(get("/v1/runs", &format!("?{times}&page_size=50"), token));
    calls.push(get("/v1/runs", &format!("?{times}&status=STARTED&status=SUCCEEDED"), token));
    calls.push(get("/v1/runs", "", token).by_nobody());
    for (template, query) in [
        ("/v1/datasets", "?page=0"),
        ("/v1/jobs", "?job_id=x"),
        ("/v1/jobs/types", "?x=1"),
        ("/v1/locations", "?search_query=a"),
        ("/v1/tags", "?tag_id=x"),
        ("/v1/runs", "?run_id=x"),
        ("/v1/operations", ""),
        ("/v1/jobs/hierarchy", "?start_node_id=x"),
        ("/v1/datasets/lineage", "?start_node_id=1"),
        ("/v1/jobs/lineage", "?start_node_id=1&since=yesterday"),
        ("/v1/runs/lineage", "?start_node_id=1&since=2026-01-01T00:00:00Z"),
        ("/v1/operations/lineage", "?since=2026-01-01T00:00:00Z"),
    ] {
        calls.push(get(template, query, token).refused(422));
    }
    calls
}

/// Lineage of each thing there is, at each level.
async fn lineage(contract: &mut Contract, running: &Running, token: &str) {
    let common = "since=2026-01-01T00:00:00Z&depth=5&include_column_lineage=true";
    let lists = [
        ("/v1/datasets", "/v1/datasets/lineage", vec!["DATASET", "JOB", "RUN", "OPERATION"]),
        ("/v1/jobs", "/v1/jobs/lineage", vec!["JOB", "RUN"]),
        ("/v1/runs", "/v1/runs/lineage", vec!["RUN", "OPERATION"]),
    ];
    for (list, template, levels) in lists {
        let items = contract.call(running, get(list, "?page_size=50", token)).await["items"].take();
        assert!(!items.as_array().unwrap().is_empty(), "{list} is empty");
        for item in items.as_array().unwrap() {
            let id = item["id"].as_str().unwrap();
            for level in &levels {
                let query = format!("?start_node_id={id}&granularity={level}&{common}");
                contract.call(running, get(template, &query, token)).await;
            }
            if list == "/v1/runs" {
                operations(contract, running, token, id).await;
            }
            if list == "/v1/jobs" {
                let query = format!("?start_node_id={id}&depth=3&infer_from_lineage=true&since=2026-01-01T00:00:00Z");
                contract.call(running, get("/v1/jobs/hierarchy", &query, token)).await;
            }
        }
        contract.call(running, get(template, &format!("?start_node_id=1&{common}"), token).by_nobody()).await;
    }
    contract.call(running, get("/v1/jobs/hierarchy", "?start_node_id=1", token).by_nobody()).await;
}

async fn operations(contract: &mut Contract, running: &Running, token: &str, run: &str) {
    let found = contract.call(running, get("/v1/operations", &format!("?run_id={run}"), token)).await;
    for operation in found["items"].as_array().unwrap() {
        let id = operation["id"].as_str().unwrap();
        let query = format!("?start_node_id={id}&since=2026-01-01T00:00:00Z&include_column_lineage=true");
        contract.call(running, get("/v1/operations/lineage", &query, token)).await;
    }
}

/// Personal tokens and locations, from their making to their end.
async fn changes(contract: &mut Contract, running: &Running, token: &str) {
    const TOKENS: &str = "/v1/personal-tokens";
    const TOKEN: &str = "/v1/personal-tokens/{token_id}";
    const LOCATION: &str = "/v1/locations/{location_id}";
    let nobody = "019b7700-0000-7000-8000-000000000001";
    let made = contract.call(running, change("POST", TOKENS, "", json!({"name": "ci"}), token)).await;
    let id = made["id"].as_str().unwrap();
    contract.call(running, change("POST", TOKENS, "", json!({"name": "ci"}), token).refused(409)).await;
    contract.call(running, change("POST", TOKENS, "", json!({"name": ""}), token).refused(422)).await;
    contract.call(running, change("POST", TOKENS, "", json!({"name": "x"}), token).by_nobody()).await;
    let renewed = contract.call(running, change("PATCH", TOKEN, id, json!({}), token)).await;
    contract.call(running, change("PATCH", TOKEN, nobody, json!({}), token).refused(404)).await;
    contract.call(running, change("PATCH", TOKEN, "x", json!({}), token).refused(422)).await;
    contract.call(running, change("PATCH", TOKEN, id, json!({}), token).by_nobody()).await;
    let id = renewed["id"].as_str().unwrap();
    contract.call(running, change("DELETE", TOKEN, id, json!({}), token).refused(204)).await;
    contract.call(running, change("DELETE", TOKEN, id, json!({}), token).refused(404)).await;
    contract.call(running, change("DELETE", TOKEN, "x", json!({}), token).refused(422)).await;
    contract.call(running, change("DELETE", TOKEN, id, json!({}), token).by_nobody()).await;
    contract.call(running, change("PATCH", LOCATION, "1", json!({"external_id": "x"}), token)).await;
    contract.call(running, change("PATCH", LOCATION, "99999", json!({"external_id": "x"}), token).refused(404)).await;
    contract.call(running, change("PATCH", LOCATION, "x", json!({"external_id": "x"}), token).refused(422)).await;
    contract.call(running, change("PATCH", LOCATION, "1", json!({"external_id": "x"}), token).by_nobody()).await;
}

/// What a server with a dummy login cannot be brought to answer.
fn is_out_of_reach(template: &str, status: u16) -> bool {
    // Success of the ways of a provider; tests/oidc.rs goes them. 400 and 403 are declared for all and given by none.
    let provider = matches!(template, "/v1/auth/callback" | "/v1/auth/logout");
    let declared_for_all =
        matches!(status, 400 | 403 | 409 | 501) || (template == "/v1/personal-tokens" && status == 404);
    provider && status != 501 || declared_for_all && !provider || (template == "/v1/auth/token" && status == 401)
}

#[tokio::test(flavor = "multi_thread")]
async fn every_answer_is_as_data_rentgen_declares_it() {
    let (Some(document), Some(folder)) = (document(), cases()) else {
        eprintln!("skipped: no ../shared beside this checkout");
        return;
    };
    let running = server(|options| {
        options.auth = AuthOptions::Dummy;
        options.silent_days = 3650;
    })
    .await;
    for file in
        ["data-rentgen/events_flink.jsonl", "data-rentgen/events_spark.jsonl", "data-rentgen/events_unknown.jsonl"]
    {
        running.send(&events(&folder.join("events").join(file))).await;
    }
    running.send(&events(&folder.join("events/native_own_integration_full_events.jsonl"))).await;
    let mut contract = Contract { document, seen: BTreeSet::new() };
    let token = login(&mut contract, &running).await;
    for call in lists(&token) {
        contract.call(&running, call).await;
    }
    lineage(&mut contract, &running, &token).await;
    changes(&mut contract, &running, &token).await;
    contract.call(&running, get("/v1/personal-tokens", "?personal_token_id=x", &token).refused(422)).await;
    contract.call(&running, get("/monitoring/ping", "", &token)).await;
    contract.call(&running, get("/monitoring/metrics", "", &token)).await;
    contract.call(&running, get("/v1/auth/callback", "?code=x&state=y", &token).refused(501)).await;
    contract.call(&running, get("/v1/auth/logout", "", &token).refused(501)).await;
    let mut missing = vec![];
    for (template, methods) in contract.document["paths"].as_object().unwrap() {
        for (method, operation) in methods.as_object().unwrap() {
            for status in operation["responses"].as_object().unwrap().keys() {
                let status: u16 = status.parse().unwrap();
                let key = (method.to_uppercase(), template.clone(), status);
                if !contract.seen.contains(&key) && !is_out_of_reach(template, status) {
                    missing.push(key);
                }
            }
        }
    }
    assert!(missing.is_empty(), "never answered: {missing:#?}");
    running.server.stop().await;
}
