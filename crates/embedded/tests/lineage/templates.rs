//! The events that OpenLineage's Flink 2 integration is expected to send, from `../shared/conformance/openlineage/flink2`:
//! every key and value of a template is in ours for the equivalent job. The jobs are planned; no broker is asked.

use headwater_embedded::Engine;
use headwater_lineage::event::run_id;
use headwater_lineage::model::{Checkpoints, EventType};
use headwater_lineage::testing::missing;
use headwater_lineage::{DatasetId, JobLineage, Observation, Producer, Run, run_event};
use headwater_sql::session::StatementResult;
use headwater_sql_parser::parse_script;
use headwater_types::config::Configuration;
use serde_json::Value;
use std::path::Path;

fn template(name: &str) -> Option<Value> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/conformance/openlineage/flink2").join(name);
    let text = std::fs::read_to_string(&path).ok();
    if text.is_none() {
        eprintln!("{} is not here: skipped", path.display());
    }
    Some(serde_json::from_str(&text?).unwrap())
}

fn lineage(script: &str, settings: &[(&str, &str)]) -> JobLineage {
    let mut config = Configuration::new();
    settings.iter().for_each(|(key, value)| config.set(*key, *value));
    let mut engine = Engine::new(config);
    let (statements, error) = parse_script(script);
    assert!(error.is_none(), "{error:?}");
    let mut found = None;
    for parsed in &statements {
        match engine.execute(&parsed.statement, script) {
            Ok(StatementResult::Job(job)) => found = Some(job.lineage),
            Ok(_) => {}
            Err(error) => panic!("{}", error.render(script)),
        }
    }
    found.unwrap()
}

fn check(name: &str, lineage: &JobLineage, seen: &Observation) {
    let run = Run { id: run_id(1, 1), job_id: format!("{:032x}", 1), ..Run::default() };
    let event = serde_json::to_value(run_event(&Producer::default(), lineage, &run, seen)).unwrap();
    if let Some(template) = template(name) {
        assert_eq!(missing(&template, &event, ""), Vec::<String>::new(), "{name}");
    }
}

const KAFKA: &str =
    "'connector' = 'kafka', 'properties.bootstrap.servers' = 'kafka-cluster-prod:9092', 'format' = 'json'";

#[test]
fn a_sql_job_over_kafka_tables() {
    let script = format!(
        "CREATE TABLE kafka_input (price DECIMAL(38, 18), currency STRING, log_date DATE, log_time TIME(0),
           log_ts TIMESTAMP(3), ts AS log_ts + INTERVAL '1' SECOND, WATERMARK FOR ts AS ts)
           WITH ({KAFKA}, 'topic' = 'io.openlineage.flink.kafka.input1', 'scan.startup.mode' = 'earliest-offset');
         CREATE TABLE kafka_output (ts_interval STRING, max_log_date STRING, max_log_time STRING, max_ts STRING,
           counter BIGINT, max_price DECIMAL(38, 18))
           WITH ({KAFKA}, 'topic' = 'io.openlineage.flink.kafka.output');
         INSERT INTO kafka_output
           SELECT CAST(TUMBLE_END(ts, INTERVAL '5' SECOND) AS STRING), CAST(MAX(log_date) AS STRING),
             CAST(MAX(log_time) AS STRING), CAST(MAX(ts) AS STRING), COUNT(*), MAX(price)
           FROM kafka_input GROUP BY TUMBLE(ts, INTERVAL '5' SECOND);"
    );
    check("expected_sql_kafka.json", &lineage(&script, &[]), &Observation::new(EventType::Start, 1));
}

fn pattern() -> (JobLineage, Observation) {
    let script = format!(
        "CREATE TABLE s (text STRING) WITH ({KAFKA}, 'topic-pattern' = 'io.openlineage.flink.kafka.input.*',
           'scan.startup.mode' = 'earliest-offset');
         CREATE TABLE o (text STRING) WITH ({KAFKA}, 'topic' = 'io.openlineage.flink.kafka.output_topic');
         INSERT INTO o SELECT text FROM s;"
    );
    let mut seen = Observation::new(EventType::Start, 1);
    // What brokers answer that have these two.
    let found = ["input1", "input2"].map(|topic| DatasetId {
        namespace: "kafka://kafka-cluster-prod:9092".to_owned(),
        name: format!("io.openlineage.flink.kafka.{topic}"),
    });
    seen.found.insert("default_catalog.default_database.s".to_owned(), found.to_vec());
    (lineage(&script, &[("pipeline.name", "flink_topic_pattern")]), seen)
}

#[test]
fn a_job_over_a_pattern_of_topics() {
    let (lineage, seen) = pattern();
    check("expected_kafka_topic_pattern.json", &lineage, &seen);
}

#[test]
fn a_checkpoint_of_it() {
    let (lineage, seen) = pattern();
    let seen = Observation { event_type: EventType::Running, checkpoints: Some(Checkpoints::default()), ..seen };
    check("expected_kafka_topic_pattern_checkpoint.json", &lineage, &seen);
}
