//! Measures how many rows a second one thread aggregates into windows: `COUNT(*)` per BIGINT or STRING key.
//!
//! `cargo run --release -p headwater-sql-operators --example window_throughput`
#![allow(clippy::print_stdout, reason = "a measurement prints its result")]

use arrow::array::{ArrayRef, Int64Array, RecordBatch, StringArray, TimestampMillisecondArray};
use headwater_data::{ChangeBatch, arrow_schema};
use headwater_env::Env;
use headwater_operator_api::testing::OperatorHarness;
use headwater_plan::operators::{
    AggregateCall, AggregatePhase, WindowAggregateSpec, WindowProperty, WindowShape, WindowSpec, WindowTime,
};
use headwater_plan::{OperatorNode, OperatorSpec};
use headwater_sql_operators::{BuildContext, build};
use headwater_types::config::Configuration;
use headwater_types::{LogicalType, Result, TimeAttribute, TypeRoot};
use std::sync::Arc;

const BATCHES: usize = 1000;
const BATCH_ROWS: usize = 4096;
/// Rows per millisecond of event time.
const ROWS_PER_MS: usize = 100;

fn main() -> Result<()> {
    let shapes = [WindowShape::Tumble { size_ms: 10_000 }, WindowShape::Hop { slide_ms: 2_000, size_ms: 10_000 }];
    for keys in [1_000, 100_000, 1_000_000] {
        for shape in shapes {
            for key in [TypeRoot::BigInt.into(), LogicalType::string()] {
                measure(shape, &key, keys)?;
            }
        }
    }
    Ok(())
}

fn measure(shape: WindowShape, key: &LogicalType, keys: u64) -> Result<()> {
    let env = Env::real();
    let node = node(shape, key);
    let config = Configuration::new();
    let context = BuildContext { config: &config, env: env.clone(), input_changes: false };
    let mut harness = OperatorHarness::new(build(&node, &context)?)?;
    let (mut update_ns, mut fire_ns, mut seed) = (0, 0, 42);
    for number in 0..BATCHES {
        let batch = batch(&node, key, keys, number, &mut seed);
        let start = env.clock().monotonic_ns();
        harness.process(batch)?;
        let updated = env.clock().monotonic_ns();
        harness.watermark((number * BATCH_ROWS / ROWS_PER_MS) as i64 - 100)?;
        update_ns += updated - start;
        fire_ns += env.clock().monotonic_ns() - updated;
        harness.output.take();
    }
    let per_second = |ns: u64| (BATCHES * BATCH_ROWS) as f64 * 1e3 / ns as f64;
    let (update, both) = (per_second(update_ns), per_second(update_ns + fire_ns));
    println!("{shape:?}, {keys} keys of {key}: {update:.1} M rows/s, {both:.1} M rows/s with firing");
    Ok(())
}

fn node(shape: WindowShape, key: &LogicalType) -> OperatorNode {
    let bigint = LogicalType::from(TypeRoot::BigInt);
    let timestamp = |attribute| LogicalType::from(TypeRoot::Timestamp(3, attribute));
    let input = vec![timestamp(TimeAttribute::Rowtime), key.clone()];
    let count = AggregateCall {
        function: "COUNT".into(),
        args: vec![],
        distinct: false,
        filter: None,
        parameters: vec![],
        ty: bigint.clone(),
    };
    let time = WindowTime::Rowtime(0);
    let spec = WindowAggregateSpec {
        phase: AggregatePhase::Complete,
        window: WindowSpec { shape, offset_ms: 0, time, partition_by: vec![], zone: None, proctime: false },
        keys: vec![1],
        calls: vec![count],
        properties: vec![WindowProperty::End],
        input_types: input.clone(),
    };
    let named = |types: Vec<LogicalType>| types.into_iter().enumerate().map(|(i, ty)| (format!("c{i}"), ty)).collect();
    OperatorNode {
        uid: "count".into(),
        name: "count".into(),
        spec: OperatorSpec::WindowAggregate(spec),
        inputs: vec![named(input)],
        output: named(vec![key.clone(), bigint, timestamp(TimeAttribute::None)]),
        emits_changes: false,
    }
}

/// Rows whose time is out of order by up to 50 ms, with keys drawn by xorshift.
fn batch(node: &OperatorNode, key: &LogicalType, keys: u64, number: usize, seed: &mut u64) -> ChangeBatch {
    let mut draw = || {
        *seed ^= *seed << 13;
        *seed ^= *seed >> 7;
        *seed ^= *seed << 17;
        *seed
    };
    let first = number * BATCH_ROWS;
    let time = |row: usize, disorder: u64| ((first + row) / ROWS_PER_MS) as i64 - disorder as i64;
    let times: TimestampMillisecondArray = (0..BATCH_ROWS).map(|row| time(row, draw() % 50)).collect::<Vec<_>>().into();
    let drawn: Vec<i64> = (0..BATCH_ROWS).map(|_| (draw() % keys) as i64).collect();
    let drawn: ArrayRef = match key.root {
        TypeRoot::BigInt => Arc::new(Int64Array::from(drawn)),
        _ => Arc::new(StringArray::from_iter_values(drawn.iter().map(|k| format!("channel-{k}")))),
    };
    let schema = arrow_schema(node.inputs[0].iter().map(|(name, ty)| (name.as_str(), ty)));
    let rows = RecordBatch::try_new(schema, vec![Arc::new(times), drawn]).expect("columns match the input row type");
    ChangeBatch::append(rows)
}
