//! Checkpoints that a job cannot start from: named, with what would help.

use super::setup::{Bench, CHECKPOINT_DIR, pipeline};
use headwater_types::{Error, ErrorKind};
use std::path::{Path, PathBuf};

/// A job directory with two retained checkpoints, newest first.
fn retained(bench: &Bench) -> Vec<PathBuf> {
    let retain = [
        ("execution.checkpointing.externalized-checkpoint-retention", "RETAIN_ON_CANCELLATION"),
        ("execution.checkpointing.num-retained", "2"),
    ];
    let job = bench.submit(&pipeline("-1", "count", 1), &retain);
    bench.wait_for_rows(100);
    job.trigger_checkpoint().unwrap();
    job.trigger_checkpoint().unwrap();
    job.cancel();
    job.wait();
    let files = bench.files();
    let manifests = files.iter().filter_map(|file| file.strip_suffix("/_metadata"));
    let mut found: Vec<PathBuf> =
        manifests.map(|path| Path::new(&bench.directory(CHECKPOINT_DIR)).join(path)).collect();
    let number = |path: &PathBuf| path.file_name().unwrap().to_str().unwrap()[4..].parse::<u64>().unwrap();
    found.sort_by_key(|path| std::cmp::Reverse(number(path)));
    assert_eq!(found.len(), 2);
    found
}

/// Why a job does not start from there.
fn refusal(bench: &Bench, path: &Path, options: &[(&str, &str)]) -> Error {
    let path = path.to_str().unwrap();
    let options = [options, &[("execution.state-recovery.path", path)]].concat();
    match bench.try_submit(&pipeline("-1", "count", 1), &options) {
        Ok(job) => job.wait().error.unwrap(),
        Err(error) => error,
    }
}

#[test]
fn a_damaged_manifest_is_named_with_the_next_older_checkpoint() {
    let bench = Bench::new();
    let found = retained(&bench);
    let manifest = found[0].join("_metadata");
    let whole = std::fs::read(&manifest).unwrap();
    let mut flipped = whole.clone();
    flipped[60] ^= 1;
    for damaged in [&flipped[..], &whole[..whole.len() - 30], b""] {
        std::fs::write(&manifest, damaged).unwrap();
        for path in [&found[0], &manifest, &found[0].parent().unwrap().to_path_buf()] {
            let error = refusal(&bench, path, &[]);
            assert_eq!(error.kind(), ErrorKind::Corruption, "{error}");
            assert!(error.message().contains(manifest.to_str().unwrap()), "{error}");
            assert!(error.message().contains(&format!("complete is '{}'", found[1].display())), "{error}");
        }
    }
}

#[test]
fn missing_and_damaged_runs_are_named() {
    let bench = Bench::new();
    let found = retained(&bench);
    let shared = found[0].parent().unwrap().join("shared");
    let runs: Vec<PathBuf> = std::fs::read_dir(&shared).unwrap().map(|entry| entry.unwrap().path()).collect();
    let contents: Vec<Vec<u8>> = runs.iter().map(|run| std::fs::read(run).unwrap()).collect();
    for (run, content) in runs.iter().zip(&contents) {
        let middle = content.len() / 2;
        let flipped = [&content[..middle], &[content[middle] ^ 1], &content[middle + 1..]].concat();
        std::fs::write(run, flipped).unwrap();
    }
    let error = refusal(&bench, &found[0], &[("restart-strategy.type", "exponential-delay")]);
    assert!(error.kind() == ErrorKind::Corruption && error.message().contains("shared/"), "{error}");
    for run in &runs {
        std::fs::remove_file(run).unwrap();
    }
    let error = refusal(&bench, &found[0], &[]);
    assert!(error.message().contains("is missing; there is no older checkpoint beside it"), "{error}");
}

#[test]
fn what_does_not_fit_is_refused_with_what_would_be_needed() {
    let bench = Bench::new();
    let found = retained(&bench);
    let path = found[0].to_str().unwrap();
    let submit = |uid: &str, options: &[(&str, &str)]| {
        let options = [options, &[("execution.state-recovery.path", path)]].concat();
        bench.try_submit(&pipeline("-1", uid, 1), &options)
    };
    let error = submit("pass", &[]).err().unwrap();
    assert!(
        error.message().contains("'count' (count)") && error.message().contains("ignore-unclaimed-state"),
        "{error}"
    );
    submit("pass", &[("execution.state-recovery.ignore-unclaimed-state", "true")]).unwrap().cancel();
    let mut other = pipeline("-1", "count", 1);
    other.max_parallelism = 64;
    other.config.set("pipeline.max-parallelism", "64");
    let error = bench.try_submit(&other, &[("execution.state-recovery.path", path)]).err().unwrap();
    assert!(error.message().contains("set 'pipeline.max-parallelism' to 128"), "{error}");
    let error = refusal(&bench, Path::new(&bench.directory("nowhere")), &[]);
    assert!(error.message().starts_with("there is no checkpoint at"), "{error}");
}
