//! `headwater savepoint`: looks into checkpoints and savepoints. Nothing is run and nothing is written.
//!
//! ```text
//! inspect   manifest ──> Summary ──> text or JSON      --verify reads every file it names
//! check     manifest + planned jobs ──> Comparison ──> text or JSON
//! ```

mod check;
mod compare;
mod inspect;
mod open;
mod render;
#[cfg(test)]
mod tests;
mod verify;

pub use compare::Comparison;
pub use open::{Opened, open};
pub use render::comparison as comparison_text;

use crate::args::{ReportFormat, SavepointCommand};
use headwater_types::config::Configuration;
use serde::Serialize;
use std::io::{self, Write};
use std::process::ExitCode;

/// Runs a verb. Fails when files are damaged, or when state would be lost.
pub fn run(command: &SavepointCommand, config: Configuration) -> ExitCode {
    match command {
        SavepointCommand::Inspect(args) => inspect::run(args, &config),
        SavepointCommand::Check(args) => check::run(args, config),
    }
}

/// Writes a report as text or as one JSON document.
fn write(format: ReportFormat, report: &impl Serialize, text: impl FnOnce() -> String) -> io::Result<()> {
    let mut out = io::BufWriter::new(io::stdout().lock());
    match format {
        ReportFormat::Text => out.write_all(text().as_bytes())?,
        ReportFormat::Json => {
            serde_json::to_writer_pretty(&mut out, report)?;
            out.write_all(b"\n")?;
        }
    }
    out.flush()
}

/// The exit code of a report that was or was not written, and is or is not good news.
fn ending(written: io::Result<()>, good: bool) -> ExitCode {
    match written {
        Err(error) => crate::failed(&error),
        Ok(()) if good => ExitCode::SUCCESS,
        Ok(()) => ExitCode::FAILURE,
    }
}

fn complain(error: &headwater_types::Error) -> ExitCode {
    crate::complain(format_args!("[ERROR] {error}"));
    ExitCode::FAILURE
}
