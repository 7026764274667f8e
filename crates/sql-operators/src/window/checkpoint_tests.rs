//! Window operators survive crashes, late rows included.

use crate::recovery::Recovery;
use crate::testing::*;
use headwater_plan::operators::*;
use headwater_plan::{OperatorNode, OperatorSpec, Value};
use headwater_types::LogicalType;

/// Key, time, value.
fn input() -> Vec<LogicalType> {
    vec![string(), timestamp(), int()]
}

/// Window start, window end, key, value.
fn attached() -> Vec<LogicalType> {
    vec![timestamp(), timestamp(), int(), int()]
}

fn calls() -> Vec<AggregateCall> {
    vec![
        aggregate("COUNT", &[], bigint()),
        aggregate("SUM", &[2], int()),
        aggregate("LAST_VALUE", &[2], int()),
        distinct(aggregate("COUNT", &[2], bigint())),
    ]
}

fn aggregation(shape: WindowShape, proctime: bool, keys: &[usize]) -> OperatorNode {
    let time = if proctime { WindowTime::Proctime } else { WindowTime::Rowtime(1) };
    let spec = WindowAggregateSpec {
        phase: AggregatePhase::Complete,
        window: WindowSpec { shape, offset_ms: 0, time, partition_by: vec![], zone: None, proctime },
        keys: keys.to_vec(),
        calls: calls(),
        properties: vec![WindowProperty::Start, WindowProperty::End],
        input_types: input(),
    };
    let mut output: Vec<LogicalType> = keys.iter().map(|key| input()[*key].clone()).collect();
    output.extend(calls().into_iter().map(|call| call.ty));
    output.extend([timestamp(), timestamp()]);
    node(OperatorSpec::WindowAggregate(spec), &[&input()], &output)
}

/// Rows with times that rise and now and then fall behind the watermark.
fn stream() -> Vec<Event> {
    let keys = ["a", "b", "c", "d"];
    let row = |n: i64, offset: i64, late: i64| {
        vec![s(keys[((n + offset) % 4) as usize]), i((n * 4 + offset - late).max(0)), i(n * 7 % 5 + offset)]
    };
    (0..9)
        .flat_map(|n| {
            let late = if n % 3 == 2 { 15 } else { 0 };
            let rows = batch(&input(), &[row(n, 0, 0), row(n, 1, late), row(n, 2, 0)]);
            [Event::Rows(0, rows), Event::Watermark(n * 4), Event::Time(n * 4)]
        })
        .collect()
}

const SHAPES: [WindowShape; 4] = [
    WindowShape::Tumble { size_ms: 10 },
    WindowShape::Hop { slide_ms: 5, size_ms: 15 },
    WindowShape::Cumulate { step_ms: 4, max_ms: 12 },
    WindowShape::Session { gap_ms: 6 },
];

#[test]
fn aggregations() {
    for shape in SHAPES {
        for (proctime, keys) in [(false, vec![0]), (false, vec![2]), (false, vec![]), (true, vec![0])] {
            let node = aggregation(shape, proctime, &keys);
            Recovery::new(&node, false, &[&keys]).check(&stream());
        }
    }
}

#[test]
fn aggregations_over_changelogs() {
    let row = |kind, key: &str, time: i64, value: i64| (kind, vec![s(key), i(time), i(value)]);
    let events = [
        Event::Rows(0, changes(&input(), &[row("+I", "a", 1, 1), row("+I", "b", 2, 2), row("+I", "a", 3, 3)])),
        Event::Rows(0, changes(&input(), &[row("-D", "b", 2, 2), row("-U", "a", 1, 1), row("+U", "a", 1, 5)])),
        Event::Watermark(12),
        Event::Rows(0, changes(&input(), &[row("+I", "c", 14, 2), row("-D", "c", 14, 2), row("+I", "c", 15, 3)])),
    ];
    for shape in SHAPES {
        Recovery::new(&aggregation(shape, false, &[0]), true, &[&[0]]).check(&events);
    }
}

#[test]
fn session_rows() {
    for (proctime, keys) in [(false, vec![0]), (true, vec![0]), (false, vec![])] {
        let time = if proctime { WindowTime::Proctime } else { WindowTime::Rowtime(1) };
        let shape = WindowShape::Session { gap_ms: 6 };
        let spec = WindowSpec { shape, offset_ms: 0, time, partition_by: keys.clone(), zone: None, proctime };
        let mut output = input();
        output.extend([timestamp(), timestamp(), timestamp()]);
        let node = node(OperatorSpec::WindowTableFunction(spec), &[&input()], &output);
        Recovery::new(&node, false, &[&keys]).check(&stream());
    }
}

/// Rows of windows of 10 ms; every third batch brings rows of windows that have ended.
fn windowed(inputs: u8) -> Vec<Event> {
    let row = |n: i64, offset: i64, window: i64| -> Vec<Value> {
        let start = window.max(0) * 10;
        vec![i(start), i(start + 10), i((n + offset) % 3), i(n * 5 % 7 + offset)]
    };
    (0..10)
        .flat_map(|n| {
            let late = if n % 3 == 2 { 2 } else { 0 };
            let rows = batch(&attached(), &[row(n, 0, n / 2), row(n, 1, n / 2 - late), row(n, 2, n / 2 + 1)]);
            [Event::Rows((n % i64::from(inputs)) as u8, rows), Event::Watermark(n * 5)]
        })
        .collect()
}

#[test]
fn joins() {
    for kind in [JoinKind::Inner, JoinKind::Full, JoinKind::Semi, JoinKind::Anti] {
        let spec = WindowJoinSpec {
            kind,
            left_window: (0, 1),
            right_window: (0, 1),
            left_keys: vec![2],
            right_keys: vec![2],
            condition: None,
            zone: None,
            proctime: false,
        };
        let mut output = attached();
        if !matches!(kind, JoinKind::Semi | JoinKind::Anti) {
            output.extend(attached());
        }
        let node = node(OperatorSpec::WindowJoin(spec), &[&attached(), &attached()], &output);
        Recovery::new(&node, false, &[&[2], &[2]]).check(&windowed(2));
    }
}

#[test]
fn ranks() {
    let spec = WindowRankSpec {
        function: RankFunction::RowNumber,
        keys: vec![2],
        order: vec![SortKey { column: 3, ascending: false, nulls_first: false }],
        start: 1,
        end: 2,
        with_rank: true,
        window: (0, 1),
        zone: None,
        proctime: false,
    };
    let mut output = attached();
    output.push(bigint());
    let node = node(OperatorSpec::WindowRank(spec), &[&attached()], &output);
    // One window that gathers so many batches that it is cut back between barriers.
    let gathering =
        (0..40).map(|n| Event::Rows(0, batch(&attached(), &[vec![i(90), i(100), i(n % 3), i(n * 7 % 11)]])));
    let events: Vec<Event> = windowed(1).into_iter().chain(gathering).collect();
    Recovery::new(&node, false, &[&[2]]).check(&events);
}

#[test]
fn sorted_rows() {
    let order = vec![
        SortKey { column: 1, ascending: true, nulls_first: true },
        SortKey { column: 2, ascending: true, nulls_first: true },
    ];
    let spec = TemporalSortSpec { rowtime: 1, order };
    let node = node(OperatorSpec::TemporalSort(spec), &[&input()], &input());
    Recovery::new(&node, false, &[&[]]).check(&stream());
}
