//! First rows per key under inserts, updates by key, and retractions.

use crate::recovery::Recovery;
use crate::testing::*;
use crate::{BuildContext, build};
use headwater_env::Env;
use headwater_plan::operators::*;
use headwater_plan::{OperatorNode, OperatorSpec, Value};
use headwater_types::LogicalType;
use headwater_types::config::Configuration;
use proptest::prelude::*;

/// Partition, id, order.
fn types() -> [LogicalType; 3] {
    [string(), int(), int()]
}

fn rank(strategy: RankStrategy, end: u64, edit: impl FnOnce(&mut RankSpec)) -> OperatorNode {
    let mut spec = RankSpec {
        function: RankFunction::RowNumber,
        keys: vec![0],
        order: vec![SortKey { column: 2, ascending: false, nulls_first: false }],
        start: 1,
        end: RankEnd::Constant(end),
        with_rank: false,
        strategy,
        emits_update_before: true,
        state_ttl_ms: 0,
    };
    edit(&mut spec);
    let mut output = types().to_vec();
    output.extend(spec.with_rank.then(bigint));
    node(OperatorSpec::Rank(spec), &[&types()], &output)
}

type Row<'a> = (&'a str, &'a str, i64, i64);

fn rows<'a>(rows: &[Row<'a>]) -> Vec<(&'a str, Vec<Value>)> {
    rows.iter().map(|(kind, key, id, order)| (*kind, vec![s(key), i(*id), i(*order)])).collect()
}

fn run(node: &OperatorNode, changing: bool, input: &[Row<'_>]) -> Vec<String> {
    let mut harnesses = [open(node, changing, 4096), open(node, changing, 4096)];
    harnesses[0].process(changes(&types(), &rows(input))).unwrap();
    for row in rows(input) {
        harnesses[1].process(changes(&types(), &[row])).unwrap();
    }
    let lines = harnesses.map(|harness| harness.output.rows());
    assert_eq!(lines[0], lines[1], "one batch is as row by row");
    lines[0].clone()
}

#[test]
fn appended_rows_push_others_out() {
    let input = [
        ("+I", "a", 1, 5),
        ("+I", "a", 2, 7),
        ("+I", "b", 3, 1),
        ("+I", "a", 4, 5),
        ("+I", "a", 5, 6),
        ("+I", "a", 6, 9),
    ];
    let plain = rank(RankStrategy::Append, 2, |_| {});
    let expected =
        ["+I[a, 1, 5]", "+I[a, 2, 7]", "+I[b, 3, 1]", "-D[a, 1, 5]", "+I[a, 5, 6]", "-D[a, 5, 6]", "+I[a, 6, 9]"];
    assert_eq!(run(&plain, false, &input), expected);
    let ranked = rank(RankStrategy::Append, 2, |spec| spec.with_rank = true);
    let expected = [
        "+I[a, 1, 5, 1]",
        "-U[a, 1, 5, 1]",
        "+U[a, 2, 7, 1]",
        "+I[a, 1, 5, 2]",
        "+I[b, 3, 1, 1]",
        "-U[a, 1, 5, 2]",
        "+U[a, 5, 6, 2]",
        "-U[a, 2, 7, 1]",
        "+U[a, 6, 9, 1]",
        "-U[a, 5, 6, 2]",
        "+U[a, 2, 7, 2]",
    ];
    assert_eq!(run(&ranked, false, &input), expected);
    let ranked = rank(RankStrategy::Append, 2, |spec| (spec.with_rank, spec.emits_update_before) = (true, false));
    let no_before: Vec<_> = expected.into_iter().filter(|line| !line.starts_with("-U")).collect();
    assert_eq!(run(&ranked, false, &input), no_before);
}

#[test]
fn an_offset_hides_the_first_ranks() {
    let node = rank(RankStrategy::Append, 2, |spec| spec.start = 2);
    let input = [("+I", "a", 1, 5), ("+I", "a", 2, 7), ("+I", "a", 3, 9)];
    assert_eq!(run(&node, false, &input), ["+I[a, 1, 5]", "-U[a, 1, 5]", "+U[a, 2, 7]"]);
}

#[test]
fn rows_move_up_when_others_are_taken_back() {
    let input = [
        ("+I", "a", 1, 5),
        ("+I", "a", 2, 7),
        ("+I", "a", 3, 6),
        ("-D", "a", 2, 7),
        ("-D", "a", 9, 7),
        ("-D", "a", 3, 6),
        ("-D", "a", 1, 5),
    ];
    let plain = rank(RankStrategy::Retract, 2, |_| {});
    let expected = [
        "+I[a, 1, 5]",
        "+I[a, 2, 7]",
        "-D[a, 1, 5]",
        "+I[a, 3, 6]",
        "-D[a, 2, 7]",
        "+I[a, 1, 5]",
        "-D[a, 3, 6]",
        "-D[a, 1, 5]",
    ];
    assert_eq!(run(&plain, true, &input), expected);
    let ranked = rank(RankStrategy::Retract, 2, |spec| (spec.with_rank, spec.emits_update_before) = (true, false));
    let expected = [
        "+I[a, 1, 5, 1]",
        "+U[a, 2, 7, 1]",
        "+I[a, 1, 5, 2]",
        "+U[a, 3, 6, 2]",
        "+U[a, 3, 6, 1]",
        "+U[a, 1, 5, 2]",
        "+U[a, 1, 5, 1]",
        "-D[a, 1, 5, 2]",
        "-D[a, 1, 5, 1]",
    ];
    assert_eq!(run(&ranked, true, &input), expected);
}

#[test]
fn rows_with_a_key_move_when_they_improve() {
    let input = [
        ("+I", "a", 1, 1),
        ("+I", "a", 2, 2),
        ("+U", "a", 1, 3),
        ("+I", "a", 3, 4),
        ("+U", "a", 2, 5),
        ("+U", "a", 3, 4),
    ];
    let plain = rank(RankStrategy::Update(vec![0, 1]), 2, |_| {});
    let expected = [
        "+I[a, 1, 1]",
        "+I[a, 2, 2]",
        "-U[a, 1, 1]",
        "+U[a, 1, 3]",
        "-D[a, 2, 2]",
        "+I[a, 3, 4]",
        "-D[a, 1, 3]",
        "+I[a, 2, 5]",
        "-U[a, 3, 4]",
        "+U[a, 3, 4]",
    ];
    assert_eq!(run(&plain, true, &input), expected);
    let ranked = rank(RankStrategy::Update(vec![0, 1]), 2, |spec| spec.with_rank = true);
    let expected = [
        "+I[a, 1, 1, 1]",
        "-U[a, 1, 1, 1]",
        "+U[a, 2, 2, 1]",
        "+I[a, 1, 1, 2]",
        "-U[a, 2, 2, 1]",
        "+U[a, 1, 3, 1]",
        "-U[a, 1, 1, 2]",
        "+U[a, 2, 2, 2]",
    ];
    assert_eq!(run(&ranked, true, &input[..3]), expected);
}

#[test]
fn the_number_of_rows_may_depend_on_the_partition() {
    let node = rank(RankStrategy::Append, 0, |spec| spec.end = RankEnd::Column(1));
    let input_types = [string(), bigint(), int()];
    let node = OperatorNode { inputs: vec![row_type(&input_types)], output: row_type(&input_types), ..node };
    let mut harness = harness(&node);
    let rows = [("a", 1, 1), ("b", 2, 1), ("a", 1, 2), ("b", 2, 2)];
    let mut rows: Vec<_> = rows.map(|(key, end, order)| vec![s(key), i(end), i(order)]).to_vec();
    rows.push(vec![s("none"), Value::Null, i(1)]);
    harness.process(batch(&input_types, &rows)).unwrap();
    let expected = ["+I[a, 1, 1]", "+I[b, 2, 1]", "-D[a, 1, 1]", "+I[a, 1, 2]", "+I[b, 2, 2]"];
    assert_eq!(harness.output.rows(), expected);
}

#[test]
fn only_row_numbers_are_supported() {
    let node = rank(RankStrategy::Append, 1, |spec| spec.function = RankFunction::DenseRank);
    let config = Configuration::new();
    let context = BuildContext { config: &config, env: Env::simulated(0, 0).0, input_changes: false };
    let error = build(&node, &context).err().map(|error| error.to_string()).unwrap_or_default();
    assert!(error.contains("Streaming tables do not support DENSE_RANK rank function."), "{error}");
}

/// Steps of a random input: partition, order, and whether a row is taken back instead.
fn steps() -> impl Strategy<Value = Vec<(usize, i64, bool)>> {
    prop::collection::vec((0usize..2, 0i64..6, prop::bool::weighted(0.3)), 1..40)
}

/// The input of some steps, and the rows that are left per partition, in order.
fn input(steps: &[(usize, i64, bool)], retract: bool) -> (Vec<Row<'static>>, [Vec<(i64, i64)>; 2]) {
    let mut left: [Vec<(i64, i64)>; 2] = Default::default();
    let mut rows = vec![];
    for (id, (partition, order, back)) in steps.iter().enumerate() {
        let key = ["a", "b"][*partition];
        let present = &mut left[*partition];
        if *back && retract && !present.is_empty() {
            let (order, id) = present.remove(*order as usize % present.len());
            rows.push(("-D", key, id, order));
            continue;
        }
        let place = present.partition_point(|(known, _)| known >= order);
        present.insert(place, (*order, id as i64));
        rows.push(("+I", key, id as i64, *order));
    }
    (rows, left)
}

/// Applies a changelog, row by row, to the table it describes.
fn apply(lines: &[String]) -> Vec<String> {
    let mut table: Vec<String> = vec![];
    for line in lines {
        let (kind, row) = line.split_at(2);
        if kind.starts_with('+') {
            table.push(row.to_owned());
        } else {
            let position = table.iter().position(|known| known == row).expect("a retracted row is there");
            table.remove(position);
        }
    }
    table.sort();
    table
}

proptest! {
    #[test]
    fn the_changelog_describes_the_first_rows(steps in steps(), end in 1u64..5, with_rank: bool, retract: bool) {
        let (rows, left) = input(&steps, retract);
        let strategy = if retract { RankStrategy::Retract } else { RankStrategy::Append };
        let node = rank(strategy, end, |spec| spec.with_rank = with_rank);
        let table = apply(&run(&node, retract, &rows));
        let mut expected = vec![];
        for (key, rows) in ["a", "b"].iter().zip(&left) {
            for (n, (order, id)) in rows.iter().take(end as usize).enumerate() {
                let rank = if with_rank { format!(", {}", n + 1) } else { String::new() };
                expected.push(format!("[{key}, {id}, {order}{rank}]"));
            }
        }
        expected.sort();
        prop_assert_eq!(table, expected);
    }
}

#[test]
fn a_crash_changes_nothing() {
    let event = |n: i64| {
        let row = |kind, n: i64| (kind, ["a", "b"][n as usize % 2], n % 5, n * 7 % 11);
        let mut some = vec![row("+I", n), row("+I", n + 1), row("+I", n + 2)];
        if n > 0 {
            some.push(row("-D", n - 1));
        }
        Event::Rows(0, changes(&types(), &rows(&some)))
    };
    let events: Vec<Event> = (0..10).map(event).collect();
    for with_rank in [false, true] {
        for strategy in [RankStrategy::Retract, RankStrategy::Update(vec![0, 1])] {
            let node = rank(strategy, 3, |spec| spec.with_rank = with_rank);
            crash_equals_no_crash(&builder(&node, true), 1, &events);
            Recovery::new(&node, true, &[&[0]]).check(&events);
        }
    }
}

/// Places of equal order stay in the order of arrival although the restored operator counts anew.
#[test]
fn ties_keep_their_order_over_a_restart() {
    let node = rank(RankStrategy::Append, 3, |spec| spec.with_rank = true);
    let row = |id| Event::Rows(0, changes(&types(), &rows(&[("+I", "a", id, 1), ("+I", "a", id + 10, 2)])));
    let events: Vec<Event> = (0..4).map(row).collect();
    crash_equals_no_crash(&builder(&node, false), 1, &events);
}

#[test]
fn a_limit_over_a_changelog_lets_rows_move_up() {
    for (order, expected) in [
        (
            vec![SortKey { column: 1, ascending: true, nulls_first: true }],
            ["+I[a, 1, 0]", "-D[a, 1, 0]", "+I[b, 2, 0]"],
        ),
        (vec![], ["+I[b, 2, 0]", "-D[b, 2, 0]", "+I[a, 1, 0]"]),
    ] {
        let first = if order.is_empty() { ("+I", "b", 2, 0) } else { ("+I", "a", 1, 0) };
        let second = if order.is_empty() { ("+I", "a", 1, 0) } else { ("+I", "b", 2, 0) };
        let spec = match order.is_empty() {
            true => OperatorSpec::Limit(LimitSpec { offset: 0, fetch: Some(1) }),
            false => OperatorSpec::SortLimit(SortLimitSpec { order, fetch: 1 }),
        };
        let node = node(spec, &[&types()], &types());
        assert_eq!(run(&node, true, &[first, second, ("-D", first.1, first.2, 0)]), expected);
    }
}
