//! Runs the cases beside this file: what Flink answers to expressions and programs, one fact a line.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use headwater_conformance::{Runner, Status, case_files};
use headwater_types::config::Configuration;
use std::path::Path;

#[test]
fn every_fact_holds() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases");
    let mut runner = Runner::new(Configuration::default(), None);
    let (mut passed, mut wrong) = (0, vec![]);
    for file in case_files(&[folder]).unwrap() {
        let mut note = |outcome: &headwater_conformance::Outcome| {
            match outcome.status {
                Status::Passed => passed += 1,
                _ => wrong.push(format!("{}: {}", outcome.id, outcome.reason.as_deref().unwrap_or_default())),
            }
            Ok(())
        };
        runner.run_file(&file, &mut note).unwrap();
    }
    assert!(wrong.is_empty(), "{passed} passed, and not:\n{}", wrong.join("\n"));
    assert!(passed > 50, "only {passed} facts were found");
}
