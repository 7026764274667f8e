use crate::recovery::Recovery;
use crate::testing::*;
use headwater_plan::operators::*;
use headwater_plan::{OperatorNode, OperatorSpec, Value};
use headwater_types::LogicalType;
use proptest::prelude::*;

/// Key, time, value.
fn side() -> Vec<LogicalType> {
    vec![int(), timestamp(), int()]
}

fn spec(kind: JoinKind) -> IntervalJoinSpec {
    IntervalJoinSpec {
        kind,
        left_keys: vec![0],
        right_keys: vec![0],
        condition: None,
        left_time: 1,
        right_time: 1,
        lower_ms: -5,
        upper_ms: 10,
        proctime: false,
    }
}

fn join(spec: IntervalJoinSpec) -> OperatorNode {
    let mut output = side();
    if !matches!(spec.kind, JoinKind::Semi | JoinKind::Anti) {
        output.extend(side());
    }
    node(OperatorSpec::IntervalJoin(spec), &[&side(), &side()], &output)
}

type Row = (Option<i64>, i64, i64);

fn row((key, time, value): &Row) -> Vec<Value> {
    vec![optional(*key), i(*time), i(*value)]
}

fn rows(rows: &[Row]) -> headwater_data::ChangeBatch {
    batch(&side(), &rows.iter().map(row).collect::<Vec<_>>())
}

const KINDS: [JoinKind; 6] =
    [JoinKind::Inner, JoinKind::Left, JoinKind::Right, JoinKind::Full, JoinKind::Semi, JoinKind::Anti];

fn expected(spec: &IntervalJoinSpec, left: &[Row], right: &[Row]) -> Vec<String> {
    let matches = |l: &Row, r: &Row| {
        let near = (r.1 + spec.lower_ms..=r.1 + spec.upper_ms).contains(&l.1);
        l.0.is_some() && l.0 == r.0 && near && (spec.condition.is_none() || l.2 < r.2)
    };
    let nulls = || vec![Value::Null; 3];
    let mut found = vec![];
    for l in left {
        let partners: Vec<_> = right.iter().filter(|r| matches(l, r)).collect();
        match spec.kind {
            JoinKind::Semi if !partners.is_empty() => found.push(row(l)),
            JoinKind::Anti if partners.is_empty() => found.push(row(l)),
            JoinKind::Semi | JoinKind::Anti => {}
            _ => found.extend(partners.iter().map(|r| [row(l), row(r)].concat())),
        }
        if partners.is_empty() && matches!(spec.kind, JoinKind::Left | JoinKind::Full) {
            found.push([row(l), nulls()].concat());
        }
    }
    if matches!(spec.kind, JoinKind::Right | JoinKind::Full) {
        let lonely = right.iter().filter(|r| !left.iter().any(|l| matches(l, r)));
        found.extend(lonely.map(|r| [nulls(), row(r)].concat()));
    }
    texts(found)
}

fn texts(rows: Vec<Vec<Value>>) -> Vec<String> {
    let mut texts: Vec<_> = rows.iter().map(|row| format!("{row:?}")).collect();
    texts.sort();
    texts
}

/// Rows in the order of time, in batches, each followed by the watermark that makes none of the next late.
fn events(left: &[Row], right: &[Row], chunk: usize) -> Vec<Event> {
    let mut all: Vec<(u8, Row)> = left.iter().map(|row| (0, *row)).chain(right.iter().map(|row| (1, *row))).collect();
    all.sort_by_key(|(_, row)| row.1);
    let mut events = vec![];
    let mut watermark = i64::MIN;
    for part in all.chunks(chunk) {
        for input in [0, 1] {
            let of_input: Vec<Row> = part.iter().filter(|(of, _)| *of == input).map(|(_, row)| *row).collect();
            if !of_input.is_empty() {
                events.push(Event::Rows(input, rows(&of_input)));
            }
        }
        let next = part[part.len() - 1].1.1 - 1;
        if next > watermark {
            watermark = next;
            events.push(Event::Watermark(watermark));
        }
    }
    events
}

fn strategy() -> impl Strategy<Value = Vec<Row>> {
    prop::collection::vec((prop::option::weighted(0.9, 0i64..3), 0i64..60, 0i64..4), 0..25)
}

proptest! {
    #[test]
    fn joins_equal_the_nested_loop(
        kind in prop::sample::select(KINDS.to_vec()),
        with_condition in prop::bool::ANY,
        left in strategy(),
        right in strategy(),
        chunk in 1usize..6,
        bounds in prop::sample::select(vec![(-5i64, 10i64), (0, 7), (3, 9), (-9, -2)]),
    ) {
        let condition = with_condition.then(|| function("<", vec![column(2, int()), column(5, int())], boolean()));
        let spec = IntervalJoinSpec { condition, lower_ms: bounds.0, upper_ms: bounds.1, ..spec(kind) };
        let node = join(spec.clone());
        let mut harness = open(&node, false, 3);
        for event in events(&left, &right, chunk) {
            match event {
                Event::Rows(input, batch) => harness.process_input(input, batch).unwrap(),
                Event::Watermark(watermark) => harness.watermark(watermark).unwrap(),
                Event::Time(_) => {}
            }
        }
        harness.end(2).unwrap();
        let types: Vec<LogicalType> = node.output.iter().map(|(_, ty)| ty.clone()).collect();
        let found = texts(values(harness.output.batches(), &types));
        prop_assert_eq!(found, expected(&spec, &left, &right));
    }
}

#[test]
fn rows_are_padded_when_they_expire_and_the_watermark_waits_for_them() {
    let mut harness = harness(&join(spec(JoinKind::Left)));
    harness.process_input(0, rows(&[(Some(1), 20, 1)])).unwrap();
    harness.watermark(25).unwrap();
    assert_eq!(harness.output.lines(), ["watermark 14"]);
    harness.watermark(26).unwrap();
    let padded = "+I[1, 1970-01-01T00:00:00.020, 1, NULL, NULL, NULL]";
    assert_eq!(harness.output.lines(), ["watermark 14", padded, "watermark 15"]);
    // Too late to be kept: padded at once.
    harness.process_input(0, rows(&[(Some(1), 20, 2)])).unwrap();
    assert_eq!(harness.output.num_rows(), 2);
}

#[test]
fn processing_time_joins_rows_that_arrive_near_each_other() {
    let mut harness = harness(&join(IntervalJoinSpec { proctime: true, ..spec(JoinKind::Full) }));
    harness.process_input(0, rows(&[(Some(1), 0, 1)])).unwrap();
    harness.advance_to(5).unwrap();
    harness.process_input(1, rows(&[(Some(1), 0, 2)])).unwrap();
    assert_eq!(harness.output.num_rows(), 1);
    harness.advance_to(6).unwrap();
    harness.process_input(1, rows(&[(Some(1), 0, 3)])).unwrap();
    assert_eq!(harness.output.num_rows(), 1);
    harness.advance_to(17).unwrap();
    assert_eq!(harness.output.num_rows(), 2);
    assert_eq!(harness.operator().next_timer_ms(), None);
}

#[test]
fn interval_joins_survive_crashes() {
    let left: Vec<Row> = (0..14).map(|n| (Some(n % 4), n * 4, n)).collect();
    let right: Vec<Row> = (0..14).map(|n| (Some(n % 3), n * 4 + 1, n)).collect();
    for kind in KINDS {
        Recovery::new(&join(spec(kind)), false, &[&[0], &[0]]).check(&events(&left, &right, 4));
    }
}
