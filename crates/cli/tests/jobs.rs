//! Jobs in the background, jobs that are stopped with savepoints, and state that is queried, by the binary as users
//! run it.

mod common;

use common::{headwater, stderr, stdout};
use std::path::Path;
use std::process::{Command, Stdio};

const TABLES: &str = "CREATE TABLE n (id BIGINT) WITH ('connector' = 'datagen', 'number-of-rows' = '10');
                      CREATE TABLE b (id BIGINT) WITH ('connector' = 'blackhole');";

#[test]
fn a_script_waits_for_its_background_jobs() {
    let script = format!("{TABLES} SET 'table.dml-sync' = 'false'; INSERT INTO b SELECT id FROM n; SHOW JOBS;");
    let output = headwater(&["sql", "-e", &script]);
    assert!(output.status.success(), "{}", stderr(&output));
    let out = stdout(&output);
    assert!(out.contains("Job ID: ") && out.contains("insert-into_default_catalog.default_database.b"), "{out}");
    let json = headwater(&["sql", "--format", "json", "-e", &script]);
    let id = stdout(&json).lines().find_map(|line| line.strip_prefix("{\"job id\":\"").map(str::to_owned));
    assert!(id.is_some_and(|id| id.starts_with(|c: char| c.is_ascii_hexdigit())), "{}", stdout(&json));
}

#[test]
fn statements_about_jobs_that_are_not_there_say_so() {
    for (statement, message) in [
        ("STOP JOB 'abc' WITH SAVEPOINT", "there is no job 'abc'"),
        ("DESCRIBE JOB 'abc'", "SHOW JOBS lists those that were started here"),
        ("STOP JOB 'abc' WITH DRAIN", "WITH DRAIN could only be used after WITH SAVEPOINT"),
    ] {
        let output = headwater(&["sql", "-e", statement]);
        assert_eq!(output.status.code(), Some(1));
        assert!(stderr(&output).contains(message), "{statement}: {}", stderr(&output));
    }
}

/// One signal leaves a savepoint where a directory for it is configured, of a job in the foreground and of one in the
/// background alike; a restore goes on from the path that is told.
#[test]
fn a_signal_stops_a_job_with_a_savepoint() {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let savepoints = directory.path().to_str().expect("the path of a temporary directory is text");
    let define = format!("execution.checkpointing.savepoint-dir={savepoints}");
    let tables = TABLES.replace("'number-of-rows' = '10'", "'rows-per-second' = '100'");
    for sync in ["true", "false"] {
        let script = format!("{tables} SET 'table.dml-sync' = '{sync}'; INSERT INTO b SELECT id FROM n");
        let child = Command::new(env!("CARGO_BIN_EXE_headwater"))
            .args(["sql", "--progress", "-D", &define, "-D", "execution.checkpointing.interval=50ms", "-D"])
            .args([&format!("execution.checkpointing.dir={savepoints}/checkpoints"), "-e", &script])
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the binary runs");
        // It runs when it has completed a checkpoint.
        let checkpoints = format!("{savepoints}/checkpoints");
        while !headwater(&["savepoint", "inspect", &checkpoints]).status.success() {}
        let killed = Command::new("kill").args(["-TERM", &child.id().to_string()]).status().expect("kill runs");
        assert!(killed.success());
        let output = child.wait_with_output().expect("the process ends");
        assert_eq!(output.status.code(), Some(130), "{}", stderr(&output));
        let message = stderr(&output);
        let path = message.split("'execution.state-recovery.path' = '").nth(1).and_then(|rest| rest.split('\'').next());
        let path = path.unwrap_or_else(|| panic!("no path in: {message}"));
        assert!(Path::new(path).join("_metadata").is_file(), "{message}");
        let inspected = stdout(&headwater(&["savepoint", "inspect", path, "--verify"]));
        assert!(inspected.starts_with("savepoint ") && inspected.contains("undamaged"), "{inspected}");
        std::fs::remove_dir_all(&checkpoints).ok();
    }
}

#[test]
fn stored_state_is_declared_and_queried() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../embedded/tests/fixtures/v1/savepoint");
    let path = path.to_str().expect("the path of a file of this repository is text");
    let declared = headwater(&["savepoint", "inspect", path, "--sql"]);
    assert!(declared.status.success(), "{}", stderr(&declared));
    let query = "SELECT name, COUNT(*), SUM(occurrences) FROM `distinct $51458507` GROUP BY name";
    let script = format!("SET 'execution.runtime-mode' = 'batch'; {} {query};", stdout(&declared));
    let output = headwater(&["sql", "--format", "csv", "-D", "parallelism.default=2", "-e", &script]);
    assert!(output.status.success(), "{}", stderr(&output));
    let out = stdout(&output);
    let mut rows: Vec<&str> = out.lines().filter(|line| line.contains(",10,")).collect();
    rows.sort_unstable();
    assert_eq!(rows.len(), 3, "{out}");
}

/// A query that fails at its 60th row, every time it starts again.
fn failing(define: &[&str]) -> (Vec<u64>, String) {
    let query = "CREATE TABLE n (id BIGINT) WITH ('connector' = 'datagen', 'rows-per-second' = '100',
        'fields.id.kind' = 'sequence', 'fields.id.start' = '1', 'fields.id.end' = '1000');
        SELECT id, CAST(CASE WHEN id = 60 THEN 'x' ELSE '1' END AS INT) AS ok FROM n";
    let restarts = ["restart-strategy.type=fixed-delay", "restart-strategy.fixed-delay.attempts=3"];
    let delay = ["restart-strategy.fixed-delay.delay=1 ms", "parallelism.default=1"];
    let defines = [&restarts[..], &delay, define].concat();
    let defines: Vec<&str> = defines.into_iter().flat_map(|pair| ["-D", pair]).collect();
    let output = headwater(&[&["sql", "--format", "json"], &defines[..], &["-e", query]].concat());
    assert_eq!(output.status.code(), Some(1), "{}", stderr(&output));
    let id = |line: &str| line.split("\"id\":").nth(1).and_then(|rest| rest.split(',').next()?.parse().ok());
    let ids = stdout(&output).lines().map(|line| id(line).unwrap_or_else(|| panic!("no id in {line}"))).collect();
    (ids, stderr(&output))
}

#[test]
fn a_query_that_starts_again_shows_no_row_twice() {
    let (ids, said) = failing(&[]);
    assert!(!ids.is_empty() && ids.iter().copied().eq(1..=ids.len() as u64), "{ids:?}");
    assert!(said.contains("restarted when rows of it had been shown already"), "{said}");
    let (ids, said) = failing(&["execution.checkpointing.interval=50 ms"]);
    assert!(!ids.is_empty() && ids.iter().copied().eq(1..=ids.len() as u64), "{ids:?}");
    assert!(said.contains("'x'"), "it goes on until there are no restarts left: {said}");
}
