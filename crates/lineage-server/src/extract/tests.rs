//! What events of each producer mean, on small events of their shapes.

use super::naming::{dataset, dataset_place, job_place, without_partitions};
use crate::event::{Event, Id};
use crate::facts::{Facts, Name, status};
use serde_json::{Value, json};

const NOW: i64 = 1_800_000_000_000_000;
const RUN: &str = "01908223-0782-7fc0-9d69-b1df9dac2c60";
const PARENT: &str = "01908223-0782-79b8-9495-b1c38aaee839";

fn read(event: &Value) -> Facts {
    super::facts(&Event::read(event, NOW).unwrap())
}

fn shown(name: &Name) -> String {
    format!("{}://{}/{}", name.place.kind, name.place.hosts.join(","), name.name)
}

fn event(integration: &str, kind: &str, run_facets: Value) -> Value {
    json!({
        "eventTime": "2026-01-01T00:00:00Z", "eventType": "COMPLETE",
        "run": {"runId": RUN, "facets": run_facets},
        "job": {"namespace": "http://host:8081", "name": "dag.task", "facets": {
            "jobType": {"integration": integration, "jobType": kind, "processingType": "BATCH"}}},
    })
}

fn parent() -> Value {
    json!({"run": {"runId": PARENT}, "job": {"namespace": "http://host:8081", "name": "dag"}})
}

#[test]
fn places() {
    let cases = [
        ("kafka://Broker-A:9092,broker-b:9092", "kafka", "broker-a:9092|broker-b:9092"),
        ("flink-jobs", "unknown", "flink-jobs"),
        ("file", "file", "unknown"),
        ("file://", "file", "unknown"),
        ("bigquery", "bigquery", "googleapis.com"),
        ("mssql://h:1433;database=x", "sqlserver", "h:1433|database=x"),
        ("postgresql://user:secret@h:5432/db?x=1", "postgres", "h:5432"),
        ("arn:aws:glue:eu-west-1:123456", "awsglue", "123456"),
        ("s3a://bucket/path", "s3", "bucket"),
        ("", "unknown", "unknown"),
    ];
    for (namespace, kind, hosts) in cases {
        let place = dataset_place(namespace);
        assert_eq!((place.kind.as_str(), place.hosts.join("|").as_str()), (kind, hosts), "{namespace}");
    }
    assert_eq!(job_place("local://Some.Host").hosts, ["some.host"]);
}

#[test]
fn dataset_names() {
    let cases = [
        ("clickhouse://h", "db.schema.t", Some("schema.t")),
        ("mysql://h", "a.b.c", Some("b.c")),
        ("postgres://h", "db.public.t", Some("db.public.t")),
        ("postgres://h", "db.information_schema.tables", None),
        ("oracle://h", "sys.dual", None),
        ("oracle://h", "db.v$session", None),
        ("hdfs://h", "/sys/x", Some("/sys/x")),
    ];
    for (namespace, name, expected) in cases {
        let found = dataset(&Id { namespace: namespace.into(), name: name.into() });
        assert_eq!(found.map(|n| n.name).as_deref(), expected, "{name}");
    }
    assert_eq!(without_partitions("/t/a=1/b=2"), "/t");
    assert_eq!(without_partitions("/a=1"), "/a=1");
    assert_eq!(without_partitions("/t/x"), "/t/x");
}

#[test]
fn an_airflow_task_is_a_run_of_its_own() {
    let facets = json!({
        "parent": parent(),
        "processing_engine": {"name": "Airflow", "version": "2.10.5", "openlineageAdapterVersion": "2.3.0"},
        "airflow": {
            "dag": {"dag_id": "dag", "owner": "dagowner", "tags": ["env:prod", "plain"]},
            "dagRun": {"run_id": "manual__1", "run_type": "manual"},
            "task": {"task_id": "task", "owner": "jane", "operator_class": "Sql", "upstream_task_ids": "['first']",
                     "downstream_task_ids": "[]", "task_group": {"group_id": "g"}},
            "taskInstance": {"try_number": 2, "map_index": 3},
        },
    });
    let mut told = facets.clone();
    told["airflow"]["taskInstance"]["log_url"] = json!("http://host:8081/its/own");
    let told = read(&event("AIRFLOW", "TASK", told));
    let log = told.runs.iter().find_map(|run| run.details.persistent_log_url.as_deref());
    assert_eq!(log, Some("http://host:8081/its/own"));
    let facts = read(&event("AIRFLOW", "TASK", facets));
    let run = facts.runs.iter().find(|run| run.heard).unwrap();
    assert_eq!(run.parent.unwrap().to_string(), PARENT);
    assert_eq!(run.status, status::SUCCEEDED);
    let details = &run.details;
    assert_eq!(
        (
            details.external_id.as_deref(),
            details.attempt.as_deref(),
            details.user.as_deref(),
            details.start_reason.as_deref()
        ),
        (Some("manual__1"), Some("2"), Some("jane"), Some("MANUAL"))
    );
    assert_eq!(
        details.persistent_log_url.as_deref(),
        Some("http://host:8081/dags/dag/grid?tab=logs&dag_run_id=manual__1&task_id=task&map_index=3")
    );
    let operation = facts.operation.as_ref().unwrap();
    assert_eq!((operation.name.as_str(), operation.position, operation.group.as_deref()), ("task", Some(3), Some("g")));
    let named = |name: &str| facts.jobs.iter().find(|job| job.name.name == name && job.kind.is_some()).unwrap();
    let (job, first) = (named("dag.task"), named("dag.first"));
    assert_eq!(job.kind.as_deref(), Some("AIRFLOW_TASK"));
    assert_eq!((&first.kind, &first.parent), (&job.kind, &job.parent), "a task of the same DAG");
    assert!(job.tags.contains(&("env".into(), "prod".into())), "{:?}", job.tags);
    assert!(job.tags.contains(&("airflow.version".into(), "2.10.5".into())), "{:?}", job.tags);
    let dependency = &facts.dependencies[0];
    assert_eq!((dependency.from.name.as_str(), dependency.to.name.as_str()), ("dag.first", "dag.task"));
    let dag = read(&event("AIRFLOW", "DAG", json!({})));
    assert!(dag.operation.is_none());
}

#[test]
fn a_hive_query_belongs_to_its_session() {
    let mut hive = event(
        "HIVE",
        "QUERY",
        json!({
            "hive_query": {"queryId": "q1", "operationName": "QUERY"},
            "hive_session": {"username": "jane", "clientIp": "1.2.3.4",
                "sessionId": "0ba6765b-3019-4172-b748-63c257158d20", "creationTime": "2025-06-18T13:32:03.229Z"},
        }),
    );
    hive["job"]["namespace"] = json!("hive://h:10000");
    let facts = read(&hive);
    let (run, operation) = (&facts.runs[0], facts.operation.as_ref().unwrap());
    // As Data.Rentgen 0.7.2 has it.
    assert_eq!(run.id.to_string(), "0197833d-511d-7034-be27-078fb128ca59");
    assert_eq!(crate::event::time_of_uuid(&run.id), crate::event::micros("2025-06-18T13:32:03.229Z"));
    assert_eq!((operation.run, operation.name.as_str()), (run.id, "q1"));
    assert_eq!(shown(&run.job), "hive://h:10000/jane@1.2.3.4");
    assert_eq!(read(&hive).runs[0].id, run.id, "the same session is the same run");
}

#[test]
fn a_dbt_node_is_an_operation_of_the_invocation() {
    let mut node = event("DBT", "MODEL", json!({"parent": parent(), "dbt_run": {"invocation_id": "i"}}));
    node["job"]["name"] = json!("None.schema.model");
    node["outputs"] = json!([{"namespace": "spark://h:1", "name": "None.schema.t"}]);
    let facts = read(&node);
    let operation = facts.operation.unwrap();
    assert_eq!(operation.run.to_string(), PARENT);
    assert_eq!((operation.name.as_str(), operation.group.as_deref()), ("None.schema.model", Some("MODEL")));
    assert_eq!(facts.runs[0].details.external_id.as_deref(), Some("i"));
    assert_eq!((facts.edges[0].dataset.name.as_str(), facts.edges[0].types), ("schema.t", 1));
    assert!(read(&event("DBT", "JOB", json!({}))).operation.is_none());
}

#[test]
fn a_bare_flink_event_is_news_of_the_run_only() {
    let mut bare = event("", "", json!({"flink_job": {"jobId": "abc"}}));
    bare["job"]["facets"] = json!({});
    let facts = read(&bare);
    assert!(facts.operation.is_none());
    assert_eq!(facts.runs[0].details.running_log_url.as_deref(), Some("http://host:8081/#/job/running/abc"));
}

#[test]
fn explicit_lineage_says_what_feeds_what() {
    let mut own = event("HEADWATER", "JOB", json!({}));
    let id = |name: &str| json!({"namespace": "kafka://k:1", "name": name, "type": "DATASET"});
    own["inputs"] = json!([id("a"), id("b")]);
    own["outputs"] = json!([id("x"), id("y")]);
    let mut to_x = id("x");
    to_x["inputs"] = json!([id("a")]);
    let mut to_y = id("y");
    let mut column = id("b");
    column["field"] = json!("c");
    column["transformations"] = json!([{"type": "DIRECT", "subtype": "IDENTITY"}]);
    to_y["fields"] = json!({"d": {"inputs": [column]}});
    own["job"]["facets"]["lineage"] = json!({"entries": [to_x, to_y]});
    let facts = read(&own);
    let flows: Vec<(&str, &str)> = facts.flows.iter().map(|(a, b)| (a.name.as_str(), b.name.as_str())).collect();
    assert_eq!(flows, [("a", "x"), ("b", "y")]);
    let relation = &facts.columns[0].relations[0];
    assert_eq!((relation.source.as_str(), relation.target.as_str(), relation.types), ("c", "d", 2));
}

#[test]
fn declared_lineage_needs_no_run() {
    let mut job = event("OWN", "JOB", json!({}));
    job.as_object_mut().unwrap().remove("run");
    job["inputs"] = json!([{"namespace": "s3://b", "name": "in"}]);
    let facts = read(&job);
    assert!(facts.runs[0].declared && facts.runs[0].status == status::UNKNOWN);
    assert_eq!(facts.operation.unwrap().id, facts.runs[0].id);
    assert_eq!(read(&job).runs[0].id, facts.runs[0].id);
    let dataset = json!({"eventTime": "2026-01-01T00:00:00Z", "dataset": {"namespace": "s3://b", "name": "d", "facets": {
        "tags": {"tags": [{"key": "k", "value": "v"}]}}}});
    let facts = read(&dataset);
    assert!(facts.runs.is_empty() && facts.datasets[0].tags.len() == 1);
}

#[test]
fn how_outputs_are_written() {
    let cases = [
        (json!({"lifecycleStateChange": {"lifecycleStateChange": "OVERWRITE"}}), "", 16),
        (json!({"lifecycleStateChange": {"lifecycleStateChange": "EXPLODE"}}), "", 0),
        (json!({}), "insert into t select 1", 1),
        (json!({}), "INSERT OVERWRITE t", 16),
        (json!({}), "create table t as select 1", 2),
        (json!({}), "merge into t", 512),
        (json!({}), "select 1", 0),
    ];
    for (facets, sql, expected) in cases {
        let mut own = event("OWN", "JOB", json!({}));
        own["outputs"] = json!([{"namespace": "s3://b", "name": "t", "facets": facets}]);
        own["job"]["facets"]["sql"] = json!({"query": sql});
        assert_eq!(read(&own).edges[0].types, expected, "{facets} {sql}");
    }
}

#[test]
fn progress_comes_from_its_facet() {
    let mut own = event(
        "HEADWATER",
        "JOB",
        json!({"streamProgress": {"outputs": [
        {"namespace": "kafka://k:1", "name": "t", "watermark": 1_767_225_600_000_i64, "committed": {"0": 5}}]}}),
    );
    own["outputs"] = json!([{"namespace": "kafka://k:1", "name": "t"}]);
    let progress = read(&own).edges[0].progress.clone().unwrap();
    assert_eq!(progress.watermark, Some(1_767_225_600_000_000));
    assert_eq!(progress.positions.as_deref(), Some("{\"0\":5}"));
}
