//! Stored state and jobs that restart, by the binary as users run it.

mod common;

use common::{headwater, stderr, stdout};
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

fn text(path: &Path) -> &str {
    path.to_str().expect("the path of a file of this repository is text")
}

fn tests_of_the_engine() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../embedded/tests")
}

fn script(directory: &Path, from: &str, to: &str) -> PathBuf {
    let job = std::fs::read_to_string(tests_of_the_engine().join("stored_state/job.sql")).expect("the job is there");
    let job = job.replace(from, to).replace("{sink}", "unused").replace("{rows-per-second}", "1");
    let path = directory.join("job.sql");
    std::fs::write(&path, job).expect("a writable directory");
    path
}

#[test]
fn inspect_writes_json_and_verifies() {
    let path = tests_of_the_engine().join("fixtures/v1/savepoint");
    let output = headwater(&["savepoint", "inspect", text(&path), "--verify", "--format", "json"]);
    assert!(output.status.success(), "{}", stderr(&output));
    let report: serde_json::Value = serde_json::from_str(&stdout(&output)).expect("a JSON document");
    assert_eq!(report["kind"], "savepoint");
    assert_eq!(report["max_parallelism"], 8);
    assert_eq!(report["damages"], serde_json::json!([]));
    assert!(report["totals"]["bytes"].as_u64().is_some_and(|bytes| bytes > 0));
    let missing = headwater(&["savepoint", "inspect", "no-such-directory"]);
    assert_eq!(missing.status.code(), Some(1));
    assert!(stderr(&missing).contains("there is no checkpoint"), "{}", stderr(&missing));
}

#[test]
fn check_ends_with_1_when_state_would_be_lost() {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let path = tests_of_the_engine().join("fixtures/v1/savepoint");
    let same = script(directory.path(), "", "");
    let output = headwater(&["savepoint", "check", text(&path), "-f", text(&same)]);
    assert!(output.status.success(), "{}{}", stdout(&output), stderr(&output));
    let without_join = script(directory.path(), "name, COUNT(*)", "'all', COUNT(*)");
    let changed = std::fs::read_to_string(&without_join).expect("the script was written");
    let changed = changed.replace("JOIN names ON MOD(id, 3) = k\nGROUP BY name", "");
    std::fs::write(&without_join, changed).expect("a writable directory");
    let output = headwater(&["savepoint", "check", text(&path), "-f", text(&without_join)]);
    assert_eq!(output.status.code(), Some(1), "{}{}", stdout(&output), stderr(&output));
    assert!(stdout(&output).contains("dropped"), "{}", stdout(&output));
}

#[test]
fn explain_compares_with_a_savepoint() {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let path = tests_of_the_engine().join("fixtures/v1/savepoint");
    let file = script(directory.path(), "INSERT INTO", "EXPLAIN INSERT INTO");
    let explain = std::fs::read_to_string(&file).expect("the script was written");
    let explain = explain.replace("GROUP BY name;", &format!("GROUP BY name COMPATIBLE WITH '{}';", text(&path)));
    std::fs::write(&file, explain).expect("a writable directory");
    let output = headwater(&["sql", "-f", text(&file)]);
    assert!(output.status.success(), "{}", stderr(&output));
    assert!(stdout(&output).contains("== Abstract Syntax Tree =="), "{}", stdout(&output));
    assert!(stdout(&output).contains("compatible: no state is lost"), "{}", stdout(&output));
}

/// A job that can never write is told to end while it restarts, by one signal.
#[test]
fn a_signal_ends_a_job_that_restarts_for_ever() {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let file = directory.path().join("file");
    std::fs::write(&file, "no directory").expect("a writable directory");
    let script = format!(
        "CREATE TABLE n (id BIGINT) WITH ('connector' = 'datagen', 'rows-per-second' = '100');
         CREATE TABLE f (id BIGINT) WITH ('connector' = 'filesystem', 'path' = '{}/out', 'format' = 'csv');
         INSERT INTO f SELECT id FROM n",
        text(&file)
    );
    for settings in [vec![], vec!["-D".to_owned(), format!("execution.checkpointing.dir={}/c", text(directory.path()))]]
    {
        let mut child = Command::new(env!("CARGO_BIN_EXE_headwater"))
            .args(["sql", "-D", "execution.checkpointing.interval=100ms", "-e", &script])
            .args(settings)
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the binary runs");
        let mut lines = BufReader::new(child.stderr.take().expect("stderr is piped")).lines().map_while(Result::ok);
        let restarting = lines.find(|line| line.contains("[WARNING] Restarting the job in"));
        assert!(restarting.is_some_and(|line| line.contains("(restart 1): ")));
        let killed = Command::new("kill").args(["-TERM", &child.id().to_string()]).status().expect("kill runs");
        assert!(killed.success());
        assert_eq!(child.wait().expect("the process ends").code(), Some(130), "{:?}", lines.collect::<Vec<_>>());
    }
}

#[test]
fn a_cancelled_job_says_where_it_can_go_on() {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let script = "CREATE TABLE n (id BIGINT) WITH ('connector' = 'datagen', 'rows-per-second' = '100');
                  CREATE TABLE b (id BIGINT) WITH ('connector' = 'blackhole');
                  INSERT INTO b SELECT id FROM n";
    let child = Command::new(env!("CARGO_BIN_EXE_headwater"))
        .args(["sql", "-D", "execution.checkpointing.interval=100ms", "-e", script])
        .args(["-D", &format!("execution.checkpointing.dir={}", text(directory.path()))])
        .args(["-D", "execution.checkpointing.externalized-checkpoint-retention=RETAIN_ON_CANCELLATION"])
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the binary runs");
    while !headwater(&["savepoint", "inspect", text(directory.path())]).status.success() {}
    let killed = Command::new("kill").args(["-INT", &child.id().to_string()]).status().expect("kill runs");
    assert!(killed.success());
    let output = child.wait_with_output().expect("the process ends");
    assert_eq!(output.status.code(), Some(130), "{}", stderr(&output));
    let message = stderr(&output);
    let path = message.split("'execution.state-recovery.path' = '").nth(1).and_then(|rest| rest.split('\'').next());
    let path = path.unwrap_or_else(|| panic!("no path in: {message}"));
    assert!(Path::new(path).join("_metadata").is_file(), "{message}");
}
