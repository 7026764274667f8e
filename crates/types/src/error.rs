//! The one error type that crosses crate boundaries.
//!
//! Inside a crate errors are detailed enums; at its boundary they become an [`Error`] whose
//! [`ErrorKind`] tells the caller what to do, whose `code` names a help page, and whose message says
//! what went wrong, where, what was expected and what to do about it.

use std::fmt;

/// What the receiver of an error should do with it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ErrorKind {
    /// The same call may succeed later (I/O hiccup, service not reachable).
    Retryable,
    /// The user asked for something that cannot be done; the message says how to mend it.
    User,
    /// Stored or received bytes are not what they should be.
    Corruption,
    /// A newer owner of the same role exists; this one must stop.
    Fenced,
    /// The work was cancelled on request.
    Cancelled,
    /// The feature is known but not implemented yet.
    Unsupported,
    /// A bug of Headwater itself.
    Internal,
}

/// An error as seen outside the crate that raised it.
#[derive(Clone)]
pub struct Error {
    kind: ErrorKind,
    code: &'static str,
    message: String,
    source: Option<std::sync::Arc<dyn std::error::Error + Send + Sync>>,
}

/// Result with the workspace's boundary error.
pub type Result<T, E = Error> = std::result::Result<T, E>;

impl Error {
    /// Creates an error; `code` is a stable kebab-case handle such as `bad-record`.
    pub fn new(kind: ErrorKind, code: &'static str, message: impl Into<String>) -> Self {
        Self { kind, code, message: message.into(), source: None }
    }

    /// A mistake of the user, with the message that mends it.
    pub fn user(code: &'static str, message: impl Into<String>) -> Self {
        Self::new(ErrorKind::User, code, message)
    }

    /// A feature that is known but not there yet.
    pub fn unsupported(what: impl Into<String>) -> Self {
        Self::new(ErrorKind::Unsupported, "not-supported-yet", what)
    }

    /// A broken invariant of Headwater itself.
    pub fn internal(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Internal, "internal", message)
    }

    /// A failure of the outside world that may pass.
    pub fn retryable(code: &'static str, message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Retryable, code, message)
    }

    /// The answer to a cancelled operation.
    pub fn cancelled() -> Self {
        Self::new(ErrorKind::Cancelled, "cancelled", "the job was cancelled")
    }

    /// Attaches the underlying cause.
    #[must_use]
    pub fn with_source(mut self, source: impl std::error::Error + Send + Sync + 'static) -> Self {
        self.source = Some(std::sync::Arc::new(source));
        self
    }

    /// Puts a sentence of context in front of the message.
    #[must_use]
    pub fn context(mut self, context: impl fmt::Display) -> Self {
        self.message = format!("{context}: {}", self.message);
        self
    }

    /// What the receiver should do.
    pub fn kind(&self) -> ErrorKind {
        self.kind
    }

    /// Stable handle of the error, used by help pages and tests.
    pub fn code(&self) -> &'static str {
        self.code
    }

    /// The sentence for people.
    pub fn message(&self) -> &str {
        &self.message
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}[{}]: {}", self.kind, self.code, self.message)
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.source.as_ref().map(|s| s.as_ref() as _)
    }
}
