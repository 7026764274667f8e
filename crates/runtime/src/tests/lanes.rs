//! The scheduler under real threads.

use crate::schedule::{Lanes, Scheduler, Task, Turn};
use headwater_env::Env;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};

/// Parks after every turn; ends when it has had `turns` turns.
struct Counter {
    turns: usize,
    seen: Arc<AtomicUsize>,
    done: SyncSender<usize>,
}

impl Task for Counter {
    fn run(&mut self) -> Turn {
        let turns = self.seen.fetch_add(1, Ordering::SeqCst) + 1;
        if turns < self.turns {
            return Turn::Park(None);
        }
        let _ = self.done.send(turns);
        Turn::Done
    }
}

fn counter(
    scheduler: &Arc<Scheduler>,
    turns: usize,
) -> (Arc<crate::schedule::TaskCell>, Arc<AtomicUsize>, Receiver<usize>) {
    let (done, ended) = sync_channel(1);
    let seen = Arc::new(AtomicUsize::new(0));
    let cell = scheduler.reserve();
    cell.start(Box::new(Counter { turns, seen: seen.clone(), done }));
    (cell, seen, ended)
}

#[test]
fn wake_ups_from_many_threads_are_never_lost() {
    let scheduler = Scheduler::new(Env::real());
    let lanes = Lanes::new(scheduler.clone(), 3);
    lanes.ensure(3).unwrap();
    let (cell, seen, ended) = counter(&scheduler, 1000);
    std::thread::scope(|scope| {
        for _ in 0..3 {
            scope.spawn(|| {
                // Each wake-up either starts a turn or finds one that has yet to begin or will be repeated.
                while !cell.is_over() {
                    cell.wake();
                    std::thread::yield_now();
                }
            });
        }
        assert_eq!(ended.recv(), Ok(1000));
    });
    assert_eq!(seen.load(Ordering::SeqCst), 1000, "no turn after the end");
}

/// Asks for a timer once, and ends at the second turn.
struct Sleeper {
    at_ms: Option<i64>,
    done: SyncSender<()>,
}

impl Task for Sleeper {
    fn run(&mut self) -> Turn {
        match self.at_ms.take() {
            Some(at_ms) => Turn::Park(Some(at_ms)),
            None => {
                let _ = self.done.send(());
                Turn::Done
            }
        }
    }
}

#[test]
fn lanes_wake_up_for_timers() {
    let env = Env::real();
    let scheduler = Scheduler::new(env.clone());
    let lanes = Lanes::new(scheduler.clone(), 2);
    lanes.ensure(2).unwrap();
    let (done, ended) = sync_channel(1);
    let at_ms = env.now_ms() + 5;
    scheduler.reserve().start(Box::new(Sleeper { at_ms: Some(at_ms), done }));
    ended.recv().unwrap();
    assert!(env.now_ms() >= at_ms);
}

#[test]
fn dropping_the_lanes_ends_their_threads_and_drops_the_tasks() {
    let scheduler = Scheduler::new(Env::real());
    let lanes = Lanes::new(scheduler.clone(), 2);
    lanes.ensure(5).unwrap();
    let (cell, _, ended) = counter(&scheduler, 1_000_000);
    drop(lanes);
    drop((cell, scheduler));
    assert!(ended.recv().is_err(), "the task is gone with its sender");
}
