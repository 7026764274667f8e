//! Reports about the stored state that the embedded engine's tests load.

use super::inspect::summarize;
use super::verify::verify;
use super::{Comparison, open, render};
use expect_test::expect_file;
use headwater_checkpoint::WantedOperator;
use headwater_embedded::{Engine, wanted_operators};
use headwater_env::Env;
use headwater_sql::session::StatementResult;
use headwater_sql_parser::parse_script;
use headwater_types::config::Configuration;
use std::path::{Path, PathBuf};

/// The job that the fixture is of.
const JOB: &str = include_str!("../../../embedded/tests/stored_state/job.sql");

fn fixture() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../embedded/tests/fixtures/v1")
}

fn text(path: &Path) -> &str {
    path.to_str().expect("the path of a fixture is text")
}

/// A copy of a fixture that may be damaged, and the directory of its only job or savepoint.
fn copied(name: &str) -> (tempfile::TempDir, PathBuf) {
    let directory = tempfile::tempdir().expect("a temporary directory");
    copy(&fixture().join(name), directory.path());
    let own = std::fs::read_dir(directory.path()).expect("readable").next().expect("not empty").expect("readable");
    (directory, own.path())
}

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).expect("writable");
    for entry in std::fs::read_dir(from).expect("the fixture is there") {
        let (path, target) = entry.map(|e| (e.path(), to.join(e.file_name()))).expect("readable");
        match path.is_dir() {
            true => copy(&path, &target),
            false => drop(std::fs::copy(&path, &target).expect("writable")),
        }
    }
}

fn inspected(name: &str) -> String {
    let opened = open(text(&fixture().join(name)), &Configuration::new()).expect("the fixture is readable");
    let mut summary = summarize(name.to_owned(), &opened.manifest);
    summary.damages = Some(verify(&opened.manifest, opened.storage.as_ref()).expect("the fixture is readable"));
    render::summary(&summary)
}

#[test]
fn a_checkpoint_and_a_savepoint_are_described() {
    expect_file!["goldens/checkpoint.txt"].assert_eq(&inspected("checkpoint"));
    expect_file!["goldens/savepoint.txt"].assert_eq(&inspected("savepoint"));
}

#[test]
fn damaged_and_missing_files_are_named_with_what_they_hold() {
    let (_directory, path) = copied("savepoint");
    let opened = open(text(&path), &Configuration::new()).expect("the copy is readable");
    let files: Vec<PathBuf> = opened.manifest.files().into_iter().map(|file| path.join(file)).collect();
    assert!(files.len() >= 2, "{files:?}");
    std::fs::remove_file(&files[0]).expect("the file is there");
    let mut content = std::fs::read(&files[1]).expect("the file is there");
    let middle = content.len() / 2;
    content[middle] ^= 1;
    std::fs::write(&files[1], content).expect("writable");
    let opened = open(text(&path.join("_metadata")), &Configuration::new()).expect("the manifest is whole");
    let damages = verify(&opened.manifest, opened.storage.as_ref()).expect("the copy is readable");
    let named: Vec<(PathBuf, &str)> = damages.iter().map(|d| (path.join(&d.file), d.what.as_str())).collect();
    assert!(named.iter().any(|(file, what)| *file == files[0] && *what == "missing"), "{named:?}");
    assert!(named.iter().any(|(file, what)| *file == files[1] && what.contains("checksum")), "{named:?}");
    assert!(damages.iter().all(|damage| !damage.holds.is_empty()));
    let error = headwater_jobmanager::locate::locate(&headwater_storage::Provider, text(&path), &Configuration::new());
    assert!(error.is_err(), "a job would not start from it");
}

/// What a changed job would keep, and whether that is everything.
fn compared(from: &str, to: &str) -> (String, bool) {
    assert!(JOB.contains(from), "{from}");
    let script = JOB.replace(from, to).replace("{sink}", "unused").replace("{rows-per-second}", "1");
    let mut engine = Engine::new(Configuration::new());
    let (statements, error) = parse_script(&script);
    assert!(error.is_none(), "{error:?}");
    let mut opened = open(text(&fixture().join("savepoint")), &Configuration::new()).expect("the fixture is readable");
    opened.path = "savepoint".to_owned();
    for parsed in &statements {
        let result = engine.execute(&parsed.statement, &script).unwrap_or_else(|e| panic!("{}", e.render(&script)));
        if let StatementResult::Job(job) = result {
            let wanted = wanted_operators(&job.graph, &Env::real()).expect("the job can be deployed");
            let comparison = Comparison::new("job", &wanted, &opened);
            return (render::comparison(&comparison), comparison.compatible);
        }
    }
    panic!("the script has an INSERT")
}

#[test]
fn the_same_job_keeps_everything() {
    let (report, compatible) = compared("GROUP BY name", "GROUP BY name");
    assert!(compatible, "{report}");
    expect_file!["goldens/same.txt"].assert_eq(&report);
}

#[test]
fn another_aggregate_is_said() {
    expect_file!["goldens/aggregate.txt"].assert_eq(&compared("MAX(id)", "MAX(id + 1)").0);
}

#[test]
fn state_that_nobody_takes_is_lost() {
    let (report, compatible) = compared("COUNT(DISTINCT MOD(id, 10))\n", "COUNT(DISTINCT name)\n");
    assert!(!compatible, "{report}");
    expect_file!["goldens/lost.txt"].assert_eq(&report);
}

/// A savepoint is of one job: of a script with several, that one is compared.
#[test]
fn of_several_jobs_the_one_is_found_that_the_savepoint_is_of() {
    let opened = open(text(&fixture().join("savepoint")), &Configuration::new()).expect("the fixture is readable");
    let operator = |key: &str| WantedOperator { key: key.to_owned(), name: key.to_owned(), tables: vec![] };
    let ours = || vec![operator("join[$e3a67dbc=EXPR$0]"), operator("group-aggregate[name]")];
    let some = || vec![operator("group-aggregate[name]")];
    let named = opened.manifest.job_name.as_str();
    let jobs_of = |jobs: &[(&str, Vec<WantedOperator>)]| super::check::jobs_of(jobs, &opened.manifest);
    assert_eq!(jobs_of(&[("a", some()), ("b", ours()), ("c", vec![])]), [1]);
    assert_eq!(jobs_of(&[("a", ours()), (named, some())]), [1]);
    assert_eq!(jobs_of(&[("a", vec![]), ("b", vec![])]), [0, 1]);
}
