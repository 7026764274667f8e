//! Verdicts on changed jobs.

use super::*;
use crate::testing::manifest;
use headwater_state::TableDescriptor;

fn wanted(key: &str, tables: &[&str]) -> WantedOperator {
    let tables = tables.iter().map(|name| TableDescriptor::value(*name, vec![], vec![])).collect();
    WantedOperator { key: key.to_owned(), name: key.to_owned(), tables }
}

fn verdicts(operators: &[WantedOperator]) -> Vec<String> {
    let report = compare(&manifest(), operators);
    report.operators.iter().map(|o| format!("{}: {}", o.key, o.verdict)).collect()
}

#[test]
fn operators_are_kept_new_migrated_or_dropped() {
    let (source, count) = (wanted("source", &[]), wanted("count", &["counts"]));
    assert_eq!(verdicts(&[source.clone(), count.clone()]), ["source: kept", "count: kept"]);
    assert_eq!(verdicts(&[source.clone(), wanted("sum", &["sums"])]), ["source: kept", "sum: new", "count: dropped"]);
    let renamed = verdicts(&[source.clone(), wanted("count", &["totals"])]);
    assert_eq!(renamed[1], "count: migrated: table counts is dropped");
    assert!(compare(&manifest(), &[source.clone(), count]).is_compatible());
    assert!(!compare(&manifest(), &[source]).is_compatible());
}

#[test]
fn a_table_of_another_kind_is_rebuilt() {
    let mut count = wanted("count", &["counts"]);
    count.tables = vec![TableDescriptor::timers("counts", vec![])];
    let report = compare(&manifest(), &[count]);
    assert!(matches!(report.operators[0].verdict, Verdict::Rebuilt(_)));
}
