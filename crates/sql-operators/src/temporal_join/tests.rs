use crate::recovery::Recovery;
use crate::testing::*;
use headwater_plan::operators::*;
use headwater_plan::{OperatorNode, OperatorSpec, Value};
use headwater_types::LogicalType;
use proptest::prelude::*;

/// Key, time, value.
fn side() -> Vec<LogicalType> {
    vec![string(), timestamp(), int()]
}

fn join(kind: JoinKind, event_time: bool, with_condition: bool) -> OperatorNode {
    let condition = function("<", vec![column(2, int()), column(5, int())], boolean());
    let spec = TemporalJoinSpec {
        kind,
        left_keys: vec![0],
        right_keys: vec![0],
        condition: with_condition.then_some(condition),
        rowtimes: event_time.then_some((1, 1)),
        load_until_ms: None,
        state_ttl_ms: 0,
    };
    node(OperatorSpec::TemporalJoin(spec), &[&side(), &side()], &[side(), side()].concat())
}

type Row = (&'static str, &'static str, i64, i64);

fn rows(rows: &[Row]) -> headwater_data::ChangeBatch {
    let row = |(kind, key, time, value): &Row| {
        let key = if *key == "-" { Value::Null } else { s(key) };
        (*kind, vec![key, i(*time), i(*value)])
    };
    changes(&side(), &rows.iter().map(row).collect::<Vec<_>>())
}

/// Keys and values of the output: the left row's, then the right row's value.
fn short(lines: Vec<String>) -> Vec<String> {
    let part = |line: &String| {
        let fields: Vec<&str> = line.trim_end_matches(']').split(", ").collect();
        format!("{} {} {}", fields[0], fields[2], fields[5])
    };
    lines.iter().map(part).collect()
}

#[test]
fn rows_find_the_version_of_their_time() {
    let mut harness = open(&join(JoinKind::Left, true, false), true, 4096);
    harness
        .process_input(
            1,
            rows(&[("+I", "e", 10, 114), ("+I", "u", 10, 102), ("-U", "e", 10, 114), ("+U", "e", 20, 116)]),
        )
        .unwrap();
    harness
        .process_input(0, rows(&[("+I", "e", 19, 1), ("+I", "e", 5, 2), ("+I", "-", 5, 3), ("+I", "e", 20, 4)]))
        .unwrap();
    assert_eq!(short(harness.output.rows()), ["+I[NULL 3 NULL"]);
    harness.watermark(19).unwrap();
    assert_eq!(short(harness.output.rows())[1..], ["+I[e 1 114", "+I[e 2 NULL"]);
    harness.process_input(1, rows(&[("-D", "e", 25, 116)])).unwrap();
    harness.process_input(0, rows(&[("+I", "e", 24, 5), ("-U", "e", 26, 6), ("+U", "u", 30, 7)])).unwrap();
    harness.end(2).unwrap();
    let mut found = short(harness.output.rows())[3..].to_vec();
    found.sort();
    assert_eq!(found, ["+I[e 4 116", "+I[e 5 116", "+U[u 7 102", "-U[e 6 NULL"]);
}

#[test]
fn an_inner_join_drops_rows_without_a_version_and_conditions_count() {
    for (kind, expected) in
        [(JoinKind::Inner, vec!["+I[e 1 114"]), (JoinKind::Left, vec!["+I[e 1 114", "+I[e 200 NULL", "+I[x 1 NULL"])]
    {
        let mut harness = open(&join(kind, true, true), false, 4096);
        harness.process_input(1, rows(&[("+I", "e", 10, 114)])).unwrap();
        harness.process_input(0, rows(&[("+I", "e", 11, 1), ("+I", "e", 12, 200), ("+I", "x", 12, 1)])).unwrap();
        harness.end(2).unwrap();
        let mut found = short(harness.output.rows());
        found.sort();
        assert_eq!(found, expected);
    }
}

#[test]
fn processing_time_takes_the_latest_version() {
    let mut harness = open(&join(JoinKind::Left, false, false), true, 4096);
    harness.process_input(0, rows(&[("+I", "e", 0, 1)])).unwrap();
    harness.process_input(1, rows(&[("+I", "e", 0, 10), ("-U", "e", 0, 10), ("+U", "e", 0, 20)])).unwrap();
    harness.process_input(0, rows(&[("+I", "e", 0, 2), ("-D", "e", 0, 3), ("+I", "-", 0, 4)])).unwrap();
    harness.process_input(1, rows(&[("-D", "e", 0, 20)])).unwrap();
    harness.process_input(0, rows(&[("+I", "e", 0, 5)])).unwrap();
    let expected = ["+I[e 1 NULL", "+I[e 2 20", "-D[e 3 20", "+I[NULL 4 NULL", "+I[e 5 NULL"];
    assert_eq!(short(harness.output.rows()), expected);
}

proptest! {
    /// In whatever order rows arrive before the watermark passes them, each finds the version of its time.
    #[test]
    fn event_time_equals_the_versions_of_a_sorted_table(
        versions in prop::collection::btree_map((0usize..3, 0i64..30), 0i64..100, 0..15),
        left in prop::collection::vec((0usize..3, 0i64..40), 0..20),
        step in 1i64..12,
    ) {
        const KEYS: [&str; 3] = ["a", "b", "c"];
        let mut harness = open(&join(JoinKind::Left, true, false), false, 2);
        let mut watermark = -1;
        while watermark < 40 {
            let next = watermark + step;
            let due = |time: i64| time > watermark && time <= next;
            let of_left: Vec<Row> =
                left.iter().filter(|(_, time)| due(*time)).map(|(key, time)| ("+I", KEYS[*key], *time, 1)).collect();
            let of_right: Vec<Row> = versions
                .iter()
                .filter(|((_, time), _)| due(*time))
                .map(|((key, time), value)| ("+I", KEYS[*key], *time, *value))
                .collect();
            harness.process_input(0, rows(&of_left)).unwrap();
            harness.process_input(1, rows(&of_right)).unwrap();
            harness.watermark(next).unwrap();
            watermark = next;
        }
        let mut found = short(harness.output.rows());
        found.sort();
        let version = |key: usize, time: i64| versions.range((key, i64::MIN)..=(key, time)).next_back().map(|(_, v)| *v);
        let text = |(key, time): &(usize, i64)| {
            format!("+I[{} 1 {}", KEYS[*key], version(*key, *time).map_or("NULL".to_owned(), |v| v.to_string()))
        };
        let mut expected: Vec<String> = left.iter().map(text).collect();
        expected.sort();
        prop_assert_eq!(found, expected);
    }
}

#[test]
fn temporal_joins_survive_crashes() {
    const KEYS: [&str; 4] = ["a", "b", "c", "d"];
    let mut events = vec![];
    for n in 0..8i64 {
        let key = |offset: i64| KEYS[((n + offset) % 4) as usize];
        events.push(Event::Rows(1, rows(&[("+I", key(0), n * 10, n), ("+I", key(1), n * 10 + 5, n + 100)])));
        let left = [("+I", key(0), n * 10 + 1, 1), ("+I", key(1), n * 10 + 12, 2), ("+I", key(2), n * 10 + 3, 3)];
        events.push(Event::Rows(0, rows(&left)));
        if n % 2 == 1 {
            events.push(Event::Watermark(n * 10));
        }
    }
    for event_time in [true, false] {
        let node = join(JoinKind::Left, event_time, false);
        Recovery::new(&node, false, &[&[0], &[0]]).check(&events);
    }
}

fn snapshot(kind: JoinKind, with_condition: bool) -> OperatorNode {
    let OperatorSpec::TemporalJoin(spec) = join(kind, false, with_condition).spec else { unreachable!() };
    let spec = OperatorSpec::TemporalJoin(TemporalJoinSpec { load_until_ms: Some(10), ..spec });
    node(spec, &[&side(), &side()], &[side(), side()].concat())
}

#[test]
fn a_snapshot_is_loaded_before_it_is_joined() {
    let mut harness = harness(&snapshot(JoinKind::Left, false));
    harness.process_input(0, rows(&[("+I", "a", 1, 1), ("+I", "-", 1, 2)])).unwrap();
    harness.process_input(1, rows(&[("+I", "a", 1, 10), ("+I", "a", 2, 11), ("+I", "a", 2, 11)])).unwrap();
    harness.watermark(9).unwrap();
    assert_eq!(harness.output.num_rows(), 0, "it is not loaded yet");
    harness.process_input(1, rows(&[("-D", "a", 1, 10)])).unwrap();
    harness.watermark(10).unwrap();
    let mut found = short(harness.output.rows());
    found.sort();
    assert_eq!(found, ["+I[NULL 2 NULL", "+I[a 1 11", "+I[a 1 11"]);
    harness.process_input(1, rows(&[("-U", "a", 2, 11), ("+U", "a", 2, 12)])).unwrap();
    harness.process_input(0, rows(&[("+I", "a", 3, 3), ("+I", "b", 3, 4)])).unwrap();
    let mut found = short(harness.output.rows());
    found.sort();
    assert_eq!(found[found.len() - 3..], ["+I[a 3 11", "+I[a 3 12", "+I[b 4 NULL"]);
}

#[test]
fn snapshots_survive_crashes() {
    let side = |input, given: &[Row]| Event::Rows(input, rows(given));
    let events = [
        side(1, &[("+I", "a", 1, 1), ("+I", "b", 1, 2), ("+I", "c", 1, 3)]),
        side(0, &[("+I", "a", 1, 2), ("+I", "b", 1, 1), ("+I", "d", 1, 1)]),
        Event::Watermark(5),
        side(1, &[("+I", "a", 2, 4), ("-D", "b", 1, 2)]),
        Event::Watermark(12),
        side(0, &[("+I", "a", 3, 0), ("+I", "c", 3, 1)]),
        side(1, &[("-D", "a", 1, 1)]),
        side(0, &[("+I", "a", 4, 0)]),
    ];
    for kind in [JoinKind::Inner, JoinKind::Left] {
        for with_condition in [false, true] {
            Recovery::new(&snapshot(kind, with_condition), true, &[&[0], &[0]]).check(&events);
        }
    }
}
