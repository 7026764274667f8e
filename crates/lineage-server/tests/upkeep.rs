//! What happens as time goes by: runs go silent, what is old is forgotten, tokens end. With a clock of the tests' own.

#![allow(clippy::unwrap_used, clippy::print_stderr, reason = "tests")]

mod support;

use headwater_env::{Env, SimulatedClock};
use headwater_lineage_server::maintenance::Upkeep;
use headwater_lineage_server::{AuthOptions, Options};
use serde_json::{Value, json};
use std::sync::Arc;
use support::{Running, server_with};

const HOUR_MS: i64 = 3600 * 1000;
const DAY_MS: i64 = 24 * HOUR_MS;
/// 2026-01-01.
const BEGIN_MS: i64 = 1_767_225_600_000;

/// A server whose time is that of the test.
struct Timed {
    running: Running,
    env: Env,
    clock: Arc<SimulatedClock>,
}

async fn timed(change: impl FnOnce(&mut Options)) -> Timed {
    let (env, clock) = Env::simulated(7, BEGIN_MS);
    let running = server_with(env.clone(), change).await;
    Timed { running, env, clock }
}

impl Timed {
    /// An event of now.
    async fn tell(&self, kind: &str, run: u8, job: &str, datasets: Option<(&str, &str)>) {
        let at = chrono::DateTime::from_timestamp_millis(self.env.now_ms()).unwrap().to_rfc3339();
        let dataset = |name: &str| json!([{"namespace": "kafka://k:1", "name": name}]);
        let (inputs, outputs) = datasets.map_or((json!([]), json!([])), |(from, to)| (dataset(from), dataset(to)));
        let event = json!({
            "eventTime": at, "eventType": kind, "run": {"runId": uuid(run)},
            "job": {"namespace": "http://j:1", "name": job},
            "inputs": inputs, "outputs": outputs,
        });
        self.running.send(&[event]).await;
    }

    async fn round(&self, upkeep: &mut Upkeep) {
        upkeep.round(self.running.server.app()).await.unwrap();
    }

    async fn count(&self, path: &str) -> i64 {
        self.running.get(path).await["meta"]["total_count"].as_i64().unwrap()
    }

    /// Runs that are stale now.
    async fn stale(&self) -> Vec<String> {
        let answer = self.running.get("/v1/stale").await;
        answer["items"].as_array().unwrap().iter().map(|run| run["id"].as_str().unwrap().to_owned()).collect()
    }
}

fn uuid(run: u8) -> String {
    format!("9b770000-0000-4000-8000-00000000000{run}")
}

/// Names of jobs with edges at a dataset, whenever that was.
async fn jobs_at(timed: &Timed, dataset: &str) -> Vec<String> {
    let found = timed.running.get(&format!("/v1/datasets?search_query={dataset}")).await;
    let id = found["items"][0]["id"].as_str().unwrap();
    let path = format!("/v1/datasets/lineage?start_node_id={id}&since=1970-01-01T00:00:00Z&granularity=JOB");
    let answer = timed.running.get(&path).await;
    let jobs = answer["nodes"]["jobs"].as_object().unwrap();
    jobs.values().map(|job| job["name"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_old_is_forgotten_and_a_stream_that_is_heard_of_stays() {
    let timed = timed(|options| {
        options.retention_days = Some(30);
        options.silent_days = 3650;
    })
    .await;
    let mut upkeep = Upkeep::default();
    timed.tell("START", 1, "batch", Some(("source", "target"))).await;
    timed.tell("COMPLETE", 1, "batch", Some(("source", "target"))).await;
    // The stream names its datasets once, at its beginning.
    timed.tell("START", 2, "stream", Some(("source", "other"))).await;
    timed.running.post("/v1/openlineage", &json!({"nonsense": true})).await;
    timed.clock.advance_ms(20 * DAY_MS);
    timed.tell("RUNNING", 2, "stream", None).await;
    timed.round(&mut upkeep).await;
    assert_eq!((timed.count("/v1/runs").await, timed.count("/v1/quarantine").await), (2, 1));
    timed.clock.advance_ms(15 * DAY_MS);
    timed.round(&mut upkeep).await;
    assert_eq!((timed.count("/v1/runs").await, timed.count("/v1/quarantine").await), (1, 0));
    assert_eq!(timed.count(&format!("/v1/events?run_id={}", uuid(1))).await, 0);
    assert_eq!(jobs_at(&timed, "source").await, ["stream"]);
    assert!(jobs_at(&timed, "target").await.is_empty());
    // The stream's edges come from an event that is older than the retention: a rebuild must still find it.
    assert_eq!(timed.running.post("/v1/admin/rebuild", &json!({})).await.0, 200);
    assert_eq!(jobs_at(&timed, "source").await, ["stream"]);
    // Late news of a forgotten run is news.
    timed.tell("COMPLETE", 1, "batch", Some(("source", "target"))).await;
    assert_eq!(timed.count("/v1/runs").await, 2);
    timed.running.server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_retention_nothing_is_forgotten() {
    let timed = timed(|_| {}).await;
    timed.tell("COMPLETE", 1, "batch", Some(("source", "target"))).await;
    timed.clock.advance_ms(4000 * DAY_MS);
    timed.round(&mut Upkeep::default()).await;
    assert_eq!((timed.count("/v1/runs").await, timed.count("/v1/events").await), (1, 1));
    timed.running.server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_that_goes_silent_is_stale_until_it_is_heard_of_or_ends() {
    let timed = timed(|options| options.stale_hours = 24).await;
    timed.tell("START", 1, "stream", Some(("source", "target"))).await;
    timed.tell("COMPLETE", 2, "batch", Some(("source", "target"))).await;
    timed.clock.advance_ms(23 * HOUR_MS);
    assert!(timed.stale().await.is_empty());
    timed.clock.advance_ms(2 * HOUR_MS);
    assert_eq!(timed.stale().await, [uuid(1)], "the run that ended is not waited for");
    let freshness = timed.running.get("/v1/freshness").await;
    let states: Vec<&Value> = freshness["items"].as_array().unwrap().iter().map(|edge| &edge["status"]).collect();
    assert!(states.iter().all(|state| **state == "STALE"), "{freshness}");
    timed.tell("RUNNING", 1, "stream", None).await;
    assert!(timed.stale().await.is_empty());
    timed.clock.advance_ms(25 * HOUR_MS);
    assert_eq!(timed.stale().await, [uuid(1)]);
    timed.tell("ABORT", 1, "stream", None).await;
    assert!(timed.stale().await.is_empty());
    timed.running.server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn tokens_end_with_their_day_and_logins_with_their_hours() {
    let timed = timed(|options| options.auth = AuthOptions::Dummy).await;
    let client = timed.running.client.clone();
    let form = [("username", "jane"), ("password", "any")];
    let answer = client.post(timed.running.url("/v1/auth/token")).form(&form).send().await.unwrap();
    let login = answer.json::<Value>().await.unwrap()["access_token"].as_str().unwrap().to_owned();
    let url = timed.running.url("/v1/datasets");
    let ask = |token: &str| {
        let request = client.get(&url).bearer_auth(token).send();
        async { request.await.unwrap().status().as_u16() }
    };
    let make = client.post(timed.running.url("/v1/personal-tokens")).bearer_auth(&login);
    let made = make.json(&json!({"name": "ci", "until": "2026-01-02"})).send().await.unwrap();
    let personal = made.json::<Value>().await.unwrap()["content"].as_str().unwrap().to_owned();
    assert_eq!((ask(&login).await, ask(&personal).await), (200, 200));
    timed.clock.advance_ms(47 * HOUR_MS);
    assert_eq!((ask(&login).await, ask(&personal).await), (401, 200));
    timed.clock.advance_ms(2 * HOUR_MS);
    assert_eq!(ask(&personal).await, 401);
    timed.running.server.stop().await;
}
