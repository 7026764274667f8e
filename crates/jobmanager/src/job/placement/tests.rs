//! Which TaskManagers a job waits for that goes on under another JobManager.

use super::{Placement, RETURN_MS};
use crate::task_managers::{SessionId, TaskManagerInfo, TaskManagers};
use headwater_taskmanager::{TaskManagerGateway, ToTaskManager};
use headwater_types::Result;
use std::sync::Arc;

struct Deaf;

impl TaskManagerGateway for Deaf {
    fn send(&self, _message: ToTaskManager) -> Result<()> {
        Ok(())
    }
}

fn register(pool: &TaskManagers, session: u64, id: &str) {
    let info = TaskManagerInfo { id: id.to_owned(), slots: 4, ..TaskManagerInfo::in_process() };
    pool.add(SessionId(session), info, Arc::new(Deaf));
}

#[test]
fn those_that_had_the_slots_are_waited_for() {
    let pool = TaskManagers::default();
    let names = [(0, "a"), (1, "b"), (2, "b"), (3, "c")].map(|(slot, name)| (slot, name.to_owned()));
    let mut placement = Placement::after(names, 1_000);
    let all = [0, 1, 2, 3, 4];
    assert_eq!(placement.returning(&all, &pool, 1_000), 4, "nobody was on slot 4");
    register(&pool, 1, "b");
    register(&pool, 2, "z");
    assert_eq!(placement.returning(&all, &pool, 1_001), 2);
    assert_eq!(placement.returning(&[1, 2, 4], &pool, 1_001), 0, "what these need is there");
    register(&pool, 3, "c");
    register(&pool, 4, "a");
    assert_eq!(placement.returning(&all, &pool, 1_002), 0);
}

#[test]
fn they_are_waited_for_for_a_moment_and_in_the_beginning_only() {
    let pool = TaskManagers::default();
    let mut placement = Placement::after([(0, "gone".to_owned())], 1_000);
    assert_eq!(placement.returning(&[0], &pool, 1_000 + RETURN_MS - 1), 1);
    assert_eq!(placement.returning(&[0], &pool, 1_000 + RETURN_MS), 0);
    assert_eq!(placement.returning(&[0], &pool, 1_001), 0, "that is over");
    assert_eq!(Placement::after([], 1_000).returning(&[0], &pool, 1_000), 0, "a new job");
    let mut restarted = Placement::default();
    restarted.names.insert(0, "gone".to_owned());
    assert_eq!(restarted.returning(&[0], &pool, 1_000), 0, "one whose TaskManager was lost while it ran");
}
