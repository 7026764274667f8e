//! Files that running tasks were restored from.

use super::setup::{self, Bench, CHECKPOINT_DIR, pipeline};
use headwater_checkpoint::Manifest;
use headwater_checkpoint::manifest::decode;
use std::path::Path;

/// The manifest in a checkpoint's directory.
fn manifest(directory: &str) -> Manifest {
    let path = Path::new(directory).join("_metadata");
    decode(directory, &std::fs::read(path).unwrap()).unwrap()
}

#[test]
fn files_that_tasks_started_from_stay_as_long_as_they_run() {
    let bench = Bench::new();
    // The counter breaks when it has taken part in three checkpoints.
    let job = bench.submit(&pipeline("-1", "break", 2), &[("execution.checkpointing.interval", "1 h")]);
    setup::wait_until(|| {
        let _ = job.trigger_checkpoint();
        job.status().unwrap().restarts == 1 && job.checkpoints().unwrap().restored.is_some()
    });
    let (_, path) = job.checkpoints().unwrap().restored.unwrap();
    let root = Path::new(&path).parent().unwrap().to_owned();
    let started_from = match std::fs::exists(Path::new(&path).join("_metadata")) {
        Ok(true) => manifest(&path),
        // A checkpoint that was asked for meanwhile has replaced it: there is nothing to compare.
        _ => return,
    };
    let files: Vec<String> = started_from.files().into_iter().map(str::to_owned).collect();
    assert!(!files.is_empty());
    let is_there = |file: &String| root.join(file).exists();
    // Until merges have replaced some of them in the checkpoints to come.
    setup::wait_until(|| {
        let stored = job.trigger_checkpoint().unwrap();
        let named = manifest(&stored.path);
        files.iter().any(|file| !named.files().contains(file.as_str()))
    });
    (0..3).for_each(|_| drop(job.trigger_checkpoint().unwrap()));
    assert!(files.iter().all(is_there), "{:?}", bench.files());
    job.cancel();
    job.wait();
    assert_eq!(bench.files(), Vec::<String>::new(), "below {}", bench.directory(CHECKPOINT_DIR));
}
