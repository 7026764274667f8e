use crate::testing::*;
use headwater_operator_api::testing::OperatorHarness;
use headwater_plan::operators::*;
use headwater_plan::{OperatorSpec, Value};
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
    let spec =
        GroupAggregateSpec { phase, keys: keys.to_vec(), calls: calls(), final_only, input_types: input.clone() };
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
        input_types: input.to_vec(),
    };
    let mut harness = harness(&node(OperatorSpec::GroupAggregate(spec), &[&input], &[string(), int()]));
    harness.process(batch(&input, &[row("a", 3), row("a", 1), row("a", 3)])).unwrap();
    assert_eq!(harness.output.rows(), ["+I[a, 3]"]);
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
