//! Several JobManagers: jobs outlive the one that leads, exactly once.

#![allow(clippy::unwrap_used, reason = "a test says by panicking what went wrong")]

mod harness;

use harness::{Cluster, end, identity, pipeline, told, wait_or, wait_until};
use headwater_jobmanager::{JobHandle, JobState};
use headwater_plan::JobGraph;
use headwater_rpc::connect;
use std::time::Duration;

/// A cluster of two JobManagers and two TaskManagers, and a job there.
fn with_job(graph: impl Fn(&Cluster) -> JobGraph) -> (Cluster, JobHandle) {
    let cluster = Cluster::shared(&["one", "two"], &[("a", 2), ("b", 2)]);
    cluster.wait_for_task_managers(2);
    let job = cluster.client().submit(&graph(&cluster)).unwrap();
    cluster.wait_for_output(&job);
    (cluster, job)
}

#[test]
fn a_job_goes_on_when_its_job_manager_is_killed() {
    let (mut cluster, job) = with_job(|cluster| cluster.endless(4));
    for _ in 0..2 {
        let (leading, _) = cluster.leading().unwrap();
        cluster.kill_job_manager(&leading);
        wait_until(|| cluster.leading().is_some());
        cluster.start_job_manager(&leading);
        cluster.wait_for_output(&job);
    }
    wait_or(|| job.status().is_ok_and(|status| status.state == JobState::Running), || told(&job));
    job.cancel();
    assert_eq!(end(&job), JobState::Canceled, "the client follows whoever leads");
    cluster.assert_exact_so_far(4);
}

#[test]
fn whoever_waits_for_the_end_of_a_job_hears_of_it_from_the_next_leader() {
    let (mut cluster, job) = with_job(|cluster| cluster.checkpointed(pipeline("60000", 4)));
    let pending = job.request_result().unwrap();
    let (leading, _) = cluster.leading().unwrap();
    cluster.kill_job_manager(&leading);
    let mut result = None;
    wait_or(
        || {
            result = pending.take().unwrap();
            result.is_some()
        },
        || told(&job),
    );
    let result = result.unwrap();
    assert_eq!((result.state, result.error.map(|error| error.to_string())), (JobState::Finished, None));
    cluster.assert_exact(60_000);
    let (leading, _) = cluster.leading().unwrap();
    cluster.start_job_manager("three");
    cluster.kill_job_manager(&leading);
    assert_eq!(end(&job), JobState::Finished, "how a job ended is remembered");
}

#[test]
fn a_leader_that_is_cut_off_from_storage_is_replaced_and_commits_nothing_more() {
    let (cluster, job) = with_job(|cluster| cluster.endless(4));
    let ended = job.request_result().unwrap();
    let (leading, _) = cluster.leading().unwrap();
    cluster.cut_off(&leading);
    wait_until(|| cluster.leading().is_some_and(|(other, _)| other != leading));
    cluster.wait_for_output(&job);
    cluster.heal(&leading);
    cluster.wait_for_output(&job);
    job.cancel();
    assert_eq!(end(&job), JobState::Canceled);
    assert_eq!(ended.wait(Duration::from_secs(60)).unwrap().state, JobState::Canceled, "asked before it was replaced");
    cluster.assert_exact_so_far(4);
}

#[test]
fn one_that_does_not_lead_says_who_does() {
    let mut cluster = Cluster::shared(&["one"], &[("a", 1)]);
    cluster.wait_for_task_managers(1);
    cluster.start_job_manager("two");
    let client = cluster.runtime.block_on(connect(&cluster.address, &identity("client"))).unwrap();
    assert_eq!(client.task_managers().unwrap().len(), 1);
}
