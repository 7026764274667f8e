//! Watermarks of splits that are read together. Those of a single stream are among the crate's tests.

use crate::testing::{batch, column, i, node, open, timestamp};
use headwater_operator_api::SplitEvent;
use headwater_operator_api::testing::OperatorHarness;
use headwater_plan::OperatorSpec;
use headwater_plan::operators::WatermarkSpec;

/// Watermarks are the rowtime itself.
fn assigner(interval_ms: u64, idle_timeout_ms: u64) -> OperatorHarness {
    let spec = WatermarkSpec { rowtime: 0, expr: column(0, timestamp()), interval_ms, idle_timeout_ms };
    open(&node(OperatorSpec::WatermarkAssigner(spec), &[&[timestamp()]], &[timestamp()]), false, 4096)
}

fn read(harness: &mut OperatorHarness, split: u32, times_ms: &[i64]) {
    harness.split(SplitEvent::Rows(split)).unwrap();
    let rows: Vec<_> = times_ms.iter().map(|ms| vec![i(*ms)]).collect();
    harness.process(batch(&[timestamp()], &rows)).unwrap();
}

/// What was emitted but rows.
fn events(harness: &mut OperatorHarness) -> Vec<String> {
    let lines = harness.output.lines();
    harness.output.take();
    lines.into_iter().filter(|line| !line.starts_with('+')).collect()
}

#[test]
fn the_watermark_is_the_minimum_over_the_splits() {
    let mut harness = assigner(0, 0);
    harness.split(SplitEvent::Rows(1)).unwrap();
    read(&mut harness, 0, &[10, 20]);
    assert!(events(&mut harness).is_empty(), "split 1 was announced and holds back event time");
    read(&mut harness, 1, &[5, 8]);
    assert_eq!(events(&mut harness), ["watermark 8"]);
    read(&mut harness, 1, &[30]);
    assert_eq!(events(&mut harness), ["watermark 20"]);
    read(&mut harness, 0, &[25]);
    assert_eq!(events(&mut harness), ["watermark 25"]);
}

#[test]
fn a_finished_split_holds_back_nothing() {
    let mut harness = assigner(0, 0);
    read(&mut harness, 0, &[10]);
    assert_eq!(events(&mut harness), ["watermark 10"]);
    read(&mut harness, 1, &[50]);
    assert!(events(&mut harness).is_empty());
    harness.split(SplitEvent::Finished(0)).unwrap();
    assert_eq!(events(&mut harness), ["watermark 50"]);
    harness.split(SplitEvent::Finished(1)).unwrap();
    read(&mut harness, 2, &[40, 60]);
    assert_eq!(events(&mut harness), ["watermark 60"]);
}

#[test]
fn an_idle_split_holds_back_nothing_until_it_has_rows_again() {
    let mut harness = assigner(0, 100);
    read(&mut harness, 0, &[10]);
    read(&mut harness, 1, &[50]);
    assert_eq!(events(&mut harness), ["watermark 10"]);
    harness.advance_to(60).unwrap();
    read(&mut harness, 1, &[55]);
    harness.advance_to(100).unwrap();
    assert_eq!(events(&mut harness), ["watermark 55"], "split 0 is idle");
    harness.advance_to(160).unwrap();
    assert_eq!(events(&mut harness), ["idle"], "both are");
    read(&mut harness, 0, &[20]);
    assert_eq!(events(&mut harness), ["active"], "event time does not go back");
    read(&mut harness, 0, &[70]);
    assert_eq!(events(&mut harness), ["watermark 70"]);
}

#[test]
fn rows_late_for_all_splits_are_cut_off() {
    let mut harness = assigner(0, 0);
    read(&mut harness, 0, &[10]);
    read(&mut harness, 1, &[20]);
    events(&mut harness);
    read(&mut harness, 0, &[15, 12, 30]);
    let shape: Vec<_> = harness.output.lines().iter().map(|line| line.starts_with('w')).collect();
    assert_eq!(shape, [false, true, false, false, true], "15, its watermark, then the late row 12");
}
