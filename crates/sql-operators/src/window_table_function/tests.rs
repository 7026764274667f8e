use crate::testing::*;
use headwater_plan::operators::*;
use headwater_plan::{OperatorNode, OperatorSpec, Value};

fn tvf(shape: WindowShape, time: WindowTime, zone: Option<&str>) -> OperatorNode {
    let rowtime = if zone.is_some() { timestamp_ltz() } else { timestamp() };
    let proctime = time == WindowTime::Proctime;
    let zone = zone.map(str::to_owned);
    let spec = WindowSpec { shape, offset_ms: 0, time, partition_by: vec![1], zone, proctime };
    let output = [rowtime.clone(), int(), timestamp(), timestamp(), rowtime.clone()];
    node(OperatorSpec::WindowTableFunction(spec), &[&[rowtime, int()]], &output)
}

/// Output rows as (rowtime, key, start, end).
fn windows(harness: &headwater_operator_api::testing::OperatorHarness) -> Vec<(i64, i64, i64, i64)> {
    let types = [timestamp(), int(), timestamp(), timestamp(), timestamp()];
    let number = |value: &Value| if let Value::Int(v) = value { *v } else { panic!("{value:?}") };
    values(harness.output.batches(), &types)
        .iter()
        .map(|row| (number(&row[0]), number(&row[1]), number(&row[2]), number(&row[3])))
        .collect()
}

#[test]
fn rows_are_repeated_per_window_and_rows_without_time_dropped() {
    let hop = WindowShape::Hop { slide_ms: 5, size_ms: 10 };
    let mut harness = harness(&tvf(hop, WindowTime::Rowtime(0), None));
    let rows = [vec![i(7), i(1)], vec![Value::Null, i(2)], vec![i(10), i(3)]];
    harness.process(batch(&[timestamp(), int()], &rows)).unwrap();
    assert_eq!(windows(&harness), [(7, 1, 5, 15), (7, 1, 0, 10), (10, 3, 10, 20), (10, 3, 5, 15)]);
    assert_eq!(harness.late_rows_dropped(), 1);
}

#[test]
fn zoned_windows_show_the_wall_clock() {
    let day = WindowShape::Tumble { size_ms: 24 * 3_600_000 };
    let mut harness = harness(&tvf(day, WindowTime::Rowtime(0), Some("Asia/Shanghai")));
    harness.process(batch(&[timestamp_ltz(), int()], &[vec![i(0), i(1)]])).unwrap();
    assert_eq!(
        harness.output.rows(),
        ["+I[1970-01-01T00:00:00Z, 1, 1970-01-01T00:00:00, 1970-01-02T00:00:00, 1970-01-01T15:59:59.999Z]"]
    );
}

#[test]
fn sessions_are_emitted_when_they_end() {
    let mut harness = harness(&tvf(WindowShape::Session { gap_ms: 5 }, WindowTime::Rowtime(0), None));
    let types = [timestamp(), int()];
    harness.process(batch(&types, &[vec![i(0), i(1)], vec![i(8), i(1)], vec![i(2), i(2)]])).unwrap();
    harness.watermark(5).unwrap();
    assert_eq!(windows(&harness), [(0, 1, 0, 5)]);
    harness.process(batch(&types, &[vec![i(4), i(2)], vec![i(0), i(1)], vec![i(12), i(1)]])).unwrap();
    assert_eq!(harness.late_rows_dropped(), 1);
    harness.end(1).unwrap();
    assert_eq!(windows(&harness)[1..], [(2, 2, 2, 9), (4, 2, 2, 9), (8, 1, 8, 17), (12, 1, 8, 17)]);
}

#[test]
fn many_windows_leave_in_pieces_and_too_many_are_refused() {
    let cumulate = |max_ms| tvf(WindowShape::Cumulate { step_ms: 1, max_ms }, WindowTime::Rowtime(0), None);
    let mut harness = harness(&cumulate(100_000));
    harness.process(batch(&[timestamp(), int()], &[vec![i(0), i(1)], vec![i(0), i(2)]])).unwrap();
    let sizes: Vec<_> = harness.output.batches().map(|batch| batch.num_rows()).collect();
    assert_eq!(sizes, [100_000, 100_000]);
    let error = super::aligned::check_count(WindowShape::Hop { slide_ms: 1, size_ms: 100_001 }).unwrap_err();
    assert_eq!(error.message(), "every row would lie in 100001 windows: at most 100000 are possible");
}
