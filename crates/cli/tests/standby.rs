//! Several JobManagers of one machine: any of them answers, and the cluster outlives the one that leads.

#[path = "common/cluster.rs"]
mod cluster;
mod common;

use cluster::Cluster;
use common::{stderr, stdout};
use serde_json::Value;
use std::process::Command;

const ENDLESS: &str = "CREATE TABLE n (id BIGINT) WITH ('connector' = 'datagen', 'rows-per-second' = '200');
CREATE TABLE b (id BIGINT, n BIGINT) WITH ('connector' = 'blackhole');
SET 'pipeline.name' = 'endless';
INSERT INTO b SELECT id % 10, COUNT(*) FROM n GROUP BY id % 10;";

/// What a JobManager says of the jobs; the reason if it says something else.
fn jobs(rest: &str) -> Result<Value, String> {
    let answer =
        reqwest::blocking::get(format!("http://{rest}/v1/jobs/overview")).map_err(|error| error.to_string())?;
    let (status, document) = (answer.status(), answer.json::<Value>().map_err(|error| error.to_string())?);
    match status.is_success() {
        true => Ok(document["jobs"].clone()),
        false => Err(document["errors"][0].as_str().unwrap_or_default().to_owned()),
    }
}

#[test]
fn any_job_manager_answers_and_the_next_one_leads() {
    let cluster =
        Cluster::of(2, 1, &[("high-availability.lease-duration", "1 s"), ("high-availability.retry-period", "100 ms")]);
    let script = cluster.script("endless.sql", ENDLESS);
    let job = cluster.submit(&script);
    for rest in &cluster.rests {
        let seen = jobs(rest).unwrap_or_else(|error| panic!("{rest}: {error}"));
        assert_eq!(seen[0]["jid"], job.as_str(), "{rest}");
        let listed = cluster.call(&["list", "-m", rest]);
        assert!(stdout(&listed).contains(": endless (RUNNING)"), "{}", stderr(&listed));
        let missing = reqwest::blocking::get(format!("http://{rest}/v1/jobs/{:032x}", 7)).expect("it answers");
        assert_eq!(missing.status(), 404, "refusals are handed on as they are");
    }
    for rpc in &cluster.rpcs {
        let shown = cluster.call(&["sql", "--jobmanager", rpc, "-e", "SHOW TABLES"]);
        assert!(shown.status.success(), "{rpc}: {}", stderr(&shown));
    }
    let leader = cluster.leading();
    let pid = std::fs::read_to_string(cluster.path(&format!("cluster/{leader}.pid"))).expect("its process id");
    assert!(Command::new("kill").args(["-9", pid.trim()]).status().expect("kill runs").success());
    let left = &cluster.rests[usize::from(leader == "jobmanager-1")];
    loop {
        match jobs(left) {
            Ok(seen) if seen[0]["state"] == "RUNNING" => break,
            Ok(_) => {}
            Err(error) => assert!(
                error.contains("does not lead")
                    || error.contains("No JobManager leads")
                    || error.contains("error sending"),
                "{error}"
            ),
        }
        std::thread::yield_now();
    }
    let listed = cluster.call(&["list", "-m", &cluster.rests.join(",")]);
    assert!(stdout(&listed).contains(": endless (RUNNING)"), "{}", stderr(&listed));
    let shown = cluster.call(&["sql", "--jobmanager", &cluster.rpcs.join(","), "-e", "SHOW TABLES"]);
    assert!(shown.status.success(), "{}", stderr(&shown));
    assert!(cluster.call(&["cancel", &job, "-m", left]).status.success());
}
