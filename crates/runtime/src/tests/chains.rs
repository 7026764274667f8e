//! What the operators of a chain see, and in which order.

use super::simulation::{Log, Simulation};
use crate::testing::{FnOperator, GraphBuilder, ToyFactory, batch, operator, sink, source};
use headwater_operator_api::Progress;
use headwater_plan::Partitioning;
use headwater_types::MAX_WATERMARK;

/// An operator that logs what it sees and passes rows on.
pub(super) fn spy(log: &Log) -> FnOperator {
    let (on_batch, on_watermark, on_end) = (log.clone(), log.clone(), log.clone());
    FnOperator {
        on_batch: Some(Box::new(move |input, rows, out| {
            on_batch.add(format!("{input}: {} rows", rows.num_rows()));
            out.emit(rows);
            Ok(())
        })),
        on_watermark: Some(Box::new(move |watermark, _| {
            on_watermark.add(if watermark == MAX_WATERMARK { "max".to_owned() } else { watermark.to_string() });
            Ok(Progress::Done)
        })),
        on_end: Some(Box::new(move |input, _| {
            on_end.add(format!("{input}: end"));
            Ok(Progress::Done)
        })),
        ..FnOperator::default()
    }
}

/// A factory with the spy `spy` and its log.
pub(super) fn spy_factory() -> (ToyFactory, Log) {
    let log = Log::default();
    let theirs = log.clone();
    (ToyFactory::new().with("spy", move |_| spy(&theirs)), log)
}

/// An operator that emits the last `n` of each batch as watermark.
fn watermarks() -> FnOperator {
    let mut last = -1;
    let mut operator = FnOperator::new(move |_, rows, out| {
        last += rows.num_rows() as i64;
        out.emit(rows);
        out.emit_watermark(last);
        out.emit_watermark(last - 1);
        Ok(())
    });
    operator.generates_watermarks = true;
    operator
}

#[test]
fn rows_watermarks_and_the_end_come_in_order() {
    let (factory, log) = spy_factory();
    let factory = factory.with("watermarks", |_| watermarks());
    let mut graph = GraphBuilder::new();
    graph.vertex(1, vec![source(&[("rows", "10")]), operator("watermarks"), operator("spy"), sink(&[])]);
    let mut simulation = Simulation::new(1, graph.build(), factory);
    simulation.run();
    simulation.assert_finished();
    assert_eq!(log.take(), ["0: 4 rows", "3", "0: 4 rows", "7", "0: 2 rows", "9", "max", "0: end"]);
}

#[test]
fn the_final_watermark_passes_generators_of_watermarks_too() {
    let (factory, log) = spy_factory();
    let silent = || FnOperator { generates_watermarks: true, ..FnOperator::default() };
    let factory = factory.with("silent", move |_| silent());
    let mut graph = GraphBuilder::new();
    let head = graph.vertex(2, vec![source(&[("rows", "8"), ("splits", "2")]), operator("silent")]);
    let tail = graph.vertex(1, vec![operator("spy"), sink(&[])]);
    graph.edge(head, tail, Partitioning::Global);
    let mut simulation = Simulation::new(2, graph.build(), factory);
    simulation.run();
    simulation.assert_finished();
    let seen = log.take();
    assert_eq!(seen[seen.len() - 2..], ["max", "0: end"]);
    assert_eq!(simulation.collected.numbers(), (0..8).collect::<Vec<_>>());
}

#[test]
fn a_resumed_call_holds_back_what_follows_and_its_watermark() {
    let (factory, log) = spy_factory();
    let firing = || {
        let mut fired = 0;
        FnOperator {
            on_watermark: Some(Box::new(move |_, out| {
                fired += 1;
                out.emit(batch([(100 + fired, 0)]));
                Ok(if fired % 3 == 0 { Progress::Done } else { Progress::More })
            })),
            ..FnOperator::default()
        }
    };
    let factory = factory.with("watermarks", |_| watermarks()).with("firing", move |_| firing());
    let mut graph = GraphBuilder::new();
    let chain = vec![source(&[("rows", "4")]), operator("watermarks"), operator("firing"), operator("spy"), sink(&[])];
    graph.vertex(1, chain);
    let mut simulation = Simulation::new(3, graph.build(), factory);
    simulation.run();
    simulation.assert_finished();
    let fire = ["0: 1 rows"; 3];
    assert_eq!(log.take(), [&["0: 4 rows"], &fire[..], &["3"], &fire[..], &["max", "0: end"]].concat());
}

#[test]
fn a_satisfied_operator_ends_its_chain_once() {
    let (factory, log) = spy_factory();
    let limit = || {
        let full = std::sync::Arc::new(std::sync::atomic::AtomicBool::new(false));
        let is_full = full.clone();
        let mut limit = FnOperator::new(move |_, rows, out| {
            out.emit(rows);
            full.store(true, std::sync::atomic::Ordering::Relaxed);
            Ok(())
        });
        limit.satisfied = Some(Box::new(move || is_full.load(std::sync::atomic::Ordering::Relaxed)));
        limit
    };
    let factory = factory.with("limit", move |_| limit());
    let mut graph = GraphBuilder::new();
    graph.vertex(1, vec![source(&[("rows", "-1")]), operator("pass"), operator("limit"), operator("spy"), sink(&[])]);
    let mut simulation = Simulation::new(4, graph.build(), factory);
    simulation.run();
    simulation.assert_finished();
    assert_eq!(log.take(), ["0: 4 rows", "max", "0: end"]);
}

#[test]
fn timers_fire_at_their_time_and_cost_nothing_between() {
    let log = Log::default();
    let theirs = log.clone();
    let factory = ToyFactory::new().with("timer", move |context| {
        let next = std::sync::Arc::new(std::sync::atomic::AtomicI64::new(50));
        let (due, log, env) = (next.clone(), theirs.clone(), context.env.clone());
        FnOperator {
            timer: Some(Box::new(move || Some(due.load(std::sync::atomic::Ordering::Relaxed)).filter(|at| *at <= 150))),
            on_timer: Some(Box::new(move |now_ms, out| {
                log.add(format!("{now_ms} at {}", env.now_ms()));
                next.fetch_add(50, std::sync::atomic::Ordering::Relaxed);
                out.emit(batch([(now_ms, 0)]));
                Ok(Progress::Done)
            })),
            ..FnOperator::default()
        }
    });
    let mut graph = GraphBuilder::new();
    graph.vertex(1, vec![source(&[("rows", "-2")]), operator("timer"), sink(&[])]);
    let mut simulation = Simulation::new(5, graph.build(), factory);
    simulation.run();
    let mut turns = 0;
    while simulation.executor.advance_to_next_timer() {
        turns += simulation.run();
    }
    assert_eq!(log.take(), ["50 at 50", "100 at 100", "150 at 150"]);
    assert_eq!(turns, 3, "one turn a timer");
    assert_eq!(simulation.collected.numbers(), [50, 100, 150]);
}
