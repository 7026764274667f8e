//! `headwater test`: runs case files and reports each case.

mod session;

use crate::args::TestArgs;
use headwater_conformance::{Outcome, Report, Runner, ScriptSession, Status, case_files};
use headwater_types::config::Configuration;
use session::ClientSession;
use std::io::{self, Write};
use std::process::ExitCode;

/// Runs the cases of all paths. Fails when a case fails or a file cannot be read.
pub fn run(args: &TestArgs, config: Configuration) -> ExitCode {
    let files = match case_files(&args.paths) {
        Ok(files) => files,
        Err(error) => {
            crate::complain(format_args!("[ERROR] {error}"));
            return ExitCode::FAILURE;
        }
    };
    let sessions = Box::new({
        let config = config.clone();
        move || Box::new(ClientSession::new(&config)) as Box<dyn ScriptSession>
    });
    let mut runner = Runner::new(config, args.filter.clone()).with_sessions(sessions);
    let mut report = Report::default();
    let mut out = io::BufWriter::new(io::stdout().lock());
    for file in files {
        let written = runner.run_file(&file, &mut |outcome| {
            report.add(outcome);
            write_outcome(&mut out, outcome, args.json)
        });
        match written {
            Ok(()) => {}
            Err(headwater_conformance::Error::Output(error)) => return crate::failed(&error),
            Err(error) => {
                let _ = out.flush();
                crate::complain(format_args!("[ERROR] {error}"));
                report.broken_files += 1;
            }
        }
    }
    match write_summary(&mut out, &report) {
        Ok(()) if report.failed == 0 && report.broken_files == 0 => ExitCode::SUCCESS,
        Ok(()) => ExitCode::FAILURE,
        Err(error) => crate::failed(&error),
    }
}

fn write_outcome(out: &mut dyn Write, outcome: &Outcome, json: bool) -> io::Result<()> {
    if json {
        serde_json::to_writer(&mut *out, outcome)?;
        writeln!(out)?;
        return out.flush();
    }
    let reason = outcome.reason.as_deref().map(|reason| format!(": {reason}")).unwrap_or_default();
    match outcome.status {
        Status::Passed => writeln!(out, "passed {}", outcome.id)?,
        status => writeln!(out, "{status} {}{reason}", outcome.id)?,
    }
    out.flush()
}

/// Unsupported cases count among the skipped ones, and stand on a line of their own before.
fn write_summary(out: &mut dyn Write, report: &Report) -> io::Result<()> {
    if report.unsupported > 0 {
        writeln!(out, "of the skipped, {} are not supported yet", report.unsupported)?;
    }
    let skipped = report.skipped + report.unsupported;
    writeln!(out, "{} passed, {} failed, {skipped} skipped", report.passed, report.failed)?;
    out.flush()
}
