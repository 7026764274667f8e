//! A whole job whose checkpoints, savepoint and tables are in a bucket of a real S3 server: cancelled, started again from
//! its last checkpoint, stopped with a savepoint, started again from that, it writes every row exactly once.

#![allow(clippy::unwrap_used, reason = "a test says by panicking what went wrong")]

#[path = "../common/mod.rs"]
mod common;

use headwater_connectors::values::Store;
use headwater_embedded::{Engine, JobHandle};
use headwater_plan::Value;
use headwater_storage::Bucket;
use headwater_test_servers::S3;
use headwater_types::config::Configuration;

/// Rows in all.
const ROWS: i64 = 600;

fn server() -> &'static S3 {
    S3::shared("jobs")
}

fn config(settings: &[(&str, &str)]) -> Configuration {
    let mut config = Configuration::new();
    server().settings_and(settings).for_each(|(key, value)| config.set(key, value));
    config
}

fn submit(settings: &[(&str, &str)], table: &str, format: &str, rows_per_second: u32) -> (Engine, JobHandle) {
    let script = include_str!("job.sql");
    let script = script.replace("{rows-per-second}", &rows_per_second.to_string());
    run(settings, &script.replace("{table}", table).replace("{format}", format))
}

fn run(settings: &[(&str, &str)], script: &str) -> (Engine, JobHandle) {
    let mut engine = Engine::new(config(settings));
    let planned = common::planned(&mut engine, script);
    let job = engine.start_job(&planned).expect("the job starts");
    (engine, job)
}

fn objects(prefix: &str) -> Vec<String> {
    let (bucket, _) = Bucket::open("s3://jobs", &config(&[])).unwrap().expect("a bucket");
    bucket.list(prefix).unwrap().into_iter().map(|object| object.key).collect()
}

/// The ids in all visible files of a JSON table, in order.
fn ids(table: &str) -> Vec<i64> {
    let (bucket, _) = Bucket::open("s3://jobs", &config(&[])).unwrap().expect("a bucket");
    let mut ids = vec![];
    for object in bucket.list(table).unwrap().into_iter().filter(|object| object.key.ends_with(".json")) {
        let content = bucket.read(&object.key, 0..object.size).unwrap();
        for line in std::str::from_utf8(&content).unwrap().lines() {
            let digits: String = line.chars().filter(char::is_ascii_digit).collect();
            ids.push(digits.parse().unwrap());
        }
    }
    ids.sort_unstable();
    ids
}

#[test]
fn rows_are_written_once_over_a_cancellation_and_a_savepoint() {
    let retention = ("execution.checkpointing.externalized-checkpoint-retention", "RETAIN_ON_CANCELLATION");
    let checkpoints = ("execution.checkpointing.dir", "s3://jobs/checkpoints");
    let base = [("parallelism.default", "2"), ("execution.checkpointing.interval", "1 h"), checkpoints, retention];
    let (engine, job) = submit(&base, "rows", "json", 150);
    while ids("rows").len() < 50 {
        job.trigger_checkpoint().expect("the checkpoint is written to the bucket");
    }
    job.cancel();
    job.wait();
    drop(engine);
    let before = ids("rows").len();
    assert!(before < ROWS as usize, "the job still had input");
    assert!(
        objects("checkpoints").iter().any(|key| key.contains("manifest") || !key.is_empty()),
        "checkpoints are there"
    );

    let from = [&base[..], &[("execution.state-recovery.path", "s3://jobs/checkpoints")]].concat();
    let (engine, job) = submit(&from, "rows", "json", 150);
    while ids("rows").len() < before + 50 {
        job.trigger_checkpoint().expect("the checkpoint is written to the bucket");
    }
    let savepoint = job.stop_with_savepoint(Some("s3://jobs/savepoints"), false).expect("the savepoint is written");
    job.wait();
    drop(engine);
    assert!(savepoint.starts_with("s3://jobs/savepoints/"), "{savepoint}");

    let from = [("parallelism.default", "1"), checkpoints, ("execution.state-recovery.path", savepoint.as_str())];
    let (_engine, job) = submit(&from, "rows", "json", 100_000);
    job.wait().into_result().expect("the job ends");
    assert_eq!(ids("rows"), (1..=ROWS).collect::<Vec<_>>(), "every row once");
    assert_eq!(objects("rows").iter().filter(|key| key.ends_with("/_SUCCESS")).count(), 3);

    let (_engine, job) = run(&[("parallelism.default", "2")], include_str!("read.sql"));
    job.wait().into_result().expect("the job ends");
    let mut read: Vec<_> = Store::results("read-back").into_iter().map(|(_, values)| values).collect();
    read.sort_by_key(|values| format!("{values:?}"));
    let mut expected: Vec<_> = (1..=ROWS).map(|id| vec![Value::Int(id), Value::Int(id % 3)]).collect();
    expected.sort_by_key(|values| format!("{values:?}"));
    assert_eq!(read, expected, "a job reads what others wrote");
}

#[test]
fn a_bucket_that_is_missing_ends_the_job_with_its_name() {
    let settings = [("execution.checkpointing.interval", "1 h"), ("execution.checkpointing.dir", "s3://absent/c")];
    let (_engine, job) = submit(&settings, "never", "parquet", 10);
    let error = job.trigger_checkpoint().map(drop).expect_err("there is no bucket");
    assert!(error.to_string().contains("the bucket 'absent' does not exist"), "{error}");
    job.cancel();
    job.wait();
}
