//! The changelog of an upsert stream.

use crate::recovery::Recovery;
use crate::testing::*;
use headwater_plan::operators::{ChangelogNormalizeSpec, MiniBatch};
use headwater_plan::{OperatorNode, OperatorSpec, Value};
use headwater_types::LogicalType;

fn types() -> [LogicalType; 2] {
    [string(), int()]
}

fn normalize(edit: impl FnOnce(&mut ChangelogNormalizeSpec)) -> OperatorNode {
    let mut spec = ChangelogNormalizeSpec {
        keys: vec![0],
        condition: None,
        emits_update_before: true,
        mini_batch: None,
        state_ttl_ms: 0,
    };
    edit(&mut spec);
    node(OperatorSpec::ChangelogNormalize(spec), &[&types()], &types())
}

fn run(node: &OperatorNode, rows: &[(&str, &str, Option<i64>)]) -> Vec<String> {
    let rows: Vec<(&str, Vec<Value>)> = rows.iter().map(|(kind, k, v)| (*kind, vec![s(k), optional(*v)])).collect();
    // The same rows in one batch and one by one.
    let mut harnesses = [open(node, true, 4096), open(node, true, 4096)];
    harnesses[0].process(changes(&types(), &rows)).unwrap();
    for row in &rows {
        harnesses[1].process(changes(&types(), std::slice::from_ref(row))).unwrap();
    }
    let lines = harnesses.map(|harness| harness.output.rows());
    assert_eq!(lines[0], lines[1]);
    lines[0].clone()
}

#[test]
fn upserts_become_a_full_changelog() {
    let rows = [
        ("+U", "one", Some(1)),
        ("+U", "two", Some(2)),
        ("+U", "one", Some(1)),
        ("+U", "one", Some(3)),
        ("-D", "two", None),
        ("-D", "two", None),
        ("+I", "two", Some(4)),
    ];
    let expected = ["+I[one, 1]", "+I[two, 2]", "-U[one, 1]", "+U[one, 3]", "-D[two, 2]", "+I[two, 4]"];
    assert_eq!(run(&normalize(|_| {}), &rows), expected);
    let without_before: Vec<_> = expected.into_iter().filter(|row| !row.starts_with("-U")).collect();
    assert_eq!(run(&normalize(|spec| spec.emits_update_before = false), &rows), without_before);
}

#[test]
fn rows_that_fail_the_condition_are_as_if_deleted() {
    let condition = function("<", vec![column(1, int()), literal(10, int())], boolean());
    let node = normalize(|spec| spec.condition = Some(condition));
    let rows = [
        ("+U", "one", Some(1)),
        ("+U", "one", Some(2)),
        ("+U", "one", Some(12)),
        ("+U", "one", Some(13)),
        ("+U", "three", Some(3)),
        ("+U", "one", Some(15)),
        ("-D", "one", Some(15)),
        ("-D", "three", Some(3)),
    ];
    let expected = ["+I[one, 1]", "-U[one, 1]", "+U[one, 2]", "-D[one, 2]", "+I[three, 3]", "-D[three, 3]"];
    assert_eq!(run(&node, &rows), expected);
}

#[test]
fn a_bundle_changes_each_key_once() {
    let node = normalize(|spec| spec.mini_batch = Some(MiniBatch { rows: 100, latency_ms: 10 }));
    let mut harness = open(&node, true, 4096);
    let row = |kind, key: &str, value| (kind, vec![s(key), i(value)]);
    let rows = [row("+I", "a", 1), row("+U", "a", 2), row("+I", "b", 1), row("-D", "b", 1)];
    harness.process(changes(&types(), &rows)).unwrap();
    harness.advance_to(10).unwrap();
    assert_eq!(harness.output.rows(), ["+I[a, 2]"]);
}

#[test]
fn a_crash_changes_nothing() {
    let event = |n: i64| {
        let kind = ["+U", "+I", "-D", "+U"][n as usize % 4];
        let row = |n: i64| (kind, vec![s(["a", "b", "c"][n as usize % 3]), i(n / 3)]);
        Event::Rows(0, changes(&types(), &[row(n), row(n + 1)]))
    };
    let events: Vec<Event> = (0..12).map(event).collect();
    let node = normalize(|_| {});
    crash_equals_no_crash(&builder(&node, true), 1, &events);
    Recovery::new(&node, true, &[&[0]]).check(&events);
}
