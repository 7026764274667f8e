//! Damaged checkpoints are named, and so is what can be used in their place.

use super::*;
use headwater_checkpoint::GroupSet;
use headwater_checkpoint::manifest::{OperatorState, Place, Run, RunKind, TableState, encode};
use headwater_state::TableDescriptor;
use headwater_types::ids::JobId;
use std::path::Path;

/// A checkpoint whose state is in these files.
fn manifest(checkpoint: u64, files: &[&str]) -> Manifest {
    let run = |file: &&str| Run {
        kind: RunKind::Delta,
        checkpoint,
        groups: GroupSet::of(0..8),
        entries: 1,
        live: None,
        place: Place { file: format!("shared/{file}"), offset: 0, bytes: 4, checksum: 0 },
    };
    let table = TableDescriptor::value("t", vec![], vec![]);
    let tables = vec![TableState { descriptor: table, runs: files.iter().map(run).collect() }];
    Manifest {
        job: JobId(1),
        job_name: "job".to_owned(),
        checkpoint,
        savepoint: false,
        triggered_ms: 0,
        completed_ms: 0,
        max_parallelism: 8,
        vertices: vec![],
        operators: vec![OperatorState { tables, ..OperatorState::new("count", "count") }],
    }
}

/// A job's directory with checkpoints and the files that they name.
fn job(directory: &Path, checkpoints: &[(u64, &[&str])]) {
    std::fs::create_dir_all(directory.join("shared")).unwrap();
    for (checkpoint, files) in checkpoints {
        let own = directory.join(format!("chk-{checkpoint}"));
        std::fs::create_dir_all(&own).unwrap();
        std::fs::write(own.join(MANIFEST), encode(&manifest(*checkpoint, files)).unwrap()).unwrap();
        files.iter().for_each(|file| std::fs::write(directory.join("shared").join(file), "1234").unwrap());
    }
}

fn find(path: &Path) -> Result<Origin> {
    locate(&headwater_storage::Provider, &path.display().to_string(), &Configuration::default())
}

/// What is said when a file of the newest checkpoint turns out to be damaged, with paths as they are in the job.
fn advice(checkpoints: &[(u64, &[&str])]) -> String {
    let directory = tempfile::tempdir().unwrap();
    job(directory.path(), checkpoints);
    let origin = find(directory.path()).unwrap();
    let above = origin.path.strip_suffix(&format!("chk-{}", origin.manifest.checkpoint)).unwrap();
    origin.advice.replace(above, "")
}

#[test]
fn what_else_could_be_used_is_said_with_the_files_it_shares() {
    assert_eq!(
        advice(&[(3, &["a"])]),
        "the file is of 'chk-3'; there is no older checkpoint beside it that could be used"
    );
    assert_eq!(
        advice(&[(2, &["b"]), (3, &["a"])]),
        "the file is of 'chk-3'; the next older checkpoint that is complete is 'chk-2'"
    );
    assert_eq!(
        advice(&[(1, &["a"]), (2, &["b"]), (3, &["b", "c"])]),
        "the file is of 'chk-3'; the next older checkpoint that is complete is 'chk-2', and if that names the same file, \
         'chk-1' shares none"
    );
    assert_eq!(
        advice(&[(1, &["b"]), (2, &["b"]), (3, &["b", "c"])]),
        "the file is of 'chk-3'; the next older checkpoint that is complete is 'chk-2', and if that names the same file, \
         the newest savepoint is left"
    );
}

#[test]
fn a_checkpoint_without_one_of_its_files_is_not_used() {
    let directory = tempfile::tempdir().unwrap();
    job(directory.path(), &[(1, &["a"]), (2, &["b"]), (3, &["b", "c"])]);
    std::fs::remove_file(directory.path().join("shared/b")).unwrap();
    let error = find(directory.path()).map(drop).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Corruption);
    let message = error.message();
    assert!(message.contains("shared/b' is missing; the next older checkpoint that is complete is"), "{message}");
    assert!(message.ends_with("/chk-1'"), "{message}");
}

#[test]
fn a_cut_manifest_is_not_skipped() {
    let directory = tempfile::tempdir().unwrap();
    job(directory.path(), &[(1, &["a"]), (2, &["b"])]);
    std::fs::write(directory.path().join("chk-2").join(MANIFEST), "headwater-checkpoint 1\n{").unwrap();
    for path in [directory.path().to_owned(), directory.path().join("chk-2")] {
        let message = find(&path).map(drop).unwrap_err().message().to_owned();
        assert!(message.contains("chk-2/_metadata' is unusable: it is cut short"), "{message}");
        assert!(message.ends_with("/chk-1'"), "{message}");
    }
}
