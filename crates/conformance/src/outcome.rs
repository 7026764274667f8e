//! How cases end.

use headwater_sql::SqlError;
use headwater_types::ErrorKind;
use serde::Serialize;
use std::fmt;

/// How a case ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    /// The result is the expected one.
    Passed,
    /// It is not.
    Failed,
    /// The case cannot be run here.
    Skipped,
    /// The case needs a feature that is known but not there yet.
    Unsupported,
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Passed => "passed",
            Self::Failed => "failed",
            Self::Skipped => "skipped",
            Self::Unsupported => "unsupported",
        })
    }
}

/// The end of one case.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Outcome {
    /// The case.
    pub id: String,
    /// How it ended.
    pub status: Status,
    /// Why, unless it passed.
    pub reason: Option<String>,
}

/// Why a case did not pass.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Stop {
    pub(crate) status: Status,
    pub(crate) reason: String,
}

impl Stop {
    pub(crate) fn failed(reason: impl Into<String>) -> Self {
        Self { status: Status::Failed, reason: reason.into() }
    }

    pub(crate) fn skipped(reason: impl Into<String>) -> Self {
        Self { status: Status::Skipped, reason: reason.into() }
    }

    pub(crate) fn unsupported(reason: impl Into<String>) -> Self {
        Self { status: Status::Unsupported, reason: reason.into() }
    }
}

impl From<SqlError> for Stop {
    fn from(error: SqlError) -> Self {
        match error.kind {
            ErrorKind::Unsupported => Self::unsupported(error.message),
            // Built-in functions that are missing say so; the others are user code in Java.
            _ if error.code == "unknown-function" => Self::unsupported(error.message),
            _ => Self::failed(error.to_string()),
        }
    }
}

impl From<headwater_types::Error> for Stop {
    fn from(error: headwater_types::Error) -> Self {
        SqlError::from(error).into()
    }
}

impl Outcome {
    pub(crate) fn new(id: String, end: Result<(), Stop>) -> Self {
        match end {
            Ok(()) => Self { id, status: Status::Passed, reason: None },
            Err(stop) => Self { id, status: stop.status, reason: Some(stop.reason) },
        }
    }
}

/// Counts of a run.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Report {
    /// Passed cases.
    pub passed: usize,
    /// Failed cases.
    pub failed: usize,
    /// Cases that cannot be run here.
    pub skipped: usize,
    /// Cases that need what is not there yet.
    pub unsupported: usize,
    /// Files that could not be read to the end.
    pub broken_files: usize,
}

impl Report {
    /// Counts an outcome.
    pub fn add(&mut self, outcome: &Outcome) {
        match outcome.status {
            Status::Passed => self.passed += 1,
            Status::Failed => self.failed += 1,
            Status::Skipped => self.skipped += 1,
            Status::Unsupported => self.unsupported += 1,
        }
    }
}
