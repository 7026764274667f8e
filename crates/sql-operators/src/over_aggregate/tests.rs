use crate::recovery::Recovery;
use crate::testing::*;
use headwater_plan::operators::*;
use headwater_plan::{OperatorNode, OperatorSpec, Value};
use headwater_types::{LogicalType, TypeRoot};
use proptest::prelude::*;

/// Key, time, value.
fn input() -> Vec<LogicalType> {
    vec![string(), timestamp(), int()]
}

fn double() -> LogicalType {
    TypeRoot::Double.into()
}

fn spec(time: OverTime, frame: OverFrame, calls: Vec<AggregateCall>) -> OverAggregateSpec {
    let column = if time == OverTime::Column { 2 } else { 1 };
    OverAggregateSpec {
        keys: vec![0],
        order: vec![SortKey { column, ascending: true, nulls_first: true }],
        time,
        frame,
        calls,
        final_only: false,
        emits_update_before: true,
        state_ttl_ms: 0,
    }
}

fn over(spec: OverAggregateSpec) -> OperatorNode {
    let mut output = input();
    output.extend(spec.calls.iter().map(|call| call.ty.clone()));
    node(OperatorSpec::OverAggregate(spec), &[&input()], &output)
}

fn sums() -> Vec<AggregateCall> {
    vec![aggregate("COUNT", &[], bigint()), aggregate("SUM", &[2], int()), aggregate("MAX", &[2], int())]
}

type Row = (&'static str, i64, i64);

fn values_of(rows: &[Row]) -> Vec<Vec<Value>> {
    rows.iter().map(|(key, time, value)| vec![s(key), i(*time), i(*value)]).collect()
}

fn rows(rows: &[Row]) -> headwater_data::ChangeBatch {
    batch(&input(), &values_of(rows))
}

/// Output lines without the time: kind, key, value, results.
fn short(lines: Vec<String>) -> Vec<String> {
    let part = |line: &String| {
        let fields: Vec<&str> = line.trim_end_matches(']').split(", ").collect();
        format!("{} {}: {}", fields[0], fields[2], fields[3..].join(" "))
    };
    lines.iter().map(part).collect()
}

const ROWTIME: OverTime = OverTime::Rowtime(1);

#[test]
fn rows_are_computed_when_the_watermark_passes_them_in_the_order_of_time() {
    for (frame, expected) in [
        (OverFrame::RangeUnbounded, ["+I[a 1: 1 1 1", "+I[a 2: 3 6 3", "+I[a 3: 3 6 3", "+I[a 4: 4 10 4"]),
        (OverFrame::RowsUnbounded, ["+I[a 1: 1 1 1", "+I[a 2: 2 3 2", "+I[a 3: 3 6 3", "+I[a 4: 4 10 4"]),
        (OverFrame::Rows(1), ["+I[a 1: 1 1 1", "+I[a 2: 2 3 2", "+I[a 3: 2 5 3", "+I[a 4: 2 7 4"]),
        (OverFrame::Range(10), ["+I[a 1: 1 1 1", "+I[a 2: 3 6 3", "+I[a 3: 3 6 3", "+I[a 4: 3 9 4"]),
    ] {
        let mut harness = harness(&over(spec(ROWTIME, frame, sums())));
        harness.process(rows(&[("a", 20, 4), ("a", 5, 1)])).unwrap();
        harness.process(rows(&[("a", 12, 2), ("a", 12, 3)])).unwrap();
        assert_eq!(harness.output.num_rows(), 0);
        harness.watermark(15).unwrap();
        assert_eq!(harness.output.num_rows(), 3);
        harness.process(rows(&[("a", 12, 9)])).unwrap();
        assert_eq!(harness.late_rows_dropped(), 1);
        harness.end(1).unwrap();
        assert_eq!(short(harness.output.rows()), expected, "{frame:?}");
    }
}

#[test]
fn ranks_and_lag_see_the_whole_partition() {
    let lag = AggregateCall { parameters: vec![i(2), i(-1)], ..aggregate("LAG", &[2], int()) };
    let calls = || {
        let ranks = ["ROW_NUMBER", "RANK", "DENSE_RANK"].map(|function| aggregate(function, &[], bigint()));
        ranks.into_iter().chain([lag.clone()]).collect::<Vec<_>>()
    };
    let expected = ["+I[a 1: 1 1 1 -1", "+I[a 2: 2 2 2 -1", "+I[a 3: 3 2 2 1", "+I[a 4: 4 4 3 2"];
    for final_only in [false, true] {
        let spec = OverAggregateSpec { final_only, ..spec(ROWTIME, OverFrame::RowsUnbounded, calls()) };
        let mut harness = harness(&over(spec));
        harness.process(rows(&[("a", 5, 1), ("a", 12, 2), ("a", 12, 3), ("a", 20, 4)])).unwrap();
        harness.end(1).unwrap();
        assert_eq!(short(harness.output.rows()), expected);
    }
}

#[test]
fn finite_input_knows_whole_partitions() {
    let calls = vec![
        aggregate("LEAD", &[2], int()),
        AggregateCall { parameters: vec![i(2)], ..aggregate("NTILE", &[], int()) },
        aggregate("CUME_DIST", &[], double()),
        aggregate("PERCENT_RANK", &[], double()),
    ];
    let spec = OverAggregateSpec { final_only: true, ..spec(ROWTIME, OverFrame::RowsUnbounded, calls) };
    let mut harness = open(&over(spec), false, 2);
    harness.process(rows(&[("b", 1, 9), ("a", 20, 4), ("a", 12, 2), ("a", 12, 3), ("a", 5, 1)])).unwrap();
    harness.end(1).unwrap();
    let expected = [
        "+I[a 1: 2 1 0.25 0.0",
        "+I[a 2: 3 1 0.75 0.3333333333333333",
        "+I[a 3: 4 2 0.75 0.3333333333333333",
        "+I[a 4: NULL 2 1.0 1.0",
        "+I[b 9: NULL 1 1.0 0.0",
    ];
    assert_eq!(short(harness.output.rows()), expected);
}

#[test]
fn processing_time_computes_rows_as_they_arrive() {
    for (frame, expected) in [
        (OverFrame::RowsUnbounded, ["+I[a 1: 1 1 1", "+I[a 2: 2 3 2", "+I[a 3: 3 6 3"]),
        (OverFrame::Rows(1), ["+I[a 1: 1 1 1", "+I[a 2: 2 3 2", "+I[a 3: 2 5 3"]),
        (OverFrame::Range(10), ["+I[a 1: 1 1 1", "+I[a 2: 2 3 2", "+I[a 3: 1 3 3"]),
    ] {
        let mut harness = harness(&over(spec(OverTime::Proctime, frame, sums())));
        harness.process(rows(&[("a", 0, 1)])).unwrap();
        harness.advance_to(10).unwrap();
        harness.process(rows(&[("a", 0, 2)])).unwrap();
        harness.advance_to(30).unwrap();
        harness.process(rows(&[("a", 0, 3)])).unwrap();
        assert_eq!(short(harness.output.rows()), expected, "{frame:?}");
    }
}

#[test]
fn rows_of_one_millisecond_of_processing_time_are_no_peers() {
    let mut harness = harness(&over(spec(OverTime::Proctime, OverFrame::RangeUnbounded, sums())));
    harness.process(rows(&[("a", 0, 1), ("a", 0, 2)])).unwrap();
    assert_eq!(short(harness.output.rows()), ["+I[a 1: 1 1 1", "+I[a 2: 2 3 2"]);
}

#[test]
fn other_orders_update_the_rows_behind_a_change() {
    let calls = vec![aggregate("SUM", &[2], int())];
    let mut harness = open(&over(spec(OverTime::Column, OverFrame::RangeUnbounded, calls)), true, 4096);
    harness.process(rows(&[("a", 0, 1), ("a", 0, 5), ("a", 0, 2)])).unwrap();
    let first = ["+I[a 1: 1", "+I[a 5: 6", "+I[a 2: 3", "-U[a 5: 6", "+U[a 5: 8"];
    assert_eq!(short(harness.output.rows()), first);
    harness.output.take();
    let change = [("-U", vec![s("a"), i(0), i(2)]), ("+U", vec![s("a"), i(0), i(3)]), ("+I", vec![s("a"), i(9), i(1)])];
    harness.process(changes(&input(), &change)).unwrap();
    let second = [
        "-D[a 2: 3",
        "-U[a 5: 8",
        "+U[a 5: 6",
        "+U[a 3: 4",
        "-U[a 5: 6",
        "+U[a 5: 9",
        "+I[a 1: 2",
        "-U[a 1: 1",
        "+U[a 1: 2",
        "-U[a 3: 4",
        "+U[a 3: 5",
        "-U[a 5: 9",
        "+U[a 5: 10",
    ];
    assert_eq!(short(harness.output.rows()), second);
}

#[test]
fn the_same_average_of_more_rows_is_an_update() {
    let calls = vec![aggregate("AVG", &[2], int())];
    let mut harness = open(&over(spec(OverTime::Column, OverFrame::RowsUnbounded, calls)), false, 4096);
    harness.process(rows(&[("a", 0, 1), ("a", 0, 2), ("a", 0, 5), ("a", 0, 6)])).unwrap();
    assert_eq!(short(harness.output.rows()), ["+I[a 1: 1", "+I[a 2: 1", "+I[a 5: 2", "+I[a 6: 3"]);
    harness.output.take();
    harness.process(rows(&[("a", 0, 4)])).unwrap();
    let expected = ["+I[a 4: 2", "-U[a 5: 2", "+U[a 5: 3", "-U[a 6: 3", "+U[a 6: 3"];
    assert_eq!(short(harness.output.rows()), expected);
}

#[test]
fn rows_behind_the_others_go_on_from_what_was_accumulated() {
    let calls = || {
        let ranks = ["ROW_NUMBER", "RANK", "DENSE_RANK"].map(|function| aggregate(function, &[], bigint()));
        let values = ["LAG", "FIRST_VALUE", "LAST_VALUE", "SUM"].map(|function| aggregate(function, &[2], int()));
        ranks.into_iter().chain(values).collect::<Vec<_>>()
    };
    for frame in [OverFrame::RowsUnbounded, OverFrame::RangeUnbounded] {
        let input = [3, 4, 4, 6, 5, 7, 7, 7, 1, 8, 9].map(|value| ("a", 0, value));
        let run = |chunk: usize| {
            let mut harness = open(&over(spec(OverTime::Column, frame, calls())), false, 4096);
            input.chunks(chunk).for_each(|part| harness.process(rows(part)).unwrap());
            short(harness.output.rows())
        };
        let whole = run(input.len());
        assert_eq!(whole, run(1), "{frame:?}");
        assert!(whole[0].starts_with("+I[a 3: 1 1 1 NULL 3 3 3"), "{}", whole[0]);
        assert!(whole.last().is_some_and(|last| last.starts_with("+I[a 9: 11 11 8 8 1 9 61")), "{whole:?}");
    }
}

/// What a frame gives for every row, in the order of time.
fn model(rows: &[Row], frame: OverFrame) -> Vec<String> {
    let mut sorted: Vec<Row> = rows.to_vec();
    sorted.sort_by_key(|(key, time, _)| (*key, *time));
    let mut lines = vec![];
    for (position, (key, time, value)) in sorted.iter().enumerate() {
        let of_key: Vec<(usize, &Row)> = sorted.iter().enumerate().filter(|(_, row)| row.0 == *key).collect();
        let at = of_key.iter().position(|(p, _)| *p == position).unwrap();
        let within = |(n, row): (usize, &Row)| match frame {
            OverFrame::RowsUnbounded => n <= at,
            OverFrame::Rows(before) => n <= at && n + before as usize >= at,
            OverFrame::RangeUnbounded => row.1 <= *time,
            OverFrame::Range(ms) => row.1 <= *time && row.1 >= time - ms,
        };
        let in_frame: Vec<i64> =
            of_key.iter().enumerate().filter(|(n, (_, row))| within((*n, row))).map(|(_, (_, row))| row.2).collect();
        let (sum, max) = (in_frame.iter().sum::<i64>(), in_frame.iter().max().unwrap());
        lines.push(format!("+I[{key} {value}: {} {sum} {max}", in_frame.len()));
    }
    lines.sort();
    lines
}

const FRAMES: [OverFrame; 6] = [
    OverFrame::RowsUnbounded,
    OverFrame::RangeUnbounded,
    OverFrame::Rows(0),
    OverFrame::Rows(2),
    OverFrame::Range(0),
    OverFrame::Range(6),
];

proptest! {
    #[test]
    fn frames_equal_the_model(
        frame in prop::sample::select(FRAMES.to_vec()),
        final_only in prop::bool::ANY,
        rows_in in prop::collection::vec((0usize..3, 0i64..25, -5i64..6), 0..40),
        chunk in 1usize..9,
        batch_rows in 1usize..5,
    ) {
        let mut all: Vec<Row> = rows_in.iter().map(|(key, time, value)| (["a", "b", "c"][*key], *time, *value)).collect();
        // Rows of one time are in arrival order, so the stream must come in the order of time.
        all.sort_by_key(|(_, time, _)| *time);
        let spec = OverAggregateSpec { final_only, ..spec(ROWTIME, frame, sums()) };
        let mut harness = open(&over(spec), false, batch_rows);
        let mut watermark = i64::MIN;
        for part in all.chunks(chunk) {
            harness.process(rows(part)).unwrap();
            let next = part[part.len() - 1].1 - 1;
            if next > watermark {
                watermark = next;
                harness.watermark(watermark).unwrap();
            }
        }
        harness.end(1).unwrap();
        let mut found = short(harness.output.rows());
        found.sort();
        prop_assert_eq!(found, model(&all, frame));
    }
}

#[test]
fn over_aggregates_survive_crashes() {
    let keys = ["a", "b", "c", "d"];
    let events: Vec<Event> = (0..10i64)
        .flat_map(|n| {
            let row = |offset: i64| (keys[((n + offset) % 4) as usize], n * 3 + offset, n * 7 % 5 + offset);
            let arrive = Event::Rows(0, rows(&[row(0), row(1), row(2)]));
            [arrive, Event::Watermark(n * 3), Event::Time(n * 3)]
        })
        .collect();
    let calls = || {
        let ranks = vec![aggregate("ROW_NUMBER", &[], bigint()), aggregate("LAG", &[2], int())];
        sums().into_iter().chain(ranks).collect::<Vec<_>>()
    };
    for time in [ROWTIME, OverTime::Proctime, OverTime::Column] {
        for frame in FRAMES {
            Recovery::new(&over(spec(time, frame, calls())), time == OverTime::Column, &[&[0]]).check(&events);
        }
    }
}
