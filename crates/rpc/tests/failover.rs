//! TaskManagers that are lost: their jobs go on elsewhere, exactly once, and end.

#![allow(clippy::unwrap_used, reason = "a test says by panicking what went wrong")]

mod harness;

use harness::{Cluster, end, pipeline, told, wait_or, wait_until};
use headwater_jobmanager::JobState;

/// Numbers that look random, the same for every run.
struct Seeded(u64);

impl Seeded {
    fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        ((self.0 >> 33) as usize) % bound
    }
}

/// TaskManagers are lost and started at moments that the seed chooses; then the job ends, one way or another.
fn lose_some(seed: u64) {
    let mut random = Seeded(seed);
    let mut cluster = Cluster::new(&[("tm-0", 2), ("tm-1", 2), ("tm-2", 2)]);
    cluster.wait_for_task_managers(3);
    let bounded = random.below(2) == 0;
    let graph = if bounded { cluster.checkpointed(pipeline("30000", 4)) } else { cluster.endless(4) };
    let job = cluster.handle().submit(&graph).unwrap();
    for lost in 0..1 + random.below(3) {
        let committed = cluster.ledger.rows().len() + random.below(300);
        wait_or(|| cluster.ledger.rows().len() >= committed || bounded, || told(&job));
        cluster.kill(&format!("tm-{lost}"));
        let wait = random.below(3) == 0;
        cluster.start(&format!("tm-{}", lost + 3), 2);
        if wait && !bounded {
            cluster.wait_for_output(&job);
        }
    }
    let state = if bounded {
        JobState::Finished
    } else {
        job.cancel();
        JobState::Canceled
    };
    assert_eq!(end(&job), state, "seed {seed}");
    match bounded {
        true => cluster.assert_exact(30_000),
        false => cluster.assert_exact_so_far(4),
    }
}

#[test]
fn jobs_survive_lost_task_managers_and_end() {
    (0..12).for_each(lose_some);
}

#[test]
fn the_tasks_of_a_lost_task_manager_go_on_elsewhere() {
    let mut cluster = Cluster::new(&[("a", 2), ("b", 2), ("c", 2)]);
    cluster.wait_for_task_managers(3);
    let job = cluster.handle().submit(&cluster.endless(4)).unwrap();
    cluster.wait_for_output(&job);
    cluster.kill("a");
    cluster.wait_for_output(&job);
    wait_until(|| job.status().unwrap().restarts > 0);
    job.cancel();
    assert_eq!(end(&job), JobState::Canceled);
    cluster.assert_exact_so_far(4);
}

#[test]
fn a_task_manager_that_is_told_to_end_hands_its_tasks_over() {
    let mut cluster = Cluster::new(&[("a", 2), ("b", 4)]);
    cluster.wait_for_task_managers(2);
    let mut graph = cluster.endless(4);
    graph.config.set("restart-strategy.type", "none");
    let job = cluster.handle().submit(&graph).unwrap();
    cluster.wait_for_output(&job);
    cluster.terminate("a");
    assert_eq!(cluster.handle().task_managers().unwrap().len(), 1, "it has left when it ends");
    cluster.wait_for_output(&job);
    assert_eq!(job.status().unwrap().restarts, 0, "a planned end is no failure");
    job.cancel();
    assert_eq!(end(&job), JobState::Canceled);
    cluster.assert_exact_so_far(4);
}
