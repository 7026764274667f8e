//! Jobs whose parallelism changes while they run, exactly once.

#![allow(clippy::unwrap_used, reason = "a test says by panicking what went wrong")]

mod harness;

use harness::{Cluster, end, pipeline, told, wait_or};
use headwater_jobmanager::{JobHandle, JobState, Requirements, Rescale, RescaleCause};
use headwater_types::ids::VertexId;

fn bounds(lower: u32, upper: u32) -> Requirements {
    (0..3).map(|vertex| (VertexId(vertex), (lower, upper))).collect()
}

/// The parallelism of the vertex in the middle.
fn parallelism(job: &JobHandle) -> usize {
    job.status().unwrap().tasks.keys().filter(|subtask| subtask.vertex == VertexId(1)).count()
}

fn last(job: &JobHandle) -> Option<Rescale> {
    let answer = job.request_rescales().unwrap();
    answer.wait(std::time::Duration::from_secs(60)).unwrap().into_iter().next()
}

/// Waits until the job runs at a parallelism.
fn wait_for(cluster: &Cluster, job: &JobHandle, wanted: usize) {
    wait_or(|| parallelism(job) == wanted && last(job).is_some_and(|last| last.ended_ms.is_some()), || told(job));
    cluster.wait_for_output(job);
}

#[test]
fn a_job_is_rescaled_from_two_to_four_to_three() {
    let cluster = Cluster::new(&[("a", 2), ("b", 2)]);
    cluster.wait_for_task_managers(2);
    let job = cluster.client().submit(&cluster.endless(2)).unwrap();
    cluster.wait_for_output(&job);
    for wanted in [4, 3, 1] {
        job.set_resource_requirements(bounds(1, wanted)).unwrap();
        wait_for(&cluster, &job, wanted as usize);
        let last = last(&job).unwrap();
        assert_eq!((last.cause, last.after, last.failure), (RescaleCause::Requirements, vec![wanted; 3], None));
    }
    let free: u32 = cluster.handle().task_managers().unwrap().iter().map(|status| status.free_slots).sum();
    assert_eq!(free, 3, "slots that are not needed are given back");
    assert_eq!(job.status().unwrap().restarts, 0, "that is no failure");
    let refused = job.set_resource_requirements(bounds(3, 2)).unwrap_err();
    assert_eq!(refused.code(), "bad-resource-requirements");
    job.cancel();
    assert_eq!(end(&job), JobState::Canceled);
    cluster.assert_exact_so_far(4);
}

#[test]
fn a_bounded_job_ends_exactly_once_whatever_its_parallelism_was() {
    let cluster = Cluster::new(&[("a", 2), ("b", 2)]);
    cluster.wait_for_task_managers(2);
    let job = cluster.handle().submit(&cluster.checkpointed(pipeline("60000", 1))).unwrap();
    for wanted in [4, 2, 3] {
        let done = job.status().unwrap().state.is_final() || job.set_resource_requirements(bounds(1, wanted)).is_err();
        let there = || done || job.status().unwrap().state.is_final() || parallelism(&job) == wanted as usize;
        wait_or(there, || told(&job));
    }
    assert_eq!(end(&job), JobState::Finished);
    cluster.assert_exact(60_000);
}

#[test]
fn in_reactive_mode_a_job_uses_the_slots_there_are() {
    let mut cluster = Cluster::new(&[("a", 2)]);
    cluster.wait_for_task_managers(1);
    let mut graph = cluster.endless(1);
    graph.config.set("scheduler-mode", "reactive");
    graph.config.set("jobmanager.adaptive-scheduler.executing.resource-stabilization-timeout", "10 ms");
    graph.config.set("jobmanager.adaptive-scheduler.submission.resource-stabilization-timeout", "10 ms");
    graph.config.set("jobmanager.adaptive-scheduler.executing.cooldown-after-rescaling", "0 ms");
    let job = cluster.handle().submit(&graph).unwrap();
    cluster.start("b", 2);
    wait_for(&cluster, &job, 4);
    assert_eq!(last(&job).unwrap().cause, RescaleCause::Slots);
    cluster.kill("b");
    wait_for(&cluster, &job, 2);
    job.cancel();
    assert_eq!(end(&job), JobState::Canceled);
    cluster.assert_exact_so_far(4);
}
