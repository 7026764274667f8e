//! The http transport against servers that take, refuse, hang and are not there.

#![allow(clippy::unwrap_used, reason = "a test may fail here")]

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use headwater_env::Env;
use headwater_lineage::model::{EventType, RunEvent};
use headwater_lineage::{JobLineage, Observation, Producer, Run, run_event};
use headwater_lineage_client::{Client, Counters, Limits};
use serde_json::{Value, json};
use std::io::Read;
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// What a server has seen, and how it answers.
#[derive(Clone)]
struct Seen {
    requests: Arc<Mutex<Vec<(HeaderMap, Value)>>>,
    /// What the token endpoint was sent.
    forms: Arc<Mutex<Vec<String>>>,
    /// Statuses of the next answers; 200 after them.
    answers: Arc<Mutex<Vec<StatusCode>>>,
    delay: Duration,
}

struct Server {
    seen: Seen,
    url: String,
    _runtime: tokio::runtime::Runtime,
}

fn serve(answers: &[u16], delay: Duration) -> Server {
    let answers = answers.iter().rev().map(|code| StatusCode::from_u16(*code).unwrap()).collect();
    let (requests, forms) = (Arc::default(), Arc::default());
    let seen = Seen { requests, forms, answers: Arc::new(Mutex::new(answers)), delay };
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let app = Router::new().route("/api/v1/lineage", post(take)).route("/token", post(give)).with_state(seen.clone());
    let listener = runtime.block_on(tokio::net::TcpListener::bind("127.0.0.1:0")).unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    runtime.spawn(async move { axum::serve(listener, app).await });
    Server { seen, url, _runtime: runtime }
}

async fn take(State(seen): State<Seen>, headers: HeaderMap, body: Bytes) -> StatusCode {
    tokio::time::sleep(seen.delay).await;
    let answer = seen.answers.lock().unwrap().pop().unwrap_or(StatusCode::OK);
    if answer.is_success() {
        let text = match headers.get("content-encoding").map(|v| v.to_str().unwrap().to_owned()).as_deref() {
            Some("gzip") => {
                let mut text = String::new();
                flate2::read::GzDecoder::new(&body[..]).read_to_string(&mut text).unwrap();
                text
            }
            _ => String::from_utf8(body.to_vec()).unwrap(),
        };
        seen.requests.lock().unwrap().push((headers, serde_json::from_str(&text).unwrap()));
    }
    answer
}

/// The token endpoint: tokens are numbered, and good for so many seconds as the key says.
async fn give(State(seen): State<Seen>, body: String) -> (StatusCode, String) {
    let mut forms = seen.forms.lock().unwrap();
    let seconds = body.split('&').find_map(|pair| pair.strip_prefix("apikey=good-for-")).map(str::to_owned);
    forms.push(body);
    let expires = seconds.map(|seconds| format!(", \"expires_in\": {seconds}")).unwrap_or_default();
    (StatusCode::OK, format!("{{\"access_token\": \"t{}\"{expires}}}", forms.len()))
}

fn event(kind: EventType) -> RunEvent {
    let lineage = JobLineage { name: "job".to_owned(), ..JobLineage::default() };
    run_event(&Producer::default(), &lineage, &Run::default(), &Observation::new(kind, 1))
}

fn limits() -> Limits {
    Limits {
        pause: Duration::from_millis(1),
        open: (Duration::from_millis(5), Duration::from_millis(10)),
        close_timeout: Duration::from_millis(500),
        ..Limits::default()
    }
}

fn client(config: &Value, limits: Limits) -> Client {
    Client::start(config, limits, &Env::real()).unwrap()
}

fn until(client: &Client, reached: impl Fn(Counters) -> bool) -> Counters {
    while !reached(client.counters()) {
        std::thread::yield_now();
    }
    client.counters()
}

#[test]
fn an_event_arrives_compressed_and_with_its_key() {
    let server = serve(&[], Duration::ZERO);
    let config = json!({"type": "http", "url": server.url, "compression": "gzip", "headers": {"X-Team": "data"},
        "auth": {"type": "api_key", "apiKey": "k3y"}});
    drop({
        let client = client(&config, limits());
        client.emit(&event(EventType::Start));
        client
    });
    let requests = server.seen.requests.lock().unwrap();
    let (headers, body) = &requests[0];
    assert_eq!(
        (headers["authorization"].to_str().unwrap(), headers["x-team"].to_str().unwrap()),
        ("Bearer k3y", "data")
    );
    assert_eq!(body["eventType"], "START");
}

/// The bearer tokens of three events, of which the server refuses as many as there are `answers`.
fn tokens(key: &str, answers: &[u16]) -> (Vec<String>, Vec<String>) {
    let server = serve(answers, Duration::ZERO);
    let endpoint = format!("{}/token", server.url);
    let auth = json!({"type": "jwt", "apiKey": key, "tokenEndpoint": endpoint, "tokenRefreshBuffer": "60"});
    let client = client(&json!({"type": "http", "url": server.url, "auth": auth}), limits());
    for kind in [EventType::Start, EventType::Running, EventType::Complete] {
        client.emit(&event(kind));
    }
    until(&client, |counters| counters.sent == 3);
    let requests = server.seen.requests.lock().unwrap();
    let sent = requests.iter().map(|(headers, _)| headers["authorization"].to_str().unwrap().to_owned()).collect();
    (sent, server.seen.forms.lock().unwrap().clone())
}

#[test]
fn a_token_is_fetched_once_and_again_before_it_ends_or_when_it_is_refused() {
    let (sent, forms) = tokens("hush", &[]);
    assert_eq!(sent, ["Bearer t1"; 3]);
    assert_eq!(
        forms,
        ["apikey=hush&grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Ajwt-bearer&response_type=token"]
    );
    assert_eq!(tokens("good-for-3600", &[]).0, ["Bearer t1"; 3]);
    assert_eq!(tokens("good-for-30", &[]).0, ["Bearer t1", "Bearer t2", "Bearer t3"]);
    assert_eq!(tokens("hush", &[401]).0, ["Bearer t2"; 3]);
}

#[test]
fn errors_of_the_server_are_tried_again_in_order() {
    let server = serve(&[500, 503, 429], Duration::ZERO);
    let directory = tempfile::tempdir().unwrap();
    let limits = Limits { spool: Some(directory.path().to_owned()), ..limits() };
    let client = client(&json!({"type": "http", "url": server.url}), limits);
    client.emit(&event(EventType::Start));
    client.emit(&event(EventType::Complete));
    let counters = until(&client, |counters| counters.sent == 2);
    assert_eq!((counters.failed_attempts, counters.dropped), (3, 0));
    let requests = server.seen.requests.lock().unwrap();
    let kinds: Vec<_> = requests.iter().map(|(_, body)| body["eventType"].as_str().unwrap().to_owned()).collect();
    assert_eq!(kinds, ["START", "COMPLETE"]);
}

#[test]
fn an_event_that_is_refused_for_good_does_not_hold_others_up() {
    let server = serve(&[422], Duration::ZERO);
    let client = client(&json!({"type": "http", "url": server.url}), limits());
    client.emit(&event(EventType::Start));
    client.emit(&event(EventType::Complete));
    let counters = until(&client, |counters| counters.sent == 1);
    assert_eq!(counters.refused, 1);
}

#[test]
fn a_dead_endpoint_fills_the_spool_and_the_next_process_sends_it() {
    let directory = tempfile::tempdir().unwrap();
    let limits = Limits { spool: Some(directory.path().to_owned()), ..limits() };
    let dead = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let first = client(&json!({"type": "http", "url": format!("http://{dead}")}), limits.clone());
    for _ in 0..5 {
        first.emit(&event(EventType::Start));
    }
    let counters = until(&first, |counters| counters.spooled == 5);
    assert!(counters.breaker_opened == 1 && counters.dropped == 0, "{counters:?}");
    drop(first);

    let server = serve(&[], Duration::ZERO);
    let second = client(&json!({"type": "http", "url": server.url}), limits);
    until(&second, |counters| counters.sent == 5);
}

#[test]
fn emitting_to_a_slow_endpoint_takes_no_time() {
    let server = serve(&[], Duration::from_secs(3600));
    let config = json!({"type": "http", "url": server.url, "timeoutInMillis": 100});
    let limits = Limits { queue_bytes: 64 << 10, ..limits() };
    let client = client(&config, limits);
    let env = Env::real();
    let started = env.clock().monotonic_ns();
    for _ in 0..2000 {
        client.emit(&event(EventType::Running));
    }
    let took = Duration::from_nanos(env.clock().monotonic_ns() - started);
    // 2000 answers of this endpoint would take 200 s, and the queue holds a few hundred events.
    assert!(took < Duration::from_secs(20), "{took:?}");
    assert!(client.counters().dropped > 0);
    let started = env.clock().monotonic_ns();
    drop(client);
    let took = Duration::from_nanos(env.clock().monotonic_ns() - started);
    assert!(took < Duration::from_secs(10), "{took:?}");
}

#[test]
fn a_composite_gives_each_part_each_event_once() {
    let (first, second) = (serve(&[], Duration::ZERO), serve(&[500, 500], Duration::ZERO));
    let part = |url: &str| json!({"type": "http", "url": url});
    let config = json!({"type": "composite", "transports": [part(&first.url), part(&second.url)]});
    let client = client(&config, limits());
    client.emit(&event(EventType::Start));
    until(&client, |counters| counters.sent == 1);
    for server in [&first, &second] {
        assert_eq!(server.seen.requests.lock().unwrap().len(), 1);
    }
}

#[test]
fn a_wrong_configuration_is_refused_without_telling_secrets() {
    for (config, expected) in [
        (json!({"type": "htp"}), "did you mean 'http'"),
        (json!({"type": "http"}), "transport.url"),
        (json!({"type": "http", "url": "ftp://h"}), "http://"),
        (json!({"type": "http", "url": "http://h", "auth": {"type": "oauth", "apiKey": "hush"}}), "auth.type"),
        (json!({"type": "http", "url": "http://h", "auth": {"type": "jwt", "apiKey": "hush"}}), "tokenEndpoint"),
        (json!({"type": "http", "url": "http://h", "auth": {"type": "jwt", "tokenEndpoint": "http://h"}}), "apiKey"),
        (json!({"type": "http", "url": "http://h", "headers": {"a": "hush\n"}}), "headers.a"),
        (json!({"type": "kafka", "topicName": "t"}), "bootstrap.servers"),
        (json!({"type": "file"}), "transport.location"),
        (json!({"type": "composite", "transports": []}), "transports"),
    ] {
        let error = Client::start(&config, limits(), &Env::real()).err().unwrap().to_string();
        assert!(error.contains(expected) && !error.contains("hush"), "{error}");
    }
}
