//! The binary as users run it.

mod common;

use common::{headwater, stderr, stdout};
use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

fn text(path: &Path) -> &str {
    path.to_str().expect("the path of a temporary file is text")
}

#[test]
fn a_select_prints_a_table_with_an_op_column() {
    let output = headwater(&["sql", "-e", "SELECT 1 AS a"]);
    assert!(output.status.success());
    let expected = "+----+-------------+\n| op |           a |\n+----+-------------+\n| +I |           1 |\n\
                    +----+-------------+\nReceived a total of 1 row\n";
    assert_eq!(stdout(&output), expected);
}

#[test]
fn formats_for_programs_hold_nothing_but_data() {
    let script = "CREATE TEMPORARY VIEW v AS SELECT 1 AS a; SELECT a, 'x' AS b FROM v";
    let json = headwater(&["sql", "--format", "json", "-e", script]);
    assert_eq!(stdout(&json), "{\"op\":\"+I\",\"a\":1,\"b\":\"x\"}\n", "{}", stderr(&json));
    let csv = headwater(&["sql", "--format", "csv", "-D", "execution.runtime-mode=batch", "-e", script]);
    assert_eq!(stdout(&csv), "a,b\n1,x\n", "{}", stderr(&csv));
}

#[test]
fn an_error_points_into_the_file_and_ends_the_script() {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let script = directory.path().join("job.sql");
    std::fs::write(&script, "SHOW CATALOGS;\nSELECT uper('a');\nSHOW TABLES;\n").expect("a writable directory");
    let output = headwater(&["sql", "-f", text(&script)]);
    assert_eq!(output.status.code(), Some(1));
    assert!(stdout(&output).contains("default_catalog"));
    let message = stderr(&output);
    assert!(message.contains("job.sql") && message.contains("line 2, column 8"), "{message}");
    assert!(message.to_lowercase().contains("upper"), "{message}");
}

#[test]
fn a_missing_file_is_a_sentence() {
    let output = headwater(&["sql", "-f", "no-such-file.sql"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(stderr(&output).starts_with("[ERROR] cannot read the script no-such-file.sql"), "{}", stderr(&output));
}

#[test]
fn an_unknown_configuration_key_warns_with_the_nearest() {
    let output = headwater(&["sql", "-D", "paralelism.default=2", "-e", "SHOW CURRENT CATALOG"]);
    assert!(output.status.success());
    assert!(stderr(&output).contains("did you mean 'parallelism.default'?"), "{}", stderr(&output));
}

#[test]
fn a_closed_pipe_ends_quietly() {
    let mut child = Command::new(env!("CARGO_BIN_EXE_headwater"))
        .args(["sql", "--format", "json", "-e", "SHOW FUNCTIONS"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the binary runs");
    drop(child.stdout.take());
    let output = child.wait_with_output().expect("the binary ends");
    assert!(output.status.success());
    assert_eq!(stderr(&output), "");
}

#[test]
fn statements_come_through_a_pipe_as_well() {
    let mut child = Command::new(env!("CARGO_BIN_EXE_headwater"))
        .args(["sql", "--format", "json"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("the binary runs");
    let mut stdin = child.stdin.take().expect("stdin is piped");
    stdin.write_all(b"SELECT 1 AS a; QUIT; SELECT 2 AS a;").expect("the binary reads");
    drop(stdin);
    let output = child.wait_with_output().expect("the binary ends");
    assert_eq!(stdout(&output), "{\"op\":\"+I\",\"a\":1}\n");
}

#[test]
fn cases_pass_fail_and_skip() {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let cases = directory.path().join("cases.jsonl");
    let program = r#"{"id": "double", "steps": [
        {"setupTableSource": {"name": "t", "schema": ["a INT"], "producedValues": [{"kind": "+I", "row": [21]}]}},
        {"setupTableSink": {"name": "s", "schema": ["a INT"], "consumedValues": ["+I[42]"]}},
        {"runSql": ["INSERT INTO s SELECT a * 2 FROM t"]}]}"#
        .replace('\n', " ");
    let group = r#"{"id": "upper", "fields": ["x"], "types": ["STRING()"],
        "cases": [{"sql": "UPPER(f0)", "expected": "X"}, {"sql": "UPPER(f0)", "expected": "Y"}]}"#
        .replace('\n', " ");
    let expression = r#"{"id": "sum", "sql": "1 + 1", "expected": "2"}"#;
    std::fs::write(&cases, format!("{program}\n{group}\n{expression}\n")).expect("a writable directory");
    let output = headwater(&["test", "--json", text(&cases)]);
    assert_eq!(output.status.code(), Some(1), "{}", stderr(&output));
    let lines: Vec<String> = stdout(&output).lines().map(str::to_string).collect();
    assert_eq!(lines[0], r#"{"id":"double","status":"passed","reason":null}"#);
    assert_eq!(lines[1], r#"{"id":"upper#1","status":"passed","reason":null}"#);
    assert!(lines[2].starts_with(r#"{"id":"upper#2","status":"failed","#), "{}", lines[2]);
    assert_eq!(lines[3], r#"{"id":"sum","status":"passed","reason":null}"#);
    assert_eq!(lines[4], "3 passed, 1 failed, 0 skipped");
    let filtered = headwater(&["test", text(&cases), "--filter", "double"]);
    assert!(filtered.status.success());
    assert_eq!(stdout(&filtered), "passed double\n1 passed, 0 failed, 0 skipped\n");
}

#[test]
fn the_version_the_man_page_and_completions_are_there() {
    assert!(stdout(&headwater(&["--version"])).starts_with("headwater "));
    assert!(stdout(&headwater(&["man"])).contains(".TH headwater"));
    assert!(stdout(&headwater(&["completions", "bash"])).contains("_headwater"));
}

#[test]
fn deep_expressions_and_types_run() {
    let sum = ["a"; 250].join("+");
    let calls = format!("{}a{}", "ABS(".repeat(120), ")".repeat(120));
    let cases = format!("{}a{}", "CASE WHEN a > 0 THEN ".repeat(120), " END".repeat(120));
    for expression in [sum, calls, cases] {
        let query = format!("SELECT {expression} IS NULL AS n FROM (VALUES (1), (CAST(NULL AS INT))) AS t(a)");
        let output = headwater(&["sql", "--format", "json", "-e", &query]);
        assert_eq!(stdout(&output), "{\"op\":\"+I\",\"n\":false}\n{\"op\":\"+I\",\"n\":true}\n", "{}", stderr(&output));
    }
    let nested = format!("CAST(NULL AS {}INT{})", "ARRAY<".repeat(60), ">".repeat(60));
    let output = headwater(&["sql", "--format", "json", "-e", &format!("SELECT {nested} AS n")]);
    assert_eq!(stdout(&output), "{\"op\":\"+I\",\"n\":null}\n", "{}", stderr(&output));
}

#[test]
fn a_parallelism_that_no_process_holds_is_refused() {
    let query = "SELECT COUNT(*) FROM (VALUES (1)) AS t(a) GROUP BY a";
    for parallelism in ["0", "-1", "100000", "99999999999"] {
        let output = headwater(&["sql", "-D", &format!("parallelism.default={parallelism}"), "-e", query]);
        assert_eq!(output.status.code(), Some(1), "{parallelism}");
        assert!(stderr(&output).contains("parallelism"), "{parallelism}: {}", stderr(&output));
    }
}
