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
    assert_eq!(renamed[1], "count: rebuilt: it needs a table 'totals' that the stored state does not have");
    let emptied = verdicts(&[source.clone(), wanted("count", &[])]);
    assert_eq!(emptied[1], "count: rebuilt: nothing takes its table 'counts'");
    assert!(compare(&manifest(), &[source.clone(), count]).is_compatible());
    assert!(!compare(&manifest(), &[source]).is_compatible());
}

/// Tables of single aggregate calls come and go; the operator goes on.
#[test]
fn detachable_tables_are_new_or_dropped() {
    let mut manifest = manifest();
    let count = manifest.operators.iter_mut().find(|o| o.key == "count").expect("the manifest has it");
    count.tables[0].descriptor.detachable = true;
    let mut other = wanted("count", &["distinct x"]);
    other.tables[0].detachable = true;
    let report = compare(&manifest, &[wanted("source", &[]), other]);
    assert!(report.is_compatible(), "{report:?}");
    assert!(report.refusal("chk-1").is_none());
    assert_eq!(report.operators[1].left_behind(), ["table 'counts'"]);
}

#[test]
fn a_table_of_another_kind_is_rebuilt() {
    let mut count = wanted("count", &["counts"]);
    count.tables = vec![TableDescriptor::timers("counts", vec![])];
    let report = compare(&manifest(), &[count]);
    assert!(matches!(report.operators[0].verdict, Verdict::Rebuilt(_)));
    assert_eq!(report.rebuilt(), ["count"]);
    let refusal = report.refusal("chk-1").expect("it does not fit");
    assert!(refusal.message().contains("its table 'counts' does not fit: it was a table of kind"), "{refusal}");
}
