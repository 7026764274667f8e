//! State that earlier versions stored can be loaded: a job goes on from it and ends with the right result.
//!
//! Each directory of `tests/fixtures` holds a checkpoint and a savepoint of the job below, taken when a part of its input
//! was read.
//! One side of its join had ended by then, so its rows are nowhere but in the state. Fixtures are never written
//! again: a change of the format gets a new directory beside, made by this test with `HEADWATER_WRITE_FIXTURES` set to
//! its path.

#[path = "../common/mod.rs"]
mod common;

use headwater_connectors::values::Store;
use headwater_embedded::{Engine, JobHandle};
use headwater_plan::Value;
use headwater_types::RowKind;
use headwater_types::config::Configuration;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// Orders in all.
const ORDERS: i64 = 600;
/// Rows that the sink has when state is stored.
const ROWS_BEFORE: usize = 40;

#[test]
fn state_of_this_version_is_loaded() {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let kept = std::env::var_os("HEADWATER_WRITE_FIXTURES").map(PathBuf::from);
    let root = kept.as_deref().unwrap_or(directory.path());
    store(root);
    load(&root.join("checkpoint"), "this-checkpoint", 1);
    load(&root.join("savepoint"), "this-savepoint", 3);
}

#[test]
fn state_of_earlier_versions_is_loaded() {
    for version in ["v1", "v2", "v3"] {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures").join(version);
        load(&root.join("checkpoint"), &format!("{version}-checkpoint"), 2);
        load(&root.join("savepoint"), &format!("{version}-savepoint"), 1);
    }
}

/// Runs the job for a while and leaves a checkpoint and a savepoint.
fn store(root: &Path) {
    let retention = "execution.checkpointing.externalized-checkpoint-retention";
    let (checkpoints, savepoints) = (root.join("checkpoint"), root.join("savepoint"));
    let settings = [
        ("parallelism.default", "2"),
        ("execution.checkpointing.interval", "1 h"),
        ("execution.checkpointing.dir", text(&checkpoints)),
        (retention, "RETAIN_ON_CANCELLATION"),
    ];
    let mut engine = engine(&settings);
    let job = submit(&mut engine, "stored-before", 200);
    while Store::results("stored-before").len() < ROWS_BEFORE {
        job.trigger_checkpoint().expect("the job takes checkpoints");
    }
    job.trigger_savepoint(Some(text(&savepoints))).expect("the job takes savepoints");
    job.cancel();
    job.wait();
    assert!(Store::results("stored-before").len() < ORDERS as usize, "the job still had input");
}

/// Goes on from stored state to the end of the input.
fn load(path: &Path, sink: &str, parallelism: u32) {
    let parallelism = parallelism.to_string();
    let mut engine =
        engine(&[("parallelism.default", parallelism.as_str()), ("execution.state-recovery.path", text(path))]);
    let result = submit(&mut engine, sink, 100_000).wait();
    result.into_result().unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    assert_eq!(totals(sink), expected(), "{}", path.display());
}

fn engine(settings: &[(&str, &str)]) -> Engine {
    let mut config = Configuration::new();
    for (key, value) in settings {
        config.set(*key, *value);
    }
    config.set("pipeline.max-parallelism", "8");
    Engine::new(config)
}

fn submit(engine: &mut Engine, sink: &str, rows_per_second: u32) -> JobHandle {
    let script = include_str!("job.sql");
    let script = script.replace("{sink}", sink).replace("{rows-per-second}", &rows_per_second.to_string());
    let planned = common::planned(engine, &script);
    engine.start_job(&planned).expect("the job starts")
}

/// What the sink ends with, by name.
fn totals(sink: &str) -> BTreeMap<String, Vec<Value>> {
    let mut last = BTreeMap::new();
    for (kind, values) in Store::results(sink) {
        let name = format!("{:?}", values[0]);
        match kind {
            RowKind::Insert | RowKind::UpdateAfter => drop(last.insert(name, values[1..].to_vec())),
            RowKind::UpdateBefore | RowKind::Delete => drop(last.remove(&name)),
        }
    }
    last
}

/// Count, sum, maximum and distinct last digits of the orders of each name.
fn expected() -> BTreeMap<String, Vec<Value>> {
    let of = |remainder: i64| (1..=ORDERS).filter(move |id| id % 3 == remainder);
    let names = ["zero", "one", "two"].into_iter().zip(0..);
    let row = |(name, remainder): (&str, i64)| {
        let counted = [of(remainder).count() as i64, of(remainder).sum(), of(remainder).max().unwrap_or(0), 10];
        (format!("{:?}", Value::String(name.into())), counted.map(Value::Int).to_vec())
    };
    names.map(row).collect()
}

fn text(path: &Path) -> &str {
    path.to_str().expect("the path of a temporary file is text")
}
