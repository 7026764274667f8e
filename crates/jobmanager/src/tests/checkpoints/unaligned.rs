//! Checkpoints of jobs whose sink stands still.

use super::setup::{self, Bench, CHECKPOINT_DIR, pipeline};
use crate::{JobHandle, JobState, TaskState};
use headwater_plan::{JobGraph, Partitioning};
use headwater_runtime::testing::{GraphBuilder, operator, sink_of, source};

const UNALIGNED: (&str, &str) = ("execution.checkpointing.unaligned.enabled", "true");
const RETAINED: (&str, &str) = ("execution.checkpointing.externalized-checkpoint-retention", "RETAIN_ON_CANCELLATION");

fn chained(parallelism: u32) -> JobGraph {
    chained_of("-1", parallelism)
}

/// numbers -> `count`, by key, and the ledger behind it in the same subtask.
fn chained_of(rows: &str, parallelism: u32) -> JobGraph {
    let mut graph = GraphBuilder::new();
    let numbers = source(&[("rows", rows), ("splits", "6"), ("batch", "16"), ("keys", "97")]);
    let numbers = graph.vertex(parallelism, vec![numbers]);
    let count = graph.vertex(parallelism, vec![operator("count"), sink_of("ledger", &[])]);
    graph.edge(numbers, count, Partitioning::Hash(vec![1]));
    graph.build()
}

/// Takes checkpoints until one has overtaken rows while the sink takes none.
fn checkpoint_behind_a_closed_sink(bench: &Bench, job: &JobHandle) {
    bench.wait_for_rows(100);
    bench.ledger().close();
    setup::wait_until(|| {
        job.trigger_checkpoint().unwrap();
        let latest = job.checkpoints().unwrap().latest_completed.unwrap();
        latest.overtaken_bytes > 0
    });
}

fn finish(bench: &Bench, job: &JobHandle) {
    job.stop_with_savepoint(Some(&bench.directory("savepoints")), true).unwrap();
    let result = job.wait();
    assert_eq!(result.state, JobState::Finished, "{:?}", result.error);
    bench.assert_exact();
}

#[test]
fn checkpoints_complete_while_the_sink_stands_still_and_restore_at_another_parallelism() {
    for (graph, from, to) in [(chained as fn(u32) -> JobGraph, 2, 3), (chained, 2, 1), (endless, 2, 3), (endless, 3, 2)]
    {
        let bench = Bench::new();
        let job = bench.submit(&graph(from), &[UNALIGNED, RETAINED]);
        checkpoint_behind_a_closed_sink(&bench, &job);
        job.cancel();
        job.wait();
        bench.ledger().open();
        let (rows, path) = (bench.rows().len(), bench.directory(CHECKPOINT_DIR));
        let next = bench.submit(&graph(to), &[UNALIGNED, ("execution.state-recovery.path", &path)]);
        bench.wait_for_rows(rows + 500);
        finish(&bench, &next);
    }
}

fn endless(parallelism: u32) -> JobGraph {
    pipeline("-1", "count", parallelism)
}

#[test]
fn a_job_that_fails_behind_a_slow_sink_goes_on_from_its_unaligned_checkpoint() {
    let bench = Bench::new();
    // The counter breaks when it has taken part in three checkpoints and is given more rows.
    let job = bench.submit(&pipeline("-1", "break", 2), &[UNALIGNED]);
    bench.wait_for_rows(1);
    bench.ledger().close();
    (0..3).for_each(|_| drop(job.trigger_checkpoint()));
    bench.ledger().open();
    setup::wait_until(|| job.status().unwrap().restarts == 1);
    bench.wait_for_rows(bench.rows().len() + 1000);
    finish(&bench, &job);
}

/// No barrier will come from sources that have ended, and what they sent waits for the sink.
#[test]
fn checkpoints_complete_while_the_sink_stands_still_behind_sources_that_have_ended() {
    let bench = Bench::new();
    bench.ledger().close();
    let options = [UNALIGNED, RETAINED, ("execution.checkpointing.interval", "1 h")];
    let job = bench.submit(&chained_of("3000", 2), &options);
    let has_ended = |(subtask, task): (&headwater_types::ids::SubtaskId, &TaskState)| {
        subtask.vertex.0 != 0 || *task == TaskState::Finished
    };
    setup::wait_until(|| job.status().unwrap().tasks.iter().all(has_ended));
    job.trigger_checkpoint().unwrap();
    assert!(job.checkpoints().unwrap().latest_completed.unwrap().overtaken_bytes > 0);
    job.cancel();
    job.wait();
    bench.ledger().open();
    let path = bench.directory(CHECKPOINT_DIR);
    let result = bench.run(&chained_of("3000", 3), &[UNALIGNED, ("execution.state-recovery.path", &path)]);
    assert_eq!(result.state, JobState::Finished, "{:?}", result.error);
    bench.assert_counted(3000);
}
