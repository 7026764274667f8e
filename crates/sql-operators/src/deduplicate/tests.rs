//! First and last rows by arrival and by event time.

use crate::recovery::Recovery;
use crate::testing::*;
use headwater_plan::operators::{DeduplicateSpec, MiniBatch};
use headwater_plan::{OperatorNode, OperatorSpec, Value};
use headwater_types::LogicalType;

fn types() -> [LogicalType; 3] {
    [string(), int(), timestamp()]
}

fn deduplicate(keep_last: bool, rowtime: bool, edit: impl FnOnce(&mut DeduplicateSpec)) -> OperatorNode {
    let mut spec = DeduplicateSpec {
        keys: vec![0],
        rowtime: rowtime.then_some(2),
        keep_last,
        emits_update_before: true,
        emits_insert: true,
        mini_batch: None,
        state_ttl_ms: 0,
    };
    edit(&mut spec);
    node(OperatorSpec::Deduplicate(spec), &[&types()], &types())
}

fn rows(rows: &[(&str, i64, i64)]) -> Vec<Vec<Value>> {
    rows.iter().map(|(key, value, second)| vec![s(key), i(*value), i(second * 1000)]).collect()
}

/// Kind, key and value of every emitted row; the same for one batch and row by row.
fn run(node: &OperatorNode, input: &[(&str, i64, i64)]) -> Vec<String> {
    let mut harnesses = [harness(node), harness(node)];
    harnesses[0].process(batch(&types(), &rows(input))).unwrap();
    for row in rows(input) {
        harnesses[1].process(batch(&types(), &[row])).unwrap();
    }
    let lines = harnesses.map(|harness| harness.output.rows());
    assert_eq!(lines[0], lines[1]);
    lines[0].iter().map(|line| line.rsplit_once(", ").unwrap().0.to_owned()).collect()
}

const INPUT: [(&str, i64, i64); 5] = [("a", 1, 5), ("b", 2, 5), ("a", 3, 7), ("a", 4, 4), ("a", 5, 7)];

#[test]
fn by_arrival() {
    assert_eq!(run(&deduplicate(false, false, |_| {}), &INPUT), ["+I[a, 1", "+I[b, 2"]);
    let last = ["+I[a, 1", "+I[b, 2", "-U[a, 1", "+U[a, 3", "-U[a, 3", "+U[a, 4", "-U[a, 4", "+U[a, 5"];
    assert_eq!(run(&deduplicate(true, false, |_| {}), &INPUT), last);
}

#[test]
fn by_event_time() {
    assert_eq!(run(&deduplicate(false, true, |_| {}), &INPUT), ["+I[a, 1", "+I[b, 2", "-U[a, 1", "+U[a, 4"]);
    let last = ["+I[a, 1", "+I[b, 2", "-U[a, 1", "+U[a, 3", "-U[a, 3", "+U[a, 5"];
    assert_eq!(run(&deduplicate(true, true, |_| {}), &INPUT), last);
}

#[test]
fn consumers_choose_the_kinds() {
    let no_before = deduplicate(true, false, |spec| spec.emits_update_before = false);
    assert_eq!(run(&no_before, &INPUT[1..3]), ["+I[b, 2", "+I[a, 3"]);
    assert_eq!(run(&no_before, &INPUT[2..4]), ["+I[a, 3", "+U[a, 4"]);
    for rowtime in [false, true] {
        let updates = deduplicate(true, rowtime, |spec| {
            spec.emits_update_before = false;
            spec.emits_insert = false;
        });
        assert_eq!(run(&updates, &INPUT[..3]), ["+U[a, 1", "+U[b, 2", "+U[a, 3"]);
    }
}

#[test]
fn equal_rows_say_nothing_unless_state_expires() {
    let twice = [("a", 1, 5), ("a", 1, 5)];
    assert_eq!(run(&deduplicate(true, false, |_| {}), &twice), ["+I[a, 1"]);
    let expiring = deduplicate(true, false, |spec| spec.state_ttl_ms = 1000);
    assert_eq!(run(&expiring, &twice), ["+I[a, 1", "-U[a, 1", "+U[a, 1"]);
}

#[test]
fn a_bundle_changes_each_key_once() {
    let bundles = Some(MiniBatch { rows: 5, latency_ms: 10 });
    for (keep_last, rowtime, expected) in [
        (false, false, ["+I[a, 1", "+I[b, 2"]),
        (true, false, ["+I[a, 5", "+I[b, 2"]),
        (false, true, ["+I[a, 4", "+I[b, 2"]),
        (true, true, ["+I[a, 5", "+I[b, 2"]),
    ] {
        let node = deduplicate(keep_last, rowtime, |spec| spec.mini_batch = bundles);
        let mut harness = harness(&node);
        harness.process(batch(&types(), &rows(&INPUT))).unwrap();
        let lines = harness.output.rows();
        let found: Vec<_> = lines.iter().map(|line| line.rsplit_once(", ").unwrap().0).collect();
        assert_eq!(found, expected);
    }
}

#[test]
fn a_crash_changes_nothing() {
    let event = |n: i64| Event::Rows(0, batch(&types(), &rows(&[("a", n, n * 7 % 5), ("b", n, -n), ("c", n / 2, n)])));
    let events: Vec<Event> = (0..6).map(event).collect();
    for (keep_last, rowtime) in [(false, false), (true, false), (false, true), (true, true)] {
        let node = deduplicate(keep_last, rowtime, |_| {});
        crash_equals_no_crash(&builder(&node, false), 1, &events);
        Recovery::new(&node, false, &[&[0]]).check(&events);
    }
}
