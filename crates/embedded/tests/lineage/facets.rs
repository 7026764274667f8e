//! What is told only where there is something to tell: configured tags and owners, the run that a scheduler names, records
//! that were skipped.

use crate::{engine, events, start};
use headwater_lineage::model::{
    EventType, JobTags, JobVersion, Lifecycle, OutputStatistics, Owner, Ownership, Parent, ProcessingEngine, RunHealth,
    RunTags, Sql, Storage, Tag,
};
use std::process::Command;

const PARENT: &str = "OPENLINEAGE_PARENT_ID";
const ROOT: &str = "OPENLINEAGE_ROOT_PARENT_ID";
const PARENT_RUN: &str = "01965ca5-85bc-789d-93a1-9e4e48bd37b3";
const ROOT_RUN: &str = "01965ca5-0000-789d-93a1-9e4e48bd37b3";

const JOB: &str = "CREATE TABLE s (c STRING) WITH ('connector' = 'datagen', 'number-of-rows' = '10');
    CREATE TABLE o (c STRING) WITH ('connector' = 'blackhole');
    INSERT INTO o SELECT c FROM s;";

#[test]
fn tags_and_owners_are_those_that_are_configured() {
    let directory = tempfile::tempdir().unwrap();
    let settings = [
        ("openlineage.job.tags", "[tier:gold;reviewed]"),
        ("openlineage.run.tags", "[region:eu:DEPLOY]"),
        ("openlineage.job.owners.team", "data"),
    ];
    let mut engine = engine(directory.path(), &settings);
    start(&mut engine, JOB).remove(0).wait().into_result().unwrap();
    drop(engine);
    let tag = |key: &str, value: &str, source: &str| Tag {
        key: key.to_owned(),
        value: value.to_owned(),
        source: Some(source.to_owned()),
    };
    for event in events(directory.path()) {
        let (job, run) = (&event.job.facets, &event.run.facets);
        let of_job = vec![tag("tier", "gold", "CONFIG"), tag("reviewed", "true", "CONFIG")];
        assert_eq!(job.get::<JobTags>().unwrap().tags, of_job);
        assert_eq!(run.get::<RunTags>().unwrap().tags, [tag("region", "eu", "DEPLOY")]);
        let owner = Owner { name: "data".to_owned(), kind: Some("team".to_owned()) };
        assert_eq!(job.get::<Ownership>().unwrap().owners, [owner]);
        assert!(job.get::<Sql>().is_some() && job.get::<JobVersion>().is_some());
        assert!(run.get::<ProcessingEngine>().is_some());
    }
}

/// Runs itself again in a process with the environment that a scheduler makes.
#[test]
fn the_run_that_a_scheduler_names_is_the_parent() {
    if std::env::var_os(PARENT).is_none() {
        let name = "facets::the_run_that_a_scheduler_names_is_the_parent";
        let mut again = Command::new(std::env::current_exe().unwrap());
        again.args(["--exact", name]).env(PARENT, format!("airflow/daily.load/{PARENT_RUN}"));
        let output = again.env(ROOT, format!("http://airflow/daily/{ROOT_RUN}")).output().unwrap();
        let printed = String::from_utf8_lossy(&output.stdout);
        assert!(output.status.success() && printed.contains("1 passed"), "{printed}");
        return;
    }
    let directory = tempfile::tempdir().unwrap();
    let mut engine = engine(directory.path(), &[]);
    start(&mut engine, JOB).remove(0).wait().into_result().unwrap();
    drop(engine);
    let events = events(directory.path());
    assert!(!events.is_empty());
    for event in events {
        let parent = event.run.facets.get::<Parent>().unwrap();
        assert_eq!((parent.run.run_id.as_str(), parent.job.name.as_str()), (PARENT_RUN, "daily.load"));
        let root = parent.root.unwrap();
        assert_eq!((root.run.run_id.as_str(), root.job.namespace.as_str()), (ROOT_RUN, "http://airflow"));
    }
}

#[test]
fn records_that_were_skipped_are_counted_and_an_overwrite_is_told() {
    let directory = tempfile::tempdir().unwrap();
    let (read, written) = (directory.path().join("in.csv"), directory.path().join("out"));
    std::fs::write(&read, "1\nno number\n2\n").unwrap();
    let mut engine = engine(&directory.path().join("events"), &[("execution.runtime-mode", "batch")]);
    std::fs::create_dir_all(directory.path().join("events")).unwrap();
    let script = format!(
        "CREATE TABLE s (id INT) WITH ('connector' = 'filesystem', 'format' = 'csv', 'path' = '{}', 'errors.mode' = 'skip');
         CREATE TABLE o (id INT) WITH ('connector' = 'filesystem', 'format' = 'csv', 'path' = '{}');
         INSERT OVERWRITE o SELECT id FROM s;",
        read.display(),
        written.display()
    );
    start(&mut engine, &script).remove(0).wait().into_result().unwrap();
    drop(engine);
    let events = events(&directory.path().join("events"));
    let last = events.last().unwrap();
    assert_eq!(last.event_type, Some(EventType::Complete));
    assert_eq!(last.run.facets.get::<RunHealth>().unwrap().bad_records, 1);
    let output = &last.outputs[0];
    assert_eq!(output.facets.get::<Lifecycle>().unwrap().lifecycle_state_change, "OVERWRITE");
    assert_eq!(output.facets.get::<Storage>().unwrap().file_format.as_deref(), Some("csv"));
}

/// Row 900 is years behind the others, and its window has long been written when it comes.
#[test]
fn rows_that_a_window_dropped_are_counted() {
    let directory = tempfile::tempdir().unwrap();
    let mut engine = engine(directory.path(), &[("parallelism.default", "1")]);
    let script = "
        CREATE TABLE s (id BIGINT,
          ts AS CASE WHEN id = 900 THEN TIMESTAMP '2020-01-01 00:00:00.000'
                     ELSE TIMESTAMPADD(SECOND, CAST(id AS INT), TIMESTAMP '2026-01-01 00:00:00.000') END,
          WATERMARK FOR ts AS ts)
          WITH ('connector' = 'datagen', 'rows-per-second' = '1000',
                'fields.id.kind' = 'sequence', 'fields.id.start' = '1', 'fields.id.end' = '1000');
        CREATE TABLE o (window_start TIMESTAMP(3), n BIGINT) WITH ('connector' = 'blackhole');
        INSERT INTO o SELECT window_start, COUNT(*)
          FROM TABLE(TUMBLE(TABLE s, DESCRIPTOR(ts), INTERVAL '10' SECOND)) GROUP BY window_start, window_end;";
    start(&mut engine, script).remove(0).wait().into_result().unwrap();
    drop(engine);
    let events = events(directory.path());
    let last = events.last().unwrap();
    assert_eq!(last.event_type, Some(EventType::Complete));
    assert_eq!(last.run.facets.get::<RunHealth>().unwrap().late_rows_dropped, 1);
    let written = last.outputs[0].output_facets.get::<OutputStatistics>().unwrap();
    // Seconds 1 to 1000 are in 101 windows of ten.
    assert_eq!(written.row_count, Some(101));
}
