//! Syntax errors.

use std::fmt;

use crate::Span;
use crate::diagnostic::render_with_notes;

/// How many expected tokens a rendered error lists.
const EXPECTED_SHOWN_MAX: usize = 8;

/// A syntax error: what, where, and what would have been right.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ParseError {
    /// What is wrong, one line.
    pub message: String,
    /// Where.
    pub span: Span,
    /// Tokens that would have been accepted at that place; may be empty.
    pub expected: Vec<String>,
    /// What to do about it.
    pub hint: Option<String>,
}

impl ParseError {
    /// An error without expectations and hint.
    pub fn new(message: impl Into<String>, span: Span) -> Self {
        Self { message: message.into(), span, expected: Vec::new(), hint: None }
    }

    /// The same error with a hint.
    pub fn with_hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// Message, source line, caret, expected tokens and hint.
    pub fn render(&self, source: &str) -> String {
        let mut notes = Vec::new();
        if !self.expected.is_empty() {
            notes.push(self.expected_note());
        }
        if let Some(hint) = &self.hint {
            notes.push(format!("help: {hint}"));
        }
        render_with_notes(source, self.span, &self.message, &notes)
    }

    fn expected_note(&self) -> String {
        let shown = match self.expected.len() {
            // One more is shorter than saying that there is one more.
            count if count <= EXPECTED_SHOWN_MAX + 1 => count,
            _ => EXPECTED_SHOWN_MAX,
        };
        let list = self.expected[..shown].join(", ");
        match self.expected.len() - shown {
            0 if shown == 1 => format!("expected {list}"),
            0 => format!("expected one of {list}"),
            rest => format!("expected one of {list} or {rest} others"),
        }
    }
}

impl fmt::Display for ParseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)?;
        if !self.expected.is_empty() {
            write!(f, "; {}", self.expected_note())?;
        }
        if let Some(hint) = &self.hint {
            write!(f, " ({hint})")?;
        }
        Ok(())
    }
}

impl std::error::Error for ParseError {}
