//! The number of runs and of bytes written again stay small.

use super::*;
use crate::testing::run;

fn deltas(bytes: &[u64]) -> Vec<Run> {
    bytes.iter().enumerate().map(|(at, bytes)| run(RunKind::Delta, at as u64 + 1, 0..8, *bytes)).collect()
}

fn chosen(bytes: &[u64]) -> Option<(usize, RunKind, Option<u64>)> {
    choose(&deltas(bytes), &(0..8)).map(|merge| (merge.runs.len(), merge.kind, merge.since))
}

#[test]
fn a_few_runs_are_left_alone() {
    assert_eq!(chosen(&[1; RUNS_MIN - 1]), None);
    assert_eq!(chosen(&[]), None);
}

#[test]
fn runs_of_one_size_become_a_base() {
    assert_eq!(chosen(&[1; RUNS_MIN]), Some((RUNS_MIN, RunKind::Base, None)));
}

#[test]
fn a_large_base_is_not_written_again_for_small_deltas() {
    let behind_a_base = |deltas: [u64; RUNS_MIN - 1]| chosen(&[&[1000][..], &deltas].concat());
    assert_eq!(behind_a_base([1; RUNS_MIN - 1]), Some((RUNS_MIN - 1, RunKind::Delta, Some(1))));
    let few_small = std::array::from_fn(|at| if at < RUNS_MIN / 2 + 1 { 300 } else { 1 });
    assert_eq!(behind_a_base(few_small), None, "too few to be worth it");
    assert_eq!(behind_a_base([300; RUNS_MIN - 1]), Some((RUNS_MIN, RunKind::Base, None)));
}

/// Many runs, as after a time when nobody merged, are merged in parts, the oldest first.
#[test]
fn no_more_runs_are_merged_at_once_than_memory_is_for() {
    assert_eq!(chosen(&[1; 3 * RUNS_AT_ONCE]), Some((RUNS_AT_ONCE, RunKind::Base, None)));
    let mut runs = deltas(&[1; 2 * RUNS_AT_ONCE]);
    runs.iter_mut().for_each(|run| run.checkpoint = 1 + run.checkpoint / 50);
    assert_eq!(at_once(&runs), 99, "whole checkpoints, of which two are more");
    assert_eq!(choose(&runs, &(0..8)).unwrap().checkpoint, 2);
}

#[test]
fn only_the_groups_of_the_slice_count() {
    let mut runs = deltas(&[10; 2 * RUNS_MIN]);
    for (at, run) in runs.iter_mut().enumerate() {
        run.groups = GroupSet::of(if at % 2 == 0 { 0..4 } else { 4..8 });
    }
    let merge = choose(&runs, &(0..4)).unwrap();
    assert_eq!((merge.runs.len(), merge.groups), (RUNS_MIN, GroupSet::of(0..4)));
    assert_eq!(choose(&runs[..2 * RUNS_MIN - 2], &(0..4)), None);
}

/// Checkpoints forever: each adds a delta of 1 % of the state, and merges happen at once.
#[test]
fn a_long_life_writes_each_byte_a_few_times() {
    let (mut runs, mut written, mut runs_max) = (vec![run(RunKind::Base, 0, 0..8, 10_000)], 0u64, 0);
    for checkpoint in 1..=2000 {
        runs.push(run(RunKind::Delta, checkpoint, 0..8, 100));
        while let Some(merge) = choose(&runs, &(0..8)) {
            let bytes: u64 = merge.runs.iter().map(|run| run.place.bytes).sum();
            // A base has as many entries as the state, however many changes it is made of.
            let bytes = if merge.kind == RunKind::Base { bytes.min(10_000) } else { bytes };
            written += bytes;
            runs.truncate(runs.len() - merge.runs.len());
            runs.push(run(merge.kind, merge.checkpoint, 0..8, bytes));
        }
        runs_max = runs_max.max(runs.len());
    }
    assert!(runs_max <= RUNS_MAX, "{runs_max}");
    assert!(written < 2000 * 100 * 6, "{written} bytes were written again");
}

/// Runs of a table that knows how many entries it has: as many as there are bytes.
fn of_table(bytes: &[u64], live: u64) -> Vec<Run> {
    deltas(bytes).into_iter().map(|run| Run { live: Some(live), ..run }).collect()
}

fn chosen_of_table(bytes: &[u64], live: u64) -> Option<(usize, RunKind, Option<u64>)> {
    choose(&of_table(bytes, live), &(0..8)).map(|merge| (merge.runs.len(), merge.kind, merge.since))
}

#[test]
fn what_was_hardly_replaced_is_gathered() {
    let all = RUNS_MIN as u64;
    assert_eq!(chosen_of_table(&[1; RUNS_MIN], all), Some((RUNS_MIN, RunKind::Delta, None)));
    assert_eq!(chosen_of_table(&[1; RUNS_MIN], all / 2), Some((RUNS_MIN, RunKind::Delta, None)));
    assert_eq!(chosen_of_table(&[1; RUNS_MIN], all / 2 - 1), Some((RUNS_MIN, RunKind::Base, None)));
}

#[test]
fn large_runs_stay_until_there_are_too_many() {
    let large = LARGE_BYTES + 1;
    assert_eq!(chosen_of_table(&[large; RUNS_MAX], u64::MAX), None);
    assert_eq!(chosen_of_table(&[large; RUNS_MAX + 1], u64::MAX), Some((RUNS_MAX + 1, RunKind::Delta, None)));
    // What was replaced is taken out all the same, and so is much in few bytes.
    assert_eq!(chosen_of_table(&[large; RUNS_MIN], large), Some((RUNS_MIN, RunKind::Base, None)));
}

#[test]
fn the_newest_run_of_each_group_knows_what_counts() {
    let mut runs = of_table(&[8; RUNS_MIN], 1);
    let last = runs.len() - 1;
    runs[last].live = Some(1000);
    assert_eq!(live_entries(&runs, &(0..8)), Some(1000));
    runs[last].groups = GroupSet::of(0..4);
    assert_eq!(live_entries(&runs, &(4..8)), Some(0), "half of one entry");
    assert_eq!(live_entries(&runs, &(0..4)), Some(1000));
    runs[last].live = None;
    assert_eq!(live_entries(&runs, &(0..8)), None);
}
