use crate::testing::*;
use headwater_plan::operators::*;
use headwater_plan::{OperatorNode, OperatorSpec, Value};
use headwater_types::LogicalType;
use proptest::prelude::*;

/// Window start, window end, key, value.
fn side() -> Vec<LogicalType> {
    vec![timestamp(), timestamp(), int(), int()]
}

fn join(kind: JoinKind, with_condition: bool) -> OperatorNode {
    // The left value is below the right one.
    let condition = function("<", vec![column(3, int()), column(7, int())], boolean());
    let spec = WindowJoinSpec {
        kind,
        left_window: (0, 1),
        right_window: (0, 1),
        left_keys: vec![2],
        right_keys: vec![2],
        condition: with_condition.then_some(condition),
        zone: None,
        proctime: false,
    };
    let mut output = side();
    if !matches!(kind, JoinKind::Semi | JoinKind::Anti) {
        output.extend(side());
    }
    node(OperatorSpec::WindowJoin(spec), &[&side(), &side()], &output)
}

#[derive(Debug, Clone, PartialEq)]
struct Row {
    window: i64,
    key: Option<i64>,
    value: i64,
}

impl Row {
    fn values(&self) -> Vec<Value> {
        vec![i(self.window * 10), i(self.window * 10 + 10), optional(self.key), i(self.value)]
    }
}

fn expected(kind: JoinKind, with_condition: bool, left: &[Row], right: &[Row]) -> Vec<Vec<Value>> {
    let matches = |l: &Row, r: &Row| {
        l.window == r.window && l.key.is_some() && l.key == r.key && (!with_condition || l.value < r.value)
    };
    let nulls = || vec![Value::Null; 4];
    let mut rows = vec![];
    for l in left {
        let partners: Vec<&Row> = right.iter().filter(|r| matches(l, r)).collect();
        match kind {
            JoinKind::Semi if !partners.is_empty() => rows.push(l.values()),
            JoinKind::Anti if partners.is_empty() => rows.push(l.values()),
            JoinKind::Semi | JoinKind::Anti => {}
            _ => rows.extend(partners.iter().map(|r| [l.values(), r.values()].concat())),
        }
        if partners.is_empty() && matches!(kind, JoinKind::Left | JoinKind::Full) {
            rows.push([l.values(), nulls()].concat());
        }
    }
    if matches!(kind, JoinKind::Right | JoinKind::Full) {
        let lonely = right.iter().filter(|r| !left.iter().any(|l| matches(l, r)));
        rows.extend(lonely.map(|r| [nulls(), r.values()].concat()));
    }
    rows
}

fn sorted(rows: Vec<Vec<Value>>) -> Vec<String> {
    let mut lines: Vec<_> = rows.iter().map(|row| format!("{row:?}")).collect();
    lines.sort();
    lines
}

fn rows() -> impl Strategy<Value = Vec<Row>> {
    let row = (0i64..3, prop::option::weighted(0.9, 0i64..3), 0i64..4);
    prop::collection::vec(row.prop_map(|(window, key, value)| Row { window, key, value }), 0..20)
}

const KINDS: [JoinKind; 6] =
    [JoinKind::Inner, JoinKind::Left, JoinKind::Right, JoinKind::Full, JoinKind::Semi, JoinKind::Anti];

proptest! {
    #[test]
    fn joins_equal_the_nested_loop(
        kind in prop::sample::select(KINDS.to_vec()),
        with_condition in prop::bool::ANY,
        left in rows(),
        right in rows(),
        batch_rows in 1usize..6,
    ) {
        let node = join(kind, with_condition);
        let mut harness = open(&node, false, batch_rows);
        for (input, rows) in [(0, &left), (1, &right)] {
            for chunk in rows.chunks(3) {
                let rows: Vec<_> = chunk.iter().map(Row::values).collect();
                harness.process_input(input, batch(&side(), &rows)).unwrap();
            }
        }
        harness.end(2).unwrap();
        let types: Vec<LogicalType> = node.output.iter().map(|(_, ty)| ty.clone()).collect();
        let found = values(harness.output.batches(), &types);
        prop_assert_eq!(sorted(found), sorted(expected(kind, with_condition, &left, &right)));
    }
}

#[test]
fn a_window_is_joined_when_it_ends_and_later_rows_are_late() {
    let mut harness = harness(&join(JoinKind::Inner, false));
    let row = |window, value| Row { window, key: Some(1), value }.values();
    harness.process_input(0, batch(&side(), &[row(0, 1), row(1, 2)])).unwrap();
    harness.process_input(1, batch(&side(), &[row(0, 3)])).unwrap();
    harness.watermark(8).unwrap();
    assert_eq!(harness.output.num_rows(), 0);
    harness.watermark(9).unwrap();
    assert_eq!(harness.output.num_rows(), 1);
    harness.process_input(1, batch(&side(), &[row(0, 4), row(1, 5)])).unwrap();
    assert_eq!(harness.late_rows_dropped(), 1);
    harness.end(2).unwrap();
    assert_eq!(harness.output.num_rows(), 2);
}
