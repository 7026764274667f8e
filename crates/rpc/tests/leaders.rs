//! Several JobManagers: jobs outlive the one that leads, exactly once.

#![allow(clippy::unwrap_used, reason = "a test says by panicking what went wrong")]

mod harness;

use harness::{Cluster, end, identity, pipeline, told, wait_or, wait_until};
use headwater_jobmanager::{JobHandle, JobState, SessionId};
use headwater_plan::JobGraph;
use headwater_rpc::connect;
use headwater_types::ids::SubtaskId;
use std::collections::BTreeMap;
use std::time::Duration;

/// A cluster of two JobManagers and two TaskManagers, and a job there.
fn with_job(graph: impl Fn(&Cluster) -> JobGraph) -> (Cluster, JobHandle) {
    with_job_on(2, graph)
}

/// The same with so many slots on each TaskManager.
fn with_job_on(slots: u32, graph: impl Fn(&Cluster) -> JobGraph) -> (Cluster, JobHandle) {
    let cluster = Cluster::shared(&["one", "two"], &[("a", slots), ("b", slots)]);
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
    assert_remembered(&cluster, &job);
}

/// A leader that never saw a job answers all that people ask of it.
fn assert_remembered(cluster: &Cluster, job: &JobHandle) {
    let (_, handle) = cluster.leading().unwrap();
    let all = handle.jobs().unwrap().wait(Duration::from_secs(60)).unwrap();
    assert_eq!(
        all.iter().map(|summary| (summary.job, summary.state)).collect::<Vec<_>>(),
        [(job.id(), JobState::Finished)]
    );
    let details = handle.details(job.id()).unwrap().wait(Duration::from_secs(60)).unwrap().unwrap();
    assert_eq!(details.subtasks.len(), 12);
    assert!(details.summary.ended_ms.unwrap() >= details.summary.started_ms && details.states.len() >= 3);
    let status = job.status().unwrap();
    assert_eq!((status.state, status.tasks.len(), status.name.as_str()), (JobState::Finished, 12, "toy"));
    assert!(job.checkpoints().unwrap().counts.completed > 0);
    assert_eq!(job.metrics().unwrap().len(), 12);
    assert_eq!(job.trigger_checkpoint().unwrap_err().code(), "job-not-running");
}

/// When the run of a job began, and on which TaskManagers its tasks run, once all do but for sources, which may end.
fn began_and_places(cluster: &Cluster, job: &JobHandle) -> (i64, BTreeMap<SubtaskId, String>) {
    let handle = cluster.handle();
    let mut found = None;
    wait_until(|| {
        let details = handle.details(job.id()).unwrap().wait(Duration::from_secs(60)).unwrap();
        let Some(details) = details else { return false };
        let names: BTreeMap<_, _> =
            handle.task_managers().unwrap().into_iter().map(|status| (status.session, status.info.id)).collect();
        let name = |(subtask, session): (&SubtaskId, &SessionId)| Some((*subtask, names.get(session)?.clone()));
        let is_no_source = |place: &(&SubtaskId, &SessionId)| place.0.vertex.0 > 0;
        let places: BTreeMap<_, _> = details.places.iter().filter(is_no_source).filter_map(name).collect();
        found = Some((details.summary.started_ms, places)).filter(|(_, places)| places.len() == 8);
        found.is_some()
    });
    found.unwrap()
}

#[test]
fn the_run_of_a_job_began_once_and_its_tasks_come_back_to_their_places_whoever_leads() {
    // Each could take all of them, as soon as it registers.
    let (mut cluster, job) = with_job_on(4, |cluster| {
        let mut graph = cluster.endless(4);
        graph.config.set("execution.state-recovery.from-local", "true");
        graph
    });
    let before = began_and_places(&cluster, &job);
    let (leading, _) = cluster.leading().unwrap();
    cluster.kill_job_manager(&leading);
    wait_until(|| cluster.leading().is_some());
    assert_eq!(began_and_places(&cluster, &job), before, "the id of its run is made of when it began");
    cluster.wait_for_output(&job);
    job.cancel();
    assert_eq!(end(&job), JobState::Canceled);
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
