//! Ends of inputs, cancellation and failure.

use super::chains::spy_factory;
use super::simulation::Simulation;
use crate::testing::{FnOperator, GraphBuilder, ToyFactory, batch, operator, sink, source, two_inputs};
use headwater_operator_api::Progress;
use headwater_plan::Partitioning;
use headwater_types::ErrorKind;
use headwater_types::ids::{SubtaskId, VertexId};

#[test]
fn inputs_end_one_by_one_and_the_final_watermark_comes_with_the_last() {
    let (factory, log) = spy_factory();
    let mut graph = GraphBuilder::new();
    let short = graph.vertex(1, vec![source(&[("rows", "1")])]);
    let long = graph.vertex(1, vec![source(&[("rows", "1"), ("wait-ms", "1000")])]);
    let join = graph.vertex(1, vec![two_inputs("spy"), sink(&[])]);
    graph.edge_into(short, join, 0, Partitioning::Forward);
    graph.edge_into(long, join, 1, Partitioning::Forward);
    let mut simulation = Simulation::new(1, graph.build(), factory);
    simulation.run();
    assert_eq!(log.take(), ["0: 1 rows", "0: end"]);
    assert!(simulation.executor.advance_to_next_timer());
    assert_eq!(simulation.executor.env().now_ms(), 1000);
    simulation.run();
    simulation.assert_finished();
    assert_eq!(log.take(), ["1: 1 rows", "max", "1: end"]);
}

#[test]
fn subtasks_that_nobody_feeds_end_at_once() {
    let (factory, log) = spy_factory();
    let mut graph = GraphBuilder::new();
    let waiting = graph.vertex(1, vec![source(&[("rows", "-2")])]);
    let all = graph.vertex(2, vec![operator("spy"), sink(&[])]);
    graph.edge(waiting, all, Partitioning::Global);
    let mut simulation = Simulation::new(2, graph.build(), factory);
    simulation.run();
    let ended: Vec<_> = simulation.outcomes().into_keys().collect();
    assert_eq!(ended, [SubtaskId { vertex: VertexId(1), index: 1 }]);
    assert_eq!(log.take(), ["max", "0: end"]);
}

#[test]
fn stop_ends_sources_and_drains() {
    let (factory, log) = spy_factory();
    let mut graph = GraphBuilder::new();
    let head = graph.vertex(2, vec![source(&[("rows", "-2"), ("splits", "2")])]);
    let tail = graph.vertex(2, vec![operator("spy"), sink(&[])]);
    graph.edge(head, tail, Partitioning::Hash(vec![0]));
    let mut simulation = Simulation::new(3, graph.build(), factory);
    simulation.run();
    assert!(simulation.outcomes().is_empty());
    simulation.tasks.iter().for_each(|task| task.stop());
    simulation.run();
    simulation.assert_finished();
    assert_eq!(log.take(), ["max", "0: end", "max", "0: end"]);
}

#[test]
fn an_endless_call_can_be_cancelled() {
    let factory = ToyFactory::new().with("endless", |_| FnOperator {
        on_watermark: Some(Box::new(|_, out| {
            out.emit(batch([(0, 0)]));
            Ok(Progress::More)
        })),
        ..FnOperator::default()
    });
    let mut graph = GraphBuilder::new();
    graph.vertex(1, vec![source(&[("rows", "1")]), operator("endless"), sink(&[])]);
    let mut simulation = Simulation::new(4, graph.build(), factory);
    simulation.run_turns(100);
    assert!(simulation.outcomes().is_empty());
    simulation.tasks[0].cancel();
    simulation.run();
    let outcome = simulation.outcomes().into_values().next().unwrap();
    assert_eq!(outcome.unwrap_err().kind(), ErrorKind::Cancelled);
}

#[test]
fn a_failed_subtask_drops_its_channels_and_reports_once() {
    let factory = ToyFactory::new().with("broken", |_| FnOperator {
        on_end: Some(Box::new(|_, _| panic!("at the end"))),
        ..FnOperator::default()
    });
    let mut graph = GraphBuilder::new();
    let head = graph.vertex(1, vec![source(&[("rows", "-1")])]);
    let broken = graph.vertex(1, vec![operator("broken")]);
    let tail = graph.vertex(1, vec![operator("pass"), sink(&[])]);
    graph.edge(head, broken, Partitioning::Forward);
    graph.edge(broken, tail, Partitioning::Forward);
    let mut simulation = Simulation::new(5, graph.build(), factory);
    simulation.run_turns(20);
    simulation.tasks[0].stop();
    simulation.run();
    let outcomes = simulation.outcomes();
    let failed = outcomes[&SubtaskId { vertex: VertexId(1), index: 0 }].clone().unwrap_err();
    assert_eq!(failed.message(), "operator 'broken' (1/1): panicked: at the end");
    assert_eq!(outcomes.len(), 2, "the consumer waits to be cancelled");
    simulation.tasks.iter().for_each(|task| task.cancel());
    simulation.run();
    assert_eq!(simulation.outcomes().len(), 3);
}
