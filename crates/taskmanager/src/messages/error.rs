//! Errors as they travel.

use headwater_types::{Error, ErrorKind};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};

/// An error that travels. Underlying causes become part of the message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TaskError {
    kind: Kind,
    code: String,
    message: String,
}

impl TaskError {
    /// What kind of error it is.
    pub fn kind(&self) -> ErrorKind {
        KINDS.iter().find(|(kind, _)| *kind == self.kind).map_or(ErrorKind::Internal, |(_, kind)| *kind)
    }

    /// Its code.
    pub fn code(&self) -> &str {
        &self.code
    }

    /// Its message, with those of its causes.
    pub fn message(&self) -> &str {
        &self.message
    }
}

/// [`ErrorKind`] as it travels.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Kind {
    Retryable,
    User,
    Corruption,
    Fenced,
    Cancelled,
    Unsupported,
    Internal,
}

/// Both names of each kind, for both directions.
pub(super) const KINDS: [(Kind, ErrorKind); 7] = [
    (Kind::Retryable, ErrorKind::Retryable),
    (Kind::User, ErrorKind::User),
    (Kind::Corruption, ErrorKind::Corruption),
    (Kind::Fenced, ErrorKind::Fenced),
    (Kind::Cancelled, ErrorKind::Cancelled),
    (Kind::Unsupported, ErrorKind::Unsupported),
    (Kind::Internal, ErrorKind::Internal),
];

impl From<&Error> for TaskError {
    fn from(error: &Error) -> Self {
        let mut message = error.message().to_owned();
        let mut cause = std::error::Error::source(error);
        while let Some(source) = cause {
            let text = source.to_string();
            // Messages for people often end with their cause already.
            if !message.contains(&text) {
                message.push_str(": ");
                message.push_str(&text);
            }
            cause = source.source();
        }
        let kind = KINDS.iter().find(|(_, kind)| *kind == error.kind()).map_or(Kind::Internal, |(kind, _)| *kind);
        Self { kind, code: error.code().to_owned(), message }
    }
}

impl From<TaskError> for Error {
    fn from(error: TaskError) -> Self {
        Error::new(error.kind(), intern(&error.code), error.message)
    }
}

/// Codes that arrived from elsewhere. Codes are constants of the code base, so there are few; a sender that
/// makes them up gets a common one.
fn intern(code: &str) -> &'static str {
    const CODES_MAX: usize = 1024;
    static CODES: Mutex<BTreeSet<&'static str>> = Mutex::new(BTreeSet::new());
    let mut codes = CODES.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(known) = codes.get(code) {
        return known;
    }
    if codes.len() >= CODES_MAX {
        return "task-failed";
    }
    let leaked: &'static str = Box::leak(code.to_owned().into_boxed_str());
    codes.insert(leaked);
    leaked
}
