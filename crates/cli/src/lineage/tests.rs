use super::before::parse;
use super::explain::{Report, compare, plan};
use headwater_embedded::Engine;
use headwater_lineage::model::EventType;
use headwater_lineage::{JobLineage, Observation, Producer, Run, run_event};
use headwater_types::config::Configuration;

const TABLES: &str = "CREATE TABLE t (a INT, b INT) WITH ('connector' = 'datagen');
    CREATE TABLE o (a INT, b INT) WITH ('connector' = 'blackhole');
    CREATE TABLE o1 (a INT) WITH ('connector' = 'blackhole');";

fn lineage(insert: &str) -> JobLineage {
    let mut jobs = vec![];
    plan(&mut Engine::new(Configuration::new()), &format!("{TABLES} {insert}"), &mut jobs).unwrap();
    jobs.remove(0)
}

#[test]
fn a_report_and_the_events_of_a_run_can_be_compared_with() {
    let before = lineage("INSERT INTO o SELECT a, b FROM t;");
    let seen = Observation::new(EventType::Running, 1);
    let event = run_event(&Producer::default(), &before, &Run::default(), &seen);
    let line = serde_json::to_string(&event).unwrap();
    let report = serde_json::to_string(&Report { jobs: vec![before.clone()], changes: None }).unwrap();
    for known in [report, line.clone(), format!("{line}\n{line}\n")] {
        let known = parse(&known).unwrap();
        let same = compare(std::slice::from_ref(&before), &known).unwrap();
        assert!(!same[0].loses && same[0].changes.is_empty());
        let swapped = compare(&[lineage("INSERT INTO o SELECT b, a FROM t;")], &known).unwrap();
        assert!(!swapped[0].loses && swapped[0].changes.len() == 2);
        let lost = compare(&[lineage("INSERT INTO o1 SELECT a FROM t;")], &known).unwrap();
        assert!(lost[0].loses);
    }
}

#[test]
fn what_holds_no_lineage_is_refused() {
    for text in ["", "{}", "[1]", "no json", "{\"a\": 1}\n{\"b\": 2}\n"] {
        assert!(parse(text).is_err(), "{text}");
    }
}
