//! Calls of webhooks: what they say and how they are signed, tries, and receivers that are dead.

#![allow(clippy::unwrap_used, clippy::print_stderr, reason = "tests")]

mod support;

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use headwater_lineage_server::webhooks::sign;
use serde_json::{Value, json};
use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use support::{Running, server};
use tokio::sync::mpsc;

/// How long a call may take to come; never waited for where things work.
const PATIENCE: Duration = Duration::from_secs(30);

struct Call {
    signature: Option<String>,
    body: Vec<u8>,
}

impl Call {
    fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }
}

/// Answers with the given states in turn, then with 200.
#[derive(Clone)]
struct Script {
    calls: mpsc::UnboundedSender<Call>,
    states: Arc<Mutex<VecDeque<StatusCode>>>,
}

async fn take(State(script): State<Script>, headers: HeaderMap, body: Bytes) -> StatusCode {
    let signature = headers.get("x-lineage-signature").map(|value| value.to_str().unwrap().to_owned());
    script.calls.send(Call { signature, body: body.to_vec() }).unwrap();
    script.states.lock().unwrap().pop_front().unwrap_or(StatusCode::OK)
}

/// A receiver's address and the calls of it.
async fn receiver(states: &[StatusCode]) -> (String, mpsc::UnboundedReceiver<Call>) {
    let (calls, received) = mpsc::unbounded_channel();
    let script = Script { calls, states: Arc::new(Mutex::new(states.iter().copied().collect())) };
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/hook?key=secret-in-address", listener.local_addr().unwrap());
    let router = Router::new().route("/hook", post(take)).with_state(script);
    tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
    (url, received)
}

async fn next(calls: &mut mpsc::UnboundedReceiver<Call>) -> Call {
    tokio::time::timeout(PATIENCE, calls.recv()).await.expect("a call comes").unwrap()
}

async fn register(running: &Running, url: &str, events: &[&str], secret: Option<&str>) {
    let (status, answer) = running.post("/v1/webhooks", &json!({"url": url, "events": events, "secret": secret})).await;
    assert_eq!(status, 200, "{answer}");
    assert!(!answer.to_string().contains("s3cret"), "a secret is shown: {answer}");
}

async fn fail(running: &Running, run: usize) {
    let event = json!({
        "eventTime": "2026-01-01T10:00:00Z", "eventType": "FAIL",
        "run": {"runId": format!("9b770000-0000-4000-8000-{run:012}"), "facets": {"errorMessage": {"message": "disk full"}}},
        "job": {"namespace": "http://j:1", "name": "job"},
    });
    running.send(&[event]).await;
}

/// The outcome of the first webhook once it has one.
async fn outcome(running: &Running) -> Value {
    loop {
        let hook = running.get("/v1/webhooks").await["items"][0].clone();
        if hook["delivered"] != 0 || hook["failed"] != 0 {
            return hook;
        }
        tokio::task::yield_now().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn calls_are_signed_and_say_what_happened() {
    let running = server(|_| {}).await;
    let (url, mut calls) = receiver(&[]).await;
    register(&running, &url, &["RUN_FAILED"], Some("s3cret")).await;
    let (plain, mut unsigned) = receiver(&[]).await;
    register(&running, &plain, &["QUARANTINE"], None).await;
    fail(&running, 1).await;
    let call = next(&mut calls).await;
    let body = String::from_utf8(call.body.clone()).unwrap();
    assert_eq!(call.signature, Some(format!("sha256={}", sign("s3cret", &body))));
    assert_eq!(call.json()["event"], "RUN_FAILED");
    assert_eq!(call.json()["data"]["reason"], "disk full");
    assert_eq!(call.json()["data"]["job"]["name"], "job");
    running.post("/v1/openlineage", &json!({"eventTime": "never"})).await;
    let call = next(&mut unsigned).await;
    assert_eq!((call.signature.clone(), &call.json()["event"]), (None, &json!("QUARANTINE")));
    assert!(calls.try_recv().is_err(), "news that was not asked for");
    let hook = outcome(&running).await;
    assert_eq!((&hook["delivered"], &hook["failed"], &hook["last_error"]), (&json!(1), &json!(0), &json!(null)));
    running.server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_breaking_schema_is_told_with_who_brought_it() {
    let running = server(|_| {}).await;
    let (url, mut calls) = receiver(&[]).await;
    register(&running, &url, &["SCHEMA_BREAK"], None).await;
    for (run, kind) in [(1, "INT"), (2, "INT"), (3, "STRING")] {
        let fields = json!({"fields": [{"name": "x", "type": kind}]});
        let event = json!({
            "eventTime": format!("2026-01-0{run}T10:00:00Z"), "eventType": "COMPLETE",
            "run": {"runId": format!("9b770000-0000-4000-8000-00000000000{run}")},
            "job": {"namespace": "http://j:1", "name": "job"},
            "outputs": [{"namespace": "kafka://k:1", "name": "out", "facets": {"schema": fields}}],
        });
        running.send(&[event]).await;
    }
    let call = next(&mut calls).await.json();
    assert_eq!(call["event"], "SCHEMA_BREAK");
    assert!(call["data"].to_string().contains("000000000003"), "the run that broke it is named: {call}");
    running.server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_that_fails_is_tried_again_and_then_given_up() {
    let running = server(|_| {}).await;
    let busy = [StatusCode::SERVICE_UNAVAILABLE, StatusCode::TOO_MANY_REQUESTS];
    let (url, mut calls) = receiver(&busy).await;
    register(&running, &url, &["RUN_FAILED"], None).await;
    fail(&running, 1).await;
    for _ in 0..3 {
        next(&mut calls).await;
    }
    let hook = outcome(&running).await;
    assert_eq!((&hook["delivered"], &hook["failed"]), (&json!(1), &json!(0)));
    running.server.stop().await;

    let running = server(|_| {}).await;
    let (url, mut calls) = receiver(&[StatusCode::INTERNAL_SERVER_ERROR; 9]).await;
    register(&running, &url, &["RUN_FAILED"], None).await;
    fail(&running, 1).await;
    let hook = outcome(&running).await;
    assert_eq!((&hook["delivered"], &hook["failed"]), (&json!(0), &json!(1)));
    let error = hook["last_error"].as_str().unwrap();
    assert!(error.contains("500") && !error.contains("secret-in-address"), "{error}");
    let tries = std::iter::from_fn(|| calls.try_recv().ok()).count();
    assert_eq!(tries, 4);
    running.server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dead_receiver_holds_up_nobody() {
    let running = server(|_| {}).await;
    // Takes connections and never answers.
    let dead = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    register(&running, &format!("http://{}/", dead.local_addr().unwrap()), &["RUN_FAILED"], None).await;
    let (url, mut calls) = receiver(&[]).await;
    register(&running, &url, &["RUN_FAILED"], None).await;
    // More than wait for one receiver: the rest is dropped, and counted.
    let failures = 150;
    let healthy = async {
        for _ in 0..failures {
            next(&mut calls).await;
        }
    };
    let sending = async {
        for run in 0..failures {
            fail(&running, run).await;
        }
    };
    tokio::join!(sending, healthy);
    let metrics = running.client.get(running.url("/monitoring/metrics")).send().await.unwrap().text().await.unwrap();
    let dropped =
        metrics.lines().find(|line| line.contains("webhook") && line.contains("fail") && !line.starts_with('#'));
    let dropped: f64 = dropped.unwrap().rsplit(' ').next().unwrap().parse().unwrap();
    assert!(dropped >= 40.0, "{metrics}");
    // The end does not wait for it either.
    tokio::time::timeout(PATIENCE, running.server.stop()).await.expect("the server stops");
}
