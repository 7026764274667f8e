//! Scripts with the text that they print, run by `headwater test`.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use common::{headwater, stderr, stdout};
use std::path::{Path, PathBuf};

fn scripts() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/scripts")
}

#[test]
fn every_statement_prints_what_its_script_says() {
    let output = headwater(&["test", scripts().to_str().unwrap()]);
    assert!(output.status.success(), "{}{}", stdout(&output), stderr(&output));
    let last = stdout(&output).lines().last().unwrap().to_owned();
    let passed: usize = last.split(' ').next().unwrap().parse().unwrap();
    assert!(passed >= 40, "{last}");
    assert!(last.ends_with("passed, 0 failed, 2 skipped"), "{last}");
}

#[test]
fn a_statement_that_prints_something_else_fails_by_its_line() {
    let directory = tempfile::tempdir().unwrap();
    let script = directory.path().join("wrong.q");
    let text = "SHOW CURRENT DATABASE;\nnothing\n!ok\n\nUSE nowhere;\n[INFO] Execute statement succeeded.\n!info\n\n\
                SELECT 1 +;\n[ERROR] Could not execute SQL statement. Reason:\nx\n!error\n\nSHOW VIEWS;\nEmpty set\n!ok\n";
    std::fs::write(&script, text).unwrap();
    let output = headwater(&["test", script.to_str().unwrap()]);
    assert_eq!(output.status.code(), Some(1), "{}", stderr(&output));
    let printed = stdout(&output);
    for line in ["failed wrong.q:1: printed differently", "failed wrong.q:5: expected !info, but it is !error"] {
        assert!(printed.contains(line), "{printed}");
    }
    assert!(printed.contains("failed wrong.q:9: fails with another message"), "{printed}");
    assert!(printed.ends_with("passed wrong.q:14\n1 passed, 3 failed, 0 skipped\n"), "{printed}");
}

#[test]
fn a_script_that_is_cut_off_is_an_error() {
    let directory = tempfile::tempdir().unwrap();
    let script = directory.path().join("cut.q");
    std::fs::write(&script, "SHOW TABLES;\nEmpty set\n!ok\n\nSHOW TABLES;\nEmpty set\n").unwrap();
    let output = headwater(&["test", script.to_str().unwrap()]);
    assert_eq!(output.status.code(), Some(1));
    assert!(stderr(&output).contains("cut.q, line 5: a statement without !ok"), "{}", stderr(&output));
}
