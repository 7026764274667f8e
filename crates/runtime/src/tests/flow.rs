//! Back-pressure, determinism, idleness across an exchange.

use super::chains::spy_factory;
use super::simulation::Simulation;
use crate::deploy::BuildContext;
use crate::options::RuntimeOptions;
use crate::testing::{FnOperator, GraphBuilder, ToyFactory, batch, operator, sink, source};
use headwater_operator_api::Progress;
use headwater_plan::{JobGraph, Partitioning};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

fn three_stages(rows: &str) -> JobGraph {
    let mut graph = GraphBuilder::new();
    let head = graph.vertex(2, vec![source(&[("rows", rows), ("splits", "7"), ("batch", "13")])]);
    let middle = graph.vertex(3, vec![operator("pass")]);
    let tail = graph.vertex(2, vec![operator("pass"), sink(&[])]);
    graph.edge(head, middle, Partitioning::Hash(vec![0]));
    graph.edge(middle, tail, Partitioning::Rebalance);
    graph.build()
}

/// Written rows in order, after a run with this seed.
fn trace(seed: u64) -> Vec<(u32, i64, i64)> {
    let mut simulation = Simulation::new(seed, three_stages("2000"), ToyFactory::new());
    simulation.run_to_end();
    simulation.assert_finished();
    simulation.collected.in_order()
}

#[test]
fn two_runs_of_one_seed_are_the_same_and_all_seeds_agree_on_the_rows() {
    let mut orders = std::collections::BTreeSet::new();
    for seed in 0..20 {
        let rows = trace(seed);
        assert_eq!(rows, trace(seed), "seed {seed}");
        let mut numbers: Vec<_> = rows.iter().map(|(_, n, _)| *n).collect();
        numbers.sort_unstable();
        assert_eq!(numbers, (0..2000).collect::<Vec<_>>(), "seed {seed}");
        orders.insert(rows);
    }
    assert!(orders.len() > 1, "seeds explore different schedules");
}

#[test]
fn a_blocked_sink_stops_its_source_without_polling() {
    let options = RuntimeOptions { channel_bytes: 2000, ..RuntimeOptions::default() };
    let read = Arc::new(AtomicUsize::new(0));
    let counted = read.clone();
    let factory = ToyFactory::new().with("count", move |_| {
        let counted = counted.clone();
        FnOperator::new(move |_, rows, out| {
            counted.fetch_add(rows.num_rows(), Ordering::Relaxed);
            out.emit(rows);
            Ok(())
        })
    });
    let mut graph = GraphBuilder::new();
    let head = graph.vertex(1, vec![source(&[("rows", "-1"), ("batch", "10")]), operator("count")]);
    let tail = graph.vertex(1, vec![operator("pass"), sink(&[("gated", "")])]);
    graph.edge(head, tail, Partitioning::Forward);
    let mut simulation = Simulation::with_options(1, graph.build(), factory, options);
    simulation.run();
    let blocked_at = read.load(Ordering::Relaxed);
    assert!((10..50_000).contains(&blocked_at), "{blocked_at}");
    assert_eq!(simulation.run(), 0, "nobody polls");
    assert_eq!(simulation.collected.in_order(), []);
    simulation.collected.gate.allow(1);
    simulation.run();
    assert!(!simulation.collected.in_order().is_empty());
    simulation.collected.gate.allow(usize::MAX);
    simulation.tasks[0].stop();
    simulation.run();
    simulation.assert_finished();
    assert_eq!(simulation.collected.numbers().len(), read.load(Ordering::Relaxed));
}

#[test]
fn a_long_firing_stops_for_back_pressure_and_goes_on() {
    let options = RuntimeOptions { channel_bytes: 500, ..RuntimeOptions::default() };
    let fired = Arc::new(AtomicUsize::new(0));
    let counted = fired.clone();
    let factory = ToyFactory::new().with("firing", move |_| {
        let counted = counted.clone();
        FnOperator {
            on_watermark: Some(Box::new(move |_, out| {
                let n = counted.fetch_add(1, Ordering::Relaxed) as i64;
                out.emit(batch((0..5000).map(|i| (n * 5000 + i, 0))));
                Ok(if n < 99 { Progress::More } else { Progress::Done })
            })),
            ..FnOperator::default()
        }
    });
    let mut graph = GraphBuilder::new();
    let head = graph.vertex(1, vec![source(&[("rows", "0")]), operator("firing")]);
    let tail = graph.vertex(1, vec![sink(&[("gated", "")])]);
    graph.edge(head, tail, Partitioning::Forward);
    let mut simulation = Simulation::with_options(2, graph.build(), factory, options);
    simulation.run();
    assert!(fired.load(Ordering::Relaxed) <= 3, "one batch in the channel, one in the sink's hands");
    for round in 1..50 {
        simulation.collected.gate.allow(1);
        simulation.run();
        assert!(fired.load(Ordering::Relaxed) <= round + 3);
    }
    simulation.collected.gate.allow(usize::MAX);
    simulation.run();
    simulation.assert_finished();
    assert_eq!(simulation.collected.numbers(), (0..500_000).collect::<Vec<_>>());
}

/// At wall clock 1, subtask 0 emits watermark 5 and subtask 1 turns idle.
fn one_of_two_is_idle(context: &BuildContext<'_>) -> FnOperator {
    let index = context.subtask.index;
    let told = Arc::new(AtomicBool::new(false));
    let silent = told.clone();
    FnOperator {
        generates_watermarks: true,
        timer: Some(Box::new(move || (!silent.load(Ordering::Relaxed)).then_some(1))),
        on_timer: Some(Box::new(move |_, out| {
            told.store(true, Ordering::Relaxed);
            match index {
                0 => out.emit_watermark(5),
                _ => out.emit_idle(true),
            }
            Ok(Progress::Done)
        })),
        ..FnOperator::default()
    }
}

#[test]
fn an_idle_producer_does_not_hold_back_event_time() {
    for seed in 0..10 {
        let (factory, log) = spy_factory();
        let mut graph = GraphBuilder::new();
        let head = graph.vertex(2, vec![source(&[("rows", "-2")]), operator("one-of-two-idle")]);
        let tail = graph.vertex(1, vec![operator("spy"), sink(&[])]);
        graph.edge(head, tail, Partitioning::Global);
        let mut simulation = Simulation::new(seed, graph.build(), factory.with("one-of-two-idle", one_of_two_is_idle));
        simulation.run();
        assert!(simulation.executor.advance_to_next_timer());
        simulation.run();
        assert_eq!(log.take(), ["5"], "seed {seed}");
    }
}
