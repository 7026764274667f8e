//! Single steps of the checkpoint protocol.

use super::cluster::Cluster;
use crate::options::RuntimeOptions;
use crate::testing::{GraphBuilder, operator, sink_of, source, values};
use headwater_exchange::{Alignment, BarrierKind};
use headwater_plan::{JobGraph, Partitioning};

/// An endless source, an edge, counters, a sink.
fn endless(partitioning: Partitioning) -> JobGraph {
    let mut graph = GraphBuilder::new();
    let sources = if partitioning == Partitioning::Forward { 2 } else { 1 };
    let head = graph.vertex(sources, vec![source(&[("rows", "-1"), ("batch", "10")]), operator("pass")]);
    let tail = graph.vertex(2, vec![operator("count"), sink_of("ledger", &[])]);
    graph.edge(head, tail, partitioning);
    graph.build()
}

fn cluster(graph: JobGraph) -> Cluster {
    Cluster::new(1, graph, RuntimeOptions { channel_bytes: 2000, ..RuntimeOptions::default() })
}

/// A job whose sinks have taken nothing and whose queues are full.
fn blocked(partitioning: Partitioning) -> Cluster {
    let mut cluster = cluster(endless(partitioning));
    cluster.ledger.close();
    cluster.run();
    cluster
}

#[test]
fn an_unaligned_barrier_passes_full_queues_while_the_sinks_stand_still() {
    let mut cluster = blocked(Partitioning::Hash(vec![1]));
    cluster.trigger(Alignment::Unaligned, BarrierKind::Checkpoint);
    cluster.run();
    assert!(!cluster.is_pending());
    assert!(cluster.overtaken_rows > 0);
    let overtaken = cluster.tasks().iter().map(|task| task.task_metrics().overtaken_bytes).max();
    assert!(overtaken > Some(0));
}

#[test]
fn an_aligned_barrier_waits_behind_full_queues() {
    let mut cluster = blocked(Partitioning::Hash(vec![1]));
    cluster.trigger(Alignment::Aligned, BarrierKind::Checkpoint);
    cluster.run();
    assert!(cluster.is_pending());
    cluster.ledger.open();
    while cluster.is_pending() {
        assert!(cluster.step());
    }
    assert_eq!(cluster.overtaken_rows, 0);
}

#[test]
fn a_barrier_overtakes_when_its_timeout_has_passed() {
    let mut cluster = blocked(Partitioning::Hash(vec![1]));
    let triggered_at_ms = cluster.now_ms();
    cluster.trigger(Alignment::Timeout(500), BarrierKind::Checkpoint);
    cluster.run();
    while cluster.is_pending() {
        assert!(cluster.advance(), "someone waits for the timeout");
        cluster.run();
    }
    assert_eq!(cluster.now_ms(), triggered_at_ms + 500);
    assert!(cluster.overtaken_rows > 0);
}

#[test]
fn savepoints_and_forward_edges_are_never_overtaken() {
    for (partitioning, kind) in
        [(Partitioning::Hash(vec![1]), BarrierKind::Savepoint), (Partitioning::Forward, BarrierKind::Checkpoint)]
    {
        let mut cluster = blocked(partitioning);
        cluster.trigger(Alignment::Unaligned, kind);
        cluster.run();
        assert!(cluster.is_pending());
        cluster.ledger.open();
        while cluster.is_pending() {
            assert!(cluster.step());
        }
        assert_eq!(cluster.overtaken_rows, 0);
    }
}

/// Several sources, an edge, counters, a sink.
fn joined() -> JobGraph {
    let mut graph = GraphBuilder::new();
    let head = graph.vertex(3, vec![source(&[("rows", "-1"), ("batch", "10"), ("splits", "3")]), operator("pass")]);
    let tail = graph.vertex(2, vec![operator("count"), sink_of("ledger", &[])]);
    graph.edge(head, tail, Partitioning::Hash(vec![1]));
    graph.build()
}

/// Ways in which a checkpoint and another one beside it bring their barriers together.
const BESIDE: [(Alignment, BarrierKind); 4] = [
    (Alignment::Aligned, BarrierKind::Savepoint),
    (Alignment::Aligned, BarrierKind::Checkpoint),
    (Alignment::Unaligned, BarrierKind::Checkpoint),
    (Alignment::Timeout(5), BarrierKind::Checkpoint),
];

#[test]
fn checkpoints_under_way_together_are_all_taken() {
    for turns in 0..40 {
        for (first, second) in BESIDE.iter().flat_map(|first| BESIDE.iter().map(move |second| (*first, *second))) {
            let mut cluster = cluster(joined());
            (0..100).for_each(|_| assert!(cluster.step()));
            cluster.trigger_also(first.0, first.1);
            // Some subtasks see the first trigger before the second comes, others see both at once.
            (0..turns).for_each(|_| assert!(cluster.step()));
            cluster.trigger_also(second.0, second.1);
            while cluster.is_pending() {
                assert!(cluster.step());
            }
            let ended = (&cluster.declined[..], &cluster.history[..]);
            assert_eq!(ended, (&[][..], &[1, 2][..]), "{first:?}, {second:?} after {turns} turns");
        }
    }
}

#[test]
fn a_barrier_overtakes_no_savepoint_that_waits_in_a_full_queue() {
    let mut cluster = blocked(Partitioning::Hash(vec![1]));
    cluster.trigger_also(Alignment::Aligned, BarrierKind::Savepoint);
    cluster.run();
    cluster.trigger_also(Alignment::Unaligned, BarrierKind::Checkpoint);
    cluster.run();
    cluster.ledger.open();
    while cluster.is_pending() {
        assert!(cluster.step());
    }
    assert_eq!((&cluster.declined[..], &cluster.history[..]), (&[][..], &[1, 2][..]));
}

#[test]
fn an_aborted_checkpoint_lets_blocked_channels_go_on() {
    let mut cluster = blocked(Partitioning::Hash(vec![1]));
    cluster.trigger(Alignment::Aligned, BarrierKind::Checkpoint);
    cluster.run();
    cluster.abort();
    cluster.ledger.open();
    (0..200).for_each(|_| assert!(cluster.step()));
    cluster.trigger(Alignment::Aligned, BarrierKind::Checkpoint);
    while cluster.is_pending() {
        assert!(cluster.step());
    }
    assert!(!cluster.ledger.rows().is_empty());
}

#[test]
fn a_stopping_savepoint_ends_the_job_behind_its_barrier() {
    for drain in [false, true] {
        let mut cluster = cluster(endless(Partitioning::Hash(vec![1])));
        (0..100).for_each(|_| assert!(cluster.step()));
        cluster.trigger(Alignment::Aligned, BarrierKind::Stop { drain });
        cluster.run();
        assert!(cluster.is_over(), "drain: {drain}");
        let completed = cluster.completed.as_ref().unwrap();
        assert!(completed.subtasks.values().all(|stored| !stored.finished), "the job can go on from it");
        assert!(completed.subtasks.values().any(|stored| !stored.splits.is_empty()));
        assert_eq!(cluster.ledger.rows().len() as u64 + cluster.kept_rows(), cluster.read_rows(), "drain: {drain}");
    }
}

#[test]
fn a_job_goes_on_when_a_stopping_savepoint_fails() {
    let mut cluster = blocked(Partitioning::Hash(vec![1]));
    cluster.trigger(Alignment::Aligned, BarrierKind::Stop { drain: false });
    cluster.run();
    assert!(cluster.is_pending());
    let before = cluster.read_rows();
    cluster.abort();
    cluster.ledger.open();
    (0..200).for_each(|_| assert!(cluster.step()));
    assert!(!cluster.is_over() && cluster.read_rows() > before);
}

#[test]
fn inline_rows_come_once() {
    let graph = || {
        let mut graph = GraphBuilder::new();
        let head = graph.vertex(2, vec![values("rows"), operator("pass")]);
        let endless = graph.vertex(1, vec![source(&[("rows", "-2")])]);
        let tail = graph.vertex(2, vec![operator("count"), sink_of("ledger", &[])]);
        graph.edge(head, tail, Partitioning::Hash(vec![1]));
        graph.edge(endless, tail, Partitioning::Hash(vec![1]));
        graph.build()
    };
    for turns in 0..30 {
        let mut cluster = cluster(graph());
        (0..turns).for_each(|_| _ = cluster.step());
        cluster.trigger(Alignment::Aligned, BarrierKind::Checkpoint);
        cluster.run();
        assert!(!cluster.is_pending(), "after {turns} turns");
        cluster.crash(turns, graph());
        cluster.run();
        cluster.trigger(Alignment::Aligned, BarrierKind::Stop { drain: true });
        cluster.run();
        assert!(cluster.is_over());
        assert_eq!(cluster.ledger.rows(), [(1, 0), (1, 1), (1, 2)], "after {turns} turns");
    }
}

#[test]
fn a_satisfied_operator_does_not_lose_the_checkpoint() {
    let graph = || {
        let mut graph = GraphBuilder::new();
        let head = graph.vertex(2, vec![source(&[("rows", "-1"), ("batch", "10")])]);
        let tail = graph.vertex(1, vec![operator("limit"), operator("pass"), sink_of("ledger", &[])]);
        graph.edge(head, tail, Partitioning::Global);
        graph.build()
    };
    for turns in 0..60 {
        for alignment in [Alignment::Aligned, Alignment::Unaligned] {
            let mut cluster = cluster(graph());
            (0..turns).for_each(|_| _ = cluster.step());
            cluster.trigger(alignment, BarrierKind::Checkpoint);
            cluster.run_to_end();
            assert_eq!(cluster.ledger.rows().len(), 100, "after {turns} turns, {alignment:?}");
        }
    }
}
