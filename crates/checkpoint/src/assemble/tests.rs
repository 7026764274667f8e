//! Runs through checkpoints that complete, fail, restart and are merged, against a model of the state.
#![allow(clippy::single_range_in_vec_init, reason = "lists of ranges, not of numbers")]

use super::*;
use crate::manifest::RunKind;
use crate::testing::{delta, run, subtask, vertex};
use headwater_state::TableDescriptor;
use proptest::prelude::*;

fn part(runs: Vec<Run>) -> SubtaskPart {
    let descriptor = TableDescriptor::value("counts", vec![], vec![]);
    let table = TablePart { descriptor, runs, replaces: false };
    let operator = OperatorPart { uid: "count".to_owned(), watermark: 9, tables: vec![table], lists: vec![] };
    SubtaskPart { operators: vec![operator], ..SubtaskPart::default() }
}

fn checkpoint(number: u64, chain: &Chain, parts: Vec<SubtaskPart>, finished: &[u32]) -> Manifest {
    let vertices = [vertex(2)];
    assemble(Parts {
        job: JobId(1),
        job_name: "job",
        checkpoint: number,
        savepoint: false,
        triggered_ms: 0,
        completed_ms: 0,
        max_parallelism: 8,
        vertices: &vertices,
        parts: parts.into_iter().enumerate().map(|(index, part)| (subtask(0, index as u32), part)).collect(),
        finished: finished.iter().map(|index| subtask(0, *index)).collect(),
        enumerators: BTreeMap::new(),
        chain,
    })
}

fn runs(manifest: &Manifest) -> Vec<(u64, Vec<std::ops::Range<u32>>)> {
    let table = &manifest.operator("count").unwrap().tables[0];
    table.runs.iter().map(|run| (run.checkpoint, run.groups.ranges().collect())).collect()
}

#[test]
fn runs_that_are_handed_over_again_are_named_once() {
    let first = checkpoint(1, &Chain::default(), vec![part(vec![delta(1, 0..4)]), part(vec![delta(1, 4..8)])], &[]);
    let chain = Chain::of(&first);
    // Subtask 0 has not heard of the completion of 1.
    let again = vec![part(vec![delta(1, 0..4), delta(3, 0..4)]), part(vec![])];
    let second = checkpoint(3, &chain, again, &[]);
    assert_eq!(runs(&second), [(1, vec![0..4]), (1, vec![4..8]), (3, vec![0..4])]);
    assert_eq!(second.operator("count").unwrap().watermark, 9);
}

#[test]
fn the_state_of_finished_subtasks_is_left_out() {
    let first = checkpoint(1, &Chain::default(), vec![part(vec![delta(1, 0..4)]), part(vec![delta(1, 4..8)])], &[]);
    let finished = SubtaskPart { finished: true, ..SubtaskPart::default() };
    let second = checkpoint(2, &Chain::of(&first), vec![finished], &[1]);
    assert_eq!(runs(&second), []);
    assert!(second.vertices[0].is_finished());
}

#[test]
fn a_base_takes_its_groups_from_the_runs_before() {
    let mut runs = vec![];
    chain::insert(&mut runs, delta(1, 0..8));
    chain::insert(&mut runs, delta(2, 0..4));
    chain::insert(&mut runs, run(RunKind::Base, 2, 0..4, 5));
    chain::insert(&mut runs, delta(3, 0..8));
    let left: Vec<_> = runs.iter().map(|run| (run.checkpoint, run.groups.ranges().collect::<Vec<_>>())).collect();
    assert_eq!(left, [(1, vec![4..8]), (2, vec![0..4]), (3, vec![0..8])]);
}

/// What happens to a chain.
#[derive(Debug, Clone)]
enum Step {
    /// A checkpoint completes; subtasks that missed the news hand their runs over again.
    Complete { deaf: bool },
    /// A checkpoint fails: its runs come with the next one.
    Fail,
    /// The runs of a slice after the first `skip` are merged.
    Merge { upper: bool, skip: usize },
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        any::<bool>().prop_map(|deaf| Step::Complete { deaf }),
        Just(Step::Fail),
        (any::<bool>(), 0usize..4).prop_map(|(upper, skip)| Step::Merge { upper, skip }),
    ];
    prop::collection::vec(step, 1..30)
}

/// The checkpoints whose changes a chain holds, by group: what a reader would apply.
fn applied(chain: &Chain, merged: &BTreeMap<String, Vec<u64>>) -> Vec<Vec<u64>> {
    let of_group = |group| {
        let runs = chain.tables("count").get("counts").map_or(&[][..], |table| &table.runs);
        let held = |run: &Run| merged.get(&run.place.file).cloned().unwrap_or_else(|| vec![run.checkpoint]);
        runs.iter().filter(|run| run.groups.contains(group)).flat_map(held).collect()
    };
    (0..8).map(of_group).collect()
}

/// Merges a slice as the TaskManager would.
fn merge(chain: &mut Chain, upper: bool, skip: usize, merged: &mut BTreeMap<String, Vec<u64>>, number: usize) {
    let slice = if upper { 4..8 } else { 0..4 };
    let table = chain.tables("count").get("counts").map_or(vec![], |table| table.runs.clone());
    let sliced: Vec<Run> = table.into_iter().filter(|run| !run.groups.within(&slice).is_empty()).collect();
    let Some(last) = sliced.last().filter(|_| sliced.len() > skip + 1) else { return };
    let since = skip.checked_sub(1).map(|before| sliced[before].checkpoint);
    let kind = if since.is_none() { RunKind::Base } else { RunKind::Delta };
    let file = format!("merged-{number}");
    let mut run = run(kind, last.checkpoint, slice, 1);
    run.place.file.clone_from(&file);
    let held = |run: &Run| merged.get(&run.place.file).cloned().unwrap_or_else(|| vec![run.checkpoint]);
    let content = sliced[skip..].iter().flat_map(held).collect();
    merged.insert(file, content);
    assert!(chain.replace("count", "counts", since, run));
}

proptest! {
    #[test]
    fn no_change_is_lost_or_applied_twice(steps in steps()) {
        let (mut chain, mut merged) = (Chain::default(), BTreeMap::new());
        let mut tail: Vec<u64> = vec![];
        let mut known = 0;
        for (at, step) in steps.into_iter().enumerate() {
            let number = at as u64 + 1;
            match step {
                Step::Merge { upper, skip } => merge(&mut chain, upper, skip, &mut merged, at),
                Step::Fail => tail.push(number),
                Step::Complete { deaf } => {
                    tail.push(number);
                    let of_slice = |slice: std::ops::Range<u32>| part(tail.iter().map(|n| delta(*n, slice.clone())).collect());
                    let manifest = checkpoint(number, &chain, vec![of_slice(0..4), of_slice(4..8)], &[]);
                    chain = Chain::of(&manifest);
                    known = number;
                    if !deaf {
                        tail.clear();
                    }
                }
            }
            let all: Vec<u64> = applied(&chain, &merged).into_iter().flatten().collect();
            prop_assert!(all.iter().all(|n| *n <= known));
            for group in applied(&chain, &merged) {
                prop_assert!(group.windows(2).all(|pair| pair[0] < pair[1]), "{group:?}");
            }
        }
        // Every number up to the last completed one that was a checkpoint is there, in every group.
        let groups = applied(&chain, &merged);
        prop_assert!(groups.windows(2).all(|pair| pair[0] == pair[1]), "{groups:?}");
    }
}
