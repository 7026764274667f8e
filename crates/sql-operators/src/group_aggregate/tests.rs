use crate::recovery::Recovery;
use crate::testing::*;
use headwater_operator_api::testing::OperatorHarness;
use headwater_plan::operators::*;
use headwater_plan::{OperatorNode, OperatorSpec, Value};
use headwater_types::{LogicalType, TypeRoot};
use proptest::prelude::*;
use std::collections::BTreeMap;

fn calls() -> Vec<AggregateCall> {
    vec![aggregate("COUNT", &[], bigint()), aggregate("SUM", &[1], int()), aggregate("MAX", &[1], int())]
}

fn grouped(
    phase: AggregatePhase,
    keys: &[usize],
    final_only: bool,
    retract: bool,
    batch_rows: usize,
) -> OperatorHarness {
    let input = vec![string(), int()];
    let mut results: Vec<LogicalType> = keys.iter().map(|_| string()).collect();
    let mut partials = results.clone();
    results.extend(calls().into_iter().map(|call| call.ty));
    partials.extend(calls().iter().map(|_| LogicalType::from(TypeRoot::VarBinary(100))));
    let spec = GroupAggregateSpec {
        phase,
        keys: keys.to_vec(),
        calls: calls(),
        final_only,
        emits_update_before: true,
        mini_batch: None,
        state_ttl_ms: 0,
        input_types: input.clone(),
    };
    let (input, output) = match phase {
        AggregatePhase::Complete => (input, results),
        AggregatePhase::Local => (input, partials),
        AggregatePhase::Global => (partials, results),
    };
    open(&node(OperatorSpec::GroupAggregate(spec), &[&input], &output), retract, batch_rows)
}

fn row(key: &str, value: i64) -> Vec<Value> {
    vec![s(key), i(value)]
}

#[test]
fn every_row_emits_the_change_of_its_group() {
    let mut harness = grouped(AggregatePhase::Complete, &[0], false, false, 4096);
    let rows = [row("a", 1), row("b", 5), row("a", 0), row("a", 3)];
    harness.process(batch(&[string(), int()], &rows)).unwrap();
    assert_eq!(
        harness.output.rows(),
        ["+I[a, 1, 1, 1]", "+I[b, 1, 5, 5]", "-U[a, 1, 1, 1]", "+U[a, 2, 1, 1]", "-U[a, 2, 1, 1]", "+U[a, 3, 4, 3]"]
    );
}

#[test]
fn taking_rows_back_updates_and_deletes() {
    let mut harness = grouped(AggregatePhase::Complete, &[0], false, true, 4096);
    let rows = [
        ("-D", row("a", 9)),
        ("+I", row("a", 1)),
        ("+I", row("a", 5)),
        ("-D", row("a", 5)),
        ("-D", row("a", 1)),
        ("+I", row("a", 2)),
    ];
    harness.process(changes(&[string(), int()], &rows)).unwrap();
    assert_eq!(
        harness.output.rows(),
        [
            "+I[a, 1, 1, 1]",
            "-U[a, 1, 1, 1]",
            "+U[a, 2, 6, 5]",
            "-U[a, 2, 6, 5]",
            "+U[a, 1, 1, 1]",
            "-D[a, 1, 1, 1]",
            "+I[a, 1, 2, 2]"
        ]
    );
}

#[test]
fn an_unchanged_result_is_not_emitted() {
    let input = [string(), int()];
    let spec = GroupAggregateSpec {
        phase: AggregatePhase::Complete,
        keys: vec![0],
        calls: vec![aggregate("MAX", &[1], int())],
        final_only: false,
        emits_update_before: true,
        mini_batch: None,
        state_ttl_ms: 0,
        input_types: input.to_vec(),
    };
    let mut harness = harness(&node(OperatorSpec::GroupAggregate(spec), &[&input], &[string(), int()]));
    harness.process(batch(&input, &[row("a", 3), row("a", 1), row("a", 3)])).unwrap();
    assert_eq!(harness.output.rows(), ["+I[a, 3]"]);
}

/// COUNT and SUM in bundles of so many rows; `retract` when rows may be taken back.
fn bundled(phase: AggregatePhase, retract: bool, rows: u64) -> OperatorHarness {
    let calls = vec![aggregate("COUNT", &[], bigint()), aggregate("SUM", &[1], int())];
    let (input, results) = ([string(), int()], [string(), bigint(), int()]);
    let bytes = LogicalType::from(TypeRoot::VarBinary(100));
    let counts = retract.then(bigint);
    let partials: Vec<_> = [string()].into_iter().chain(counts).chain([bytes.clone(), bytes]).collect();
    let spec = GroupAggregateSpec {
        phase,
        keys: vec![0],
        calls,
        final_only: false,
        emits_update_before: true,
        mini_batch: Some(MiniBatch { rows, latency_ms: 1_000 }),
        state_ttl_ms: 0,
        input_types: input.to_vec(),
    };
    let node = match phase {
        AggregatePhase::Complete => node(OperatorSpec::GroupAggregate(spec), &[&input], &results),
        AggregatePhase::Local => node(OperatorSpec::GroupAggregate(spec), &[&input], &partials),
        AggregatePhase::Global => node(OperatorSpec::GroupAggregate(spec), &[&partials], &results),
    };
    open(&node, retract, 4096)
}

#[test]
fn a_barrier_takes_what_is_summed_up_along() {
    let mut local = bundled(AggregatePhase::Local, false, 10);
    local.process(batch(&[string(), int()], &[row("a", 1), row("b", 2), row("a", 3)])).unwrap();
    assert_eq!(local.output.num_rows(), 0);
    local.snapshot().unwrap();
    assert_eq!(local.output.num_rows(), 2, "one row per key");
    let mut global = bundled(AggregatePhase::Global, false, 10);
    local.output.batches().for_each(|batch| global.process(batch.clone()).unwrap());
    global.snapshot().unwrap();
    assert_eq!(global.output.rows(), ["+I[a, 2, 4]", "+I[b, 1, 2]"]);
}

#[test]
fn a_key_whose_rows_are_all_taken_back_goes_and_one_that_was_not_there_stays_away() {
    let mut local = bundled(AggregatePhase::Local, true, 2);
    let mut global = bundled(AggregatePhase::Global, true, 1);
    let rows = [
        ("+I", row("a", 1)),
        ("+I", row("a", 5)),
        ("-D", row("a", 1)),
        ("-D", row("b", 1)),
        ("-D", row("a", 5)),
        ("-D", row("b", 1)),
    ];
    local.process(changes(&[string(), int()], &rows)).unwrap();
    local.output.batches().for_each(|batch| global.process(batch.clone()).unwrap());
    global.end(1).unwrap();
    assert_eq!(global.output.rows(), ["+I[a, 2, 6]", "-U[a, 2, 6]", "+U[a, 1, 5]", "-D[a, 1, 5]"]);
}

#[test]
fn bounded_input_gives_one_row_per_key() {
    let mut harness = grouped(AggregatePhase::Complete, &[0], true, false, 1);
    harness.process(batch(&[string(), int()], &[row("a", 1), row("b", 2), row("a", 3)])).unwrap();
    assert_eq!(harness.output.num_rows(), 0);
    harness.end(1).unwrap();
    assert_eq!(harness.output.rows(), ["+I[a, 2, 4, 3]", "+I[b, 1, 2, 2]"]);
}

#[test]
fn bounded_input_without_keys_always_gives_one_row() {
    for retract in [false, true] {
        let mut harness = grouped(AggregatePhase::Complete, &[], true, retract, 4096);
        harness.end(1).unwrap();
        assert_eq!(harness.output.rows(), ["+I[0, NULL, NULL]"]);
    }
    let mut local = grouped(AggregatePhase::Local, &[], true, false, 4096);
    local.end(1).unwrap();
    assert_eq!(local.output.num_rows(), 0);
}

#[test]
fn local_and_global_halves_agree_with_one_phase() {
    let mut global = grouped(AggregatePhase::Global, &[0], true, false, 4096);
    for rows in [[row("a", 1), row("b", 2)], [row("a", 3), row("c", -1)]] {
        let mut local = grouped(AggregatePhase::Local, &[0], true, false, 4096);
        local.process(batch(&[string(), int()], &rows)).unwrap();
        local.end(1).unwrap();
        for partial in local.output.batches() {
            global.process(partial.clone()).unwrap();
        }
    }
    global.end(1).unwrap();
    assert_eq!(global.output.rows(), ["+I[a, 2, 4, 3]", "+I[b, 1, 2, 2]", "+I[c, 1, -1, -1]"]);
}

/// Applies a changelog of rows to the table it describes; every retraction must find its row.
fn apply(table: &mut Vec<Vec<Value>>, kind: &str, row: Vec<Value>) {
    if kind.starts_with('+') {
        table.push(row);
    } else {
        let position = table.iter().position(|known| *known == row).expect("a retracted row is there");
        table.remove(position);
    }
}

proptest! {
    /// The changelog, applied, is the aggregation of the rows that are left.
    #[test]
    fn the_changelog_describes_the_aggregation(
        steps in prop::collection::vec((prop::bool::weighted(0.7), 0usize..3, -2i64..3), 1..60),
        chunk in 1usize..16,
    ) {
        let mut present: Vec<(usize, i64)> = vec![];
        let mut rows = vec![];
        for (add, key, value) in steps {
            let known = present.iter().position(|row| *row == (key, value));
            let kind = match (add, known) {
                (false, Some(position)) => { present.remove(position); "-D" }
                (false, None) => continue,
                (true, _) => { present.push((key, value)); "+I" }
            };
            rows.push((kind, row(["a", "b", "c"][key], value)));
        }
        let mut harness = grouped(AggregatePhase::Complete, &[0], false, true, 4096);
        let types = [string(), bigint(), int(), int()];
        let mut table = vec![];
        for rows in rows.chunks(chunk) {
            harness.process(changes(&[string(), int()], rows)).unwrap();
        }
        for batch in harness.output.batches() {
            for (n, row) in values(std::iter::once(batch), &types).into_iter().enumerate() {
                apply(&mut table, batch.kind(n).short(), row);
            }
        }
        let mut groups: BTreeMap<usize, Vec<i64>> = BTreeMap::new();
        present.iter().for_each(|(key, value)| groups.entry(*key).or_default().push(*value));
        let mut expected: Vec<_> = groups
            .into_iter()
            .map(|(key, v)| vec![s(["a", "b", "c"][key]), i(v.len() as i64), i(v.iter().sum()), i(*v.iter().max().unwrap())])
            .collect();
        let text = |rows: &mut Vec<Vec<Value>>| { let mut t: Vec<_> = rows.iter().map(|r| format!("{r:?}")).collect(); t.sort(); t };
        prop_assert_eq!(text(&mut table), text(&mut expected));
    }
}

/// Over `key STRING, value INT, filter BOOLEAN`.
fn changelog_node(calls: Vec<AggregateCall>, edit: impl FnOnce(&mut GroupAggregateSpec)) -> OperatorNode {
    let input = [string(), int(), boolean()];
    let mut output = vec![string()];
    output.extend(calls.iter().map(|call| call.ty.clone()));
    let mut spec = GroupAggregateSpec {
        phase: AggregatePhase::Complete,
        keys: vec![0],
        calls,
        final_only: false,
        emits_update_before: true,
        mini_batch: None,
        state_ttl_ms: 0,
        input_types: input.to_vec(),
    };
    edit(&mut spec);
    node(OperatorSpec::GroupAggregate(spec), &[&input], &output)
}

fn wide(key: &str, value: Option<i64>, filter: bool) -> Vec<Value> {
    vec![s(key), optional(value), Value::Boolean(filter)]
}

fn run(node: &OperatorNode, retract: bool, rows: &[(&str, Vec<Value>)]) -> Vec<String> {
    let mut harness = open(node, retract, 4096);
    harness.process(changes(&[string(), int(), boolean()], rows)).unwrap();
    harness.output.rows()
}

#[test]
fn without_update_before_only_new_results_leave() {
    let node = changelog_node(vec![aggregate("SUM", &[1], int())], |spec| spec.emits_update_before = false);
    let rows = [("+I", wide("a", Some(1), true)), ("+I", wide("a", Some(2), true)), ("+I", wide("a", Some(0), true))];
    assert_eq!(run(&node, false, &rows), ["+I[a, 1]", "+U[a, 3]"]);
}

#[test]
fn with_a_time_to_live_unchanged_results_leave_and_old_ones_are_forgotten() {
    let node = changelog_node(vec![aggregate("MAX", &[1], int())], |spec| spec.state_ttl_ms = 1000);
    let mut harness = harness(&node);
    let rows = batch(&[string(), int(), boolean()], &[wide("a", Some(3), true)]);
    harness.process(rows.clone()).unwrap();
    harness.process(rows.clone()).unwrap();
    assert_eq!(harness.output.rows(), ["+I[a, 3]", "-U[a, 3]", "+U[a, 3]"]);
    harness.advance_to(999).unwrap();
    harness.process(rows.clone()).unwrap();
    harness.advance_to(1999).unwrap();
    harness.process(rows).unwrap();
    assert_eq!(harness.output.rows()[3..], ["-U[a, 3]", "+U[a, 3]", "+I[a, 3]"]);
}

#[test]
fn distinct_calls_share_values_and_filter_each() {
    let count = || distinct(aggregate("COUNT", &[1], bigint()));
    let filtered = AggregateCall { filter: Some(2), ..count() };
    let node = changelog_node(vec![count(), filtered, distinct(aggregate("SUM", &[1], int()))], |_| {});
    let rows = [
        ("+I", wide("a", Some(5), false)),
        ("+I", wide("a", Some(5), true)),
        ("+I", wide("a", Some(7), true)),
        ("-D", wide("a", Some(5), false)),
        ("-D", wide("a", Some(5), true)),
        ("+I", wide("a", None, true)),
    ];
    let expected = [
        "+I[a, 1, 0, 5]",
        "-U[a, 1, 0, 5]",
        "+U[a, 1, 1, 5]",
        "-U[a, 1, 1, 5]",
        "+U[a, 2, 2, 12]",
        "-U[a, 2, 2, 12]",
        "+U[a, 1, 1, 7]",
    ];
    assert_eq!(run(&node, true, &rows), expected);
    assert_eq!(run(&node, false, &rows[..3]), expected[..5]);
}

#[test]
fn extremes_and_ends_are_found_again_after_their_value_is_taken_back() {
    let calls = ["MIN", "MAX", "FIRST_VALUE", "LAST_VALUE"].map(|name| aggregate(name, &[1], int()));
    let node = changelog_node(calls.to_vec(), |spec| spec.emits_update_before = false);
    let rows = [
        ("+I", wide("a", Some(2), true)),
        ("+I", wide("a", Some(1), true)),
        ("+I", wide("a", Some(3), true)),
        ("-U", wide("a", Some(3), true)),
        ("+U", wide("a", Some(2), true)),
        ("-D", wide("a", Some(2), true)),
        ("-D", wide("a", Some(1), true)),
        ("-D", wide("a", Some(2), true)),
        ("+I", wide("a", Some(9), true)),
    ];
    let expected = [
        "+I[a, 2, 2, 2, 2]",
        "+U[a, 1, 2, 2, 1]",
        "+U[a, 1, 3, 2, 3]",
        "+U[a, 1, 2, 2, 1]",
        "+U[a, 1, 2, 2, 2]",
        "+U[a, 1, 2, 1, 2]",
        "+U[a, 2, 2, 2, 2]",
        "-D[a, 2, 2, 2, 2]",
        "+I[a, 9, 9, 9, 9]",
    ];
    assert_eq!(run(&node, true, &rows), expected);
}

#[test]
fn lists_grow_and_shrink() {
    let calls = vec![aggregate("LISTAGG", &[0], string()), aggregate("COUNT", &[1], bigint())];
    let node = changelog_node(calls, |spec| spec.keys = vec![]);
    let node = OperatorNode { output: row_type(&[string(), bigint()]), ..node };
    let rows = [("+I", wide("x", Some(1), true)), ("+I", wide("y", None, true)), ("-D", wide("x", Some(1), true))];
    let expected = ["+I[x, 1]", "-U[x, 1]", "+U[x,y, 1]", "-U[x,y, 1]", "+U[y, 0]"];
    assert_eq!(run(&node, true, &rows), expected);
}

#[test]
fn a_bundle_changes_each_key_once() {
    let bundles = Some(MiniBatch { rows: 4, latency_ms: 50 });
    let node = changelog_node(calls(), |spec| spec.mini_batch = bundles);
    let mut harness = open(&node, true, 4096);
    let types = [string(), int(), boolean()];
    let rows = [
        ("-D", wide("b", Some(9), true)),
        ("+I", wide("a", Some(1), true)),
        ("+I", wide("b", Some(1), true)),
        ("+I", wide("a", Some(2), true)),
        ("-D", wide("b", Some(1), true)),
        ("+I", wide("c", Some(1), true)),
    ];
    harness.process(changes(&types, &rows)).unwrap();
    assert_eq!(harness.output.rows(), ["+I[b, 1, 1, 1]", "+I[a, 2, 3, 2]"]);
    harness.advance_to(49).unwrap();
    assert_eq!(harness.output.num_rows(), 2);
    harness.advance_to(50).unwrap();
    assert_eq!(harness.output.rows()[2..], ["-D[b, 1, 1, 1]", "+I[c, 1, 1, 1]"]);
    harness.process(changes(&types, &rows[1..2])).unwrap();
    harness.watermark(1).unwrap();
    assert_eq!(harness.output.rows()[4..], ["-U[a, 2, 3, 2]", "+U[a, 3, 4, 2]"]);
}

#[test]
fn a_crash_changes_nothing() {
    let mut all = calls();
    all.extend(["MIN", "FIRST_VALUE", "LAST_VALUE", "AVG"].map(|name| aggregate(name, &[1], int())));
    all.push(distinct(aggregate("COUNT", &[1], bigint())));
    all.push(AggregateCall { filter: Some(2), ..distinct(aggregate("SUM", &[1], int())) });
    let types = [string(), int(), boolean()];
    let events: Vec<Event> = (0..12i64)
        .map(|n| {
            let row = |n: i64| wide(["a", "b", "c"][n as usize % 3], Some(n * 7 % 5), n % 2 == 0);
            let rows = [("+I", row(n)), ("+I", row(n + 1)), ("-D", row(n)), ("+I", row(n / 2))];
            Event::Rows(0, changes(&types, &rows))
        })
        .collect();
    for (retract, mini_batch) in [(true, None), (true, Some(MiniBatch { rows: 3, latency_ms: 5 }))] {
        let node = changelog_node(all.clone(), |spec| spec.mini_batch = mini_batch);
        crash_equals_no_crash(&builder(&node, retract), 1, &events);
        if mini_batch.is_none() {
            Recovery::new(&node, retract, &[&[0]]).check(&events);
        }
    }
}

/// One key in all rows costs no more than a key per row.
#[test]
fn a_batch_of_one_key_is_not_taken_row_by_row() {
    let mut harness = grouped(AggregatePhase::Complete, &[0], false, false, 4096);
    let rows: Vec<_> = (0..50_000).map(|n| row("a", n)).collect();
    harness.process(batch(&[string(), int()], &rows)).unwrap();
    assert_eq!(harness.output.num_rows(), 99_999);
}
