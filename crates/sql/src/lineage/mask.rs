//! Statements without their literals.

use headwater_sql_parser::{TokenKind, tokens};

/// The text with question marks for numbers and strings. Comments go too: they may quote what they explain.
pub(super) fn without_literals(text: &str) -> String {
    let mut masked = String::with_capacity(text.len());
    let mut end = 0;
    for token in tokens(text) {
        let (from, to) = (token.span.start as usize, token.span.end as usize);
        masked.push_str(text.get(end..from).unwrap_or_default());
        match token.kind {
            TokenKind::Number | TokenKind::String | TokenKind::UnicodeString | TokenKind::BinaryString => {
                masked.push('?');
            }
            // What is no token may be a literal that was not closed.
            TokenKind::Comment | TokenKind::Error(_) => {}
            _ => masked.push_str(token.span.text(text)),
        }
        end = to;
    }
    masked
}
