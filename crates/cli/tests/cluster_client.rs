//! The verbs for clusters, by the binary as users run it, against real processes.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

#[path = "common/cluster.rs"]
mod cluster;
mod common;

use cluster::Cluster;
use common::{stderr, stdout};

const ENDLESS: &str = "CREATE TABLE n (id BIGINT) WITH ('connector' = 'datagen', 'rows-per-second' = '200');
CREATE TABLE b (id BIGINT, n BIGINT) WITH ('connector' = 'blackhole');
SET 'pipeline.name' = 'endless';
INSERT INTO b SELECT id % 10, COUNT(*) FROM n GROUP BY id % 10;";

const BOUNDED: &str = "CREATE TABLE n (id BIGINT) WITH ('connector' = 'datagen', 'number-of-rows' = '500');
CREATE TABLE b (id BIGINT) WITH ('connector' = 'blackhole');
SET 'pipeline.name' = 'bounded';
INSERT INTO b SELECT DISTINCT id FROM n;";

/// One cluster for all of this: its start takes longer than the verbs do.
#[test]
fn every_verb_does_what_it_says() {
    let cluster = Cluster::start(2, &[("parallelism.default", "2")]);
    let (endless, bounded) = (cluster.script("endless.sql", ENDLESS), cluster.script("bounded.sql", BOUNDED));
    runs_to_the_end(&cluster, &bounded);
    let job = cluster.submit(&endless);
    lists(&cluster, &job);
    takes_checkpoints(&cluster, &job);
    let savepoint = stops(&cluster, &job);
    goes_on(&cluster, &endless, &savepoint);
    refuses(&cluster, &bounded);
    shows_plans(&cluster, &endless);
    runs_plans(&cluster, &bounded);
    serves_processes(&cluster);
}

fn runs_to_the_end(cluster: &Cluster, script: &str) {
    let output = cluster.call(&["run", "-f", script, "-p", "1"]);
    assert!(output.status.success(), "{}", stderr(&output));
    assert!(stderr(&output).contains("Job has been submitted with JobID "), "{}", stderr(&output));
    assert!(
        stdout(&output).contains(" is FINISHED after ") && stdout(&output).contains("500 rows in, 500 rows out"),
        "{}",
        stdout(&output)
    );
    let document = cluster.document(&["run", "-f", script]);
    assert_eq!(document["jobs"][0]["state"], "FINISHED");
    assert_eq!(document["jobs"][0]["rows-out"], 500);
    let job = document["jobs"][0]["job"].as_str().unwrap();
    let vertex = cluster.get(&format!("/jobs/{job}"))["vertices"][0]["parallelism"].clone();
    assert_eq!(vertex, 2, "without -p the configured parallelism is taken");
}

fn lists(cluster: &Cluster, job: &str) {
    let running = cluster.said(&["list"]);
    assert!(running.contains(&format!("{job} : endless (RUNNING)")), "{running}");
    assert!(!running.contains("bounded"), "{running}");
    assert!(cluster.said(&["list", "-a"]).contains(": bounded (FINISHED)"));
    assert!(cluster.said(&["list", "-s"]).contains("No scheduled jobs."));
    let address = cluster.rest.clone();
    let listed = cluster.document(&["list", "-r", "-m", &address]);
    assert_eq!(listed["jobs"].as_array().map(Vec::len), Some(1));
    assert_eq!(listed["jobs"][0]["jid"], job);
}

fn takes_checkpoints(cluster: &Cluster, job: &str) {
    let taken = cluster.document(&["checkpoint", job, "--full"]);
    assert!(taken["checkpointId"].is_u64(), "{taken}");
    let taken = cluster.said(&["savepoint", job, &cluster.path("elsewhere")]);
    let path = taken.trim().strip_prefix("Savepoint completed. Path: ").unwrap_or_else(|| panic!("{taken}"));
    assert!(path.contains("elsewhere") && cluster.has(&format!("{path}/_metadata")), "{path}");
    let disposed = cluster.said(&["savepoint", "--dispose", path]);
    assert!(disposed.contains("disposed") && !cluster.has(&format!("{path}/_metadata")), "{disposed}");
    let healthy = cluster.document(&["diagnose", job]);
    assert_eq!(healthy["state"], "RUNNING");
    assert!(healthy["summary"].as_str().unwrap().starts_with("Nothing stands in the way"), "{healthy}");
}

/// Stops it behind a savepoint; where that is.
fn stops(cluster: &Cluster, job: &str) -> String {
    let stopped = cluster.document(&["stop", "--savepointPath", &cluster.path("stopped"), job]);
    let path = stopped["location"].as_str().unwrap_or_else(|| panic!("{stopped}")).to_owned();
    assert!(path.contains("stopped"), "{path}");
    cluster.until(job, "FINISHED");
    path
}

fn goes_on(cluster: &Cluster, script: &str, savepoint: &str) {
    let submitted = cluster.document(&["run", "-d", "-f", script, "-s", savepoint]);
    let job = submitted["jobs"][0].as_str().unwrap().to_owned();
    while !cluster.call(&["checkpoint", &job]).status.success() {}
    let restored = cluster.get(&format!("/jobs/{job}/checkpoints"))["latest"]["restored"].clone();
    assert_eq!(restored["external_path"].as_str().map(|path| path.trim_start_matches("file://")), Some(savepoint));
    let cancelled = cluster.said(&["cancel", &job]);
    assert!(cancelled.contains(&format!("Cancelled job {job}")), "{cancelled}");
    cluster.until(&job, "CANCELED");
    let drained = cluster.submit(script);
    cluster.said(&["stop", "--drain", &drained]);
    cluster.until(&drained, "FINISHED");
}

fn refuses(cluster: &Cluster, bounded: &str) {
    let none = "0".repeat(32);
    let query = cluster.script("query.sql", "SELECT 1;");
    let wrong = cluster.script("wrong.sql", "INSERT INTO nowhere SELECT 1;");
    let empty = cluster.script("empty.sql", "SET 'a' = 'b';");
    for (args, message) in [
        (vec!["cancel", "xyz"], "not the id of a job"),
        (vec!["cancel", &none], "not found"),
        (vec!["stop", &none], "not found"),
        (vec!["diagnose", &none], "not found"),
        (vec!["run", "-f", &query], "INSERT INTO"),
        (vec!["run", "-f", &wrong], "nowhere"),
        (vec!["run", "-f", &empty], "has no job"),
        (vec!["run", "-f", "/nowhere.sql"], "cannot read the script"),
        (vec!["run-application", "-f", bounded], "web.submit.enable"),
        (vec!["list", "-m", "127.0.0.1:1"], "cannot be reached"),
    ] {
        let output = cluster.call(&args);
        assert_eq!(output.status.code(), Some(1), "{args:?}");
        assert!(stderr(&output).contains(message), "{args:?}: {}", stderr(&output));
    }
}

fn shows_plans(cluster: &Cluster, script: &str) {
    let text = cluster.said(&["info", "-f", script]);
    assert!(text.contains("Execution Plan") && text.contains("GroupAggregate"), "{text}");
    let document = cluster.document(&["info", "-f", script, "-p", "3"]);
    assert_eq!(document["plans"][0]["nodes"][0]["parallelism"], 3);
}

/// A job that was planned before is submitted as it is.
fn runs_plans(cluster: &Cluster, script: &str) {
    let plan = cluster.path("bounded.plan");
    cluster.said(&["info", "-f", script, "-o", &plan]);
    let output = cluster.call(&["run", "-f", &plan, "-D", "pipeline.max-parallelism=128"]);
    assert!(output.status.success(), "{}", stderr(&output));
    assert!(stdout(&output).contains("500 rows in, 500 rows out"), "{}", stdout(&output));
    let other = cluster.script("other.plan", "HEADWATER-PLAN 1\n{");
    for (args, message) in [
        (vec!["run", "-f", &plan, "-p", "2"], "has its parallelism"),
        (vec!["run", "-f", &other], "not a Headwater plan"),
        (vec!["info", "-f", script, "-o", "x.txt"], "'.plan'"),
    ] {
        let output = cluster.call(&args);
        assert!(!output.status.success() && stderr(&output).contains(message), "{args:?}: {}", stderr(&output));
    }
}

/// What the API tells of the processes: both TaskManagers, their logs, their threads.
fn serves_processes(cluster: &Cluster) {
    let managers = cluster.get("/taskmanagers")["taskmanagers"].as_array().unwrap().clone();
    assert_eq!(managers.len(), 2);
    for manager in &managers {
        let id = manager["id"].as_str().unwrap();
        assert!(manager["hardware"]["physicalMemory"].as_u64().unwrap() > 0, "{manager}");
        let logs = cluster.get(&format!("/taskmanagers/{id}/logs"));
        let name = logs["logs"][0]["name"].as_str().unwrap();
        assert!(name.starts_with("taskmanager-") && name.ends_with(".log"), "{logs}");
        let url = format!("http://{}/taskmanagers/{id}/log", cluster.rest);
        assert!(reqwest::blocking::get(url).unwrap().text().unwrap().contains("registered"), "{id}");
        let threads = cluster.get(&format!("/taskmanagers/{id}/thread-dump"));
        let names = threads["threadInfos"].as_array().unwrap().iter().map(|thread| thread["threadName"].as_str());
        assert!(names.flatten().any(|name| name == "taskmanager"), "{threads}");
    }
    let overview = cluster.get("/overview");
    assert_eq!((&overview["taskmanagers"], &overview["slots-total"]), (&2.into(), &4.into()));
    let page = reqwest::blocking::get(format!("http://{}/metrics", cluster.rest)).unwrap().text().unwrap();
    assert!(page.contains("flink_jobmanager_numRegisteredTaskManagers{} 2"), "{page}");
}

/// A job that waits for slots says so, and runs when there are some.
#[test]
fn a_job_without_slots_is_diagnosed() {
    let cluster = Cluster::start(1, &[]);
    let script = cluster.script("endless.sql", ENDLESS);
    let submitted = cluster.document(&["run", "-d", "-f", &script, "-p", "5"]);
    let job = submitted["jobs"][0].as_str().unwrap();
    let diagnosis = cluster.document(&["diagnose", job]);
    assert_eq!(diagnosis["findings"][0]["kind"], "missing-slots", "{diagnosis}");
    let text = cluster.said(&["diagnose", job]);
    assert!(text.contains("[error] missing-slots: ") && text.contains("The cluster has 2 slots"), "{text}");
    cluster.said(&["cancel", job]);
    cluster.until(job, "CANCELED");
}

/// With authentication scripts are planned by the cluster, and calls without a token are refused.
#[test]
fn an_application_is_planned_by_the_cluster() {
    let token = "headwater.rest.authentication.token";
    let cluster =
        Cluster::start(1, &[("web.submit.enable", "true"), (token, "secret"), ("headwater.log.format", "json")]);
    let script = cluster.script("bounded.sql", BOUNDED);
    let output = cluster.call(&["run-application", "-f", &script, "-p", "2"]);
    assert!(output.status.success(), "{}", stderr(&output));
    assert!(stdout(&output).contains("500 rows in, 500 rows out"), "{}", stdout(&output));
    let plan = cluster.path("bounded.plan");
    cluster.said(&["info", "-f", &script, "-o", &plan]);
    let output = cluster.call(&["run-application", "-f", &plan]);
    assert!(stdout(&output).contains("500 rows in, 500 rows out"), "{output:?}");
    let wrong = cluster.script("wrong.sql", "INSERT INTO nowhere SELECT 1;");
    let refused = cluster.call(&["run-application", "-f", &wrong]);
    assert!(stderr(&refused).contains("nowhere"), "{}", stderr(&refused));
    let url = format!("http://{}/jobs", cluster.rest);
    assert_eq!(reqwest::blocking::get(url).unwrap().status(), 401);
    let log = std::fs::read_to_string(cluster.path("cluster/jobmanager.log")).unwrap();
    let line: serde_json::Value = serde_json::from_str(log.lines().next().unwrap()).unwrap();
    assert_eq!(line["level"], "INFO", "{line}");
    assert!(log.lines().any(|line| line.contains("\"job\":\"")), "{log}");
    assert!(!log.contains("secret"), "{log}");
}
