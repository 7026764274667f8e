//! Order, offset and fetch, and what a restart keeps.

use crate::testing::*;
use headwater_plan::operators::{SortKey, SortSpec};
use headwater_plan::{OperatorNode, OperatorSpec};

fn sort(offset: u64, fetch: Option<u64>) -> OperatorNode {
    let order = vec![SortKey { column: 0, ascending: true, nulls_first: true }];
    let types = [int(), string()];
    node(OperatorSpec::Sort(SortSpec { order, offset, fetch }), &[&types], &types)
}

#[test]
fn a_crash_changes_nothing() {
    let rows = |n: i64| batch(&[int(), string()], &[vec![i(n * 7 % 5), s("x")], vec![i(n), s("y")]]);
    let events: Vec<Event> = (0..6).map(|n| Event::Rows(0, rows(n))).collect();
    for node in [sort(0, None), sort(2, None), sort(1, Some(3))] {
        crash_equals_no_crash(&builder(&node, false), 1, &events);
    }
}

#[test]
fn inputs_may_name_their_columns_each_in_their_own_way() {
    let mut harness = open(&sort(0, Some(1)), false, 4096);
    for (name, value) in [("id", 2), ("EXPR$0", 1)] {
        let (rows, _) = batch(&[int(), string()], &[vec![i(value), s("x")]]).into_parts();
        let fields = rows.schema().fields().iter().map(|f| f.as_ref().clone().with_name(name)).collect::<Vec<_>>();
        let schema = std::sync::Arc::new(arrow::datatypes::Schema::new(fields));
        let renamed = arrow::array::RecordBatch::try_new(schema, rows.columns().to_vec()).unwrap();
        harness.process(headwater_data::ChangeBatch::append(renamed)).unwrap();
    }
    harness.end_input(0).unwrap();
    assert_eq!(harness.output.rows(), ["+I[1, x]"]);
}

#[test]
fn a_crash_while_rows_leave_repeats_none() {
    use headwater_operator_api::Progress;
    use headwater_operator_api::testing::{HarnessCheckpoint, VecCollector};
    let node = sort(1, None);
    let rows =
        batch(&[int(), string()], &[vec![i(3), s("c")], vec![i(1), s("a")], vec![i(2), s("b")], vec![i(4), s("d")]]);
    let mut harness = open(&node, false, 1);
    harness.process(rows).unwrap();
    let mut out = VecCollector::new();
    assert_eq!(harness.operator_mut().end_input(0, &mut out).unwrap(), Progress::More);
    let mut checkpoint = HarnessCheckpoint::new();
    checkpoint.add(&harness.snapshot().unwrap());
    let operator = builder(&node, false)();
    let mut restored =
        headwater_operator_api::testing::OperatorHarness::restored(operator, &checkpoint, 0..128, 0).unwrap();
    restored.end_input(0).unwrap();
    assert_eq!(out.rows(), ["+I[2, b]"]);
    assert_eq!(restored.output.rows(), ["+I[3, c]", "+I[4, d]"]);
}
