//! Placement as a pure function, and the slots of jobs.

use super::*;

struct Deaf;

impl TaskManagerGateway for Deaf {
    fn send(&self, _message: ToTaskManager) -> Result<()> {
        Ok(())
    }
}

fn info(id: &str, slots: u32) -> TaskManagerInfo {
    TaskManagerInfo { id: id.to_owned(), slots, ..TaskManagerInfo::in_process() }
}

/// Free slots, how many are wanted, the sessions they are taken of or how many are missing.
type Case<'a> = (&'a [u32], usize, Result<&'a [u64], usize>);

#[test]
fn slots_are_taken_where_most_are_free() {
    let cases: [Case<'_>; 8] = [
        (&[], 0, Ok(&[])),
        (&[], 2, Err(2)),
        (&[2, 2], 4, Ok(&[0, 1, 0, 1])),
        (&[2, 2], 5, Err(1)),
        (&[1, 3], 2, Ok(&[1, 1])),
        (&[1, 3], 4, Ok(&[1, 1, 0, 1])),
        (&[0, 1, 1], 2, Ok(&[1, 2])),
        (&[u32::MAX], 3, Ok(&[0, 0, 0])),
    ];
    for (free, wanted, expected) in cases {
        let free: Vec<_> = free.iter().enumerate().map(|(at, slots)| (SessionId(at as u64), *slots)).collect();
        let expected = expected.map(|sessions| sessions.iter().map(|session| SessionId(*session)).collect::<Vec<_>>());
        assert_eq!(place(&free, &vec![None; wanted]), expected, "{wanted} of {free:?}");
    }
}

#[test]
fn slots_are_taken_where_they_were_before_if_they_can_be() {
    let [a, b, c] = [1, 2, 3].map(SessionId);
    let free = [(a, 2), (b, 1), (c, 1)];
    assert_eq!(place(&free, &[Some(c), Some(b), Some(a)]), Ok(vec![c, b, a]));
    assert_eq!(place(&free, &[None, Some(a), Some(a), None]), Ok(vec![b, a, a, c]), "others take what is left");
    assert_eq!(place(&free, &[Some(b), Some(b)]), Ok(vec![b, a]), "two do not fit");
    assert_eq!(place(&free, &[Some(SessionId(9))]), Ok(vec![a]), "it is gone");
    assert_eq!(place(&free, &[Some(b); 5]), Err(1));
    let pool = TaskManagers::default();
    pool.add(SessionId(1), info("a", 2), Arc::new(Deaf));
    pool.add(SessionId(2), info("b", 2), Arc::new(Deaf));
    assert_eq!(pool.claim(JobId(1), &[Some("b"), Some("b"), Some("z")]), Ok(vec![b, b, a]));
    assert_eq!((pool.name(b).as_deref(), pool.name(c)), (Some("b"), None));
}

#[test]
fn jobs_give_their_slots_back() {
    let pool = TaskManagers::default();
    assert_eq!(pool.add(SessionId(1), info("a", 2), Arc::new(Deaf)), None);
    assert_eq!(pool.add(SessionId(2), info("b", 1), Arc::new(Deaf)), None);
    let (one, other) = (JobId(1), JobId(2));
    assert_eq!(pool.claim(one, &[None; 2]), Ok(vec![SessionId(1), SessionId(1)]));
    assert_eq!(pool.claim(other, &[None; 2]), Err(Shortage { missing: 1, task_managers: 2 }));
    assert_eq!(pool.claim(other, &[None]), Ok(vec![SessionId(2)]));
    pool.release(one);
    let free: Vec<u32> = pool.list().iter().map(|status| status.free_slots).collect();
    assert_eq!(free, [2, 0]);
}

#[test]
fn a_task_manager_that_comes_back_replaces_itself() {
    let pool = TaskManagers::default();
    pool.add(SessionId(1), info("a", 2), Arc::new(Deaf));
    assert_eq!(pool.add(SessionId(2), info("a", 2), Arc::new(Deaf)), Some(SessionId(1)));
    assert!(pool.remove(SessionId(1)).is_some());
    assert!(pool.remove(SessionId(1)).is_none());
    assert_eq!(pool.list().len(), 1);
    pool.leave(SessionId(2));
    assert!(pool.is_leaving(SessionId(2)) && !pool.is_leaving(SessionId(1)));
    let message = ToTaskManager::Release { job: JobId(1) };
    assert_eq!(pool.send(SessionId(1), message.clone()).unwrap_err().code(), "taskmanager-gone");
    assert!(pool.send(SessionId(2), message).is_ok());
}
