//! `headwater lineage`: where every column of a job comes from, before it runs.
//!
//! ```text
//! explain   script ── plan ──> JobLineage ──> text | JSON | DOT | Mermaid
//!                                 └─ --diff ──> what consumers of a running job, or of a file, would lose
//! ```

pub mod args;
mod before;
mod explain;
mod serve;
#[cfg(test)]
mod tests;

use args::LineageCommand;
use headwater_types::config::Configuration;
use std::process::ExitCode;

/// Runs a verb.
pub fn run(command: &LineageCommand, config: Configuration) -> ExitCode {
    match command {
        LineageCommand::Explain(args) => explain::run(args, config),
        LineageCommand::Serve(args) => serve::run(args, &config),
    }
}
