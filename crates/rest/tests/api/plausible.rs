//! What the numbers of a job with several vertices say is so: they fit each other, the job, and the time.

use crate::fixture::Fixture;
use headwater_env::Env;
use headwater_rest::testing::http;
use serde_json::Value;
use std::collections::BTreeMap;

/// Two sources with watermarks, a join and an aggregation: four vertices.
const SCRIPT: &str = "
CREATE TABLE orders (id BIGINT, item INT, ts AS LOCALTIMESTAMP, WATERMARK FOR ts AS ts - INTERVAL '1' SECOND)
  WITH ('connector' = 'datagen', 'rows-per-second' = '500', 'fields.item.min' = '1', 'fields.item.max' = '9');
CREATE TABLE items (item INT, name STRING, ts AS LOCALTIMESTAMP, WATERMARK FOR ts AS ts - INTERVAL '1' SECOND) WITH ('connector' = 'datagen', 'rows-per-second' = '10',
  'fields.item.min' = '1', 'fields.item.max' = '9', 'fields.name.length' = '3');
CREATE TABLE counts (name STRING, n BIGINT) WITH ('connector' = 'blackhole');
INSERT INTO counts SELECT name, COUNT(*) FROM (SELECT item FROM orders) AS o
  JOIN (SELECT item, name FROM items) AS i ON o.item = i.item GROUP BY name;
";

/// A job that fails in the second subtask of a keyed vertex, or the first.
const FAILING: &str = "
CREATE TABLE names (name STRING) WITH ('connector' = 'datagen', 'rows-per-second' = '100', 'fields.name.length' = '2');
CREATE TABLE counts (n INT, c BIGINT) WITH ('connector' = 'blackhole');
INSERT INTO counts SELECT CAST(name || 'x' AS INT), COUNT(*) FROM names GROUP BY name;
";

fn number(value: &Value) -> f64 {
    let text = value.as_str().map(str::to_owned).unwrap_or_else(|| value.to_string());
    text.parse().unwrap_or_else(|_| panic!("{value} is no number"))
}

fn list(value: &Value) -> &[Value] {
    value.as_array().unwrap_or_else(|| panic!("{value} is no list"))
}

/// Looks until something is so.
fn until<T>(mut look: impl FnMut() -> Option<T>) -> T {
    let env = Env::real();
    let until_ms = env.now_ms() + 60_000;
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(env.now_ms() < until_ms, "it does not happen");
        std::thread::yield_now();
    }
}

struct Job {
    fixture: Fixture,
    at: String,
}

impl Job {
    fn new(script: &str, settings: &[(&str, &str)]) -> Self {
        let fixture = Fixture::of(script, settings);
        let at = format!("/jobs/{}", fixture.job.id());
        Self { fixture, at }
    }

    fn get(&self, path: &str) -> Value {
        self.fixture.get(&format!("{}{path}", self.at))
    }

    /// Vertices by their ids, once all of them have seen rows.
    fn vertices(&self) -> BTreeMap<String, Value> {
        until(|| {
            let details = self.get("");
            let vertices = list(&details["vertices"]);
            let rows = |vertex: &Value| {
                number(&vertex["metrics"]["read-records"]) + number(&vertex["metrics"]["write-records"])
            };
            let all = vertices.iter().all(|vertex| rows(vertex) > 0.0);
            let by_id =
                vertices.iter().map(|vertex| (vertex["id"].as_str().unwrap_or_default().to_owned(), vertex.clone()));
            all.then(|| by_id.collect())
        })
    }

    /// The vertices that nothing flows into.
    fn sources(&self) -> Vec<String> {
        let plan = self.get("/plan");
        let sources = list(&plan["plan"]["nodes"]).iter().filter(|node| node["inputs"].is_null());
        sources.map(|node| node["id"].as_str().unwrap_or_default().to_owned()).collect()
    }
}

#[test]
fn the_numbers_of_a_job_fit_each_other() {
    let job = Job::new(SCRIPT, &[]);
    let vertices = job.vertices();
    assert!(vertices.len() >= 4, "{vertices:?}");
    rows_flow_on(&job);
    subtasks_add_up(&job, &vertices);
    measures_are_those_of_their_subtasks(&job, &vertices);
    a_second_is_spent(&job, &vertices);
    watermarks_are_of_now(&job);
    checkpoints_are_those_of_their_subtasks(&job, &vertices);
    times_are_in_order(&job, &vertices);
    wrong_queries_are_refused(&job, &vertices);
}

/// What sources write, those behind them read: never more than was written.
fn rows_flow_on(job: &Job) {
    let (before, after) = (job.get(""), job.get(""));
    let plan = job.get("/plan");
    let rows = |of: &Value, id: &Value, field: &str| {
        let vertex = list(&of["vertices"]).iter().find(|vertex| vertex["id"] == *id).cloned().unwrap_or_default();
        number(&vertex["metrics"][field])
    };
    for node in list(&plan["plan"]["nodes"]) {
        // As in Flink, a source has no such field.
        let Some(inputs) = node["inputs"].as_array() else { continue };
        let read = rows(&before, &node["id"], "read-records");
        let written: f64 = inputs.iter().map(|input| rows(&after, &input["id"], "write-records")).sum();
        assert!(read > 0.0 && read <= written, "{node}: {read} of {written}");
    }
}

/// The numbers of a vertex are the sums of its subtasks'.
fn subtasks_add_up(job: &Job, vertices: &BTreeMap<String, Value>) {
    for id in vertices.keys() {
        let details = job.get(&format!("/vertices/{id}"));
        let subtasks = list(&details["subtasks"]);
        assert_eq!(subtasks.len() as u64, details["parallelism"].as_u64().unwrap_or_default());
        for field in ["read-records", "write-records", "accumulated-idle-time"] {
            let sum: f64 = subtasks.iter().map(|subtask| number(&subtask["metrics"][field])).sum();
            let spread = &details["aggregated"]["metrics"][field];
            assert_eq!(number(&spread["sum"]), sum, "{field} of {details}");
            assert!(number(&spread["min"]) <= number(&spread["median"]), "{spread}");
            assert!(number(&spread["median"]) <= number(&spread["max"]), "{spread}");
        }
        for subtask in subtasks {
            assert_eq!(subtask["status"], "RUNNING");
            let one = job.get(&format!("/vertices/{id}/subtasks/{}", subtask["subtask"]));
            assert!(number(&one["metrics"]["read-records"]) >= number(&subtask["metrics"]["read-records"]), "{one}");
        }
    }
}

/// `get` with `agg` and `subtasks`: between what the subtasks say before and behind it.
fn measures_are_those_of_their_subtasks(job: &Job, vertices: &BTreeMap<String, Value>) {
    for id in vertices.keys() {
        let at = format!("/vertices/{id}/subtasks");
        let own = |index: u32| {
            let value = job.get(&format!("{at}/{index}/metrics?get=numRecordsOut"));
            number(&list(&value)[0]["value"])
        };
        let count = number(&vertices[id]["parallelism"]) as u32;
        let all = |of: &dyn Fn(u32) -> f64| (0..count).map(of).sum::<f64>();
        let before = all(&own);
        let range = format!("subtasks=0-{}", count - 1);
        let measured = job.get(&format!("{at}/metrics?get=numRecordsOut&agg=min,max,avg,sum,skew&{range}"));
        let after = all(&own);
        let measured = &list(&measured)[0];
        let field = |name: &str| number(&measured[name]);
        assert!(before <= field("sum") && field("sum") <= after, "{before} {measured} {after}");
        assert!(field("min") <= field("avg") && field("avg") <= field("max"), "{measured}");
        assert!((field("avg") * f64::from(count) - field("sum")).abs() < 1e-3, "{measured}");
        assert!((0.0..=100.0).contains(&field("skew")), "{measured}");
        let first = job.get(&format!("{at}/metrics?get=numRecordsOut&agg=sum&subtasks=0"));
        let names: Vec<&String> = list(&first)[0].as_object().into_iter().flatten().map(|(name, _)| name).collect();
        assert_eq!(names, ["id", "sum"]);
        assert!(number(&list(&first)[0]["sum"]) <= own(0));
    }
}

/// Busy, idle and back-pressured time of a subtask are a second each second.
fn a_second_is_spent(job: &Job, vertices: &BTreeMap<String, Value>) {
    let names = "busyTimeMsPerSecond,idleTimeMsPerSecond,backPressuredTimeMsPerSecond,numRecordsOutPerSecond";
    for id in vertices.keys() {
        until(|| {
            let values = job.get(&format!("/vertices/{id}/subtasks/0/metrics?get={names}"));
            let of = |name: &str| {
                list(&values).iter().find(|value| value["id"] == name).map(|value| number(&value["value"]))
            };
            let times = ["busyTimeMsPerSecond", "idleTimeMsPerSecond", "backPressuredTimeMsPerSecond"].map(of);
            let sum: f64 = times.into_iter().map(|time| time.unwrap_or_else(|| panic!("{values}"))).sum();
            (700.0..=1300.0).contains(&sum).then_some(())
        });
        let pressure = job.get(&format!("/vertices/{id}/backpressure"));
        for subtask in list(&pressure["subtasks"]) {
            let ratio = |name: &str| number(&subtask[name]);
            assert!(
                ["ratio", "busyRatio", "idleRatio"].iter().all(|name| (0.0..=1.0).contains(&ratio(name))),
                "{subtask}"
            );
        }
    }
    let at = format!("/vertices/{}/subtasks/metrics?get=numRecordsOutPerSecond&agg=sum", job.sources()[0]);
    // Sources are told how much to make: 500 or 10 rows a second, on a machine that does other things as well.
    until(|| (1.0..=1500.0).contains(&number(&list(&job.get(&at))[0]["sum"])).then_some(()));
}

/// The watermark of the orders is about a second behind the clock.
fn watermarks_are_of_now(job: &Job) {
    let ids: Vec<String> = job.vertices().into_keys().collect();
    until(|| {
        let now_ms = Env::real().now_ms() as f64;
        let values = ids.iter().flat_map(|id| list(&job.get(&format!("/vertices/{id}/watermarks"))).to_vec());
        let of_now = |value: Value| {
            let is_named = value["id"].as_str().is_some_and(|id| id.ends_with(".currentInputWatermark"));
            // The session's zone may be any.
            is_named && (now_ms - number(&value["value"])).abs() < 86_400_000.0
        };
        values.into_iter().any(of_now).then_some(())
    });
}

fn checkpoints_are_those_of_their_subtasks(job: &Job, vertices: &BTreeMap<String, Value>) {
    let at = format!("{}/checkpoints", job.at);
    let (_, outcome) = job.fixture.operate(&at, "{}", &at);
    let checkpoint = &outcome["operation"]["checkpointId"];
    let details = job.get(&format!("/checkpoints/details/{checkpoint}"));
    assert_eq!(details["status"], "COMPLETED", "{details}");
    let (triggered, duration) = (number(&details["trigger_timestamp"]), number(&details["end_to_end_duration"]));
    let subtasks: f64 = vertices.values().map(|vertex| number(&vertex["parallelism"])).sum();
    assert_eq!(number(&details["num_subtasks"]), subtasks);
    assert_eq!(number(&details["num_acknowledged_subtasks"]), subtasks);
    let mut bytes = 0.0;
    for id in vertices.keys() {
        let of = job.get(&format!("/checkpoints/details/{checkpoint}/subtasks/{id}"));
        assert_eq!(list(&of["subtasks"]).len() as f64, number(&of["num_subtasks"]), "{of}");
        for subtask in list(&of["subtasks"]) {
            assert_eq!(subtask["status"], "completed", "{of}");
            let acknowledged = number(&subtask["ack_timestamp"]);
            assert!((triggered..=triggered + duration + 1.0).contains(&acknowledged), "{subtask} {details}");
            assert!(number(&subtask["end_to_end_duration"]) <= duration + 1.0, "{subtask}");
        }
        let own: f64 = list(&of["subtasks"]).iter().map(|subtask| number(&subtask["state_size"])).sum();
        assert_eq!(number(&of["state_size"]), own, "{of}");
        assert_eq!(number(&details["tasks"][id]["state_size"]), own, "{details}");
        bytes += own;
    }
    assert!(bytes > 0.0, "a join keeps rows: {details}");
    let overview = job.get("/checkpoints");
    let counts = &overview["counts"];
    let sum = ["completed", "failed", "in_progress"].map(|of| number(&counts[of])).iter().sum::<f64>();
    assert_eq!(number(&counts["total"]), sum, "{counts}");
    assert_eq!(overview["latest"]["completed"]["id"], *checkpoint);
    assert_eq!(list(&overview["history"])[0]["id"], *checkpoint, "the newest is first");
}

fn times_are_in_order(job: &Job, vertices: &BTreeMap<String, Value>) {
    let details = job.get("");
    let (started, now) = (number(&details["start-time"]), number(&details["now"]));
    assert!(started <= now && (now - Env::real().now_ms() as f64).abs() < 60_000.0, "{details}");
    assert!((number(&details["duration"]) - (now - started)).abs() <= 1.0, "{details}");
    assert!(number(&details["timestamps"]["RUNNING"]) >= started, "{details}");
    assert_eq!(details["end-time"], -1);
    for id in vertices.keys() {
        let times = job.get(&format!("/vertices/{id}/subtasktimes"));
        for subtask in list(&times["subtasks"]) {
            let of = |state: &str| number(&subtask["timestamps"][state]);
            assert!(of("CREATED") <= of("DEPLOYING") && of("DEPLOYING") <= of("RUNNING"), "{subtask}");
            assert_eq!(of("FINISHED"), 0.0, "{subtask}");
        }
    }
}

fn wrong_queries_are_refused(job: &Job, vertices: &BTreeMap<String, Value>) {
    let id = vertices.keys().next().map(String::as_str).unwrap_or_default();
    for query in ["get=numRecordsOut&agg=most", "get=numRecordsOut&subtasks=x", "get=numRecordsOut&subtasks=3-1"] {
        let path = format!("{}/vertices/{id}/subtasks/metrics?{query}", job.at);
        let (status, document) = http::json(job.fixture.address(), "GET", &path, "");
        assert_eq!(status, 400, "{query}: {document}");
    }
    let none = job.get(&format!("/vertices/{id}/subtasks/metrics?get=numRecordsOut&subtasks=7"));
    assert_eq!(none, serde_json::json!([]), "there is no such subtask");
}

#[test]
fn a_failure_is_told_with_its_subtask_and_time() {
    let job = Job::new(FAILING, &[("restart-strategy.type", "none")]);
    until(|| (job.get("")["state"] == "FAILED").then_some(()));
    let exceptions = job.get("/exceptions");
    let entries = list(&exceptions["exceptionHistory"]["entries"]);
    let first = &entries[0];
    assert!(first["stacktrace"].as_str().is_some_and(|text| text.contains("x'")), "{first}");
    assert!(first["taskName"].as_str().is_some_and(|name| name.ends_with("/2)")), "{first}");
    let details = job.get("");
    let at = number(&first["timestamp"]);
    assert!(number(&details["start-time"]) <= at && at <= number(&details["end-time"]), "{first} {details}");
    let result = job.get("/execution-result");
    let cause = &result["job-execution-result"]["failure-cause"];
    assert!(cause["class"].as_str().is_some_and(|class| class.starts_with("headwater.")), "{result}");
    let one = job.get("/exceptions?maxExceptions=0");
    assert_eq!(one["exceptionHistory"]["truncated"], true, "{one}");
}
