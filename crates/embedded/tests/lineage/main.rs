//! Lineage of real jobs, as events in a file.

#![allow(clippy::unwrap_used, clippy::print_stderr, reason = "a test says what went wrong, and what it skipped")]

mod facets;
mod templates;

use headwater_embedded::{Engine, JobHandle, RequestKind};
use headwater_lineage::model::{
    Checkpoints, ColumnLineage, ErrorMessage, Event, EventType, InputStatistics, LineageJob, OutputStatistics, Restore,
    RunEvent, RunHealth, StreamProgress,
};
use headwater_lineage::testing::Schemas;
use headwater_sql::session::StatementResult;
use headwater_sql_parser::parse_script;
use headwater_types::config::Configuration;
use std::path::Path;

/// A session that writes its events to `events.jsonl` of a directory.
fn engine(directory: &Path, settings: &[(&str, &str)]) -> Engine {
    let mut config = Configuration::new();
    config.set("openlineage.transport.type", "file");
    config.set("openlineage.transport.location", directory.join("events.jsonl").to_string_lossy());
    config.set("openlineage.headwater.spool.directory", directory.join("spool").to_string_lossy());
    settings.iter().for_each(|(key, value)| config.set(*key, *value));
    Engine::new(config)
}

/// Runs a script up to its jobs, which are started.
fn start(engine: &mut Engine, script: &str) -> Vec<JobHandle> {
    let (statements, error) = parse_script(script);
    assert!(error.is_none(), "{error:?}");
    let mut jobs = vec![];
    for parsed in &statements {
        match engine.execute(&parsed.statement, script) {
            Ok(StatementResult::Job(job)) => jobs.push(engine.start_job(&job).unwrap()),
            Ok(_) => {}
            Err(error) => panic!("{}", error.render(script)),
        }
    }
    jobs
}

/// The events so far, each valid.
fn events(directory: &Path) -> Vec<RunEvent> {
    let schemas = Schemas::load();
    let text = std::fs::read_to_string(directory.join("events.jsonl")).unwrap_or_default();
    // The last line may be on its way.
    let whole = text.rsplit_once('\n').map_or("", |(lines, _)| lines);
    let parse = |line: &str| {
        let value = serde_json::from_str(line).unwrap();
        if let Some(schemas) = &schemas {
            assert_eq!(schemas.errors(&value), Vec::<String>::new());
        }
        match Event::from_value(value).unwrap() {
            Event::Run(event) => *event,
            other => panic!("{other:?}"),
        }
    };
    whole.lines().map(parse).collect()
}

fn kinds(events: &[RunEvent]) -> Vec<EventType> {
    events.iter().filter_map(|event| event.event_type).collect()
}

/// Waits for events; a run that tells nothing hangs until the test is given up.
fn until(directory: &Path, told: impl Fn(&[RunEvent]) -> bool) -> Vec<RunEvent> {
    loop {
        let events = events(directory);
        if told(&events) {
            return events;
        }
        std::thread::yield_now();
    }
}

/// Two sources, a join, a window, two sinks.
fn revenue(directory: &Path) -> String {
    let path = directory.join("enriched");
    format!(
        "CREATE TABLE orders (id BIGINT, customer BIGINT, amount INT, ts TIMESTAMP(3),
           WATERMARK FOR ts AS ts - INTERVAL '1' SECOND)
           WITH ('connector' = 'datagen', 'number-of-rows' = '500', 'rows-per-second' = '1000000',
                 'fields.customer.min' = '1', 'fields.customer.max' = '9');
         CREATE TABLE customers (id BIGINT, name STRING)
           WITH ('connector' = 'datagen', 'fields.id.kind' = 'sequence', 'fields.id.start' = '1', 'fields.id.end' = '9');
         CREATE TABLE revenue (minute_start TIMESTAMP(3), amount INT) WITH ('connector' = 'blackhole');
         CREATE TABLE enriched (id BIGINT, name STRING)
           WITH ('connector' = 'filesystem', 'format' = 'csv', 'path' = '{}');
         EXECUTE STATEMENT SET BEGIN
           INSERT INTO revenue SELECT window_start, SUM(amount)
             FROM TABLE(TUMBLE(TABLE orders, DESCRIPTOR(ts), INTERVAL '1' MINUTE)) GROUP BY window_start, window_end;
           INSERT INTO enriched SELECT o.id, c.name FROM orders AS o JOIN customers AS c ON o.customer = c.id;
         END;",
        path.display()
    )
}

#[test]
fn a_job_of_two_sources_and_two_sinks_tells_its_run() {
    let directory = tempfile::tempdir().unwrap();
    let mut engine = engine(directory.path(), &[("openlineage.job.namespace", "tests")]);
    let job = start(&mut engine, &revenue(directory.path())).remove(0);
    job.wait().into_result().unwrap();
    drop(engine);
    let events = events(directory.path());
    let told = kinds(&events);
    assert_eq!((told.first(), told.last()), (Some(&EventType::Start), Some(&EventType::Complete)));
    for event in &events {
        assert_eq!(event.run.run_id, events[0].run.run_id);
        assert_eq!(event.job.namespace, "tests");
        assert_eq!(event.inputs.len(), 2);
        assert_eq!(event.outputs.len(), 2);
    }
    edges(&events[events.len() - 1]);
    counts(&events[events.len() - 1], directory.path());
}

/// Each sink has its own sources, not those of both.
fn edges(event: &RunEvent) {
    let entries = event.job.facets.get::<LineageJob>().unwrap().entries;
    let sources = |sink: &str| -> Vec<String> {
        let entry =
            entries.iter().find(|entry| entry.name.as_deref().is_some_and(|name| name.ends_with(sink))).unwrap();
        let whole = entry.inputs.iter().filter(|input| input.field.is_none());
        whole.map(|input| input.name.clone().unwrap().rsplit('.').next().unwrap().to_owned()).collect()
    };
    assert_eq!(sources("revenue"), ["orders"]);
    assert_eq!(sources("enriched"), ["orders", "customers"]);
    let enriched = event.outputs.iter().find(|output| output.name.ends_with("enriched")).unwrap();
    assert_eq!(enriched.namespace, "file");
    let lineage = enriched.facets.get::<ColumnLineage>().unwrap();
    assert_eq!(lineage.fields["name"].input_fields[0].field, "name");
    assert!(lineage.dataset.iter().any(|field| field.field == "customer"));
}

fn counts(event: &RunEvent, directory: &Path) {
    let orders = event.inputs.iter().find(|input| input.name.ends_with("orders")).unwrap();
    assert_eq!(orders.input_facets.get::<InputStatistics>().unwrap().row_count, Some(500));
    let enriched = event.outputs.iter().find(|output| output.name.ends_with("enriched")).unwrap();
    let statistics = enriched.output_facets.get::<OutputStatistics>().unwrap();
    assert_eq!(statistics.row_count, Some(500));
    let written = std::fs::read_dir(directory.join("enriched")).unwrap().flatten();
    let bytes: u64 = written.map(|file| file.metadata().unwrap().len()).sum();
    assert_eq!(statistics.size, i64::try_from(bytes).ok());
}

const ENDLESS: &str = "
    CREATE TABLE s (id BIGINT, ts AS CURRENT_TIMESTAMP) WITH ('connector' = 'datagen', 'rows-per-second' = '1000');
    CREATE TABLE o (id BIGINT) WITH ('connector' = 'blackhole');
    INSERT INTO o SELECT id FROM s WHERE id > 0;";

#[test]
fn a_run_tells_checkpoints_its_end_and_what_the_next_one_goes_on_from() {
    let directory = tempfile::tempdir().unwrap();
    let (first, second) = (directory.path().join("first"), directory.path().join("second"));
    let savepoints = directory.path().join("savepoints").to_string_lossy().into_owned();
    let settings = [("openlineage.trackingIntervalInSeconds", "1"), ("state.savepoints.dir", savepoints.as_str())];
    let mut one = engine(&first, &settings);
    let job = start(&mut one, ENDLESS).remove(0);
    until(&first, |events| kinds(events).contains(&EventType::Running));
    let stored = job.trigger_savepoint(None).unwrap();
    let told = until(&first, |events| {
        events.iter().any(|event| event.run.facets.get::<Checkpoints>().is_some_and(|c| c.latest.is_some()))
    });
    let last = told.last().unwrap();
    let checkpoints = last.run.facets.get::<Checkpoints>().unwrap();
    assert!(checkpoints.completed >= 1 && checkpoints.latest.unwrap().savepoint);
    assert!(last.run.facets.get::<StreamProgress>().unwrap().checkpoint.is_some());
    job.cancel();
    job.wait();
    drop(one);
    let ended = events(&first);
    assert_eq!(kinds(&ended).last(), Some(&EventType::Abort));

    let again = [("openlineage.trackingIntervalInSeconds", "1"), ("execution.state-recovery.path", stored.as_str())];
    let mut two = engine(&second, &again);
    let job = start(&mut two, ENDLESS).remove(0);
    let told = until(&second, |events| !events.is_empty());
    let restore = told[0].run.facets.get::<Restore>().unwrap();
    assert_eq!(restore.job_id, ended[0].run.facets.get::<headwater_lineage::model::FlinkJob>().map(|job| job.job_id));
    assert!(restore.savepoint && restore.checkpoint >= 1);
    job.cancel();
    job.wait();
}

#[test]
fn a_failure_tells_its_cause_and_its_operator() {
    let directory = tempfile::tempdir().unwrap();
    let mut engine = engine(directory.path(), &[("restart-strategy.type", "none")]);
    let script = "CREATE TABLE s (c STRING) WITH ('connector' = 'datagen', 'number-of-rows' = '10');
        CREATE TABLE o (n INT) WITH ('connector' = 'blackhole');
        INSERT INTO o SELECT CAST(CONCAT(c, 'x') AS INT) FROM s;";
    let job = start(&mut engine, script).remove(0);
    assert!(job.wait().into_result().is_err());
    drop(engine);
    let events = events(directory.path());
    let last = events.last().unwrap();
    assert_eq!(last.event_type, Some(EventType::Fail));
    let error = last.run.facets.get::<ErrorMessage>().unwrap();
    let health = last.run.facets.get::<RunHealth>().unwrap();
    assert!(error.stack_trace.unwrap().contains("at the operator"), "{}", error.message);
    assert_eq!((health.state.as_str(), health.restarts), ("FAILED", 0));
    assert!(health.failed_operator.is_some());
}

#[test]
fn a_session_may_turn_lineage_on_by_itself() {
    let directory = tempfile::tempdir().unwrap();
    let mut engine = Engine::new(Configuration::new());
    let path = directory.path().join("events.jsonl");
    let script = format!(
        "SET 'openlineage.transport.type' = 'file'; SET 'openlineage.transport.location' = '{}';
         CREATE TABLE s (c STRING) WITH ('connector' = 'datagen', 'number-of-rows' = '10');
         CREATE TABLE o (c STRING) WITH ('connector' = 'blackhole');
         INSERT INTO o SELECT c FROM s;",
        path.display()
    );
    start(&mut engine, &script).remove(0).wait().into_result().unwrap();
    drop(engine);
    assert_eq!(kinds(&events(directory.path())).last(), Some(&EventType::Complete));
}

#[test]
fn a_stop_with_savepoint_completes_the_run() {
    let directory = tempfile::tempdir().unwrap();
    let mut engine = engine(directory.path(), &[]);
    let job = start(&mut engine, ENDLESS).remove(0);
    until(directory.path(), |events| !events.is_empty());
    let target = directory.path().join("sp").to_string_lossy().into_owned();
    let pending = job.request_checkpoint(RequestKind::Stop { directory: Some(target), drain: false }).unwrap();
    while pending.take().unwrap().is_none() {
        std::thread::yield_now();
    }
    job.wait().into_result().unwrap();
    drop(engine);
    assert_eq!(kinds(&events(directory.path())).last(), Some(&EventType::Complete));
}
