//! Every piece of state goes to exactly the subtasks that need it, and what does not fit is refused.
#![allow(clippy::single_range_in_vec_init, reason = "lists of ranges, not of numbers")]

use super::*;
use crate::manifest::{Channel, Spread};
use crate::testing::{blobs, manifest, subtask, vertex};
use expect_test::expect;
use proptest::prelude::*;

fn bytes(items: &[Blob]) -> Vec<u8> {
    let inline = |item: &Blob| match item {
        Blob::Inline(bytes) => bytes.clone(),
        Blob::Stored(_) => vec![],
    };
    items.iter().flat_map(inline).collect()
}

fn planned(manifest: &Manifest, parallelism: u32) -> Vec<SubtaskRestore> {
    plan(manifest, &[vertex(parallelism)], 8).subtasks.into_values().collect()
}

#[test]
fn the_same_parallelism_gives_everyone_its_own() {
    let restored = planned(&manifest(), 2);
    assert_eq!((bytes(&restored[0].splits), bytes(&restored[1].splits)), (b"ab".to_vec(), b"c".to_vec()));
    assert_eq!(restored[0].operators[1].watermark, 5);
    assert_eq!(restored[0].operators[1].tables[0].runs.len(), 2);
    assert_eq!(restored[1].operators[1].tables[0].runs.len(), 1);
    assert_eq!(plan(&manifest(), &[vertex(2)], 8).enumerators.len(), 1);
}

#[test]
fn another_parallelism_deals_out_splits_and_slices_runs() {
    let restored = planned(&manifest(), 3);
    let splits: Vec<_> = restored.iter().map(|subtask| bytes(&subtask.splits)).collect();
    assert_eq!(splits, [b"a".to_vec(), b"b".to_vec(), b"c".to_vec()]);
    let runs = |at: usize| -> Vec<_> {
        let table = &restored[at].operators[1].tables[0];
        table.runs.iter().map(|run| (run.checkpoint, run.groups.ranges().collect::<Vec<_>>())).collect()
    };
    assert_eq!(runs(1), [(1, vec![3..4]), (1, vec![4..6]), (3, vec![3..4])]);
    assert_eq!(runs(2), [(1, vec![6..8])]);
}

#[test]
fn lists_follow_their_redistribution() {
    let mut stored = manifest();
    for (redistribution, expected) in [
        (Redistribution::Split, [&b"ac"[..], b"b"]),
        (Redistribution::Union, [b"abc", b"abc"]),
        (Redistribution::Broadcast, [b"a", b"a"]),
    ] {
        let parts = blobs(&[(0, b"a"), (1, b"b"), (2, b"c")]);
        stored.operators[1].lists = vec![ListState { name: "l".to_owned(), redistribution, parts }];
        stored.vertices[0].parallelism = 3;
        let lists: Vec<_> = planned(&stored, 2).iter().map(|s| bytes(&s.operators[1].lists[0].items)).collect();
        assert_eq!(lists, expected, "{redistribution:?}");
    }
}

#[test]
fn finished_vertices_stay_finished_and_finished_subtasks_when_they_can() {
    let mut stored = manifest();
    let finished = |stored: &Manifest, parallelism| -> Vec<bool> {
        planned(stored, parallelism).iter().map(|subtask| subtask.finished).collect()
    };
    stored.vertices[0].finished = vec![1];
    assert_eq!(finished(&stored, 2), [false, true]);
    assert_eq!(finished(&stored, 3), [false; 3]);
    stored.vertices[0].finished = vec![0, 1];
    assert_eq!(finished(&stored, 3), [true; 3]);
}

#[test]
fn rows_on_their_way_move_with_hash_edges_and_not_with_broadcasts() {
    let mut stored = manifest();
    let channel = |subtask, spread| Channel { subtask, edge: 0, spread, rows: Blob::Inline(vec![subtask as u8]) };
    stored.vertices[0].channels = vec![channel(0, Spread::Hash), channel(1, Spread::Any)];
    let rows: Vec<usize> = planned(&stored, 3).iter().map(|subtask| subtask.channels.len()).collect();
    assert_eq!(rows, [1, 2, 1], "all of the hash edge, each row of the other once");
    assert!(check("c", &stored, &[vertex(3)], 8, false).is_ok());
    stored.vertices[0].channels.push(channel(0, Spread::Broadcast));
    assert!(check("c", &stored, &[vertex(2)], 8, false).is_ok());
    expect!["'c' is an unaligned checkpoint with rows on their way to 'source -> count', which the job now runs differently (parallelism 2 then, 3 now): start at the old parallelism, or from a savepoint, which holds no such rows"]
        .assert_eq(check("c", &stored, &[vertex(3)], 8, false).unwrap_err().message());
}

#[test]
fn what_does_not_fit_is_refused_with_what_would() {
    let refused = |vertex: Vertex, groups, ignore| check("c", &manifest(), &[vertex], groups, ignore);
    expect!["'c' has 8 key groups and the job has 16: the number is fixed for the life of its state, so set 'pipeline.max-parallelism' to 8"]
        .assert_eq(refused(vertex(2), 16, false).unwrap_err().message());
    assert!(refused(vertex(9), 8, false).unwrap_err().message().contains("at most 8 subtasks"));
    let mut renamed = vertex(2);
    renamed.operators[1].key = "sum".to_owned();
    expect!["'c' holds state of operators that the job does not have: 'count' (count). Start from a checkpoint of this job, or set 'execution.state-recovery.ignore-unclaimed-state' to true to leave that state behind"]
        .assert_eq(refused(renamed.clone(), 8, false).unwrap_err().message());
    assert!(refused(renamed.clone(), 8, true).is_ok());
    assert_eq!(plan(&manifest(), &[renamed], 8).dropped, ["count"]);
    let mut other = vertex(2);
    other.operators.iter_mut().for_each(|operator| operator.key = format!("other-{}", operator.key));
    assert!(refused(other, 8, false).unwrap_err().message().contains("taken by another job, 'job' (0000"));
}

proptest! {
    /// At any parallelism every key group of every run is read by exactly one subtask, and every split too.
    #[test]
    fn nothing_is_lost_or_given_twice(parallelism in 1u32..=8) {
        let plan = plan(&manifest(), &[vertex(parallelism)], 8);
        let mut groups = vec![];
        let mut splits = vec![];
        for index in 0..parallelism {
            let restore = &plan.subtasks[&subtask(0, index)];
            splits.extend(bytes(&restore.splits));
            for run in restore.operators[1].tables.iter().flat_map(|table| &table.runs) {
                groups.extend(run.groups.ranges().flatten().map(|group| (run.checkpoint, group)));
            }
        }
        splits.sort_unstable();
        groups.sort_unstable();
        let expected: Vec<_> = (0..8).map(|group| (1, group)).chain((0..4).map(|group| (3, group))).collect();
        prop_assert_eq!((splits, groups), (b"abc".to_vec(), expected));
    }
}
