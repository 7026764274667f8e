//! Where statements end, without parsing them.
//!
//! Semicolons in strings, quoted names, comments and hints do not count, nor do those between
//! `STATEMENT SET BEGIN` and its `END`. Works on text that does not parse.

use crate::Span;
use crate::lexer::{LexError, Lexer, Punct, Token, TokenKind};

/// The statements of a script, without their semicolons; empty ones are left out. Text behind
/// the last semicolon counts as a statement.
pub fn split_statements(source: &str) -> Vec<Span> {
    let mut splitter = Splitter::default();
    let mut statements: Vec<Span> = significant(source).filter_map(|token| splitter.push(source, token)).collect();
    statements.extend(splitter.current);
    statements
}

/// Whether an interactive prompt can run the text as it stands: it is blank, or ends with a
/// semicolon that ends a statement, with no string, quote or comment left open.
pub fn is_complete(source: &str) -> bool {
    let mut splitter = Splitter::default();
    let mut ends_with_semicolon = true;
    for token in significant(source) {
        if is_open_ended(token) {
            return false;
        }
        splitter.push(source, token);
        ends_with_semicolon = token.kind == TokenKind::Punct(Punct::Semicolon);
    }
    ends_with_semicolon && splitter.current.is_none()
}

fn significant(source: &str) -> impl Iterator<Item = Token> {
    Lexer::new(source).filter(|token| token.kind != TokenKind::Comment)
}

fn is_open_ended(token: Token) -> bool {
    matches!(
        token.kind,
        TokenKind::Error(
            LexError::UnterminatedString | LexError::UnterminatedIdentifier | LexError::UnterminatedComment
        )
    )
}

/// Collects tokens of one statement at a time.
#[derive(Default)]
struct Splitter {
    /// What the statement covers so far.
    current: Option<Span>,
    /// How much of `STATEMENT SET BEGIN` was just read, in words.
    block_words: usize,
    /// Inside of a block: how many `END` are still to come, `CASE` included.
    open_blocks: usize,
    follows_dot: bool,
}

impl Splitter {
    /// Takes the next token; gives the statement that it ends.
    fn push(&mut self, source: &str, token: Token) -> Option<Span> {
        if token.kind == TokenKind::Punct(Punct::Semicolon) && self.open_blocks == 0 {
            self.block_words = 0;
            return self.current.take();
        }
        let covered = self.current.map_or(token.span, |span| span.to(token.span));
        self.current = Some(covered);
        if !self.follows_dot {
            self.track_block(token.span.text(source));
        }
        self.follows_dot = token.kind == TokenKind::Punct(Punct::Dot);
        None
    }

    fn track_block(&mut self, text: &str) {
        const BLOCK: [&str; 3] = ["STATEMENT", "SET", "BEGIN"];
        if self.open_blocks > 0 {
            if text.eq_ignore_ascii_case("CASE") {
                self.open_blocks += 1;
            } else if text.eq_ignore_ascii_case("END") {
                self.open_blocks -= 1;
            }
            return;
        }
        self.block_words = if text.eq_ignore_ascii_case(BLOCK[self.block_words]) {
            self.block_words + 1
        } else {
            usize::from(text.eq_ignore_ascii_case(BLOCK[0]))
        };
        if self.block_words == BLOCK.len() {
            self.block_words = 0;
            self.open_blocks = 1;
        }
    }
}
