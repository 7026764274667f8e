//! Bounds, slots, and what a job gets.

use super::*;
use headwater_runtime::testing::{GraphBuilder, operator, sink, source};

/// source -hash-> middle -forward-> second -> sink, all with this parallelism, and a global end if asked for.
fn graph(parallelism: u32, last: Partitioning) -> JobGraph {
    let mut graph = GraphBuilder::new();
    let a = graph.vertex(parallelism, vec![source(&[])]);
    let b = graph.vertex(parallelism, vec![operator("b")]);
    let c = graph.vertex(parallelism, vec![operator("c")]);
    let d = graph.vertex(if last == Partitioning::Global { 1 } else { parallelism }, vec![sink(&[])]);
    graph.edge(a, b, Partitioning::Hash(vec![1]));
    graph.edge(b, c, Partitioning::Forward);
    graph.edge(c, d, last);
    graph.build()
}

fn planned(graph: &JobGraph) -> Vec<u32> {
    graph.vertices.iter().map(|vertex| vertex.parallelism).collect()
}

#[test]
fn a_job_gets_what_its_mode_and_the_slots_allow() {
    let wide = graph(4, Partitioning::Rebalance);
    let narrow = graph(4, Partitioning::Global);
    let fitted = |graph: &JobGraph, mode, slots| fit(graph, &bounds(graph, &planned(graph), None, mode), slots);
    assert_eq!(fitted(&wide, Mode::Planned, 9), Some(vec![4; 4]));
    assert_eq!(fitted(&wide, Mode::Planned, 3), None, "it waits");
    assert_eq!(fitted(&wide, Mode::Adaptive, 9), Some(vec![4; 4]));
    assert_eq!(fitted(&wide, Mode::Adaptive, 3), Some(vec![3; 4]), "it makes do");
    assert_eq!(fitted(&wide, Mode::Adaptive, 0), None);
    assert_eq!(fitted(&wide, Mode::Reactive, 9), Some(vec![9; 4]), "it takes all");
    assert_eq!(fitted(&narrow, Mode::Reactive, 9), Some(vec![9, 9, 9, 1]), "but one subtask gathers");
    assert_eq!(fitted(&wide, Mode::Reactive, 1 << 20), Some(vec![wide.max_parallelism; 4]));
}

#[test]
fn bounds_that_were_asked_for_hold_and_forward_edges_join() {
    let graph = graph(2, Partitioning::Rebalance);
    let asked: Requirements = [(0, (1, 2)), (1, (2, 8)), (2, (1, 4))].map(|(id, b)| (VertexId(id), b)).into();
    let bounds = bounds(&graph, &planned(&graph), Some(&asked), Mode::Planned);
    assert_eq!(bounds, [(1, 2), (2, 8), (1, 4), (2, 2)]);
    assert_eq!(fit(&graph, &bounds, 6), Some(vec![2, 4, 4, 2]));
    assert_eq!(fit(&graph, &bounds, 3), Some(vec![2, 3, 3, 2]));
    assert_eq!((fit(&graph, &bounds, 1), slots_min(&bounds)), (None, 2));
}

#[test]
fn bounds_that_make_no_sense_are_refused() {
    let graph = graph(2, Partitioning::Rebalance);
    for (vertex, bounds) in [(9, (1, 1)), (0, (0, 1)), (0, (3, 2)), (0, (1, graph.max_parallelism + 1))] {
        let error = check(&graph, &[(VertexId(vertex), bounds)].into()).unwrap_err();
        assert_eq!(error.code(), "bad-resource-requirements", "{error}");
    }
    check(&graph, &[(VertexId(0), (1, graph.max_parallelism))].into()).unwrap();
}

#[test]
fn the_mode_comes_from_the_configuration() {
    let mode = |settings: &[(&str, &str)]| {
        let mut config = Configuration::new();
        settings.iter().for_each(|(key, value)| config.set(*key, *value));
        Policy::from_config(&config).map(|policy| policy.mode)
    };
    assert_eq!(mode(&[]).unwrap(), Mode::Planned);
    assert_eq!(mode(&[("jobmanager.scheduler", "Adaptive")]).unwrap(), Mode::Adaptive);
    assert_eq!(mode(&[("scheduler-mode", "REACTIVE")]).unwrap(), Mode::Reactive);
    assert!(mode(&[("jobmanager.scheduler", "fifo")]).unwrap_err().message().contains("'fifo'"));
}
