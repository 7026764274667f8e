//! Changes that arrive out of order.

use crate::recovery::Recovery;
use crate::testing::*;
use headwater_plan::operators::SinkMaterializeSpec;
use headwater_plan::{OperatorNode, OperatorSpec, Value};
use headwater_types::LogicalType;

/// Primary key, upsert key, value.
fn types() -> [LogicalType; 3] {
    [string(), int(), int()]
}

fn materialize(upsert_key: Option<Vec<usize>>, emits_update_before: bool) -> OperatorNode {
    let spec = SinkMaterializeSpec { keys: vec![0], upsert_key, emits_update_before, state_ttl_ms: 0 };
    node(OperatorSpec::SinkMaterialize(spec), &[&types()], &types())
}

fn rows(rows: &[(&'static str, &str, i64, i64)]) -> Vec<(&'static str, Vec<Value>)> {
    rows.iter().map(|(kind, key, id, value)| (*kind, vec![s(key), i(*id), i(*value)])).collect()
}

fn run(node: &OperatorNode, input: &[(&'static str, &str, i64, i64)]) -> Vec<String> {
    let mut harnesses = [open(node, true, 4096), open(node, true, 4096)];
    harnesses[0].process(changes(&types(), &rows(input))).unwrap();
    for row in rows(input) {
        harnesses[1].process(changes(&types(), &[row])).unwrap();
    }
    let lines = harnesses.map(|harness| harness.output.rows());
    assert_eq!(lines[0], lines[1]);
    lines[0].clone()
}

#[test]
fn a_deletion_after_its_successor_is_not_seen() {
    let input = [("+I", "a", 1, 10), ("+I", "a", 2, 20), ("-D", "a", 1, 10), ("-D", "a", 2, 20), ("-D", "a", 2, 20)];
    for upsert_key in [None, Some(vec![1])] {
        let expected = ["+I[a, 1, 10]", "+U[a, 2, 20]", "-D[a, 2, 20]"];
        assert_eq!(run(&materialize(upsert_key, false), &input), expected);
    }
}

#[test]
fn the_row_before_comes_back() {
    let input = [("+I", "a", 1, 10), ("+I", "a", 2, 20), ("+U", "a", 1, 11), ("-U", "a", 2, 20)];
    let expected = ["+I[a, 1, 10]", "+U[a, 2, 20]", "+U[a, 1, 11]", "+U[a, 1, 11]"];
    assert_eq!(run(&materialize(Some(vec![1]), false), &input), expected);
    let input = [
        ("+I", "a", 1, 10),
        ("+I", "a", 1, 10),
        ("+I", "b", 1, 1),
        ("-D", "a", 1, 10),
        ("+I", "a", 3, 30),
        ("-D", "a", 3, 30),
    ];
    let expected = [
        "+I[a, 1, 10]",
        "-U[a, 1, 10]",
        "+U[a, 1, 10]",
        "+I[b, 1, 1]",
        "-U[a, 1, 10]",
        "+U[a, 3, 30]",
        "-U[a, 3, 30]",
        "+U[a, 1, 10]",
    ];
    assert_eq!(run(&materialize(None, true), &input), expected);
}

#[test]
fn a_crash_changes_nothing() {
    let event = |n: i64| {
        let row = |kind, n: i64| (kind, ["a", "b"][n as usize % 2], n % 3, n / 3);
        Event::Rows(0, changes(&types(), &rows(&[row("+I", n), row("+U", n + 1), row("-D", n / 2)])))
    };
    let events: Vec<Event> = (0..10).map(event).collect();
    for upsert_key in [None, Some(vec![1])] {
        let node = materialize(upsert_key, true);
        crash_equals_no_crash(&builder(&node, true), 1, &events);
        Recovery::new(&node, true, &[&[0]]).check(&events);
    }
}
