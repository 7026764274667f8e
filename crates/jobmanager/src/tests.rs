//! Whole jobs on a local cluster with toy connectors and operators.

mod checkpoints;

use crate::{JobResult, JobState, LocalCluster, LocalOptions, Place};
use headwater_env::Env;
use headwater_operator_api::Progress;
use headwater_plan::{JobGraph, Partitioning};
use headwater_runtime::testing::{
    Collected, FnOperator, GraphBuilder, ToyFactory, batch, map, operator, sink, source, toys, two_inputs, values,
};
use headwater_types::config::Configuration;
use headwater_types::{Error, ErrorKind};
use std::sync::Arc;
use std::time::Duration;

/// How long an answer may take.
const PATIENCE: Duration = Duration::from_secs(60);

fn cluster(lanes: usize, factory: ToyFactory) -> (LocalCluster, Arc<Collected>) {
    let (registry, collected) = toys();
    let options = LocalOptions {
        lanes,
        registry,
        operator_factory: Arc::new(factory),
        env: Env::real(),
        config: Configuration::new(),
        storage: Arc::new(headwater_storage::Provider),
    };
    (LocalCluster::start(options).unwrap(), collected)
}

fn run(factory: ToyFactory, graph: &JobGraph) -> (JobResult, Arc<Collected>) {
    let (cluster, collected) = cluster(2, factory);
    let result = cluster.submit(graph).unwrap().wait();
    (result, collected)
}

/// source -> pass on hash -> sink, with the given parallelism of each.
fn pipeline(rows: &str, operator_uid: &str, sink_options: &[(&str, &str)], parallelism: [u32; 3]) -> JobGraph {
    let mut graph = GraphBuilder::new();
    let source = graph.vertex(parallelism[0], vec![source(&[("rows", rows), ("splits", "5"), ("batch", "100")])]);
    let middle = graph.vertex(parallelism[1], vec![operator(operator_uid)]);
    let sink = graph.vertex(parallelism[2], vec![sink(sink_options)]);
    graph.edge(source, middle, Partitioning::Hash(vec![1]));
    graph.edge(middle, sink, Partitioning::Rebalance);
    graph.build()
}

#[test]
fn a_chain_without_exchanges_runs_to_its_end_and_commits() {
    let mut graph = GraphBuilder::new();
    graph.vertex(1, vec![source(&[("rows", "1000")]), operator("double"), sink(&[])]);
    let factory = ToyFactory::new().with("double", |_| {
        FnOperator::new(|_, rows, out| {
            out.emit(map(&rows, |n, k| (2 * n, k)));
            Ok(())
        })
    });
    let (result, collected) = run(factory, &graph.build());
    assert_eq!(result.state, JobState::Finished, "{:?}", result.error);
    assert_eq!(collected.numbers(), (0..1000).map(|n| 2 * n).collect::<Vec<_>>());
    assert_eq!((collected.committed(), collected.events()), (1000, vec!["commit", "finish"]));
    let totals = result.totals();
    let counted: Vec<_> = totals.iter().map(|t| (t.name.as_str(), t.rows_in, t.rows_out)).collect();
    assert_eq!(counted, [("source", 0, 1000), ("double", 1000, 1000), ("sink", 1000, 0)]);
    assert!(totals[2].bytes > 0);
}

#[test]
fn every_row_arrives_once_whatever_the_parallelism() {
    for parallelism in [[1, 1, 1], [1, 2, 3], [3, 2, 1], [4, 4, 4]] {
        let (result, collected) = run(ToyFactory::new(), &pipeline("5000", "pass", &[], parallelism));
        assert_eq!(result.state, JobState::Finished, "{:?}", result.error);
        assert_eq!(collected.numbers(), (0..5000).collect::<Vec<_>>(), "{parallelism:?}");
    }
}

#[test]
fn a_failing_operator_fails_the_job_with_its_name_and_aborts_the_sinks() {
    let factory = ToyFactory::new().with("broken", |context| {
        let index = context.subtask.index;
        FnOperator::new(move |_, rows, out| {
            if index == 1 {
                return Err(Error::user("bad-row", "no such number"));
            }
            out.emit(rows);
            Ok(())
        })
    });
    let (result, collected) = run(factory, &pipeline("-1", "broken", &[], [1, 2, 1]));
    assert_eq!(result.state, JobState::Failed);
    let error = result.error.unwrap();
    assert_eq!(error.message(), "operator 'broken' (2/2): no such number");
    assert_eq!((error.kind(), error.code()), (ErrorKind::User, "bad-row"));
    assert_eq!(collected.events(), ["abort"]);
}

#[test]
fn a_failure_names_where_it_happened_when_the_task_is_gone() {
    let factory = ToyFactory::new().with("broken", |_| FnOperator::new(|_, _, _| Err(Error::user("bad", "no"))));
    let (cluster, _) = cluster(2, factory);
    let job = cluster.submit(&pipeline("-1", "broken", &[], [1, 1, 1])).unwrap();
    assert_eq!(job.wait().state, JobState::Failed);
    let details = cluster.handle().details(job.id()).unwrap().wait(PATIENCE).unwrap().unwrap();
    let failure = &details.failures[0];
    let place = Place { task_manager: "local".to_owned(), endpoint: "localhost".to_owned() };
    assert_eq!((failure.subtask.map(|subtask| subtask.vertex.0), failure.place.as_ref()), (Some(1), Some(&place)));
    assert!(details.places.is_empty(), "no task runs");
}

#[test]
fn a_panic_fails_the_job_and_not_the_cluster() {
    let factory = ToyFactory::new().with("panic", |_| FnOperator::new(|_, _, _| panic!("index out of bounds")));
    let (cluster, _) = cluster(2, factory);
    let result = cluster.submit(&pipeline("100", "panic", &[], [1, 1, 1])).unwrap().wait();
    assert_eq!(result.error.unwrap().message(), "operator 'panic' (1/1): panicked: index out of bounds");
    let result = cluster.submit(&pipeline("100", "pass", &[], [1, 1, 1])).unwrap().wait();
    assert_eq!(result.state, JobState::Finished);
}

#[test]
fn failures_of_readers_and_unknown_operators_are_located_too() {
    let mut graph = GraphBuilder::new();
    graph.vertex(1, vec![source(&[("rows", "100"), ("fail-at", "50")]), sink(&[])]);
    let (result, _) = run(ToyFactory::new(), &graph.build());
    assert_eq!(result.error.unwrap().message(), "operator 'source' (1/1): cannot read 50");
    let (result, _) = run(ToyFactory::new(), &pipeline("100", "nothing", &[], [1, 1, 1]));
    assert_eq!(result.error.unwrap().message(), "operator 'nothing' (1/1): there is no toy 'nothing'");
}

#[test]
fn a_failed_commit_fails_the_job() {
    let (result, collected) = run(ToyFactory::new(), &pipeline("100", "pass", &[("fail-commit", "")], [1, 1, 1]));
    assert_eq!(result.state, JobState::Failed);
    assert_eq!(result.error.unwrap().message(), "committing 'sink': cannot commit");
    assert_eq!(collected.events(), ["commit", "abort"]);
}

#[test]
fn cancel_ends_a_job_that_runs_for_ever() {
    let (cluster, collected) = cluster(2, ToyFactory::new());
    let job = cluster.submit(&pipeline("-1", "pass", &[], [2, 2, 2])).unwrap();
    collected.wait_for_rows(1000);
    job.cancel();
    assert_eq!(job.wait().state, JobState::Canceled);
    assert_eq!((collected.committed(), collected.events()), (0, vec!["abort"]));
}

#[test]
fn cancel_ends_a_job_that_is_blocked_by_its_sink_or_waits_for_its_source() {
    let (cluster, _) = cluster(2, ToyFactory::new());
    for (rows, options) in [("-1", &[("gated", "")][..]), ("-2", &[])] {
        let job = cluster.submit(&pipeline(rows, "pass", options, [1, 2, 1])).unwrap();
        job.cancel();
        assert_eq!(job.wait().state, JobState::Canceled);
    }
}

#[test]
fn stop_drains_and_commits() {
    let (cluster, collected) = cluster(2, ToyFactory::new());
    let job = cluster.submit(&pipeline("-1", "pass", &[], [1, 2, 1])).unwrap();
    collected.wait_for_rows(1000);
    job.stop();
    let result = job.wait();
    assert_eq!(result.state, JobState::Finished, "{:?}", result.error);
    let numbers = collected.numbers();
    assert_eq!(numbers, (0..numbers.len() as i64).collect::<Vec<_>>(), "everything read is written");
    assert_eq!(result.totals()[0].rows_out, numbers.len() as u64);
    assert_eq!((collected.committed(), collected.events()), (numbers.len() as u64, vec!["commit", "finish"]));
}

#[test]
fn a_satisfied_operator_ends_endless_sources() {
    let factory = ToyFactory::new().with("limit", |_| {
        let left = Arc::new(std::sync::atomic::AtomicI64::new(10));
        let seen = left.clone();
        let mut limit = FnOperator::new(move |_, rows, out| {
            let take = rows.num_rows().min(left.load(std::sync::atomic::Ordering::Relaxed) as usize);
            left.fetch_sub(take as i64, std::sync::atomic::Ordering::Relaxed);
            out.emit(rows.slice(0, take));
            Ok(())
        });
        limit.satisfied = Some(Box::new(move || seen.load(std::sync::atomic::Ordering::Relaxed) == 0));
        limit
    });
    let mut graph = GraphBuilder::new();
    let endless = graph.vertex(3, vec![source(&[("rows", "-1")]), operator("pass")]);
    let limit = graph.vertex(1, vec![operator("pass"), operator("limit"), sink(&[])]);
    graph.edge(endless, limit, Partitioning::Global);
    let (result, collected) = run(factory, &graph.build());
    assert_eq!(result.state, JobState::Finished, "{:?}", result.error);
    assert_eq!((collected.numbers().len(), collected.committed()), (10, 10));
}

#[test]
fn values_are_emitted_once() {
    let factory = ToyFactory::new().with("values", |_| {
        let mut calls = 0;
        FnOperator {
            on_end: Some(Box::new(move |_, out| {
                calls += 1;
                out.emit(batch([(calls, 0)]));
                Ok(if calls < 3 { Progress::More } else { Progress::Done })
            })),
            ..FnOperator::default()
        }
    });
    let mut graph = GraphBuilder::new();
    graph.vertex(2, vec![values("values"), operator("pass"), sink(&[])]);
    let (result, collected) = run(factory, &graph.build());
    assert_eq!(result.state, JobState::Finished, "{:?}", result.error);
    assert_eq!(collected.numbers(), [1, 2, 3]);
}

#[test]
fn unions_and_two_inputs_see_all_rows() {
    let factory = ToyFactory::new().with("tag", |_| {
        FnOperator::new(|input, rows, out| {
            out.emit(map(&rows, |n, _| (n, i64::from(input))));
            Ok(())
        })
    });
    let mut graph = GraphBuilder::new();
    let a = graph.vertex(1, vec![source(&[("rows", "10")])]);
    let b = graph.vertex(2, vec![source(&[("rows", "20"), ("splits", "2")])]);
    let c = graph.vertex(1, vec![source(&[("rows", "5")])]);
    let join = graph.vertex(2, vec![two_inputs("tag"), sink(&[])]);
    graph.edge_into(a, join, 0, Partitioning::Hash(vec![0]));
    graph.edge_into(b, join, 0, Partitioning::Hash(vec![0]));
    graph.edge_into(c, join, 1, Partitioning::Broadcast);
    let (result, collected) = run(factory, &graph.build());
    assert_eq!(result.state, JobState::Finished, "{:?}", result.error);
    let count = |input: i64| collected.rows().iter().filter(|(_, _, k)| *k == input).count();
    assert_eq!((count(0), count(1)), (30, 10));
}

#[test]
fn metrics_are_there_while_a_job_runs_and_after() {
    let (cluster, collected) = cluster(2, ToyFactory::new());
    let job = cluster.submit(&pipeline("-1", "pass", &[], [1, 1, 1])).unwrap();
    collected.wait_for_rows(500);
    let live = job.metrics().unwrap();
    assert_eq!(live.len(), 3);
    assert!(live[2].rows_in >= 500);
    job.stop();
    let result = job.wait();
    assert_eq!(job.metrics().unwrap(), result.operators);
    assert_eq!(job.status().unwrap().state, JobState::Finished);
}

#[test]
fn a_cluster_that_is_dropped_ends_its_jobs() {
    let (cluster, collected) = cluster(2, ToyFactory::new());
    let job = cluster.submit(&pipeline("-1", "pass", &[], [2, 2, 2])).unwrap();
    collected.wait_for_rows(100);
    drop(cluster);
    assert!(job.wait().error.is_some());
}

#[test]
fn a_job_wider_than_the_process_is_refused() {
    let (cluster, _) = cluster(2, ToyFactory::new());
    let refusal = |parallelism| match cluster.submit(&pipeline("10", "pass", &[], parallelism)) {
        Ok(_) => String::new(),
        Err(error) => error.message().to_owned(),
    };
    assert!(refusal([100_000, 1, 1]).starts_with("the job needs 100002 subtasks"));
    assert!(refusal([8_000, 8_000, 1]).starts_with("the job needs 64008000 channels"));
    assert_eq!(refusal([2, 2, 2]), "");
}
