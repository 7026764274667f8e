//! What the documents say is so.

use crate::fixture::Fixture;
use headwater_rest::testing::http;
use serde_json::Value;

#[test]
fn metrics_are_listed_read_and_aggregated() {
    let fixture = Fixture::new(&[]);
    let at = format!("/jobs/{}/vertices/{}", fixture.job.id(), fixture.vertex());
    let ids = |path: &str| -> Vec<String> {
        let listed = fixture.get(path);
        let ids = listed.as_array().expect("metrics are a list").iter();
        ids.map(|metric| metric["id"].as_str().expect("metrics have ids").to_owned()).collect()
    };
    let task = ids(&format!("{at}/subtasks/0/metrics"));
    for id in ["numRecordsOut", "busyTimeMsPerSecond", "idleTimeMsPerSecond", "backPressuredTimeMsPerSecond"] {
        assert!(task.iter().any(|known| known == id), "{id} of {task:?}");
        assert!(ids(&format!("{at}/metrics")).contains(&format!("1.{id}")), "{id}");
    }
    assert!(task.iter().any(|id| id.ends_with(".numRecordsOut")), "operators have their own: {task:?}");
    let sum = fixture.get(&format!("{at}/subtasks/metrics?get=numRecordsOut&agg=sum,max"));
    let fields: Vec<&String> = sum[0].as_object().expect("an object").keys().collect();
    assert_eq!(fields, ["id", "max", "sum"]);
    let job =
        format!("/jobs/{}/metrics?get=numberOfCompletedCheckpoints,lastCheckpointDuration,none", fixture.job.id());
    let values = fixture.get(&job);
    assert_eq!(values.as_array().map(Vec::len), Some(2), "{values}");
    assert!(values.as_array().expect("a list").iter().all(|metric| metric["value"].is_string()));
    assert!(ids("/jobs/metrics").contains(&"numRestarts".to_owned()));
    assert!(ids("/jobmanager/metrics").contains(&"taskSlotsTotal".to_owned()));
    assert!(ids("/taskmanagers/metrics").contains(&"Status.JVM.Memory.Heap.Used".to_owned()));
}

#[test]
fn the_lineage_of_a_job_is_a_document_of_its_own_and_none_of_its_settings() {
    let fixture = Fixture::new(&[]);
    let config = fixture.get(&format!("/jobs/{}/config", fixture.job.id()));
    let settings = config["execution-config"]["user-config"].as_object().expect("settings");
    assert!(settings.contains_key("execution.checkpointing.interval"), "{config}");
    assert!(settings.keys().all(|key| !key.starts_with("$internal.")), "{config}");
    let lineage = fixture.get(&format!("/jobs/{}/lineage", fixture.job.id()));
    assert_eq!(lineage["outputs"].as_array().map(Vec::len), Some(1), "{lineage}");
}

#[test]
fn the_plan_names_the_vertices_and_how_they_are_connected() {
    let fixture = Fixture::new(&[]);
    let details = fixture.get(&format!("/jobs/{}", fixture.job.id()));
    let ids: Vec<&Value> = details["vertices"].as_array().expect("vertices").iter().map(|v| &v["id"]).collect();
    let nodes: Vec<&Value> = details["plan"]["nodes"].as_array().expect("nodes").iter().map(|n| &n["id"]).collect();
    assert_eq!(ids, nodes);
    assert!(ids.iter().all(|id| id.as_str().is_some_and(|id| id.len() == 32)), "{ids:?}");
    let input = &details["plan"]["nodes"][1]["inputs"][0];
    assert_eq!((&input["id"], &input["ship_strategy"]), (ids[0], &Value::from("HASH")));
    assert_eq!(details["state"], "RUNNING");
    assert_eq!(details["vertices"][0]["status"], "RUNNING");
    assert_eq!(details["vertices"][0]["tasks"]["RUNNING"], 2);
}

#[test]
fn a_repeated_request_of_one_id_begins_nothing_again() {
    let fixture = Fixture::new(&[]);
    let path = format!("/jobs/{}/checkpoints", fixture.job.id());
    let body = format!("{{\"triggerId\": \"{}\"}}", "a".repeat(32));
    let total = || fixture.get(&path)["counts"]["total"].as_u64().expect("a number");
    let (first, _) = fixture.operate(&path, &body, &path);
    let before = total();
    let (second, outcome) = fixture.operate(&path, &body, &path);
    assert_eq!((first, total()), (second, before));
    assert!(outcome["operation"]["checkpointId"].is_u64(), "{outcome}");
}

#[test]
fn a_job_is_stopped_with_a_savepoint() {
    let fixture = Fixture::new(&[]);
    let job = format!("/jobs/{}", fixture.job.id());
    let (_, outcome) = fixture.operate(&format!("{job}/stop"), "{}", &format!("{job}/savepoints"));
    let location = outcome["operation"]["location"].as_str().unwrap_or_else(|| panic!("{outcome}"));
    assert!(location.contains(fixture.directory.path().to_str().expect("text")), "{location}");
    fixture.job.wait();
    assert_eq!(fixture.get(&format!("{job}/status"))["status"], "FINISHED");
    let result = fixture.get(&format!("{job}/execution-result"));
    assert_eq!(result["job-execution-result"]["application-status"], "SUCCEEDED");
    let details = fixture.get(&job);
    assert!(details["end-time"].as_i64() >= details["start-time"].as_i64(), "{details}");
    let (status, _) = http::json(fixture.address(), "PATCH", &job, "");
    assert_eq!(status, 409);
}

#[test]
fn a_failed_operation_says_why() {
    let fixture = Fixture::new(&[]);
    let path = format!("/jobs/{}/savepoints", fixture.job.id());
    let (_, outcome) = fixture.operate(&path, r#"{"target-directory": "/proc/nowhere"}"#, &path);
    assert!(outcome["operation"]["failure-cause"]["stack-trace"].is_string(), "{outcome}");
    let body = r#"{"savepoint-path": "/tmp"}"#;
    let (_, outcome) = fixture.operate("/savepoint-disposal", body, "/savepoint-disposal");
    assert_eq!(outcome["operation"]["failure-cause"]["class"], "headwater.not-a-savepoint");
}
