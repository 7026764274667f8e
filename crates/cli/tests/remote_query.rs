//! The rows of a SELECT on a cluster of other processes.

#![allow(clippy::unwrap_used, reason = "a test that finds nothing has failed")]

#[path = "common/cluster.rs"]
mod cluster;
mod common;

use cluster::Cluster;
use common::{Gateway, headwater, stderr, stdout};
use std::collections::BTreeSet;
use std::io::{BufRead, BufReader};
use std::process::Stdio;

const REMOTE: [&str; 3] = ["sql", "-D", "execution.target=remote"];

const SCRIPT: &str = "
CREATE TABLE orders (id INT, price DECIMAL(30, 4)) WITH ('connector' = 'datagen', 'number-of-rows' = '3',
  'fields.id.kind' = 'sequence', 'fields.id.start' = '1', 'fields.id.end' = '3');
SELECT id, ARRAY[id] AS a, MAP['x', id] AS m, ROW(id, 'y') AS r, CAST(NULL AS INT) AS n, x'0a' AS b FROM orders;
SELECT name, COUNT(*) AS n FROM (VALUES ('a'), ('b'), ('a')) AS v(name) GROUP BY name;
SELECT id FROM orders WHERE id > 7;
SELECT 1 AS single;
SET 'execution.runtime-mode' = 'BATCH';
SELECT name, COUNT(*) AS n FROM (VALUES ('a'), ('b'), ('a')) AS v(name) GROUP BY name ORDER BY name;";

/// One cluster for all that does not end its processes.
#[test]
fn a_query_elsewhere_shows_what_it_shows_here() {
    let cluster = Cluster::start(2, &[("client.heartbeat.timeout", "2 s")]);
    prints_the_same(&cluster);
    answers_through_a_gateway(&cluster);
    brings_many_rows(&cluster);
    waits_for_a_checkpoint(&cluster);
    says_why_it_failed(&cluster);
    lists_the_jobs_of_others(&cluster);
    ends_without_its_client(&cluster);
}

fn prints_the_same(cluster: &Cluster) {
    let one = ["-D", "parallelism.default=1"];
    for format in ["table", "changelog", "csv", "json"] {
        let what = ["--format", format, "-e", SCRIPT];
        let here = headwater(&[&["sql"], &one[..], &what].concat());
        let there = cluster.call(&[&REMOTE, &one[..], &what].concat());
        assert!(here.status.success() && there.status.success(), "{format}: {here:?} {there:?}");
        assert_eq!(stdout(&there), stdout(&here), "{format}");
    }
}

fn answers_through_a_gateway(cluster: &Cluster) {
    let mut arguments = vec!["-D", "execution.target=remote"];
    arguments.extend(cluster.define().iter().map(String::as_str));
    let gateway = Gateway::start(&arguments);
    let query = "SELECT name, COUNT(*) AS n FROM (VALUES ('a'), ('b'), ('a')) AS v(name) GROUP BY name";
    let here = headwater(&["sql", "--format", "csv", "-D", "parallelism.default=1", "-e", query]);
    let there = headwater(&["sql", "--gateway", &gateway.url, "--format", "csv", "-e", query]);
    assert!(there.status.success(), "{}", stderr(&there));
    assert_eq!(stdout(&there), stdout(&here));
    let jobs = cluster.get("/jobs/overview");
    assert!(jobs["jobs"].as_array().unwrap().len() > 1, "the query ran on the cluster: {jobs}");
}

/// More than all buffers hold, of several subtasks.
fn brings_many_rows(cluster: &Cluster) {
    let query = "CREATE TABLE n (id BIGINT, text STRING) WITH ('connector' = 'datagen', 'fields.id.kind' = 'sequence',
        'fields.id.start' = '1', 'fields.id.end' = '200000', 'fields.text.length' = '100');
        SELECT id, text FROM n";
    let output =
        cluster.call(&[&REMOTE[..], &["-D", "parallelism.default=2", "--format", "json", "-e", query]].concat());
    assert!(output.status.success(), "{}", stderr(&output));
    let ids: Vec<u64> = stdout(&output).lines().map(|line| number(line, "id")).collect();
    assert_eq!(ids.len(), 200_000);
    assert_eq!(ids.into_iter().collect::<BTreeSet<_>>().len(), 200_000, "each came once");
}

fn number(line: &str, field: &str) -> u64 {
    let row: serde_json::Value = serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"));
    row[field].as_u64().unwrap_or_else(|| panic!("no {field} in {line}"))
}

/// With checkpoints rows are shown when they are in one, without the end of the query.
fn waits_for_a_checkpoint(cluster: &Cluster) {
    let query = "CREATE TABLE n (id BIGINT) WITH ('connector' = 'datagen', 'rows-per-second' = '200',
        'fields.id.kind' = 'sequence', 'fields.id.start' = '1', 'fields.id.end' = '1000000');
        SELECT id FROM n";
    let interval = ["-D", "execution.checkpointing.interval=100 ms", "-D", "parallelism.default=1"];
    let mut client = cluster.command(&[&REMOTE[..], &interval, &["--format", "json", "-e", query]].concat());
    let mut client = client.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    let lines = BufReader::new(client.stdout.take().unwrap()).lines().map_while(Result::ok);
    let ids: Vec<u64> = lines.take(300).map(|line| number(&line, "id")).collect();
    assert_eq!(ids, (1..=300).collect::<Vec<u64>>());
    client.kill().unwrap();
    client.wait().unwrap();
}

fn says_why_it_failed(cluster: &Cluster) {
    let failing =
        cluster.call(&[&REMOTE[..], &["-e", "SELECT CAST(name AS INT) FROM (VALUES ('a')) AS v(name)"]].concat());
    assert_eq!(failing.status.code(), Some(1), "{failing:?}");
    assert!(stderr(&failing).contains("'a'"), "{}", stderr(&failing));
}

/// `SHOW JOBS` of one client lists what others have started, and stops it.
fn lists_the_jobs_of_others(cluster: &Cluster) {
    let insert = "CREATE TABLE n (id BIGINT) WITH ('connector' = 'datagen', 'rows-per-second' = '10');
        CREATE TABLE b (id BIGINT) WITH ('connector' = 'blackhole'); SET 'table.dml-sync' = 'true';
        SET 'pipeline.name' = 'of another'; INSERT INTO b SELECT id FROM n";
    let mut other = cluster.command(&[&REMOTE[..], &["-e", insert]].concat());
    let mut other = other.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    let job = loop {
        let jobs = cluster.get("/jobs/overview");
        let found = jobs["jobs"].as_array().unwrap().iter().find(|job| job["name"] == "of another").cloned();
        match found {
            Some(job) if job["state"] == "RUNNING" => break job["jid"].as_str().unwrap().to_owned(),
            _ => assert!(other.try_wait().unwrap().is_none(), "it goes on"),
        }
    };
    let script = format!("SHOW JOBS; DESCRIBE JOB '{job}'; STOP JOB '{job}'; SHOW JOBS;");
    let listed = cluster.call(&[&REMOTE[..], &["--format", "csv", "-e", &script]].concat());
    assert!(listed.status.success(), "{}", stderr(&listed));
    let lines: Vec<String> = stdout(&listed).lines().filter(|line| line.contains(&job)).map(str::to_owned).collect();
    let states: Vec<bool> = lines.iter().map(|line| line.contains("RUNNING")).collect();
    assert_eq!(states, [true, true, false], "{lines:?}");
    assert!(stdout(&listed).contains("collect"), "queries are listed, too: {}", stdout(&listed));
    other.wait().unwrap();
    let unknown = cluster.call(&[&REMOTE[..], &["-e", "DESCRIBE JOB 'abc'"]].concat());
    assert!(stderr(&unknown).contains("SHOW JOBS lists those of the cluster"), "{}", stderr(&unknown));
}

/// A client that is killed cannot cancel its query: the query notices by itself.
fn ends_without_its_client(cluster: &Cluster) {
    let query = "CREATE TABLE n (id BIGINT) WITH ('connector' = 'datagen', 'rows-per-second' = '100');
        SET 'pipeline.name' = 'orphan'; SELECT id FROM n";
    let mut client = cluster.command(&[&REMOTE[..], &["--format", "json", "-e", query]].concat());
    let mut client = client.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    let mut first = String::new();
    BufReader::new(client.stdout.take().unwrap()).read_line(&mut first).unwrap();
    client.kill().unwrap();
    client.wait().unwrap();
    let jobs = cluster.get("/jobs/overview");
    let orphan = jobs["jobs"].as_array().unwrap().iter().find(|job| job["name"] == "orphan").unwrap();
    let job = orphan["jid"].as_str().unwrap();
    cluster.until(job, "FAILED");
    let exceptions = cluster.get(&format!("/jobs/{job}/exceptions"));
    assert!(exceptions.to_string().contains("its client is gone"), "{exceptions}");
}
