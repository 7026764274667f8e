//! Window aggregation against a naive recomputation of every window from all rows.

use crate::testing::*;
use headwater_operator_api::testing::{Emitted, OperatorHarness};
use headwater_plan::operators::*;
use headwater_plan::{OperatorNode, OperatorSpec, Value};
use headwater_types::{LogicalType, MAX_WATERMARK, MIN_WATERMARK, TypeRoot};
use proptest::prelude::*;
use std::collections::{BTreeMap, BTreeSet};

/// Input: rowtime, key, value.
fn input_types(key: LogicalType) -> Vec<LogicalType> {
    vec![timestamp(), key, int()]
}

fn calls() -> Vec<AggregateCall> {
    vec![
        aggregate("COUNT", &[], bigint()),
        aggregate("COUNT", &[2], bigint()),
        aggregate("SUM", &[2], int()),
        aggregate("AVG", &[2], int()),
        aggregate("MIN", &[2], int()),
        aggregate("MAX", &[2], int()),
        distinct(aggregate("COUNT", &[2], bigint())),
    ]
}

const PROPERTIES: [WindowProperty; 3] = [WindowProperty::Start, WindowProperty::End, WindowProperty::Time];

fn spec(phase: AggregatePhase, shape: WindowShape, offset_ms: i64, keys: Vec<usize>) -> WindowAggregateSpec {
    let time = WindowTime::Rowtime(0);
    WindowAggregateSpec {
        phase,
        window: WindowSpec { shape, offset_ms, time, partition_by: vec![], zone: None, proctime: false },
        keys,
        calls: calls(),
        properties: PROPERTIES.to_vec(),
        input_types: input_types(bigint()),
    }
}

fn output_types(keys: &[LogicalType]) -> Vec<LogicalType> {
    let mut types = keys.to_vec();
    types.extend(calls().into_iter().map(|call| call.ty));
    types.extend([timestamp(), timestamp(), timestamp()]);
    types
}

fn complete(shape: WindowShape, offset: i64, key: &LogicalType) -> OperatorNode {
    let mut spec = spec(AggregatePhase::Complete, shape, offset, vec![1]);
    spec.input_types = input_types(key.clone());
    node(OperatorSpec::WindowAggregate(spec), &[&input_types(key.clone())], &output_types(std::slice::from_ref(key)))
}

#[derive(Debug, Clone)]
enum Event {
    Row { time: Option<i64>, key: Option<i64>, value: Option<i64> },
    Watermark(i64),
}

fn events() -> impl Strategy<Value = Vec<Event>> {
    let row =
        (prop::option::weighted(0.97, 0i64..120), prop::option::weighted(0.9, 0i64..4), prop::option::of(-3i64..4))
            .prop_map(|(time, key, value)| Event::Row { time, key, value });
    prop::collection::vec(prop_oneof![8 => row, 1 => (-20i64..140).prop_map(Event::Watermark)], 0..80)
}

fn shapes() -> impl Strategy<Value = WindowShape> {
    prop_oneof![
        (1i64..30).prop_map(|size_ms| WindowShape::Tumble { size_ms }),
        (1i64..10, 1i64..5).prop_map(|(slide_ms, n)| WindowShape::Hop { slide_ms, size_ms: slide_ms * n }),
        (1i64..10, 1i64..5).prop_map(|(step_ms, n)| WindowShape::Cumulate { step_ms, max_ms: step_ms * n }),
        (1i64..15).prop_map(|gap_ms| WindowShape::Session { gap_ms }),
    ]
}

/// All windows that hold a time, found by search rather than by formula.
fn windows_of(shape: WindowShape, offset: i64, time: i64) -> Vec<(i64, i64)> {
    let (step, size) = match shape {
        WindowShape::Tumble { size_ms } => (size_ms, size_ms),
        WindowShape::Hop { slide_ms, size_ms } => (slide_ms, size_ms),
        WindowShape::Cumulate { max_ms, .. } => (max_ms, max_ms),
        WindowShape::Session { .. } => return vec![],
    };
    let starts = (-400..400).map(|n| offset + n * step).filter(|start| *start <= time && time < start + size);
    match shape {
        WindowShape::Cumulate { step_ms, max_ms } => starts
            .flat_map(|start| (1..=max_ms / step_ms).map(move |n| (start, start + n * step_ms)))
            .filter(|(_, end)| time < *end)
            .collect(),
        _ => starts.map(|start| (start, start + size)).collect(),
    }
}

type Key = Option<i64>;
type Values = Vec<Option<i64>>;

fn results(values: &Values) -> Vec<Value> {
    let present: Vec<i64> = values.iter().flatten().copied().collect();
    let sum: i64 = present.iter().sum();
    let some = !present.is_empty();
    vec![
        i(values.len() as i64),
        i(present.len() as i64),
        optional(some.then_some(sum)),
        optional(some.then(|| sum / present.len() as i64)),
        optional(present.iter().min().copied()),
        optional(present.iter().max().copied()),
        i(present.iter().collect::<BTreeSet<_>>().len() as i64),
    ]
}

fn result_row(key: Key, values: &Values, window: (i64, i64)) -> Vec<Value> {
    let mut row = vec![optional(key)];
    row.extend(results(values));
    row.extend([i(window.0), i(window.1), i(window.1 - 1)]);
    row
}

/// The model: every row ever seen, and which windows have fired.
struct Model {
    shape: WindowShape,
    offset: i64,
    watermark: i64,
    windows: BTreeMap<(i64, i64, Key), Values>,
    late: u64,
}

impl Model {
    fn row(&mut self, time: i64, key: Key, value: Option<i64>) {
        if let WindowShape::Session { gap_ms } = self.shape {
            return self.session_row(time, time + gap_ms, key, value);
        }
        let open: Vec<_> =
            windows_of(self.shape, self.offset, time).into_iter().filter(|(_, end)| end - 1 > self.watermark).collect();
        self.late += u64::from(open.is_empty());
        for (start, end) in open {
            self.windows.entry((end, start, key)).or_default().push(value);
        }
    }

    fn session_row(&mut self, mut start: i64, mut end: i64, key: Key, value: Option<i64>) {
        let mut values = vec![];
        while let Some(id) = self.windows.keys().find(|w| w.2 == key && w.1 <= end && w.0 >= start).copied() {
            values.extend(self.windows.remove(&id).unwrap());
            (start, end) = (start.min(id.1), end.max(id.0));
        }
        if end - 1 <= self.watermark {
            assert!(values.is_empty());
            self.late += 1;
            return;
        }
        values.push(value);
        self.windows.insert((end, start, key), values);
    }

    fn fire(&mut self, watermark: i64) -> Vec<Vec<Value>> {
        self.watermark = self.watermark.max(watermark);
        let due: Vec<_> = self.windows.keys().filter(|(end, ..)| end - 1 <= self.watermark).copied().collect();
        due.into_iter().map(|id| result_row(id.2, &self.windows.remove(&id).unwrap(), (id.1, id.0))).collect()
    }
}

fn sorted(mut rows: Vec<Vec<Value>>) -> Vec<String> {
    let mut lines: Vec<String> = rows.drain(..).map(|row| format!("{row:?}")).collect();
    lines.sort();
    lines
}

/// Runs events through one or two operators, delivering rows in batches of at most `chunk`.
fn run(
    harnesses: &mut [OperatorHarness],
    events: &[Event],
    key: &LogicalType,
    chunk: usize,
    mut fired: impl FnMut(i64, Vec<Vec<Value>>),
) {
    let types = output_types(std::slice::from_ref(key));
    let mut pending: Vec<Vec<Value>> = vec![];
    let mut watermark = MIN_WATERMARK;
    let last = Event::Watermark(MAX_WATERMARK);
    for event in events.iter().chain([&last]) {
        match event {
            Event::Row { time, key: k, value } => {
                let k = match (&key.root, k) {
                    (TypeRoot::BigInt, k) => optional(*k),
                    (_, None) => Value::Null,
                    (_, Some(k)) => s(&k.to_string()),
                };
                pending.push(vec![optional(*time), k, optional(*value)]);
            }
            Event::Watermark(next) if *next <= watermark => continue,
            Event::Watermark(next) => {
                watermark = *next;
                for rows in pending.chunks(chunk) {
                    harnesses[0].process(batch(&input_types(key.clone()), rows)).unwrap();
                }
                pending.clear();
                deliver(harnesses, *next);
                let output = harnesses.last_mut().unwrap().output.take();
                let batches: Vec<_> = output
                    .into_iter()
                    .filter_map(|e| if let Emitted::Batch(batch) = e { Some(batch) } else { None })
                    .collect();
                fired(*next, values(batches.iter(), &types));
            }
        }
    }
}

fn deliver(harnesses: &mut [OperatorHarness], watermark: i64) {
    for index in 0..harnesses.len() {
        harnesses[index].watermark(watermark).unwrap();
        if index + 1 == harnesses.len() {
            return;
        }
        for element in harnesses[index].output.take() {
            if let Emitted::Batch(batch) = element {
                harnesses[index + 1].process(batch).unwrap();
            }
        }
    }
}

/// The model's results after every watermark, and its late rows.
fn model(shape: WindowShape, offset: i64, events: &[Event]) -> (Vec<Vec<String>>, u64) {
    let mut model = Model { shape, offset, watermark: MIN_WATERMARK, windows: BTreeMap::new(), late: 0 };
    let mut fired = vec![];
    for event in events.iter().chain([&Event::Watermark(MAX_WATERMARK)]) {
        match event {
            Event::Row { time: Some(time), key, value } => model.row(*time, *key, *value),
            Event::Row { time: None, .. } => model.late += 1,
            Event::Watermark(next) if *next <= model.watermark => {}
            Event::Watermark(next) => fired.push(sorted(model.fire(*next))),
        }
    }
    (fired, model.late)
}

fn as_integer_keys(rows: Vec<Vec<Value>>) -> Vec<Vec<Value>> {
    let integer = |key: Value| if let Value::String(key) = key { i(key.parse().unwrap()) } else { key };
    rows.into_iter()
        .map(|mut row| {
            row[0] = integer(row[0].clone());
            row
        })
        .collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn windows_equal_their_recomputation(
        shape in shapes(),
        offset in -7i64..7,
        events in events(),
        chunk in 1usize..20,
        batch_rows in 1usize..9,
        text_key in prop::bool::ANY,
    ) {
        let offset = if matches!(shape, WindowShape::Session { .. }) { 0 } else { offset };
        let key = if text_key { string() } else { bigint() };
        let mut harnesses = [open(&complete(shape, offset, &key), false, batch_rows)];
        let mut found = vec![];
        run(&mut harnesses, &events, &key, chunk, |_, rows| found.push(sorted(as_integer_keys(rows))));
        let (expected, late) = model(shape, offset, &events);
        prop_assert_eq!(found, expected);
        prop_assert_eq!(harnesses[0].late_rows_dropped(), late);
    }

    #[test]
    fn two_phases_equal_one(
        shape in shapes().prop_filter("sessions have one phase", |s| !matches!(s, WindowShape::Session { .. })),
        offset in -7i64..7,
        events in events(),
        chunk in 1usize..20,
    ) {
        let mut partial = vec![bigint(), bigint()];
        partial.extend(calls().iter().map(|_| LogicalType::from(TypeRoot::VarBinary(headwater_types::logical_type::LENGTH_MAX))));
        let local = spec(AggregatePhase::Local, shape, offset, vec![1]);
        let global = spec(AggregatePhase::Global, shape, offset, vec![0]);
        let local = node(OperatorSpec::WindowAggregate(local), &[&input_types(bigint())], &partial);
        let global = node(OperatorSpec::WindowAggregate(global), &[&partial], &output_types(&[bigint()]));
        let mut harnesses = [harness(&local), harness(&global)];
        let mut found = vec![];
        run(&mut harnesses, &events, &bigint(), chunk, |_, rows| found.push(sorted(rows)));
        prop_assert_eq!(found, model(shape, offset, &events).0);
    }
}

/// One aggregation of `COUNT(*)` without keys, with the given window.
fn counting(window: WindowSpec, rowtime: LogicalType, retract: bool) -> OperatorHarness {
    let input = vec![rowtime, timestamp(), timestamp()];
    let time = if window.zone.is_some() { timestamp_ltz() } else { timestamp() };
    let spec = WindowAggregateSpec {
        phase: AggregatePhase::Complete,
        window,
        keys: vec![],
        calls: vec![aggregate("COUNT", &[], bigint())],
        properties: PROPERTIES.to_vec(),
        input_types: input.clone(),
    };
    let output = [bigint(), timestamp(), timestamp(), time];
    open(&node(OperatorSpec::WindowAggregate(spec), &[&input], &output), retract, 4096)
}

fn window(shape: WindowShape, time: WindowTime, zone: Option<&str>) -> WindowSpec {
    let proctime = time == WindowTime::Proctime;
    WindowSpec { shape, offset_ms: 0, time, partition_by: vec![], zone: zone.map(str::to_owned), proctime }
}

fn rowtimes(ty: LogicalType, times: &[i64]) -> headwater_data::ChangeBatch {
    let rows: Vec<_> = times.iter().map(|t| vec![i(*t), Value::Null, Value::Null]).collect();
    batch(&[ty, timestamp(), timestamp()], &rows)
}

const HOUR: i64 = 3_600_000;

#[test]
fn zoned_days_start_at_local_midnight_and_fire_by_the_instant() {
    let day = WindowShape::Tumble { size_ms: 24 * HOUR };
    let mut harness = counting(window(day, WindowTime::Rowtime(0), Some("Asia/Shanghai")), timestamp_ltz(), false);
    // Midnight in Shanghai is 16:00 UTC.
    harness.process(rowtimes(timestamp_ltz(), &[0, 15 * HOUR, 16 * HOUR])).unwrap();
    harness.watermark(16 * HOUR - 2).unwrap();
    assert_eq!(harness.output.num_rows(), 0);
    harness.watermark(16 * HOUR - 1).unwrap();
    assert_eq!(harness.output.rows(), ["+I[2, 1970-01-01T00:00:00, 1970-01-02T00:00:00, 1970-01-01T15:59:59.999Z]"]);
}

#[test]
fn processing_time_windows_fire_by_the_clock() {
    let tumble = WindowShape::Tumble { size_ms: 10 };
    let mut harness = counting(window(tumble, WindowTime::Proctime, None), timestamp(), false);
    harness.process(rowtimes(timestamp(), &[0, 0])).unwrap();
    assert_eq!(harness.operator().next_timer_ms(), Some(10));
    harness.advance_to(12).unwrap();
    harness.process(rowtimes(timestamp(), &[0])).unwrap();
    harness.advance_to(30).unwrap();
    let counts: Vec<_> = harness.output.rows().iter().map(|row| row[..4].to_owned()).collect();
    assert_eq!(counts, ["+I[2", "+I[1"]);
    assert_eq!(harness.operator().next_timer_ms(), None);
}

#[test]
fn attached_windows_come_from_the_row() {
    let time = WindowTime::Attached { start: 1, end: 2 };
    let mut harness = counting(window(WindowShape::Session { gap_ms: 5 }, time, None), timestamp(), false);
    let rows: Vec<_> = [(0, 10), (3, 10), (0, 10), (0, 20)].iter().map(|(a, b)| vec![i(0), i(*a), i(*b)]).collect();
    harness.process(batch(&[timestamp(), timestamp(), timestamp()], &rows)).unwrap();
    harness.watermark(9).unwrap();
    assert_eq!(harness.output.num_rows(), 2);
    harness.process(batch(&[timestamp(), timestamp(), timestamp()], &rows)).unwrap();
    assert_eq!(harness.late_rows_dropped(), 3);
    harness.end(1).unwrap();
    assert_eq!(
        harness.output.rows(),
        [
            "+I[2, 1970-01-01T00:00:00, 1970-01-01T00:00:00.010, 1970-01-01T00:00:00.009]",
            "+I[1, 1970-01-01T00:00:00.003, 1970-01-01T00:00:00.010, 1970-01-01T00:00:00.009]",
            "+I[2, 1970-01-01T00:00:00, 1970-01-01T00:00:00.020, 1970-01-01T00:00:00.019]",
        ]
    );
}

#[test]
fn attached_windows_are_aggregated_in_two_phases() {
    let input = [timestamp(), timestamp()];
    let partial = [bigint(), TypeRoot::VarBinary(100).into()];
    let phase = |phase, input: &[LogicalType], output: &[LogicalType]| {
        let time = WindowTime::Attached { start: 0, end: 1 };
        let spec = WindowAggregateSpec {
            phase,
            window: window(WindowShape::Hop { slide_ms: 5, size_ms: 10 }, time, None),
            keys: vec![],
            calls: vec![aggregate("COUNT", &[], bigint())],
            properties: vec![WindowProperty::Start, WindowProperty::End],
            input_types: vec![timestamp(), timestamp()],
        };
        harness(&node(OperatorSpec::WindowAggregate(spec), &[input], output))
    };
    let output = [bigint(), timestamp(), timestamp()];
    let mut harnesses =
        [phase(AggregatePhase::Local, &input, &partial), phase(AggregatePhase::Global, &partial, &output)];
    let rows = [vec![i(5), i(15)], vec![i(0), i(10)], vec![i(5), i(15)]];
    harnesses[0].process(batch(&input, &rows)).unwrap();
    deliver(&mut harnesses, MAX_WATERMARK);
    let found = values(harnesses[1].output.batches(), &output);
    assert_eq!(found, [vec![i(1), i(0), i(10)], vec![i(2), i(5), i(15)]]);
}

#[test]
fn attached_windows_of_processing_time_fire_by_the_clock() {
    let time = WindowTime::Attached { start: 1, end: 2 };
    let attached = WindowSpec { proctime: true, ..window(WindowShape::Tumble { size_ms: 10 }, time, None) };
    let mut harness = counting(attached, timestamp(), false);
    harness.process(batch(&[timestamp(), timestamp(), timestamp()], &[vec![i(0), i(0), i(10)]])).unwrap();
    assert_eq!(harness.operator().next_timer_ms(), Some(10));
    harness.advance_to(10).unwrap();
    assert_eq!(harness.output.num_rows(), 1);
    // Rows of another subtask come later: another result of the window, and none is lost.
    harness.process(batch(&[timestamp(), timestamp(), timestamp()], &[vec![i(0), i(0), i(10)]])).unwrap();
    harness.advance_to(11).unwrap();
    assert_eq!((harness.output.num_rows(), harness.late_rows_dropped()), (2, 0));
}

#[test]
fn rows_in_the_last_millisecond_of_a_window_of_processing_time_are_not_late() {
    for shape in [
        WindowShape::Tumble { size_ms: 10 },
        WindowShape::Hop { slide_ms: 5, size_ms: 10 },
        WindowShape::Cumulate { step_ms: 5, max_ms: 10 },
        WindowShape::Session { gap_ms: 1 },
    ] {
        let mut harness = counting(window(shape, WindowTime::Proctime, None), timestamp(), false);
        for now in 0..40 {
            harness.advance_to(now).unwrap();
            harness.process(rowtimes(timestamp(), &[0])).unwrap();
        }
        harness.advance_to(100).unwrap();
        assert_eq!(harness.late_rows_dropped(), 0, "{shape:?}");
    }
}

#[test]
fn rows_count_for_windows_of_processing_time_when_the_clock_was_set_back() {
    for shape in [WindowShape::Tumble { size_ms: 10 }, WindowShape::Session { gap_ms: 10 }] {
        let mut harness = counting(window(shape, WindowTime::Proctime, None), timestamp(), false);
        harness.process(rowtimes(timestamp(), &[0])).unwrap();
        // Fires as of 30, though the clock stays at 0.
        harness.processing_time(30).unwrap();
        harness.process(rowtimes(timestamp(), &[0])).unwrap();
        harness.advance_to(100).unwrap();
        assert_eq!((harness.output.num_rows(), harness.late_rows_dropped()), (2, 0), "{shape:?}");
    }
}

#[test]
fn a_window_whose_rows_were_all_taken_back_emits_nothing() {
    for shape in [WindowShape::Tumble { size_ms: 10 }, WindowShape::Session { gap_ms: 3 }] {
        let mut harness = counting(window(shape, WindowTime::Rowtime(0), None), timestamp(), true);
        let row = |time: i64| vec![i(time), Value::Null, Value::Null];
        let rows = [("+I", row(1)), ("+I", row(11)), ("-D", row(1)), ("+I", row(12))];
        harness.process(changes(&[timestamp(), timestamp(), timestamp()], &rows)).unwrap();
        harness.end(1).unwrap();
        let counts: Vec<_> = harness.output.rows().iter().map(|row| row[..4].to_owned()).collect();
        assert_eq!(counts, ["+I[2"], "{shape:?}");
    }
}

#[test]
fn firing_many_windows_yields_to_the_driver() {
    use headwater_operator_api::testing::VecCollector;
    use headwater_operator_api::{Operator, Progress};
    let node = complete(WindowShape::Tumble { size_ms: 1 }, 0, &bigint());
    let OperatorSpec::WindowAggregate(spec) = &node.spec else { unreachable!() };
    let mut operator = super::sliced::SlicedAggregate::new(spec, &node, false).unwrap();
    let rows: Vec<_> = (0..50_000).map(|t| vec![i(t), i(1), i(1)]).collect();
    operator.process(0, batch(&input_types(bigint()), &rows), &mut VecCollector::new()).unwrap();
    let mut out = VecCollector::new();
    assert_eq!(operator.watermark(MAX_WATERMARK, &mut out).unwrap(), Progress::More);
    assert!(out.num_rows() < 50_000);
    while operator.watermark(MAX_WATERMARK, &mut out).unwrap() == Progress::More {}
    assert_eq!(out.num_rows(), 50_000);
    assert!(out.batches().all(|b| b.num_rows() <= 4096));
}
