//! Messages survive the wire, and so do errors.

use super::error::KINDS;
use super::*;
use headwater_types::Error;
use headwater_types::ids::VertexId;

const SUBTASK: SubtaskId = SubtaskId { vertex: VertexId(1), index: 2 };

fn round_trip<T: Serialize + for<'a> Deserialize<'a> + PartialEq + std::fmt::Debug>(message: T) {
    let json = serde_json::to_string(&message).unwrap();
    assert_eq!(serde_json::from_str::<T>(&json).unwrap(), message);
}

#[test]
fn messages_round_trip() {
    let job = JobId(7);
    let error = TaskError::from(&Error::user("bad-record", "line 3"));
    let checkpoints = CheckpointTarget { uri: "memory://x".to_owned(), inline_bytes: 7 };
    let restore = Restore { checkpoint: 3, uri: "/x".to_owned(), subtasks: vec![], advice: String::new() };
    let (subtasks, peers) = (vec![SUBTASK], vec![(SUBTASK, "host:1".to_owned())]);
    let (plan, restore) = (vec![1, 2], Some(restore));
    round_trip(ToTaskManager::Deploy { job, attempt: 0, plan, subtasks, peers, checkpoints, restore });
    round_trip(ToTaskManager::TriggerCheckpoint { job, barrier: Barrier::aligned(7, 1) });
    round_trip(ToTaskManager::AssignSplit { job, subtask: SUBTASK, answer: SplitAnswer::Split(vec![9]) });
    round_trip(ToTaskManager::AssignSplit { job, subtask: SUBTASK, answer: SplitAnswer::Wait(5) });
    round_trip(FromTaskManager::DeployFailed { job, attempt: 1, subtasks: vec![SUBTASK], error: error.clone() });
    round_trip(FromTaskManager::Committables {
        job,
        attempt: 1,
        subtask: SUBTASK,
        committables: vec![vec![1], vec![]],
    });
    let outcome = Outcome::Failed(error);
    round_trip(FromTaskManager::Finished {
        job,
        attempt: 1,
        subtask: SUBTASK,
        outcome,
        last_checkpoint: 7,
        metrics: vec![],
    });
    round_trip(FromTaskManager::CheckpointAborted { job, checkpoint: 3, session: 1 });
}

#[test]
fn errors_keep_kind_code_and_causes() {
    for (_, kind) in KINDS {
        let cause = std::io::Error::other("disk full");
        let error = Error::new(kind, "no-space", "cannot write").with_source(cause);
        let back = Error::from(TaskError::from(&error));
        assert_eq!((back.kind(), back.code(), back.message()), (kind, "no-space", "cannot write: disk full"));
    }
}

#[test]
fn cancellation_is_an_outcome_of_its_own() {
    assert_eq!(Outcome::from(Err(Error::cancelled())), Outcome::Cancelled);
    assert_eq!(Outcome::from(Ok(())), Outcome::Finished);
}
