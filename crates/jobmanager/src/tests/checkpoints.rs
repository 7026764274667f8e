//! Checkpoints, restarts, savepoints and restores of whole jobs on a local cluster.

mod cancel;
mod counting;
mod damage;
mod local;
mod pinned;
mod setup;
mod unaligned;

use crate::{CheckpointStatus, JobState};
use setup::{Bench, CHECKPOINT_DIR, pipeline};

#[test]
fn a_bounded_job_with_checkpoints_commits_every_row_once() {
    for parallelism in [1, 3] {
        let bench = Bench::new();
        let result = bench.run(&pipeline("20000", "count", parallelism), &[]);
        assert_eq!(result.state, JobState::Finished, "{:?}", result.error);
        bench.assert_counted(20_000);
        assert_eq!(bench.files(), Vec::<String>::new(), "nothing is left of a job that finished");
    }
}

/// A job that breaks once goes on and ends with every row counted once.
fn breaks_and_recovers(parallelism: u32, options: &[(&str, &str)]) {
    let bench = Bench::new();
    let job = bench.submit(&pipeline("-1", "break", parallelism), options);
    setup::wait_until(|| job.status().unwrap().restarts == 1);
    bench.wait_for_rows(bench.rows().len() + 1000);
    job.stop_with_savepoint(Some(&bench.directory("savepoints")), true).unwrap();
    let result = job.wait();
    assert_eq!(result.state, JobState::Finished, "{:?}", result.error);
    bench.assert_exact();
    let status = job.status().unwrap();
    assert_eq!(status.restarts, 1);
    assert!(status.restart_cause.unwrap().message().contains("broken on purpose"));
}

#[test]
fn a_failed_task_restarts_the_job_from_its_last_checkpoint_and_no_row_counts_twice() {
    breaks_and_recovers(1, &[]);
    breaks_and_recovers(2, &[]);
}

#[test]
fn checkpoints_without_a_directory_are_kept_in_memory() {
    breaks_and_recovers(2, &[("execution.checkpointing.dir", "")]);
}

#[test]
fn a_job_without_checkpoints_starts_over_when_told_to() {
    let bench = Bench::new();
    let options = [
        ("execution.checkpointing.interval", "0"),
        ("restart-strategy.type", "fixed-delay"),
        ("restart-strategy.fixed-delay.delay", "1 ms"),
    ];
    let result = bench.run(&pipeline("20000", "break-at-row", 1), &options);
    assert_eq!(result.state, JobState::Finished, "{:?}", result.error);
    bench.assert_counted(20_000);
}

#[test]
fn a_savepoint_starts_another_job_at_another_parallelism() {
    for (from, to) in [(1, 3), (3, 2), (2, 2)] {
        let bench = Bench::new();
        let job = bench.submit(&pipeline("-1", "count", from), &[]);
        bench.wait_for_rows(500);
        let path = job.stop_with_savepoint(Some(&bench.directory("savepoints")), false).unwrap();
        assert_eq!(job.wait().state, JobState::Finished);
        bench.assert_held(3);
        let moved = bench.move_savepoint(&path);
        let before = bench.rows().len();
        let next = bench.submit(&pipeline("-1", "count", to), &[("execution.state-recovery.path", &moved)]);
        bench.wait_for_rows(before + 500);
        assert_eq!(next.checkpoints().unwrap().counts.restored, 1);
        next.stop_with_savepoint(Some(&bench.directory("savepoints")), true).unwrap();
        assert_eq!(next.wait().state, JobState::Finished);
        bench.assert_exact();
    }
}

#[test]
fn a_savepoint_leaves_the_job_as_it_was() {
    let bench = Bench::new();
    let job = bench.submit(&pipeline("-1", "count", 2), &[("execution.checkpointing.savepoint-dir", "unused")]);
    bench.wait_for_rows(100);
    let first = job.trigger_savepoint(Some(&bench.directory("a"))).unwrap();
    let second = job.trigger_savepoint(Some(&bench.directory("b"))).unwrap();
    assert!(std::path::Path::new(&first).join("_metadata").exists() && first != second);
    bench.wait_for_rows(bench.rows().len() + 100);
    assert_eq!(job.status().unwrap().state, JobState::Running);
    let stored = job.trigger_checkpoint().unwrap();
    assert!(stored.path.ends_with(&format!("chk-{}", stored.checkpoint)), "{}", stored.path);
    job.cancel();
    assert_eq!(job.wait().state, JobState::Canceled);
    bench.assert_held(3);
    assert!(job.trigger_checkpoint().is_err());
}

#[test]
fn retained_checkpoints_outlive_the_job_and_the_newest_is_found() {
    let bench = Bench::new();
    let retain = [
        ("execution.checkpointing.externalized-checkpoint-retention", "RETAIN_ON_CANCELLATION"),
        ("execution.checkpointing.num-retained", "2"),
    ];
    let job = bench.submit(&pipeline("-1", "count", 2), &retain);
    for _ in 0..4 {
        job.trigger_checkpoint().unwrap();
    }
    bench.wait_for_rows(500);
    job.cancel();
    job.wait();
    let files = bench.files();
    assert_eq!(files.iter().filter(|file| file.ends_with("_metadata")).count(), 2, "{files:?}");
    let path = bench.directory(CHECKPOINT_DIR);
    let rows = bench.rows().len();
    let next = bench.submit(&pipeline("-1", "count", 3), &[("execution.state-recovery.path", &path)]);
    bench.wait_for_rows(rows + 500);
    next.cancel();
    next.wait();
    bench.assert_held(3);
    assert_eq!(bench.files(), files, "NO_CLAIM leaves the files alone, and the new job's own are gone");
}

#[test]
fn claimed_checkpoints_are_deleted_when_they_are_no_longer_needed() {
    let bench = Bench::new();
    let job = bench.submit(&pipeline("-1", "count", 2), &[]);
    bench.wait_for_rows(100);
    let path = job.stop_with_savepoint(Some(&bench.directory("savepoints")), false).unwrap();
    job.wait();
    let claim = [("execution.state-recovery.path", path.as_str()), ("execution.state-recovery.claim-mode", "CLAIM")];
    let next = bench.submit(&pipeline("-1", "count", 2), &claim);
    next.trigger_checkpoint().unwrap();
    next.trigger_checkpoint().unwrap();
    next.cancel();
    next.wait();
    setup::wait_until(|| !std::path::Path::new(&path).exists());
    bench.assert_held(3);
}

#[test]
fn storage_that_cannot_be_written_fails_checkpoints_and_not_the_job() {
    let bench = Bench::new();
    std::fs::write(bench.directory(CHECKPOINT_DIR), b"a file where a directory should be").unwrap();
    let job = bench.submit(&pipeline("-1", "count", 2), &[]);
    let error = job.trigger_checkpoint().unwrap_err();
    assert!(error.message().contains("is a file, not a directory"), "{error}");
    let statistics = job.checkpoints().unwrap();
    assert!(statistics.counts.failed > 0 && statistics.counts.completed == 0);
    assert_eq!(statistics.latest_failed.unwrap().status, CheckpointStatus::Failed);
    assert_eq!(job.status().unwrap().state, JobState::Running);
    std::fs::remove_file(bench.directory(CHECKPOINT_DIR)).unwrap();
    job.trigger_checkpoint().unwrap();
    bench.wait_for_rows(100);
    // What operators handed over for the failed checkpoints is part of the savepoint.
    let path = job.stop_with_savepoint(Some(&bench.directory("savepoints")), false).unwrap();
    job.wait();
    let next = bench.submit(&pipeline("-1", "count", 1), &[("execution.state-recovery.path", &path)]);
    bench.wait_for_rows(bench.rows().len() + 100);
    next.stop_with_savepoint(Some(&bench.directory("savepoints")), true).unwrap();
    next.wait();
    bench.assert_exact();
}

#[test]
fn more_failed_checkpoints_than_tolerated_fail_the_job() {
    let bench = Bench::new();
    std::fs::write(bench.directory(CHECKPOINT_DIR), b"").unwrap();
    let options = [("execution.checkpointing.tolerable-failed-checkpoints", "1"), ("restart-strategy.type", "none")];
    let result = bench.run(&pipeline("-1", "count", 1), &options);
    assert_eq!(result.state, JobState::Failed);
    assert!(result.error.unwrap().message().starts_with("too many checkpoints failed"));
}

#[test]
fn many_checkpoints_keep_few_files() {
    let bench = Bench::new();
    let job = bench.submit(&pipeline("-1", "count", 2), &[]);
    for _ in 0..60 {
        job.trigger_checkpoint().unwrap();
    }
    setup::wait_until(|| bench.files().len() < 60);
    let statistics = job.checkpoints().unwrap();
    assert!(statistics.counts.completed >= 60, "{:?}", statistics.counts);
    job.cancel();
    job.wait();
    bench.assert_held(3);
}
