//! Helpers of this crate's tests: rows from values, nodes from specifications.

use crate::{BuildContext, build};
use headwater_data::ChangeBatch;
use headwater_env::Env;
use headwater_expressions::value::{array_from_values, value_at};
use headwater_operator_api::Operator;
use headwater_operator_api::testing::{HarnessCheckpoint, OperatorHarness};
use headwater_plan::graph::RowType;
use headwater_plan::operators::AggregateCall;
use headwater_plan::{Expr, OperatorNode, OperatorSpec, Value};
use headwater_types::config::Configuration;
use headwater_types::{LogicalType, RowKind, TimeAttribute, TypeRoot};

pub(crate) fn bigint() -> LogicalType {
    TypeRoot::BigInt.into()
}

pub(crate) fn int() -> LogicalType {
    TypeRoot::Int.into()
}

pub(crate) fn boolean() -> LogicalType {
    TypeRoot::Boolean.into()
}

pub(crate) fn string() -> LogicalType {
    LogicalType::string()
}

pub(crate) fn timestamp() -> LogicalType {
    TypeRoot::Timestamp(3, TimeAttribute::None).into()
}

pub(crate) fn timestamp_ltz() -> LogicalType {
    TypeRoot::TimestampLtz(3, TimeAttribute::None).into()
}

pub(crate) fn row_type(types: &[LogicalType]) -> RowType {
    types.iter().enumerate().map(|(i, ty)| (format!("c{i}"), ty.clone())).collect()
}

pub(crate) fn node(spec: OperatorSpec, inputs: &[&[LogicalType]], output: &[LogicalType]) -> OperatorNode {
    OperatorNode {
        uid: "test".into(),
        name: "test".into(),
        spec,
        inputs: inputs.iter().map(|types| row_type(types)).collect(),
        output: row_type(output),
        emits_changes: false,
    }
}

/// Opens the operator of a node with batches of at most `batch_rows` rows.
pub(crate) fn open(node: &OperatorNode, input_changes: bool, batch_rows: usize) -> OperatorHarness {
    let config = Configuration::new();
    let context = BuildContext { config: &config, env: Env::simulated(0, 0).0, input_changes };
    OperatorHarness::with_batch_rows(build(node, &context).unwrap(), batch_rows).unwrap()
}

pub(crate) fn harness(node: &OperatorNode) -> OperatorHarness {
    open(node, false, 4096)
}

/// A batch of inserts.
pub(crate) fn batch(types: &[LogicalType], rows: &[Vec<Value>]) -> ChangeBatch {
    let column = |position: usize, ty: &LogicalType| {
        let values: Vec<Value> = rows.iter().map(|row| row[position].clone()).collect();
        array_from_values(&values, ty).unwrap()
    };
    let columns = types.iter().enumerate().map(|(position, ty)| column(position, ty)).collect();
    let schema = crate::columns::schema_of(&row_type(types));
    ChangeBatch::append(crate::columns::record_batch(&schema, columns, rows.len()).unwrap())
}

/// A batch of changes.
pub(crate) fn changes(types: &[LogicalType], rows: &[(&str, Vec<Value>)]) -> ChangeBatch {
    let values: Vec<Vec<Value>> = rows.iter().map(|(_, row)| row.clone()).collect();
    let kinds = rows.iter().map(|(kind, _)| RowKind::parse(kind).unwrap());
    ChangeBatch::from_kinds(batch(types, &values).rows().clone(), kinds)
}

/// All values of some batches.
pub(crate) fn values<'a>(batches: impl Iterator<Item = &'a ChangeBatch>, types: &[LogicalType]) -> Vec<Vec<Value>> {
    let rows_of = |batch: &ChangeBatch| -> Vec<Vec<Value>> {
        let columns = batch.rows().columns();
        let row = |row: usize| columns.iter().zip(types).map(|(c, ty)| value_at(c, row, ty).unwrap()).collect();
        (0..batch.num_rows()).map(row).collect()
    };
    batches.flat_map(rows_of).collect()
}

pub(crate) fn i(value: i64) -> Value {
    Value::Int(value)
}

pub(crate) fn s(value: &str) -> Value {
    Value::String(value.into())
}

pub(crate) fn optional(value: Option<i64>) -> Value {
    value.map_or(Value::Null, Value::Int)
}

pub(crate) fn column(index: usize, ty: LogicalType) -> Expr {
    Expr::column(index, ty)
}

pub(crate) fn literal(value: i64, ty: LogicalType) -> Expr {
    Expr::Literal { value: Value::Int(value), ty }
}

pub(crate) fn function(name: &str, args: Vec<Expr>, ty: LogicalType) -> Expr {
    Expr::Call { function: name.into(), args, ty }
}

pub(crate) fn aggregate(function: &str, args: &[usize], ty: LogicalType) -> AggregateCall {
    AggregateCall {
        function: function.into(),
        args: args.to_vec(),
        distinct: false,
        filter: None,
        parameters: vec![],
        ty,
    }
}

pub(crate) fn distinct(call: AggregateCall) -> AggregateCall {
    AggregateCall { distinct: true, ..call }
}

/// What happens to an operator.
#[derive(Debug, Clone)]
pub(crate) enum Event {
    /// Rows arrive on an input.
    Rows(u8, ChangeBatch),
    /// The watermark rises.
    Watermark(i64),
    /// The wall clock moves.
    Time(i64),
}

fn deliver(harness: &mut OperatorHarness, event: &Event) {
    match event {
        Event::Rows(input, batch) => harness.process_input(*input, batch.clone()).unwrap(),
        Event::Watermark(watermark) => harness.watermark(*watermark).unwrap(),
        Event::Time(now_ms) => harness.advance_to(*now_ms).unwrap(),
    }
}

/// What an operator emits when a barrier passes after every event and it crashes after `crash` of them: a new one then
/// goes on with the state of the last barrier.
fn run_events(
    build: &dyn Fn() -> Box<dyn Operator>,
    inputs: u8,
    events: &[Event],
    crash: Option<usize>,
) -> Vec<String> {
    let mut harness = OperatorHarness::new(build()).unwrap();
    let mut checkpoint = HarnessCheckpoint::new();
    let mut lines = vec![];
    for (number, event) in events.iter().enumerate() {
        deliver(&mut harness, event);
        checkpoint.add(&harness.snapshot().unwrap());
        if crash == Some(number) {
            lines.extend(harness.output.lines());
            let now_ms = harness.now_ms();
            harness = OperatorHarness::restored(build(), &checkpoint, 0..128, now_ms).unwrap();
        }
    }
    harness.end(inputs).unwrap();
    lines.extend(harness.output.lines());
    lines
}

/// Checks that an operator emits the same whether or not it crashes, at whatever point it does.
pub(crate) fn crash_equals_no_crash(build: &dyn Fn() -> Box<dyn Operator>, inputs: u8, events: &[Event]) {
    let expected = run_events(build, inputs, events, None);
    for crash in 0..events.len() {
        let found = run_events(build, inputs, events, Some(crash));
        assert_eq!(found, expected, "after a crash behind event {crash}");
    }
}

/// A function that builds the operator of a node again and again.
pub(crate) fn builder(node: &OperatorNode, input_changes: bool) -> impl Fn() -> Box<dyn Operator> + use<> {
    let node = node.clone();
    move || {
        let config = Configuration::new();
        build(&node, &BuildContext { config: &config, env: Env::simulated(0, 0).0, input_changes }).unwrap()
    }
}
