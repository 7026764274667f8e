//! Every path of a checkpoint, and random lives of jobs.

use super::*;
use crate::testing::subtask;
use headwater_types::config::Configuration;
use proptest::prelude::*;

fn settings(pairs: &[(&str, &str)]) -> Settings {
    let mut config = Configuration::new();
    config.set("execution.checkpointing.interval", "100 ms");
    pairs.iter().for_each(|(key, value)| config.set(format!("execution.checkpointing.{key}"), *value));
    Settings::from_config(&config).unwrap()
}

/// A coordinator of two running subtasks whose clock started at 0.
fn coordinator(pairs: &[(&str, &str)]) -> Coordinator {
    let mut coordinator = Coordinator::new(settings(pairs), [subtask(0, 0), subtask(0, 1)], 1);
    coordinator.start_clock(0);
    coordinator.task_running(subtask(0, 0));
    coordinator.task_running(subtask(0, 1));
    coordinator
}

fn ack(coordinator: &mut Coordinator, checkpoint: u64, index: u32, now_ms: i64) -> Vec<Action> {
    coordinator.ack(checkpoint, subtask(0, index), AckStatistics { bytes: 10, ..AckStatistics::default() }, now_ms)
}

fn store(checkpoint: u64, kind: Kind, triggered_ms: i64, finished: &[u32]) -> Action {
    let finished = finished.iter().map(|index| subtask(0, *index)).collect();
    Action::Store { checkpoint, kind, triggered_ms, finished }
}

fn stored(coordinator: &mut Coordinator, checkpoint: u64, now_ms: i64) -> Vec<Action> {
    coordinator.stored(checkpoint, Ok((99, format!("chk-{checkpoint}"))), now_ms)
}

const PERIODIC: Kind = Kind::Periodic;

#[test]
fn a_checkpoint_is_triggered_collected_stored_and_complete() {
    let mut job = coordinator(&[]);
    assert_eq!((job.tick(99), job.wake_ms()), (vec![], Some(100)));
    assert_eq!(job.tick(100), [Action::Trigger { checkpoint: 1, kind: PERIODIC }]);
    assert_eq!(job.tick(200), [], "one at a time");
    assert!(job.awaits(subtask(0, 0)));
    assert_eq!(ack(&mut job, 1, 0, 210), []);
    assert_eq!(ack(&mut job, 1, 0, 210), [], "a repeated report changes nothing");
    assert!(!job.awaits(subtask(0, 0)) && job.awaits(subtask(0, 1)));
    assert_eq!(ack(&mut job, 1, 1, 220), [store(1, PERIODIC, 100, &[])]);
    assert_eq!(stored(&mut job, 1, 230), [Action::Complete { checkpoint: 1, kind: PERIODIC }]);
    assert_eq!(ack(&mut job, 1, 1, 240), [], "late");
    let statistics = job.statistics(250);
    assert_eq!((statistics.counts.total, statistics.counts.completed), (1, 1));
    let latest = statistics.latest_completed.unwrap();
    assert_eq!((latest.duration_ms, latest.checkpointed_bytes, latest.state_bytes), (130, 20, 99));
    assert_eq!(latest.path.as_deref(), Some("chk-1"));
    assert_eq!(job.tick(250), [Action::Trigger { checkpoint: 2, kind: PERIODIC }]);
}

#[test]
fn the_pause_is_kept_between_checkpoints() {
    let mut job = coordinator(&[("min-pause", "500 ms")]);
    job.tick(100);
    job.decline(1, subtask(0, 0), "no", 150);
    assert_eq!((job.tick(649), job.wake_ms()), (vec![], Some(650)));
    assert_eq!(job.tick(650).len(), 1);
}

#[test]
fn nothing_is_triggered_until_all_tasks_run() {
    let mut job = coordinator(&[]);
    job.restart([subtask(0, 1)], 0);
    assert_eq!((job.tick(500), job.wake_ms()), (vec![], None));
    assert!(job.trigger(Kind::Savepoint, 500).unwrap_err().message().contains("not all tasks"));
    job.task_running(subtask(0, 1));
    assert_eq!(job.tick(500).len(), 1);
}

#[test]
fn checkpoints_expire_and_too_many_failures_in_a_row_fail_the_job() {
    let mut job = coordinator(&[("timeout", "50 ms"), ("tolerable-failed-checkpoints", "1")]);
    job.tick(100);
    ack(&mut job, 1, 0, 120);
    let reason = "it expired after 50 ms: 1 subtasks had not reported (0.1)".to_owned();
    assert_eq!(job.wake_ms(), Some(150));
    assert_eq!(job.tick(150), [Action::Abort { checkpoint: 1, kind: PERIODIC, reason: reason.clone() }]);
    job.tick(200);
    let actions = job.decline(2, subtask(0, 0), "disk full", 210);
    let reason = "subtask 0.0 declined: disk full".to_owned();
    assert_eq!(
        actions,
        [Action::Abort { checkpoint: 2, kind: PERIODIC, reason: reason.clone() }, Action::Fail { reason }]
    );
}

#[test]
fn without_a_bound_failures_are_only_counted() {
    let mut job = coordinator(&[("timeout", "10 ms")]);
    for at in 1..50 {
        let actions = job.tick(at * 100);
        assert!(!actions.iter().any(|action| matches!(action, Action::Fail { .. })));
    }
    assert!(job.statistics(0).counts.failed >= 24);
    assert_eq!(job.statistics(0).history.len(), 10 + 1, "the history is bounded");
}

#[test]
fn what_is_being_stored_neither_expires_nor_restarts() {
    let mut job = coordinator(&[("timeout", "50 ms")]);
    job.tick(100);
    ack(&mut job, 1, 0, 110);
    ack(&mut job, 1, 1, 110);
    assert_eq!(job.tick(10_000), []);
    assert_eq!(job.restart([subtask(0, 0), subtask(0, 1)], 10_000), []);
    assert_eq!(stored(&mut job, 1, 10_001), [Action::Complete { checkpoint: 1, kind: PERIODIC }]);
}

#[test]
fn a_restart_gives_up_what_is_pending_without_counting_it() {
    let mut job = coordinator(&[("tolerable-failed-checkpoints", "0")]);
    job.tick(100);
    let reason = "the job restarts".to_owned();
    assert_eq!(job.restart([subtask(0, 0)], 120), [Action::Abort { checkpoint: 1, kind: PERIODIC, reason }]);
    assert_eq!(ack(&mut job, 1, 1, 130), []);
}

#[test]
fn finished_tasks_count_as_reported() {
    let mut job = coordinator(&[]);
    assert_eq!(job.task_finished(subtask(0, 0), 0, 50), []);
    job.tick(100);
    assert_eq!(ack(&mut job, 1, 1, 110), [store(1, PERIODIC, 100, &[0])]);
    stored(&mut job, 1, 120);
    job.tick(250);
    assert_eq!(job.task_finished(subtask(0, 1), 0, 260), [store(2, PERIODIC, 250, &[0, 1])]);
    stored(&mut job, 2, 270);
    assert_eq!((job.tick(10_000), job.wake_ms()), (vec![], None), "nobody is left");
    let mut job = coordinator(&[("checkpoints-after-tasks-finish", "false")]);
    job.task_finished(subtask(0, 0), 0, 50);
    assert_eq!(job.tick(100), []);
}

#[test]
fn who_finished_behind_a_barrier_without_being_heard_is_not_part_of_the_checkpoint() {
    let mut job = coordinator(&[]);
    job.tick(100);
    ack(&mut job, 1, 1, 110);
    let reason = "what subtask 0.0 reported before it finished got lost".to_owned();
    let actions = job.task_finished(subtask(0, 0), 1, 120);
    assert_eq!(actions, [Action::Abort { checkpoint: 1, kind: PERIODIC, reason }]);
    job.tick(220);
    assert_eq!(ack(&mut job, 2, 1, 230), [store(2, PERIODIC, 220, &[0])], "the next one holds it as finished");
}

#[test]
fn the_last_checkpoint_is_taken_at_once_and_again_when_it_fails() {
    let mut job = coordinator(&[]);
    job.task_awaits(subtask(0, 1));
    assert_eq!(job.tick(10), []);
    job.task_finished(subtask(0, 0), 0, 20);
    assert_eq!(job.tick(20), [Action::Trigger { checkpoint: 1, kind: Kind::Manual }]);
    assert_eq!(job.tick(20), []);
    job.decline(1, subtask(0, 1), "disk full", 30);
    assert_eq!((job.tick(129), job.wake_ms()), (vec![], Some(130)));
    assert_eq!(job.tick(130), [Action::Trigger { checkpoint: 2, kind: Kind::Manual }]);
}

#[test]
fn a_job_that_cannot_take_its_last_checkpoint_fails_in_the_end() {
    let mut job = coordinator(&[]);
    job.task_awaits(subtask(0, 1));
    job.task_finished(subtask(0, 0), 0, 20);
    let mut now_ms = 20;
    for checkpoint in 1..10_000 {
        assert_eq!(job.tick(now_ms), [Action::Trigger { checkpoint, kind: Kind::Manual }], "at {now_ms}");
        let actions = job.decline(checkpoint, subtask(0, 1), "disk full", now_ms);
        if let Some(Action::Fail { reason }) = actions.last() {
            assert!(now_ms >= 60_000 && checkpoint >= 10, "given up after {checkpoint} at {now_ms}");
            assert!(reason.contains("the last checkpoint") && reason.contains("disk full"), "{reason}");
            return;
        }
        now_ms += 100;
    }
    panic!("the job waits for ever");
}

#[test]
fn savepoints_do_not_wait_and_are_not_overtaken() {
    let mut job = coordinator(&[("max-concurrent-checkpoints", "2")]);
    let (savepoint, actions) = job.trigger(Kind::Savepoint, 10).unwrap();
    assert_eq!(actions, [Action::Trigger { checkpoint: 1, kind: Kind::Savepoint }]);
    job.tick(110);
    job.tick(210);
    for index in [0, 1] {
        ack(&mut job, 3, index, 220);
    }
    let actions = stored(&mut job, 3, 230);
    let reason = "checkpoint 3 completed first".to_owned();
    let abort = Action::Abort { checkpoint: 2, kind: PERIODIC, reason };
    assert_eq!(actions, [Action::Complete { checkpoint: 3, kind: PERIODIC }, abort]);
    assert!(job.is_pending(savepoint));
}

#[test]
fn nothing_else_is_triggered_while_the_job_stops() {
    let mut job = coordinator(&[]);
    let (stop, _) = job.trigger(Kind::Stop { drain: true }, 10).unwrap();
    assert_eq!(job.tick(500), []);
    assert!(job.trigger(Kind::Manual, 500).is_err());
    job.decline(stop, subtask(0, 0), "no", 510);
    assert_eq!(job.tick(700).len(), 1, "the job goes on");
}

#[derive(Debug, Clone)]
enum Event {
    Tick(i64),
    Ack(u64, u32),
    Decline(u64, u32),
    Stored(u64, bool),
    Finish(u32, u64),
    Restart(u32),
    Running(u32),
    Savepoint,
}

fn events() -> impl Strategy<Value = Vec<Event>> {
    let event = prop_oneof![
        4 => (0i64..200).prop_map(Event::Tick),
        6 => (1u64..12, 0u32..2).prop_map(|(id, index)| Event::Ack(id, index)),
        1 => (1u64..12, 0u32..2).prop_map(|(id, index)| Event::Decline(id, index)),
        4 => (1u64..12, any::<bool>()).prop_map(|(id, ok)| Event::Stored(id, ok)),
        1 => (0u32..2, 0u64..12).prop_map(|(index, last)| Event::Finish(index, last)),
        1 => (0u32..2).prop_map(Event::Restart),
        2 => (0u32..2).prop_map(Event::Running),
        1 => Just(Event::Savepoint),
    ];
    prop::collection::vec(event, 1..200)
}

fn apply(job: &mut Coordinator, event: &Event, storing: &BTreeSet<u64>, now_ms: i64) -> Vec<Action> {
    match event {
        Event::Tick(_) => job.tick(now_ms),
        Event::Ack(id, index) => ack(job, *id, *index, now_ms),
        Event::Decline(id, index) if !storing.contains(id) => job.decline(*id, subtask(0, *index), "no", now_ms),
        Event::Stored(id, ok) if storing.contains(id) => {
            let outcome = if *ok { Ok((1, String::new())) } else { Err(Error::internal("full")) };
            job.stored(*id, outcome, now_ms)
        }
        Event::Finish(index, last) => job.task_finished(subtask(0, *index), *last, now_ms),
        Event::Restart(index) => job.restart([subtask(0, *index)], now_ms),
        Event::Running(index) => {
            job.task_running(subtask(0, *index));
            vec![]
        }
        Event::Savepoint => job.trigger(Kind::Savepoint, now_ms).map_or(vec![], |(_, actions)| actions),
        _ => vec![],
    }
}

proptest! {
    /// Whatever happens: numbers rise, each checkpoint is triggered once and ends once, is stored at most once and
    /// before it completes, and the counters agree.
    #[test]
    fn every_checkpoint_lives_once(events in events()) {
        let mut job = coordinator(&[("timeout", "300 ms"), ("max-concurrent-checkpoints", "2")]);
        let (mut open, mut storing, mut ended) = (BTreeSet::new(), BTreeSet::new(), BTreeSet::new());
        let (mut last, mut now_ms) = (0, 0);
        for event in &events {
            if let Event::Tick(ms) = event {
                now_ms += ms;
            }
            for action in apply(&mut job, event, &storing, now_ms) {
                match action {
                    Action::Trigger { checkpoint, .. } => {
                        prop_assert!(checkpoint > last);
                        last = checkpoint;
                        open.insert(checkpoint);
                    }
                    Action::Store { checkpoint, .. } => {
                        prop_assert!(open.contains(&checkpoint) && storing.insert(checkpoint));
                    }
                    Action::Complete { checkpoint, .. } => {
                        prop_assert!(storing.remove(&checkpoint) && open.remove(&checkpoint) && ended.insert(checkpoint));
                    }
                    Action::Abort { checkpoint, .. } => {
                        storing.remove(&checkpoint);
                        prop_assert!(open.remove(&checkpoint) && ended.insert(checkpoint));
                    }
                    Action::Fail { .. } => prop_assert!(false, "nothing was said to be intolerable"),
                }
            }
            let counts = job.statistics(now_ms).counts;
            prop_assert_eq!(counts.in_progress, open.len() as u64);
            prop_assert_eq!(counts.completed + counts.failed, ended.len() as u64);
            prop_assert_eq!(counts.total, last);
            prop_assert!(open.iter().all(|checkpoint| job.is_pending(*checkpoint)));
        }
    }
}
