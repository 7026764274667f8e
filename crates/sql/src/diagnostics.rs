//! The error of everything that understands SQL: what is wrong, where, and what to do about it.
//!
//! A [`SqlError`] points into the statement by a [`Span`]; the text itself is not kept, so the caller that has
//! it renders line, column and caret with [`SqlError::render`]. An error inside a stored text (a view, a
//! computed column, a watermark) points into that text instead and carries it along: see
//! [`SqlError::within`].

use headwater_sql_parser::{ParseError, Span, render_with_notes};
use headwater_types::config::nearest;
use headwater_types::{Error, ErrorKind};
use std::fmt;

/// Result of the SQL front end.
pub type SqlResult<T> = Result<T, SqlError>;

/// How many valid names an error lists when none is near.
const NAMES_SHOWN_MAX: usize = 12;

/// An error of parsing, binding, planning or executing a statement.
#[derive(Debug, Clone)]
pub struct SqlError {
    /// What is wrong, one line.
    pub message: String,
    /// Where in the text, when it has a place.
    pub span: Option<Span>,
    /// What to do about it.
    pub hint: Option<String>,
    /// Stable handle such as `unknown-column`.
    pub code: &'static str,
    /// What the receiver should do.
    pub kind: ErrorKind,
    /// Tokens that would have been accepted (syntax errors).
    pub expected: Vec<String>,
    /// The stored text that `span` points into, when it is not the statement.
    pub origin: Option<Box<Origin>>,
}

/// A stored text that an error points into.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origin {
    /// What the text is, such as "the view `v`".
    pub name: String,
    /// The text.
    pub text: String,
}

impl SqlError {
    /// A mistake of the user; `code` is a stable kebab-case handle.
    pub fn new(code: &'static str, message: impl Into<String>) -> Self {
        Self {
            message: message.into(),
            span: None,
            hint: None,
            code,
            kind: ErrorKind::User,
            expected: vec![],
            origin: None,
        }
    }

    /// A mistake of the user at a place of the statement.
    pub fn at(code: &'static str, message: impl Into<String>, span: Span) -> Self {
        Self::new(code, message).with_span(span)
    }

    /// A feature that is known but not there yet: "`what` is not supported yet".
    pub fn unsupported(what: impl fmt::Display, span: Option<Span>) -> Self {
        let error = Self::new("not-supported-yet", format!("{what} is not supported yet"));
        Self { kind: ErrorKind::Unsupported, span, ..error }
    }

    /// A broken invariant of Headwater itself.
    pub fn internal(message: impl Into<String>) -> Self {
        Self { kind: ErrorKind::Internal, ..Self::new("internal", message) }
    }

    /// An unknown name of some kind ("column", "table"), with the nearest of the known ones as the hint.
    pub fn unknown<'a>(
        code: &'static str,
        kind: &str,
        name: &str,
        span: Option<Span>,
        known: impl IntoIterator<Item = &'a str>,
    ) -> Self {
        let known: Vec<&str> = known.into_iter().collect();
        let error = Self::new(code, format!("unknown {kind} '{name}'"));
        Self { span, hint: nearest_hint(kind, name, &known), ..error }
    }

    /// The same error at a place, unless it already has one.
    #[must_use]
    pub fn with_span(mut self, span: Span) -> Self {
        self.span.get_or_insert(span);
        self
    }

    /// The same error with a hint, unless it already has one.
    #[must_use]
    pub fn with_hint(mut self, hint: impl Into<String>) -> Self {
        self.hint.get_or_insert_with(|| hint.into());
        self
    }

    /// The same error with a sentence of context in front of the message.
    #[must_use]
    pub fn context(mut self, context: impl fmt::Display) -> Self {
        self.message = format!("{context}: {}", self.message);
        self
    }

    /// Marks the error as pointing into a stored text, such as the query of a view; the innermost text wins.
    #[must_use]
    pub fn within(mut self, name: impl Into<String>, text: impl Into<String>) -> Self {
        self.origin.get_or_insert_with(|| Box::new(Origin { name: name.into(), text: text.into() }));
        self
    }

    /// The same error with the span moved, for a statement cut out of a longer script.
    #[must_use]
    pub fn shifted(mut self, offset: u32) -> Self {
        if self.origin.is_none() {
            self.span = self.span.map(|span| span.shifted(offset));
        }
        self
    }

    /// Whether the feature is known but not implemented.
    pub fn is_unsupported(&self) -> bool {
        self.kind == ErrorKind::Unsupported
    }

    /// Message, source line, caret, expected tokens and hint; without a place only the message and the hint.
    pub fn render(&self, source: &str) -> String {
        let Some(span) = self.span else { return self.render_plain() };
        match &self.origin {
            None => render_with_notes(source, span, &self.message, &self.notes()),
            Some(origin) => {
                let mut notes = vec![format!("note: in {}", origin.name)];
                notes.extend(self.notes());
                render_with_notes(&origin.text, span, &self.message, &notes)
            }
        }
    }

    fn render_plain(&self) -> String {
        let mut out = format!("error: {}", self.message);
        for note in self.notes() {
            out.push_str("\n = ");
            out.push_str(&note);
        }
        out
    }

    fn notes(&self) -> Vec<String> {
        let expected = (!self.expected.is_empty()).then(|| format!("expected {}", listed(&self.expected)));
        let hint = self.hint.as_ref().map(|hint| format!("help: {hint}"));
        expected.into_iter().chain(hint).collect()
    }
}

/// "did you mean 'x'?", or the known names when none is near; `None` when nothing is known.
fn nearest_hint(kind: &str, name: &str, known: &[&str]) -> Option<String> {
    if let Some(near) = nearest(name, known.iter().copied()) {
        return Some(format!("did you mean '{near}'?"));
    }
    (!known.is_empty()).then(|| format!("available {kind}s: {}", listed(known)))
}

fn listed<S: AsRef<str>>(names: &[S]) -> String {
    let shown: Vec<&str> = names.iter().take(NAMES_SHOWN_MAX).map(AsRef::as_ref).collect();
    let rest = names.len() - shown.len();
    match rest {
        0 => shown.join(", "),
        _ => format!("{} and {rest} more", shown.join(", ")),
    }
}

impl fmt::Display for SqlError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)?;
        match &self.hint {
            Some(hint) => write!(f, " ({hint})"),
            None => Ok(()),
        }
    }
}

impl std::error::Error for SqlError {}

impl From<ParseError> for SqlError {
    fn from(error: ParseError) -> Self {
        let sql = Self::at("syntax-error", error.message, error.span);
        Self { hint: error.hint, expected: error.expected, ..sql }
    }
}

impl From<Error> for SqlError {
    fn from(error: Error) -> Self {
        Self { kind: error.kind(), ..Self::new(error.code(), error.message()) }
    }
}

impl From<SqlError> for Error {
    fn from(error: SqlError) -> Self {
        Error::new(error.kind, error.code, error.to_string())
    }
}

#[cfg(test)]
#[path = "diagnostics_tests.rs"]
mod tests;
