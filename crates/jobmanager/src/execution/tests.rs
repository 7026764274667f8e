//! Every path through the state machine.

use super::*;
use headwater_types::Error;
use headwater_types::ids::VertexId;

fn subtask(index: u32) -> SubtaskId {
    SubtaskId { vertex: VertexId(0), index }
}

fn running() -> Execution {
    let mut execution = Execution::new(&[subtask(0), subtask(1)]);
    execution.deployed();
    execution.task_running(subtask(0));
    execution.task_running(subtask(1));
    execution
}

fn error(text: &str) -> TaskError {
    TaskError::from(&Error::user("test", text))
}

#[test]
fn a_job_commits_when_all_tasks_finished() {
    let mut job = running();
    assert_eq!(job.task_ended(subtask(0), Outcome::Finished), []);
    assert_eq!(job.task_ended(subtask(1), Outcome::Finished), [Action::Commit]);
    assert_eq!(job.state(), JobState::Running);
    assert_eq!(job.committed(Ok(())), [Action::Complete]);
    assert_eq!(job.state(), JobState::Finished);
}

#[test]
fn the_first_failure_is_the_cause_and_cancels_the_rest() {
    let mut job = running();
    assert_eq!(job.task_ended(subtask(1), Outcome::Failed(error("first"))), [Action::CancelTasks]);
    assert_eq!(job.state(), JobState::Failing);
    let actions = job.task_ended(subtask(0), Outcome::Failed(error("second")));
    assert_eq!(actions, [Action::Abort, Action::Complete]);
    assert_eq!((job.state(), job.failure()), (JobState::Failed, Some(&error("first"))));
}

#[test]
fn a_cancelled_job_aborts_even_when_a_task_fails_meanwhile() {
    let mut job = running();
    assert_eq!(job.cancel(), [Action::CancelTasks]);
    assert_eq!(job.task_ended(subtask(0), Outcome::Failed(error("torn down"))), []);
    assert_eq!(job.task_ended(subtask(1), Outcome::Cancelled), [Action::Abort, Action::Complete]);
    assert_eq!((job.state(), job.failure()), (JobState::Canceled, None));
}

#[test]
fn a_failed_commit_fails_the_job() {
    let mut job = running();
    job.task_ended(subtask(0), Outcome::Finished);
    job.task_ended(subtask(1), Outcome::Finished);
    assert_eq!(job.cancel(), [], "too late");
    assert_eq!(job.committed(Err(error("no space"))), [Action::Abort, Action::Complete]);
    assert_eq!((job.state(), job.failure()), (JobState::Failed, Some(&error("no space"))));
}

#[test]
fn a_job_that_cannot_be_deployed_fails_at_once() {
    let mut job = running();
    assert_eq!(job.deploy_failed(error("no slots")), [Action::Abort, Action::Complete]);
    assert_eq!(job.state(), JobState::Failed);
}

#[test]
fn reports_after_the_end_change_nothing() {
    let mut job = running();
    job.cancel();
    job.task_ended(subtask(0), Outcome::Cancelled);
    job.task_ended(subtask(1), Outcome::Cancelled);
    assert_eq!(job.task_ended(subtask(1), Outcome::Finished), []);
    assert_eq!(job.stop(), []);
    assert_eq!(job.cancel(), []);
    assert_eq!(job.state(), JobState::Canceled);
}

#[test]
fn stop_ends_the_sources_only() {
    let mut job = running();
    assert_eq!(job.stop(), [Action::StopSources]);
    assert_eq!(job.state(), JobState::Running);
}
