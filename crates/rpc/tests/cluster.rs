//! A JobManager and TaskManagers that talk over loopback connections, as processes would.

#![allow(clippy::unwrap_used, reason = "a test says by panicking what went wrong")]

mod harness;

use harness::{Cluster, identity, pipeline, wait_until};
use headwater_jobmanager::{JobState, TaskState};
use headwater_rpc::connect;

#[test]
fn a_keyed_aggregation_over_two_task_managers_is_exact() {
    let cluster = Cluster::new(&[("a", 2), ("b", 2)]);
    cluster.wait_for_task_managers(2);
    let job = cluster.handle().submit(&cluster.checkpointed(pipeline("20000", 4))).unwrap();
    let slots: Vec<u32> = cluster.handle().task_managers().unwrap().iter().map(|tm| tm.free_slots).collect();
    let result = job.wait();
    assert_eq!(result.state, JobState::Finished, "{:?}", result.error);
    cluster.assert_exact(20_000);
    assert_eq!(slots, [0, 0], "the job is spread");
    assert_eq!(result.operators.len(), 12, "every subtask reports its counters");
    let free: Vec<u32> = cluster.handle().task_managers().unwrap().iter().map(|tm| tm.free_slots).collect();
    assert_eq!(free, [2, 2], "slots come back");
}

#[test]
fn a_job_waits_for_slots_and_says_so() {
    let mut cluster = Cluster::new(&[("a", 1)]);
    cluster.wait_for_task_managers(1);
    let job = cluster.handle().submit(&pipeline("100", 3)).unwrap();
    let status = job.status().unwrap();
    assert_eq!(status.state, JobState::Created);
    assert_eq!(status.waits_for.unwrap(), "2 of 3 slots are missing (1 TaskManagers are registered)");
    let directory = cluster.directory.path().to_str().unwrap();
    let refused = job.trigger_savepoint(Some(directory)).unwrap_err();
    assert_eq!(refused.code(), "checkpoint-refused");
    assert!(refused.message().ends_with("2 of 3 slots are missing (1 TaskManagers are registered)"), "{refused}");
    cluster.start("b", 2);
    let result = job.wait();
    assert_eq!(result.state, JobState::Finished, "{:?}", result.error);
    let mut hopeless = pipeline("100", 9);
    hopeless.config.set("slot.request.timeout", "10 ms");
    let error = cluster.handle().submit(&hopeless).unwrap().wait().error.unwrap();
    assert_eq!(error.code(), "no-slots");
    assert!(error.message().contains("6 of 9 slots are missing"), "{error}");
}

#[test]
fn a_client_elsewhere_submits_and_follows_a_job() {
    let cluster = Cluster::new(&[("a", 4)]);
    let client = cluster.runtime.block_on(connect(&cluster.address, &identity("client"))).unwrap();
    wait_until(|| client.task_managers().unwrap().len() == 1);
    let job = client.submit(&cluster.checkpointed(pipeline("-1", 2))).unwrap();
    wait_until(|| job.status().unwrap().state == JobState::Running);
    wait_until(|| cluster.ledger.rows().len() > 100);
    assert!(job.trigger_checkpoint().unwrap().checkpoint > 0);
    assert_eq!(job.metrics().unwrap().len(), 6);
    let savepoint = job.stop_with_savepoint(cluster.directory.path().to_str(), false).unwrap();
    assert!(savepoint.contains("savepoint-"), "{savepoint}");
    assert_eq!(job.wait().state, JobState::Finished);
    let unknown = client.job(headwater_types::ids::JobId(1), "nobody").wait();
    assert_eq!(unknown.error.unwrap().code(), "jobmanager-gone");
}

#[test]
fn a_savepoint_stops_a_job_that_is_spread() {
    for drain in [false, true] {
        let cluster = Cluster::new(&[("a", 2), ("b", 2)]);
        cluster.wait_for_task_managers(2);
        let job = cluster.handle().submit(&cluster.checkpointed(pipeline("-1", 4))).unwrap();
        let before = cluster.ledger.rows().len();
        wait_until(|| cluster.ledger.rows().len() > before + 1_000);
        job.stop_with_savepoint(cluster.directory.path().to_str(), drain).unwrap();
        let result = job.wait();
        assert_eq!((result.state, result.error.map(|e| e.to_string())), (JobState::Finished, None), "drain: {drain}");
    }
}

#[test]
fn a_job_that_is_spread_can_be_cancelled_and_the_slots_used_again() {
    let cluster = Cluster::new(&[("a", 2), ("b", 2)]);
    cluster.wait_for_task_managers(2);
    for _ in 0..3 {
        let job = cluster.handle().submit(&cluster.checkpointed(pipeline("-1", 4))).unwrap();
        let starts = |task: &TaskState| matches!(task, TaskState::Created | TaskState::Deploying);
        wait_until(|| !job.status().unwrap().tasks.values().any(starts));
        job.cancel();
        assert_eq!(job.wait().state, JobState::Canceled);
    }
}
