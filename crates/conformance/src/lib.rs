//! SQL test cases: the library behind `headwater test`.
//!
//! A case file is JSON lines, or a script (`*.q`) of statements with the text that the SQL client prints, see
//! [`ScriptSession`]. Three kinds of lines are understood (their formats are in the user documentation,
//! `docs/sql-test-runner.md`):
//!
//! * *programs*: sources with rows, statements, expected contents of sinks;
//! * *function groups*: fields of one row, expressions over them with expected values or errors;
//! * *expressions*: an expression and the text it displays as.
//!
//! Every case ends in one [`Outcome`]. What the planner answers with "not supported yet" is
//! [`Status::Unsupported`], never a failure; a case that cannot be expressed (user code in another language, a
//! value that could not be written down) is [`Status::Skipped`]. A panic of the engine fails its case and does not
//! end the run.

mod files;
mod function;
mod java_value;
mod outcome;
mod phases;
mod program;
mod runner;
mod script;
mod text;
mod value;

pub use files::case_files;
pub use outcome::{Outcome, Report, Status};
pub use runner::Runner;
pub use script::{Printed, ScriptSession};

/// Why case files could not be run.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A file or directory cannot be read.
    #[error("cannot read {path}: {source}")]
    Unreadable {
        /// The file.
        path: std::path::PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// There is nothing to run.
    #[error("{0} holds no case files (*.jsonl, *.q)")]
    NoCases(std::path::PathBuf),
    /// A line is no case.
    #[error("{path}, line {line}: {reason}")]
    BadLine {
        /// The file.
        path: std::path::PathBuf,
        /// Line, from 1.
        line: usize,
        /// What is wrong.
        reason: String,
    },
    /// An outcome could not be written.
    #[error("cannot write the output: {0}")]
    Output(#[source] std::io::Error),
}
