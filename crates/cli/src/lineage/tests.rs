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

/// The jobs of a script.
fn jobs(script: &str) -> Vec<JobLineage> {
    let mut jobs = vec![];
    plan(&mut Engine::new(Configuration::new()), &format!("{TABLES} {script}"), &mut jobs).unwrap();
    jobs
}

const BOTH: &str = "INSERT INTO o SELECT a, b FROM t; INSERT INTO o1 SELECT a FROM t;";

#[test]
fn a_job_that_is_gone_is_a_loss_and_one_of_another_name_is_none() {
    let report = serde_json::to_string(&Report { jobs: jobs(BOTH), changes: None }).unwrap();
    let known = parse(&report).unwrap();
    let all = compare(&jobs(BOTH), &known).unwrap();
    assert!(all.len() == 2 && all.iter().all(|job| !job.loses && job.changes.is_empty()));
    let less = compare(&jobs("INSERT INTO o SELECT a, b FROM t;"), &known).unwrap();
    assert_eq!(less.iter().filter(|job| job.loses).count(), 1, "the other one writes o1 no more");
    let renamed = format!("INSERT INTO o SELECT a, b FROM t; SET 'pipeline.name' = 'other'; {}", &BOTH[34..]);
    let renamed = compare(&jobs(&renamed), &known).unwrap();
    assert!(renamed.len() == 2 && renamed.iter().all(|job| !job.loses && job.changes.is_empty()));
    let more =
        format!("{BOTH} CREATE TABLE o2 (a INT) WITH ('connector' = 'blackhole'); INSERT INTO o2 SELECT a FROM t;");
    let more = compare(&jobs(&more), &known).unwrap();
    assert!(more.len() == 3 && more[2].changes.iter().any(|change| change.to_string().starts_with("ADDED    output")));
}

#[test]
fn jobs_of_one_name_are_told_apart_by_what_they_write() {
    let script = format!("SET 'pipeline.name' = 'same'; {BOTH}");
    let report = serde_json::to_string(&Report { jobs: jobs(&script), changes: None }).unwrap();
    let known = parse(&report).unwrap();
    let mut turned = jobs(&script);
    turned.reverse();
    let changes = compare(&turned, &known).unwrap();
    assert!(changes.len() == 2 && changes.iter().all(|job| job.changes.is_empty()));
}

#[test]
fn of_events_what_is_not_looked_at_is_said_and_is_no_loss() {
    let lines: Vec<String> = jobs(BOTH)
        .iter()
        .map(|job| {
            let seen = Observation::new(EventType::Running, 1);
            serde_json::to_string(&run_event(&Producer::default(), job, &Run::default(), &seen)).unwrap()
        })
        .collect();
    let known = parse(&lines.join("\n")).unwrap();
    let changes = compare(&jobs("INSERT INTO o SELECT a, b FROM t;"), &known).unwrap();
    assert_eq!(
        changes.iter().map(|job| (job.loses, job.compared)).collect::<Vec<_>>(),
        [(false, true), (false, false)]
    );
}
