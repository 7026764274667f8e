//! Random jobs under random schedules: no row is lost or doubled, nothing gets stuck, cancel always ends.

use super::simulation::Simulation;
use crate::options::RuntimeOptions;
use crate::testing::{FnOperator, GraphBuilder, ToyFactory, map, operator, sink, source, two_inputs};
use headwater_exchange::OutputOptions;
use headwater_plan::{JobGraph, Partitioning};
use proptest::collection::vec;
use proptest::prelude::*;

/// The shape of a job: two sources into a two-input vertex, then stages one after the other.
#[derive(Debug, Clone)]
struct Shape {
    seed: u64,
    rows: [i64; 2],
    batch: i64,
    sources: [u32; 2],
    /// Parallelism and incoming partitioning of each following vertex.
    stages: Vec<(u32, Partitioning)>,
    options: [usize; 3],
}

fn partitioning() -> impl Strategy<Value = Partitioning> {
    prop_oneof![
        Just(Partitioning::Hash(vec![0])),
        Just(Partitioning::Hash(vec![1])),
        Just(Partitioning::Rebalance),
        Just(Partitioning::Global),
    ]
}

fn shapes() -> impl Strategy<Value = Shape> {
    let stages = vec((1u32..4, partitioning()), 1..4);
    let options = [1usize..5000, 1usize..60, 0usize..50].prop_map(|options| options);
    (any::<u64>(), [0i64..300, 0i64..300], 1i64..40, [1u32..4, 1u32..4], stages, options)
        .prop_map(|(seed, rows, batch, sources, stages, options)| Shape { seed, rows, batch, sources, stages, options })
}

fn graph(shape: &Shape) -> JobGraph {
    let mut graph = GraphBuilder::new();
    let batch = shape.batch.to_string();
    let heads = [0, 1].map(|side| {
        let rows = shape.rows[side].to_string();
        let options = [("rows", rows.as_str()), ("splits", "3"), ("batch", batch.as_str())];
        graph.vertex(shape.sources[side], vec![source(&options), operator("pass")])
    });
    let mut previous = None;
    for (index, (parallelism, partitioning)) in shape.stages.iter().enumerate() {
        let mut chain = vec![if index == 0 { two_inputs("sides") } else { operator("pass") }];
        chain.extend((index + 1 == shape.stages.len()).then(|| sink(&[])));
        let vertex = graph.vertex(*parallelism, chain);
        match previous.replace(vertex) {
            Some(previous) => graph.edge(previous, vertex, partitioning.clone()),
            None => (0..2u8).for_each(|side| {
                graph.edge_into(heads[usize::from(side)], vertex, side, partitioning.clone());
            }),
        }
    }
    graph.build()
}

fn simulation(shape: &Shape) -> Simulation {
    let [channel_bytes, batch_rows, timeout] = shape.options;
    let output = OutputOptions { batch_rows, batch_bytes: 1 << 20, buffer_timeout_ms: timeout as i64 };
    let options = RuntimeOptions { channel_bytes, output, ..RuntimeOptions::default() };
    // Rows of the second side are negative, so that both sides can be told apart in the sink.
    let factory = ToyFactory::new().with("sides", |_| {
        FnOperator::new(|side, rows, out| {
            out.emit(map(&rows, |n, k| if side == 0 { (n, k) } else { (-1 - n, k) }));
            Ok(())
        })
    });
    Simulation::with_options(shape.seed, graph(shape), factory, options)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn every_row_arrives_once(shape in shapes()) {
        let mut simulation = simulation(&shape);
        simulation.run_to_end();
        simulation.assert_finished();
        let expected: Vec<_> = (-shape.rows[1]..shape.rows[0]).collect();
        prop_assert_eq!(simulation.collected.numbers(), expected);
    }

    #[test]
    fn cancel_and_stop_end_a_job_at_any_moment(shape in shapes(), turns in 0usize..200, cancel in any::<bool>()) {
        let mut simulation = simulation(&shape);
        simulation.run_turns(turns);
        for task in &simulation.tasks {
            if cancel { task.cancel() } else { task.stop() }
        }
        simulation.run_to_end();
        prop_assert_eq!(simulation.outcomes().len(), simulation.tasks.len());
        if !cancel {
            simulation.assert_finished();
            let read: u64 = simulation.tasks.iter().map(|task| task.metrics()[0].clone())
                .filter(|operator| operator.name == "source").map(|operator| operator.rows_out).sum();
            prop_assert_eq!(simulation.collected.numbers().len() as u64, read);
        }
    }
}
