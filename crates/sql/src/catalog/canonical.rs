//! The form in which expressions of a declaration are kept: identifiers quoted, function names in upper case,
//! as Flink shows them in SHOW CREATE TABLE and DESCRIBE.

use headwater_sql_parser::{Punct, TokenKind, tokens};
use headwater_types::logical_type::quote_identifier;

/// The canonical form of a printed expression. Words that are keywords somewhere in the grammar stay as they
/// are, because only the parser knows which of them are names here; but syntax is printed in upper case, so one with
/// a small letter is a name.
pub fn canonical_text(printed: &str) -> String {
    let tokens = tokens(printed);
    let mut out = String::with_capacity(printed.len() + 16);
    let mut copied = 0;
    for (i, token) in tokens.iter().enumerate() {
        let range = token.span.range();
        let text = token.span.text(printed);
        let is_call = tokens
            .get(i + 1)
            .is_some_and(|next| next.kind == TokenKind::Punct(Punct::LeftParen) && next.span.start == token.span.end);
        let is_keyword_as_name = is_call || text.contains(|c: char| c.is_ascii_lowercase());
        let is_name =
            token.kind == TokenKind::Identifier || (is_keyword_as_name && matches!(token.kind, TokenKind::Keyword(_)));
        if !is_name {
            continue;
        }
        out.push_str(&printed[copied..range.start]);
        match is_call {
            true => out.push_str(&text.to_uppercase()),
            false => out.push_str(&quote_identifier(text)),
        }
        copied = range.end;
    }
    out.push_str(&printed[copied..]);
    out
}
