//! Alignment, by hand and against a model.

use super::{Barriers, Outcome, Taken};
use headwater_exchange::{Alignment, Barrier, BarrierKind};
use proptest::collection::vec;
use proptest::prelude::*;

fn barrier(checkpoint: u64) -> Barrier {
    Barrier::aligned(checkpoint, 0)
}

fn with(alignment: Alignment) -> Barrier {
    Barrier { checkpoint: 1, triggered_at_ms: 100, alignment, kind: BarrierKind::Checkpoint }
}

fn blocked() -> Outcome {
    Outcome { block: true, ..Outcome::default() }
}

fn taken(barrier: Barrier, since_ms: i64) -> Outcome {
    Outcome { taken: Some(Taken { barrier, since_ms }), ..Outcome::default() }
}

#[test]
fn channels_wait_for_the_last_barrier() {
    let mut barriers = Barriers::new(vec![true; 3]);
    assert_eq!(barriers.on_barrier(1, barrier(1), 5), blocked());
    assert_eq!(barriers.on_barrier(0, barrier(1), 6), blocked());
    assert_eq!(barriers.on_barrier(2, barrier(1), 7), taken(barrier(1), 5));
    assert_eq!(barriers.on_barrier(2, barrier(1), 8), Outcome::default(), "late");
}

#[test]
fn ended_channels_count_as_arrived() {
    let mut barriers = Barriers::new(vec![true; 3]);
    assert_eq!(barriers.on_end(0), Outcome::default());
    assert_eq!(barriers.on_barrier(1, barrier(1), 5), blocked());
    assert_eq!(barriers.on_end(2), taken(barrier(1), 5));
    assert_eq!(barriers.on_barrier(1, barrier(2), 6), taken(barrier(2), 6));
}

#[test]
fn a_later_barrier_gives_up_an_earlier_alignment() {
    let mut barriers = Barriers::new(vec![true; 2]);
    assert_eq!(barriers.on_barrier(0, barrier(1), 0), blocked());
    let given_up = Outcome { cancelled: vec![1], unblock: true, ..blocked() };
    assert_eq!(barriers.on_barrier(1, barrier(3), 1), given_up);
    assert_eq!(barriers.on_barrier(0, barrier(2), 2), Outcome::default(), "between two checkpoints: late");
    assert_eq!(barriers.on_barrier(0, barrier(3), 3), taken(barrier(3), 1));
}

#[test]
fn aborted_checkpoints_are_not_aligned_again() {
    let mut barriers = Barriers::new(vec![true; 2]);
    assert_eq!(barriers.on_barrier(0, barrier(1), 0), blocked());
    assert!(barriers.abort(1));
    assert!(!barriers.abort(2), "not begun");
    assert_eq!(barriers.on_barrier(1, barrier(1), 0), Outcome::default());
    assert_eq!(barriers.on_barrier(1, barrier(2), 0), Outcome::default());
    assert_eq!(barriers.on_barrier(0, barrier(3), 0), blocked());
    assert_eq!(barriers.on_barrier(1, barrier(3), 0), taken(barrier(3), 0));
}

#[test]
fn at_least_once_blocks_nothing() {
    let mut barriers = Barriers::new(vec![true; 2]);
    let barrier = with(Alignment::AtLeastOnce);
    assert_eq!(barriers.on_barrier(0, barrier, 0), Outcome::default());
    assert_eq!(barriers.overtakes_from_ms(), None);
    assert_eq!(barriers.on_barrier(1, barrier, 1), taken(barrier, 0));
}

/// Barriers at least once of several checkpoints.
fn loose(checkpoint: u64) -> Barrier {
    Barrier { checkpoint, ..with(Alignment::AtLeastOnce) }
}

#[test]
fn checkpoints_at_least_once_may_be_under_way_together() {
    let mut barriers = Barriers::new(vec![true; 2]);
    for checkpoint in 1..=3 {
        assert_eq!(barriers.on_barrier(0, loose(checkpoint), checkpoint as i64), Outcome::default());
    }
    for checkpoint in 1..=3 {
        assert_eq!(barriers.on_barrier(1, loose(checkpoint), 9), taken(loose(checkpoint), checkpoint as i64));
    }
}

#[test]
fn a_checkpoint_at_least_once_that_a_channel_leaves_out_is_given_up_and_no_other() {
    let mut barriers = Barriers::new(vec![true; 3]);
    for checkpoint in 1..=3 {
        assert_eq!(barriers.on_barrier(0, loose(checkpoint), 0), Outcome::default());
    }
    assert_eq!(barriers.on_barrier(1, loose(1), 0), Outcome::default());
    let given_up = Outcome { cancelled: vec![2], ..Outcome::default() };
    assert_eq!(barriers.on_barrier(1, loose(3), 0), given_up);
    assert_eq!(barriers.on_barrier(2, loose(1), 0), taken(loose(1), 0));
    assert_eq!(barriers.on_barrier(2, loose(2), 0), Outcome::default(), "late");
    assert_eq!(barriers.on_barrier(2, loose(3), 0), taken(loose(3), 0));
}

#[test]
fn a_savepoint_blocks_its_channels_beside_a_checkpoint_at_least_once() {
    let mut barriers = Barriers::new(vec![true; 2]);
    assert_eq!(barriers.on_barrier(0, loose(1), 0), Outcome::default());
    assert_eq!(barriers.on_barrier(0, barrier(2), 0), blocked());
    let first = barriers.on_barrier(1, loose(1), 1);
    assert_eq!(first, taken(loose(1), 0));
    assert!(!first.taken.unwrap().blocked(), "the channel of the savepoint goes on waiting");
    let second = barriers.on_barrier(1, barrier(2), 2);
    assert!(second.taken.unwrap().blocked());
}

#[test]
fn the_end_of_a_channel_may_complete_several_checkpoints() {
    let mut barriers = Barriers::new(vec![true; 2]);
    for checkpoint in 1..=2 {
        assert_eq!(barriers.on_barrier(0, loose(checkpoint), 0), Outcome::default());
    }
    assert_eq!(barriers.on_end(1), taken(loose(1), 0));
    assert_eq!(barriers.take_complete(), Some(Taken { barrier: loose(2), since_ms: 0 }));
    assert_eq!(barriers.take_complete(), None);
}

#[test]
fn checkpoints_under_way_are_bounded() {
    let mut barriers = Barriers::new(vec![true; 2]);
    let given_up: Vec<u64> = (1..=20).flat_map(|n| barriers.on_barrier(0, loose(n), 0).cancelled).collect();
    assert_eq!(given_up, [1, 2, 3, 4]);
    assert!(!barriers.abort(20), "nobody waits for it");
    assert_eq!(barriers.on_barrier(1, loose(19), 0).taken, Some(Taken { barrier: loose(19), since_ms: 0 }));
}

#[test]
fn an_announced_barrier_overtakes_when_its_time_has_come() {
    let mut barriers = Barriers::new(vec![true; 3]);
    let barrier = with(Alignment::Timeout(50));
    barriers.announce(1, barrier, 110);
    assert_eq!(barriers.overtakes_from_ms(), Some(150));
    assert_eq!(barriers.on_barrier(0, barrier, 120), blocked());
    assert_eq!(barriers.overtake(), Some((Taken { barrier, since_ms: 110 }, vec![false, true, true])));
    assert_eq!(barriers.overtakes_from_ms(), None);
    assert_eq!(barriers.on_barrier(1, barrier, 160), Outcome::default());
}

#[test]
fn an_announced_barrier_overtakes_none_that_may_not() {
    let mut barriers = Barriers::new(vec![true; 2]);
    let savepoint = barrier(1);
    let unaligned = Barrier { checkpoint: 2, ..with(Alignment::Unaligned) };
    barriers.announce(0, savepoint, 0);
    barriers.announce(0, unaligned, 0);
    assert_eq!(barriers.overtakes_from_ms(), None);
    assert_eq!(barriers.on_barrier(0, savepoint, 1), blocked());
    assert_eq!(barriers.on_barrier(1, savepoint, 2), taken(savepoint, 1));
    barriers.begin_announced(3);
    assert_eq!(barriers.overtakes_from_ms(), Some(i64::MIN));
    barriers.announce(0, Barrier { checkpoint: 3, ..savepoint }, 4);
    assert!(barriers.abort(2));
    barriers.announce(1, Barrier { checkpoint: 4, ..unaligned }, 5);
    assert_eq!(barriers.overtakes_from_ms(), None);
    assert!(!barriers.abort(3));
    barriers.begin_announced(6);
    assert_eq!(barriers.overtakes_from_ms(), Some(i64::MIN), "what is before it was given up");
}

#[test]
fn barriers_wait_for_channels_that_cannot_be_overtaken() {
    let mut barriers = Barriers::new(vec![true, false]);
    let barrier = with(Alignment::Unaligned);
    barriers.announce(0, barrier, 0);
    barriers.announce(1, barrier, 0);
    assert_eq!(barriers.overtakes_from_ms(), None);
    assert_eq!(barriers.on_barrier(1, barrier, 1), blocked());
    assert_eq!(barriers.overtakes_from_ms(), Some(i64::MIN));
    assert_eq!(barriers.overtake().unwrap().1, [true, false]);
}

proptest! {
    /// Whatever the interleaving of channels that each deliver some of the checkpoints in order: checkpoints that all
    /// channels deliver are taken in order unless given up, and in the end nothing waits.
    #[test]
    fn every_checkpoint_is_taken_or_given_up(
        channels in vec(vec(any::<bool>(), 6), 1..5),
        order in vec(0usize..5, 0..60),
    ) {
        let mut queues: Vec<Vec<u64>> = channels
            .iter()
            .map(|sends| (1..=6).rev().filter(|n| sends[*n as usize - 1]).collect())
            .collect();
        let mut barriers = Barriers::new(vec![true; queues.len()]);
        let mut waiting = vec![false; queues.len()];
        let mut ended = vec![false; queues.len()];
        let (mut done, mut given_up) = (vec![], vec![]);
        let everyone = (0..queues.len()).cycle().take(queues.len() * 8);
        for channel in order.into_iter().chain(everyone).filter(|c| *c < channels.len()) {
            if waiting[channel] || ended[channel] {
                continue;
            }
            let outcome = match queues[channel].pop() {
                Some(checkpoint) => barriers.on_barrier(channel, barrier(checkpoint), 0),
                None => {
                    ended[channel] = true;
                    barriers.on_end(channel)
                }
            };
            if outcome.unblock || outcome.taken.is_some() {
                waiting.fill(false);
            }
            given_up.extend(outcome.cancelled);
            waiting[channel] = outcome.block;
            done.extend(outcome.taken.map(|taken| taken.barrier.checkpoint));
        }
        prop_assert!(ended.iter().all(|ended| *ended), "nothing waits for ever");
        prop_assert!(done.is_sorted_by(|a, b| a < b));
        for checkpoint in 1..=6u64 {
            let all = channels.iter().all(|sends| sends[checkpoint as usize - 1]);
            let settled = done.contains(&checkpoint) || given_up.contains(&checkpoint);
            prop_assert!(!all || settled || done.iter().chain(&given_up).any(|other| *other > checkpoint));
        }
    }
}
