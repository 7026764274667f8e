//! When bundles are handed on.

use crate::testing::*;
use headwater_plan::operators::{DeduplicateSpec, MiniBatch};
use headwater_plan::{OperatorNode, OperatorSpec, Value};

fn last_rows(rows: u64) -> OperatorNode {
    let types = [string(), int()];
    let spec = DeduplicateSpec {
        keys: vec![0],
        rowtime: None,
        keep_last: true,
        emits_update_before: false,
        emits_insert: true,
        mini_batch: Some(MiniBatch { rows, latency_ms: 10 }),
        state_ttl_ms: 0,
    };
    node(OperatorSpec::Deduplicate(spec), &[&types], &types)
}

fn rows(values: &[i64]) -> headwater_data::ChangeBatch {
    let rows: Vec<Vec<Value>> = values.iter().map(|value| vec![s("a"), i(*value)]).collect();
    batch(&[string(), int()], &rows)
}

#[test]
fn a_batch_may_fill_several_bundles() {
    let mut harness = harness(&last_rows(2));
    harness.process(rows(&[1])).unwrap();
    assert_eq!(harness.output.num_rows(), 0);
    harness.process(rows(&[2, 3, 4, 5])).unwrap();
    assert_eq!(harness.output.rows(), ["+I[a, 2]", "+U[a, 4]"]);
    harness.end(1).unwrap();
    assert_eq!(harness.output.rows()[2..], ["+U[a, 5]"]);
}

#[test]
fn a_row_waits_no_longer_than_it_may() {
    let mut harness = harness(&last_rows(100));
    harness.advance_to(5).unwrap();
    harness.process(rows(&[1])).unwrap();
    harness.advance_to(14).unwrap();
    harness.process(rows(&[2])).unwrap();
    assert_eq!(harness.output.num_rows(), 0);
    harness.advance_to(15).unwrap();
    assert_eq!(harness.output.rows(), ["+I[a, 2]"]);
    assert_eq!(harness.operator().next_timer_ms(), None);
}

#[test]
fn nothing_waits_behind_a_barrier_or_a_watermark() {
    let mut harness = harness(&last_rows(100));
    harness.process(rows(&[1])).unwrap();
    assert_eq!(harness.snapshot().unwrap().tables.len(), 1);
    harness.process(rows(&[2])).unwrap();
    harness.watermark(7).unwrap();
    assert_eq!(harness.output.lines(), ["+I[a, 1]", "+U[a, 2]", "watermark 7"]);
    let events = [Event::Rows(0, rows(&[3])), Event::Time(4), Event::Rows(0, rows(&[4])), Event::Watermark(9)];
    crash_equals_no_crash(&builder(&last_rows(100), false), 1, &events);
}
