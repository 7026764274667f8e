//! The operators without windows or aggregates.

use crate::testing::*;
use crate::values_batch;
use headwater_operator_api::testing::render_rows;
use headwater_plan::operators::*;
use headwater_plan::{OperatorSpec, Value};
use headwater_types::{LogicalType, RowField, TypeRoot};

fn three_rows() -> Vec<Vec<Value>> {
    vec![vec![i(1), s("a")], vec![i(2), s("b")], vec![i(3), s("c")]]
}

fn greater_than(bound: i64) -> headwater_plan::Expr {
    function(">", vec![column(0, int()), literal(bound, int())], boolean())
}

#[test]
fn calc_filters_and_projects() {
    let types = [int(), string()];
    let cases: [(Option<i64>, &[&str]); 4] = [
        (None, &["+I[a, 1]", "+I[b, 2]", "+I[c, 3]"]),
        (Some(1), &["+I[b, 2]", "+I[c, 3]"]),
        (Some(0), &["+I[a, 1]", "+I[b, 2]", "+I[c, 3]"]),
        (Some(9), &[]),
    ];
    for (bound, expected) in cases {
        let condition = bound.map(greater_than);
        let spec = CalcSpec { condition, projection: vec![column(1, string()), column(0, int())] };
        let mut harness = harness(&node(OperatorSpec::Calc(spec), &[&types], &[string(), int()]));
        harness.process(batch(&types, &three_rows())).unwrap();
        assert_eq!(harness.output.rows(), expected, "{bound:?}");
    }
}

#[test]
fn calc_without_columns_keeps_the_row_count() {
    let spec = CalcSpec { condition: Some(greater_than(1)), projection: vec![] };
    let mut harness = harness(&node(OperatorSpec::Calc(spec), &[&[int()]], &[]));
    harness.process(batch(&[int()], &[vec![i(1)], vec![i(2)]])).unwrap();
    assert_eq!(harness.output.num_rows(), 1);
}

#[test]
fn calc_turns_half_an_update_into_an_insert_or_delete() {
    let spec = CalcSpec { condition: Some(greater_than(5)), projection: vec![column(0, int())] };
    let mut harness = harness(&node(OperatorSpec::Calc(spec), &[&[int()]], &[int()]));
    let rows = [
        ("-U", vec![i(9)]),
        ("+U", vec![i(1)]),
        ("-U", vec![i(2)]),
        ("+U", vec![i(8)]),
        ("-U", vec![i(6)]),
        ("+U", vec![i(7)]),
    ];
    harness.process(changes(&[int()], &rows)).unwrap();
    assert_eq!(harness.output.rows(), ["-D[9]", "+I[8]", "-U[6]", "+U[7]"]);
}

#[test]
fn values_become_one_batch() {
    let spec = ValuesSpec { rows: three_rows() };
    let rows = values_batch(&spec, &row_type(&[int(), string()])).unwrap();
    assert_eq!(render_rows(&rows), ["+I[1, a]", "+I[2, b]", "+I[3, c]"]);
    let empty = values_batch(&ValuesSpec { rows: vec![vec![], vec![]] }, &vec![]).unwrap();
    assert_eq!(empty.num_rows(), 2);
    assert!(values_batch(&spec, &row_type(&[int()])).is_err());
}

#[test]
fn limit_skips_passes_and_is_satisfied() {
    let spec = OperatorSpec::Limit(LimitSpec { offset: 1, fetch: Some(3) });
    let mut harness = harness(&node(spec, &[&[int(), string()]], &[int(), string()]));
    for _ in 0..3 {
        assert!(!harness.operator().is_satisfied());
        harness.process(batch(&[int(), string()], &three_rows()[..2])).unwrap();
        if harness.output.num_rows() == 3 {
            break;
        }
    }
    assert!(harness.operator().is_satisfied());
    assert_eq!(harness.output.rows(), ["+I[2, b]", "+I[1, a]", "+I[2, b]"]);
}

#[test]
fn expand_repeats_rows_per_grouping_set() {
    let null = headwater_plan::Expr::Literal { value: Value::Null, ty: string() };
    let projections = vec![
        vec![column(0, int()), column(1, string()), literal(0, bigint())],
        vec![column(0, int()), null, literal(1, bigint())],
    ];
    let spec = OperatorSpec::Expand(ExpandSpec { projections });
    let mut harness = harness(&node(spec, &[&[int(), string()]], &[int(), string(), bigint()]));
    let rows = [("+I", vec![i(1), s("a")]), ("-D", vec![i(2), s("b")])];
    harness.process(changes(&[int(), string()], &rows)).unwrap();
    assert_eq!(
        harness.output.rows(),
        ["+I[1, a, 0]", "+I[1, NULL, 1]", "-D[2, b, 0]", "-D[2, NULL, 1]"],
        "the copies of a row stay together"
    );
}

#[test]
fn the_current_watermark_is_null_before_the_first() {
    let watermark = function("CURRENT_WATERMARK", vec![column(0, timestamp())], timestamp());
    let spec = CalcSpec { condition: None, projection: vec![column(1, int()), watermark] };
    let types = [timestamp(), int()];
    let mut harness = harness(&node(OperatorSpec::Calc(spec), &[&types], &[int(), timestamp()]));
    harness.process(batch(&types, &[vec![i(5), i(1)]])).unwrap();
    harness.watermark(4).unwrap();
    harness.process(batch(&types, &[vec![i(9), i(2)]])).unwrap();
    assert_eq!(harness.output.rows(), ["+I[1, NULL]", "+I[2, 1970-01-01T00:00:00.004]"]);
}

fn unnest(collection: LogicalType, elements: &[LogicalType], left: bool, rows: &[Value]) -> Vec<String> {
    let spec = UnnestSpec { collection: column(1, collection.clone()), left, with_ordinality: true };
    let input = [int(), collection];
    let mut output = vec![int(), input[1].clone()];
    output.extend_from_slice(elements);
    output.push(int());
    let mut harness = harness(&node(OperatorSpec::Unnest(spec), &[&input], &output));
    let rows: Vec<_> = rows.iter().enumerate().map(|(n, v)| vec![i(n as i64), v.clone()]).collect();
    harness.process(batch(&input, &rows)).unwrap();
    values(harness.output.batches(), &output)
        .into_iter()
        .map(|row| format!("{:?}", [&row[..1], &row[2..]].concat()))
        .collect()
}

#[test]
fn unnest_flattens_collections() {
    let array = LogicalType::from(TypeRoot::Array(Box::new(int())));
    let rows = [Value::List(vec![i(7), Value::Null]), Value::Null, Value::List(vec![])];
    assert_eq!(unnest(array.clone(), &[int()], false, &rows), ["[Int(0), Int(7), Int(1)]", "[Int(0), Null, Int(2)]"]);
    assert_eq!(unnest(array, &[int()], true, &rows)[2..], ["[Int(1), Null, Null]", "[Int(2), Null, Null]"]);

    let map = TypeRoot::Map(Box::new(int().not_null()), Box::new(int()));
    let rows = [Value::Map(vec![(i(1), i(10)), (i(2), Value::Null)])];
    assert_eq!(
        unnest(map.into(), &[int(), int()], false, &rows),
        ["[Int(0), Int(1), Int(10), Int(1)]", "[Int(0), Int(2), Null, Int(2)]"]
    );

    let multiset = TypeRoot::Multiset(Box::new(int()));
    let rows = [Value::Map(vec![(i(5), i(2))])];
    assert_eq!(
        unnest(multiset.into(), &[int()], false, &rows),
        ["[Int(0), Int(5), Int(1)]", "[Int(0), Int(5), Int(2)]"]
    );

    let row = LogicalType::from(TypeRoot::Row(vec![RowField::new("a", int()), RowField::new("b", int())]));
    let array = TypeRoot::Array(Box::new(row));
    let rows = [Value::List(vec![Value::Row(vec![i(1), i(2)]), Value::Null])];
    assert_eq!(
        unnest(array.into(), &[int(), int()], false, &rows),
        ["[Int(0), Int(1), Int(2), Int(1)]", "[Int(0), Null, Null, Int(2)]"]
    );
}

fn sort(spec: SortSpec, rows: &[Option<i64>], batch_rows: usize) -> Vec<String> {
    let mut harness = open(&node(OperatorSpec::Sort(spec), &[&[int()]], &[int()]), false, batch_rows);
    for row in rows {
        harness.process(batch(&[int()], &[vec![optional(*row)]])).unwrap();
    }
    harness.end(1).unwrap();
    assert!(harness.output.batches().all(|b| b.num_rows() <= batch_rows));
    harness.output.rows()
}

#[test]
fn sort_orders_with_nulls_offset_and_fetch() {
    let rows = [Some(3), None, Some(1), Some(2)];
    let key = |ascending, nulls_first| SortKey { column: 0, ascending, nulls_first };
    let spec = |key, offset, fetch| SortSpec { order: vec![key], offset, fetch };
    for (spec, expected) in [
        (spec(key(true, true), 0, None), vec!["+I[NULL]", "+I[1]", "+I[2]", "+I[3]"]),
        (spec(key(false, false), 0, None), vec!["+I[3]", "+I[2]", "+I[1]", "+I[NULL]"]),
        (spec(key(true, false), 1, Some(2)), vec!["+I[2]", "+I[3]"]),
        (spec(key(true, false), 9, Some(2)), vec![]),
    ] {
        assert_eq!(sort(spec.clone(), &rows, 4096), expected, "{spec:?}");
        assert_eq!(sort(spec.clone(), &rows, 1), expected, "{spec:?}");
    }
}

fn watermarks(interval_ms: u64, idle_timeout_ms: u64) -> headwater_operator_api::testing::OperatorHarness {
    let delay = headwater_plan::Expr::Literal { value: i(2), ty: TypeRoot::IntervalDayTime.into() };
    let expr = function("-", vec![column(0, timestamp()), delay], timestamp());
    let spec = WatermarkSpec { rowtime: 0, expr, interval_ms, idle_timeout_ms };
    harness(&node(OperatorSpec::WatermarkAssigner(spec), &[&[timestamp()]], &[timestamp()]))
}

fn times(times: &[i64]) -> headwater_data::ChangeBatch {
    batch(&[timestamp()], &times.iter().map(|t| vec![i(*t)]).collect::<Vec<_>>())
}

/// Emitted elements with rows reduced to how many there are.
fn shape(lines: Vec<String>) -> Vec<String> {
    let mut shape: Vec<String> = vec![];
    for line in lines {
        let rows = shape.last().and_then(|l| l.strip_suffix(" rows")).and_then(|n| n.parse::<usize>().ok());
        match (line.starts_with("+I"), rows) {
            (true, Some(n)) => *shape.last_mut().unwrap() = format!("{} rows", n + 1),
            (true, None) => shape.push("1 rows".into()),
            _ => shape.push(line),
        }
    }
    shape
}

#[test]
fn watermarks_follow_the_largest_value() {
    let mut harness = watermarks(0, 0);
    harness.process(times(&[10, 14, 12])).unwrap();
    harness.process(times(&[11])).unwrap();
    harness.process(times(&[20])).unwrap();
    harness.end(1).unwrap();
    // The row at 12 is late for the watermark 12, which Flink would have emitted before it.
    let expected = ["2 rows", "watermark 12", "3 rows", "watermark 18", "watermark max"];
    assert_eq!(shape(harness.output.lines()), expected);
}

#[test]
fn a_late_row_comes_after_the_watermark_it_is_late_for() {
    let mut harness = watermarks(0, 0);
    harness.process(times(&[10, 100, 50, 120, 60, 99])).unwrap();
    assert_eq!(shape(harness.output.lines()), ["2 rows", "watermark 98", "2 rows", "watermark 118", "2 rows"]);
}

#[test]
fn the_interval_holds_watermarks_back_until_its_timer() {
    let mut harness = watermarks(200, 0);
    harness.process(times(&[1000])).unwrap();
    harness.process(times(&[1100])).unwrap();
    assert_eq!(shape(harness.output.lines()), ["1 rows", "watermark 998", "1 rows"]);
    harness.advance_to(200).unwrap();
    assert_eq!(harness.output.lines().last().unwrap(), "watermark 1098");
    assert_eq!(harness.operator().next_timer_ms(), None);
}

#[test]
fn an_idle_input_is_declared_and_wakes_up() {
    let mut harness = watermarks(0, 1000);
    harness.process(times(&[5])).unwrap();
    harness.advance_to(999).unwrap();
    assert!(!harness.output.lines().contains(&"idle".into()));
    harness.advance_to(1500).unwrap();
    harness.process(times(&[6])).unwrap();
    assert_eq!(shape(harness.output.lines()), ["1 rows", "watermark 3", "idle", "active", "1 rows", "watermark 4"]);
}

#[test]
fn a_null_rowtime_is_an_error() {
    let error = watermarks(0, 0).process(batch(&[timestamp()], &[vec![Value::Null]])).unwrap_err();
    assert_eq!(error.message(), "RowTime field should not be null, please convert it to a non-null long value.");
}
