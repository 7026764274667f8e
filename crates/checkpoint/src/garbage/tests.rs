//! Nothing that is needed is deleted, and nothing else stays.

use super::*;
use crate::layout::{blob_file, manifest_file, merged_file, run_file};
use crate::manifest::{Blob, RunKind};
use crate::testing::{manifest, place, run, subtask};
use proptest::prelude::*;

/// A manifest of a checkpoint that names these run files and a blob of its own.
fn checkpoint(number: u64, files: &[String]) -> Manifest {
    let mut made = manifest();
    made.checkpoint = number;
    made.operators[0].enumerator = Some(Blob::Stored(place(&blob_file(number, subtask(0, 0), 0), 1)));
    let runs = files.iter().map(|file| {
        let mut run = run(RunKind::Delta, 1, 0..8, 1);
        run.place.file.clone_from(file);
        run
    });
    made.operators[1].tables[0].runs = runs.collect();
    made
}

fn runs_of(number: u64) -> String {
    run_file(number, subtask(0, 0), 1)
}

#[test]
fn only_old_and_unnamed_files_go_manifests_first() {
    let mut roots = Roots::default();
    for number in [3, 4, 5] {
        roots.retain(&checkpoint(number, &[runs_of(1), runs_of(number)]));
    }
    assert_eq!(roots.release(2), [3]);
    roots.merged.insert(merged_file(4, 1));
    let files = [
        runs_of(1),
        runs_of(2),
        runs_of(3),
        blob_file(3, subtask(0, 0), 0),
        manifest_file(3),
        manifest_file(4),
        manifest_file(6),
        runs_of(5),
        runs_of(6),
        merged_file(4, 1),
        merged_file(4, 2),
        "somebody's notes".to_owned(),
    ];
    let garbage = roots.garbage(files.iter().map(String::as_str), 5);
    assert_eq!(
        garbage,
        [manifest_file(3), runs_of(2), runs_of(3), blob_file(3, subtask(0, 0), 0), merged_file(4, 2)],
        "the runs of 2 are of a failed checkpoint, those of 6 of one to come"
    );
}

#[test]
fn what_running_tasks_were_restored_from_stays_but_the_checkpoint_is_gone() {
    let mut roots = Roots::default();
    roots.pin(2, &checkpoint(3, &[runs_of(1), runs_of(3)]));
    roots.retain(&checkpoint(5, &[runs_of(5)]));
    let files = [runs_of(1), runs_of(2), runs_of(3), manifest_file(3), runs_of(5)];
    let garbage = |roots: &Roots| roots.garbage(files.iter().map(String::as_str), 5);
    assert_eq!(garbage(&roots), [manifest_file(3), runs_of(2)]);
    roots.unpin(|attempt| attempt == 2);
    assert_eq!(garbage(&roots), [manifest_file(3), runs_of(2)]);
    roots.unpin(|attempt| attempt == 3);
    assert_eq!(garbage(&roots), [manifest_file(3), runs_of(1), runs_of(2), runs_of(3)]);
}

#[test]
fn of_a_finished_job_the_newest_manifest_goes_last() {
    let files: Vec<String> = [10, 9, 11].map(manifest_file).into_iter().chain([runs_of(9)]).collect();
    let garbage = Roots::default().garbage(files.iter().map(String::as_str), u64::MAX);
    assert_eq!(garbage, [manifest_file(9), manifest_file(10), manifest_file(11), runs_of(9)]);
}

proptest! {
    /// Checkpoints complete or fail; a failed one's runs are named by the next that completes. Whatever a retained
    /// manifest or a coming checkpoint names is there after every collection, and at the end nothing else is.
    #[test]
    fn what_is_named_stays(outcomes in prop::collection::vec((any::<bool>(), 0usize..5), 1..40), keep in 1usize..4) {
        let (mut roots, mut there, mut tail, mut chain) = (Roots::default(), BTreeSet::new(), vec![], vec![]);
        let mut manifests: Vec<Manifest> = vec![];
        for (at, (completes, dropped)) in outcomes.into_iter().enumerate() {
            let number = at as u64 + 1;
            there.insert(runs_of(number));
            tail.push(runs_of(number));
            if !completes {
                continue;
            }
            // A merge has dropped some of the oldest runs.
            let dropped = dropped.min(chain.len());
            chain = chain.split_off(dropped);
            chain.append(&mut tail);
            let made = checkpoint(number, &chain);
            there.extend(made.files().into_iter().map(str::to_owned));
            there.insert(manifest_file(number));
            roots.retain(&made);
            manifests.push(made);
            roots.release(keep);
            for file in roots.garbage(there.clone().iter().map(String::as_str), number) {
                there.remove(&file);
            }
            let retained = &manifests[manifests.len().saturating_sub(keep)..];
            let mut needed: BTreeSet<String> = BTreeSet::new();
            for made in retained {
                needed.insert(manifest_file(made.checkpoint));
                needed.extend(made.files().into_iter().map(str::to_owned));
            }
            prop_assert_eq!(&there, &needed);
        }
        prop_assert!(tail.iter().all(|file| there.contains(file)), "a coming checkpoint names the runs of failed ones");
    }
}
