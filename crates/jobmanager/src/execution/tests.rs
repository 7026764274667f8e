//! Every path through the state machine.

use super::*;
use headwater_types::config::Configuration;
use headwater_types::ids::VertexId;

fn subtask(index: u32) -> SubtaskId {
    SubtaskId { vertex: VertexId(0), index }
}

/// A running job with these regions of subtasks, and this many restarts.
fn job(regions: &[&[u32]], restarts: &str) -> Execution {
    let mut config = Configuration::new();
    config.set("restart-strategy.type", if restarts == "0" { "none" } else { "fixed-delay" });
    config.set("restart-strategy.fixed-delay.attempts", restarts);
    let strategy = RestartStrategy::from_config(&config, false).unwrap();
    let regions = regions.iter().map(|region| region.iter().map(|index| subtask(*index)).collect()).collect();
    let mut execution = Execution::new(regions, strategy, 0);
    execution.deployed();
    execution.task_running(subtask(0));
    execution.task_running(subtask(1));
    execution
}

fn running() -> Execution {
    job(&[&[0, 1]], "0")
}

fn error(text: &str) -> TaskError {
    TaskError::from(&Error::user("test", text))
}

fn ended(job: &mut Execution, index: u32, outcome: Outcome) -> Vec<Action> {
    job.task_ended(subtask(index), outcome, 100, 0)
}

fn cancel(indices: &[u32]) -> Action {
    Action::CancelTasks(indices.iter().map(|index| subtask(*index)).collect())
}

#[test]
fn a_job_commits_when_all_tasks_finished() {
    let mut job = running();
    assert_eq!(ended(&mut job, 0, Outcome::Finished), []);
    assert_eq!(ended(&mut job, 1, Outcome::Finished), [Action::Commit]);
    assert_eq!(job.state(), JobState::Running);
    assert_eq!(job.committed(Ok(())), [Action::Complete]);
    assert_eq!(job.state(), JobState::Finished);
}

#[test]
fn tasks_that_are_handed_over_go_on_although_nothing_may_restart() {
    let mut job = job(&[&[0], &[1]], "0");
    let actions = job.hand_over(&[subtask(1)], 100);
    assert_eq!(actions, [Action::Restarting(vec![subtask(1)]), cancel(&[1])]);
    assert_eq!(ended(&mut job, 1, Outcome::Cancelled), []);
    assert_eq!(job.tick(100), [Action::Redeploy { subtasks: vec![subtask(1)], attempt: 1 }]);
    assert_eq!((job.state(), job.restarts()), (JobState::Running, 0));
    ended(&mut job, 0, Outcome::Finished);
    assert_eq!(job.hand_over(&[subtask(0)], 200), [], "what has ended stays so");
    assert_eq!(job.state(), JobState::Running);
}

#[test]
fn the_first_failure_is_the_cause_and_cancels_the_rest() {
    let mut job = running();
    assert_eq!(ended(&mut job, 1, Outcome::Failed(error("first"))), [cancel(&[0])]);
    assert_eq!(job.state(), JobState::Failing);
    let actions = ended(&mut job, 0, Outcome::Failed(error("second")));
    assert_eq!(actions, [Action::Abort, Action::Complete]);
    assert_eq!((job.state(), job.failure()), (JobState::Failed, Some(&error("first"))));
}

#[test]
fn a_cancelled_job_aborts_even_when_a_task_fails_meanwhile() {
    let mut job = job(&[&[0, 1]], "9");
    assert_eq!(job.cancel(0), [cancel(&[0, 1])]);
    assert_eq!(ended(&mut job, 0, Outcome::Failed(error("torn down"))), []);
    assert_eq!(ended(&mut job, 1, Outcome::Cancelled), [Action::Abort, Action::Complete]);
    assert_eq!((job.state(), job.failure()), (JobState::Canceled, None));
}

#[test]
fn a_failed_commit_fails_the_job() {
    let mut job = running();
    ended(&mut job, 0, Outcome::Finished);
    ended(&mut job, 1, Outcome::Finished);
    assert_eq!(job.cancel(0), [], "too late");
    assert_eq!(job.committed(Err(error("no space"))), [Action::Abort, Action::Complete]);
    assert_eq!((job.state(), job.failure()), (JobState::Failed, Some(&error("no space"))));
}

#[test]
fn a_job_that_cannot_be_deployed_fails_at_once() {
    let mut job = job(&[&[0, 1]], "9");
    assert_eq!(
        job.deploy_failed(0, &[subtask(0), subtask(1)], error("no such operator"), 0, 0),
        [cancel(&[]), Action::Abort, Action::Complete]
    );
    assert_eq!(job.state(), JobState::Failed);
}

#[test]
fn reports_after_the_end_change_nothing() {
    let mut job = running();
    job.cancel(0);
    ended(&mut job, 0, Outcome::Cancelled);
    ended(&mut job, 1, Outcome::Cancelled);
    assert_eq!(ended(&mut job, 1, Outcome::Finished), []);
    assert_eq!(job.stop(), []);
    assert_eq!(job.cancel(0), []);
    assert_eq!(job.state(), JobState::Canceled);
}

#[test]
fn stop_ends_the_sources_only() {
    let mut job = running();
    assert_eq!(job.stop(), [Action::StopSources]);
    assert_eq!(job.state(), JobState::Running);
}

#[test]
fn a_failure_restarts_its_region_after_the_pause_and_leaves_others_alone() {
    let mut job = job(&[&[0, 1], &[2]], "1");
    let restarting = Action::Restarting(vec![subtask(0), subtask(1)]);
    assert_eq!(ended(&mut job, 0, Outcome::Failed(error("first"))), [restarting, cancel(&[1])]);
    assert_eq!((job.state(), job.wake_ms()), (JobState::Restarting, None));
    assert_eq!(ended(&mut job, 1, Outcome::Failed(error("consequence"))), []);
    assert_eq!(job.wake_ms(), Some(1100));
    assert_eq!(job.tick(1099), []);
    assert_eq!(job.tick(1100), [Action::Redeploy { subtasks: vec![subtask(0), subtask(1)], attempt: 1 }]);
    assert_eq!((job.state(), job.restarts(), job.failure()), (JobState::Running, 1, None));
    assert_eq!(job.restart_cause(), Some(&error("first")));
    assert!(job.is_current(subtask(0), 1) && !job.is_current(subtask(0), 0) && job.is_current(subtask(2), 0));
    assert_eq!(ended(&mut job, 2, Outcome::Failed(error("again"))), [cancel(&[0, 1])], "no attempts are left");
    assert_eq!(job.state(), JobState::Failing);
}

#[test]
fn what_can_only_fail_again_is_not_restarted() {
    for kind in [ErrorKind::Unsupported, ErrorKind::Corruption, ErrorKind::Fenced] {
        let mut job = job(&[&[0, 1]], "9");
        ended(&mut job, 0, Outcome::Failed(TaskError::from(&Error::new(kind, "test", "no"))));
        assert_eq!(job.state(), JobState::Failing, "{kind:?}");
    }
}

#[test]
fn a_restarting_job_can_be_cancelled() {
    let mut job = job(&[&[0, 1]], "1");
    ended(&mut job, 0, Outcome::Failed(error("first")));
    ended(&mut job, 1, Outcome::Cancelled);
    assert_eq!(job.cancel(0), [cancel(&[]), Action::Abort, Action::Complete]);
    assert_eq!((job.state(), job.tick(9999)), (JobState::Canceled, vec![]));
}

#[test]
fn a_failed_commit_of_a_checkpoint_restarts_everything() {
    let mut job = job(&[&[0], &[1]], "1");
    ended(&mut job, 0, Outcome::Finished);
    let actions = job.fail_job(error("commit"), 0, 0);
    assert_eq!(actions.iter().filter(|action| matches!(action, Action::Restarting(_))).count(), 2);
    ended(&mut job, 1, Outcome::Cancelled);
    assert_eq!(job.tick(1000).len(), 2);
    assert_eq!(job.tasks()[&subtask(0)], TaskState::Deploying, "finished tasks too");
}

#[test]
fn what_other_task_managers_deployed_of_a_region_is_cancelled() {
    let mut job = job(&[&[0, 1]], "3");
    let busy = || TaskError::from(&Error::retryable("taskmanager-gone", "gone"));
    let actions = job.deploy_failed(0, &[subtask(1)], busy(), 0, 0);
    assert_eq!(actions, [Action::Restarting(vec![subtask(0), subtask(1)]), cancel(&[0])]);
    assert_eq!(job.deploy_failed(0, &[subtask(1)], busy(), 0, 0), [], "the region is restarting");
    assert_eq!(ended(&mut job, 0, Outcome::Cancelled), []);
    assert_eq!(job.state(), JobState::Restarting);
    assert!(matches!(&job.tick(i64::MAX)[..], [Action::Redeploy { attempt: 1, .. }]));
    assert_eq!(job.deploy_failed(0, &[subtask(1)], busy(), 0, 0), [], "that was another attempt");
}

#[test]
fn a_task_that_was_cancelled_without_being_told_to_restarts_its_region() {
    let mut job = job(&[&[0, 1]], "1");
    assert_eq!(ended(&mut job, 1, Outcome::Finished), []);
    let actions = ended(&mut job, 0, Outcome::Cancelled);
    assert_eq!(actions, [Action::Restarting(vec![subtask(0), subtask(1)]), cancel(&[])]);
    assert_eq!(job.restart_cause().map(TaskError::code), Some("taskmanager-ending"));
    assert_eq!(job.state(), JobState::Restarting);
}

#[test]
fn a_job_that_is_taken_down_starts_again_in_another_shape() {
    let mut job = job(&[&[0, 1]], "0");
    assert_eq!(job.take_down(100), [Action::Restarting(vec![subtask(0), subtask(1)]), cancel(&[0, 1])]);
    assert_eq!(ended(&mut job, 0, Outcome::Cancelled), []);
    assert!(!job.is_down());
    assert_eq!(ended(&mut job, 1, Outcome::Cancelled), []);
    assert!(job.is_down());
    job.reshape(vec![vec![subtask(0), subtask(1), subtask(2)]], 100);
    assert_eq!((job.state(), job.restarts()), (JobState::Restarting, 0));
    let all = vec![subtask(0), subtask(1), subtask(2)];
    assert_eq!(job.tick(100), [Action::Redeploy { subtasks: all, attempt: 1 }]);
    assert_eq!(job.state(), JobState::Running);
    assert!(!job.is_current(subtask(0), 0) && job.is_current(subtask(2), 1));
}
