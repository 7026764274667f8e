//! Completion at the prompt.

use headwater_sql::completion::{Candidate, Vocabulary};
use reedline::{Completer, CompletionResult, Span, Suggestion};
use std::sync::{Arc, Mutex, PoisonError};

/// Completes the word before the cursor.
pub struct SqlCompleter {
    vocabulary: Arc<Mutex<Vocabulary>>,
}

impl SqlCompleter {
    /// A completer over names that are kept up to date elsewhere.
    pub fn new(vocabulary: Arc<Mutex<Vocabulary>>) -> Self {
        Self { vocabulary }
    }
}

impl Completer for SqlCompleter {
    fn complete(&mut self, line: &str, pos: usize) -> CompletionResult {
        let vocabulary = self.vocabulary.lock().unwrap_or_else(PoisonError::into_inner);
        let (start, candidates) = vocabulary.complete(&line[..pos]);
        let suggestion = |Candidate { text, note }| Suggestion {
            value: text,
            description: note,
            span: Span { start, end: pos },
            append_whitespace: false,
            ..Suggestion::default()
        };
        CompletionResult::fresh(candidates.into_iter().map(suggestion).collect::<Vec<_>>())
    }
}
