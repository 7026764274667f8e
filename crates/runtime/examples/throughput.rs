//! Measures the parts every row passes: key encoding, scatter, exchange, a chain.
//!
//! Run with `cargo run --release -p headwater-runtime --features testing --example throughput`.

#![allow(clippy::print_stdout, reason = "a measuring tool prints")]

use arrow::array::{ArrayRef, Int64Array, RecordBatch, StringArray};
use headwater_connector_api::Committable;
use headwater_data::key_codec::{EncodedKeys, KeyEncoder};
use headwater_data::scatter::Scatter;
use headwater_data::{ChangeBatch, stable_hash};
use headwater_env::Env;
use headwater_operator_api::Progress;
use headwater_plan::{JobGraph, Partitioning};
use headwater_runtime::testing::{FnOperator, GraphBuilder, ToyFactory, batch, operator, toys, values};
use headwater_runtime::{Deployment, Lanes, OperatorSnapshot, RuntimeOptions, Scheduler, TaskEvents};
use headwater_types::Result;
use headwater_types::ids::SubtaskId;
use std::sync::Arc;
use std::sync::mpsc::{SyncSender, sync_channel};

const BATCH_ROWS: usize = 8192;
/// Batches per measurement; the first argument overrides it.
const BATCHES_DEFAULT: usize = 4000;

fn main() {
    let env = Env::real();
    let argument = std::env::args().nth(1).and_then(|text| text.parse().ok());
    let batches = argument.unwrap_or(BATCHES_DEFAULT);
    key_encoding(&env, batches);
    for targets in [2, 8, 32] {
        scatter(&env, batches, targets);
    }
    jobs(&env, batches);
}

fn report(name: &str, env: &Env, rows: usize, work: impl FnOnce()) {
    let start = env.clock().monotonic_ns();
    work();
    let seconds = (env.clock().monotonic_ns() - start) as f64 / 1e9;
    println!("{name:<44} {:>8.1} M rows/s  ({seconds:.2} s)", rows as f64 / seconds / 1e6);
}

fn key_encoding(env: &Env, batches: usize) {
    let numbers: ArrayRef = Arc::new(Int64Array::from_iter_values(0..BATCH_ROWS as i64));
    let texts: ArrayRef = Arc::new(StringArray::from_iter_values((0..BATCH_ROWS).map(|n| format!("key-{n}"))));
    for (name, columns) in [
        ("encode + hash, BIGINT", vec![numbers.clone()]),
        ("encode + hash, STRING", vec![texts.clone()]),
        ("encode + hash, BIGINT and STRING", vec![numbers, texts]),
    ] {
        let types: Vec<_> = columns.iter().map(|c| c.data_type().clone()).collect();
        let encoder = KeyEncoder::new(&types).expect("both types can be keys");
        let mut keys = EncodedKeys::new();
        let mut sum = 0u64;
        report(name, env, batches * BATCH_ROWS, || {
            for _ in 0..batches {
                encoder.encode(&columns, BATCH_ROWS, &mut keys).expect("the columns have these types");
                sum = keys.iter().fold(sum, |sum, key| sum.wrapping_add(stable_hash(key)));
            }
        });
        assert_ne!(sum, 0);
    }
}

fn scatter(env: &Env, batches: usize, targets: u32) {
    let numbers = Arc::new(Int64Array::from_iter_values((0..BATCH_ROWS as i64).map(|n| n * 7)));
    let others = numbers.clone();
    let columns: Vec<(&str, ArrayRef)> = vec![("k", numbers), ("a", others.clone()), ("b", others)];
    let rows = ChangeBatch::append(RecordBatch::try_from_iter(columns).expect("columns of one length"));
    let types: Vec<_> = rows.rows().columns().iter().map(|c| c.data_type().clone()).collect();
    let mut scatter = Scatter::new(vec![0], &types, targets, 128).expect("a BIGINT key");
    let mut parts = vec![];
    report(&format!("scatter to {targets}, three BIGINT columns"), env, batches * BATCH_ROWS, || {
        for _ in 0..batches {
            scatter.scatter(rows.clone(), &mut parts).expect("the batch has these types");
            parts.clear();
        }
    });
}

/// Reports the end of each subtask.
struct Ends(SyncSender<Result<()>>);

impl TaskEvents for Ends {
    fn running(&self, _subtask: SubtaskId) {}
    fn request_split(&self, _subtask: SubtaskId) {}
    fn committables(&self, _subtask: SubtaskId, _committables: Vec<Committable>) {}
    fn finished(&self, _subtask: SubtaskId, outcome: Result<()>, _metrics: Vec<OperatorSnapshot>) {
        let _ = self.0.send(outcome);
    }
}

fn jobs(env: &Env, batches: usize) {
    let mut chain = GraphBuilder::new();
    chain.vertex(1, vec![values("rows"), operator("pass"), operator("pass"), operator("drop")]);
    run("a chain of four operators", env, batches, chain.build());
    for (name, partitioning, parallelism) in [
        ("forward exchange", Partitioning::Forward, 1),
        ("hash exchange, 1 to 2", Partitioning::Hash(vec![0]), 2),
        ("hash exchange, 1 to 8", Partitioning::Hash(vec![0]), 8),
    ] {
        let mut graph = GraphBuilder::new();
        let head = graph.vertex(1, vec![values("rows")]);
        let tail = graph.vertex(parallelism, vec![operator("drop")]);
        graph.edge(head, tail, partitioning);
        run(name, env, batches, graph.build());
    }
}

fn factory(batches: usize) -> ToyFactory {
    ToyFactory::new()
        .with("rows", move |_| {
            let rows = batch((0..BATCH_ROWS as i64).map(|n| (n, n)));
            let mut left = batches;
            FnOperator {
                on_end: Some(Box::new(move |_, out| {
                    out.emit(rows.clone());
                    left -= 1;
                    Ok(if left > 0 { Progress::More } else { Progress::Done })
                })),
                ..FnOperator::default()
            }
        })
        .with("drop", |_| FnOperator::new(|_, _, _| Ok(())))
}

fn run(name: &str, env: &Env, batches: usize, graph: JobGraph) {
    let (ended, ends) = sync_channel(64);
    let (registry, _) = toys();
    let subtasks = Deployment::subtasks(&graph);
    let count = subtasks.len();
    let deployment = Deployment {
        graph: Arc::new(graph),
        subtasks,
        network: None,
        execution: "throughput".to_owned(),
        env: env.clone(),
        registry,
        factory: Arc::new(factory(batches)),
        events: Arc::new(Ends(ended)),
        options: RuntimeOptions::default(),
        restore: None,
    };
    let lanes = Lanes::new(Scheduler::new(env.clone()), 0);
    lanes.ensure(count).expect("threads can be started");
    report(name, env, batches * BATCH_ROWS, || {
        let tasks = deployment.deploy(lanes.scheduler()).expect("the graph is sound");
        for _ in 0..tasks.len() {
            ends.recv().expect("every subtask reports").expect("no subtask fails");
        }
    });
}
