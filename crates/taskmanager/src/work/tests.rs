//! State on disk goes with its process: at its end, or at the start of another one.

use super::*;
use crate::testing::Scratch;
use std::fs;

/// A root that goes with the test, and the configuration that names it.
fn root() -> (Scratch, Configuration, PathBuf) {
    let scratch = Scratch::new();
    let mut config = Configuration::new();
    config.set("state.backend.type", "rocksdb");
    config.set("state.backend.rocksdb.localdir", scratch.0.to_str().unwrap());
    let StateEngine::Disk { directory, .. } = StateOptions::from_config(&config).unwrap().engine else {
        panic!("state is on disk")
    };
    (scratch, config, directory)
}

fn placed(directories: &mut WorkDirectories, config: &Configuration) -> PathBuf {
    let mut options = StateOptions::from_config(config).unwrap();
    directories.place(&mut options).unwrap();
    match options.engine {
        StateEngine::Disk { directory, .. } => directory,
        StateEngine::HashMap => PathBuf::new(),
    }
}

#[test]
fn every_task_manager_has_a_directory_of_its_own_which_goes_with_it() {
    let (_scratch, config, root) = root();
    let (mut one, mut other) = (WorkDirectories::default(), WorkDirectories::default());
    let (first, second) = (placed(&mut one, &config), placed(&mut other, &config));
    assert_eq!(placed(&mut one, &config), first, "all of its jobs are there");
    assert!(first != second && first.starts_with(&root) && second.starts_with(&root));
    fs::create_dir(first.join("job-0")).unwrap();
    drop(one);
    assert!(!first.exists() && second.exists());
}

#[test]
fn what_a_killed_process_left_goes_when_another_one_starts_and_what_lives_stays() {
    let (_scratch, config, root) = root();
    let mut alive = WorkDirectories::default();
    let living = placed(&mut alive, &config);
    // Nobody holds the lock of this one.
    let dead = root.join("tm_77-0");
    fs::create_dir_all(dead.join("job-0/0-0-1")).unwrap();
    fs::write(dead.join("owner"), "").unwrap();
    let foreign = root.join("something-else");
    fs::create_dir(&foreign).unwrap();
    remove_leftovers(&config);
    assert!(!dead.exists() && living.exists() && foreign.exists());
    fs::create_dir_all(&dead).unwrap();
    fs::write(dead.join("owner"), "").unwrap();
    let other = placed(&mut WorkDirectories::default(), &config);
    assert!(!dead.exists() && !other.exists() && living.exists(), "a job that names the place looks, too");
}

#[test]
fn state_in_memory_needs_no_directory() {
    let mut directories = WorkDirectories::default();
    assert_eq!(placed(&mut directories, &Configuration::new()), PathBuf::new());
    assert!(directories.own.is_empty());
}
